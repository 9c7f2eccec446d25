"""Profiles the objects of JSON Lines, whose members are the columns."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from chalicelib.findings import Findings
from chalicelib.inspection.json_fast import Decoded
from chalicelib.inspection.json_names import storable
from chalicelib.inspection.json_numbers import Fractional, Whole
from chalicelib.inspection.limits import Limits
from chalicelib.inspection.profile.native import NativeProfile, Row
from chalicelib.inspection.report import Facts, Profile

_MOST_NESTED = 200
"""As deep as Python reads wherever it is called from."""
_decode = json.JSONDecoder(parse_int=Whole, parse_float=Fractional).raw_decode


class JsonProfile(NativeProfile):
    """Takes the lines that are right; what is no object, is nested too deep or very long is not profiled."""

    def __init__(self, findings: Findings, limits: Limits, *, samples: bool) -> None:
        super().__init__(limits, samples=samples)
        self._findings = findings
        self._last = (b"", 0)
        """The run that was taken last, and its first row."""
        self._places: dict[str, int] = {}
        self._has_more = False
        """Whether there are members that are not profiled."""

    def begin(self, names: Sequence[str], *, line: int = 0) -> None:
        """There is no header."""

    def take(self, run: bytes, *, row: int, line: int = 0) -> None:  # type: ignore[override] # noqa: ARG002 - a sink's
        """Profile the records that are to be, unless they are cut off."""
        if self._findings.is_closed:
            return
        before, self._last = self._last, (run, row)
        self._take_run(*before, until=row)

    def take_decoded(self, records: Sequence[Decoded], *, row: int) -> None:
        """The same of records that were decoded to be judged."""
        self.take(b"", row=row)
        for at in self._wanted(row, len(records)):
            record, size = records[at]
            is_short = size <= 2 * _MOST_NESTED  # a level takes two characters
            if record is not None and size <= self._limits.profiled_characters and (is_short or not _is_deep(record)):
                self._take_record(record, size, row + at)

    def facts(self, facts: Facts) -> Facts:
        """The facts of the lines with the profile of their members; as they are if there is no record."""
        self._take_run(*self._last)
        return super().facts(facts)

    def _take_run(self, run: bytes, row: int, until: int | None = None) -> None:
        """Profile what is wanted of a run; where the next one begins tells, without counting lines, if that is any."""
        if not run or (until is not None and row + self._sampling.skipped(row) >= until):
            return
        lines = run.split(b"\n")
        for at in self._wanted(row, len(lines)):
            line = lines[at]
            record = _object(line) if len(line) <= self._limits.profiled_characters else None
            if record is not None:
                self._take_record(record, len(line), row + at)

    def _wanted(self, row: int, count: int) -> Iterator[int]:
        """Which of so many records from a row on are to be profiled; each is taken before the next is asked for."""
        at = self._sampling.skipped(row)
        while at < count:
            yield at
            at += 1
            at += self._sampling.skipped(row + at)

    def _take_record(self, record: Mapping[str, object], size: int, row: int) -> None:
        if not record.keys() <= self._places.keys():
            self._add_places(record)
        self._hold(Row(row, [*map(record.get, self._places)], size), size)

    def _add_places(self, names: Collection[str]) -> None:
        """Make columns of names that are new, as long as they are the first."""
        most = self._limits.named_columns
        kept = self._limits.profiled_values // (most if self._places else min(len(names), most))
        for name in names:
            if len(self._places) < most and name not in self._places:
                self._places[name] = len(self._places)
                self._add_column(kept)
        self._has_more = not self._places.keys() >= set(names) or self._has_more

    def _profiles(self, names: Sequence[str], records: int) -> Iterable[Profile | None]:
        """Of two names that begin alike it is not known which is meant."""
        listed: dict[str, list[int]] = {}
        for name, place in self._places.items():
            listed.setdefault(storable(name[: self._limits.name_length]), []).append(place)
        for name in names:
            match listed.get(name, []):
                case [place] if names.count(name) == 1:
                    yield self._columns[place].profile_of(records)
                case [] if not self._has_more:
                    yield Profile(nulls=records, longest=0, distinct=0)
                case _:
                    yield None


def _object(line: bytes) -> dict[str, object] | None:
    text = line.decode().lstrip(" \t\r")
    if not text.startswith("{"):
        return None
    try:
        record = _decode(text)[0]
    except RecursionError:
        return None
    if text.count("[") + text.count("{") > _MOST_NESTED and _is_deep(record):
        return None
    return record  # type: ignore[no-any-return] # it begins as one


def _is_deep(value: object) -> bool:
    """Whether objects and arrays are nested deeper than `_MOST_NESTED`, the value itself counted."""
    level = [value]
    for _ in range(_MOST_NESTED):
        level = [inner for outer in level for inner in _within(outer) if isinstance(inner, dict | list)]
        if not level:
            return False
    return True


def _within(value: object) -> Iterable[object]:
    return value.values() if isinstance(value, dict) else value  # type: ignore[return-value] # it is one or the other
