"""Which unpacker takes what kind of compressed data; each is loaded with the first file that needs it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from chalicelib.inspection.first_use import loaded
from chalicelib.inspection.limits import Limits
from chalicelib.inspection.magic import compression_of
from chalicelib.inspection.names import Name

if TYPE_CHECKING:
    from chalicelib.inspection.compression import Unpacker

UNPACKERS: Mapping[str, str] = {
    "bzip2": "streams:bunzip2",
    "gzip": "gunzip:Gunzip",
    "xz": "streams:unxz",
    "zip": "unzip:Unzip",
    "zstd": "streams:unzstd",
}
"""What makes the unpacker of each."""


def unpacker_of(head: bytes, name: Name, limits: Limits) -> Unpacker | None:
    """What unpacks a file that begins so; None if it is not compressed."""
    found = compression_of(head, name)
    return unpacker(found, limits) if found else None


def unpacker(compression: str, limits: Limits) -> Unpacker:
    """What unpacks this kind."""
    unpacker: Unpacker = loaded(UNPACKERS[compression])(limits)
    return unpacker
