"""The encodings that text is read in: their names, and how to decode them piece by piece."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Mapping
from importlib import import_module

Codec = Callable[[bytes, str, bool], tuple[str, int]]
"""Decodes bytes, with an error handler, finally or not: the text, and how many bytes it took."""

UNICODE: Mapping[str, Codec] = {
    "utf-8": codecs.utf_8_decode,
    "utf-16-le": codecs.utf_16_le_decode,
    "utf-16-be": codecs.utf_16_be_decode,
    "utf-32-le": codecs.utf_32_le_decode,
    "utf-32-be": codecs.utf_32_be_decode,
}
BYTE_EACH: Mapping[str, str] = {
    "windows-1250": "cp1250",
    "windows-1251": "cp1251",
    "windows-1252": "cp1252",
    "windows-1253": "cp1253",
    "windows-1254": "cp1254",
    "windows-1255": "cp1255",
    "windows-1256": "cp1256",
    "iso-8859-1": "iso8859_1",
    "iso-8859-2": "iso8859_2",
    "iso-8859-5": "iso8859_5",
    "iso-8859-7": "iso8859_7",
    "iso-8859-15": "iso8859_15",
    "mac-roman": "mac_roman",
    "cp437": "cp437",
    "cp850": "cp850",
    "cp866": "cp866",
    "koi8-r": "koi8_r",
    "tis-620": "tis_620",
}
"""Encodings of one byte for each character, as Python calls them."""
BYTES_EACH: Mapping[str, str] = {
    "shift_jis": "cp932",
    "euc-jp": "euc_jp",
    "gb18030": "gb18030",
    "big5": "cp950",
    "euc-kr": "cp949",
}
"""Encodings of one or more bytes for each; what Windows added to a standard is in practice part of it."""
ENCODINGS = (*UNICODE, *BYTE_EACH, *BYTES_EACH)
ASCII_BASED = frozenset({"utf-8", *BYTE_EACH})
"""In which a byte of ASCII is always that character."""


def python_name(encoding: str) -> str:
    """What Python calls an encoding."""
    return BYTE_EACH.get(encoding) or BYTES_EACH.get(encoding) or encoding


def codec_of(encoding: str) -> Codec:
    """How to decode an encoding of that name, or any other that Python has."""
    if encoding in UNICODE:
        return UNICODE[encoding]
    if encoding == "iso-8859-1":
        return _decode_latin1
    if encoding in BYTE_EACH:
        return _by_table(BYTE_EACH[encoding])
    return _incremental(python_name(encoding))


def _decode_latin1(data: bytes, errors: str, _final: bool) -> tuple[str, int]:
    return codecs.latin_1_decode(data, errors)


def _by_table(name: str) -> Codec:
    table = import_module(f"encodings.{name}").decoding_table

    def decode(data: bytes, errors: str, _final: bool) -> tuple[str, int]:
        return codecs.charmap_decode(data, errors, table)

    return decode


def _incremental(name: str) -> Codec:
    """A codec of any encoding that Python has, whose decoder keeps the state of what was decoded."""
    decoder = codecs.getincrementaldecoder(name)()

    def decode(data: bytes, errors: str, final: bool) -> tuple[str, int]:
        state = decoder.getstate()
        decoder.errors = errors
        try:
            return decoder.decode(data, final), len(data)
        except UnicodeDecodeError:
            decoder.setstate(state)
            raise

    return decode
