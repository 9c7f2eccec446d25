"""Inspects JSON (RFC 8259): one value of any size."""

from __future__ import annotations

from chalicelib.findings import Findings
from chalicelib.inspection.json_columns import Columns
from chalicelib.inspection.json_fast import ELEMENTS, FastRecords
from chalicelib.inspection.json_members import Members
from chalicelib.inspection.json_reader import TEXT, JsonReader
from chalicelib.inspection.json_reasons import Malformed, TooDeep
from chalicelib.inspection.limits import Limits
from chalicelib.inspection.report import Facts
from chalicelib.inspection.text import Newlines

_DEEPEST_FAST = 8
"""Arrays in which elements are many are not deeper than this."""


class JsonText:
    """Judges one JSON text up to its first error; the elements of an outermost array are its records."""

    def __init__(self, findings: Findings, limits: Limits) -> None:
        self._findings = findings
        self._limits = limits
        self._members = Members(findings, limits)
        self._reader = JsonReader(TEXT, limits, self._members)
        self._fast: dict[int, FastRecords] = {}
        self._stopped = False
        self.newlines: Newlines | None = None
        """The line ends of the block that was fed last, where they were counted on the way."""

    def feed(self, block: bytes) -> None:
        """Take the next block."""
        self.newlines = None
        if self._stopped:
            return
        try:
            self._read(block)
        except Malformed as error:
            self._stop("malformed-json", block, error.offset, reason=error.reason)
        except TooDeep as error:
            self._stop("json-too-deep", block, error.offset, limit=self._limits.json_depth)
        else:
            before = self._members.position.line
            self._members.position = self._members.position.at(block, len(block))
            self.newlines = None if b"\r" in block else (self._members.position.line - before, 0, 0)

    def finish(self) -> Facts:
        """Judge the end of the text."""
        if not self._stopped:
            try:
                self._reader.finish(0)
            except Malformed as error:
                self._stop("malformed-json", b"", error.offset, reason=error.reason)
        records = None if self._stopped else self._records()
        if records == 0:
            self._findings.add("no-records")
        for fast in self._fast.values():
            fast.tell()
        columns = self._members.columns
        return Facts(
            records=records,
            record_types=columns.record_types,
            columns=columns.named,
            column_count=None if self._stopped else columns.count_of_names,
            top_level=self._reader.top_level,
        )

    def _records(self) -> int:
        return self._reader.elements if self._reader.top_level == "array" else 1

    def _read(self, block: bytes) -> None:
        position = 0
        while position < len(block):
            if self._reader.at_element and self._members.has_room:
                position = self._read_fast(block, position)
            position = self._reader.read(block, position)

    def _read_fast(self, block: bytes, begin: int) -> int:
        # What was learnt in an array holds for others at its depth only: how deep an element may be differs.
        depth, table = self._reader.array_depth, self._reader.is_table
        if depth not in self._fast:
            if depth > _DEEPEST_FAST:
                return begin
            columns = self._members.columns if table else Columns(self._limits)
            self._fast[depth] = FastRecords(ELEMENTS, self._limits, columns, depth=depth)
        count, end = self._fast[depth].take(block, begin)
        self._reader.elements += count if table else 0
        return end

    def _stop(self, code: str, block: bytes, offset: int, *, reason: str = "", limit: int = 0) -> None:
        at = self._members.position.at(block, offset)
        self._findings.add(code, line=at.line, column=at.column, reason=reason, limit=limit)
        self._stopped = True
