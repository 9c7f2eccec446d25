"""The format `any` of dates and times: ISO 8601, numbers in the orders in use, and months in English.

Where a day and a month may be either, the month is first, unless that makes no date; so do most readers.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?P<name>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_WEEKDAY = r"(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\.?,? )?"
_NTH = r"(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>[0-9]{4}|[0-9]{2})"
_DATES = tuple(
    re.compile(_WEEKDAY + form, re.IGNORECASE | re.ASCII)
    for form in (
        r"(?P<year>[0-9]{4})([-/. ])(?P<month>[0-9]{1,2})\2(?P<day>[0-9]{1,2})",
        r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})",
        rf"(?P<month>[0-9]{{1,2}})([-/. ])(?P<day>[0-9]{{1,2}})\2{_YEAR}",
        rf"{_NTH}(?: of)?[- /]?{_MONTH},?[- /]?{_YEAR}",
        rf"{_MONTH}[- /]?{_NTH},?[- /]{_YEAR}",
    )
)
_TIME = re.compile(
    r"(?P<hour>[0-9]{1,2})(?::(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,](?P<part>[0-9]{1,6})[0-9]*+)?)?)?"
    r" ?(?P<half>[ap]\.?m\.?)?(?: ?(?P<zone>Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2}))?",
    re.IGNORECASE | re.ASCII,
)
_BETWEEN = re.compile(r"T|,? (?:at )?", re.IGNORECASE)
_LONGEST = 100


def loose_date(cell: str) -> date:
    """A date in one of many forms; of a date with a time, the date."""
    return loose_datetime(cell).date()


def loose_time(cell: str) -> time:
    """A time in one of many forms; of a date with a time, the time."""
    cell = cell.strip(" ")
    return _time(cell) or loose_datetime(cell).timetz()


def loose_datetime(cell: str) -> datetime:
    """A date in one of many forms, with a time or without."""
    if len(cell) > _LONGEST or not cell.isascii():
        raise ValueError
    cell = cell.strip(" ")
    try:
        return datetime.fromisoformat(cell)
    except ValueError:
        return _found(cell)


def _found(cell: str) -> datetime:
    for form in _DATES:
        found = form.match(cell)
        if not found:
            continue
        day = _date(found)
        rest = cell[found.end() :]
        if not rest:
            return datetime.combine(day, time())
        between = _BETWEEN.match(rest)
        clock = _time(rest[between.end() :]) if between else None
        if clock is not None:
            return datetime.combine(day, clock)
    raise ValueError


def _date(found: re.Match[str]) -> date:
    parts = found.groupdict()
    year, day = int(parts["year"]), int(parts["day"])
    if len(parts["year"]) == 2:
        year += 1900 if year > 68 else 2000
    month = int(parts["month"]) if parts.get("month") else _MONTHS.index(parts["name"][:3].lower()) + 1
    if month > 12 and found.start("month") < found.start("year"):
        month, day = day, month
    return date(year, month, day)


def _time(cell: str) -> time | None:
    """The time that a text is, None if it is none."""
    found = _TIME.fullmatch(cell)
    if not found or not (found["minute"] or found["half"]):
        return None
    hour = int(found["hour"])
    if found["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + 12 * (found["half"][0] in "pP")
    part = int((found["part"] or "0").ljust(6, "0"))
    try:
        return time(hour, int(found["minute"] or 0), int(found["second"] or 0), part, _zone(found["zone"]))
    except ValueError:
        return None


def _zone(text: str | None) -> timezone | None:
    if not text:
        return None
    if text[0] not in "+-":
        return UTC
    span = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    return timezone(-span if text[0] == "-" else span)
