"""The delimiter is found from the beginning of a table, and prose is not taken for one."""

from __future__ import annotations

import csv

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.inspection.dialect import DELIMITERS, at_once, between_quotes, detect_dialect, is_convincing, row_by_row
from tests.inspection.strategies import AWKWARD_TEXT, tables, written

WORDS = st.text("abc 123é", min_size=1, max_size=6)
TABLES = st.builds(
    written,
    tables(),
    delimiter=st.sampled_from(DELIMITERS),
    newline=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)


@given(
    st.integers(2, 6).flatmap(
        lambda width: st.lists(st.lists(WORDS, min_size=width, max_size=width), min_size=1, max_size=6)
    ),
    st.sampled_from(DELIMITERS),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_the_delimiter_that_wrote_a_table_is_found(rows: list[list[str]], delimiter: str, quoting: int) -> None:
    dialect = detect_dialect(written(rows, delimiter=delimiter, newline="\n", quoting=quoting), whole=True)
    assert (dialect.delimiter, dialect.columns, dialect.confidence) == (delimiter, len(rows[0]), 100)


@given(st.one_of(AWKWARD_TEXT, TABLES), st.sampled_from(DELIMITERS), st.booleans(), st.data())
@example('a,b\n"c ""d"", e","\n"\n', ",", True, None)
@example('a,b\r\n1,"2"\r', ",", False, None)
@example('"""","\n"""""\n"\r\n","b\n\n"\n","', ",", True, None)
def test_what_is_told_at_once_is_what_reading_row_by_row_says(
    text: str, delimiter: str, whole: bool, data: st.DataObject | None
) -> None:
    text = text[: data.draw(st.integers(0, len(text)))] if data and not whole else text
    found = at_once(between_quotes(text), delimiter, whole=whole)
    assert found in (None, row_by_row(text, delimiter, whole=whole))


@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
def test_a_right_table_is_told_at_once(quoting: int) -> None:
    text = written([["a", "b"], ['c "d"', "e\nf"], ["", ""]], delimiter=",", newline="\r\n", quoting=quoting)
    assert at_once(between_quotes(text), ",", whole=True) == row_by_row(text, ",", whole=True)


@given(AWKWARD_TEXT, st.booleans())
def test_any_text_gets_a_dialect(text: str, whole: bool) -> None:
    dialect = detect_dialect(text, whole=whole)
    assert dialect.delimiter in DELIMITERS
    assert 0 <= dialect.confidence <= 100


@pytest.mark.parametrize(
    ("text", "delimiter", "columns"),
    [
        ("price;note\n1,5;a\n2,5;b\n", ";", 2),  # decimal commas
        ('a;b\n"x, y";2\n', ";", 2),  # commas in quotes
        ("a,b;c,d\n1,2;3,4\n5;6\n", ";", 2),  # both fit the first row, one fits more rows
        ("name\nAna\n", ",", 1),
        ("", ",", 1),
        ("a|b|c\n1|2|3\n", "|", 3),
        ("a\tb, c\n1\t2, 3\n", ",", 2),  # nothing tells these apart: the first of equals
        ("name\nx;y\nz\n", ",", 1),  # no delimiter in the first row
        ("url\nhttp://x | y\nz\n", ",", 1),
        ("tags\n1;2\n3;4\n", ",", 1),
        ("Sales of May\nid;name;price\n1;Ana;2\n2;Bia;3\n", ";", 1),  # a title above a table
        ("Sales of May\nid;name;price\n1;Ana;2\n2;Bia\n", ",", 1),
    ],
)
def test_the_delimiter_is_the_one_under_which_rows_agree(text: str, delimiter: str, columns: int) -> None:
    dialect = detect_dialect(text, whole=True)
    assert (dialect.delimiter, dialect.columns) == (delimiter, columns)


def test_a_row_that_the_end_of_the_sample_cuts_does_not_count() -> None:
    assert detect_dialect("a,b,c\n1,2,3\n4,5", whole=False).confidence == 100
    assert detect_dialect("a,b,c\n1,2,3\n4,5", whole=True).confidence == 66


def test_a_sample_that_ends_in_a_quoted_cell_or_its_first_row_is_judged_by_what_is_there() -> None:
    dialect = detect_dialect('a;b\n1;2\n3;"4\n5,6,', whole=False)
    assert (dialect.delimiter, dialect.confidence, dialect.rows, dialect.stray_quotes) == (";", 100, 2, 0)
    assert detect_dialect("a;b;c", whole=False).delimiter == ";"


def test_a_delimiter_that_leaves_quotes_in_wrong_places_is_not_the_one() -> None:
    assert detect_dialect('"",";;"\n"1","2;3"\n', whole=True).delimiter == ","


@pytest.mark.parametrize(
    ("text", "convincing"),
    [
        ("a,b\n1,2\n3,4\n", True),
        ("a\tb\n1\t2\n", True),
        ("Dear Ana,\nyours, Eva\n", False),
        ("Well, yes.\nNo, thanks.\n", False),  # two lines with a comma each are no table
        ("one line, with a comma\n", False),
        ("a;b\n1;2;3\n", False),
        ("name\nAna\n", False),
        ("", False),
    ],
)
def test_text_is_a_table_only_when_that_is_convincing(text: str, convincing: bool) -> None:
    assert is_convincing(detect_dialect(text, whole=True)) is convincing
