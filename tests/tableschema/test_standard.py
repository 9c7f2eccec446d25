"""The standard's own examples, file by file, as its text has them."""

from __future__ import annotations

import csv
from typing import Any

import pytest

from chalicelib.tableschema import Rows, Schema, Uniqueness

ID, NAME = {"name": "id", "type": "integer"}, {"name": "name", "type": "string"}


def named(**constraints: Any) -> list[dict[str, Any]]:
    return [ID, NAME | {"constraints": constraints}]


def priced(type_: str, **constraints: Any) -> list[dict[str, Any]]:
    return [ID, NAME, {"name": "price", "type": type_, "constraints": constraints}]


def broken(descriptor: dict[str, Any], text: str) -> list[tuple[int, str, str]]:
    """Every rule that a file breaks: the row, the field and the rule."""
    header, *table = csv.reader(text.splitlines())
    schema = Schema.of(descriptor)
    rows, uniqueness = Rows(schema, header), Uniqueness(1 << 20)
    found = [(0, problem.name, problem.rule) for problem in rows.header_problems]
    for number, cells in enumerate(table, 1):
        found += [(number, field.name, problem.rule) for field, _, problem in rows.judge(cells)]
        for rule, key in enumerate(rows.keys(cells)):
            if key is not None and uniqueness.seen(rule, key):
                found.append((number, str(rule), "unique"))
    return found


FRUIT = "id,name\n1,apple\n2,orange\n"
PRICES = "id,name,price\n1,apple,100\n2,orange,{}\n"


@pytest.mark.parametrize(
    ("fields", "text", "expected"),
    [
        (named(required=True), "id,name\n1,apple\n2,\n", [(2, "name", "required")]),
        (named(unique=True), "id,name\n1,apple\n2,apple\n", [(2, "0", "unique")]),
        (named(minLength=5), "id,name\n1,apple\n2,plum\n", [(2, "name", "minLength")]),
        (named(maxLength=5), "id,name\n1,apple\n2,grapefruit\n", [(2, "name", "maxLength")]),
        (named(pattern="^a.*$"), FRUIT, [(2, "name", "pattern")]),
        (named(enum=["apple"]), FRUIT, [(2, "name", "enum")]),
        (priced("integer", minimum=100), PRICES.format(50), [(2, "price", "minimum")]),
        (priced("integer", maximum=100), PRICES.format(150), [(2, "price", "maximum")]),
        (priced("integer", exclusiveMinimum=0), PRICES.format(0), [(2, "price", "exclusiveMinimum")]),
        (priced("integer", exclusiveMaximum=150), PRICES.format(150), [(2, "price", "exclusiveMaximum")]),
        ([{"name": "id", "type": "any"}, {"name": "name", "type": "any"}], FRUIT, []),
    ],
)
def test_a_file_of_the_standard_is_judged_as_its_text_says(
    fields: list[dict[str, Any]], text: str, expected: list[tuple[int, str, str]]
) -> None:
    assert broken({"fields": fields}, text) == expected


def test_the_missing_values_of_a_field_are_those_it_says_and_of_others_those_of_the_schema() -> None:
    descriptor = {
        "fields": [
            {"name": "column1", "type": "integer"},
            {"name": "column2", "type": "integer", "missingValues": ["-"]},
        ],
        "missingValues": ["", "NA"],
    }
    text = "column1,column2\n,-\nNA,-\n-,\n1,NA\n"
    assert broken(descriptor, text) == [(3, "column1", "type"), (3, "column2", "type"), (4, "column2", "type")]


def test_unique_keys_leave_out_rows_with_a_null() -> None:
    descriptor = {
        "fields": [{"name": "a"}, {"name": "b"}, {"name": "c"}],
        "uniqueKeys": [["a"], ["a", "b"], ["a", "c"]],
    }
    assert broken(descriptor, "a,b,c\n1,x,x\n2,x,x\n,x,x\n,x,x\n3,,\n") == []
    assert broken(descriptor, "a,b,c\n1,x,x\n1,x,y\n") == [(2, "0", "unique"), (2, "1", "unique")]


def test_the_fields_of_a_primary_key_are_required() -> None:
    descriptor = {"fields": [{"name": "a"}, {"name": "b"}, {"name": "c"}], "primaryKey": ["a", "c"]}
    assert broken(descriptor, "a,b,c\n1,,1\n1,,2\n1,,\n,,\n1,,2\n") == [
        (3, "c", "required"),
        (4, "a", "required"),
        (4, "c", "required"),
        (5, "0", "unique"),
    ]


@pytest.mark.parametrize(
    ("type_", "examples"),
    [
        ("number", ["-1.23", "12678967.543233", "+100000.00", "210", "NaN", "INF", "-INF", "53E10"]),
        ("datetime", ["2024-01-26T15:00:00", "2024-01-26T15:00:00.300-05:00"]),
        ("date", ["2024-01-26"]),
        ("time", ["15:00:00"]),
        ("list", ["value1,value2"]),
    ],
)
def test_a_value_that_the_standard_gives_as_an_example_is_right(type_: str, examples: list[str]) -> None:
    text = "a\n" + "".join(f'"{example}"\n' for example in examples)
    assert broken({"fields": [{"name": "a", "type": type_}]}, text) == []


def test_a_pattern_of_a_date_with_a_time_is_that_of_the_standard() -> None:
    descriptor = {"fields": [{"name": "a", "type": "datetime", "format": "%d/%m/%Y %H:%M:%S"}]}
    assert broken(descriptor, "a\n12/11/2018 09:15:32\n2018-11-12T09:15:32\n") == [(2, "a", "type")]
