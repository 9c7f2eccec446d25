"""Shaping and measuring streams of bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

# Having once freed something as large, glibc keeps the memory of blocks for the next ones; else it gives each back to
# the kernel and takes it again page by page, which costs a third of the speed.
bytes(4 << 20)


def blocks_of(chunks: Iterable[bytes], *, first: int, size: int) -> Iterator[bytes]:
    """The same bytes cut again: one block of `first` bytes, then blocks of `size`; only the last is shorter.

    So nothing that works on the blocks can depend on how the bytes happened to arrive.
    """
    waiting: list[bytes] = []
    have, wanted = 0, first
    for chunk in chunks:
        begin = 0
        while len(chunk) - begin >= wanted - have:
            end = begin + wanted - have
            yield b"".join((*waiting, chunk[begin:end]))
            waiting, have, wanted, begin = [], 0, size, end
        waiting.append(chunk[begin:])
        have += len(chunk) - begin
    if have:
        yield b"".join(waiting)


class Meter:
    """Counts and hashes the bytes that pass through."""

    def __init__(self) -> None:
        self.size = 0
        self._hash = hashlib.sha256()

    def through(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The chunks, unchanged."""
        for chunk in chunks:
            self.size += len(chunk)
            self._hash.update(chunk)
            yield chunk

    @property
    def sha256(self) -> str:
        """Of what has passed so far, in hexadecimal."""
        return self._hash.hexdigest()
