"""The values of delimited text, judged by a schema: those of a short table row by row, of a long one by the engine."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from chalicelib.findings import Findings
from chalicelib.inspection.limits import Limits
from chalicelib.inspection.many import Many
from chalicelib.inspection.sinks import RecordSink
from chalicelib.inspection.values import HEADER, Values
from chalicelib.tableschema import Rows, Schema

if TYPE_CHECKING:
    from chalicelib.inspection.sql import Batches

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
        out_of_time: Callable[[], bool],
    ) -> None:
        self._values = values
        self._schema = schema
        self._findings = findings
        self._limits = limits
        self._delimiter = delimiter
        self._header = header
        self._out_of_time = out_of_time
        self._chosen: Many | None = None
        self._batches: Batches | None = None

    def begin(self, names: Sequence[str], *, line: int) -> None:
        """Judge the header."""
        if not self._header:
            known = [field.name for field in self._schema.fields]
            names = [*known[: len(names)], *names[len(known) :]]
        rows = Rows(self._schema, names)
        for problem in rows.header_problems:
            self._values.add(HEADER[problem.rule], field=problem.name, row=0, line=line, rule=problem.words)
        self._chosen = Many(
            few=RowByRow(rows, self._values, delimiter=self._delimiter),
            many=lambda: self._engine(rows),
            more_than=self._limits.engine_from_bytes,
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
        if self._batches:
            self._batches.finish()

    def close(self) -> None:
        """Give back the engine."""
        if self._batches:
            self._batches.close()
            self._batches = None

    def _engine(self, rows: Rows) -> RecordSink:
        from chalicelib.inspection.sql import Batches, Judge  # noqa: PLC0415 - most files never need it

        self._batches = Batches(
            [Judge(rows, self._values)],
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
