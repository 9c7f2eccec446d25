"""Dates and times in a pattern of `strptime`, and in the format `any`."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any

from chalicelib.tableschema.kind import Kind
from chalicelib.tableschema.loosely import loose_date, loose_datetime, loose_time
from chalicelib.tableschema.times import DATE, DATETIME, TIME, native_date, native_datetime, native_time, timed

DIRECTIVES = frozenset("aAwdbBmyYHIpMSfzZjUWcxXGuV")
_DIRECTIVE = re.compile(r"%(.?)", re.DOTALL)
_FOREIGN_DIGIT = re.compile(r"[^\D0-9]")
_NUMERIC = {
    "Y": "(?P<Y>[0-9]{4})",
    "m": "(?P<m>1[0-2]|0[1-9]|[1-9])",
    "d": "(?P<d>3[01]|[12][0-9]|0[1-9]|[1-9]| [1-9])",
    "H": "(?P<H>2[0-3]|[01][0-9]|[0-9])",
    "M": "(?P<M>[0-5][0-9]|[0-9])",
    "S": "(?P<S>6[01]|[0-5][0-9]|[0-9])",
}
"""How `strptime` reads the commonest directives."""
_SAMPLE = datetime(2024, 5, 6, 7, 8, 9, 10, tzinfo=UTC)
_LONGER = 200
"""As many characters may a value have more than its pattern: no names, digits and spaces take so many."""
_NOUNS = {"date": "a date", "time": "a time", "datetime": "a date with a time"}
_DEFAULTS = {"date": DATE, "time": TIME, "datetime": DATETIME}
_LOOSE: dict[str, Callable[[str], Any]] = {"date": loose_date, "time": loose_time, "datetime": loose_datetime}
_NATIVE: dict[str, Callable[[object], Any]] = {"date": native_date, "time": native_time, "datetime": native_datetime}
"""A native value was never written in any form."""
_PARTS: dict[str, Callable[[datetime], Any]] = {
    "date": datetime.date,
    "time": datetime.timetz,
    "datetime": lambda value: value,
}


def temporal(kind: str, form: str) -> Kind:
    """Dates, times or both of a format; raises ValueError with the reason if it is none."""
    if form == "default":
        return _DEFAULTS[kind]
    if form == "any":
        return timed(f"must be {_NOUNS[kind]}", _LOOSE[kind], _NATIVE[kind])
    return timed(f"must be {_NOUNS[kind]} of the form {form}", _reader(form, _PARTS[kind]), _NATIVE[kind])


def _reader(form: str, part: Callable[[datetime], date | time]) -> Callable[[str], Any]:
    _check(form)
    parsed = _numeric(form) or (lambda cell: datetime.strptime(cell, form))  # noqa: DTZ007 - zones are the pattern's
    most = len(form) + _LONGER

    def read(cell: str) -> Any:
        if len(cell) > most or (not cell.isascii() and _FOREIGN_DIGIT.search(cell)):
            raise ValueError
        try:
            return part(parsed(cell))
        except (OverflowError, IndexError):
            raise ValueError from None

    return read


def _numeric(form: str) -> Callable[[str], datetime] | None:
    """What `strptime` does with a pattern of common numbers, faster; None for any other pattern."""
    names = _DIRECTIVE.findall(form)
    if not set(names) <= _NUMERIC.keys() or re.search(r"\s", form):
        return None
    pieces = _DIRECTIVE.split(form)
    lexical = "".join(_NUMERIC[piece] if index % 2 else re.escape(piece) for index, piece in enumerate(pieces))
    pattern = re.compile(lexical, re.IGNORECASE)
    defaults = {"Y": "1900", "m": "1", "d": "1", "H": "0", "M": "0", "S": "0"}

    def parsed(cell: str) -> datetime:
        found = pattern.fullmatch(cell)
        if not found:
            raise ValueError
        parts = defaults | found.groupdict()
        return datetime(*map(int, parts.values()))  # type: ignore[arg-type] # noqa: DTZ001 - the pattern has no zone

    return parsed


def _check(form: str) -> None:
    """Refuse what is no pattern, or could match nothing."""
    names = _DIRECTIVE.findall(form)
    for name in names:
        if name not in DIRECTIVES | {"%"}:
            raise ValueError(f'has "%{name}", which is no directive of strptime')
    if not set(names) & DIRECTIVES:
        raise ValueError('must be "default", "any", or a pattern of strptime such as "%d/%m/%Y"')
    try:
        datetime.strptime(_SAMPLE.strftime(form), form)  # noqa: DTZ007 - nothing is made of it
    except re.error:
        raise ValueError("says the same thing twice") from None
    except ValueError as error:
        raise ValueError(f"is no pattern of strptime: {error}") from None
