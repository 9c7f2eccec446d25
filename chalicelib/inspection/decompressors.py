"""The decompressors, each of one stream, behind one interface: that of Python's `bz2` and `lzma`."""

from __future__ import annotations

import bz2
import lzma
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from chalicelib.inspection.compression import PIECE, PackedError
from chalicelib.inspection.limits import MIB, Limits

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


class Decompressor(Protocol):
    """Unpacks one stream."""

    @property
    def eof(self) -> bool:
        """Whether the stream has ended."""

    @property
    def needs_input(self) -> bool:
        """Whether all is unpacked of what it was given."""

    @property
    def unused_data(self) -> bytes:
        """What it was given beyond the end of the stream."""

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """The next bytes, `max_length` at most."""


New = Callable[[Limits], Decompressor]


def expand(decompressor: Decompressor, data: bytes, *, position: int) -> Iterator[bytes]:
    """What a slice of the stream, which is at that position of the file, unpacks to; raises PackedError."""
    try:
        yield decompressor.decompress(data, PIECE)
        while not (decompressor.eof or decompressor.needs_input):
            yield decompressor.decompress(b"", PIECE)
    except (OSError, lzma.LZMAError, zlib.error, zstd.ZstdError) as error:
        raise _problem(str(error).rpartition(": ")[2], position) from error


_TOO_MUCH_MEMORY = {"Memory usage limit exceeded", "Frame requires too much memory for decoding"}
_UNSUPPORTED: Mapping[str, str] = {
    "Invalid or unsupported options": "it is made with options that are not known",
    "Dictionary mismatch": "it needs a dictionary",
}
_DAMAGED: Mapping[str, str] = {
    "Input format not supported by decoder": "a header is wrong",
    "Unknown frame descriptor": "a header is wrong",
    "Restored data doesn't match checksum": "a checksum is wrong",
}


def _problem(reason: str, position: int) -> PackedError:
    """The finding that an error of a library is."""
    if reason in _TOO_MUCH_MEMORY:
        return PackedError("decompression-memory")
    if reason in _UNSUPPORTED:
        return PackedError("unsupported-compression", reason=_UNSUPPORTED[reason])
    reason = _DAMAGED.get(reason, reason[:1].lower() + reason[1:])
    return PackedError("damaged-compression", position=position, reason=reason)


def new_bzip2(_: Limits) -> Decompressor:
    """For one stream of bzip2."""
    return bz2.BZ2Decompressor()


class _Xz:
    """liblzma passes over a check that it does not know: that is no check."""

    def __init__(self, limits: Limits) -> None:
        # Beside the dictionary, liblzma takes less than a tenth of this.
        self._inner = lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=limits.window_bytes + MIB)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return self._inner.needs_input

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        piece = self._inner.decompress(data, max_length)
        check = self._inner.check
        if check != lzma.CHECK_UNKNOWN and not lzma.is_check_supported(check):
            raise PackedError("unsupported-compression", reason=f"its integrity check, number {check}, is not known")
        return piece


def new_xz(limits: Limits) -> Decompressor:
    """For one stream of xz, in bounded memory, all of it checked."""
    return _Xz(limits)


def new_zstd(limits: Limits) -> Decompressor:
    """For one frame of Zstandard (RFC 8878), also one to skip, in bounded memory."""
    most = limits.window_bytes.bit_length() - 1
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: most})


class Inflate:
    """For one stream of raw Deflate (RFC 1951)."""

    def __init__(self, _: Limits) -> None:
        self._inner = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
        self._is_full = False

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not self._is_full

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int = 0) -> bytes:
        piece = self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
        self._is_full = len(piece) == max_length
        return piece


class UnLzma:
    """For one stream of LZMA as zip has it: a version, the properties with their size, and the raw stream."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._head = b""
        self._inner: lzma.LZMADecompressor | None = None

    @property
    def eof(self) -> bool:
        return self._inner is not None and self._inner.eof

    @property
    def needs_input(self) -> bool:
        return self._inner is None or self._inner.needs_input

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data if self._inner else b""

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        if self._inner:
            return self._inner.decompress(data, max_length)
        self._head += data
        if len(self._head) < 9:
            return b""
        self._inner = self._new(self._head[:9])
        return self._inner.decompress(self._head[9:], max_length)

    def _new(self, head: bytes) -> lzma.LZMADecompressor:
        size, packed, dictionary = int.from_bytes(head[2:4], "little"), head[4], int.from_bytes(head[5:9], "little")
        if size != 5 or packed >= 9 * 5 * 5:
            raise lzma.LZMAError("Input format not supported by decoder")
        if dictionary > self._limits.window_bytes:
            raise PackedError("decompression-memory")
        bits = {"lc": packed % 9, "lp": packed // 9 % 5, "pb": packed // 45}
        return lzma.LZMADecompressor(
            lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA1, "dict_size": dictionary, **bits}]
        )
