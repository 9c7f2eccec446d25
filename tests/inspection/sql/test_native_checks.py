"""Checks of rows whose values are no texts: the same rows break the same checks, whatever the format."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.contracts import Contract
from chalicelib.inspection import Limits, Report, inspect
from tests.inspection.workbooks import workbook
from tests.inspection.workbooks import written as in_cells

FIELDS = [
    {"name": "id", "type": "integer"},
    {"name": "debit", "type": "number"},
    {"name": "credit", "type": "number"},
    {"name": "kind", "type": "string"},
    {"name": "on", "type": "date"},
    {"name": "at", "type": "datetime"},
    {"name": "paid", "type": "boolean"},
]
NAMES = [str(field["name"]) for field in FIELDS]
CHECKS = {
    "balanced": "sum(debit) = sum(credit)",
    "more": "debit > credit or kind = 'x'",
    "some": "count(*) > 3",
    "kinds": "count(DISTINCT kind) < 3 and max(id) < 12",
    "due": "\"on\" < DATE '2026-06-01' or paid",
    "at-noon": 'hour(at) = 12 and at::DATE >= "on"',
    "texts": "length(kind) = 1 and debit + credit = 0.3",
    "wrong": "kind::INTEGER > 0",
}
SCHEMA = pa.schema(
    [
        ("id", pa.int64()),
        ("debit", pa.decimal128(30, 6)),
        ("credit", pa.float64()),
        ("kind", pa.string()),
        ("on", pa.date32()),
        ("at", pa.timestamp("us")),
        ("paid", pa.bool_()),
    ]
)
Row = Sequence[Any]
AMOUNTS = st.sampled_from([None, *map(Decimal, ("0.1", "0.2", "0.3", "-0.6", "1", "25", "1234567.125"))])
VALUES = st.tuples(
    AMOUNTS,
    AMOUNTS,
    st.sampled_from([None, "x", "y", "a\nb", 'é,"']),
    st.sampled_from([None, date(2026, 1, 31), date(2026, 11, 23)]),
    st.sampled_from([None, datetime(2026, 11, 23, 12, 30), datetime(2026, 1, 1)]),  # noqa: DTZ001 - cells have no zone
    st.sampled_from([None, True, False]),
)
ROWS = st.lists(VALUES, min_size=1, max_size=10).map(
    lambda rows: [(number, *row) for number, row in enumerate(rows, start=1)]
)


def contract(*fields: Mapping[str, Any], **checks: str) -> Contract:
    schema = {"fields": fields or FIELDS, "fieldsMatch": "subset"}
    return Contract.of(json.dumps({"name": "c", "match": "**", "schema": schema, "checks": checks}))


def text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else value.isoformat() if isinstance(value, date | time) else str(value)


def as_csv(rows: Sequence[Row]) -> bytes:
    target = io.StringIO(newline="")
    csv.writer(target).writerows([NAMES, *(map(text, row) for row in rows)])
    return target.getvalue().encode()


def as_json_lines(rows: Sequence[Row]) -> bytes:
    def native(value: Any) -> Any:
        return value if value is None or isinstance(value, bool | int | str) else text(value)

    lines = []
    for row in rows:
        record = dict(zip(NAMES, map(native, row), strict=True))
        numbers = {name: float(record[name]) for name in ("debit", "credit") if record[name] is not None}
        lines.append(json.dumps(record | numbers) + "\n")
    return "\n".join(lines).encode()


def as_parquet(rows: Sequence[Row]) -> bytes:
    columns = [list(column) for column in zip(*rows, strict=True)]
    columns[2] = [None if value is None else float(value) for value in columns[2]]
    table = pa.table([pa.array(each, field.type) for each, field in zip(columns, SCHEMA, strict=True)], schema=SCHEMA)
    target = io.BytesIO()
    pq.write_table(table, target, row_group_size=7)
    return target.getvalue()


def as_workbook(rows: Sequence[Row]) -> bytes:
    return in_cells([NAMES, *rows])


def found(report: Report) -> list[tuple[str, str | None, int | None, str]]:
    told = [(each.code, each.field, each.row, each.message) for each in report.findings if "check-" in each.code]
    lines = (f"Line {each.line:,}" for each in report.findings if each.line)
    known = tuple(lines)
    return [(code, field, row, "" if message.startswith(known) else message) for code, field, row, message in told]


def counts(report: Report) -> list[tuple[str, str | None, int]]:
    assert report.contract
    broken = [(rule.code, rule.field, rule.count) for rule in report.contract.broken_rules if "check-" in rule.code]
    return sorted(broken, key=str)


@settings(max_examples=12)
@given(ROWS, st.sampled_from([300, 1 << 20]), st.sampled_from([2, 1_000]))
def test_the_same_rows_break_the_same_checks_as_csv_json_lines_parquet_and_xlsx(
    rows: Sequence[Row], batch: int, kept: int
) -> None:
    limits = Limits(findings_per_code=kept, engine_batch_bytes=batch)
    reports = [
        inspect([write(rows)], name=f"a.{suffix}", contract=contract(**CHECKS), limits=limits)
        for suffix, write in (
            ("csv", as_csv),
            ("jsonl", as_json_lines),
            ("parquet", as_parquet),
            ("xlsx", as_workbook),
        )
    ]
    expected, *others = reports
    assert [counts(each) for each in others] == [counts(expected)] * 3
    if kept > len(rows) * len(CHECKS):
        assert [sorted(found(each), key=str) for each in others] == [sorted(found(expected), key=str)] * 3


VIOLATIONS = [(1, None, None, "x", None, None, None), (2, Decimal(5), Decimal(1), "secret", None, None, None)]


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("a.xlsx", as_workbook(VIOLATIONS), 3),
        ("a.parquet", as_parquet(VIOLATIONS), None),
        ("a.jsonl", b"\n" + as_json_lines(VIOLATIONS), 4),
    ],
)
def test_a_row_that_breaks_a_check_is_told_with_its_number_and_its_line_where_there_are_lines(
    name: str, content: bytes, line: int | None
) -> None:
    report = inspect([content], name=name, contract=contract(less="debit < credit"))
    (finding,) = [each for each in report.findings if each.code == "check-failed"]
    assert (finding.field, finding.row, finding.line) == ("less", 2, line)
    assert "secret" not in str(report)


@pytest.mark.parametrize(("name", "write"), [("a.parquet", as_parquet), ("a.xlsx", as_workbook)])
def test_a_check_of_all_rows_is_evaluated_for_a_table_without_any(name: str, write: Any) -> None:
    empty = pa.BufferOutputStream()
    pq.write_table(SCHEMA.empty_table(), empty)
    content = empty.getvalue().to_pybytes() if name == "a.parquet" else write([])
    assert counts(inspect([content], name=name, contract=contract(some="count(*) > 0", each="id > 0"))) == [
        ("check-failed", "some", 1)
    ]


@pytest.mark.parametrize("damage", [-1, 0.5, 0.99])
def test_checks_of_rows_that_cannot_be_read_are_not_evaluated(damage: float) -> None:
    rows = [(number, None, None, "abc" * number, None, None, None) for number in range(1, 100)]
    content = bytearray(as_parquet(rows))
    if damage < 0:
        content[-20:-12] = b"\xff" * 8
    else:
        at = int(400 * damage)
        content[at : at + 40] = b"\xff" * 40
    report = inspect([bytes(content)], name="a.parquet", contract=contract(all="count(*) > 0", each="id > 0"))
    assert "damaged-parquet" in report.counts
    assert ("check-not-evaluated", "all", 1) in counts(report)
    assert not [each for each in counts(report) if each[0] == "check-failed"]


def test_checks_are_not_evaluated_for_a_workbook_without_the_sheet_of_the_contract() -> None:
    said = {"name": "c", "match": "**", "format": "xlsx", "sheet": "Other", "schema": {"fields": FIELDS}}
    under = Contract.of(json.dumps(said | {"checks": {"all": "count(*) > 0", "each": "id > 0"}}))
    report = inspect([as_workbook(VIOLATIONS)], name="a.xlsx", contract=under)
    assert counts(report) == [("check-not-evaluated", "all", 1), ("check-not-evaluated", "each", 1)]


def test_an_error_in_a_cell_is_no_value_of_a_check_of_each_row_and_keeps_one_of_all_rows_from_being_evaluated() -> None:
    rows = '<row><c t="str"><v>a</v></c></row><row><c t="str"><v>x</v></c></row><row><c t="e"><v>#REF!</v></c></row>'
    under = contract({"name": "a", "type": "string"}, each="a = 'x'", all="min(a) = 'x'", other="count(*) = 2")
    report = inspect([workbook(rows)], name="a.xlsx", contract=under)
    assert counts(report) == [("check-not-evaluated", "all", 1)]


def test_a_schema_with_more_fields_than_the_engine_takes_has_no_check_evaluated() -> None:
    limits = Limits(engine_columns=2)
    report = inspect([as_workbook(VIOLATIONS)], name="a.xlsx", contract=contract(one="id = 2"), limits=limits)
    assert counts(report) == [("check-not-evaluated", "one", 1)]


NOON = datetime(2026, 11, 23, 12)  # noqa: DTZ001 - a cell has no zone


@pytest.mark.parametrize(
    ("field", "value", "sql"),
    [
        ({"type": "date"}, NOON.replace(hour=0), "a = DATE '2026-11-23'"),
        ({"type": "date", "format": "%d/%m/%Y"}, NOON.date(), "a = DATE '2026-11-23'"),
        ({"type": "date", "format": "%d/%m/%Y"}, "23/11/2026", "a = DATE '2026-11-23'"),
        ({"type": "time"}, time(15, 0, 1), "a = TIME '15:00:01'"),
        ({"type": "boolean", "trueValues": ["yes"], "falseValues": ["no"]}, True, "a"),
        ({"type": "boolean", "trueValues": ["yes"], "falseValues": ["no"]}, "yes", "a"),
        ({"type": "integer"}, 5.0, "a = 5"),
        ({"type": "year"}, 2026, "a = 2026"),
        ({"type": "number", "decimalChar": ","}, 0.5, "a = 0.5"),
        ({"type": "duration"}, timedelta(hours=36), "a = 'PT129600S'"),
        ({"type": "string"}, "0", "a = '0'"),
        ({"type": "any"}, 1.5, "a = '1.5'"),
    ],
)
def test_a_check_sees_a_value_as_its_field_takes_it(field: dict[str, Any], value: Any, sql: str) -> None:
    for expression, is_broken in ((sql, False), (f"NOT ({sql})", True)):
        report = inspect(
            [in_cells([["a"], [value]])], name="a.xlsx", contract=contract({"name": "a", **field}, one=expression)
        )
        assert report.counts == ({"check-failed": 1} if is_broken else {})


def test_a_value_that_is_nested_deeper_than_it_can_be_written_is_none_for_a_check() -> None:
    deep = b'{"a": ' + b"[" * 950 + b"]" * 950 + b"}\n"
    report = inspect([deep], name="a.jsonl", contract=contract({"name": "a", "type": "any"}, one="length(a) > 0"))
    assert "check-failed" not in report.counts


def test_the_time_of_an_inspection_ends_its_checks_too() -> None:
    rows = [(number, None, None, "x" * 50, None, None, None) for number in range(2_000)]
    asked: list[None] = []

    def out_of_time() -> bool:
        asked.append(None)
        return len(asked) > 6

    limits = Limits(engine_batch_bytes=1_000)
    report = inspect(
        [as_workbook(rows)], name="a.xlsx", contract=contract(**CHECKS), limits=limits, out_of_time=out_of_time
    )
    assert "inspection-timed-out" in report.counts
