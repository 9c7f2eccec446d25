"""The profile of a table is exactly what a plain reading of its cells gives, however the bytes come."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.inspection import Expectation, Limits, Report, inspect
from chalicelib.receipts import report_as_json
from tests.inspection.profile import oracle
from tests.inspection.strategies import BLOCK_SIZES, CELLS, cut, written

INTEGERS = st.one_of(st.integers(-(10**19), 10**19), st.integers(-2_000, 2_000)).map(str)
DIGITS = st.from_regex(r"-?[0-9]{1,4}[.,]?[0-9]{0,3}[.,]?[0-9]{0,3}", fullmatch=True)
GROUPED = st.one_of(
    st.integers(-(10**7), 10**7).map("{:,}".format),
    st.decimals(-(10**6), 10**6, places=2).map("{:,}".format),
    st.decimals(-(10**6), 10**6, places=2).map(lambda value: f"{value:,}".translate({46: ",", 44: "."})),
    st.decimals(-(10**6), 10**6, places=3).map(lambda value: str(value).replace(".", ",")),
)
NUMBERS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr), st.decimals(-100, 100, places=2).map(str), GROUPED
)
DATES = st.sampled_from(["%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y"]).flatmap(
    lambda form: st.dates().map(lambda day: oracle.padded(day, form))
)
CLOCKS = st.one_of(
    st.times().map(lambda at: at.strftime("%H:%M")),
    st.datetimes().map(lambda at: at.replace(microsecond=0).isoformat()),
)
ODD = st.sampled_from(
    [
        *("", "", "007", "-", "-0", "0", "+1", "1e5", "1.5e3", ".5", "5.", "٣", "1 000", "N/A", "2026-02-30"),
        *("2026-2-3", "31/31/2026", "25:00", "true", "True", "TRUE", "tRUE", "no", "SIM", "1\n2"),
        *("12.345.678", "1.234", "1,234", "12,345,678", "0,5", "1,5", "01/02/2026", "05/05/2026", "13/01/2026"),
        *("9" * 18, "9" * 19, "1234567890", "9" * 70, "0000-01-01", "24:00", "1.234,5", "1,234.5"),
        "2026-01-01\n2026-01-02",
    ]
)
ANY = st.one_of(INTEGERS, DIGITS, NUMBERS, DATES, CLOCKS, ODD, CELLS)
COLUMN = st.one_of([st.lists(one, min_size=1, max_size=25) for one in (INTEGERS, NUMBERS, GROUPED, DATES, CLOCKS, ANY)])
MOSTLY = st.builds(lambda usual, odd: usual * 25 + odd, COLUMN, st.lists(ANY, max_size=3))


def table(cells: Sequence[str], newline: str = "\n") -> bytes:
    """A table with the cells in its second column."""
    rows = [["row", "cell"], *([str(at), cell] for at, cell in enumerate(cells))]
    quoting = csv.QUOTE_ALL if any("\r" in cell for cell in cells) else csv.QUOTE_MINIMAL  # which does not see a CR
    return written(rows, delimiter=",", newline=newline, quoting=quoting).encode("utf-8", "replace")


def of_cells(report: Report) -> dict[str, Any]:
    column: dict[str, Any] = report_as_json(report)["columns"][1]
    return {name: value for name, value in column.items() if name != "name"}


def inspected(data: bytes, size: int = 1 << 20, **limits: int) -> Report:
    return inspect(cut(data, size), name="table.csv", limits=Limits()._replace(**limits))


@given(st.one_of(COLUMN, MOSTLY))
@example(["1", "2.5", "", "7"])
@example(["1,234", "12,345"])
@example(["1,234", "12,345", "1,5"])
@example(["1.234", "12.345", "1.234.567"])
@example(["01/02/2026", "03/04/2026"])
@example(["01/02/2026", "13/04/2026"])
def test_a_profile_is_that_of_a_plain_reading_of_each_cell(cells: list[str]) -> None:
    cells = [cell.encode("utf-8", "replace").decode() for cell in cells]
    assert of_cells(inspected(table(cells))) == oracle.profile(cells)


@given(st.lists(ANY, min_size=1, max_size=30), BLOCK_SIZES, st.integers(1, 60), st.integers(1, 64))
def test_a_profile_does_not_depend_on_how_the_bytes_are_cut(cells: list[str], size: int, kept: int, block: int) -> None:
    data = table(cells, "\r\n")
    whole = inspected(data, profiled_characters=kept)
    assert (
        inspected(data, size, profiled_characters=kept, block_bytes=block, sniff_bytes=len(data)).facts == whole.facts
    )


def test_of_a_long_table_the_beginning_is_profiled_and_parts_up_to_its_end() -> None:
    data = table([str(at) for at in range(100_000)])
    facts = inspected(data, profiled_characters=1_000).facts
    assert facts.records == 100_000
    assert facts.profiled_records is not None
    assert 300 < facts.profiled_records < 600
    (_, cells) = facts.columns
    assert cells.profile is not None
    assert cells.profile.minimum == "0"
    assert int(cells.profile.maximum or 0) > 93_000


def test_a_table_of_a_header_alone_has_no_profile() -> None:
    report = report_as_json(inspected(b"a,b\n"))
    assert report["columns"] == [{"name": "a"}, {"name": "b"}]
    assert report["profiled_records"] is None


def test_a_cell_may_be_longer_than_the_csv_module_takes_unasked() -> None:
    assert of_cells(inspected(b"a,b\n1," + b"x" * 200_000 + b"\n"))["longest"] == 200_000


def test_rows_that_are_not_right_are_not_profiled() -> None:
    facts = inspected(b"a,b\n1,2\n1\n1,2,3\n3,4\n").facts
    assert (facts.records, facts.profiled_records) == (4, 2)


def test_without_a_header_every_record_is_profiled() -> None:
    report = inspect([b"1,a\n2,b\n"], name="x.csv", expectation=Expectation(header=False))
    assert report.facts.profiled_records == 2
    assert [column["type"] for column in report_as_json(report)["columns"]] == ["integer", "string"]


def test_a_column_without_a_value_has_no_type() -> None:
    assert of_cells(inspected(b"a,b\n1,\n2,\n")) == {"nulls": 2, "longest": 0, "distinct": 0}


SECRETS = ["Ana", "Bia", "Ana", "529.982.247-25"]


def test_no_text_of_a_file_is_in_its_report_unless_the_contract_allows_samples() -> None:
    told = str(report_as_json(inspected(table(SECRETS))))
    assert not [secret for secret in SECRETS if secret in told]


def test_with_samples_the_report_tells_the_texts_that_are_most_common() -> None:
    report = inspect([table(SECRETS)], name="x.csv", expectation=Expectation(samples=True))
    told = of_cells(report)
    assert told["common"] == [{"value": "Ana", "count": 2}]
    assert (told["minimum"], told["maximum"]) == ("529.982.247-25", "Bia")


def test_whole_numbers_as_long_as_those_of_people_are_not_told() -> None:
    assert of_cells(inspected(table(["52998224725", "15350946056"]))) == {
        "type": "integer",
        "share": 10_000,
        "nulls": 0,
        "longest": 11,
        "distinct": 2,
    }


@pytest.mark.parametrize("different", [1_024, 1_025, 5_000, 60_000])
def test_distinct_values_beyond_those_that_are_kept_are_estimated_within_a_tenth(different: int) -> None:
    data = table([f"v{at % different}" for at in range(different + 10)])
    profile = inspected(data, profiled_characters=1 << 30, profiled_values=100).facts.columns[1].profile
    assert profile is not None
    assert abs(profile.distinct - different) <= (0 if different <= 1_024 else different // 10)


@pytest.mark.parametrize(
    ("cells", "kind", "form", "least", "greatest"),
    [
        (["10:00:00.5", "09:59:59"], "time", "%H:%M:%S[.%f]", "09:59:59", "10:00:00.5"),
        (
            ["2026-01-01 10:00", "2025-12-31 23:59"],
            "datetime",
            "%Y-%m-%d %H:%M",
            "2025-12-31T23:59",
            "2026-01-01T10:00",
        ),
        (
            ["2026-01-01T00:30:00.25+02:00", "2025-12-31T22:30:00.3Z"],
            "datetime",
            "%Y-%m-%dT%H:%M:%S.%f%z",
            "2025-12-31T22:30:00.25Z",
            "2025-12-31T22:30:00.3Z",
        ),
        (["31.12.2026", "1.2.2026"], "date", "%d.%m.%Y", "2026-02-01", "2026-12-31"),
        (["2026/1/31", "2026/01/30"], "date", "%Y/%m/%d", "2026-01-30", "2026-01-31"),
        (["31/12/2026 08:00:00"], "datetime", "%d/%m/%Y %H:%M:%S", "2026-12-31T08:00:00", "2026-12-31T08:00:00"),
    ],
)
def test_dates_and_times_are_known_in_the_forms_that_are_met(
    cells: list[str], kind: str, form: str, least: str, greatest: str
) -> None:
    told = of_cells(inspected(table(cells)))
    assert (told["type"], told["format"]) == (kind, form)
    assert (told["minimum"], told["maximum"]) == (least, greatest)


@pytest.mark.parametrize("cells", [["007", "010"], ["+5511", "+5512"], ["9" * 19], ["R$ 1,00"], ["01/13/26"], ["1e5"]])
def test_codes_are_texts(cells: list[str]) -> None:
    assert of_cells(inspected(table(cells)))["type"] == "string"


@given(
    st.lists(st.sampled_from(["1", "22", "", "x y", '"q"', '"a\nb"', '"c""d"']), min_size=1, max_size=12),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.integers(1, 30),
)
def test_the_records_that_are_profiled_are_the_beginning_and_the_end_of_every_stretch(
    cells: list[str], newline: str, beginning: int
) -> None:
    """Whether they are lines, that need not be read to be skipped, or not."""
    rows = [f"{at},{cell}" for at, cell in zip(range(6_000), itertools.cycle(cells))]
    report = inspected(newline.join(["row,cell", *rows, ""]).encode(), profiled_characters=beginning)
    read = [cell.strip('"').replace('""', '"') for _, cell in zip(rows, itertools.cycle(cells))]
    left, first = beginning, 0
    while left > 0:
        left -= len(str(first)) + len(read[first])
        first += 1
    part = -(-first // 16)
    taken = [at for at in range(len(rows)) if at < first or (at - first) % (part * 512) >= part * 511]
    told = report_as_json(report)
    assert told["profiled_records"] == len(taken)
    assert told["columns"][0]["maximum"] == str(taken[-1])
    assert told["columns"][1]["nulls"] == sum(not read[at] for at in taken)
