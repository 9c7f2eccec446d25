"""Constraints, categories, and what a descriptor may say: what is refused, where and why."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.tableschema import DescriptorError, Schema
from chalicelib.tableschema.constraints import CONSTRAINTS
from chalicelib.tableschema.kinds import TYPES
from tests.tableschema.schemas import constrained, field, field_refusal, judge, judge_native, refusal, rules

BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
VALUES = {
    "integer": "1", "number": "1.5", "date": "2024-01-01", "time": "15:00:00", "datetime": "2024-01-01T00:00:00",
    "duration": "P1D", "year": "2024", "yearmonth": "2024-01", "string": "a", "boolean": "true", "list": "a,b",
    "array": "[1]", "object": '{"a": 1}', "any": "a",
}  # fmt: skip
APPLY = {
    "pattern": frozenset({"string"}),
    **dict.fromkeys(("minLength", "maxLength"), frozenset({"string", "list", "array", "object"})),
    **dict.fromkeys(
        BOUNDS, frozenset({"integer", "number", "date", "time", "datetime", "duration", "year", "yearmonth"})
    ),
}


@given(st.integers(-5, 5), st.integers(-5, 5))
def test_bounds_hold_as_python_compares(bound: int, value: int) -> None:
    expected = [
        name
        for name, holds in zip(BOUNDS, (value >= bound, value <= bound, value > bound, value < bound), strict=True)
        if not holds
    ]
    for type_ in ("integer", "number"):
        assert rules(field(type_, constraints=dict.fromkeys(BOUNDS, bound)), str(value)) == expected
        assert rules(constrained(type_, **dict.fromkeys(BOUNDS, str(bound))), str(value)) == expected


@given(st.dates(), st.dates())
def test_bounds_of_dates_hold_as_python_compares(bound: date, value: date) -> None:
    expected = [
        name
        for name, holds in zip(BOUNDS, (value >= bound, value <= bound, value > bound, value < bound), strict=True)
        if not holds
    ]
    assert rules(constrained("date", **dict.fromkeys(BOUNDS, bound.isoformat())), value.isoformat()) == expected


@given(st.text(max_size=6), st.integers(0, 5), st.integers(0, 5))
def test_lengths_are_of_characters(text: str, least: int, most: int) -> None:
    expected = ["minLength"] * (len(text) < least) + ["maxLength"] * (len(text) > most)
    assert rules(constrained("string", minLength=least, maxLength=most), text) == expected


@given(st.lists(st.text(max_size=2), min_size=1, unique=True), st.text(max_size=2))
def test_a_value_of_an_enum_is_one_of_them_exactly(values: list[str], text: str) -> None:
    assert (rules(constrained("string", enum=values), text) == []) is (text in values)


@pytest.mark.parametrize("type_", sorted(TYPES))
def test_every_type_may_be_required_unique_and_listed(type_: str) -> None:
    tested = constrained(type_, required=True, unique=True, enum=[VALUES[type_]])
    assert (tested.required, tested.unique) == (True, True)
    assert rules(tested, VALUES[type_]) == []


@pytest.mark.parametrize("type_", sorted(TYPES))
@pytest.mark.parametrize("name", sorted(APPLY))
def test_a_constraint_is_for_the_types_of_the_standard_and_refused_for_others(name: str, type_: str) -> None:
    value = {"pattern": "a", "minLength": 1, "maxLength": 1}.get(name, VALUES[type_])
    if type_ in APPLY[name]:
        assert field(type_, constraints={name: value}).type == type_
    else:
        place, reason = field_refusal(type=type_, constraints={name: value})
        assert (place, f'no constraint of type "{type_}"' in reason) == (f"constraints.{name}", True)


def test_every_rule_that_a_value_breaks_is_told_and_its_words_quote_no_value() -> None:
    tested = constrained("string", minLength=3, pattern="[a-z]*", enum=["abc", "def"])
    assert rules(tested, "SECRET"[:2]) == ["minLength", "pattern", "enum"]
    assert [problem.words for problem in tested.problems("S")] == [
        "must have at least 3 characters",
        "must be of the pattern [a-z]*",
        "must be one of abc, def",
    ]


@pytest.mark.parametrize(
    ("tested", "cell", "words"),
    [
        (field("integer"), "x", "must be an integer"),
        (constrained("integer", minimum=0), "-1", "must be at least 0"),
        (constrained("number", maximum="1.50"), "2", "must be at most 1.50"),
        (constrained("number", exclusiveMinimum=0.5), "0", "must be more than 0.5"),
        (constrained("date", exclusiveMaximum="2024-01-01"), "2025-01-01", "must be less than 2024-01-01"),
        (constrained("string", maxLength=1), "ab", "must have at most 1 character"),
        (constrained("array", minLength=1), "[]", "must have at least 1 item"),
        (constrained("integer", enum=list(range(12))), "99", "must be one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more"),
        (constrained("string", enum=["", "a"]), "b", 'must be one of "", a'),
        (field("date", format="%d/%m/%Y"), "x", "must be a date of the form %d/%m/%Y"),
        (field("list", itemType="date"), "x", "must be a list of dates"),
    ],
)  # fmt: skip
def test_the_words_say_the_rule(tested: Any, cell: str, words: str) -> None:
    assert [problem.words for problem in tested.problems(cell)] == [words]


def test_a_field_without_a_type_is_any_but_a_string_with_constraints_of_strings_as_in_version_1() -> None:
    assert field().type == "any"
    assert constrained(minLength=2).type == "string"
    assert rules(constrained(minLength=2), "a") == ["minLength"]
    assert field_refusal(type="any", constraints={"minLength": 2})[0] == "constraints.minLength"


# -- categories


def test_a_value_is_of_one_of_the_categories() -> None:
    assert rules(field("string", categories=["apple", "orange"]), "kiwi") == ["enum"]
    fruit = field("integer", categories=[{"value": 0, "label": "apple"}, {"value": 1}], categoriesOrdered=True)
    assert [rules(fruit, text) for text in ("0", "01", "2")] == [[], [], ["enum"]]
    both = field("string", categories=["a", "b"], constraints={"enum": ["a"]})
    assert [rules(both, text) for text in ("a", "b", "c")] == [[], ["enum"], ["enum"]]


@pytest.mark.parametrize(
    ("properties", "place", "reason"),
    [
        ({"type": "number", "categories": [1]}, "categories", "for fields of type string or integer"),
        ({"categories": ["a"]}, "categories", "for fields of type string or integer"),
        ({"type": "string", "categories": []}, "categories", "not be empty"),
        ({"type": "string", "categories": ["a", "a"]}, "categories", "a value twice"),
        ({"type": "string", "categories": [1]}, "categories[0]", "must be a"),
        ({"type": "integer", "categories": ["x"]}, "categories[0]", "not of the field's type"),
        ({"type": "integer", "categories": [True]}, "categories[0]", "must be a"),
        ({"type": "string", "categories": [{"label": "a"}]}, "categories[0]", "must be a"),
        ({"type": "string", "categories": [{"value": "a"}, "b"]}, "categories[1]", "must be an object"),
        ({"type": "string", "categories": [{"value": "a", "label": 1}]}, "categories[0].label", "must be a text"),
        (
            {"type": "string", "categories": [{"value": "a", "label": "x"}, {"value": "b", "label": "x"}]},
            "categories",
            "a label twice",
        ),
        ({"type": "string", "categories": ["a"], "categoriesOrdered": 1}, "categoriesOrdered", "true or false"),
        ({"type": "string", "categories": ["a"], "constraints": {"enum": ["b"]}}, "constraints.enum[0]", "categories"),
    ],
)
def test_categories_that_are_wrong_are_refused(properties: dict[str, Any], place: str, reason: str) -> None:
    found, why = field_refusal(**properties)
    assert found == place
    assert reason in why


# -- descriptors


@pytest.mark.parametrize(
    ("constraints", "place", "reason"),
    [
        ({"minimun": 1}, "minimun", 'did you mean "minimum"?'),
        ({"Required": True}, "Required", 'did you mean "required"?'),
        ({"foo": 1}, "foo", "known are enum, exclusiveMaximum"),
        ({"required": "true"}, "required", "true or false"),
        ({"unique": 1}, "unique", "true or false"),
        ({"minimum": "x"}, "minimum", "not of the field's type and format: must be an integer"),
        ({"minimum": 1.5}, "minimum", "not of the field's type"),
        ({"minimum": None}, "minimum", "not of the field's type"),
        ({"enum": []}, "enum", "not empty"),
        ({"enum": [1, 1]}, "enum", "each once"),
        ({"enum": "1"}, "enum", "must be an array"),
        ({"enum": [1, "x"]}, "enum[1]", "not of the field's type"),
    ],
)
def test_a_constraint_that_is_wrong_is_refused(constraints: dict[str, Any], place: str, reason: str) -> None:
    found, why = field_refusal(type="integer", constraints=constraints)
    assert found == f"constraints.{place}"
    assert reason in why


@pytest.mark.parametrize(
    ("properties", "place", "reason"),
    [
        ({"type": "string", "constraints": {"minLength": -1}}, "constraints.minLength", "0 or more"),
        ({"type": "string", "constraints": {"maxLength": True}}, "constraints.maxLength", "0 or more"),
        ({"type": "string", "constraints": {"maxLength": "5"}}, "constraints.maxLength", "0 or more"),
        ({"type": "string", "constraints": {"pattern": 5}}, "constraints.pattern", "must be a text"),
        ({"type": "object", "constraints": {"jsonSchema": {}}}, "constraints.jsonSchema", "not supported"),
        ({"type": "date", "constraints": {"minimum": 2024}}, "constraints.minimum", "not of the field's type"),
        ({"constraints": []}, "constraints", "must be an object"),
        ({"required": True}, "required", "write it in constraints"),
        ({"name": 5}, "name", "must be a text"),
        ({"missingValues": "-"}, "missingValues", "must be an array"),
        ({"missingValues": ["-", "-"]}, "missingValues", "twice"),
        ({"missingValues": [0]}, "missingValues[0]", "must be a text"),
        ({"missingValues": [{"value": 0}]}, "missingValues[0]", "must be a text"),
        ({"missingValues": [{"value": "-"}, "x"]}, "missingValues[1]", "must be an object"),
    ],
)
def test_a_property_that_is_wrong_is_refused(properties: dict[str, Any], place: str, reason: str) -> None:
    found, why = field_refusal(**properties)
    assert found == place
    assert reason in why


@pytest.mark.parametrize(
    ("descriptor", "place", "reason"),
    [
        ([], "", "must be an object"),
        ({}, "fields", "is missing"),
        ({"fields": []}, "fields", "not be empty"),
        ({"fields": {}}, "fields", "must be an array"),
        ({"fields": ["a"]}, "fields[0]", "must be an object"),
        ({"fields": [{"name": "a"}, {"type": "string"}]}, "fields[1].name", "is missing"),
        ({"fields": [{"name": "a"}], "primaryKey": "b"}, "primaryKey", 'no field "b"'),
        ({"fields": [{"name": "a"}], "primaryKey": []}, "primaryKey", "not empty"),
        ({"fields": [{"name": "a"}], "primaryKey": ["a", "a"]}, "primaryKey", "twice"),
        ({"fields": [{"name": "a"}], "primaryKey": [1]}, "primaryKey", "name of a field"),
        ({"fields": [{"name": "a"}], "uniqueKeys": []}, "uniqueKeys", "not be empty"),
        ({"fields": [{"name": "a"}], "uniqueKeys": [["a"], ["c"]]}, "uniqueKeys[1]", 'no field "c"'),
        ({"fields": [{"name": "a"}], "uniqueKeys": [["a"], ["a"]]}, "uniqueKeys", "twice"),
        ({"fields": [{"name": "a"}], "uniqueKeys": [{}]}, "uniqueKeys[0]", "name of a field"),
        ({"fields": [{"name": "a"}], "foreignKeys": [{"fields": "a"}]}, "foreignKeys", "not supported"),
        ({"fields": [{"name": "a"}], "fieldsMatch": "supset"}, "fieldsMatch", 'did you mean "superset"?'),
        ({"fields": [{"name": "a"}], "fieldsMatch": []}, "fieldsMatch", "must be a text"),
        ({"fields": [{"name": "a"}], "missingValues": [None]}, "missingValues[0]", "must be a text"),
    ],
)
def test_a_schema_that_is_wrong_is_refused(descriptor: Any, place: str, reason: str) -> None:
    found, why = refusal(descriptor)
    assert found == place
    assert reason in why


def test_what_the_standard_does_not_know_is_ignored_and_both_versions_are_read() -> None:
    schema = Schema.of(
        {
            "$schema": "https://datapackage.org/profiles/2.0/tableschema.json",
            "fields": [{"name": "a", "title": "A", "rdfType": "http://x", "example": 1, "custom": {}}, {"name": "b"}],
            "missingValues": [{"value": "", "label": "OMITTED"}, {"value": "-99", "label": "REFUSED"}],
            "primaryKey": "a",
            "uniqueKeys": ["b", ["a", "b"]],
            "fieldsMatch": ["equal"],
            "foreignKeys": [],
            "custom": 5,
        }
    )
    assert schema.missing_values == ("", "-99")
    assert (schema.primary_key, schema.unique_keys) == (("a",), (("b",), ("a", "b")))
    assert schema.fields_match == "equal"
    assert [each.required for each in schema.fields] == [True, False]
    plain = Schema.of({"fields": [{"name": "a"}, {"name": "a"}], "uniqueKeys": "a"})
    assert (plain.missing_values, plain.primary_key, plain.unique_keys, plain.fields_match) == (
        ("",), (), (("a",),), "exact"
    )  # fmt: skip


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(sorted(TYPES)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
NAMES = ("type", "format", "constraints", "missingValues", "categories", "groupChar", "decimalChar", "bareNumber",
         "trueValues", "delimiter", "itemType", "name", "categoriesOrdered")  # fmt: skip


@given(
    st.dictionaries(st.sampled_from(NAMES), JSON),
    st.sampled_from(sorted(TYPES)),
    st.dictionaries(st.sampled_from(sorted(CONSTRAINTS)), JSON, max_size=3),
    st.text(max_size=5),
)
def test_no_descriptor_makes_anything_but_a_schema_or_its_mistake(
    properties: dict[str, Any], type_: str, constraints: dict[str, Any], cell: str
) -> None:
    with suppress(DescriptorError):
        schema = Schema.of({"fields": [{"name": "a", "type": type_, "constraints": constraints} | properties]})
        problems = (judge(schema.fields[0], cell), judge_native(schema.fields[0], cell))
        assert problems[0] == problems[1]
