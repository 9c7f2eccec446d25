"""The forms in which cells are written, and the values that they are in each.

A cell has one form. A form has a slot for each value that it could be: `1,234` has two, for the comma may be decimal or
group thousands, and so has `01/02/2026`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache

from chalicelib.inspection.patterns import compiled

Number = int | Decimal
Value = Number | str
"""A number; or text that is ordered as what it stands for: a date or time in ISO 8601."""

BOOLEANS: Mapping[str, str] = {
    word: "/".join(pair)
    for pair in (("true", "false"), ("yes", "no"), ("sim", "não"))
    for both in (pair, tuple(map(str.capitalize, pair)), tuple(map(str.upper, pair)))
    for word in both
}
"""The words that are true or false, and the pair that each belongs to."""

LONGEST = 64
"""A longer cell is a text: no other form has so many characters."""
BEGINNINGS = frozenset("0123456789-.")
"""What the other forms begin with, but for words."""

_WHOLE = r"(?:0|[1-9][0-9]{0,17})"
_GROUPED = r"[1-9][0-9]{0,2}"
_NUMBERS = (
    ("integer", rf"-?{_WHOLE}"),
    ("point3", rf"-?{_GROUPED}\.[0-9]{{3}}"),
    ("point", rf"-?{_WHOLE}?\.[0-9]{{1,18}}(?:[eE][+-]?[0-9]{{1,2}})?"),
    ("comma3", rf"-?{_GROUPED},[0-9]{{3}}"),
    ("comma", rf"-?{_WHOLE},[0-9]{{1,18}}"),
    ("groups", rf"-?{_GROUPED}(?:,[0-9]{{3}}){{1,5}}(?:\.[0-9]{{1,18}})?"),
    ("dots", rf"-?{_GROUPED}(?:\.[0-9]{{3}}){{1,5}}(?:,[0-9]{{1,18}})?"),
)
_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?"
_ZONE = r"Z|[+-](?:0[0-9]|1[0-4]):?[0-5][0-9]"
_SECONDS = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_USUAL = {
    "integer": rf"-?{_WHOLE}",
    "point": rf"-?{_WHOLE}\.(?:[0-9]{{4,18}}|[0-9]{{1,2}})",
    "day": _DAY,
    "T": f"{_DAY}T{_SECONDS}",
    "TZ": f"{_DAY}T{_SECONDS}Z",
    " ": f"{_DAY} {_SECONDS}",
}
DATES: Mapping[str, tuple[str, Callable[[str], str]]] = {
    "day": ("%Y-%m-%d", str),
    "T": ("%Y-%m-%dT%H:%M:%S", str),
    "TZ": ("%Y-%m-%dT%H:%M:%S%z", lambda cell: cell[:-1]),
    " ": ("%Y-%m-%d %H:%M:%S", lambda cell: cell.replace(" ", "T")),
}
"""The slots of the usual forms that begin with a date, and the value that each makes of a cell."""
_FORM = "|".join(
    (
        *(rf"(?P<{name}>{lexical})" for name, lexical in _NUMBERS),
        rf"(?P<day>{_DAY})",
        rf"(?P<clock>{_CLOCK})",
        r"(?P<temporal>(?:[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}|[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{4})"
        rf"(?:[T ]{_CLOCK}(?:{_ZONE})?)?)",
    )
)
_TEMPORAL = (
    r"(?:(?P<year>[0-9]{4})(?P<mark>[-/])(?P<month>[0-9]{1,2})(?P=mark)(?P<day>[0-9]{1,2})"
    r"|(?P<one>[0-9]{1,2})(?P<between>[-/.])(?P<two>[0-9]{1,2})(?P=between)(?P<last>[0-9]{4}))"
    rf"(?:(?P<gap>[T ])(?P<clock>{_CLOCK})(?P<zone>{_ZONE})?)?"
)


@cache  # compiled when the first table is read: an import must cost little
def _form() -> Callable[[str], re.Match[str] | None]:
    return re.compile(_FORM).fullmatch


@cache
def _usual() -> Sequence[tuple[str, Callable[[str], re.Match[str] | None]]]:
    return [(form, compiled(rf"(?:{lexical}\n)*+").fullmatch) for form, lexical in _USUAL.items()]


def forms_of(cells: Collection[str]) -> Mapping[str, Collection[str]]:
    """Cells, none of them empty, by their forms; what is a text alone is of none.

    Those of a column are of one form as a rule, and that is found out at once.
    """
    if next(iter(cells))[0] in BEGINNINGS and (form := _form_of_all(cells)):
        return {form: cells}
    formed = [cell for cell in cells if cell[0] in BEGINNINGS and len(cell) <= LONGEST]
    if 0 < len(formed) < len(cells) and (form := _form_of_all(formed)):
        return {form: formed}
    forms: dict[str, list[str]] = {}
    find = _form()
    for cell in formed:
        found = find(cell)
        if found and found.lastgroup:
            forms.setdefault(found.lastgroup, []).append(cell)
    return forms


def _form_of_all(cells: Collection[str]) -> str | None:
    """The usual form that all cells are of."""
    text = "\n".join((*cells, ""))
    if text.count("\n") > len(cells):
        return None
    return next((form for form, are_all in _usual() if are_all(text)), None)


def _plain(text: str) -> Decimal:
    return Decimal(text.replace(",", "."))


def _without_commas(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


def _without_dots(text: str) -> Decimal:
    return Decimal(text.replace(".", "").replace(",", "."))


NUMBERS: Mapping[str, Sequence[tuple[str, Callable[[str], Number]]]] = {
    "integer": [("integer", int)],
    "point": [("point", Decimal)],
    "point3": [("point3", Decimal), ("point3/dots", _without_dots)],
    "comma": [("comma", _plain)],
    "comma3": [("comma3", _plain), ("comma3/groups", _without_commas)],
    "groups": [("groups", _without_commas)],
    "dots": [("dots", _without_dots)],
}
"""The slots of the forms that numbers have, and how each reads a cell."""


def clocks(cell: str) -> Iterator[tuple[str, str]]:
    """The slot of a time of day: its pattern."""
    yield clock_pattern(cell), cell


def clock_pattern(clock: str) -> str:
    """How `strptime` would be told of a time of day."""
    return "%H:%M" if len(clock) == len("15:00") else "%H:%M:%S.%f" if "." in clock else "%H:%M:%S"


def temporals(cell: str) -> Iterator[tuple[str, str]]:
    """The slots of a date, or of a date with a time, each its pattern; the value is in UTC where there is a zone.

    A cell whose day and month could change places has two: `%d/%m/%Y?` and `%m/%d/%Y?`.
    """
    found = _parts()(cell)
    if not found:
        return
    dates = [*_dates(found)]
    unsure = "?" if len(dates) > 1 and found["one"] != found["two"] else ""
    for pattern, day in dates:
        if found["clock"] is None:
            yield pattern + unsure, day
        elif whole := _at(day, found):
            rest = f"{found['gap']}{clock_pattern(found['clock'])}{'%z' if found['zone'] else ''}"
            yield pattern + rest + unsure, whole


@cache
def _parts() -> Callable[[str], re.Match[str] | None]:
    return re.compile(_TEMPORAL).fullmatch


def _dates(found: re.Match[str]) -> Iterator[tuple[str, str]]:
    """Which dates it could be, in ISO 8601, each with its pattern."""
    if mark := found["mark"]:
        orders = {f"%Y{mark}%m{mark}%d": (found["year"], found["month"], found["day"])}
    else:
        mark, one, two, year = found["between"], found["one"], found["two"], found["last"]
        orders = {f"%d{mark}%m{mark}%Y": (year, two, one)}
        if mark != ".":
            orders[f"%m{mark}%d{mark}%Y"] = (year, one, two)
    for pattern, (year, month, day) in orders.items():
        iso = f"{year}-{month:0>2}-{day:0>2}"
        if _is_date(iso):
            yield pattern, iso


def on_days(cells: Collection[str]) -> Collection[str]:
    """Those of cells that begin as `2026-01-31` does for which that is a day."""
    try:
        for cell in cells:
            date.fromisoformat(cell[:10])
    except ValueError:
        return [cell for cell in cells if _is_date(cell[:10])]
    return cells


def _is_date(iso: str) -> bool:
    try:
        date.fromisoformat(iso)
    except ValueError:
        return False
    return True


def _at(day: str, found: re.Match[str]) -> str | None:
    """A date with its time, in UTC if it has a zone; None if that is in no year from 1 to 9999."""
    clock, zone = found["clock"], found["zone"]
    if zone in (None, "Z"):
        return f"{day}T{clock}"
    clock, point, fraction = clock.partition(".")
    try:
        return datetime.fromisoformat(f"{day}T{clock}{zone}").astimezone(UTC).isoformat()[:19] + point + fraction
    except OverflowError:
        return None
