"""The values of delimited text, judged by a schema: those of a short table row by row, of a long one at once."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from chalicelib.findings import Findings
from chalicelib.inspection.limits import Limits
from chalicelib.inspection.many import Many
from chalicelib.inspection.sinks import RecordSink
from chalicelib.inspection.values import HEADER, Values
from chalicelib.tableschema import Rows, Schema

if TYPE_CHECKING:
    from chalicelib.inspection.sql import Batches, Checks, Question

# A record may be as long as the inspection's limit says, and so may a cell: the limit of `csv` is the process's.
csv.field_size_limit(sys.maxsize)


class DelimitedValues:
    """Takes the records of delimited text; without a header the schema's fields are the columns, in their order."""

    def __init__(
        self,
        values: Values,
        schema: Schema,
        findings: Findings,
        limits: Limits,
        *,
        delimiter: str,
        header: bool,
        checks: Mapping[str, str],
        out_of_time: Callable[[], bool],
    ) -> None:
        self._values = values
        self._schema = schema
        self._findings = findings
        self._limits = limits
        self._delimiter = delimiter
        self._header = header
        self._checks = checks
        self._out_of_time = out_of_time
        self._rows: Rows | None = None
        self._is_wide = False
        self._chosen: Many | None = None
        self._batches: Batches | None = None
        self._checking: Checks | None = None

    def begin(self, names: Sequence[str], *, line: int) -> None:
        """Judge the header."""
        if not self._header:
            known = [field.name for field in self._schema.fields]
            names = [*known[: len(names)], *names[len(known) :]]
        self._is_wide = len(names) > self._limits.engine_columns
        self._rows = rows = Rows(self._schema, names)
        for problem in rows.header_problems:
            self._values.add(HEADER[problem.rule], field=problem.name, row=0, line=line, rule=problem.words)
        few = RowByRow(rows, self._values, delimiter=self._delimiter)
        self._chosen = Many(
            few=few,
            many=lambda: self._many(rows, few),
            more_than=0 if self._checks else self._limits.engine_from_bytes,
            columns=self._limits.engine_columns,
        )
        self._chosen.begin(names, line=line)

    def take(self, run: bytes, *, row: int, line: int) -> None:
        """Have the records judged, unless they are cut off."""
        if self._chosen and not self._findings.is_closed:
            self._chosen.take(run, row=row, line=line)

    def finish(self, *, is_whole: bool) -> None:
        """Judge what is held, and of a whole file the header that there is not."""
        if self._chosen is None and is_whole:
            self.begin((), line=1)
        if self._chosen:
            self._chosen.finish()
        if self._rows and self._checks and not self._batches:
            self._engine(self._rows)  # a check of all rows is one of no rows too
        if self._batches:
            self._batches.finish()
        if self._checking:
            if self._is_wide:
                self._checking.give_up(f"the table has more than {self._limits.engine_columns:,} columns")
            if not is_whole:
                self._checking.give_up("the file is not whole", all_rows_only=True)
            self._checking.report()

    def close(self) -> None:
        """Give back the engine."""
        if self._batches:
            self._batches.close()
            self._batches = None

    def _many(self, rows: Rows, few: RecordSink) -> RecordSink:
        """The kernel, if rules of fields are all that there is, and it can judge them."""
        from chalicelib.inspection.kernel.rules import UnknownError  # noqa: PLC0415 - most files never need it
        from chalicelib.inspection.kernel.values import KernelValues  # noqa: PLC0415

        is_for_fields = not (self._checks or self._values.unique)
        if is_for_fields and self._limits.kernel_from_bytes <= self._limits.engine_from_bytes:
            with suppress(UnknownError):
                return KernelValues(rows.judged, delimiter=self._delimiter, judge=few, other=lambda: self._engine(rows))
        return self._engine(rows)

    def _engine(self, rows: Rows) -> RecordSink:
        from chalicelib.inspection.sql import Batches, Checks, Judge  # noqa: PLC0415 - most files never need it

        questions: list[Question[Any]] = [Judge(rows, self._values)]
        if self._checks:
            seconds = self._limits.check_seconds
            self._checking = Checks(self._checks, rows, self._schema.fields, self._values, seconds=seconds)
            questions.append(self._checking)
        self._batches = Batches(
            questions,
            delimiter=self._delimiter,
            out_of_time=self._out_of_time,
            batch_bytes=self._limits.engine_batch_bytes,
        )
        return self._batches


class RowByRow:
    """Judges each record as Python's csv reads it."""

    def __init__(self, rows: Rows, values: Values, *, delimiter: str) -> None:
        self._rows = rows
        self._values = values
        self._delimiter = delimiter

    def begin(self, names: Sequence[str], *, line: int) -> None:
        """The header is judged elsewhere."""

    def take(self, run: bytes, *, row: int, line: int) -> None:
        """Judge the records."""
        reader = csv.reader(io.StringIO(run.decode(), newline=""), delimiter=self._delimiter)
        before = 0
        for number, cells in enumerate(reader, row):
            self._values.judge(self._rows.judge(cells), self._rows.keys(cells), row=number, line=line + before)
            before = reader.line_num
