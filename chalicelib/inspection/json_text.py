"""Inspects JSON (RFC 8259): one value of any size."""

from __future__ import annotations

from chalicelib.findings import Findings
from chalicelib.inspection.json_fast import TABLE, FastRecords
from chalicelib.inspection.json_names import Members
from chalicelib.inspection.json_reader import TEXT, JsonReader
from chalicelib.inspection.json_reasons import Malformed, TooDeep
from chalicelib.inspection.limits import Limits
from chalicelib.inspection.report import Facts


class JsonText:
    """Judges one JSON text up to its first error; the elements of an outermost array are its records."""

    def __init__(self, findings: Findings, limits: Limits) -> None:
        self._findings = findings
        self._limits = limits
        self._members = Members(findings, limits)
        self._reader = JsonReader(TEXT, limits, self._members)
        self._fast = FastRecords(TABLE, limits, self._members.columns)
        self._stopped = False

    def feed(self, block: bytes) -> None:
        """Take the next block."""
        if self._stopped:
            return
        try:
            self._read(block)
        except Malformed as error:
            self._stop("malformed-json", block, error.offset, reason=error.reason)
        except TooDeep as error:
            self._stop("json-too-deep", block, error.offset, limit=self._limits.json_depth)
        else:
            self._members.position = self._members.position.at(block, len(block))

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
        columns = self._members.columns
        return Facts(
            records=records,
            columns=columns.named,
            column_count=None if self._stopped else columns.count,
            top_level=self._reader.top_level,
        )

    def _records(self) -> int:
        return self._reader.elements if self._reader.top_level == "array" else 1

    def _read(self, block: bytes) -> None:
        position = 0
        while position < len(block):
            if self._reader.at_element:
                count, position = self._fast.take(block, position)
                self._reader.elements += count
            position = self._reader.read(block, position)

    def _stop(self, code: str, block: bytes, offset: int, *, reason: str = "", limit: int = 0) -> None:
        at = self._members.position.at(block, offset)
        self._findings.add(code, line=at.line, column=at.column, reason=reason, limit=limit)
        self._stopped = True
