"""The values of delimited text, as the kernel judges them: it finds the records in which one may be wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from chalicelib.inspection.kernel.host import Kernel
from chalicelib.inspection.kernel.rules import UnknownError, rule_of
from chalicelib.inspection.sinks import RecordSink
from chalicelib.inspection.text import line_ends
from chalicelib.tableschema import Field

_MOST_IN = 16
_FEW = 100
"""One doubtful record in so many, beyond these few, takes the engine less time than the judge."""


class _Answer(NamedTuple):
    """Where the records end, how many they are, and the number, begin and end of each that is doubtful."""

    end: int
    records: int
    doubtful: Sequence[tuple[int, int, int]]


class KernelValues:
    """Has the doubtful records judged one by one, and the rest by another sink once there are many of them."""

    def __init__(
        self,
        fields: Sequence[tuple[int, Field]],
        *,
        delimiter: str,
        judge: RecordSink,
        other: Callable[[], RecordSink],
    ) -> None:
        """Of these columns; raises UnknownError if the kernel cannot judge one of them."""
        self._kernel = Kernel()
        self._delimiter = ord(delimiter)
        self._judge = judge
        self._make_other = other
        self._other: RecordSink | None = None
        self._names: Sequence[str] = ()
        self._line = 0
        self._begin = self._end = 0
        """Which part of a run the kernel has."""
        self._records = self._doubtful = 0
        self._fields = fields
        for index, field in fields:
            self._judge_column(index, field)

    def _judge_column(self, index: int, field: Field) -> None:
        rule = rule_of(field)
        table = rule.table
        text = table.classes + table.steps
        if len(text) <= self._kernel.text_bytes:
            self._kernel.load(text)
            form = table.width, table.start, table.settled
            if self._kernel.ask("judge_column", index, len(text), *form, rule.least, rule.most)[0]:
                return
        raise UnknownError

    def begin(self, names: Sequence[str], *, line: int) -> None:
        """The header is judged elsewhere."""
        self._names, self._line = names, line

    def take(self, run: bytes, *, row: int, line: int) -> None:
        """Judge the records."""
        if self._other is None and self._fields:
            run, row, line = self._rest(run, row, line)
        if run and self._fields:
            self._hand_on(run, row, line)

    def _rest(self, run: bytes, row: int, line: int) -> tuple[bytes, int, int]:
        """Judge records until too many were doubtful, or one is beyond the kernel's memory: what is left then."""
        self._begin = self._end = at = told = 0
        while at < len(run) and self._doubtful * _MOST_IN <= self._records + _FEW * _MOST_IN:
            end, records, doubtful = self._ask(run, at)
            for number, begin, after in doubtful:
                line, told = line + line_ends(run[told:begin]), begin
                self._judge.take(run[begin:after], row=row + number, line=line)
            self._records += records
            self._doubtful += len(doubtful)
            row += records
            if end == at:
                break
            at = end
        return (run[at:], row, line + line_ends(run[told:at])) if at < len(run) else (b"", row, line)

    def _ask(self, run: bytes, at: int) -> _Answer:
        """What the kernel says of the records from `at` on."""
        if at >= self._end:
            self._begin, self._end = self._kernel.load_from(run, at)
        found = self._asked(run, at)
        if found.end == at > self._begin:  # there may be room for the whole record
            self._begin, self._end = self._kernel.load_from(run, at)
            found = self._asked(run, at)
        return found

    def _asked(self, run: bytes, at: int) -> _Answer:
        first, size = self._begin, self._end - self._begin
        answer = self._kernel.ask("right_values", at - first, size, self._delimiter, self._end == len(run))
        end, records, count = answer[:3]
        numbers = iter(answer[3 : 3 + 3 * count])
        doubtful = [(number, first + begin, first + after) for number, begin, after in zip(*[numbers] * 3, strict=True)]
        return _Answer(first + end, records, doubtful)

    def _hand_on(self, run: bytes, row: int, line: int) -> None:
        if self._other is None:
            self._other = self._make_other()
            self._other.begin(self._names, line=self._line)
        self._other.take(run, row=row, line=line)
