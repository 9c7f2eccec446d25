"""A stream kept on disk for the formats that are read in another order than they are written."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from chalicelib.inspection.limits import KIB

_PIECE = 64 * KIB


class Spool:
    """The bytes of a stream, of one that is longer than `limit` the last; on disk, and gone once it is closed.

    The file has no name from the start, so nothing is left behind even if the process is killed.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - it is closed with the spool

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    @property
    def is_whole(self) -> bool:
        """Whether no byte was dropped."""
        return self.size <= self.limit

    @property
    def descriptor(self) -> int:
        """The open file, for another reader of this process."""
        return self._file.fileno()

    def write(self, block: bytes) -> None:
        """Take the next bytes; they replace the oldest where there is no more room."""
        view = memoryview(block)
        while view:
            at = self.size % self.limit
            self._file.seek(at)
            written = self._file.write(view[: self.limit - at])
            self.size += written
            view = view[written:]

    def pieces(self, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The same piece by piece; all of a whole stream if nothing else is said."""
        end = self.size if length is None else offset + length
        for begin in range(offset, end, _PIECE):
            yield self.read(begin, min(_PIECE, end - begin))

    def read(self, offset: int, length: int) -> bytes:
        """Bytes of the stream that are still kept."""
        if not max(self.size - self.limit, 0) <= offset <= offset + length <= self.size:
            raise ValueError("these bytes are not kept")
        parts: list[bytes] = []
        while length:
            at = offset % self.limit
            self._file.seek(at)
            part = self._file.read(min(length, self.limit - at))
            parts.append(part)
            offset, length = offset + len(part), length - len(part)
        return b"".join(parts)
