"""Runs of the kernel: what is taken at once is right in every byte, and what writers write is taken at once."""

from __future__ import annotations

import csv
import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.inspection.kernel import Kernel, KernelRuns
from chalicelib.inspection.limits import KIB
from chalicelib.inspection.outline import Ends
from chalicelib.inspection.runs import Run
from chalicelib.inspection.text import count_newlines, line_ends
from tests.inspection import rfc4180
from tests.inspection.strategies import AWKWARD_TEXT, DELIMITERS, judge, tables, written

PIECES = [
    "a",
    '"a"',
    '""',
    '"a""b"',
    '"a,b"',
    '"\n"',
    '"\r\n"',
    '"\r"',
    '"""a"',
    '"a"""',
    'a"b',
    '"a"b',
    'a"b"',
    ",",
    "",
]
LINES = st.lists(st.sampled_from(PIECES), min_size=1, max_size=3).map(",".join)
LIKELY = st.lists(st.tuples(LINES, st.sampled_from(["\n", "\n", "\r\n", "\r"])).map("".join), max_size=6).map("".join)
"""Text that is often right, and else nearly so."""


def taken(text: str, delimiter: str, width: int, at: int = 0) -> Run | None:
    runs = KernelRuns(Kernel(), delimiter.encode())
    runs.look_at(text.encode())
    return runs.run(at, width)


def expected(text: str, delimiter: str, width: int) -> Run | None:
    """What the reference takes: records up to the first that is wrong, ends in a lone CR or is not ended."""
    end, kinds = 0, {"lf": 0, "crlf": 0}
    for at in [at + 1 for at, character in enumerate(text) if character == "\n"]:
        reading = rfc4180.read(text[:at], delimiter)
        good = [row for row in reading.rows if len(row.cells) == width and not row.stray and row.unclosed is None]
        if reading.blank or len(good) < len(reading.rows) or "\r" in reading.newlines:
            if any(row.unclosed is not None for row in reading.rows):
                continue
            break
        ends = "crlf" if text[:at].endswith("\r\n") else "lf"
        end, kinds = len(text[:at].encode()), kinds | {ends: kinds[ends] + 1}
    data = text.encode()[:end]
    return Run(end, Ends(kinds, line_ends(data)), count_newlines(data)) if end else None


@given(AWKWARD_TEXT, DELIMITERS, st.integers(1, 4))
def test_of_any_text_just_the_right_records_are_taken(text: str, delimiter: str, width: int) -> None:
    assert taken(text, delimiter, width) == expected(text, delimiter, width)


@given(LIKELY, st.integers(1, 3), st.integers(0, 200))
@example("1,2\rc\n3,4\r\n", 2, 0)
@example('"a"x,"b"\n', 2, 0)
@example('"a,"",""b"\n', 2, 0)
@example('"a","b"\n"c","d\n', 2, 0)
def test_of_text_that_is_nearly_right_just_the_right_records_are_taken_wherever_it_stands(
    text: str, width: int, shift: int
) -> None:
    """The kernel looks at 64 bytes at a time: what it finds must not depend on where it is cut."""
    row = ",".join("x" * width) + "\n"
    found = taken(text, ",", width)
    assert found == expected(text, ",", width)
    behind = taken(row * shift + text, ",", width, at=shift * len(row))
    assert (behind and behind._replace(end=behind.end - shift * len(row))) == found


@pytest.mark.parametrize("length", range(1, 8))
def test_of_every_short_text_just_the_right_records_are_taken(length: int) -> None:
    for characters in itertools.product('",\r\na', repeat=length - 1):
        text = "".join(characters) + "\n"
        for width in (1, 2):
            assert taken(text, ",", width) == expected(text, ",", width), repr(text)


@pytest.mark.parametrize("shift", range(60, 68))
def test_what_stands_at_the_edge_of_what_is_looked_at_together_is_judged_as_elsewhere(shift: int) -> None:
    for piece in itertools.product('",\r\na', repeat=4):
        text = "a" * (shift - 2) + "," + "".join(piece) + "a\nb,c\n"
        assert taken(text, ",", 2) == expected(text, ",", 2), repr(text)


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
    assert found
    assert (found.ends.records, found.end) == (len(rows), len(text.encode()))


def test_text_beyond_the_kernels_memory_is_taken_in_parts_and_a_record_beyond_it_not_at_all() -> None:
    row = "x" * 1_000 + "\n"
    text = row * 3_000
    first = taken(text, ",", 1)
    assert first
    assert (first.end, first.ends.records) == (1_047 * 1_001, 1_047)
    rest = taken(text, ",", 1, at=first.end)
    assert rest
    assert rest.end == 2 * first.end
    assert taken("x" * (1 << 20) + "\n", ",", 1) is None


def test_a_kernel_that_is_given_more_than_it_holds_says_so() -> None:
    with pytest.raises(ValueError, match="memoryview"):
        Kernel().load(b"x" * ((1 << 20) + 1))


def test_a_cr_alone_between_text_and_a_later_lf_ends_a_record() -> None:
    """Their marks are those of a CRLF."""
    facts, findings, ends = judge("a,b\r\n1,2\r\n1,2\rc\n3,4\r\n", size=12)
    assert (facts.records, findings.counts["missing-cells"]) == (4, 1)
    assert ends == {"lf": 1, "crlf": 3, "cr": 1}


@pytest.mark.parametrize("delimiter", ["^", "]", "-", "\\", "d", "x", ".", " "])
def test_any_character_may_be_the_delimiter(delimiter: str) -> None:
    text = f'1{delimiter}"{delimiter}"\n"2"{delimiter}3\n'
    assert taken(text, delimiter, 2) == Run(len(text), Ends({"lf": 2, "crlf": 0}, 2), (2, 0, 0))
    assert taken(f'1{delimiter}"a"b\n', delimiter, 2) is None


@given(st.lists(st.sampled_from(['"x""\n"', "y", '""']), min_size=1, max_size=400), st.integers(1, 9))
def test_lines_within_records_are_counted_across_the_blocks_of_a_file(cells: list[str], size: int) -> None:
    text = "h,i\n" + "".join(f"{cell},z\r\n" for cell in cells)
    facts, _, ends = judge(text, size=size * KIB // 8)
    assert (facts.records, ends) == (len(cells), {"lf": 1, "crlf": len(cells), "cr": 0})
