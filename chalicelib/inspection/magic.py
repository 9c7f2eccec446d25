"""What a file is by its first bytes."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.inspection.names import COMPRESSIONS, Name

MAGIC: Mapping[bytes, str] = {
    b"Obj\x01": "avro",
    b"ARROW1\0\0": "arrow",
    b"BZh": "bzip2",
    b"\x7fELF": "elf",
    b"GIF87a": "gif",
    b"GIF89a": "gif",
    b"\x1f\x8b": "gzip",
    b"\xff\xd8\xff": "jpeg",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "ole2",
    b"ORC": "orc",
    b"PAR1": "parquet",
    b"PARE": "parquet",  # its footer is encrypted
    b"%PDF-": "pdf",
    b"\x89PNG\r\n\x1a\n": "png",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"SQLite format 3\0": "sqlite",
    b"II*\0": "tiff",
    b"MM\0*": "tiff",
    b"\xfd7zXZ\0": "xz",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
    b"\x28\xb5\x2f\xfd": "zstd",
    **{bytes((first, 0x2A, 0x4D, 0x18)): "zstd" for first in range(0x50, 0x60)},  # a frame to skip
}
_BEGINNINGS = tuple(MAGIC)
MAY_BE_TEXT = frozenset({"bzip2", "gif", "orc", "parquet"})
"""Formats whose magic is letters that a text may begin with, a table's first name for one."""


def binary_format(head: bytes, named: str | None = None) -> str | None:
    """The format of binary content by its first bytes; None for what may be text, and is not named as it begins."""
    found = None
    if head.startswith(_BEGINNINGS):  # asked first, for nearly every upload is text
        found = next(name for magic, name in MAGIC.items() if head.startswith(magic))
    if found == "zip":
        from chalicelib.inspection.documents import document_format  # noqa: PLC0415 (on first use)

        return document_format(head, named) or found
    if found in MAY_BE_TEXT and found != named and b"\0" not in head and head.isascii():
        return None
    if found is None and head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if found is None and head[257:262] == b"ustar":
        return "tar"
    return found


def compression_of(head: bytes, name: Name) -> str | None:
    """How a file that begins so is compressed; None if it is not."""
    if name.compression == "bzip2" and head.startswith(b"BZh"):  # letters: without such a name it may be text
        return "bzip2"
    found = binary_format(head, name.format)
    return found if found in COMPRESSIONS and found != name.format else None


_OF_TEXTS = bytes(range(32, 256)) + b"\t\n\r\f\v\b\x1b"


def looks_binary(head: bytes) -> bool:
    """Whether unmarked content is no text: it begins with NUL characters, or has controls that no text has."""
    if b"\0" in head[:64]:
        return True
    return len(head.translate(None, _OF_TEXTS)) * 50 > len(head)
