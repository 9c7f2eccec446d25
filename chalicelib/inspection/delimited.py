"""Delimited text (RFC 4180 and its common dialects): exact record counts, and where rows break the standard.

Rows are judged many at a time: a block whose shape is exactly that of rows as wide as the header is right, and
that is found out by a few C loops. Only a block that differs is read record by record, to say what and where.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chalicelib.findings import Findings
from chalicelib.inspection.limits import Limits
from chalicelib.inspection.records import QUOTE, Record, RecordReader, Shape, quotes_fit, shape_of
from chalicelib.inspection.report import Column, Facts
from chalicelib.inspection.text import Lines, characters


class Delimited:
    """Judges the records of delimited text; all are to be as wide as the first, which is the header if so told.

    Every line end (LF, CRLF, a lone CR) outside quotes ends a record. Malformed quotes are read as Python's
    `csv` reads them, so that the count goes on after them.
    """

    def __init__(
        self, findings: Findings, limits: Limits, *, delimiter: str, header: bool = True, confidence: int | None = None
    ) -> None:
        self._findings = findings
        self._limits = limits
        self._delimiter = delimiter.encode()
        self._header = header
        self._confidence = confidence
        self._reader = RecordReader(self._delimiter)
        self._cell_text = bytes(set(range(256)) - set(self._delimiter + b"\n"))
        self._regular_frame = b""
        self._waiting = b""
        self._held_cr = b""
        self._names: Sequence[str] = ()
        self._width = 0
        self._records = 0
        self._line = 1
        self._stopped = False
        self.record_ends = Lines()

    def feed(self, block: bytes) -> None:
        """Take the next block; its last, incomplete record waits for the next one."""
        if self._stopped:
            return
        block = self._held_cr + block
        self._held_cr = b"\r" if block.endswith(b"\r") else b""  # perhaps the first half of a CRLF
        self._take(self._waiting + block[: len(block) - len(self._held_cr)])
        if len(self._waiting) > self._limits.record_bytes and not self._stopped:
            self._findings.add("line-too-long", row=self._row, line=self._line, limit=self._limits.record_bytes)
            self._stop()

    def finish(self) -> Facts:
        """Judge the last record, whether or not it is ended."""
        if not self._stopped:
            self._finish()
        names = tuple(Column(name=name[: self._limits.name_length]) for name in self._names)
        return Facts(
            records=None if self._stopped else self._records,
            columns=names[: self._limits.named_columns],
            column_count=self._width or None,
            delimiter=self._delimiter.decode(),
            header=self._header,
            dialect_confidence=self._confidence,
        )

    def _finish(self) -> None:
        rest, self._waiting = self._waiting + self._held_cr, b""
        if rest:
            self._read(rest, final=True)
        if not self._records and not self._stopped:
            self._findings.add("no-records")

    def _stop(self) -> None:
        self._stopped = True
        self._waiting = b""

    @property
    def _row(self) -> int:
        """The number of the record to come: the header is 0, the first record 1."""
        return self._records + (self._width > 0 or not self._header)

    # -- many records at once

    def _take(self, data: bytes) -> None:
        if not self._width:
            data = data[self._read_first(data) :]
        if not self._width or self._stopped:
            self._waiting = data
            return
        shape = shape_of(data) if QUOTE in data else _plain_shape(data)
        if not quotes_fit(shape, self._delimiter):
            self._waiting = data[self._read(data) :]
            return
        self._waiting = data[shape.cut :]
        if shape.cut:
            self._judge(data[: shape.cut], shape)

    def _judge(self, data: bytes, shape: Shape) -> None:
        """Judge complete records without a misplaced quote."""
        frame = _with_line_feeds(shape.frame)
        if self._is_regular(frame):
            self._records += frame.count(b"\n")
            self._line += _line_ends(data) if QUOTE in data else frame.count(b"\n")
            self.record_ends.feed(shape.frame)
        else:
            self._read(data)

    def _is_regular(self, frame: bytes) -> bool:
        """Whether the frame is that of rows which all have the header's width, none of them blank."""
        marks = frame.translate(None, self._cell_text)
        if len(marks) > len(self._regular_frame):
            row = self._delimiter * (self._width - 1) + b"\n"
            self._regular_frame = row * (len(marks) // len(row) + 1)
        if not self._regular_frame.startswith(marks):
            return False
        return self._width > 1 or not (b"\n\n" in frame or frame.startswith(b"\n"))

    # -- one record at a time

    def _read_first(self, data: bytes, *, final: bool = False) -> int:
        """Read the first record that is not blank; where it is a header, it is used up."""
        at = self._skip_blank(data, 0)
        record = self._reader.read(data, at, final=final) if at < len(data) else None
        if record is None:
            return at
        self._begin(data, record)
        if self._stopped or not self._header:
            return at
        self._judge_quotes(data, record, at, row=0)
        self._pass(data[at : record.end])
        return record.end

    def _begin(self, data: bytes, record: Record) -> None:
        self._width = len(record.cells)
        if self._width > self._limits.columns:
            self._findings.add("too-many-columns", row=self._row, line=self._line, limit=self._limits.columns)
            self._stop()
            return
        self._names = [f"column {number}" for number in range(1, self._width + 1)]
        if self._header:
            self._names = _names_of(data, record)
            self._judge_names()

    def _judge_names(self) -> None:
        first: dict[str, int] = {}
        for position, name in enumerate(self._names, start=1):
            if not name.strip():
                self._findings.add("blank-header", row=0, line=self._line, position=position)
            elif name in first:
                self._findings.add(
                    "duplicate-header", row=0, line=self._line, field=name, position=position, first=first[name]
                )
            first.setdefault(name, position)

    def _read(self, data: bytes, *, final: bool = False) -> int:
        """Read the complete records of `data`, all of it if it is `final`; where the incomplete one starts."""
        at = 0 if self._width else self._read_first(data, final=final)
        while not self._stopped:
            at = self._skip_blank(data, at)
            record = self._reader.read(data, at, final=final) if at < len(data) else None
            if record is None:
                break
            self._judge_quotes(data, record, at, row=self._row)
            self._judge_width(data, record, at)
            self._records += 1
            self._pass(data[at : record.end])
            at = record.end
        return at

    def _skip_blank(self, data: bytes, at: int) -> int:
        while data[at : at + 1] in (b"\n", b"\r"):
            self._findings.add("blank-row", line=self._line)
            end = at + (2 if data.startswith(b"\r\n", at) else 1)
            self._pass(data[at:end])
            at = end
        return at

    def _pass(self, text: bytes) -> None:
        self._line += _line_ends(text)
        self.record_ends.feed(b"." + text[len(text.rstrip(b"\r\n")) :][-2:])

    def _judge_quotes(self, data: bytes, record: Record, start: int, *, row: int) -> None:
        for number, cell in enumerate(record.cells):
            if cell.stray is not None:
                self._add("stray-quote", data, start, cell.stray, row=row, field=self._name(number))
            if cell.unclosed:
                self._add("unclosed-quote", data, start, cell.start, row=row, field=self._name(number))

    def _judge_width(self, data: bytes, record: Record, start: int) -> None:
        found = len(record.cells)
        values: dict[str, Any] = {"found": found, "expected": self._width}
        if found > self._width:
            self._add("extra-cells", data, start, record.cells[self._width].start, row=self._row, **values)
        elif found < self._width:
            end = start + len(data[start : record.end].rstrip(b"\r\n"))
            self._add("missing-cells", data, start, end, row=self._row, field=self._name(found), **values)

    def _name(self, number: int) -> str | None:
        return self._names[number][: self._limits.name_length] if number < len(self._names) else None

    def _add(
        self, code: str, data: bytes, start: int, at: int, *, row: int, field: str | None = None, **values: object
    ) -> None:
        """Add a finding at byte `at` of the record that starts at `start`, on the current line."""
        if self._findings.full(code):
            self._findings.count(code, 1)
            return
        before = data[start:at]
        line_start = max(before.rfind(b"\n"), before.rfind(b"\r")) + 1
        self._findings.add(
            code,
            row=row,
            line=self._line + _line_ends(before),
            column=characters(before[line_start:]) + 1,
            field=field,
            **values,
        )


def _plain_shape(data: bytes) -> Shape:
    """The shape of text without quotes: the text itself."""
    cut = max(data.rfind(b"\n"), data.rfind(b"\r") if b"\r" in data else -1) + 1
    return Shape(frame=data[:cut], rest=data[cut:], cut=cut, is_open=False)


def _with_line_feeds(text: bytes) -> bytes:
    """The same with every line end an LF; a CRLF may keep its CR, which counts as cell text."""
    if b"\r" not in text or text.count(b"\r") == text.count(b"\r\n"):
        return text
    return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _line_ends(text: bytes) -> int:
    if b"\r" not in text:
        return text.count(b"\n")
    return text.count(b"\n") + text.count(b"\r") - text.count(b"\r\n")


def _names_of(data: bytes, record: Record) -> list[str]:
    """The text of the header's cells, without their quotes."""
    ends = [cell.start - 1 for cell in record.cells[1:]] + [record.end]
    cells = (data[cell.start : end] for cell, end in zip(record.cells, ends, strict=True))
    return [_unquoted(cell.rstrip(b"\r\n")).decode("utf-8", "replace") for cell in cells]


def _unquoted(cell: bytes) -> bytes:
    if len(cell) > 1 and cell.startswith(QUOTE) and cell.endswith(QUOTE):
        return cell[1:-1].replace(QUOTE + QUOTE, QUOTE)
    return cell
