"""A field's rules for the kernel: which texts its judge surely finds nothing wrong with.

The other way round it need not hold: of the rest the judge itself is asked. So whatever is written in an unusual way
may be left to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from chalicelib.inspection.kernel.automata import Acceptor, Cells, Expression, Table, Texts, TooLargeError, Without
from chalicelib.inspection.kernel.orders import BOUNDS, escaped, numbers_on_side, on_side
from chalicelib.tableschema import FALSE_VALUES, TRUE_VALUES, Field

_MOST_CHARACTERS = (1 << 32) - 1
_LONGEST_EMAIL = 64
"""What is no longer has no part that is too long."""
_YEAR = "(?:[1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])"
_LEAP_YEAR = "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)"  # the year 0 is none
_DAY = (
    "(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    "|02-(?:0[1-9]|1[0-9]|2[0-8]))"
)
_DATE = f"(?:{_YEAR}-{_DAY}|{_LEAP_YEAR}-02-29)"
_CLOCK = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_ZONE = "(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))?"
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_URI_CHARACTER = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})"
_FORMATS: Mapping[str, str] = {
    "email": rf"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@(?:{_LABEL}\.)+{_LABEL}",
    "uri": rf"https?://[A-Za-z0-9.-]+(?::[0-9]*)?(?:/{_URI_CHARACTER}*)?(?:\?{_URI_CHARACTER}*)?(?:#{_URI_CHARACTER}*)?",
    "binary": "(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?",
    "uuid": "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}",
}


class UnknownError(Exception):
    """There is no rule for it that the kernel could use."""


class Rule(NamedTuple):
    """A cell is right if the table takes it and, where that says so, it has so many characters."""

    table: Table
    least: int
    most: int


def rule_of(field: Field) -> Rule:
    """The rule of a field; raises UnknownError."""
    constraints = dict(field.descriptor.get("constraints", {}))
    for elsewhere in ("required", "unique"):
        constraints.pop(elsewhere, None)
    rules = list(_rules(field, constraints))
    least, most = constraints.pop("minLength", 0), constraints.pop("maxLength", _MOST_CHARACTERS)
    if field.format == "email":
        most = min(most, _LONGEST_EMAIL)
    if constraints or least > _MOST_CHARACTERS:
        raise UnknownError
    try:
        table = Cells(field.missing_values, rules, required=field.required).table()
    except TooLargeError:
        raise UnknownError from None
    return Rule(table, least, min(most, _MOST_CHARACTERS))


Constraints = dict[str, Any]
"""Those that there is no rule for yet: each that makes some is taken away."""


def _rules(field: Field, constraints: Constraints) -> Iterator[Acceptor]:
    if few := _few(field, constraints):
        constraints.clear()
        yield Texts(text for text in few if not field.problems(text))
    elif field.type in _TYPES:
        yield from _TYPES[field.type](field, constraints)
    else:
        raise UnknownError


def _few(field: Field, constraints: Constraints) -> list[str]:
    """How the values are usually written, if only a few are right at all."""
    if field.type == "boolean":
        said = [field.descriptor.get("trueValues", TRUE_VALUES), field.descriptor.get("falseValues", FALSE_VALUES)]
        return [text for texts in said for text in texts]
    categories = [each["value"] if isinstance(each, dict) else each for each in field.descriptor.get("categories", ())]
    return [str(value) for value in constraints.get("enum", categories)]


def _string(field: Field, constraints: Constraints) -> Iterator[Acceptor]:
    if field.format != "default":
        yield Expression(_FORMATS[field.format])
    if "pattern" in constraints:
        yield Expression(constraints.pop("pattern"), wide=True)


def _integer(field: Field, constraints: Constraints) -> Iterator[Acceptor]:
    group = _group(field)
    yield Expression(f"[+-]?(?:{_digits(group)})")
    yield from _bounded(field, constraints, group=group, mark=escaped("."))


def _number(field: Field, constraints: Constraints) -> Iterator[Acceptor]:
    point, group = field.descriptor.get("decimalChar", "."), _group(field)
    if len(point) != 1:
        raise UnknownError
    mark = escaped(point)
    digits = f"[+-]?(?:(?:{_digits(group)})(?:{mark}[0-9]*)?|{mark}[0-9]+)"
    yield Expression(digits if constraints else f"{digits}(?:[eE][+-]?[0-9]{{1,15}})?|[Nn][Aa][Nn]|-?[Ii][Nn][Ff]")
    yield from _bounded(field, constraints, group=group, mark=mark)


def _group(field: Field) -> str:
    group = str(field.descriptor.get("groupChar", ""))
    if len(group) > 1 or not group.isascii() or field.descriptor.get("bareNumber") is False:
        raise UnknownError
    return group


def _digits(group: str) -> str:
    if not group:
        return "[0-9]+"
    mark = escaped(group)
    return f"[0-9]{{1,3}}(?:{mark}[0-9]{{2,3}})*{mark}[0-9]{{3}}|[0-9]{{1,4}}(?:{mark}[0-9]{{4}})+|[0-9]+"


def _bounded(field: Field, constraints: Constraints, *, group: str, mark: str) -> Iterator[Acceptor]:
    for name in BOUNDS.keys() & constraints.keys():
        expression = numbers_on_side(name, Decimal(field.kind.take(constraints.pop(name))), mark)
        if expression is None:
            raise UnknownError
        yield Without(Expression(expression), ord(group)) if group else Expression(expression)


def _date(field: Field, constraints: Constraints) -> Iterator[Acceptor]:
    yield from _timed(field, constraints, _DATE, _DATE)


def _time(field: Field, constraints: Constraints) -> Iterator[Acceptor]:
    yield from _timed(field, constraints, _CLOCK, _CLOCK)


def _datetime(field: Field, constraints: Constraints) -> Iterator[Acceptor]:
    zone = "" if constraints else _ZONE  # in which zone a time is says which one is more
    yield from _timed(field, constraints, rf"{_DATE}T{_CLOCK}(?:\.[0-9]{{1,6}})?{zone}", f"{_DATE}T{_CLOCK}")


def _year(field: Field, constraints: Constraints) -> Iterator[Acceptor]:
    yield from _timed(field, constraints, _YEAR, _YEAR)


def _yearmonth(field: Field, constraints: Constraints) -> Iterator[Acceptor]:
    month = f"{_YEAR}-(?:0[1-9]|1[0-2])"
    yield from _timed(field, constraints, month, month)


def _timed(field: Field, constraints: Constraints, form: str, bound: str) -> Iterator[Acceptor]:
    """A point in time; its bounds are to be of a form that is in the order of what it means."""
    if field.format != "default":
        raise UnknownError
    yield Expression(form)
    for name in BOUNDS.keys() & constraints.keys():
        said = str(constraints.pop(name))
        if not re.fullmatch(bound, said):
            raise UnknownError
        yield Expression(on_side(name, said))


_TYPES: Mapping[str, Callable[[Field, Constraints], Iterator[Acceptor]]] = {
    "string": _string,
    "integer": _integer,
    "number": _number,
    "date": _date,
    "time": _time,
    "datetime": _datetime,
    "year": _year,
    "yearmonth": _yearmonth,
    "any": _string,
}
