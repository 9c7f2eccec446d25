"""Frictionless judges the same values alike, but for where it leaves the standard; that is written out here."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.tableschema.schemas import field, is_right

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import frictionless


def theirs(type_: str, cell: str, **properties: Any) -> tuple[bool, list[str]]:
    """Whether it takes a text, and the rules that it says are broken."""
    described = {"name": "a", "type": type_, "missingValues": ["\0"]} | properties
    _, notes = frictionless.Field.from_descriptor(described).read_cell(cell)
    return not (notes and "type" in notes), sorted(notes or ())


CELLS = {
    "integer": st.from_regex(r"[+-]?[0-9]{1,6}x?", fullmatch=True),
    "number": st.from_regex(r"-?[0-9]{0,4}\.?[0-9]{0,3}([eE]-?[0-9]{1,2})?x?", fullmatch=True),
    "boolean": st.sampled_from(["true", "True", "TRUE", "1", "false", "False", "FALSE", "0", "yes", "tRUE"]),
    "date": st.from_regex(r"(19|20)[0-9]{2}-[01][0-9]-[0-3][0-9]x?", fullmatch=True),
    "datetime": st.from_regex(r"(19|20)[0-9]{2}-0[0-9]-[0-3][0-9]T[0-2][0-3]:[0-6][0-9]:[0-6][0-9]", fullmatch=True),
    "year": st.from_regex(r"[0-9]{3,5}", fullmatch=True),
    "yearmonth": st.from_regex(r"[12][0-9]{3}-[01][0-9]", fullmatch=True),
    "duration": st.from_regex(
        r"-?P([0-9]Y)?([0-9]M)?([0-9]D)?(T([0-9]H)?([0-9]M)?([0-9](\.[0-9])?S)?)?", fullmatch=True
    ),
    "array": st.sampled_from(["[]", "[1]", "{}", "1", "[", "x"]),
    "object": st.sampled_from(["[]", '{"a": 1}', "{}", "1", "{", "x"]),
}


@pytest.mark.parametrize("type_", sorted(CELLS))
@given(data=st.data())
def test_a_value_is_of_its_type_for_both(type_: str, data: st.DataObject) -> None:
    cell = data.draw(CELLS[type_])
    assume(cell.isascii())
    if type_ == "year":
        assume(len(cell) < 5 and cell != "0000")  # XML Schema has longer years, and no year 0
    if type_ == "duration":
        assume(not cell.endswith(("P", "T")))  # XML Schema has none of these
    if type_ == "datetime":
        assume(not cell.startswith("24:00", 11))
    assert is_right(field(type_), cell) is theirs(type_, cell)[0], cell


@given(st.text("abc", max_size=5), st.integers(0, 4), st.integers(0, 4), st.sampled_from(["a.*", "[ab]+", "(a|bc)*"]))
def test_the_constraints_of_a_text_are_the_same_for_both(cell: str, least: int, most: int, pattern: str) -> None:
    constraints = {"minLength": least, "maxLength": most, "pattern": pattern, "enum": ["a", "ab", "abc", "bcbc"]}
    tested = field("string", constraints=constraints)
    assert (
        sorted(problem.rule for problem in tested.problems(cell)) == theirs("string", cell, constraints=constraints)[1]
    )


@given(st.integers(-3, 3), st.integers(-3, 3), st.integers(-3, 3), st.sampled_from(["integer", "number", "year"]))
def test_the_bounds_of_a_number_are_the_same_for_both(value: int, least: int, most: int, type_: str) -> None:
    shift = 2000 if type_ == "year" else 0
    constraints = {"minimum": least + shift, "maximum": most + shift}
    cell = str(value + shift)
    tested = field(type_, constraints=constraints)
    assert sorted(problem.rule for problem in tested.problems(cell)) == theirs(type_, cell, constraints=constraints)[1]
