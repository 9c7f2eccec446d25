"""Rows under a header: which cell is of which field, and what is wrong with a row."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from chalicelib.tableschema.field import REQUIRED, Field
from chalicelib.tableschema.kind import Problem
from chalicelib.tableschema.schema import Schema


class HeaderProblem(NamedTuple):
    """What is wrong with the header: a field is `missing`, a column is `extra`, or another one is in its place.

    `rule` is `missing`, `extra` or `order`, `name` that of the field, or of the column if it is extra; `words` complete
    "The header …".
    """

    rule: str
    name: str
    words: str


class _Place(NamedTuple):
    """Where the cells of a field are."""

    at: int
    field: Field


class Rows:
    """Judges rows of cells under a header; of a short row, the cells it has."""

    def __init__(self, schema: Schema, header: Sequence[str]) -> None:
        self._schema = schema
        places = tuple(_places(schema, header))
        self._places = places
        self.header_problems: tuple[HeaderProblem, ...] = tuple(_header_problems(schema, header, places))
        self._last = max((place.at for place in places), default=-1)
        self._judged = tuple(
            (index, field, field.missing_values, field.required, None if field.is_free else field.problems)
            for index, field in places
            if field.required or not field.is_free
        )
        self._rules = tuple(keyed(schema))
        at = {place.field.name: place for place in reversed(places)}
        self._keys = tuple(_places_of(rule, at) for rule in self._rules)

    @property
    def columns(self) -> Sequence[tuple[int, Field]]:
        """Which cell is of which field."""
        return self._places

    @property
    def judged(self) -> Sequence[tuple[int, Field]]:
        """The cells that may be wrong, by index and field, in the order in which a row's are judged."""
        return [(index, field) for index, field, *_ in self._judged]

    @property
    def compared(self) -> Sequence[Sequence[tuple[int, Field]] | None]:
        """Which cells make each key, in the order of `keys`; None if a column is missing."""
        return self._keys

    def judge(self, cells: Sequence[str]) -> Iterable[tuple[Field, int, Problem]]:
        """Every rule that a value of the row breaks, with the field and the index of the cell."""
        judged = self._judged
        if len(cells) <= self._last:
            judged = tuple(each for each in judged if each[0] < len(cells))
        found: list[tuple[Field, int, Problem]] = []
        for index, field, missing, required, problems in judged:
            cell = cells[index]
            if cell in missing:
                if required:
                    found.append((field, index, REQUIRED[0]))
            elif problems is not None:
                for problem in problems(cell):
                    found.append((field, index, problem))
        return found

    def judge_values(self, values: Sequence[object]) -> Iterator[tuple[Field, int, Problem]]:
        """The same of a row of native values under the header; None is no value."""
        for index, field in self._places:
            value = values[index]
            if field.is_missing(value):
                if field.required:
                    yield field, index, REQUIRED[0]
            else:
                for problem in field.problems_native(value):
                    yield field, index, problem

    def keys_of_values(self, values: Sequence[object]) -> tuple[Hashable | None, ...]:
        """The keys of a row of native values, as `keys` has them."""
        return tuple(None if places is None else _key_of_values(places, values) for places in self._keys)

    def keys(self, cells: Sequence[str]) -> tuple[Hashable | None, ...]:
        """What no other row may have: for each unique field, the primary key and each unique key.

        None for what is not compared: where a value is missing, or is not of its type.
        """
        return tuple(None if places is None else _key(places, cells) for places in self._keys)


def keyed(schema: Schema) -> Iterator[tuple[Field, ...]]:
    """The fields of everything that is unique, in the order of `Rows.keys`."""
    first = {field.name: field for field in reversed(schema.fields)}
    yield from ((field,) for field in schema.fields if field.unique)
    for key in ((schema.primary_key,) if schema.primary_key else ()) + schema.unique_keys:
        yield tuple(first[name] for name in key)


def _places_of(rule: Sequence[Field], at: Mapping[str, _Place]) -> tuple[_Place, ...] | None:
    """Where the fields of a rule are, None if one has no column."""
    places = [at.get(field.name) for field in rule]
    return tuple(place for place in places if place) if all(places) else None


def _key(places: Sequence[_Place], cells: Sequence[str]) -> Hashable | None:
    parts: list[Hashable] = []
    for index, field in places:
        if index >= len(cells) or cells[index] in field.missing_values:
            return None
        parts.append(_part(field.kind.read, field, cells[index]))
    return _whole(parts)


def _key_of_values(places: Sequence[_Place], values: Sequence[object]) -> Hashable | None:
    if any(field.is_missing(values[index]) for index, field in places):
        return None
    return _whole([_part(field.kind.take, field, values[index]) for index, field in places])


def key_of_members(fields: Sequence[Field], record: Mapping[str, object]) -> Hashable | None:
    """The key that those fields make of a record of JSON; None where it is not compared."""
    parts: list[Hashable] = []
    for field in fields:
        value = record.get(field.name)
        if field.is_missing(value):
            return None
        parts.append(_part(field.kind.take, field, value))
    return _whole(parts)


def _part(read: Callable[[Any], Any], field: Field, value: object) -> Hashable | None:
    try:
        return field.kind.key(read(value))
    except ValueError:
        return None


def _whole(parts: Sequence[Hashable | None]) -> Hashable | None:
    if None in parts:
        return None
    return parts[0] if len(parts) == 1 else tuple(parts)


def _places(schema: Schema, header: Sequence[str]) -> Iterator[_Place]:
    """Fields and columns by their order if they match exactly, by their names else; the first of a name first."""
    if schema.fields_match == "exact":
        yield from (_Place(index, field) for index, field in zip(range(len(header)), schema.fields, strict=False))
        return
    free: dict[str, list[int]] = {label: [] for label in header}
    for index, label in enumerate(header):
        free[label].append(index)
    for field in schema.fields:
        if free.get(field.name):
            yield _Place(free[field.name].pop(0), field)


def _header_problems(schema: Schema, header: Sequence[str], places: Sequence[_Place]) -> Iterator[HeaderProblem]:
    match = schema.fields_match
    if match == "exact":
        for index, field in places:
            if header[index] != field.name:
                words = f'must have "{field.name}" as column {index + 1:,}'
                yield HeaderProblem("order", field.name, words)
    if match == "partial" and not places:
        known = ", ".join(f'"{field.name}"' for field in schema.fields)
        yield HeaderProblem("missing", schema.fields[0].name, f"must have a column of the schema: one of {known}")
    elif len(places) < len(schema.fields):
        yield from _missing(schema, places)
    if match not in ("subset", "partial"):
        taken = {index for index, _ in places}
        for index, label in enumerate(header):
            if index not in taken:
                yield HeaderProblem("extra", label, f"has a column {index + 1:,} that is no field")


def _missing(schema: Schema, places: Sequence[_Place]) -> Iterator[HeaderProblem]:
    may_miss = schema.fields_match in ("superset", "partial")
    there = {id(field) for _, field in places}
    for field in schema.fields:
        if id(field) not in there and (field.required or not may_miss):
            yield HeaderProblem("missing", field.name, f'has no column "{field.name}"')
