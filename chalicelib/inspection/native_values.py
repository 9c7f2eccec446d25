"""The values of rows that are not texts, judged by a schema."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from chalicelib.inspection.values import HEADER, Cell, Values
from chalicelib.tableschema import Rows, Schema

if TYPE_CHECKING:
    from chalicelib.inspection.sql import NativeChecks


class NativeValues:
    """Takes the rows of a table whose format has values of its own: numbers, dates, texts; None is no value."""

    def __init__(self, values: Values, schema: Schema, *, checks: NativeChecks | None = None) -> None:
        self._values = values
        self._schema = schema
        self._checks = checks
        self._rows: Rows | None = None
        self._cell: Callable[[int, int], Cell] | None = None
        self._checked: Sequence[int | None] = ()
        self._is_whole = False

    def begin(self, names: Sequence[str], *, line: int | None, cell: Callable[[int, int], Cell] | None = None) -> None:
        """Judge the header; `cell` tells which one of a workbook is on a line and in a column of it."""
        self._cell = cell
        self._rows = rows = Rows(self._schema, names)
        for problem in rows.header_problems:
            self._values.add(HEADER[problem.rule], field=problem.name, row=0, line=line, rule=problem.words)
        at = {id(field): index for index, field in rows.columns}
        self._checked = [at.get(id(field)) for field in self._schema.fields]

    def take(self, values: Sequence[object], *, row: int, line: int | None) -> None:
        """Judge a row, which has a place for each name of the header."""
        if not self._rows:
            return
        problems, keys = self._rows.judge_values(values), self._rows.keys_of_values(values)
        cell = partial(self._cell, line) if self._cell and line else None
        self._values.judge(problems, keys, row=row, line=line, cell=cell)
        if self._checks:
            checked = [None if index is None else values[index] for index in self._checked]
            self._checks.take(checked, row=row, line=line)

    def end(self) -> None:
        """All rows of the table were taken."""
        self._is_whole = True

    def finish(self, *, is_whole: bool) -> None:
        """Judge what is of all rows."""
        if self._checks:
            self._checks.finish(is_whole=is_whole and self._is_whole)

    def close(self) -> None:
        """Give back the engine."""
        if self._checks:
            self._checks.close()
