"""bzip2, xz and Zstandard: streams one after another, to the end of the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from chalicelib.inspection.compression import SLICE, PackedError, Unpacker
from chalicelib.inspection.decompressors import New, expand, new_bzip2, new_xz, new_zstd
from chalicelib.inspection.limits import Limits
from chalicelib.inspection.stream import blocks_of


class Streams(Unpacker):
    """Any number of streams, every checksum verified.

    Each begins with one of the bytes `first`. Between and after them may be zeros, a multiple of `padding`.
    """

    def __init__(self, name: str, new: New, limits: Limits, *, first: bytes, padding: int = 0) -> None:
        super().__init__(limits)
        self.name = name
        self._new = new
        self._first = first
        self._padding = padding
        self._zeros = 0

    def _unpack(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        stream = None
        for packed in blocks_of(blocks, first=SLICE, size=SLICE):
            start, data = self.packed, packed
            self.packed += len(packed)
            while stream or (data := self._begin(data)):
                stream = stream or self._new(self._limits)
                for piece in expand(stream, data, position=start):
                    self._account(piece)
                    yield piece
                if not stream.eof:
                    break
                data = stream.unused_data
                stream = None
        if stream:
            raise PackedError("truncated-compression", position=self.packed)
        self._end_padding(self.packed)

    def _begin(self, data: bytes) -> bytes:
        """The data from where the next stream begins, if it has one."""
        start = data.lstrip(b"\0") if self._padding else data
        self._zeros += len(data) - len(start)
        if start:
            self._end_padding(self.packed - len(start))
            if start[0] not in self._first:
                self._damaged(self.packed - len(start), "other data follows")
        return start

    def _end_padding(self, position: int) -> None:
        if self._padding and self._zeros % self._padding:
            self._damaged(position, f"there are {self._zeros:,} bytes of padding, no multiple of {self._padding}")
        self._zeros = 0

    def _damaged(self, position: int, reason: str) -> None:
        raise PackedError("damaged-compression", position=position, reason=reason)


def bunzip2(limits: Limits) -> Unpacker:
    """bzip2: any number of streams."""
    return Streams("bzip2", new_bzip2, limits, first=b"B")


def unxz(limits: Limits) -> Unpacker:
    """xz (the .xz file format 1.2): any number of streams, with padding of four bytes each."""
    return Streams("xz", new_xz, limits, first=b"\xfd", padding=4)


def unzstd(limits: Limits) -> Unpacker:
    """Zstandard (RFC 8878): any number of frames, also such as are to be skipped."""
    return Streams("zstd", new_zstd, limits, first=b"\x28" + bytes(range(0x50, 0x60)))
