"""The values of rows that are not texts, judged by a schema."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.inspection.values import HEADER, Values
from chalicelib.tableschema import Rows, Schema


class NativeValues:
    """Takes the rows of a table whose format has values of its own: numbers, dates, texts; None is no value."""

    def __init__(self, values: Values, schema: Schema) -> None:
        self._values = values
        self._schema = schema
        self._rows: Rows | None = None

    def begin(self, names: Sequence[str], *, line: int | None) -> None:
        """Judge the header."""
        self._rows = Rows(self._schema, names)
        for problem in self._rows.header_problems:
            self._values.add(HEADER[problem.rule], field=problem.name, row=0, line=line, rule=problem.words)

    def take(self, values: Sequence[object], *, row: int, line: int | None) -> None:
        """Judge a row, which has a place for each name of the header."""
        if self._rows:
            problems, keys = self._rows.judge_values(values), self._rows.keys_of_values(values)
            self._values.judge(problems, keys, row=row, line=line)
