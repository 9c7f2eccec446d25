"""A sheet as a table: its header is the first row with any value, its records are those below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from chalicelib.findings import Findings
from chalicelib.inspection.headers import judge_names
from chalicelib.inspection.limits import Limits
from chalicelib.inspection.patterns import compiled
from chalicelib.inspection.report_parts import Sheet
from chalicelib.inspection.xlsx.cells import ERROR, CellValues, label
from chalicelib.inspection.xlsx.parts import SheetEntry
from chalicelib.inspection.xlsx.sheet import Cell, column_letters

if TYPE_CHECKING:
    from chalicelib.inspection.native_values import NativeValues
    from chalicelib.inspection.profile import NativeProfile

_is_bare = compiled(r"[^\W\d][\w.]*").fullmatch
"""Names of sheets that formulas have without quotes."""
Filled = Sequence[tuple[int, Any]]
"""Columns from 1, and the values in them."""


class SheetTable:
    """Takes the rows of a sheet, and learns what is used of it; errors in cells are told."""

    def __init__(self, entry: SheetEntry, values: CellValues, findings: Findings, limits: Limits) -> None:
        self._entry = entry
        self._values = values
        self._findings = findings
        self._limits = limits
        self.rows = 0
        self._first_line = self._last_line = 0
        self._left, self._right = 0, 0

    def take(self, line: int, cells: Sequence[Cell]) -> None:
        """Take the next row."""
        check = self._values.check
        filled = [(column, found) for column, kind, style, text in cells if (found := check(kind, style, text))]
        self._took(line, filled)

    def sheet(self) -> Sheet:
        """What was learnt."""
        used = None
        if self.rows:
            first, last = column_letters(self._left), column_letters(self._right)
            used = f"{first}{self._first_line}:{last}{self._last_line}"
        name = self._entry.name[: self._limits.name_length]
        return Sheet(name=name, used_range=used, rows=self.rows, hidden=self._entry.is_hidden)

    def _took(self, line: int, filled: Filled) -> None:
        if not filled:
            return
        left, right = filled[0][0], filled[-1][0]
        if not self.rows:
            self._first_line, self._left = line, left
        self.rows, self._last_line = self.rows + 1, line
        self._left, self._right = min(self._left, left), max(self._right, right)
        for column, value in filled:
            if value is ERROR:
                self._tell_error(line, column)

    def _tell_error(self, line: int, column: int, *, row: int | None = None, field: str | None = None) -> None:
        if self._findings.full("cell-error"):
            self._findings.count("cell-error", 1)
            return
        sheet = self._entry.name[: self._limits.name_length]
        cell = f"{column_letters(column)}{line}"
        self._findings.add("cell-error", row=row, line=line, field=field, cell=cell, sheet=sheet)


class MainTable(SheetTable):
    """The sheet of which the receipt counts records and names columns."""

    def __init__(
        self,
        entry: SheetEntry,
        values: CellValues,
        findings: Findings,
        limits: Limits,
        *,
        profile: NativeProfile,
        sink: NativeValues | None,
    ) -> None:
        super().__init__(entry, values, findings, limits)
        self._profile = profile
        self._sink = sink
        self.names: Sequence[str] = ()
        self._start = 0

    @property
    def records(self) -> int:
        """How many rows with any value are below the header."""
        return max(self.rows - 1, 0)

    def take(self, line: int, cells: Sequence[Cell]) -> None:
        """Take the next row: the values of the header, and of others where the contract or the profile wants them."""
        if self.rows and not (self._sink or self._profile.wants(self.rows)):
            super().take(line, cells)
            return
        self._took(line, [(cell[0], said) for cell in cells if (said := self._values.value(*cell[1:])) is not None])

    def _took(self, line: int, filled: Filled) -> None:
        if not filled:
            return
        if self.rows:
            self._judge_gap(line)
        super()._took(line, filled)
        if self.rows == 1:
            self._begin(line, filled)
        elif self._is_within(line, filled):
            self._hand_on(line, filled)

    def _hand_on(self, line: int, filled: Filled) -> None:
        is_profiled, row = self._profile.wants(self.records), self.records
        if not (is_profiled or self._sink):
            return
        said = dict(filled)
        values = [said.get(self._start + index) for index in range(len(self.names))]
        if is_profiled:
            self._profile.take(values, row=row)
        if self._sink:
            self._sink.take(values, row=row, line=line)

    def _begin(self, line: int, filled: Filled) -> None:
        self._start = filled[0][0]
        said = dict(filled)
        columns = range(self._start, filled[-1][0] + 1)
        self.names = [label(said.get(column)) for column in columns]
        judge_names(self.names, self._findings, longest=self._limits.name_length, line=line)
        self._profile.begin(self.names)
        if self._sink:
            self._sink.begin(self.names, line=line, cell=self._cell)

    def _cell(self, line: int, index: int) -> tuple[int, str]:
        """The number of a column of the table in the sheet, and what its cell on a line is called in formulas."""
        column, sheet = self._start + index, self._entry.name[: self._limits.name_length]
        if not _is_bare(sheet):
            sheet = "'" + sheet.replace("'", "''") + "'"
        return column, f"{sheet}!{column_letters(column)}{line}"

    def finish(self) -> None:
        """All rows were taken; judge the header that there is not."""
        if self._sink:
            if not self.rows:
                self._sink.begin((), line=1)
            self._sink.end()

    def _judge_gap(self, line: int) -> None:
        """Rows without a value between others are blank ones, as they are in a text."""
        for blank in range(self._last_line + 1, line):
            if self._findings.full("blank-row"):
                self._findings.count("blank-row", line - blank)
                break
            self._findings.add("blank-row", line=blank)

    def _is_within(self, line: int, filled: Filled) -> bool:
        """Whether all values of a record are below the header."""
        end = self._start + len(self.names)
        if filled[0][0] >= self._start and filled[-1][0] < end:
            return True
        outside = next(column for column, _ in filled if not self._start <= column < end)
        at = column_letters(outside)
        self._findings.add("value-outside-table", row=self.records, line=line, column=outside, at=at)
        return False

    def _tell_error(self, line: int, column: int, *, row: int | None = None, field: str | None = None) -> None:
        at = column - self._start
        if self.rows > 1:
            row, field = self.records, self.names[at] if 0 <= at < len(self.names) else None
        super()._tell_error(line, column, row=row, field=field and field[: self._limits.name_length])
