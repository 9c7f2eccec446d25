"""Which encoding an XML document is in, as its first bytes and its declaration say (section 4.3.3, appendix F)."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.inspection.patterns import compiled
from chalicelib.inspection.text import first_encoding
from chalicelib.inspection.text_encodings import UNICODE, Codec, codec_of

_WIDE: Mapping[str, str] = {
    "utf-16": "utf-16",
    "iso-10646-ucs-2": "utf-16",
    "ucs-2": "utf-16",
    "csunicode": "utf-16",
    "utf-32": "utf-32",
    "iso-10646-ucs-4": "utf-32",
    "ucs-4": "utf-32",
    "csucs4": "utf-32",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
    "utf-32le": "utf-32-le",
    "utf-32be": "utf-32-be",
}
_KNOWN = re.compile(
    r"ascii|utf-8|iso8859-\d+|cp\d+|koi8-[rtu]|mac-[a-z]+|tis-620|kz1048|ptcp154|hp-roman8"
    r"|shift_jis\w*|euc_\w+|iso2022_\w+|gb2312|gbk|gb18030|big5\w*|johab|hz"
)
"""Those of Python's codecs that are encodings of text."""
_declared_in = compiled(
    r"<\?xml[ \t\r\n]+(?:version[ \t\r\n]*=[ \t\r\n]*(?:'[^'<>]*'|\"[^\"<>]*\")[ \t\r\n]+)?"
    r"encoding[ \t\r\n]*=[ \t\r\n]*['\"](?P<name>[A-Za-z][A-Za-z0-9._-]*)['\"]"
).match


@dataclass(frozen=True, slots=True, kw_only=True)
class XmlEncoding:
    """How to decode a document; with a `fault`, which completes "The document …", it cannot be relied on."""

    name: str
    codec: Codec
    fault: str | None = None


def xml_encoding(head: bytes, mark: str | None) -> XmlEncoding:
    """The encoding of a document that begins with `head`, after the mark of that encoding if there was one."""
    family = mark or first_encoding(head) or "utf-8"
    declaration = _declared_in(head.decode(family, "replace"))
    if not declaration:
        fault = None if mark or family == "utf-8" else f"is {family.upper()} without a byte order mark or declaration"
        return _of(family, fault)
    declared = declaration["name"]
    name = _codec_name(declared, family)
    if name is None:
        return _of(family, f"declares an encoding that is not known ({declared[:40]})")
    if (mark and name != family) or not _reads_the_same(declaration[0], family, name):
        return _of(family, f"declares {declared[:40]}, but its first bytes are {family.upper()}")
    if not mark and declared.lower() in ("utf-16", "utf-32"):
        return _of(name, f"is {declared.upper()} without a byte order mark")
    return XmlEncoding(name=name if name in UNICODE else declared.lower(), codec=codec_of(name))


def _codec_name(declared: str, family: str) -> str | None:
    wide = _WIDE.get(declared.lower())
    if wide:  # without an order it is that of the first bytes
        return family if family.startswith(wide) else f"{wide}-be" if wide in ("utf-16", "utf-32") else wide
    try:
        name = codecs.lookup(declared).name
    except LookupError:
        return None
    is_known = declared.lower() in ("utf-8", "utf8") if name == "utf-8" else _KNOWN.fullmatch(name)
    return name if is_known else None


def _reads_the_same(declaration: str, family: str, name: str) -> bool:
    """Whether the declaration's own bytes say the same in the encoding that it names."""
    return declaration.encode(family).decode(name, "replace") == declaration


def _of(name: str, fault: str | None) -> XmlEncoding:
    return XmlEncoding(name=name, codec=codec_of(name), fault=fault)
