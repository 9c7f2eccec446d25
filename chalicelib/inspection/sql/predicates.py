"""A field's rules in SQL: what is true of a text only if the field's judge finds nothing wrong with it.

The other way round it need not hold: of the rest the judge itself is asked. So whatever is written in an unusual way
may be left to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from chalicelib.tableschema import Field

_BOUNDS = {"minimum": ">=", "maximum": "<=", "exclusiveMinimum": ">", "exclusiveMaximum": "<"}
_LENGTHS = {"minLength": ">=", "maxLength": "<="}
_MOST_DIGITS = 18
"""As many fit into a BIGINT."""
_INTEGER = "[0-9]{1,18}"
_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_TOKEN = re.compile(
    r"\[(?:[A-Za-z0-9](?:-[A-Za-z0-9])?|[ _.,:;/@#%&=+*'\"<>!~])+-?\]|\\[-.d()\[\]{}|*+?^$\\]"
    r"|[A-Za-z0-9 _,:;/@#%&=\"'<>!~-]"
    r"|\(\?:|[()|^$]|[*+?]|\{[0-9]{1,2}(?:,[0-9]{0,2})?\}"
)
"""What means the same in XML Schema's expressions and the engine's, or less."""
_EMAIL = r"[A-Za-z0-9_+-]{1,30}(?:\.[A-Za-z0-9_+-]{1,30})?@(?:[A-Za-z0-9]{1,40}\.){1,3}[A-Za-z]{2,20}"
_URI = r"https?://[A-Za-z0-9.-]+(?::[0-9]+)?(?:/[A-Za-z0-9._~-]*)*(?:\?[A-Za-z0-9._~=&-]*)?"
_FORMATS: Mapping[str, str] = {
    "email": _EMAIL,
    "uri": _URI,
    "binary": "(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?",
    "uuid": "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}",
}


class UnknownError(Exception):
    """There is no SQL for it."""


def predicate(field: Field, column: str) -> str:
    """What is true of a column's text only if it is right; `false` if the judge is to be asked of all of them."""
    try:
        parts = _rules(field, column)
        missing = one_of(column, sorted(field.missing_values))
    except UnknownError:
        return "false"
    if field.required:
        return " AND ".join([f"NOT {missing}", *parts])
    return f"({missing} OR ({' AND '.join(parts)}))" if parts else "true"


def _rules(field: Field, column: str) -> list[str]:
    make = _TYPES.get(field.type)
    constraints = dict(field.descriptor.get("constraints", {}))
    for elsewhere in ("required", "unique"):
        constraints.pop(elsewhere, None)
    if make is None or "categories" in field.descriptor:
        raise UnknownError
    rules = list(make(field, column, constraints))
    if constraints:
        raise UnknownError
    return rules


Constraints = dict[str, Any]
"""Those that no SQL was found for yet: each that makes some is taken away."""


def _string(field: Field, column: str, constraints: Constraints) -> Iterator[str]:
    if field.format in _FORMATS:
        yield _matches(column, _FORMATS[field.format])
    for name, sign in _LENGTHS.items():
        if name in constraints:
            length = int(constraints.pop(name))
            # No text has more characters than bytes, which need not be counted.
            few = f"strlen({column}) <= {length} OR " if name == "maxLength" else ""
            yield f"({few}length({column}) {sign} {length})"
    if "pattern" in constraints:
        yield _matches(column, _pattern(constraints.pop("pattern")))
    yield from _enum(column, constraints, str, quoted)


def _integer(field: Field, column: str, constraints: Constraints) -> Iterator[str]:
    if not is_plain(field):
        raise UnknownError
    value = f"TRY_CAST({column} AS BIGINT)"
    yield _matches(column, f"[+-]?{_INTEGER}")
    yield from _bounds(field, value, constraints, _bigint)
    yield from _enum(value, constraints, lambda said: said, lambda said: _bigint(field.kind.take(said)))


def _number(field: Field, column: str, constraints: Constraints) -> Iterator[str]:
    point, group = field.descriptor.get("decimalChar", "."), field.descriptor.get("groupChar", "")
    if field.descriptor.get("bareNumber") is False or len(point) != 1 or len(group) > 1:
        raise UnknownError
    grouped = f"[0-9]{{1,3}}(?:{_escaped(group)}[0-9]{{3}})+|" if group else ""
    yield _matches(column, f"[+-]?(?:{grouped}[0-9]{{1,300}})(?:{_escaped(point)}[0-9]*)?")
    plain = f"replace({column}, {quoted(group)}, '')" if group else column
    if point != ".":
        plain = f"replace({plain}, {quoted(point)}, '.')"
    # Rounding keeps the order: what is more when rounded is more. Of what is equal then, the judge is asked.
    for name, sign in _BOUNDS.items():
        if name in constraints:
            yield f"TRY_CAST({plain} AS DOUBLE) {sign[0]} {_double(field.kind.take(constraints.pop(name)))}"


def _boolean(field: Field, column: str, constraints: Constraints) -> Iterator[str]:  # noqa: ARG001
    true = field.descriptor.get("trueValues", ["true", "True", "TRUE", "1"])
    false = field.descriptor.get("falseValues", ["false", "False", "FALSE", "0"])
    yield one_of(column, [*true, *false])


def _date(field: Field, column: str, constraints: Constraints) -> Iterator[str]:
    _needs_default(field)
    yield is_date(column)
    yield from _bounds(field, column, constraints, _iso)
    yield from _enum(column, constraints, lambda said: said, lambda said: _iso(field.kind.take(said)))


def _time(field: Field, column: str, constraints: Constraints) -> Iterator[str]:
    _needs_default(field)
    yield _matches(column, _CLOCK)
    yield from _bounds(field, column, constraints, _iso)


def _datetime(field: Field, column: str, constraints: Constraints) -> Iterator[str]:
    _needs_default(field)
    is_bounded = not constraints.keys().isdisjoint(_BOUNDS)
    zone = "" if is_bounded else "(?:Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9])?"
    yield _matches(column, rf"{_DATE}T{_CLOCK}(?:\.[0-9]{{1,6}})?{zone}")
    yield is_date(f"left({column}, 10)")
    # A part of a second makes it more, and is not looked at: at the bound itself the judge is asked.
    for name, sign in _BOUNDS.items():
        if name in constraints:
            yield f"left({column}, 19) {sign[0]} {_iso(field.kind.take(constraints.pop(name)))}"


def _year(field: Field, column: str, constraints: Constraints) -> Iterator[str]:
    yield _matches(column, "[0-9]{4}") + f" AND {column} <> '0000'"
    yield from _bounds(field, column, constraints, lambda year: quoted(f"{_whole(year, 9_999):04}"))


def _yearmonth(field: Field, column: str, constraints: Constraints) -> Iterator[str]:  # noqa: ARG001
    yield _matches(column, "[0-9]{4}-(?:0[1-9]|1[0-2])") + f" AND {column} >= '0001'"


def _any(field: Field, column: str, constraints: Constraints) -> Iterator[str]:  # noqa: ARG001
    yield from _enum(column, constraints, str, quoted)


_TYPES: Mapping[str, Callable[[Field, str, Constraints], Iterator[str]]] = {
    "string": _string,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "time": _time,
    "datetime": _datetime,
    "year": _year,
    "yearmonth": _yearmonth,
    "any": _any,
}


def is_plain(field: Field) -> bool:
    """Whether a whole number is nothing but a sign and digits."""
    return not field.descriptor.get("groupChar") and field.descriptor.get("bareNumber") is not False


def is_date(column: str) -> str:
    """Whether a text is a date: that of the day which the engine reads in it."""
    return f"(strlen({column}) = 10 AND {column} >= '0001-01-01' AND TRY_CAST({column} AS DATE)::VARCHAR = {column})"


def _needs_default(field: Field) -> None:
    if field.format != "default":
        raise UnknownError


def _bounds(field: Field, value: str, constraints: Constraints, literal: Callable[[Any], str]) -> Iterator[str]:
    for name, sign in _BOUNDS.items():
        if name in constraints:
            yield f"{value} {sign} {literal(field.kind.take(constraints.pop(name)))}"


def _enum(
    value: str, constraints: Constraints, take: Callable[[Any], Any], literal: Callable[[Any], str]
) -> Iterator[str]:
    if "enum" in constraints:
        said = constraints.pop("enum")
        if take is str:
            said = [each for each in said if isinstance(each, str)]
        yield f"{value} IN ({', '.join(map(literal, said))})" if said else "false"


# -- literals


def quoted(text: str) -> str:
    """A text in SQL."""
    if "\0" in text:
        raise UnknownError
    return "'" + text.replace("'", "''") + "'"


def one_of(column: str, texts: Sequence[str]) -> str:
    """Whether a column is one of some texts."""
    return f"{column} IN ({', '.join(map(quoted, texts))})" if texts else "false"


def _matches(column: str, expression: str) -> str:
    return f"regexp_full_match({column}, {quoted(expression)})"


def _escaped(character: str) -> str:
    return re.escape(character)


def _pattern(text: str) -> str:
    """The expression for the engine; it is none of what the engine has a limit for, or another meaning."""
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None or (token[0].startswith("{") and text[at - 1 : at] in ")}*+?"):
            raise UnknownError
        at = token.end()
    return text


def _whole(value: Any, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= most:
        raise UnknownError
    return value


def _bigint(value: Any) -> str:
    if not isinstance(value, int) or abs(value) >= 10**_MOST_DIGITS:
        raise UnknownError
    return str(value)


def _double(value: Decimal) -> str:
    found = float(value)
    if not abs(found) < 1e300:
        raise UnknownError
    return f"CAST({found!r} AS DOUBLE)"


def _iso(value: Any) -> str:
    """A date, time or datetime, if its text is in the order of what it means."""
    text = value.isoformat() if hasattr(value, "isoformat") else ""
    if not re.fullmatch(f"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}(?:T{_CLOCK})?|{_CLOCK}", text):
        raise UnknownError
    return quoted(text)
