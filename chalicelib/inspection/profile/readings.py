"""What a column could be read as, and which of that it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache

from chalicelib.inspection.profile.bins import Bins
from chalicelib.inspection.profile.forms import BOOLEANS, Number, Value

LEAST_SHARE = 95
"""How many percent of the cells that are not empty must be of a type for the column to be of it."""


@dataclass(slots=True)
class Tally:
    """How many cells are of a slot, the least and the greatest, for numbers their sum, and how they are spread."""

    count: int = 0
    minimum: Value | None = None
    maximum: Value | None = None
    total: Number = 0
    bins: Bins | None = None

    def add(self, count: int, ends: tuple[Value, Value], total: Number) -> None:
        """Add so many cells, the least and the greatest of them, and their sum."""
        self.count += count
        self.total += total
        self._widen(*ends)

    def merge(self, other: Tally) -> None:
        """Add what another has counted."""
        self.count += other.count
        self.total += other.total
        self.bins = self.bins.merged(other.bins) if self.bins and other.bins else self.bins or other.bins
        if other.minimum is not None and other.maximum is not None:
            self._widen(other.minimum, other.maximum)

    def _widen(self, minimum: Value, maximum: Value) -> None:
        self.minimum = minimum if self.minimum is None else min(self.minimum, minimum)
        self.maximum = maximum if self.maximum is None else max(self.maximum, maximum)


Tallies = Mapping[str, Tally]
"""By slot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A type and a format, the slots that are of it, and those of which one must be there to tell it from others."""

    type: str
    format: str | None = None
    slots: Sequence[str] = field(repr=False)
    telling: frozenset[str] = field(repr=False)
    is_bounded: bool = True
    is_zoned: bool = False
    """Whether its values have a zone: they are in UTC."""

    def tally(self, tallies: Tallies) -> Tally:
        """All its cells."""
        first, *others = (tallies[slot] for slot in self.slots if slot in tallies)
        if not others:
            return first
        whole = Tally()
        for each in (first, *others):
            whole.merge(each)
        return whole


_NATIVES = (
    Reading(type="boolean", slots=("boolean",), telling=frozenset({"boolean"}), is_bounded=False),
    Reading(type="date", slots=("date",), telling=frozenset({"date"})),
    Reading(type="datetime", slots=("datetime",), telling=frozenset({"datetime"})),
    Reading(type="datetime", slots=("instant",), telling=frozenset({"instant"}), is_zoned=True),
    Reading(type="time", slots=("time",), telling=frozenset({"time"})),
)
"""Of values that are no texts, and so are not written in any form."""
_POINTS = ("integer", "point", "point3")
_READINGS = (
    *_NATIVES,
    *(
        Reading(type="boolean", format=pair, slots=(pair,), telling=frozenset({pair}), is_bounded=False)
        for pair in dict.fromkeys(BOOLEANS.values())
    ),
    Reading(type="integer", slots=("integer",), telling=frozenset({"integer"})),
    Reading(type="number", slots=_POINTS, telling=frozenset({"point", "point3"})),
    Reading(type="number", format="0,0", slots=("integer", "comma", "comma3"), telling=frozenset({"comma"})),
    Reading(
        type="number",
        format="0,000.0",
        slots=("integer", "groups", "comma3/groups", "point", "point3"),
        telling=frozenset({"groups"}),
    ),
    Reading(
        type="number",
        format="0.000,0",
        slots=("integer", "dots", "point3/dots", "comma", "comma3"),
        telling=frozenset({"dots"}),
    ),
)


def best(tallies: Tallies, cells: int) -> tuple[Reading, Tally] | None:
    """The reading that most cells have, of several the narrowest; None if it is that of fewer than `LEAST_SHARE`."""
    found: tuple[Reading, Tally] | None = None
    for reading in _told_by(frozenset(tallies)):
        tally = reading.tally(tallies)
        if found is None or tally.count > found[1].count:
            found = reading, tally
    return found if found and found[1].count * 100 >= cells * LEAST_SHARE else None


@lru_cache(256)  # columns are alike
def _told_by(slots: frozenset[str]) -> Sequence[Reading]:
    """The readings that these slots tell, the narrowest first."""
    return [reading for reading in _readings(slots) if not reading.telling.isdisjoint(slots)]


def _readings(slots: frozenset[str]) -> Iterator[Reading]:
    yield from _READINGS
    patterns = sorted({slot.removesuffix("?") for slot in slots if "%" in slot})
    for pattern in patterns:
        yield _temporal(pattern, (pattern,))
    for pattern in patterns:
        plain = pattern.replace(".%f", "")
        if plain != pattern and plain in patterns:
            yield _temporal(pattern.replace(".%f", "[.%f]"), (plain, pattern))
    for pattern in patterns:
        unsure = f"{pattern}?"
        yield Reading(type=_type(pattern), slots=(unsure,), telling=frozenset({unsure}), is_bounded=False)


@cache  # the patterns that forms can have are few
def _temporal(pattern: str, patterns: tuple[str, ...]) -> Reading:
    slots = [slot for each in patterns for slot in (each, f"{each}?")]
    return Reading(
        type=_type(pattern), format=pattern, slots=slots, telling=frozenset(patterns), is_zoned="%z" in pattern
    )


def _type(pattern: str) -> str:
    return "time" if "%Y" not in pattern else "datetime" if "%H" in pattern else "date"
