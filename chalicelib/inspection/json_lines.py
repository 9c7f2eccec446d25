"""Inspects JSON Lines: one JSON value (RFC 8259) on each line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from chalicelib.findings import Findings
from chalicelib.inspection.json_fast import LINES, Decoded, FastRecords
from chalicelib.inspection.json_members import Members
from chalicelib.inspection.json_reader import LINE, JsonReader
from chalicelib.inspection.json_reasons import Malformed, TooDeep
from chalicelib.inspection.limits import Limits
from chalicelib.inspection.patterns import compiled
from chalicelib.inspection.report import Facts
from chalicelib.inspection.sinks import RecordSink
from chalicelib.inspection.text import Newlines

if TYPE_CHECKING:
    from chalicelib.inspection.profile import JsonProfile

_match_blank_lines = compiled(rb"(?:[ \t\r]*+\n)++").match


class JsonLines:
    """Judges each line by itself; holds one line in memory."""

    def __init__(
        self,
        findings: Findings,
        limits: Limits,
        *,
        sink: RecordSink | None = None,
        profile: JsonProfile | None = None,
    ) -> None:
        self._findings = findings
        self._limits = limits
        self._sink = sink
        self._profile = profile
        self._members = Members(findings, limits)
        self._reader = JsonReader(LINE, limits, self._members)
        self._fast = FastRecords(LINES, limits, self._members.columns, keep_values=profile is not None)
        self._position = self._members.position
        self._held = bytearray()
        self._records = 0
        self._stopped = False
        self.newlines: Newlines | None = None
        """The line ends of the block that was fed last, where they were counted on the way."""

    def feed(self, block: bytes) -> None:
        """Take the next block."""
        before = self._position.line
        # Within pieces of this size no line can be too long, except one with a beginning that is held.
        piece = self._limits.record_bytes
        if len(block) <= piece:
            self._take(block)
        else:
            for begin in range(0, len(block), piece):
                self._take(block[begin : begin + piece])
        is_counted = not self._stopped and b"\r" not in block
        self.newlines = (self._position.line - before, 0, 0) if is_counted else None

    def finish(self) -> Facts:
        """Judge the last line, if nothing ends it, and tell what was learnt."""
        if self._held and not self._stopped:
            self._read_line(bytes(self._held))
        if not self._records and not self._stopped:
            self._findings.add("no-records")
        self._fast.tell()
        columns = self._members.columns
        return Facts(
            records=None if self._stopped else self._records,
            record_types=columns.record_types,
            columns=columns.named,
            column_count=None if self._stopped else columns.count_of_names,
        )

    def _take(self, block: bytes) -> None:
        if self._stopped:
            return
        first_end = block.find(b"\n")
        if first_end < 0:
            self._hold(block)
            return
        if self._held:
            self._hold(block[:first_end])
            if self._stopped:
                return
            block = b"".join((self._held, memoryview(block)[first_end:]))
            self._held.clear()
        self._hold(block[self._read_lines(block) :])

    def _hold(self, piece: bytes) -> None:
        self._held += piece
        limit = self._limits.record_bytes
        if len(self._held) > limit:
            self._findings.add("line-too-long", row=self._records + 1, line=self._position.line, limit=limit)
            self._stopped = True
            self._held.clear()

    def _read_lines(self, block: bytes) -> int:
        """Read the whole lines; gives where the first that is not whole begins."""
        begin, end = 0, block.rfind(b"\n") + 1
        while begin < end:
            begin = self._skip_blank_lines(block, begin)
            count, after = self._fast.take(block, begin)
            if count:
                self._hand_on(block[begin:after], self._records + 1, self._fast.values)
            begin = after
            self._records += count
            self._position.line += count
            if begin < end:
                line_end = block.index(b"\n", begin)
                self._read_line(block[begin:line_end])
                begin = line_end + 1
        return end

    def _hand_on(self, run: bytes, row: int, values: Sequence[Decoded] = ()) -> None:
        """Hand on right records, of which these are the values if they are known."""
        if self._profile and values:
            self._profile.take_decoded(values, row=row)
        elif self._profile:
            self._profile.take(run, row=row)
        if self._sink:
            self._sink.take(run, row=row, line=self._position.line)

    def _skip_blank_lines(self, block: bytes, begin: int) -> int:
        """Pass over blank lines once they are only counted: there may be millions."""
        blank = _match_blank_lines(block, begin) if self._findings.full("blank-row") else None
        if blank is None:
            return begin
        lines = block.count(b"\n", begin, blank.end())
        self._findings.count("blank-row", lines)
        self._position.line += lines
        return blank.end()

    def _read_line(self, line: bytes) -> None:
        if line.strip(b" \t\r"):
            self._records += 1
            self._position.row = self._records
            self._read_value(line)
        else:
            self._findings.add("blank-row", line=self._position.line)
        self._position.line += 1

    def _read_value(self, line: bytes) -> None:
        try:
            self._reader.restart()
            self._reader.read(line, 0)
            self._reader.finish(len(line))
        except Malformed as error:
            self._report("malformed-json-line", line, error.offset, reason=error.reason)
        except TooDeep as error:
            self._report("json-too-deep", line, error.offset, limit=self._limits.json_depth)
        else:
            self._hand_on(line, self._records)

    def _report(self, code: str, line: bytes, offset: int, *, reason: str = "", limit: int = 0) -> None:
        if self._findings.full(code):
            self._findings.count(code, 1)
            return
        at = self._position.at(line, offset)
        self._findings.add(code, row=at.row, line=at.line, column=at.column, reason=reason, limit=limit)
