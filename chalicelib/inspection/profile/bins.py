"""Values counted by bins of one width, which grows with their range: a histogram that knows no order of coming.

Widths are steps of a ladder, and every bin of a step is whole bins of the step below. So the width is the least with
which all values are in no more bins than its ladder says, however they came, and each count is exact.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from itertools import chain
from math import floor
from typing import Protocol

from chalicelib.inspection.profile.forms import NUMBERS, Value
from chalicelib.inspection.report import Histogram

LEAST_VALUES = 10
"""Of fewer values a histogram tells no more than bounds and mean do."""
_WIDEST_DIGITS = 40
_FINEST = -12
"""Millionths: 10 to the half of it."""
_MOST_NUMBERS = 24
_TENTHS, _TWENTIETHS = Decimal(_MOST_NUMBERS) / 10, Decimal(_MOST_NUMBERS) / 20
"""What is between two numbers of one digit before the point, if so many tenths or twentieths are enough."""


class Ladder(Protocol):
    """The widths that bins may have, by their step."""

    top: int
    """The last step."""
    most: int
    """How many bins there may be."""

    def indexes(self, values: Iterable[Value], step: int) -> Sequence[int]:
        """The numbers of the bins that values are in."""

    def least(self, first: Value, last: Value) -> int:
        """A step below which bins are too many, if they are from one value to another."""

    def above(self, index: int, step: int) -> int:
        """The bin of the next step that a bin is in."""

    def told(self, first: int, step: int) -> tuple[str, str]:
        """Where a bin begins, and the width."""

    def grain(self, values: Iterable[Value]) -> int:
        """The step below which no bin need be, for the sake of these values."""


class Numbers:
    """1, 5, 10, 50, … from millionths on; a bin has its lower edge in it."""

    top = 2 * _WIDEST_DIGITS
    most = _MOST_NUMBERS

    def indexes(self, values: Iterable[Value], step: int) -> Sequence[int]:
        """`floor(value / width)` of each, exact."""
        power, is_fifth = divmod(step, 2)
        width = 5 if is_fifth else 1
        if power >= 0:
            width *= 10**power
            return [floor(value) // width for value in values]  # type: ignore[arg-type] # they are numbers
        return [floor(Decimal(value).scaleb(-power)) // width for value in values]

    def least(self, first: Value, last: Value) -> int:
        """That of the least width of which fewer than `most` are between the values: it is most often the one."""
        between = Decimal(last) - Decimal(first)
        power = between.adjusted()
        digits = between.scaleb(-power)  # from 1 up to 10
        return 2 * power - 1 - (digits < _TENTHS) - (digits < _TWENTIETHS) if between else _FINEST

    def above(self, index: int, step: int) -> int:
        """Five of 1 are one of 5, two of 5 one of 10."""
        return index // (2 if step % 2 else 5)

    def told(self, first: int, step: int) -> tuple[str, str]:
        """Both without an exponent."""
        power, is_fifth = divmod(step, 2)
        width = 5 if is_fifth else 1
        if power >= 0:
            width *= 10**power
            return str(first * width), str(width)
        # As text, for to scale a number rounds it to the digits of the context.
        return _plain(Decimal(f"{first * width}e{power}")), _plain(Decimal(f"{width}e{power}"))

    def grain(self, values: Iterable[Value]) -> int:
        """That of their last digit behind the point."""
        exponents = (Decimal(value).normalize().as_tuple().exponent for value in values if not isinstance(value, int))
        return max(2 * min(map(int, exponents), default=0), _FINEST)


class Moments:
    """Hours, days, months, years, decades, centuries. Values are text in ISO 8601: dates, or dates with a time."""

    _WIDTHS = ("hour", "day", "month", "year", "decade", "century")
    top = len(_WIDTHS) - 1
    most = 36

    def indexes(self, values: Iterable[Value], step: int) -> Sequence[int]:
        """Days from the first of year 1 on, months and what is longer from year 0."""
        texts = map(str, values)
        if step == 0:
            return [date.fromisoformat(text[:10]).toordinal() * 24 + int(text[11:13] or 0) for text in texts]
        if step == 1:
            return [date.fromisoformat(text[:10]).toordinal() for text in texts]
        width = (1, 12, 120, 1200)[step - 2]
        months = [text[:7] for text in texts]
        indexes = {month: (int(month[:4]) * 12 + int(month[5:]) - 1) // width for month in set(months)}  # they are few
        return [*map(indexes.__getitem__, months)]

    def least(self, first: Value, last: Value) -> int:
        """Months, if there are two between them."""
        begin, end = self.indexes((first, last), 2)
        return 2 if end - begin > 2 else 0

    def above(self, index: int, step: int) -> int:
        """A day of 24 hours is of a month, and so on."""
        if step == 1:
            day = date.fromordinal(index)
            return day.year * 12 + day.month - 1
        return index // {0: 24, 2: 12}.get(step, 10)

    def told(self, first: int, step: int) -> tuple[str, str]:
        """The beginning as ISO 8601 writes it with that precision; of decades and centuries their first year."""
        if step <= 1:
            day = date.fromordinal(first if step else first // 24).isoformat()
            return day if step else f"{day}T{first % 24:02}:00", self._WIDTHS[step]
        months = first * (1, 12, 120, 1200)[step - 2]
        year = f"{months // 12:04}"
        return year if step > 2 else f"{year}-{months % 12 + 1:02}", self._WIDTHS[step]

    def grain(self, values: Iterable[Value]) -> int:  # noqa: ARG002
        """Hours or days, as the slot says."""
        return 0


class Clocks:
    """The hours of a day."""

    top = 0
    most = 24

    def indexes(self, values: Iterable[Value], step: int) -> Sequence[int]:  # noqa: ARG002 - there is one
        """The hours of times of day."""
        return [int(str(value)[:2]) for value in values]

    def least(self, first: Value, last: Value) -> int:  # noqa: ARG002
        """There is one."""
        return 0

    def above(self, index: int, step: int) -> int:  # noqa: ARG002 - never asked
        """A day has 24 bins at most."""
        return index

    def told(self, first: int, step: int) -> tuple[str, str]:  # noqa: ARG002
        """As a time of day."""
        return f"{first:02}:00", "hour"

    def grain(self, values: Iterable[Value]) -> int:  # noqa: ARG002
        """There is one."""
        return 0


class Bins:
    """Counts values by bins. Values that are too far from each other for the widest bins have no histogram."""

    def __init__(self, ladder: Ladder, step: int) -> None:
        self._ladder = ladder
        self._step = step
        self._grain = 0
        self._counts: Counter[int] | None = Counter()

    def add(self, values: Collection[Value], times: Sequence[int], ends: tuple[Value, Value]) -> None:
        """Count values, each so many times; `ends` are the least and the greatest of them."""
        if not self._counts:
            self._step = max(self._step, min(self._ladder.least(*ends), self._ladder.top))
        self._make_room(ends)
        if self._step < self._grain:
            self._grain = min(self._grain, self._ladder.grain(values))
        if self._counts is not None:
            self._count(self._counts, self._ladder.indexes(values, self._step), times)

    @staticmethod
    def _count(counts: Counter[int], indexes: Sequence[int], times: Sequence[int]) -> None:
        counts.update(indexes)  # once each, without Python
        if sum(times) > len(indexes):
            for index, count in zip(indexes, times, strict=True):
                if count > 1:
                    counts[index] += count - 1

    def merged(self, other: Bins) -> Bins:
        """What both have counted, by bins of one width; both are of one ladder."""
        whole = Bins(self._ladder, max(self._step, other._step))
        one, two = self._at(whole._step), other._at(whole._step)
        whole._counts = None if one is None or two is None else one + two
        whole._grain = min(self._grain, other._grain)
        whole._make_room()
        return whole

    def histogram(self) -> Histogram | None:
        """The bins from the first to the last in which a value is; None if that is all one, or there are few values."""
        step = max(self._step, self._grain)
        counts = self._at(step)
        if not counts or len(counts) == 1 or sum(counts.values()) < LEAST_VALUES:
            return None
        first, last = min(counts), max(counts)
        begin, width = self._ladder.told(first, step)
        return Histogram(begin=begin, width=width, counts=tuple([counts.get(at, 0) for at in range(first, last + 1)]))

    def _make_room(self, ends: Sequence[Value] = ()) -> None:
        """Widen the bins until there are few enough, with those of these values."""
        while self._counts is not None:
            every = [*self._counts, *self._ladder.indexes(ends, self._step)]
            if not every or max(every) - min(every) < self._ladder.most:
                return
            if self._step == self._ladder.top:
                self._counts = None
                return
            self._counts = self._at(self._step + 1)
            self._step += 1

    def _at(self, step: int) -> Counter[int] | None:
        """The counts by the bins of a step that is not below."""
        counts = self._counts
        for each in range(self._step, step):
            wider: Counter[int] = Counter()
            for at, count in (counts or {}).items():
                wider[self._ladder.above(at, each)] += count
            counts = counts and wider
        return counts


def bins_of(slot: str) -> Bins | None:
    """What counts the values of a profile's slot, None if they have no order that means anything."""
    ladder = _ladder_of(slot)
    return Bins(*ladder) if ladder else None


@cache
def _ladder_of(slot: str) -> tuple[Ladder, int] | None:
    """The widths for a slot, and the step of the narrowest that means anything."""
    if slot in ("integer", "point", *chain.from_iterable(dict(slots) for slots in NUMBERS.values())):
        return Numbers(), _FINEST
    if slot in ("date", "datetime", "instant") or "%Y" in slot:
        return Moments(), 1 if slot == "date" or ("%" in slot and "%H" not in slot) else 0
    return (Clocks(), 0) if slot == "time" or "%H" in slot else None


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
