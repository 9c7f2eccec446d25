"""Delimited text (RFC 4180 and its common dialects): exact record counts, and where rows break the standard.

Runs of right records are taken at once: those of a large text by the kernel, and else by patterns. Only a record that
differs is read by itself, to say what and where.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.findings import Findings
from chalicelib.inspection.limits import Limits
from chalicelib.inspection.outline import Ends, blanks_end, count_ends, record_end
from chalicelib.inspection.records import Record, Rows
from chalicelib.inspection.report import Column, Facts
from chalicelib.inspection.runs import OutlineRuns, Runs
from chalicelib.inspection.text import NEWLINES, Newlines, count_newlines

if TYPE_CHECKING:
    from chalicelib.inspection.sinks import RecordSink


class Delimited:
    """Judges the records of delimited text; all are to be as wide as the first, which is the header if so told.

    Every line end (LF, CRLF, a lone CR) outside quotes ends a record. Malformed quotes are read as Python's
    `csv` reads them, so that the count goes on after them.
    """

    def __init__(
        self,
        findings: Findings,
        limits: Limits,
        *,
        delimiter: str,
        header: bool = True,
        width: int | None = None,
        confidence: int | None = None,
        sink: RecordSink | None = None,
    ) -> None:
        self._findings = findings
        self._limits = limits
        self._delimiter = delimiter.encode()
        self._header = header
        self._confidence = confidence
        self._sink = sink
        self._rows = Rows(findings, limits, header=header, width=width)
        self._runs: Runs = OutlineRuns(self._delimiter)
        self._has_kernel = False
        self._fed = 0
        self._waiting = b""
        self._enough = 0
        self._counted: Newlines | None = None
        self._records = 0
        self._line = 1
        self._stopped = False
        self.record_ends = dict.fromkeys(NEWLINES, 0)
        """How many record ends of each kind there are; a line break inside a cell is none."""
        self.newlines: Newlines | None = None
        """The line ends of the block that was fed last, where they were counted on the way."""

    def feed(self, block: bytes) -> None:
        """Take the next block; its last, incomplete record waits for the next one.

        A long one may wait although it is complete, until a block is empty.
        """
        if not block:
            self._enough = 0
        self._fed += len(block)
        piece, waited = self._limits.record_bytes, self._waiting
        for begin in range(0, len(block) or 1, piece):
            self._counted = None
            if not self._stopped:
                self._take(self._waiting + (block if len(block) <= piece else block[begin : begin + piece]))
        self.newlines = self._newlines(waited) if len(block) <= piece else None

    def finish(self) -> Facts:
        """Judge the last record, whether or not it is ended."""
        if self._waiting and not self._stopped:
            self._read(self._waiting, final=True)
            self._waiting = b""
        if not self._records and not self._stopped:
            self._findings.add("no-records")
        return self.facts()

    def facts(self) -> Facts:
        """What was learnt from the complete records so far."""
        named = self._rows.names[: self._limits.named_columns]
        return Facts(
            records=None if self._stopped else self._records,
            columns=tuple(Column(name=name[: self._limits.name_length]) for name in named),
            column_count=self._rows.width or None,
            delimiter=self._delimiter.decode(),
            header=self._header,
            dialect_confidence=self._confidence,
        )

    def _take(self, data: bytes) -> None:
        if not data or len(data) < self._enough:
            self._waiting = data
            return
        held = data.endswith(b"\r")  # perhaps the first half of a CRLF
        ready = data[:-1] if held else data
        done = self._read(ready)
        self._waiting = b"" if self._stopped else data[done:]
        if len(self._waiting) - held > self._limits.record_bytes:
            self._stop_at_long_record()
        # A long record is read again only when there is twice as much of it: once for each block would be quadratic.
        self._enough = min(2 * len(self._waiting), self._limits.record_bytes + 1)

    def _newlines(self, waited: bytes) -> Newlines | None:
        """The line ends of a block: those of the records taken and of what waits now, but not of what had waited."""
        if self._counted is None or waited.endswith(b"\r"):
            return None
        counts = zip(self._counted, count_newlines(self._waiting), count_newlines(waited), strict=True)
        feeds, returns, pairs = (taken + waiting - before for taken, waiting, before in counts)
        return feeds, returns, pairs

    def _stop_at_long_record(self) -> None:
        self._findings.add("line-too-long", row=self._row, line=self._line, limit=self._limits.record_bytes)
        self._stopped = True
        self._waiting = b""

    @property
    def _row(self) -> int:
        """The number of the record to come: the header is 0, the first record 1."""
        return self._records + (self._rows.width > 0 or not self._header)

    def _pass(self, ends: Ends, *, records: int, newlines: Newlines | None = None) -> None:
        self._counted = newlines
        self._records += records
        self._line += ends.lines
        for kind, count in ends.kinds.items():
            self.record_ends[kind] += count

    # -- many records at once

    def _look_at(self, data: bytes) -> Runs:
        """What finds runs in this data: for a large text, the kernel."""
        if not self._has_kernel and self._fed >= self._limits.kernel_from_bytes:
            from chalicelib.inspection.kernel import KernelRuns, kernel_for  # noqa: PLC0415 (on first use)

            if kernel := kernel_for(self._fed, self._limits):
                self._runs, self._has_kernel = KernelRuns(kernel, self._delimiter), True
        self._runs.look_at(data)
        return self._runs

    def _take_run(self, data: bytes, at: int, width: int) -> int:
        """Take the right records of this width from `at` on; where the first other one starts."""
        run = self._runs.run(at, width) if width and len(data) <= self._limits.record_bytes else None
        if run is None:  # or perhaps one is too long: each is read by itself then
            return at
        if width == self._rows.width:
            self._hand_on(data[at : run.end])
        else:
            self._findings.count(self._rows.code_for(width), run.ends.records)
        self._pass(run.ends, records=run.ends.records, newlines=None if at else run.newlines)
        return run.end

    # -- one record at a time

    def _read(self, data: bytes, *, final: bool = False) -> int:
        """Read the complete records of `data`, all of it if it is `final`; where the incomplete one starts."""
        runs = self._look_at(data)
        at = self._take_run(data, 0, self._rows.width)
        outline = runs.outline(at)
        while not self._stopped:
            at = self._pass_blanks(outline, at)
            ended = record_end(outline, at)
            end = ended or (len(data) if final else at)
            if end == at:
                break
            record = Record.at(data, outline, slice(at, end), is_ended=bool(ended), row=self._row, line=self._line)
            at = self._take_runs(data, end, self._read_one(record))
        return at

    def _pass_blanks(self, outline: bytes, at: int) -> int:
        end = blanks_end(outline, at)
        if end > at:
            ends = count_ends(outline[at:end])
            for line in range(self._line, self._line + ends.lines):
                self._findings.add("blank-row", line=line)
            self._pass(ends, records=0)
        return end

    def _read_one(self, record: Record) -> int:
        """Judge a record, by which the check may be stopped; how many cells it has."""
        if len(record.text) > self._limits.record_bytes:
            self._stop_at_long_record()
            return 0
        if not self._rows.width and not self._begin(record):
            self._stopped = True
            return 0
        width = self._rows.judge(record)
        if record.row and width == self._rows.width and record.is_right(width):
            self._runs.learn(record)
            self._hand_on(record.text)
        kinds = {record.newline: 1} if record.newline else {}
        self._pass(Ends(kinds, record.lines()), records=record.row > 0)
        return width

    def _begin(self, first: Record) -> bool:
        has_begun = self._rows.begin(first)
        if has_begun and self._sink:
            self._sink.begin(self._rows.names, line=first.line)
        return has_begun

    def _hand_on(self, run: bytes) -> None:
        if self._sink:
            self._sink.take(run, row=self._row, line=self._line)

    def _take_runs(self, data: bytes, at: int, width: int) -> int:
        """Take the right records that follow one this wide, or those as wrong as it is that need only be counted."""
        if self._stopped:
            return at
        at = self._take_run(data, at, self._rows.width)
        if width != self._rows.width and self._findings.full(self._rows.code_for(width)):
            at = self._take_run(data, at, width)
        return at
