"""A file under a contract: findings against a naive reading row by row, exact counts, tolerance and severity."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.contracts import Contract
from chalicelib.findings import CATALOGUE, Severity
from chalicelib.inspection import Limits, Report, inspect
from tests.inspection.strategies import EVERYTHING, cut, gz

SCHEMA: dict[str, Any] = {
    "fields": [
        {"name": "id", "type": "integer", "constraints": {"unique": True, "minimum": 0}},
        {"name": "name", "type": "string", "constraints": {"required": True, "maxLength": 3}},
        {"name": "kind", "type": "string", "constraints": {"enum": ["x", "y"]}},
    ],
    "primaryKey": ["name", "kind"],
}


def contract(**keywords: Any) -> Contract:
    return Contract.of(json.dumps({"name": "c", "match": "**"} | keywords))


def under(
    content: bytes, *, name: str = "a.csv", limits: Limits | None = None, size: int = 1 << 20, **keywords: Any
) -> Report:
    return inspect(cut(content, size), name=name, contract=contract(**keywords), limits=limits)


def codes(report: Report) -> dict[str, int]:
    """The findings that matter here."""
    return {code: count for code, count in report.counts.items() if code != "no-final-newline"}


# -- rows against a naive reading

Place = tuple[str, int | None, int | None, str | None]


def naive(cells: list[str], row: int, line: int, seen: dict[str, set[Any]]) -> Iterator[Place]:
    """What is wrong with a row by SCHEMA, each rule written out; an empty cell is a null."""
    number, name, kind = cells
    if number:
        if not number.lstrip("+-").isdecimal() or len(number) - len(number.lstrip("+-")) > 1:
            yield "type-error", row, line, "id"
        else:
            if int(number) < 0:
                yield "constraint-minimum", row, line, "id"
            yield from repeated(("constraint-unique", row, line, "id"), int(number), seen)
    if not name:
        yield "constraint-required", row, line, "name"
    elif len(name) > 3:
        yield "constraint-max-length", row, line, "name"
    if not kind:
        yield "constraint-required", row, line, "kind"
    elif kind not in ("x", "y"):
        yield "constraint-enum", row, line, "kind"
    if name and kind:
        yield from repeated(("constraint-primary-key", row, line, None), (name, kind), seen)


def repeated(place: Place, key: Any, seen: dict[str, set[Any]]) -> Iterator[Place]:
    keys = seen.setdefault(place[0], set())
    if key in keys:
        yield place
    keys.add(key)


def naive_findings(text: str) -> list[Place]:
    reader, seen, found, before = csv.reader(io.StringIO(text, newline="")), dict[str, set[Any]](), list[Place](), 0
    for row, cells in enumerate(reader):
        if row:
            found += naive(cells, row, before + 1, seen)
        before = reader.line_num
    return found


def contract_findings(report: Report) -> list[Place]:
    """The findings of contract rules."""
    ours = [found for found in report.findings if found.code.startswith(("type-", "constraint-"))]
    return [(found.code, found.row, found.line, found.field) for found in ours]


VALUES = {
    "id": st.sampled_from(["1", "2", "+2", "-1", "x", "", "1.5"]),
    "name": st.sampled_from(["Ana", "Bia", "é\n", "Caio", "", '"', "a,b"]),
    "kind": st.sampled_from(["x", "y", "z", ""]),
}
ROWS = st.lists(st.tuples(VALUES["id"], VALUES["name"], VALUES["kind"]), max_size=12)


def table(rows: Iterable[Iterable[str]], *, newline: str = "\n", quoting: int = csv.QUOTE_MINIMAL) -> str:
    target = io.StringIO(newline="")
    csv.writer(target, lineterminator=newline, quoting=quoting).writerows([["id", "name", "kind"], *rows])  # type: ignore[arg-type] # an int is what it takes
    return target.getvalue()


@given(ROWS, st.sampled_from(["\n", "\r\n"]), st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
def test_the_findings_are_those_of_a_naive_reading_row_by_row(rows: list[Any], newline: str, quoting: int) -> None:
    text = table(rows, newline=newline, quoting=quoting)
    report = under(text.encode(), schema=SCHEMA, limits=EVERYTHING)
    expected = naive_findings(text)
    assert sorted(contract_findings(report), key=str) == sorted(expected, key=str)
    assert report.contract
    counts = {(rule.code, rule.field): rule.count for rule in report.contract.broken_rules}
    assert counts == Counter((code, field) for code, _, _, field in expected)


@given(ROWS, st.lists(st.sampled_from(["1,Ana", '1,x"y,x', ""]), max_size=4), st.integers(1, 30), st.integers(0, 3))
def test_nothing_depends_on_chunks_compression_or_how_many_findings_are_kept(
    rows: list[Any], broken: list[str], size: int, per_code: int
) -> None:
    content = (table(rows) + "".join(f"{line}\n" for line in broken) + table(rows)).encode()
    limits = Limits(findings_per_code=per_code, sniff_bytes=20, block_bytes=size)
    whole = under(content, schema=SCHEMA, limits=limits)
    cut_up = under(content, schema=SCHEMA, limits=limits, size=size)
    packed = under(gz(content), name="a.csv.gz", schema=SCHEMA, limits=limits)
    every = under(content, schema=SCHEMA, limits=EVERYTHING)
    assert cut_up == whole
    assert (packed.findings, packed.counts, packed.contract) == (whole.findings, whole.counts, whole.contract)
    assert (every.counts, every.contract) == (whole.counts, whole.contract)


@given(ROWS)
def test_json_lines_of_the_same_values_have_the_same_findings(rows: list[Any]) -> None:
    kept = [row for row in rows if row[0] not in ("+2",)]
    text = table(kept).replace("\r", "")
    lines = [json.dumps(_native(row)) for row in kept]
    report = under("\n".join(["", *lines]).encode(), name="a.jsonl", schema=SCHEMA, limits=EVERYTHING, blankRows=True)
    expected = [(code, row, (row or 0) + 1, field) for code, row, _, field in naive_findings(text)]
    assert sorted(contract_findings(report), key=str) == sorted(expected, key=str)


def _native(row: Iterable[str]) -> dict[str, Any]:
    number, name, kind = row
    return {
        "id": int(number) if number.lstrip("-").isdecimal() else number or None,
        "name": name or None,
        "kind": kind or None,
    }


@given(st.binary(max_size=200), st.sampled_from(["a.csv", "a.jsonl", "a.json", "a"]))
def test_any_bytes_under_a_contract_have_one_report(content: bytes, name: str) -> None:
    report = under(content, name=name, schema=SCHEMA, rows={"atMost": 1}, tolerance={"share": 0.5})
    assert report.contract
    assert report == under(content, name=name, schema=SCHEMA, rows={"atMost": 1}, tolerance={"share": 0.5}, size=3)


# -- rows that no value of is judged


def test_a_row_that_is_not_right_by_rfc_4180_is_not_judged_by_the_contract() -> None:
    report = under(b'id,name,kind\n-1\n-1,"a"b,x\n-1,a,x\n', schema=SCHEMA)
    assert codes(report) == {"missing-cells": 1, "stray-quote": 1, "constraint-minimum": 1}
    assert [(found.row, found.line) for found in report.findings if found.field == "id"] == [(3, 4)]


def test_a_last_row_that_was_cut_off_is_not_judged() -> None:
    packed = gz(b"id,name,kind\n" + b"1,Ana,x\n2,Ana,xyz")
    report = under(packed[:-8], name="a.csv.gz", schema=SCHEMA)
    assert codes(report) == {"truncated-compression": 1}
    assert report.contract
    assert report.contract.broken_rules == ()


def test_a_line_of_json_lines_that_is_no_object_is_of_the_wrong_type() -> None:
    report = under(b'[1]\n{"id": 1, "name": "a", "kind": "x"}\n', name="a.jsonl", schema=SCHEMA)
    assert [(found.code, found.row, found.line, found.field) for found in report.findings if found.row] == [
        ("type-error", 1, 1, None)
    ]


def test_a_cell_longer_than_csv_takes_by_default_is_judged() -> None:
    report = under(b"id,name,kind\n1," + b"x" * 200_000 + b",x\n", schema=SCHEMA)
    assert codes(report) == {"constraint-max-length": 1}


@pytest.mark.parametrize(
    "line", [b'{"id": ' + b"9" * 5000 + b"}", b'{"id": "\\ud800", "name": "\\udfff"}', b'{"id": 1e999}']
)
def test_no_value_of_json_stops_the_inspection(line: bytes) -> None:
    assert under(line + b"\n" + line + b"\n", name="a.jsonl", schema=SCHEMA).status == "failed"


def test_uniqueness_beyond_its_memory_says_so_once() -> None:
    content = b"id,name,kind\n" + b"".join(b"%d,n%d,x\n" % (number, number % 90) for number in range(10_000))
    report = under(
        content,
        schema={"fields": [*SCHEMA["fields"][:1], {"name": "name"}, {"name": "kind"}]},
        limits=Limits(uniqueness_bytes=1 << 16),
    )
    assert codes(report) == {"uniqueness-not-checked": 1}
    assert report.status == "succeeded"


# -- the header


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("id,name,kind", {}),
        ("id,name", {"missing-label": 1}),
        ("id,name,kind,more", {"extra-label": 1}),
        ("name,id,kind", {"incorrect-label": 2}),
        ("", {"no-records": 1, "missing-label": 3, "blank-row": 1}),
    ],
)
def test_the_header_is_that_of_the_schema(header: str, found: dict[str, int]) -> None:
    row = ",".join("1" for _ in header.split(",")) + "\n" if header else ""
    fields = [{"name": name} for name in ("id", "name", "kind")]
    report = under(f"{header}\n{row}".encode(), schema={"fields": fields})
    assert codes(report) == found


def test_without_a_header_the_columns_are_the_fields_in_their_order() -> None:
    report = under(b"-1,Ana,x\n", schema=SCHEMA, dialect={"header": False})
    assert contract_findings(report) == [("constraint-minimum", 1, 1, "id")]


def test_without_a_header_a_row_is_as_wide_as_the_schema_not_as_the_first_row() -> None:
    keywords: dict[str, Any] = {"schema": {"fields": SCHEMA["fields"]}, "dialect": {"header": False}}
    assert codes(under(b"1,Ana\n2,Bia,x\n3,Eva,y\n", **keywords)) == {"missing-cells": 1}
    report = under(b"1,Ana,x,4\n2,Bia,x\nz,Eva,y\n", **keywords)
    assert [(found.code, found.row) for found in report.findings] == [("extra-cells", 1), ("type-error", 3)]
    keywords["schema"] = {**keywords["schema"], "fieldsMatch": "superset"}
    assert codes(under(b"1,Ana\n2,Bia\n", **keywords)) == {}


@pytest.mark.parametrize("keywords", [{}, {"format": "csv"}, {"dialect": {}}])
def test_a_table_of_one_column_may_have_any_delimiter_but_a_comma_in_its_cells(keywords: dict[str, Any]) -> None:
    tags = {"name": "tags", "type": "list", "itemType": "integer", "delimiter": ";"}
    report = under(b"tags\n1;2;3\n4;5;6\n7;8;9\n", schema={"fields": [tags]}, **keywords)
    assert (codes(report), report.facts.delimiter) == ({}, ",")


def test_a_dialect_that_says_no_delimiter_says_comma() -> None:
    fields = {"fields": [{"name": "a|b|c"}, {"name": "d"}]}
    assert codes(under(b"a|b|c,d\n1|2|3,4\n", schema=fields, dialect={"header": True})) == {}


# -- tolerance and severity


@given(st.integers(0, 8), st.integers(0, 8), st.integers(0, 8) | st.sampled_from([0.0, 0.1, 0.29, 0.5, 0.7, 1.0]))
def test_as_many_errors_are_tolerated_as_the_contract_says_and_no_more(good: int, bad: int, most: float) -> None:
    share = isinstance(most, float)
    content = (
        b"id,name,kind\n" + b"".join(b"%d,n%d,x\n" % (number, number) for number in range(good)) + b",a,x\n-1\n" * bad
    )
    report = under(
        content,
        schema={"fields": SCHEMA["fields"], "missingValues": ["-"]},
        tolerance={"share" if share else "errors": most},
    )
    errors, records = 2 * bad, good + 2 * bad
    allowed = round(most * 100) * records // 100 if share else most
    assert (report.status == "succeeded") is (errors <= allowed)
    assert ("errors-tolerated" in report.counts) is (0 < errors <= allowed)
    assert report.cause == (None if errors <= allowed else "content")


@pytest.mark.parametrize(
    "content", [b'id,name,kind\n1,a,"x\n', b"id,name\n1,a\n", b"id,name,kind\n1,a,x\n\xff\xff,\xc3\xa9,x\n"]
)
def test_what_spoils_more_than_a_row_is_never_tolerated(content: bytes) -> None:
    report = under(content, schema=SCHEMA, encoding="utf-8", tolerance={"errors": 100})
    assert (report.status, report.cause) == ("failed", "content")


@given(st.sampled_from(sorted(code for code, known in CATALOGUE.items() if known.scope in ("row", "cell"))), ROWS)
def test_a_severity_that_is_moved_changes_the_verdict_and_no_count(code: str, rows: list[Any]) -> None:
    content = (table(rows) + "1\n\n").encode()
    plain = under(content, schema=SCHEMA)
    for level in ("error", "warning"):
        moved = under(content, schema=SCHEMA, severity={code: level})
        assert moved.counts == plain.counts
        assert {found.severity for found in moved.findings if found.code == code} <= {Severity(level)}
        errors = {found.code for found in moved.findings if found.severity is Severity.ERROR}
        assert (moved.status == "failed") is bool(errors)
        assert (code in errors) is (level == "error" and code in moved.counts)


# -- the file as a whole


def test_a_file_that_may_be_empty_is_asked_for_nothing_else() -> None:
    report = under(b"", emptyFile=True, schema=SCHEMA, rows={"atLeast": 1}, bytes={"atLeast": 1}, format="csv")
    assert (report.status, report.findings) == ("succeeded", ())
    assert codes(under(b"", rows={"atLeast": 1})) == {"empty-file": 1, "too-few-rows": 1}


@pytest.mark.parametrize(
    ("name", "content", "keywords", "found"),
    [
        ("a.csv", b"%PDF-1.7\n", {"format": "csv"}, True),
        ("a.json", b"[1]", {"schema": {"fields": [{"name": "a"}]}}, True),
        ("a.txt", b"Hello.\n", {"rows": {"atMost": 5}}, True),
        ("a.txt", b"Hello.\n", {"format": "text"}, False),
        ("a.txt", b"a;b\n1;2\n", {"format": "csv"}, False),
        ("a.json", b"[1]", {"rows": {"atMost": 5}}, False),
        ("a.pdf", b"%PDF-1.7\n", {}, False),
    ],
)
def test_a_file_of_another_format_than_the_contract_asks_for_fails(
    name: str, content: bytes, keywords: dict[str, Any], found: bool
) -> None:
    report = under(content, name=name, **keywords)
    assert ("unexpected-format" in report.counts) is found
    assert (report.status == "failed") is found


def test_a_delimiter_that_is_said_is_taken_whatever_the_text_looks_like() -> None:
    report = under(b"a:b,c\n1:2,3\n", dialect={"delimiter": ":"})
    assert (report.facts.delimiter, [column.name for column in report.facts.columns]) == (":", ["a", "b,c"])


def test_a_report_without_a_contract_is_as_it_was() -> None:
    content = b"id,name\n1\n"
    assert under(content)._replace(contract=None) == inspect([content], name="a.csv")
