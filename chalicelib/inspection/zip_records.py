"""The records of a zip archive (APPNOTE.TXT 6.3.10), read from a stream."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from typing import NamedTuple

from chalicelib.inspection.compression import PackedError
from chalicelib.inspection.source import Source

LOCAL, DESCRIPTOR, CENTRAL = b"PK\x03\x04", b"PK\x07\x08", b"PK\x01\x02"
_SIGNATURE, _END64, _LOCATOR, _END = b"PK\x05\x05", b"PK\x06\x06", b"PK\x06\x07", b"PK\x05\x06"
_ENCRYPTED = 1 | 1 << 6 | 1 << 13
_HAS_DESCRIPTOR = 1 << 3
_PATCH = 1 << 5
_UTF8 = 1 << 11
_NEWEST = 63
_FULL16, _FULL = 0xFFFF, 0xFFFFFFFF
"""Where a number is that does not fit: it is in the extra field of zip64."""


class Sums(NamedTuple):
    """Checksum, packed and unpacked size of a member."""

    crc: int
    packed: int
    unpacked: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What is written before a member, and in the archive's directory once more."""

    offset: int
    version: int
    """Of the format, times ten: what a reader must know to read the member."""
    flags: int
    method: int
    sums: Sums
    raw_name: bytes

    @property
    def name(self) -> str:
        """The member's path, in UTF-8 or, as it was in DOS, in code page 437."""
        return self.raw_name.decode("utf-8" if self.flags & _UTF8 else "cp437", "replace")

    @property
    def is_encrypted(self) -> bool:
        """Whether the member cannot be read without a password or a key."""
        return bool(self.flags & _ENCRYPTED)

    @property
    def has_descriptor(self) -> bool:
        """Whether its sums follow the member, because they were not known before it."""
        return bool(self.flags & _HAS_DESCRIPTOR)

    def digest(self, sums: Sums) -> bytes:
        """A hash of all that decides what a reader makes of the member, had it these sums."""
        said = (self.raw_name, self.name, self.method, self.is_encrypted, sums)
        return hashlib.sha256(repr(said).encode()).digest()[:16]

    def unreadable(self) -> PackedError | None:
        """Why the member cannot be read, whatever its method, if it cannot."""
        if self.is_encrypted:
            return PackedError("encrypted-archive")
        if self.version & 0xFF > _NEWEST or self.flags & _PATCH:
            return PackedError("unsupported-compression", reason="a member of the archive needs a newer reader")
        if b"\0" in self.raw_name:
            return PackedError(
                "archive-inconsistent", reason="some readers would see only a part of a name, to its NUL"
            )
        return None


def read_local(source: Source) -> Header:
    """The header of a member, from its signature on."""
    offset = source.position
    _, version, flags, method, _, crc, packed, unpacked, name, extra = struct.unpack("<4s3HL3L2H", source.take(30))
    raw_name = source.take(name)
    unpacked, packed = _widened(source.take(extra), unpacked, packed)
    sums = Sums(crc, packed, unpacked)
    return Header(offset=offset, version=version, flags=flags, method=method, sums=sums, raw_name=raw_name)


def read_central(source: Source) -> Header:
    """A member's entry in the directory, from its signature on."""
    record = struct.unpack("<4s4HL3L5H2L", source.take(46))
    _, _, version, flags, method, _, crc, packed, unpacked, name, extra, comment, _, _, _, offset = record
    raw_name = source.take(name)
    unpacked, packed, offset = _widened(source.take(extra), unpacked, packed, offset)
    source.take(comment)
    sums = Sums(crc, packed, unpacked)
    return Header(offset=offset, version=version, flags=flags, method=method, sums=sums, raw_name=raw_name)


def _widened(extra: bytes, *numbers: int) -> list[int]:
    """The numbers, those that do not fit into their places taken out of the extra field of zip64."""
    field = _extra_field(extra, 1)
    wide = (number for (number,) in struct.iter_unpack("<Q", field[: len(field) // 8 * 8]))
    return [next(wide, number) if number == _FULL else number for number in numbers]


def _extra_field(extra: bytes, wanted: int) -> bytes:
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<2H", extra, at)
        if kind == wanted:
            return extra[at + 4 : at + 4 + size]
        at += 4 + size
    return b""


# Its signature may be missing, and its sizes have four or eight bytes: the layout is the one that the sums fit.
_DESCRIPTORS = tuple(struct.Struct(layout) for layout in ("<4s3L", "<4sL2Q", "<3L", "<L2Q"))
DESCRIPTOR_REACH = 26
"""How many bytes decide whether a descriptor is there: the longest, and the beginning of what follows it."""


def descriptor_size(ahead: bytes, sums: Sums, *, signed: bool = False) -> int:
    """How long the descriptor with these sums is that stands there; 0 if there is none."""
    for layout in _DESCRIPTORS[:2] if signed else _DESCRIPTORS:
        if ahead[layout.size : layout.size + 2] != b"PK":
            continue
        *signature, crc, packed, unpacked = layout.unpack_from(ahead)
        if signature in ([], [DESCRIPTOR]) and Sums(crc, packed, unpacked) == sums:
            return layout.size
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """Where the directory is, and how many entries it has."""

    entries: int
    size: int
    offset: int


def read_end(source: Source, directory: Directory) -> None:
    """What follows the directory, to the end of the file; raises PackedError unless it speaks of that directory."""
    if source.peek(4) == _SIGNATURE:
        source.take(4)
        source.take(int.from_bytes(source.take(2), "little"))
    is_wide = source.peek(4) == _END64
    if is_wide:
        _read_end64(source, directory)
    if len(source.peek(4)) == 4 and source.peek(4) != _END:
        raise PackedError("damaged-compression", position=source.position, reason="other data follows")
    _, disk, _, _, entries, size, offset, comment = struct.unpack("<4s4H2LH", source.take(22))
    said = Directory(
        entries=directory.entries if is_wide and entries == _FULL16 else entries,
        size=directory.size if is_wide and size == _FULL else size,
        offset=directory.offset if is_wide and offset == _FULL else offset,
    )
    if disk not in (0, _FULL16):
        raise PackedError("unsupported-compression", reason="the archive is one part of several")
    if said != directory:
        raise _other_directory()
    source.take(comment)
    if source.peek(1):
        raise PackedError("damaged-compression", position=source.position, reason="other data follows")


def _read_end64(source: Source, directory: Directory) -> None:
    at = source.position
    _, length, _, _, _, _, _, entries, size, offset = struct.unpack("<4sQ2H2L4Q", source.take(56))
    for _ in source.pieces(max(length, 44) - 44):
        pass
    signature, _, place, _ = struct.unpack("<4sLQL", source.take(20))
    said = Directory(entries=entries, size=size, offset=offset)
    if (signature, place, said) != (_LOCATOR, at, directory):
        raise _other_directory()


def _other_directory() -> PackedError:
    return PackedError("archive-inconsistent", reason="the end of the archive tells of another directory")
