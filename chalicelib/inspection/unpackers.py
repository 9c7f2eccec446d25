"""Which unpacker takes what kind of compressed data."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from chalicelib.inspection.compression import Unpacker
from chalicelib.inspection.gunzip import Gunzip
from chalicelib.inspection.limits import Limits
from chalicelib.inspection.magic import compression_of
from chalicelib.inspection.names import Name
from chalicelib.inspection.streams import bunzip2, unxz, unzstd
from chalicelib.inspection.unzip import Unzip

UNPACKERS: Mapping[str, Callable[[Limits], Unpacker]] = {
    "bzip2": bunzip2,
    "gzip": Gunzip,
    "xz": unxz,
    "zip": Unzip,
    "zstd": unzstd,
}


def unpacker_of(head: bytes, name: Name, limits: Limits) -> Unpacker | None:
    """What unpacks a file that begins so; None if it is not compressed."""
    found = compression_of(head, name)
    return UNPACKERS[found](limits) if found else None
