"""One record of delimited text, and the judgement on it: the header's names, a row's width, every cell's quotes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from chalicelib.findings import Findings
from chalicelib.inspection.limits import Limits
from chalicelib.inspection.outline import QUOTE, each_cell, run_end
from chalicelib.inspection.text import NEWLINES, characters, line_ends


class Record(NamedTuple):
    """A record without its line end; `newline` is of which kind that was, None if the file ended first.

    `row` is 0 for the header; `line` is the physical line on which it starts. Positions are those in `text`.
    """

    text: bytes
    outline: bytes
    newline: str | None
    row: int
    line: int

    @classmethod
    def at(cls, text: bytes, outline: bytes, span: slice, *, is_ended: bool, row: int, line: int) -> Record:
        """The record that is the `span` of a text; if it `is_ended`, its line end is in the span."""
        newline = None
        if is_ended:
            end = outline[max(span.start, span.stop - 2) : span.stop]
            newline = "crlf" if end == b"\r\n" else "lf" if end.endswith(b"\n") else "cr"
            span = slice(span.start, span.stop - len(NEWLINES[newline]))
        return cls(text[span], outline[span], newline, row, line)

    def cells(self) -> Iterator[re.Match[bytes]]:
        """The cells, as `each_cell` finds them."""
        return each_cell(self.outline)

    def is_right(self, width: int) -> bool:
        """Whether it has so many cells, and every quote where it belongs."""
        return run_end(self.outline + b"\n", 0, [False] * width) == len(self.outline) + 1

    def name(self, cell: re.Match[bytes]) -> str:
        """What a cell of the header says."""
        text = self.text[cell.start("cell") : cell.end()]
        if len(text) > 1 and text.startswith(QUOTE) and text.endswith(QUOTE):
            text = text[1:-1].replace(QUOTE + QUOTE, QUOTE)
        return text.decode("utf-8", "replace")

    def position(self, at: int) -> tuple[int, int]:
        """The physical line and the column of a byte, both from 1."""
        before = self.text[:at]
        line_start = max(before.rfind(b"\n"), before.rfind(b"\r")) + 1
        return self.line + line_ends(before), characters(before[line_start:]) + 1

    def lines(self) -> int:
        """How many physical lines end in it and with it."""
        return line_ends(self.text) + (self.newline is not None)


class Rows:
    """Judges records one at a time against the first, which is the header if so told, or against a known width."""

    def __init__(self, findings: Findings, limits: Limits, *, header: bool, width: int | None = None) -> None:
        self._findings = findings
        self._limits = limits
        self._header = header
        self._known_width = width
        self.names: Sequence[str] = ()
        self.width = 0

    def begin(self, first: Record) -> bool:
        """Learn from the first record how wide a row is and what the columns are called; False if it is too wide."""
        cells = list(islice(first.cells(), self._limits.columns + 1))
        if len(cells) > self._limits.columns:
            self._findings.add("too-many-columns", row=first.row, line=first.line, limit=self._limits.columns)
            return False
        self.width = self._known_width or len(cells)
        if self._header:
            self.names = [first.name(cell) for cell in cells]
            self._judge_names(first.line)
        else:
            self.names = [f"column {number}" for number in range(1, self.width + 1)]
        return True

    def _judge_names(self, line: int) -> None:
        seen: dict[str, int] = {}
        for position, name in enumerate(self.names, start=1):
            if not name.strip():
                self._findings.add("blank-header", row=0, line=line, position=position)
            elif seen.setdefault(name, position) != position:
                field = self._field(position)
                self._findings.add(
                    "duplicate-header", row=0, line=line, field=field, position=position, first=seen[name]
                )

    def judge(self, record: Record) -> int:
        """Judge a record's quotes and its width, and tell that."""
        width = self._judge_cells(record) if QUOTE in record.outline else record.outline.count(b",") + 1
        if width != self.width:
            self._judge_width(record, width)
        return width

    def code_for(self, width: int) -> str:
        """The code of the finding that a row of this width is: not that of the first record."""
        return "extra-cells" if width > self.width else "missing-cells"

    def _judge_cells(self, record: Record) -> int:
        width = 0
        for width, cell in enumerate(record.cells(), start=1):
            if cell.lastgroup == "unclosed":
                self._add("unclosed-quote", record, cell.start("cell"), position=width)
            elif cell.lastgroup == "within":
                self._add("stray-quote", record, cell.start("within"), position=width)
            elif cell.lastgroup == "behind":
                self._add("stray-quote", record, cell.start("behind") - 1, position=width)
        return width

    def _judge_width(self, record: Record, width: int) -> None:
        code = self.code_for(width)
        if self._findings.full(code):
            self._findings.count(code, 1)
        elif width > self.width:
            extra = next(islice(record.cells(), self.width, None))
            self._add(code, record, extra.start("cell"), found=width, expected=self.width)
        else:
            self._add(code, record, len(record.text), position=width + 1, found=width, expected=self.width)

    def _add(self, code: str, record: Record, at: int, *, position: int = 0, **values: object) -> None:
        """Add a finding at a byte of the record, in the column of that position if it has a name."""
        if self._findings.full(code):
            self._findings.count(code, 1)
            return
        line, column = record.position(at)
        field = self._field(position)
        self._findings.add(code, row=record.row, line=line, column=column, field=field, **values)

    def _field(self, position: int) -> str | None:
        named = 0 < position <= len(self.names)
        return self.names[position - 1][: self._limits.name_length] if named else None
