"""The types `date`, `time` and `datetime` in their default form, `year`, `yearmonth` and `duration`."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from typing import Any, NamedTuple

from chalicelib.tableschema.kind import Kind, no_other, of_text, same, tried
from chalicelib.tableschema.moments import (
    DAY,
    HOUR,
    MINUTE,
    Duration,
    Moment,
    Seconds,
    days_in,
    moment,
    moment_key,
    ordinal,
)

_YEAR = r"(?P<year>-?(?!0000)(?:[0-9]{4}|[1-9][0-9]{4,99}+))"
_ZONE = r"(?P<zone>Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))?"
_CLOCK = r"(?P<hour>[0-9]{2}):(?P<minute>[0-5][0-9]):(?P<second>[0-5][0-9])"
_NUMBER = "[0-9]{1,1000}+"
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]")
_DATETIME = re.compile(
    rf"{_YEAR}-(?P<month>0[1-9]|1[0-2])-(?P<day>[0-9]{{2}})T{_CLOCK}(?:\.(?P<part>{_NUMBER}))?{_ZONE}"
)
_YEARS = re.compile(_YEAR + _ZONE)
_MONTHS = re.compile(rf"{_YEAR}-(?P<month>0[1-9]|1[0-2]){_ZONE}")
_DURATION = re.compile(
    rf"(?P<minus>-?)P(?=[0-9T])(?:(?P<years>{_NUMBER})Y)?(?:(?P<months>{_NUMBER})M)?(?:(?P<days>{_NUMBER})D)?"
    rf"(?:T(?=[0-9])(?:(?P<hours>{_NUMBER})H)?(?:(?P<minutes>{_NUMBER})M)?"
    rf"(?:(?P<seconds>{_NUMBER})(?:\.(?P<part>{_NUMBER}))?S)?)?"
)
_FARTHEST_YEAR = 10**100
_KEPT = 6
"""As many digits of a second as Python's datetime holds."""


class YearMonth(NamedTuple):
    """A month of a year."""

    year: int
    month: int


def read_date(cell: str) -> date:
    """A date of the form `2026-01-31`."""
    if not _DATE.fullmatch(cell):
        raise ValueError
    return date.fromisoformat(cell)


def read_time(cell: str) -> time:
    """A time of the form `15:00:00`."""
    if not _TIME.fullmatch(cell):
        raise ValueError
    return time.fromisoformat(cell)


def read_datetime(cell: str) -> datetime | Moment:
    """A dateTime of XML Schema; a Moment where Python's datetime cannot hold it."""
    found = _DATETIME.fullmatch(cell)
    if not found:
        raise ValueError
    if len(found["year"]) == 4 and found["hour"] < "24" and len(found["part"] or "") <= _KEPT:
        return datetime.fromisoformat(cell)
    return _far(found)


def _far(found: re.Match[str]) -> Moment:
    year, month, day = _year(found), int(found["month"]), int(found["day"])
    hour, minute, second = int(found["hour"]), int(found["minute"]), int(found["second"])
    part = _fraction(found["part"])
    if not 1 <= day <= days_in(year, month) or (hour, minute, second, part) > (24, 0, 0, 0):
        raise ValueError
    whole = ordinal(year, month, day) * DAY + hour * HOUR + minute * MINUTE + second
    return Moment(seconds=whole + part - _offset(found["zone"]), zoned=bool(found["zone"]))


def _year(found: re.Match[str]) -> int:
    """The year of astronomers, who have a year 0 before the year 1."""
    year = int(found["year"])
    return year + 1 if year < 0 else year


def _fraction(digits: str | None) -> Seconds:
    digits = (digits or "").rstrip("0")
    return Fraction(int(digits), 10 ** len(digits)) if digits else 0


def _offset(zone: str | None) -> int:
    if not zone or zone == "Z":
        return 0
    seconds = int(zone[1:3]) * HOUR + int(zone[4:6]) * MINUTE
    return -seconds if zone[0] == "-" else seconds


def read_year(cell: str) -> int | Moment:
    """A gYear of XML Schema; the moment it begins if it has a zone."""
    found = _YEARS.fullmatch(cell)
    if not found:
        raise ValueError
    return _start(found, 1) if found["zone"] else int(found["year"])


def read_yearmonth(cell: str) -> YearMonth | Moment:
    """A gYearMonth of XML Schema; the moment it begins if it has a zone."""
    found = _MONTHS.fullmatch(cell)
    if not found:
        raise ValueError
    month = int(found["month"])
    return _start(found, month) if found["zone"] else YearMonth(int(found["year"]), month)


def _start(found: re.Match[str], month: int) -> Moment:
    return Moment(seconds=ordinal(_year(found), month, 1) * DAY - _offset(found["zone"]), zoned=True)


def _begins(value: Any) -> Moment:
    """When a year or a month begins."""
    if isinstance(value, Moment):
        return value
    year, month = value if isinstance(value, YearMonth) else (value, 1)
    return Moment(seconds=ordinal(year + (year < 0), month, 1) * DAY)


def _begins_key(value: Any) -> tuple[Seconds, bool]:
    at = _begins(value)
    return at.seconds, at.zoned


def _take_year(value: object) -> int | Moment:
    if isinstance(value, str):
        return read_year(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < abs(value) < _FARTHEST_YEAR:
        raise ValueError
    return value


def read_duration(cell: str) -> Duration:
    """A duration of XML Schema: `P1Y2M3DT4H5M6.7S`."""
    found = _DURATION.fullmatch(cell)
    if not found:
        raise ValueError
    years, months, days, hours, minutes, seconds = (
        int(found[name] or 0) for name in ("years", "months", "days", "hours", "minutes", "seconds")
    )
    sign = -1 if found["minus"] else 1
    total = days * DAY + hours * HOUR + minutes * MINUTE + seconds + _fraction(found["part"])
    return Duration(months=sign * (12 * years + months), seconds=sign * total)


def native_date(value: object) -> date:
    """A date; of a datetime without a zone, its date if it is midnight: many writers have no other."""
    if isinstance(value, datetime):
        if value.tzinfo is None and value.time() == time.min:
            return value.date()
    elif isinstance(value, date):
        return value
    raise ValueError


def native_time(value: object) -> time:
    """A time."""
    if isinstance(value, time):
        return value
    raise ValueError


def native_datetime(value: object) -> datetime:
    """A datetime."""
    if isinstance(value, datetime):
        return value
    raise ValueError


def _native_duration(value: object) -> Duration:
    if not isinstance(value, timedelta):
        raise ValueError
    part = Fraction(value.microseconds, 1_000_000) if value.microseconds else 0
    return Duration(months=0, seconds=value.days * DAY + value.seconds + part)


def timed(
    words: str,
    read: Callable[[str], Any],
    native: Callable[[object], Any] = no_other,
    *,
    order: Callable[[Any], Any] = moment,
    key: Callable[[Any], Any] = moment_key,
    is_right: Callable[[str], object] | None = None,
) -> Kind:
    """A type that JSON writes as a text, and some formats have natively."""
    return Kind(
        words=words, read=read, take=of_text(read, native), is_right=is_right or tried(read), order=order, key=key
    )


DATE = timed("must be a date such as 2026-01-31", read_date, native_date, order=same, key=date.isoformat)
TIME = timed(
    "must be a time such as 15:00:00", read_time, native_time, order=same, key=time.isoformat, is_right=_TIME.fullmatch
)
DATETIME = timed("must be a date with a time such as 2026-01-31T15:00:00", read_datetime, native_datetime)
YEARMONTH = timed(
    "must be a year and month such as 2026-01",
    read_yearmonth,
    order=_begins,
    key=_begins_key,
    is_right=_MONTHS.fullmatch,
)
YEAR = Kind(
    words="must be a year such as 2026",
    read=read_year,
    take=_take_year,
    is_right=_YEARS.fullmatch,
    order=_begins,
    key=_begins_key,
)
DURATION = timed(
    "must be a duration such as P1Y2M or PT1H30M",
    read_duration,
    _native_duration,
    order=same,
    key=lambda value: (value.months, value.seconds),
    is_right=_DURATION.fullmatch,
)
