"""Checks of contracts: exact sums, located rows, and expressions that are refused."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from resource import RUSAGE_SELF, getrusage
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.contracts import Contract
from chalicelib.inspection import Limits, Report, inspect
from chalicelib.inspection.checking import refused_checks
from chalicelib.inspection.sql import Database
from tests.inspection.strategies import written

FIELDS = [
    {"name": "id", "type": "integer"},
    {"name": "debit", "type": "number"},
    {"name": "credit", "type": "number"},
    {"name": "kind", "type": "string"},
    {"name": "on", "type": "date"},
]


def with_checks(**checks: str) -> Contract:
    return Contract.of(json.dumps({"name": "c", "match": "**", "schema": {"fields": FIELDS}, "checks": checks}))


def under(content: bytes, name: str = "a.csv", limits: Limits | None = None, **checks: str) -> Report:
    return inspect([content], name=name, contract=with_checks(**checks), limits=limits)


def found(report: Report) -> list[tuple[str, str | None, int | None, int | None]]:
    return [(each.code, each.field, each.row, each.line) for each in report.findings if each.code.startswith("check-")]


AMOUNTS = st.sampled_from(
    ["", "0.1", "0.2", "0.3", "-0.60", "1", "123456789012345.678", "0.000001", "99999999999999999"]
)
RECORDS = st.lists(st.tuples(AMOUNTS, AMOUNTS, st.sampled_from(["x", "a\nb", ""])), max_size=20)


@settings(max_examples=25)
@given(RECORDS, st.sampled_from([20, 1 << 20]), st.booleans())
def test_a_check_is_what_exact_arithmetic_says_however_the_table_is_cut(
    records: list[tuple[str, str, str]], batch: int, is_json: bool
) -> None:
    rows = [[str(number), debit, credit, kind, ""] for number, (debit, credit, kind) in enumerate(records)]
    names = [str(field["name"]) for field in FIELDS]
    text = written([names, *rows], delimiter=",", newline="\n", quoting=csv.QUOTE_ALL)
    lines = "".join(json.dumps(dict(zip(names, (cell or None for cell in row), strict=True))) + "\n" for row in rows)
    limits = Limits(findings_per_code=1_000, block_bytes=batch, engine_batch_bytes=batch)
    checks = {"balanced": "sum(debit) = sum(credit)", "more": "debit > credit or kind = 'x'", "some": "count(*) > 3"}
    report = under((lines if is_json else text).encode(), "a.jsonl" if is_json else "a.csv", limits, **checks)
    if is_json and not records:  # a file without content
        return
    sums = [sum(Decimal(cell) for cell in column if cell) for column in list(zip(*records, strict=True))[:2]]
    is_known = all(any(record[side] for record in records) for side in (0, 1))
    broken = {
        name
        for name, holds in (("balanced", not is_known or sums[0] == sums[1]), ("some", len(records) > 3))
        if not holds
    }
    assert {name for _, name, row, _ in found(report) if row is None} == broken
    less = [
        at
        for at, (debit, credit, kind) in enumerate(records, start=1)
        if kind not in ("x", "") and debit and credit and Decimal(debit) <= Decimal(credit)
    ]
    assert [row for _, _, row, _ in found(report) if row is not None] == less


def test_the_rows_that_break_a_check_are_told_with_their_lines() -> None:
    content = b'id,debit,credit,kind,on\n1,-1,,"a\nb",\n2,1,,,\n3,-2,,,2026-01-01\n'
    report = under(content, positive="debit > 0")
    assert found(report) == [("check-failed", "positive", 1, 2), ("check-failed", "positive", 3, 5)]
    assert report.contract
    assert [(rule.code, rule.field, rule.count) for rule in report.contract.broken_rules] == [
        ("check-failed", "positive", 2)
    ]


def test_null_breaks_no_check() -> None:
    assert found(under(b"id,debit,credit,kind,on\n1,,,,\n", each="debit > 0", all="sum(debit) > 0")) == []


def test_a_check_of_all_rows_is_evaluated_for_a_table_without_any() -> None:
    assert found(under(b"id,debit,credit,kind,on\n", some="count(*) > 0")) == [("check-failed", "some", None, None)]


def test_a_check_of_all_rows_is_not_evaluated_where_a_value_is_not_of_its_type() -> None:
    report = under(
        b"id,debit,credit,kind,on\n1,one,1,,\n2,2,2,,\n", balanced="sum(debit) = sum(credit)", other="sum(id) = 3"
    )
    assert found(report) == [("check-not-evaluated", "balanced", None, None)]
    assert report.counts["type-error"] == 1


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("kind::integer > 0", "ended with an error"),
        ("sum(hash(kind)::hugeint * 99999999999999999999) > 0", "ended with an error"),
    ],
)
def test_an_evaluation_that_fails_is_a_finding_without_any_value(sql: str, reason: str) -> None:
    report = under(b"id,debit,credit,kind,on\n1,1,1,secret,\n", bad=sql)
    assert found(report) == [("check-not-evaluated", "bad", None, None)]
    assert reason in report.findings[0].message
    assert "secret" not in report.findings[0].message


def test_an_evaluation_that_takes_too_long_is_stopped() -> None:
    with Database.lent() as database:
        slow = "SELECT sum(hash(a.range + b.range)) FROM range(1000000) a, range(1000000) b"
        assert database.tried(slow, seconds=0.2) == ("it took longer than 0.2 seconds", [])
        assert database.tried("SELECT 1", seconds=10) == (None, [(1,)])


def test_a_table_with_more_columns_than_the_engine_takes_has_no_check_evaluated() -> None:
    report = under(
        b"id,debit,credit,kind,on\n1,1,1,a,\n", limits=Limits(engine_columns=2), one="id = 2", all="count(*) = 2"
    )
    assert {(code, name) for code, name, _, _ in found(report)} == {
        ("check-not-evaluated", "one"),
        ("check-not-evaluated", "all"),
    }


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("debit", "not true or false"),
        ("sum(debit)", "not true or false"),
        ("(select 1) = 1", "has a query in it"),
        ("exists(from read_csv('/etc/passwd'))", "has a query in it"),
        ("row_number() over () > 1", "window function"),
        ("? = 1", "parameter"),
        ("*", "name the columns"),
        ("COLUMNS(*) > 1", "name the columns"),
        ("random() > 0.5", "same verdict"),
        ("now() > on", "one expression"),
        ('now() > "on"', "same verdict"),
        ('current_date > "on"', "no field of the schema"),
        ("current_setting('threads') = '1'", "same verdict"),
        ("getenv('HOME') = ''", "refused by the engine"),
        ("amount > 1", 'names "amount", which is no field of the schema'),
        ("debit >", "not one expression"),
        ("true; DROP TABLE rows", "not one expression"),
        ("true) FROM rows --", "not one expression"),
        ("true) FROM rows UNION SELECT (true", "not one expression"),
        ("true), (false", "not one expression"),
        ("sum(debit) = debit", "refused by the engine"),
        ("len(range(100000000)) > 0", "all lengths together must be at most 1,000"),
        ("len(RANGE(-100000000, 0)) > 0", "at most 1,000"),
        ("len(generate_series(id)) > 0", "unless its length is a number"),
        ("len(list_resize([id], 100 * 1000000)) > 0", "unless its length is a number"),
        ("len(repeat(kind, 100000000)) > 0", "at most 1,000"),
        ("len(kind.repeat(100000000)) > 0", "at most 1,000"),
        ("len([x for x in range(100)]) > 0 and lpad(kind, 64) <> kind", "at most 1,000"),
        ("len(rpad(kind, length(kind) * 1000000, 'x')) > 0", "unless its length is a number"),
        ("format('{:1000000000}', kind) <> ''", "unless its length is a number"),
        ("format('{} {:{}}', kind, kind, 1000000000) <> ''", "unless its length is a number"),
        ("printf('%*d', 1000000000, id) <> ''", "unless its length is a number"),
        ("(NULL::INTEGER[300][300]) IS NULL", "at most 1,000"),
        ("len(list_reduce([kind, kind], (a, b) -> a || b)) > 0", 'calls "list_reduce"'),
        ("len(list_transform([id], x -> list_transform([x], y -> y + x))) > 0", "a lambda in a lambda"),
    ],
)
def test_an_expression_that_is_no_check_is_refused(sql: str, reason: str) -> None:
    refused = list(refused_checks({"c.json": with_checks(wrong=sql, right="debit > 0")}))
    assert [(mistake.file, mistake.place) for mistake in refused] == [("c.json", "checks.wrong")]
    assert reason in refused[0].reason


@pytest.mark.parametrize(
    "sql",
    [
        "lpad(kind, 8, '0') = kind and list_contains(range(1, 100), id)",
        "format('{:05d} {}', id::INTEGER, kind) <> printf('%.2f', debit::DOUBLE)",
        "DEBIT > 0",
        "kind in ('a', 'b')",
        "list_transform([id], x -> x + 1)[1] > 1",
        "count(distinct id) = count(*)",
    ],
)
def test_an_expression_of_columns_and_functions_is_taken(sql: str) -> None:
    assert list(refused_checks({"c.json": with_checks(right=sql)})) == []


def test_a_check_that_would_make_much_of_nothing_takes_no_memory() -> None:
    before = getrusage(RUSAGE_SELF).ru_maxrss
    for sql in (
        "len(range(100000000)) > 0",
        "len(repeat('x', 1000000000)) > 0",
        "len(list_resize([id], 100000000)) > 0",
    ):
        assert found(under(b"id,debit,credit,kind,on\n1,1,1,a,\n", large=sql)) == [
            ("check-not-evaluated", "large", None, None)
        ]
    assert getrusage(RUSAGE_SELF).ru_maxrss - before < 100 * 1024


def test_a_refused_check_that_was_deployed_all_the_same_is_a_finding() -> None:
    assert found(under(b"id,debit,credit,kind,on\n1,1,1,a,\n", wrong="nothing > 1")) == [
        ("check-not-evaluated", "wrong", None, None)
    ]


@pytest.mark.parametrize(
    ("field", "value", "sql"),
    [
        ({"type": "number", "decimalChar": ",", "groupChar": "."}, '"1.234,50"', "a = 1234.5"),
        ({"type": "boolean", "trueValues": ["sim"], "falseValues": ["não"]}, "sim", "a"),
        ({"type": "date", "format": "%d/%m/%Y"}, "31/12/2026", "a = DATE '2026-12-31'"),
        ({"type": "datetime"}, "2026-01-31T15:00:00+01:00", "a = TIMESTAMP '2026-01-31 14:00:00'"),
        ({"type": "time"}, "15:00:00", "a > TIME '14:59:59'"),
        ({"type": "integer"}, "+0012", "a = 12"),
        ({"type": "number"}, "0.1", "a + 0.2 = 0.3"),
        ({"type": "year"}, "2026", "a = 2026"),
    ],
)
def test_a_check_sees_a_value_as_its_field_reads_it(field: dict[str, Any], value: str, sql: str) -> None:
    schema = {"fields": [{"name": "a", **field}]}
    for expression, is_broken in ((sql, False), (f"NOT ({sql})", True)):
        text = json.dumps({"name": "c", "match": "**", "schema": schema, "checks": {"one": expression}})
        report = inspect([f"a\n{value}\n".encode()], name="a.csv", contract=Contract.of(text))
        assert set(report.counts) == ({"check-failed"} if is_broken else set())
