"""Workbooks under a contract: texts are judged as in a text, and other values as what they are."""

from __future__ import annotations

import json
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from chalicelib.contracts import Contract
from chalicelib.inspection import Report, inspect
from chalicelib.tableschema import Rows, Schema
from tests.inspection.strategies import EVERYTHING
from tests.inspection.test_contracted import ROWS, SCHEMA, contract, contract_findings, table, under
from tests.inspection.workbooks import book, changed, workbook, written
from tests.inspection.workbooks import sheet as sheet_of

NOON = datetime(2026, 11, 23, 12)  # noqa: DTZ001 - a cell has no zone
MIDNIGHT = NOON.replace(hour=0)


def judged(content: bytes, **keywords: Any) -> Report:
    return inspect([content], name="a.xlsx", contract=contract(**keywords), limits=EVERYTHING)


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def in_texts(rows: list[Any]) -> bytes:
    """A workbook with these texts in its cells; none is empty."""
    cells = (
        "".join(f'<c t="inlineStr"><is><t>{escaped(cell)}</t></is></c>' if cell else "<c/>" for cell in row)
        for row in rows
    )
    return workbook("".join(f"<row>{row}</row>" for row in cells))


@given(ROWS)
def test_texts_in_cells_break_the_rules_that_they_break_in_a_text(rows: list[Any]) -> None:
    rows = [row for row in rows if any(row)]
    report = judged(in_texts([["id", "name", "kind"], *rows]), schema=SCHEMA)
    expected = under(table(rows).encode(), schema=SCHEMA, limits=EVERYTHING)
    # In a workbook what is known of a cell has a column, which is in the order of findings.
    assert sorted(((code, row, field) for code, row, _, field in contract_findings(report)), key=str) == sorted(
        ((code, row, field) for code, row, _, field in contract_findings(expected)), key=str
    )
    assert report.contract
    assert expected.contract
    assert report.contract.broken_rules == expected.contract.broken_rules
    assert report.facts.records == expected.facts.records


@pytest.mark.parametrize(
    ("type_", "right", "wrong"),
    [
        ("integer", [1, Decimal("5.0"), -0.0], [1.5, True, NOON, "x", b"1"]),
        ("number", [1, 1.5, Decimal("0.1")], [True, time(1), date(2026, 1, 1), "x"]),
        ("boolean", [True, False], [1, 0.0, "yes"]),
        ("string", ["x", "é".encode()], [1, True, NOON, b"\xff", None.__class__]),
        ("date", [NOON.date(), MIDNIGHT, "2026-11-23"], [NOON, time(1), 46349, timedelta(1)]),
        ("datetime", [NOON, MIDNIGHT, "2026-11-23T12:00:00"], [NOON.date(), time(1), 1]),
        ("time", [time(1, 2), "01:02:03"], [NOON, timedelta(1), 0.5]),
        ("duration", [timedelta(hours=36), "P1D"], [time(1), 1]),
        ("year", [2026, "2026"], [NOON.date(), 1.5]),
        ("list", [["a", "b"], "a,b"], [1, {"a": 1}]),
        ("array", [[1, NOON], "[1]"], ["x", {"a": 1}]),
        ("object", [{"a": NOON}, "{}"], ["x", [1]]),
        ("any", [1, "x", NOON, b"\xff"], []),
    ],
)
def test_a_value_is_right_for_the_type_that_it_is_of(type_: str, right: list[Any], wrong: list[Any]) -> None:
    field = Schema.of({"fields": [{"name": "a", "type": type_}]}).fields[0]
    assert [value for value in right if field.problems_native(value)] == []
    assert [value for value in wrong if not field.problems_native(value)] == []


def test_a_native_date_has_no_form_and_is_compared_as_a_date() -> None:
    constraints = {"minimum": "01/11/2026"}
    field = Schema.of({"fields": [{"name": "a", "type": "date", "format": "%d/%m/%Y", "constraints": constraints}]})
    assert not field.fields[0].problems_native(date(2026, 11, 1))
    assert field.fields[0].problems_native(date(2026, 10, 31))
    assert field.fields[0].problems_native("2026-11-01")


def test_bytes_are_the_base64_of_binary_and_the_text_of_any_other_string() -> None:
    schema = Schema.of({"fields": [{"name": form, "type": "string", "format": form} for form in ("binary", "uuid")]})
    binary, uuid = schema.fields
    assert not binary.problems_native(b"\xff")
    assert uuid.problems_native(b"\xff")
    assert not uuid.problems_native(b"6f1a3fbb-1b0a-4d1c-9d3c-1f0c4b1f1a11")


@pytest.mark.parametrize("value", [1, "x", NOON, time(1), b"\xff", timedelta(1), [1, NOON], True])
@pytest.mark.parametrize("other", [2, "y", MIDNIGHT, time(2), b"\xfe", timedelta(2), [1, MIDNIGHT], False])
def test_equal_values_of_any_type_have_the_same_key_and_others_have_not(value: Any, other: Any) -> None:
    rows = Rows(Schema.of({"fields": [{"name": "a", "constraints": {"unique": True}, "type": "any"}]}), ["a"])
    assert rows.keys_of_values([value]) == rows.keys_of_values([value]) != (None,)
    assert rows.keys_of_values([value]) != rows.keys_of_values([other])


ORDERS = {
    "fields": [
        {"name": "id", "type": "integer", "constraints": {"unique": True}},
        {"name": "on", "type": "date", "constraints": {"required": True, "minimum": "2026-01-01"}},
        {"name": "amount", "type": "number"},
        {"name": "paid", "type": "boolean"},
    ]
}


def test_values_are_judged_as_what_the_cells_show() -> None:
    day = date(2026, 11, 23)
    rows: list[list[Any]] = [
        ["id", "on", "amount", "paid"],
        [1, day, 2.5, True],
        [1, None, "x", 1],
        [2.5, date(2025, 1, 1), 3, None],
    ]
    report = judged(written(rows), schema=ORDERS, format="xlsx")
    assert sorted(contract_findings(report), key=str) == [
        ("constraint-minimum", 3, 4, "on"),
        ("constraint-required", 2, 3, "on"),
        ("constraint-unique", 2, 3, "id"),
        ("type-error", 2, 3, "amount"),
        ("type-error", 2, 3, "paid"),
        ("type-error", 3, 4, "id"),
    ]


@pytest.mark.parametrize(("sheet", "called"), [("S", "S"), ("My sheet", "'My sheet'"), ("Ann's", "'Ann''s'")])
def test_what_is_wrong_in_a_workbook_is_told_with_the_cell_as_formulas_call_it(sheet: str, called: str) -> None:
    header = '<row r="3"><c r="B3" t="str"><v>id</v></c><c r="C3" t="str"><v>n</v></c></row>'
    rows = header + '<row r="7"><c r="C7"><v>1.5</v></c></row>'
    content = changed(book=book(f'<sheet name="{sheet}" sheetId="1" r:id="s1"/>'), sheet=sheet_of(rows))
    report = judged(content, schema={"fields": [{"name": "id"}, {"name": "n", "type": "integer"}]})
    (finding,) = [each for each in report.findings if each.code == "type-error"]
    assert (finding.row, finding.line, finding.column) == (1, 7, 3)
    assert finding.message.endswith(f"It is the cell {called}!C7.")


def test_an_error_in_a_cell_is_no_value_of_any_type() -> None:
    report = judged(written([["id"], ["#REF!"]]), schema={"fields": [{"name": "id", "type": "string"}]})
    assert report.counts == {"cell-error": 1, "type-error": 1}


def test_the_header_is_judged_as_that_of_a_text() -> None:
    schema = {"fields": [{"name": "id"}, {"name": "name"}]}
    assert judged(written([["name", "id", "x"], ["a", "b"]]), schema=schema).counts == {
        "extra-label": 1,
        "incorrect-label": 2,
    }
    assert judged(written([["name", "id"], ["a", "b"]]), schema=schema | {"fieldsMatch": "equal"}).counts == {}
    assert judged(workbook("<row/>"), schema=schema).counts == {"missing-label": 2, "no-records": 1}


def test_values_are_only_judged_in_rows_that_are_right() -> None:
    report = judged(written([["id"], ["x", 1], ["y"]]), schema={"fields": [{"name": "id", "type": "integer"}]})
    assert report.counts == {"value-outside-table": 1, "type-error": 1}
    assert {finding.severity for finding in report.findings} == {"error"}


def test_the_sheet_of_the_contract_is_the_table() -> None:
    content = written([["a"], [1]], Orders=[["id"], [1], [2]])
    report = judged(
        content, sheet="Orders", rows={"atLeast": 2}, schema={"fields": [{"name": "id", "type": "integer"}]}
    )
    assert (report.counts, report.facts.records) == ({}, 2)
    assert judged(content, sheet="orders").counts == {"missing-sheet": 1}
    hidden = changed(book=book('<sheet name="Orders" state="hidden" r:id="s1"/>'))
    assert judged(hidden, sheet="Orders", rows={"atLeast": 2}).counts == {"too-few-rows": 1, "hidden-sheets": 1}


def test_another_format_than_the_contracts_is_told() -> None:
    assert judged(b"a,b\n1,2\n", format="xlsx").counts == {"name-content-mismatch": 1, "unexpected-format": 1}
    assert "unexpected-format" in judged(written([["a"]]), format="csv").counts


@pytest.mark.parametrize(
    ("keywords", "place"),
    [
        ({"format": "csv", "sheet": "S"}, "sheet"),
        ({"format": "xlsx", "dialect": {}}, "dialect"),
        ({"format": "xlsx", "encoding": "utf-8"}, "encoding"),
    ],
)
def test_what_a_workbook_has_not_cannot_be_said_of_it(keywords: dict[str, Any], place: str) -> None:
    with pytest.raises(ValueError, match=place):
        Contract.of(json.dumps({"name": "c", "match": "**", **keywords}))
