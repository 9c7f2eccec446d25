"""Packed bytes taken in the amounts that a format's records have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from chalicelib.inspection.compression import SLICE, PackedError
from chalicelib.inspection.stream import blocks_of


class Source:
    """A stream of which any number of bytes is looked at or taken; `position` is how many were taken."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._slices = blocks_of(blocks, first=SLICE, size=SLICE)
        self._held = b""
        self.position = 0

    def peek(self, size: int) -> bytes:
        """The next bytes, fewer only at the end; they are still to be taken."""
        while len(self._held) < size and (more := next(self._slices, b"")):
            self._held += more
        return self._held[:size]

    def take(self, size: int) -> bytes:
        """The next bytes; raises PackedError if there are fewer."""
        taken = self.peek(size)
        if len(taken) < size:
            raise PackedError("truncated-compression", position=self.position + len(self._held))
        self._held = self._held[size:]
        self.position += size
        return taken

    def pieces(self, size: int | None) -> Iterator[bytes]:
        """The next bytes as they come; with no size it goes on, and raises PackedError at the end."""
        while size is None or size:
            held = len(self._held) or len(self.peek(SLICE)) or 1
            piece = self.take(held if size is None else min(held, size))
            size = None if size is None else size - len(piece)
            yield piece

    def back(self, data: bytes) -> None:
        """Put back what was taken last."""
        self._held = data + self._held
        self.position -= len(data)
