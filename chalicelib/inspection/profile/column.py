"""One column: what is counted of its cells, and what that comes to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from itertools import chain
from typing import TYPE_CHECKING, Any

from chalicelib.inspection.profile.bins import bins_of
from chalicelib.inspection.profile.distinct import Distinct
from chalicelib.inspection.profile.forms import (
    BOOLEANS,
    DATES,
    NUMBERS,
    Number,
    Value,
    clocks,
    forms_of,
    on_days,
    temporals,
)
from chalicelib.inspection.profile.readings import Reading, Tally, best
from chalicelib.inspection.report import Profile

if TYPE_CHECKING:
    from chalicelib.inspection.report_parts import Common

EXACT = Context(prec=400)
"""Sums of numbers with up to 18 digits on each side of the point, and exponents up to 99."""
_MEAN = Context(prec=15, rounding=ROUND_HALF_EVEN)
_MOST_SHOWN = 30
_SHARE = 10_000
_KEPT_CHARACTERS = 100
_REVEALING = 10**9
"""Whole numbers from here on are likelier those of people, accounts and telephones than quantities."""


class _Samples:
    """What is told of cells as the file has them: the first and the last in order, and the commonest."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._ends: Sequence[str] = ()
        self._counts: Counter[str] = Counter()

    def add(self, counts: Mapping[str, int], *, are_all: bool) -> None:
        """Take cells; the commonest are told only as long as they `are_all` known."""
        self._ends = min(chain(self._ends, counts)), max(chain(self._ends, counts))
        self._counts.update(counts)
        if not are_all:
            self._counts.clear()

    def ends(self) -> tuple[str, str]:
        """The beginnings of the first and the last."""
        first, last = self._ends
        return first[:_KEPT_CHARACTERS], last[:_KEPT_CHARACTERS]

    def common(self) -> Iterator[Common]:
        """The values that are there most often, and more than once."""
        from chalicelib.inspection.report_parts import Common  # noqa: PLC0415 (few contracts allow it)

        ranked = sorted(self._counts.items(), key=lambda item: (-item[1], item[0]))
        for value, count in ranked[: self._most]:
            if count > 1:
                yield Common(value=value[:_KEPT_CHARACTERS], count=count)


class ColumnProfile:
    """Counts cells, in whatever pieces they come.

    With `samples` values may be told as the file has them; without, only bounds and means of numbers, dates and times.
    """

    def __init__(self, *, samples: bool, kept: int, common: int) -> None:
        self._samples = _Samples(common) if samples else None
        self._nulls = 0
        self._cells = 0
        self._longest = 0
        self._distinct = Distinct(kept)
        self._tallies: dict[str, Tally] = {}

    def add(self, cells: Sequence[str]) -> None:
        """Take cells."""
        counts = Counter(cells)
        nulls = counts.pop("", 0)
        self._add_cells(counts, nulls)
        if counts:
            self._add_words(counts)
            self._add_forms(counts)

    def _add_cells(self, counts: Mapping[str, int], nulls: int) -> None:
        """Count cells that are not empty, whatever they are, and empty ones."""
        self._nulls += nulls
        if not counts:
            return
        self._cells += sum(counts.values())
        self._longest = max(self._longest, *map(len, counts))
        self._distinct.add(counts.keys())
        if self._samples:
            self._samples.add(counts, are_all=self._distinct.is_exact)

    def _add_words(self, counts: Mapping[str, int]) -> None:
        if not counts.keys().isdisjoint(BOOLEANS):
            for word in counts.keys() & BOOLEANS.keys():
                self._tally(BOOLEANS[word]).count += counts[word]

    def _add_forms(self, counts: Mapping[str, int]) -> None:
        for form, cells in forms_of(counts).items():
            if form in NUMBERS:
                self._add_numbers(form, cells, counts)
            elif form in DATES:
                self._add_dates(form, on_days(cells), counts)
            else:
                self._add_read(clocks if form == "clock" else temporals, cells, counts)

    def _add_dates(self, form: str, cells: Collection[str], counts: Mapping[str, int]) -> None:
        slot, value = DATES[form]
        if cells:
            self._add_values(slot, [*map(value, cells)], [*map(counts.__getitem__, cells)])

    def _add_read(
        self, read: Callable[[str], Iterator[tuple[str, str]]], cells: Collection[str], counts: Mapping[str, int]
    ) -> None:
        moments: dict[str, tuple[list[str], list[int]]] = {}
        for cell in cells:
            for slot, value in read(cell):
                values, times = moments.setdefault(slot, ([], []))
                values.append(value)
                times.append(counts[cell])
        for slot, (values, times) in moments.items():
            self._add_values(slot, values, times)

    def _add_numbers(self, form: str, cells: Collection[str], counts: Mapping[str, int]) -> None:
        times = [*map(counts.__getitem__, cells)]
        with localcontext(EXACT):
            for slot, read in NUMBERS[form]:
                self._add_slot(slot, [*map(read, cells)], times)

    def _add_slot(self, slot: str, values: Sequence[Number], times: Sequence[int]) -> None:
        """Add numbers, each so many times, exactly."""
        total: Number = sum(values)
        if sum(times) > len(values):
            total += sum(value * (count - 1) for value, count in zip(values, times, strict=True) if count > 1)
        self._add_values(slot, values, times, total)

    def _add_values(self, slot: str, values: Collection[Value], times: Sequence[int], total: Number = 0) -> None:
        """Add values, each so many times; numbers have a total."""
        tally, ends = self._tally(slot), (min(values), max(values))
        tally.add(sum(times), ends, total)
        if tally.bins:
            tally.bins.add(values, times, ends)

    def _tally(self, slot: str) -> Tally:
        if slot not in self._tallies:
            self._tallies[slot] = Tally(bins=bins_of(slot))
        return self._tallies[slot]

    def profile(self) -> Profile:
        """What all of it comes to."""
        if not self._cells:
            return Profile(nulls=self._nulls, longest=self._longest, distinct=0)
        return Profile(
            nulls=self._nulls,
            longest=self._longest,
            distinct=self._distinct.among(self._cells),
            common=tuple(self._samples.common()) if self._samples else (),
            **self._of_type(),
        )

    def _of_type(self) -> dict[str, Any]:
        """The type that the cells are of, and what is told of those that are."""
        if not self._tallies:
            return self._of_texts()
        with localcontext(EXACT):
            found = best(self._tallies, self._cells)
            if not found:
                return self._of_texts()
            reading, tally = found
            bounds = self._bounds(reading, tally)
        minimum, maximum, mean = bounds or (None, None, None)
        return {
            "type": reading.type,
            "format": reading.format,
            "share": tally.count * _SHARE // self._cells,
            "minimum": minimum,
            "maximum": maximum,
            "mean": mean,
            "histogram": tally.bins.histogram() if tally.bins and bounds else None,
        }

    def _of_texts(self) -> dict[str, Any]:
        minimum, maximum = self._samples.ends() if self._samples else (None, None)
        return {"type": "string", "share": _SHARE, "minimum": minimum, "maximum": maximum}

    def _bounds(self, reading: Reading, tally: Tally) -> tuple[str | None, str | None, str | None] | None:
        """The least, the greatest and the mean, if they may be told and as far as they mean something."""
        if not reading.is_bounded:
            return None
        first, last = tally.minimum, tally.maximum
        if isinstance(first, str) or isinstance(last, str):
            zone = "Z" if reading.is_zoned else ""
            return f"{first}{zone}", f"{last}{zone}", None
        first, last = first or 0, last or 0
        if not self._samples and (_is_revealing(first) or _is_revealing(last)):
            return None
        return _shown(first), _shown(last), _shown(_MEAN.divide(Decimal(tally.total), tally.count))


def _is_revealing(number: Number) -> bool:
    """A whole number may have a point: a column of telephones that lacks one is often written as of floats."""
    return not -_REVEALING < number < _REVEALING and number % 1 == 0


def _shown(number: Number) -> str:
    """The number with a point, no zeros that say nothing, and no exponent unless it is far from 1."""
    plain = Decimal(number).normalize(EXACT)
    text = f"{plain:f}" if plain else "0"
    return text if len(text) <= _MOST_SHOWN else str(plain)


def columns_of(rows: Iterable[Sequence[str]]) -> Iterator[Sequence[str]]:
    """The cells of each column; rows are of one width."""
    return zip(*rows, strict=False)


def characters_of(rows: Iterable[Sequence[str]]) -> int:
    """How many characters are in all cells."""
    return len("".join(chain.from_iterable(rows)))
