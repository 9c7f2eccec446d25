"""One field of a schema: what its values must be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from chalicelib.tableschema.constraints import CONSTRAINTS, OF_STRINGS, Check, checks, one_of
from chalicelib.tableschema.descriptor import Properties, is_unique
from chalicelib.tableschema.kind import Kind, Problem
from chalicelib.tableschema.kinds import kind_of

Problems = Sequence[Problem]
_CATEGORICAL = ("string", "integer")
_OLD_PREFIX = "fmt:"
_NONE: Problems = ()
REQUIRED: Problems = (Problem("required", "must have a value"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field as its descriptor says it; it judges values that are there, not those that are missing.

    `problems` tells of every rule that a text breaks, `problems_native` of every rule that a value of JSON breaks; a
    text in JSON is taken as it would be in a table of texts.
    """

    name: str
    type: str
    format: str
    required: bool
    unique: bool
    missing_values: frozenset[str]
    kind: Kind = field(repr=False)
    problems: Callable[[str], Problems] = field(repr=False)
    problems_native: Callable[[object], Problems] = field(repr=False)
    is_free: bool
    """Whether any text is right."""
    descriptor: Mapping[str, Any] = field(repr=False, compare=False)
    """What it was made of; it was checked."""

    def judge_cell(self, cell: str) -> Problems:
        """Everything that is wrong with a cell, which may hold no value."""
        if cell in self.missing_values:
            return REQUIRED if self.required else _NONE
        return self.problems(cell)

    def value(self, cell: str) -> Any:
        """The value that a text is; raises ValueError."""
        return self.kind.read(cell)

    def is_missing(self, value: object) -> bool:
        """Whether a value of JSON is none."""
        return value is None or (isinstance(value, str) and value in self.missing_values)

    def needed(self) -> Field:
        """The field, required."""
        return replace(self, required=True)


def field_of(descriptor: object, place: str, missing_values: Sequence[str]) -> Field:
    """The field of a descriptor; raises DescriptorError."""
    said = Properties(descriptor, place)
    if "name" not in said:
        raise said.refused("name", "is missing")
    for name in CONSTRAINTS & set(said):
        raise said.refused(name, "is a constraint: write it in constraints")
    constraints = said.properties("constraints")
    type_ = said.text("type", "string" if OF_STRINGS & set(constraints) else "any")
    form = said.text("format", "default").removeprefix(_OLD_PREFIX)
    kind = kind_of(type_, form, said)
    categories = _categories(said, kind, type_)
    # What enum lists are categories, so a value that is none of these is told of once.
    judging = (*(() if "enum" in constraints else categories), *checks(constraints, kind, type_))
    return Field(
        name=said.text("name", ""),
        type=type_,
        format=form,
        required=constraints.flag("required", default=False),
        unique=constraints.flag("unique", default=False),
        missing_values=frozenset(missing_values_of(said, missing_values)),
        kind=kind,
        problems=_judging_texts(kind, judging),
        problems_native=_judging(kind.take, kind, judging),
        is_free=not judging and (type_, form) in (("any", "default"), ("string", "default")),
        descriptor=dict(said.all),
    )


def missing_values_of(said: Properties, default: Sequence[str]) -> Sequence[str]:
    """Which texts are no values: `missingValues` of a schema or a field, whose items are texts or say a `value`."""
    if "missingValues" not in said:
        return default
    return _labelled(said, "missingValues", str)


def _labelled(said: Properties, name: str, *kinds: type) -> Sequence[Any]:
    """Values, each once, or objects with a value and perhaps a label, each once."""
    items = said.array(name)
    if any(isinstance(item, dict) for item in items):
        objects = [Properties(item, said.place(f"{name}[{index}]")) for index, item in enumerate(items)]
        labels = [entry.text("label", "") for entry in objects if "label" in entry]
        if not is_unique(labels):
            raise said.refused(name, "has a label twice")
        items = [entry.given("value") for entry in objects]
    for index, item in enumerate(items):
        if not isinstance(item, kinds) or isinstance(item, bool):
            wanted = "a whole number or a text" if int in kinds else "a text"
            raise said.refused(f"{name}[{index}]", f"must be {wanted}, or an object with one as its value")
    if not is_unique(items):
        raise said.refused(name, "has a value twice")
    return items


def _categories(said: Properties, kind: Kind, type_: str) -> tuple[Check, ...]:
    """That a value is of one of the `categories`, and that `enum` lists no other."""
    said.flag("categoriesOrdered", default=False)
    if "categories" not in said:
        return ()
    if type_ not in _CATEGORICAL:
        raise said.refused("categories", f'is for fields of type {" or ".join(_CATEGORICAL)}, not of "{type_}"')
    values = _labelled(said, "categories", *((str,) if type_ == "string" else (int, str)))
    if not values:
        raise said.refused("categories", "must not be empty")
    known = one_of(said, "categories", values, kind)
    constraints = said.properties("constraints")
    for index, value in enumerate(constraints.array("enum")):
        try:
            is_known = known.holds(kind.take(value))
        except ValueError:
            continue
        if not is_known:
            raise constraints.refused(f"enum[{index}]", "is none of the field's categories")
    return (known,)


def _judging(read: Callable[[Any], Any], kind: Kind, judging: Sequence[Check]) -> Callable[[Any], Problems]:
    of_type: Problems = (Problem("type", kind.words),)

    def problems(value: Any) -> Problems:
        try:
            found = read(value)
        except ValueError:
            return of_type
        broken = [problem for holds, problem in judging if not holds(found)]
        return broken or _NONE

    return problems


def _judging_texts(kind: Kind, judging: Sequence[Check]) -> Callable[[str], Problems]:
    if judging:
        return _judging(kind.read, kind, judging)
    is_right, of_type = kind.is_right, (Problem("type", kind.words),)
    return lambda cell: _NONE if is_right(cell) else of_type
