"""Delimited text: counts, widths, quotes and their places, against Python's csv and a plain state machine."""

from __future__ import annotations

import csv
import io
import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.findings import Findings
from chalicelib.inspection import Limits
from chalicelib.inspection.delimited import Delimited
from tests.inspection import rfc4180
from tests.inspection.strategies import (
    AWKWARD_TEXT,
    BLOCK_SIZES,
    DELIMITERS,
    judge,
    places,
    tables,
    written,
)

ON_ROWS = {"stray-quote", "unclosed-quote", "extra-cells", "missing-cells", "blank-row"}
NEWLINES = {"\n": "lf", "\r\n": "crlf", "\r": "cr"}


def python_rows(text: str, delimiter: str) -> list[list[str]]:
    return [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row]


# -- RFC 4180: what a conforming writer writes is right


@given(
    tables(),
    DELIMITERS,
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    BLOCK_SIZES,
)
def test_what_csv_writes_has_its_rows_and_columns_and_no_error(
    rows: list[list[str]], delimiter: str, newline: str, quoting: int, size: int
) -> None:
    if newline == "\n" and quoting == csv.QUOTE_MINIMAL:  # Python 3.11 then leaves a lone CR unquoted
        rows = [[cell.replace("\r", "\n") for cell in row] for row in rows]
    text = written(rows, delimiter=delimiter, newline=newline, quoting=quoting)
    facts, findings, ends = judge(text, delimiter=delimiter, size=size)
    assert facts.records == len(rows) - 1
    assert facts.column_count == len(rows[0])
    assert [column.name for column in facts.columns] == rows[0]
    assert not ON_ROWS & set(findings.counts)
    assert ends == {"lf": 0, "crlf": 0, "cr": 0} | {NEWLINES[newline]: len(rows)}


# -- any text: as Python's csv and the reference read it


@given(AWKWARD_TEXT, DELIMITERS)
def test_the_reference_reads_as_pythons_csv_does(text: str, delimiter: str) -> None:
    assert [row.text for row in rfc4180.read(text, delimiter).rows] == python_rows(text, delimiter)


@given(AWKWARD_TEXT, DELIMITERS, BLOCK_SIZES)
@example('"a\n', ",", 1)
@example("a\r\n\r\nb\r\n\r\n", ",", 100)
@example('a,b\n"1"x,2\n3" ,"4"" 5', ",", 3)
def test_records_widths_quotes_and_blank_rows_are_where_the_reference_finds_them(
    text: str, delimiter: str, size: int
) -> None:
    reading = rfc4180.read(text, delimiter)
    facts, findings, ends = judge(text, delimiter=delimiter, size=size)
    assert facts.records == max(0, len(reading.rows) - 1)
    assert places([found for found in findings if found.code in ON_ROWS]) == sorted(rfc4180.findings(reading), key=str)
    assert {kind for kind, count in ends.items() if count} == {NEWLINES[newline] for newline in reading.newlines}


@given(AWKWARD_TEXT, DELIMITERS, st.tuples(BLOCK_SIZES, BLOCK_SIZES), st.integers(1, 3), st.integers(1, 60))
def test_nothing_depends_on_where_blocks_are_cut(
    text: str, delimiter: str, sizes: tuple[int, int], per_code: int, record_bytes: int
) -> None:
    limits = Limits(findings_per_code=per_code, record_bytes=record_bytes, columns=4)
    outcomes = [judge(text, delimiter=delimiter, size=size, limits=limits) for size in sizes]
    (facts, findings, ends), (other_facts, other_findings, other_ends) = outcomes
    assert (facts, list(findings), findings.counts, ends) == (
        other_facts,
        list(other_findings),
        other_findings.counts,
        other_ends,
    )


@given(AWKWARD_TEXT, DELIMITERS, st.integers(0, 3))
def test_findings_beyond_the_first_are_counted_all_the_same(text: str, delimiter: str, per_code: int) -> None:
    few = judge(text, delimiter=delimiter, limits=Limits(findings_per_code=per_code))[1]
    every = judge(text, delimiter=delimiter)[1]
    assert few.counts == every.counts


LINES = st.sampled_from(["1,2", "1", "1,2,3", "", '"1",2', '1,"2\n3"', '1,"a"",b"', 'x"y,2', '"1"x,2', ",", '""'])


@given(
    st.lists(st.tuples(LINES, st.integers(1, 4)), max_size=12),
    st.lists(st.sampled_from(["\n", "\r\n", "\r"]), min_size=1, max_size=2),
    st.integers(1, 200),
    st.integers(0, 2),
)
def test_rows_whose_findings_need_only_be_counted_are_counted_exactly_and_lines_go_on_right(
    lines: list[tuple[str, int]], newlines: list[str], size: int, per_code: int
) -> None:
    ends = itertools.cycle(newlines)
    text = "a,b" + next(ends) + "".join((line + next(ends)) * times for line, times in lines)
    reading = rfc4180.read(text, ",")
    expected = rfc4180.findings(reading)
    facts, findings, record_ends = judge(text, size=size, limits=Limits(findings_per_code=per_code))
    assert facts.records == len(reading.rows) - 1
    for code in ON_ROWS:
        of_code = [found for found in expected if found[0] == code]
        assert findings.counts.get(code, 0) == len(of_code)
        assert [found for found in places(findings) if found[0] == code] == sorted(of_code[:per_code], key=str)
    assert sum(record_ends.values()) == len(reading.rows) + len(reading.blank)


def fed(blocks: list[bytes], limits: Limits) -> list[tuple[str, int | None, int | None]]:
    findings = Findings(per_code=limits.findings_per_code)
    table = Delimited(findings, limits, delimiter=",")
    for block in blocks:
        table.feed(block)
    table.finish()
    return [(found.code, found.row, found.line) for found in findings]


def test_a_record_that_is_too_long_is_seen_behind_one_that_waited() -> None:
    blocks = [b"a,b\n1,2\n", b"x" * 10 + b",", b"y\n" + b"z" * 7, b"z" * 13 + b",1\n"]
    assert fed(blocks, Limits(record_bytes=20)) == [("line-too-long", 3, 4)]


def test_lines_go_on_right_behind_a_block_that_was_only_counted() -> None:
    blocks = [b"a,b\nN\n", b"N\n\n\nN\r\nN\rN\n", b'N,x"\n']
    expected = [("missing-cells", 1, 2), ("stray-quote", 6, 9), ("blank-row", None, 4)]
    assert fed(blocks, Limits(findings_per_code=1)) == expected
    blocks = [b"a,b\nN\n\n", b"N\n\n\nN\r\nN\rN\n", b'N,x"\n']
    expected = [("missing-cells", 1, 2), ("stray-quote", 6, 10), ("blank-row", None, 3)]
    assert fed(blocks, Limits(findings_per_code=1)) == expected


@pytest.mark.parametrize("length", range(1, 7))
def test_every_short_text_is_judged_as_the_reference_judges_it(length: int) -> None:
    for characters in itertools.product('",\r\na', repeat=length):
        text = "".join(characters)
        reading = rfc4180.read(text, ",")
        facts, findings, _ = judge(text)
        assert facts.records == max(0, len(reading.rows) - 1), repr(text)
        assert places([found for found in findings if found.code in ON_ROWS]) == sorted(
            rfc4180.findings(reading), key=str
        ), repr(text)
