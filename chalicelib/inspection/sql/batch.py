"""Records of a table that are looked at together."""

from __future__ import annotations

import csv
import io
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

from chalicelib.inspection.sql.database import Database

_ALL = bytes(range(256))
_NOT_LINES = _ALL.translate(None, b"\r\n")
_NOT_MARKS = _ALL.translate(None, b'"\r\n')


class Run(NamedTuple):
    """Records that follow each other in the file, in its own bytes: the first has that row and starts on that line."""

    text: bytes
    row: int
    line: int


class Cells(NamedTuple):
    """A record as it is read: its number in the batch, its row and line in the file, and its cells."""

    number: int
    row: int
    line: int
    cells: Sequence[str]


class Batch:
    """A batch of records; once it is loaded it is the view `batch` (see `Database.load`)."""

    def __init__(self, *, width: int, delimiter: str) -> None:
        self.width = width
        self.size = 0
        """In bytes."""
        self._delimiter = delimiter
        self._runs: list[Run] = []

    def add(self, text: bytes, *, row: int, line: int) -> None:
        """Add records as a sink takes them, which may be none."""
        if not text:
            return
        self._runs.append(Run(text, row, line))
        self.size += len(text)

    @cached_property
    def _ends(self) -> Sequence[int]:
        """How many records there are up to the end of each run."""
        return list(accumulate(count_records(run.text) for run in self._runs))

    @property
    def count(self) -> int:
        """How many records it has, once all are in it."""
        return self._ends[-1] if self._ends else 0

    def load(self, database: Database) -> None:
        """Make it the view `batch`."""
        database.load((with_lf(run.text) for run in self._runs), columns=self.width, delimiter=self._delimiter)

    def records(self, numbers: Sequence[int]) -> Iterator[Cells]:
        """The records of these numbers, which rise, read again as Python's csv reads them."""
        waiting = iter(numbers)
        number = next(waiting, None)
        while number is not None:
            for record in self._read(bisect_right(self._ends, number)):
                if record.number == number:
                    yield record
                    number = next(waiting, None)
                    if number is None:
                        break

    def _read(self, at: int) -> Iterator[Cells]:
        run, first = self._runs[at], self._ends[at - 1] if at else 0
        reader, before = csv.reader(io.StringIO(run.text.decode(), newline=""), delimiter=self._delimiter), 0
        for number, cells in enumerate(reader):
            yield Cells(first + number, run.row + number, run.line + before, cells)
            before = reader.line_num


def count_records(run: bytes) -> int:
    """How many records a run has, each of which is right."""
    # Pairs go first: else a CR would meet an LF once what is between them is gone.
    marks = _marks(run.replace(b"\r\n", b"\n") if b"\r" in run else run)
    if b'"' in marks:
        marks = b"".join(marks.split(b'"')[::2])
    ends = len(marks)
    return ends if _is_ended(run) else ends + 1


def with_lf(run: bytes) -> bytes:
    """The same records, each ended by LF; line breaks in cells stay as they are."""
    ended = run if _is_ended(run) else run + b"\n"
    if b"\r" not in run:
        return ended
    if b'"' not in _marks(run):
        return _lf(ended)
    return b'"'.join(part if at % 2 else _lf(part) for at, part in enumerate(ended.split(b'"')))


def _marks(run: bytes) -> bytes:
    """The line breaks of a run, with the quotes if one of them is in a cell: else they vanish, pair by pair."""
    if b'"' not in run:
        return run.translate(None, _NOT_LINES)
    return run.translate(None, _NOT_MARKS).replace(b'""', b"")


def _is_ended(run: bytes) -> bool:
    """A cell cannot end in a line break, for a quote is behind one that it holds."""
    return run.endswith((b"\n", b"\r"))


def _lf(text: bytes) -> bytes:
    return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
