"""The constraints of a field: checked when they are read, and each made into what judges a value."""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from chalicelib.tableschema.descriptor import Properties, is_unique, unknown
from chalicelib.tableschema.kind import Kind, Problem, same
from chalicelib.tableschema.kinds import TYPES
from chalicelib.tableschema.pattern import pattern

_ORDERED = frozenset({"integer", "number", "date", "time", "datetime", "duration", "year", "yearmonth"})
_SIZED = frozenset({"string", "list", "array", "object"})
_BOUNDS: Mapping[str, tuple[Callable[[Any, Any], bool], str]] = {
    "minimum": (operator.ge, "must be at least"),
    "maximum": (operator.le, "must be at most"),
    "exclusiveMinimum": (operator.gt, "must be more than"),
    "exclusiveMaximum": (operator.lt, "must be less than"),
}
_LENGTHS: Mapping[str, tuple[Callable[[Any, Any], bool], str]] = {
    "minLength": (operator.ge, "at least"),
    "maxLength": (operator.le, "at most"),
}
OF_STRINGS = frozenset({"minLength", "maxLength", "pattern"})
"""Constraints that make a string of a field without a type, as it was in version 1 of the standard."""
_FOR: Mapping[str, frozenset[str]] = {
    "required": TYPES,
    "unique": TYPES,
    "enum": TYPES,
    "pattern": frozenset({"string"}),
    "jsonSchema": frozenset({"array", "object"}),
    **dict.fromkeys(_BOUNDS, _ORDERED),
    **dict.fromkeys(_LENGTHS, _SIZED),
}
CONSTRAINTS = frozenset(_FOR)
_MOST_LISTED = 10
_LONGEST = 60


class Check(NamedTuple):
    """What a value must hold to, and what is said if it does not."""

    holds: Callable[[Any], bool]
    problem: Problem


def checks(said: Properties, kind: Kind, type_: str) -> tuple[Check, ...]:
    """What the constraints ask of a value that is there; raises DescriptorError."""
    for name in said:
        if name not in _FOR:
            raise said.refused(name, unknown(name, _FOR, kind="constraint"))
        if type_ not in _FOR[name]:
            raise said.refused(name, f'is no constraint of type "{type_}", but of {", ".join(sorted(_FOR[name]))}')
    if "jsonSchema" in said:
        raise said.refused("jsonSchema", "is not supported: leave it out, and check the values behind the inspection")
    return (*_bounds(said, kind), *_lengths(said, type_), *_pattern(said), *_enum(said, kind))


def _bounds(said: Properties, kind: Kind) -> Iterator[Check]:
    for name, (compare, words) in _BOUNDS.items():
        if name not in said:
            continue
        bound = kind.order(_value(said, name, said.given(name), kind))
        if isinstance(bound, Decimal) and bound.is_nan():
            raise said.refused(name, "must be a number that others can be compared with")
        problem = Problem(name, f"{words} {shown(said.given(name))}")
        yield Check(_comparison(compare, bound, kind), problem)


def _comparison(compare: Callable[[Any, Any], bool], bound: Any, kind: Kind) -> Callable[[Any], bool]:
    """Whether a value is on the right side of a bound; NaN is on no side."""
    if isinstance(bound, Decimal):
        return lambda value: value == value and compare(value, bound)  # noqa: PLR0124 - NaN alone is not
    if kind.order is same:
        return lambda value: compare(value, bound)
    return lambda value: compare(kind.order(value), bound)


def _lengths(said: Properties, type_: str) -> Iterator[Check]:
    noun = "character" if type_ == "string" else "member" if type_ == "object" else "item"
    for name, (compare, words) in _LENGTHS.items():
        if name in said:
            limit = said.count(name)
            text = f"must have {words} {limit:,} {noun}{'' if limit == 1 else 's'}"
            yield Check(_length(compare, limit), Problem(name, text))


def _length(compare: Callable[[Any, Any], bool], limit: int) -> Callable[[Any], bool]:
    return lambda value: compare(len(value), limit)


def _pattern(said: Properties) -> Iterator[Check]:
    if "pattern" in said:
        text = said.text("pattern", "")
        try:
            matches = pattern(text)
        except ValueError as error:
            raise said.refused("pattern", str(error)) from None
        yield Check(matches, Problem("pattern", f"must be of the pattern {text}"))


def _enum(said: Properties, kind: Kind) -> Iterator[Check]:
    if "enum" not in said:
        return
    values = said.array("enum")
    if not values or not is_unique(values):
        raise said.refused("enum", "must be an array of values, each once, and not empty")
    yield one_of(said, "enum", values, kind)


def one_of(said: Properties, name: str, values: Any, kind: Kind) -> Check:
    """That a value is one of some; raises DescriptorError if one of them is not of the kind."""
    keys = {kind.key(_value(said, f"{name}[{index}]", value, kind)) for index, value in enumerate(values)}
    listed = ", ".join(shown(value) for value in values[:_MOST_LISTED])
    more = f" and {len(values) - _MOST_LISTED:,} more" if len(values) > _MOST_LISTED else ""
    return Check(lambda value: kind.key(value) in keys, Problem("enum", f"must be one of {listed}{more}"))


def _value(said: Properties, place: str, value: object, kind: Kind) -> Any:
    try:
        return kind.take(value)
    except ValueError:
        raise said.refused(place, f"is not of the field's type and format: {kind.words}") from None


def shown(value: object) -> str:
    """A value of a descriptor, in words."""
    if isinstance(value, str) and value:
        return value[:_LONGEST]
    if isinstance(value, Decimal):
        return str(value)[:_LONGEST]
    return json.dumps(value, ensure_ascii=False, default=str)[:_LONGEST]
