"""Schemas of one field, and what they say of a value."""

from __future__ import annotations

from typing import Any

from chalicelib.tableschema import DescriptorError, Field, Problem, Schema


def field(type_: str | None = None, **properties: Any) -> Field:
    """A field named `a`."""
    typed = {} if type_ is None else {"type": type_}
    return Schema.of({"fields": [{"name": "a", **typed, **properties}]}).fields[0]


def constrained(type_: str | None = None, form: str = "default", **constraints: Any) -> Field:
    """A field with constraints."""
    return field(type_, format=form, constraints=constraints)


def judge(tested: Field, cell: str) -> Problem | None:
    """The first rule that a text breaks."""
    return next(iter(tested.problems(cell)), None)


def judge_native(tested: Field, value: object) -> Problem | None:
    """The first rule that a value of JSON breaks."""
    return next(iter(tested.problems_native(value)), None)


def is_right(tested: Field, cell: str) -> bool:
    """Whether a text is of the field's type, as all that tells of it agrees."""
    problem = judge(tested, cell)
    assert (problem is None) is (judge_native(tested, cell) is None)
    try:
        tested.value(cell)
    except ValueError:
        assert problem is not None
        assert problem.rule == "type"
        return False
    assert problem is None or problem.rule != "type"
    return True


def rules(tested: Field, cell: str) -> list[str]:
    """Every rule that a text breaks."""
    return [problem.rule for problem in tested.problems(cell)]


def refusal(descriptor: Any) -> tuple[str, str]:
    """Where and why a descriptor is refused."""
    try:
        Schema.of(descriptor)
    except DescriptorError as error:
        return error.place, error.reason
    raise AssertionError("it was not refused")


def field_refusal(**properties: Any) -> tuple[str, str]:
    """The same of a schema of one field, its place within the field."""
    place, reason = refusal({"fields": [{"name": "a", **properties}]})
    return place.removeprefix("fields[0]").removeprefix("."), reason
