"""Delimited text (RFC 4180 and its common dialects): exact record counts, and where rows break the standard.

Runs of right records are taken by a few C loops. Only a record that differs is read by itself, to say what and
where.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from chalicelib.findings import Findings
from chalicelib.inspection.limits import Limits
from chalicelib.inspection.outline import QUOTE, Ends, Outliner, blanks_end, count_ends, record_end, run_end
from chalicelib.inspection.records import Record, Rows
from chalicelib.inspection.regular import RegularText
from chalicelib.inspection.report import Column, Facts
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
        confidence: int | None = None,
        sink: RecordSink | None = None,
    ) -> None:
        self._findings = findings
        self._limits = limits
        self._delimiter = delimiter.encode()
        self._header = header
        self._confidence = confidence
        self._sink = sink
        self._rows = Rows(findings, limits, header=header)
        self._outliner, self._cell_text = _tables(self._delimiter)
        self._regular = RegularText(self._delimiter)
        self._like: Sequence[bool] = ()
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
        piece, waited = self._limits.record_bytes, self._waiting
        for begin in range(0, len(block) or 1, piece):
            self._counted = None
            if not self._stopped:
                self._take(self._waiting + (block if len(block) <= piece else block[begin : begin + piece]))
        self.newlines = self._newlines(waited) if len(block) <= piece else None

    def finish(self) -> Facts:
        """Judge the last record, whether or not it is ended."""
        if not self._stopped:
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
        if len(data) < self._enough:
            self._waiting = data
            return
        held = data.endswith(b"\r")  # perhaps the first half of a CRLF
        ready = data[:-1] if held else data
        done = self._take_at_once(ready) or self._read(ready)
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

    def _pass(self, ends: Ends, *, records: int) -> None:
        self._records += records
        self._line += ends.lines
        for kind, count in ends.kinds.items():
            self.record_ends[kind] += count

    # -- many records at once

    def _take_at_once(self, data: bytes) -> int:
        """Take the complete records if no finding needs a place: how many bytes that is, or 0."""
        if self._rows.width < 2 or len(data) > self._limits.record_bytes:
            return 0
        return self._take_regular(data) or (0 if self._sink or QUOTE in data else self._count_widths(data))

    def _take_regular(self, data: bytes) -> int:
        """Take the complete records if all are right."""
        regular = self._regular.records(data, self._rows.width)
        if regular is None:
            return 0
        feeds, returns, pairs = self._counted = regular.newlines
        self._hand_on(data[: regular.end])
        ends = Ends({regular.newline: regular.records}, lines=feeds + returns - pairs)
        self._pass(ends, records=regular.records)
        return regular.end

    def _count_widths(self, data: bytes) -> int:
        """Take the complete records, none of which has a quote, if those that are not right need only be counted."""
        end = max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
        text = data[:end]
        ends = count_ends(self._outliner.of(text))
        lines = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in text else text
        rows = Counter(map(len, lines.translate(None, self._cell_text).split(b"\n")))
        blanks = lines.split(b"\n").count(b"") if rows[0] > 1 else 1
        rows[0] -= blanks
        counts = Counter({"blank-row": blanks - 1})  # the last line end splits off one more
        for width, count in ((delimiters + 1, count) for delimiters, count in rows.items()):
            if width != self._rows.width:
                counts[self._rows.code_for(width)] += count
        if not all(self._findings.full(code) for code in +counts):
            return 0
        for code, count in counts.items():
            self._findings.count(code, count)
        self._pass(ends, records=rows.total())
        return end

    def _take_run(self, data: bytes, outline: bytes, at: int, like: Sequence[bool]) -> int:
        """Take the right records as wide as `like` from `at` on; where the first other one starts."""
        end = run_end(outline, at, like)
        if end > at:
            ends = count_ends(outline[at:end])
            if len(like) == self._rows.width:
                self._hand_on(data[at:end])
            else:
                self._findings.count(self._rows.code_for(len(like)), ends.records)
            self._pass(ends, records=ends.records)
        return end

    # -- one record at a time

    def _read(self, data: bytes, *, final: bool = False) -> int:
        """Read the complete records of `data`, all of it if it is `final`; where the incomplete one starts."""
        outline = self._outliner.of(data)
        at = 0
        while not self._stopped:
            at = self._pass_blanks(outline, at)
            ended = record_end(outline, at)
            end = ended or (len(data) if final else at)
            if end == at:
                break
            record = Record.at(data, outline, slice(at, end), is_ended=bool(ended), row=self._row, line=self._line)
            is_first = not self._rows.width
            width = self._read_one(record)
            at = (is_first and self._take_behind_first(data, end)) or self._take_runs(data, outline, end, record, width)
        return at

    def _take_behind_first(self, data: bytes, at: int) -> int:
        """Take what follows the first record if it is regular; where that ends, or 0."""
        taken = 0 if self._stopped else self._take_at_once(data[at:])
        self._counted = None
        return at + taken if taken else 0

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
        if self._sink and record.row and width == self._rows.width and record.is_right(width):
            self._sink.take(record.text, row=record.row, line=record.line)
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

    def _take_runs(self, data: bytes, outline: bytes, at: int, record: Record, width: int) -> int:
        """Take the right records that follow this one, or those as wrong as it is that need only be counted."""
        is_right = width == self._rows.width
        if len(outline) > self._limits.record_bytes:  # a record may be too long: each is read by itself
            return at
        if is_right and record.row and len(self._like) != width:
            self._like = [record.outline.startswith(QUOTE, cell.start("cell")) for cell in record.cells()]
        if self._like and not self._stopped:
            at = self._take_run(data, outline, at, self._like)
        if width and not is_right and self._findings.full(self._rows.code_for(width)):
            at = self._take_run(data, outline, at, [False] * width)
        return at


@cache
def _tables(delimiter: bytes) -> tuple[Outliner, bytes]:
    """What draws outlines, and the bytes that are in no cell's way."""
    return Outliner(delimiter), bytes(set(range(256)) - set(delimiter + b"\r\n"))
