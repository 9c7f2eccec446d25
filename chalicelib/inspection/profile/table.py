"""Profiles a table of delimited text."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from chalicelib.findings import Findings
from chalicelib.inspection.limits import KIB, Limits
from chalicelib.inspection.profile.column import ColumnProfile, characters_of, columns_of
from chalicelib.inspection.profile.sampling import Parts
from chalicelib.inspection.report import Column, Facts
from chalicelib.inspection.text import has_lone_cr

# A record may be as long as the inspection's limit says, and so may a cell: the limit of `csv` is the process's.
csv.field_size_limit(sys.maxsize)

_BATCH_BYTES = 64 * KIB
"""How much is counted at once: enough that what each batch costs vanishes."""


class TableProfile:
    """Takes the right records of delimited text.

    Which of them are profiled follows from what is in them and from their numbers alone, not from how they are cut
    into runs: so the profile is the same wherever it is made.
    """

    def __init__(self, findings: Findings, limits: Limits, *, delimiter: str, samples: bool = False) -> None:
        self._findings = findings
        self._limits = limits
        self._delimiter = delimiter
        self._samples = samples
        self._columns: Sequence[ColumnProfile] = ()
        self._width = 1
        self._left = limits.profiled_characters
        self._parts: Parts | None = None
        self._records = 0
        self._held = 0
        self._waiting: list[Sequence[str]] = []
        self._runs: list[tuple[bytes, int]] = []

    def begin(self, names: Sequence[str], *, line: int) -> None:  # noqa: ARG002 - the header's line is no matter
        """Learn how wide the table is; what is beyond the columns that a report names is not profiled."""
        self._width = len(names)
        profiled = min(self._width, self._limits.named_columns)
        kept = self._limits.profiled_values // profiled
        common = self._limits.common_values
        self._columns = [ColumnProfile(samples=self._samples, kept=kept, common=common) for _ in range(profiled)]

    def take(self, run: bytes, *, row: int, line: int) -> None:  # noqa: ARG002 - nor is that of a record
        """Profile the records that are to be, unless they are cut off."""
        if self._findings.is_closed:
            return
        if self._parts is None:
            # They are read together: there may be a run for every record. That of one record may lack its end.
            self._runs.append((run if run.endswith((b"\n", b"\r")) else run + b"\n", row))
        elif not self._take_run(run, row):
            return
        self._held += len(run)
        if self._held >= _BATCH_BYTES:
            self._count()

    def facts(self, facts: Facts) -> Facts:
        """The facts of the table with the profile of its columns; as they are if there is no record."""
        self._count()
        if not self._records:
            return facts
        profiles = (column.profile() for column in self._columns)
        named = zip(facts.columns, profiles, strict=True)
        columns = tuple(Column(name=column.name, profile=found) for column, found in named)
        return facts._replace(columns=columns, profiled_records=self._records)

    def _read(self, run: bytes) -> Iterator[Sequence[str]]:
        text = io.StringIO(run.decode("utf-8", "replace"), newline="")
        return csv.reader(text, delimiter=self._delimiter)

    def _read_runs(self) -> None:
        """Read what was taken so far of the beginning, which may end in it."""
        runs, self._runs = self._runs, []
        rows = list(self._read(b"".join([run for run, _ in runs])))
        characters = characters_of(rows)
        if characters < self._left:
            self._left -= characters
            self._keep(rows)
            return
        for run, row in runs:
            self._take_run(run, row)

    def _take_run(self, run: bytes, row: int) -> bool:
        """Take what is wanted of a run; whether anything may be."""
        if self._parts is None:
            self._take_beginning(list(self._read(run)), row)
        elif _may_meet(part := self._parts.next(row)[0], run, self._width):
            skipped = _skipped(run, part)
            self._take_parts(self._read(skipped.run), row + skipped.records)
        else:
            return False
        return True

    def _take_beginning(self, rows: Sequence[Sequence[str]], row: int) -> None:
        characters = characters_of(rows)
        if characters < self._left:
            self._left -= characters
            self._keep(rows)
            return
        for number, cells in enumerate(rows, start=1):
            self._left -= characters_of([cells])
            if self._left <= 0:
                self._keep(rows[:number])
                self._parts = Parts.behind(row + number - 1, self._records)
                self._take_parts(iter(rows[number:]), row + number)
                return

    def _take_parts(self, rows: Iterator[Sequence[str]], row: int) -> None:
        while self._parts:
            start, end = self._parts.next(row)
            taken = list(islice(rows, start, end))
            if not taken:
                return
            self._keep(taken)
            row += end

    def _keep(self, rows: Collection[Sequence[str]]) -> None:
        self._records += len(rows)
        self._waiting += rows

    def _count(self) -> None:
        if self._runs:
            self._read_runs()
        for column, cells in zip(self._columns, columns_of(self._waiting), strict=False):
            column.add(cells)
        self._waiting.clear()
        self._held = 0


class _Skipped(NamedTuple):
    """A run without its first records, and how many these are."""

    run: bytes
    records: int


def _skipped(run: bytes, records: int) -> _Skipped:
    """Skip records if each is a line, which needs no reading; of others none."""
    if not records or b'"' in run or has_lone_cr(run):
        return _Skipped(run, 0)
    lines = run.split(b"\n", records)
    return _Skipped(lines[records] if len(lines) > records else b"", records)


def _may_meet(part: int, run: bytes, width: int) -> bool:
    """Whether a run may reach a part that starts so many records on: cheaply, by its length, and else by line ends."""
    return part < len(run) // width + 1 and part < run.count(b"\n") + run.count(b"\r") + 1
