"""Packs content in every way that is unpacked."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence

from chalicelib.findings import Findings
from chalicelib.inspection import Limits
from chalicelib.inspection.names import SUFFIXES
from chalicelib.inspection.unpackers import unpacker
from tests.inspection.strategies import EVERYTHING, cut

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

__all__ = ["PACKS", "skippable", "unpacked", "wide", "zipped", "zst", "zstd"]

Pack = Callable[[bytes], bytes]


class Pipe(io.RawIOBase):
    """A target that cannot be sought in, so that zip writes descriptors."""

    def __init__(self) -> None:
        self.written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override] # only bytes are written here
        self.written += data
        return len(data)


def zipped(
    members: Sequence[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED, *, streamed: bool = False
) -> bytes:
    """An archive as Python's zipfile writes it."""
    target = Pipe() if streamed else io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return bytes(target.written) if isinstance(target, Pipe) else target.getvalue()


def wide(content: bytes, method: int = zipfile.ZIP_DEFLATED, *, streamed: bool = False) -> bytes:
    """An archive of one file in zip64."""
    target = Pipe() if streamed else io.BytesIO()
    info = zipfile.ZipInfo("a")
    info.compress_type = method
    with (
        zipfile.ZipFile(target, "w") as archive,
        archive.open(info, "w", force_zip64=True) as member,
    ):
        member.write(content)
    return bytes(target.written) if isinstance(target, Pipe) else target.getvalue()


def skippable(content: bytes) -> bytes:
    """A frame of Zstandard that is to be skipped."""
    return struct.pack("<2L", 0x184D2A53, len(content)) + content


def zst(content: bytes) -> bytes:
    """One frame of Zstandard with a checksum."""
    return zstd.compress(content, options={zstd.CompressionParameter.checksum_flag: 1})


def halves(pack: Pack, between: bytes = b"", after: bytes = b"") -> Pack:
    """Packs the halves each by itself."""
    return lambda content: pack(content[: len(content) // 2]) + between + pack(content[len(content) // 2 :]) + after


def _zip_with(method: int, *, streamed: bool) -> Pack:
    return lambda content: zipped([("a", content)], method, streamed=streamed)


PACKS: Mapping[str, tuple[str, Pack]] = {
    "gzip": ("gz", lambda content: gzip.compress(content, mtime=0)),
    "gzip, two members": ("gz", halves(lambda content: gzip.compress(content, mtime=0))),
    "bzip2": ("bz2", bz2.compress),
    "bzip2, two streams": ("bz2", halves(bz2.compress)),
    "xz": ("xz", lzma.compress),
    "xz, SHA-256": ("xz", lambda content: lzma.compress(content, check=lzma.CHECK_SHA256)),
    "xz, padded streams": ("xz", halves(lzma.compress, bytes(4), bytes(8))),
    "zstd": ("zst", zst),
    "zstd, among frames to skip": ("zst", halves(zst, skippable(b"1234"), skippable(b""))),
    "zstd, after a frame to skip": ("zst", lambda content: skippable(b"12") + zst(content)),
    "zip, stored": ("zip", _zip_with(zipfile.ZIP_STORED, streamed=False)),
    "zip, stored in a stream": ("zip", _zip_with(zipfile.ZIP_STORED, streamed=True)),
    "zip, deflate": ("zip", _zip_with(zipfile.ZIP_DEFLATED, streamed=False)),
    "zip, deflate in a stream": ("zip", _zip_with(zipfile.ZIP_DEFLATED, streamed=True)),
    "zip, bzip2": ("zip", _zip_with(zipfile.ZIP_BZIP2, streamed=False)),
    "zip, LZMA": ("zip", _zip_with(zipfile.ZIP_LZMA, streamed=True)),
    "zip64": ("zip", wide),
    "zip64 in a stream": ("zip", lambda content: wide(content, streamed=True)),
    "zip64, stored in a stream": ("zip", lambda content: wide(content, zipfile.ZIP_STORED, streamed=True)),
    "zip, among folders and litter": (
        "zip",
        lambda content: zipped([("d/", b""), ("d/a", content), ("__MACOSX/d/._a", b"x"), ("d/.DS_Store", b"y")]),
    ),
}
"""Each way with the suffix that names it."""


def unpacked(
    data: bytes, suffix: str, size: int = 1 << 20, limits: Limits = EVERYTHING
) -> tuple[bytes, Findings, bool]:
    """What is unpacked of data that is fed in blocks of `size`, what is found, and whether it is whole."""
    unpacking = unpacker(SUFFIXES[suffix], limits)
    content = b"".join(unpacking.through(cut(data, size)))
    findings = Findings()
    unpacking.report(findings)
    assert unpacking.is_whole is not bool(findings.counts)
    return content, findings, unpacking.is_whole
