"""Records of JSON are held to a schema's fields by their members, each once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.contracts import Contract
from chalicelib.inspection import Limits, inspect
from chalicelib.tableschema import Records, Schema

FIELDS = [
    {"name": "a", "type": "integer", "constraints": {"required": True}},
    {"name": "b", "constraints": {"enum": ["x", "y"]}},
    {"name": "c", "type": "string"},
]
MATCHES = ["exact", "equal", "subset", "superset", "partial"]
VALUES: st.SearchStrategy[Any] = st.sampled_from([None, "", "x", "y", "z", 1, 1.0, True, "1", [], {}])
RECORDS = st.dictionaries(st.sampled_from(["a", "b", "c", "d", "\ud800"]), VALUES, max_size=5)


def naive_problems(record: dict[str, Any], match: str) -> list[tuple[str | None, str]]:
    """What is wrong, each rule written out."""
    found: list[tuple[str | None, str]] = []
    for name in "abc":
        value = record.get(name)
        if value is None or value == "":
            if name == "a":
                found.append((name, "required"))
            elif name not in record and match in ("exact", "equal", "subset"):
                found.append((name, "missing"))
        elif (name == "a" and not (value in (1, "1") and value is not True)) or (
            name == "c" and type(value) is not str
        ):
            found.append((name, "type"))
        elif name == "b" and value not in ("x", "y"):
            found.append((name, "enum"))
    if match in ("exact", "equal", "superset"):
        found += [(name, "extra") for name in record if name not in "abc"]
    if match == "partial" and not found and not record.keys() & set("abc"):
        found.append((None, "missing"))
    return found


@given(st.lists(RECORDS, max_size=6), st.sampled_from(MATCHES))
def test_each_record_is_held_to_the_fields_and_each_absence_told_once(rows: list[dict[str, Any]], match: str) -> None:
    records = Records(Schema.of({"fields": FIELDS, "fieldsMatch": match}))
    for row in rows * 2:
        told = [(name, problem.rule) for name, problem in records.judge(row)]
        assert told == naive_problems(row, match)


@pytest.mark.parametrize("match", MATCHES)
def test_order_of_members_means_nothing(match: str) -> None:
    records = Records(Schema.of({"fields": FIELDS, "fieldsMatch": match}))
    assert not records.judge({"c": "", "b": "x", "a": 1})


def test_other_members_are_named_where_they_stand_and_counted_together() -> None:
    fields = [{"name": "a"}]
    contract = Contract.of(json.dumps({"name": "x", "match": "**", "schema": {"fields": fields}}))
    lines = b"".join(b'{"a":1,"other%d":1}\n' % number for number in range(50))
    report = inspect([lines], name="a.jsonl", contract=contract, limits=Limits(findings_per_code=2, name_length=6))
    assert report.counts == {"extra-field": 50}
    assert [(found.row, found.line, found.field) for found in report.findings] == [(1, 1, "other0"), (2, 2, "other1")]
    assert report.contract
    assert [(rule.code, rule.field, rule.count) for rule in report.contract.broken_rules] == [("extra-field", None, 50)]


def test_extra_columns_are_extra_members_too() -> None:
    described = {"name": "x", "match": "**", "schema": {"fields": [{"name": "a"}]}, "extraColumns": True}
    contract = Contract.of(json.dumps(described))
    assert not inspect([b'{"b":1,"a":1}\n{"a":2}\n'], name="a.jsonl", contract=contract).findings
    assert inspect([b'{"b":1}\n{"a":2}\n'], name="a.jsonl", contract=contract).counts == {"missing-field": 1}
