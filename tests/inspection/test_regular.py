"""Regular text: what is taken at once is right in every byte, and what writers write is taken at once."""

from __future__ import annotations

import csv
import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.inspection.regular import Regular, RegularText
from chalicelib.inspection.text import count_newlines
from tests.inspection import rfc4180
from tests.inspection.strategies import AWKWARD_TEXT, DELIMITERS, judge, tables, written

NEWLINES = {"lf": "\n", "crlf": "\r\n"}
PIECES = ["a", '"a"', '""', '"a""b"', '"a,b"', '"\n"', '"\r\n"', '"\r"', '"""a"', '"a"""', 'a"b', '"a"b', 'a"b"', ","]
LINES = st.lists(st.sampled_from(PIECES), min_size=2, max_size=3).map(",".join)
LIKELY = st.lists(st.tuples(LINES, st.sampled_from(["\n", "\n", "\r\n", "\r"])).map("".join), max_size=6).map("".join)
"""Text that is often regular, and else nearly so."""


def taken(text: str, delimiter: str, width: int) -> Regular | None:
    return RegularText(delimiter.encode()).records(text.encode(), width)


def hold(text: str, delimiter: str, width: int) -> None:
    """What is taken is what the reference finds there, and right."""
    found = taken(text, delimiter, width)
    if found is None:
        return
    data = text.encode()[: found.end]
    reading = rfc4180.read(data.decode(), delimiter)
    assert [len(row.cells) for row in reading.rows] == [width] * found.records, repr(text)
    assert (reading.newlines, reading.blank) == ({NEWLINES[found.newline]}, []), repr(text)
    assert not any(row.stray or row.unclosed is not None for row in reading.rows), repr(text)
    assert found.newlines == count_newlines(data), repr(text)


@given(AWKWARD_TEXT, DELIMITERS, st.integers(2, 4))
def test_only_right_records_are_taken_of_any_text(text: str, delimiter: str, width: int) -> None:
    hold(text, delimiter, width)


@given(LIKELY, st.integers(2, 3))
@example("1,2\rc\n3,4\r\n", 2)
@example('"a"x,"b"\n', 2)
@example('"a,"",""b"\n', 2)
@example('"a","b"\n"c","d\n', 2)
def test_only_right_records_are_taken_of_text_that_is_nearly_regular(text: str, width: int) -> None:
    hold(text, ",", width)


@pytest.mark.parametrize("length", range(1, 8))
def test_only_right_records_are_taken_of_every_short_text(length: int) -> None:
    for characters in itertools.product('",\r\na', repeat=length - 1):
        hold("".join(characters) + "\n", ",", 2)


@given(
    tables(),
    DELIMITERS,
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_what_csv_writes_is_taken_at_once_but_for_a_cr_alone(
    rows: list[list[str]], delimiter: str, newline: str, quoting: int
) -> None:
    rows = [[cell.replace("\r", "") for cell in row] for row in rows]
    text = written(rows, delimiter=delimiter, newline=newline, quoting=quoting)
    found = taken(text, delimiter, len(rows[0]))
    assert len(rows[0]) == 1 or (found and (found.records, found.end) == (len(rows), len(text.encode())))


def test_a_block_that_ends_within_a_cell_is_taken_up_to_the_record() -> None:
    assert taken('1,"a\n2,3\n', ",", 2) is None
    assert taken('1,2\n3,4\n5,"a\nb', ",", 2) == Regular("lf", 2, 8, (2, 0, 0))
    assert taken('"1","a\nb"\n"2","c\nd\n', ",", 2) == Regular("lf", 1, 10, (2, 0, 0))


def test_a_cr_alone_between_text_and_a_later_lf_ends_a_record() -> None:
    """Their marks are those of a CRLF."""
    facts, findings, ends = judge("a,b\r\n1,2\r\n1,2\rc\n3,4\r\n", size=12)
    assert (facts.records, findings.counts["missing-cells"]) == (4, 1)
    assert ends == {"lf": 1, "crlf": 3, "cr": 1}


@pytest.mark.parametrize("delimiter", ["^", "]", "-", "\\", "d", "x", ".", " "])
def test_any_character_may_be_the_delimiter(delimiter: str) -> None:
    text = f'1{delimiter}"{delimiter}"\n"2"{delimiter}3\n'
    assert taken(text, delimiter, 2) == Regular("lf", 2, len(text), (2, 0, 0))
    assert taken(f'1{delimiter}"a"b\n', delimiter, 2) is None
