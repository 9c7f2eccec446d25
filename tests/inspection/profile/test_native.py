"""Profiles of values that are no texts: what plain Python makes of them, and what the same rows have as a text."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.contracts import Contract
from chalicelib.inspection import Expectation, Limits, Report, inspect
from chalicelib.receipts import report_as_json
from tests.inspection.profile import oracle
from tests.inspection.strategies import cut
from tests.inspection.workbooks import workbook
from tests.inspection.workbooks import written as in_cells

COLUMNS: Mapping[str, tuple[pa.DataType, st.SearchStrategy[Any]]] = {
    "id": (pa.int64(), st.integers(1, 50)),
    "whole": (pa.int64(), st.one_of(st.integers(-(10**14), 10**14), st.integers(-30, 30))),
    "point": (pa.float64(), st.integers(-(10**6), 10**6).map(lambda number: number + 0.25)),
    "mixed": (pa.float64(), st.sampled_from([0.5, 1.75, -20.125, 1e-5, 3e20 + 0.5])),
    "text": (pa.string(), st.sampled_from(["", "x", "é,", 'a"b', "line\nbreak", "N/A", "x y"])),
    "day": (pa.date32(), st.dates(date(1901, 1, 1), date(2100, 1, 1))),
    "at": (
        pa.timestamp("us"),
        st.datetimes(datetime(1901, 1, 1), datetime(2100, 1, 1)).map(lambda at: at.replace(microsecond=0)),  # noqa: DTZ001
    ),
    "clock": (pa.time64("us"), st.times().map(lambda at: at.replace(microsecond=0))),
    "flag": (pa.bool_(), st.booleans()),
}
NAMES = list(COLUMNS)
Row = Sequence[Any]


@st.composite
def tables(draw: st.DrawFn) -> list[Row]:
    """Rows of which each has its number, and nothing in some other cells."""
    columns = [st.one_of(st.none(), values) if name != "id" else values for name, (_, values) in COLUMNS.items()]
    return draw(st.lists(st.tuples(*columns), min_size=1, max_size=25))


def text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date | time):
        return value.isoformat()
    return "" if value is None else repr(value) if isinstance(value, float) else str(value)


def as_csv(rows: Sequence[Row]) -> bytes:
    target = io.StringIO(newline="")
    csv.writer(target, lineterminator="\n").writerows([NAMES, *(map(text, row) for row in rows)])
    return target.getvalue().encode()


def as_json_lines(rows: Sequence[Row]) -> bytes:
    lines = (dict(zip(NAMES, row, strict=True)) for row in rows)
    return "".join(json.dumps(line, default=text) + "\n" for line in lines).encode()


def as_parquet(rows: Sequence[Row], **options: Any) -> bytes:
    types = [type_ for type_, _ in COLUMNS.values()]
    arrays = [pa.array(list(column), type_) for column, type_ in zip(zip(*rows, strict=True), types, strict=True)]
    return packed(pa.table(arrays, names=NAMES), **options)


def packed(table: pa.Table, **options: Any) -> bytes:
    target = io.BytesIO()
    pq.write_table(table, target, **options)
    return target.getvalue()


def as_workbook(rows: Sequence[Row]) -> bytes:
    return in_cells([NAMES, *rows])


def columns_of(report: Report) -> dict[str, dict[str, Any]]:
    """The profiles by column, without what only some formats have."""
    told = report_as_json(report)["columns"]
    left_out = ("name", "format", "types", "physical_type", "logical_type")
    return {each["name"]: {name: value for name, value in each.items() if name not in left_out} for each in told}


def profiled(content: bytes, name: str, size: int = 1 << 20, *, samples: bool = False, **limits: int) -> Report:
    expectation = Expectation(samples=samples)
    return inspect(cut(content, size), name=name, expectation=expectation, limits=Limits()._replace(**limits))


# -- what plain Python makes of it


def plain(values: Sequence[Any]) -> dict[str, Any]:
    """The profile of a column of one type, worked out anew."""
    there = [value for value in values if value not in (None, "")]
    said: dict[str, Any] = {
        "nulls": len(values) - len(there),
        "longest": max((len(text(value)) for value in there), default=0),
        "distinct": len({text(value) for value in there}),
    }
    if not there:
        return said
    said |= {"type": kind(there), "share": 10_000}
    if said["type"] in ("boolean", "string"):
        return said
    low, high = min(there), max(there)
    if said["type"] not in ("integer", "number"):
        histogram = oracle.spread(there, oracle.MOMENTS[said["type"]])
        return said | {"minimum": low.isoformat(), "maximum": high.isoformat(), **histogram}
    if any(abs(bound) >= 10**9 and bound == int(bound) for bound in (low, high)):
        return said
    mean = sum(map(exact, there), Fraction()) / len(there)
    with localcontext(prec=15, rounding=ROUND_HALF_EVEN):
        rounded = Decimal(mean.numerator) / Decimal(mean.denominator)
    histogram = oracle.spread_of_numbers([*map(exact, there)])
    bounds = {"minimum": number(exact(low)), "maximum": number(exact(high))}
    return said | bounds | {"mean": number(Fraction(rounded)), **histogram}


def kind(values: Sequence[Any]) -> str:
    names = {bool: "boolean", int: "integer", float: "number", str: "string"}
    names |= {date: "date", datetime: "datetime", time: "time"}
    (found,) = {type(value) for value in values}
    return names[found]


def exact(value: float) -> Fraction:
    return Fraction(repr(value))


def number(value: Fraction) -> str:
    with localcontext(prec=400):
        found = (Decimal(value.numerator) / Decimal(value.denominator)).normalize()
    said = f"{found:f}" if found else "0"
    return said if len(said) <= 30 else str(found)


@settings(max_examples=60)
@given(tables())
def test_a_profile_of_parquet_is_what_plain_python_makes_of_the_values_that_pyarrow_reads(rows: list[Row]) -> None:
    content = as_parquet(rows, row_group_size=7)
    read = pq.read_table(io.BytesIO(content)).to_pydict()
    found = columns_of(profiled(content, "a.parquet"))
    for name in NAMES:
        if name != "mixed":  # exponents are written in another way than Python's
            assert found[name] == plain(read[name]), name


@settings(max_examples=30)
@given(tables())
def test_a_profile_of_xlsx_is_what_plain_python_makes_of_the_values_that_openpyxl_reads(rows: list[Row]) -> None:
    content = as_workbook(rows)
    sheet = openpyxl.load_workbook(io.BytesIO(content)).active
    assert sheet
    read = list(zip(*sheet.iter_rows(min_row=2, max_col=len(NAMES), values_only=True), strict=True))
    found = columns_of(profiled(content, "a.xlsx"))
    for name, values in zip(NAMES, read, strict=True):
        if name not in ("mixed", "day"):  # openpyxl makes datetimes of dates
            assert found[name] == plain(values), name


@settings(max_examples=60)
@given(tables())
def test_a_profile_of_json_lines_is_what_plain_python_makes_of_the_values_that_json_reads(rows: list[Row]) -> None:
    content = as_json_lines(rows)
    read = [json.loads(line) for line in content.splitlines()]
    found = columns_of(profiled(content, "a.jsonl"))
    for name in ("id", "whole", "point", "text", "flag"):
        assert found[name] == plain([record[name] for record in read]), name


@settings(max_examples=40)
@given(tables())
def test_the_same_rows_have_the_same_profile_as_csv_json_lines_parquet_and_xlsx(rows: list[Row]) -> None:
    expected, *others = (
        columns_of(profiled(write(rows), f"a.{suffix}"))
        for suffix, write in (
            ("csv", as_csv),
            ("jsonl", as_json_lines),
            ("parquet", as_parquet),
            ("xlsx", as_workbook),
        )
    )
    for found in others:
        for name in NAMES:
            if name != "mixed":
                assert found[name] == expected[name], name


# -- which records

AT = datetime(2026, 1, 1, 1)  # noqa: DTZ001 - cells have no zone


@pytest.mark.parametrize(("suffix", "write"), [("parquet", as_parquet), ("xlsx", as_workbook)])
def test_of_a_long_table_the_records_are_profiled_that_would_be_of_the_same_table_as_a_text(
    suffix: str, write: Any
) -> None:
    rows = [(at, at * 7, at + 0.25, 0.5, f"x{at}", date(2026, 1, 1), AT, time(1), True) for at in range(1, 1_500)]
    content = write(rows)
    for characters in (1, 60):
        reports = [
            profiled(as_csv(rows), "a.csv", profiled_characters=characters),
            profiled(content, f"a.{suffix}", profiled_characters=characters),
            inspect([content], name=f"a.{suffix}", contract=ANYTHING, limits=Limits(profiled_characters=characters)),
        ]
        assert reports[0].facts.records == 1_499
        assert len({report.facts.profiled_records for report in reports}) == 1
        assert columns_of(reports[0]) == columns_of(reports[1]) == columns_of(reports[2])
        assert int(columns_of(reports[1])["id"]["maximum"]) > 1_000


ANYTHING = Contract.of(
    json.dumps({"name": "c", "match": "**", "schema": {"fields": [{"name": "id"}], "fieldsMatch": "subset"}})
)


def test_where_a_column_is_called_as_the_engine_calls_the_numbers_of_rows_the_beginning_is_profiled() -> None:
    table = pa.table({"File_Row_Number": list(range(5_000)), "b": ["x"] * 5_000})
    report = profiled(packed(table), "a.parquet", profiled_characters=100)
    assert report.counts == {}
    assert 10 < (report.facts.profiled_records or 0) < 40


@given(
    st.lists(
        st.sampled_from(
            [
                *('{"a":1,"b":"x"}', '{"a":2.5}', ' {"a":1}', '{"a":3} ', '{"b":null,"c":[1]}', '{"b":"ü€𝄞"}'),
                *("", "7", "[1]", '{"a":'),
            ]
        ),
        max_size=60,
    ),
    st.integers(1, 40),
    st.integers(1, 80),
    st.integers(1, 64),
)
def test_a_profile_of_json_lines_does_not_depend_on_how_the_bytes_are_cut_and_who_reads_them(
    lines: list[str], size: int, kept: int, block: int
) -> None:
    content = "\n".join(['{"a":0}', *lines]).encode()
    whole = profiled(content, "a.jsonl", profiled_characters=kept)
    pieces = profiled(content, "a.jsonl", size, profiled_characters=kept, block_bytes=block, sniff_bytes=len(content))
    by_kernel = profiled(content, "a.jsonl", profiled_characters=kept, kernel_from_bytes=0, kernel_load_bytes=0)
    assert by_kernel.facts == pieces.facts == whole.facts


def test_lines_that_match_a_shape_are_profiled_as_others_are_up_to_the_end_of_the_file() -> None:
    content = "".join(f'{{"at": {at}, "name": "n{at % 7}"}}\n' for at in range(40_000)).encode()
    report = profiled(content, "a.jsonl", profiled_characters=1_000)
    assert report.facts.profiled_records
    assert 100 < report.facts.profiled_records < 250
    assert columns_of(report)["name"]["distinct"] == 7
    assert int(columns_of(report)["at"]["maximum"]) > 38_000


def test_records_without_any_value_do_not_prolong_the_beginning() -> None:
    report = profiled(b'{"a":1}\n' + b"{}\n" * 100_000, "a.jsonl", profiled_characters=1_000)
    assert (report.facts.profiled_records or 0) < 1_000


# -- what values are


def of_json(*values: str, samples: bool = False, **limits: int) -> dict[str, Any]:
    content = "".join(f'{{"a": {value}}}\n' for value in values).encode()
    return columns_of(profiled(content, "a.jsonl", samples=samples, **limits))["a"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1", "2.5", "1e2"], {"type": "number", "minimum": "1", "maximum": "100", "mean": "34.5"}),
        (["1", '"2"'], {"type": "string"}),
        (['"1"', '"007"', '"yes"'], {"type": "string"}),
        (['"2026-01-31"', '"2026-02-01"'], {"type": "date", "minimum": "2026-01-31", "maximum": "2026-02-01"}),
        (["true", "null", "false"], {"type": "boolean", "nulls": 1}),
        (["[1, 2]", '{"b": 1.50}', "null"], {"nulls": 1, "longest": len('{"b": 1.50}'), "distinct": 2}),
        (["null", '""'], {"nulls": 2, "longest": 0, "distinct": 0}),
        (["1e999", "1e-999"], {"type": "string", "distinct": 2}),
        (["9" * 38, "1"], {"type": "integer", "longest": 38}),
        (["9" * 5_000], {"type": "string", "longest": 5_000}),
        (["1234567890"], {"type": "integer"}),
        (["5511987654321.0"], {"type": "number"}),
    ],
)
def test_a_value_of_json_is_of_the_type_that_it_has(values: list[str], expected: dict[str, Any]) -> None:
    found = of_json(*values)
    assert found == found | expected
    for name in ("type", "minimum", "maximum", "mean"):
        assert (name in found) == (name in expected)


def test_a_histogram_begins_where_its_values_do_however_many_digits_they_have() -> None:
    found = of_json(*(f"{'9' * 36}{at}.5" for at in range(10)), samples=True)
    assert found["histogram"] == {"begin": f"{'9' * 36}0.5", "width": "0.5", "counts": [*[1, 0] * 9, 1]}


def test_the_bounds_of_long_whole_numbers_are_written_as_their_mean_is() -> None:
    found = of_json(*(f"1{'0' * 36}" for _ in range(3)), samples=True)
    assert (found["minimum"], found["maximum"], found["mean"]) == ("1E+36", "1E+36", "1E+36")


def test_a_member_that_records_lack_has_no_value_in_them() -> None:
    content = b'{"a": 1}\n{"b": 2}\n{"a": 3, "c": {}}\n{}\n'
    found = columns_of(profiled(content, "a.jsonl"))
    assert {name: each["nulls"] for name, each in found.items()} == {"a": 2, "b": 3, "c": 3}
    assert "type" not in found["c"]


def test_of_two_members_whose_listed_names_are_alike_neither_has_a_profile() -> None:
    names = ["x" * 200 + each for each in "ab"]
    found = profiled(json.dumps(dict.fromkeys([*names, "c"], 1)).encode() + b"\n", "a.jsonl").facts.columns
    assert [column.profile is None for column in found] == [True, True, False]


def test_members_beyond_those_that_are_profiled_have_no_profile() -> None:
    lines = [json.dumps({f"m{at}": 1}) for at in range(6)]
    found = profiled("\n".join(lines).encode(), "a.jsonl", named_columns=4).facts.columns
    assert [column.profile.nulls if column.profile else None for column in found] == [5] * 4


def test_samples_are_told_where_they_may_be_and_only_there() -> None:
    rows = [[each] for each in ("ann", "bob", "ann", "zoe")]
    for name, content in (
        ("a.xlsx", in_cells([["a"], *rows])),
        ("a.parquet", packed(pa.table({"a": [each for (each,) in rows]}))),
        ("a.jsonl", "".join(json.dumps({"a": each}) + "\n" for (each,) in rows).encode()),
    ):
        found = columns_of(profiled(content, name, samples=True))["a"]
        assert (found["minimum"], found["maximum"]) == ("ann", "zoe")
        assert found["common"] == [{"value": "ann", "count": 2}]
        told = str(report_as_json(profiled(content, name)))
        assert not any(word in told for word in ("ann", "zoe"))


def test_a_text_that_no_encoding_has_can_still_be_told() -> None:
    found = of_json(r'"\ud800x"', r'"\ud800x"', samples=True)
    found["minimum"].encode()
    assert found["common"][0]["value"] == "\ufffdx"


def test_what_is_nested_too_deep_or_very_long_is_not_profiled() -> None:
    deep = b'{"a": ' + b"[" * 300 + b"]" * 300 + b"}\n"
    broad = b'{"a": [' + b",".join([b"[]"] * 300) + b"]}\n"
    long = b'{"a": "' + b"x" * 3_000 + b'"}\n'
    report = profiled(deep + broad + long + b'{"a": 1}\n', "a.jsonl", profiled_characters=2_000)
    assert (report.facts.records, report.facts.profiled_records) == (4, 2)
    assert columns_of(report)["a"]["longest"] == len(broad) - len(b'{"a": }\n') + 299  # a space behind each comma


@pytest.mark.parametrize(("depth", "records"), [(200, 2), (201, 1)])
@pytest.mark.parametrize("kernel_from_bytes", [0, 1 << 20])
def test_how_deep_is_too_deep_does_not_depend_on_who_reads(depth: int, records: int, kernel_from_bytes: int) -> None:
    deep = b'{"a": ' + b"[" * (depth - 1) + b"1" + b"]" * (depth - 1) + b"}\n"
    content = deep + b'{"a": 1}\n'
    report = profiled(content, "a.jsonl", kernel_from_bytes=kernel_from_bytes, kernel_load_bytes=0)
    assert report.facts.profiled_records == records


def test_types_of_parquet_that_python_has_none_for_are_no_types_of_a_profile() -> None:
    at = datetime(2026, 1, 1, 12, tzinfo=UTC)
    table = pa.table(
        {
            "instant": pa.array([at, at + timedelta(microseconds=500_000)], pa.timestamp("us", "America/Sao_Paulo")),
            "decimal": pa.array([Decimal("1.50"), Decimal("-2.25")], pa.decimal128(30, 2)),
            "whole decimal": pa.array([Decimal(7), Decimal(8)], pa.decimal128(30, 0)),
            "nan": pa.array([float("nan"), float("inf")]),
            "list": pa.array([[1], [2, 3]]),
            "struct": pa.array([{"x": 1.5}, None]),
            "bytes": pa.array([b"\xff\x00", b"a"]),
            "nothing": pa.array([None, None], pa.int32()),
            "big": pa.array([2**63, 2**64 - 1], pa.uint64()),
        }
    )
    found = columns_of(profiled(packed(table), "a.parquet"))
    assert {name: each.get("type") for name, each in found.items()} == {
        "instant": "datetime",
        "decimal": "number",
        "whole decimal": "integer",
        "nan": "string",
        "list": None,
        "struct": None,
        "bytes": "string",
        "nothing": None,
        "big": "integer",
    }
    assert found["instant"]["minimum"] == "2026-01-01T12:00:00Z"
    assert found["instant"]["maximum"] == "2026-01-01T12:00:00.500000Z"
    assert (found["decimal"]["minimum"], found["decimal"]["mean"]) == ("-2.25", "-0.375")
    assert "minimum" not in found["big"]


def test_a_date_that_python_does_not_have_leaves_parquet_without_a_profile_and_without_a_finding() -> None:
    table = pa.table({"a": pa.array([400_000_000_000], pa.timestamp("s", "UTC"))})
    report = profiled(packed(table), "a.parquet")
    assert report.counts == {}
    assert report.facts.profiled_records is None


def test_an_error_in_a_cell_and_a_duration_are_of_no_type() -> None:
    rows = '<row><c t="str"><v>a</v></c></row><row><c t="e"><v>#REF!</v></c></row><row><c><v>1</v></c></row>'
    assert columns_of(profiled(workbook(rows), "a.xlsx"))["a"]["type"] == "string"
    durations = in_cells([["a"], [timedelta(hours=30)], [timedelta(hours=40)]])
    assert columns_of(profiled(durations, "a.xlsx"))["a"]["type"] == "string"


def test_rows_of_a_sheet_that_are_not_right_are_not_profiled() -> None:
    report = profiled(in_cells([["a"], [1], [2, 3], [None], [4]]), "a.xlsx")
    assert report.facts.profiled_records == 2
    assert columns_of(report)["a"]["maximum"] == "4"


def test_tables_without_a_row_have_no_profile() -> None:
    for name, content in (
        ("a.xlsx", in_cells([["a"]])),
        ("a.parquet", packed(pa.table({"a": pa.array([], pa.int8())}))),
    ):
        report = profiled(content, name)
        assert report.facts.profiled_records is None
        assert [column.profile for column in report.facts.columns] == [None]
