"""Points in time and spans of it, as XML Schema orders them: in part, for a time without a zone may be anywhere."""

from __future__ import annotations

from calendar import isleap
from dataclasses import dataclass
from datetime import date, datetime, time
from fractions import Fraction
from typing import Any

DAY, HOUR, MINUTE = 86_400, 3_600, 60
_FARTHEST_ZONE = 14 * HOUR
_BEFORE = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)
_LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

Seconds = int | Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A point in time, in seconds of Universal Time; if it is not `zoned`, up to 14 hours before or after."""

    seconds: Seconds
    zoned: bool = False

    def __lt__(self, other: Moment) -> bool:
        return self.seconds < other.seconds - self._doubt(other)

    def __gt__(self, other: Moment) -> bool:
        return self.seconds > other.seconds + self._doubt(other)

    def __le__(self, other: Moment) -> bool:
        return self == other or self < other

    def __ge__(self, other: Moment) -> bool:
        return self == other or self > other

    def _doubt(self, other: Moment) -> int:
        return 0 if self.zoned is other.zoned else _FARTHEST_ZONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration:
    """A span of time: months, which may be longer or shorter, and seconds. One is longer if it is from any day on."""

    months: int
    seconds: Seconds

    def __lt__(self, other: Duration) -> bool:
        return all(mine < others for mine, others in zip(self._ends(), other._ends(), strict=True))

    def __gt__(self, other: Duration) -> bool:
        return other < self

    def __le__(self, other: Duration) -> bool:
        return all(mine <= others for mine, others in zip(self._ends(), other._ends(), strict=True))

    def __ge__(self, other: Duration) -> bool:
        return other <= self

    def _ends(self) -> tuple[Seconds, ...]:
        """When it ends if it starts on the days that the standard names, between which all doubts lie."""
        return tuple(
            ordinal(*_later(year, month, self.months), 1) * DAY + self.seconds
            for year, month in ((1696, 9), (1697, 2), (1903, 3), (1903, 7))
        )


def _later(year: int, month: int, months: int) -> tuple[int, int]:
    years, at = divmod(month - 1 + months, 12)
    return year + years, at + 1


def ordinal(year: int, month: int, day: int) -> int:
    """The number of a day, as `date.toordinal` has it, in any year; 0 is the year before 1."""
    past = year - 1
    leap = month > 2 and isleap(year)
    return past * 365 + past // 4 - past // 100 + past // 400 + _BEFORE[month - 1] + leap + day


def days_in(year: int, month: int) -> int:
    """How long a month is."""
    return 29 if month == 2 and isleap(year) else _LENGTHS[month - 1]


def moment(value: Any) -> Moment:
    """When a date, a time (of no day) or a datetime is; a moment is itself."""
    if isinstance(value, Moment):
        return value
    day = value.toordinal() if isinstance(value, date) else 0
    if isinstance(value, datetime | time):
        zone = value.utcoffset()
        seconds = day * DAY + value.hour * HOUR + value.minute * MINUTE + value.second
        if zone is not None:
            seconds -= zone.days * DAY + zone.seconds
        exact = seconds + Fraction(value.microsecond, 1_000_000) if value.microsecond else seconds
        return Moment(seconds=exact, zoned=zone is not None)
    return Moment(seconds=day * DAY)


def moment_key(value: Any) -> tuple[Seconds, bool]:
    """The same for the same moment, in whichever zone it was written."""
    at = moment(value)
    return at.seconds, at.zoned
