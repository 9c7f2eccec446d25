"""The one pass: whatever the bytes, one report with a verdict, the same however they arrive."""

from __future__ import annotations

import csv
import hashlib
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.inspection import Expectation, Limits, Report, Status, inspect
from chalicelib.inspection.media_types import Format
from tests.inspection.strategies import AWKWARD_TEXT, BLOCK_SIZES, codes, cut, gz, tables, written

NAMES = st.sampled_from(
    ["a.csv", "a.tsv", "a.json", "a.jsonl", "a.txt", "a", "a.csv.gz", "a.json.gz", "a.xlsx", "a.html"]
)
SAMPLES = [
    b"a,b\n1,2\n3,4\n",
    b'a;b\r\n"1\r\n";2\r\n',
    b"a\tb\n1\t2\n",
    '\ufeff"name","é"\n"x","y"\n'.encode(),
    "a,b\n1,é\n".encode("utf-16"),
    b'[{"a": 1}, {"a": 2}]',
    b'{"a": 1}\n{"a": [1, 2]}\n',
    b"Dear all,\nthis is prose.\n",
    b"<!doctype html><p>x",
    b"PK\x03\x04" + bytes(40),
    b"\x89PNG\r\n\x1a\n" + bytes(20),
]
CONTENTS = st.one_of(
    st.binary(max_size=200),
    AWKWARD_TEXT.map(str.encode),
    st.sampled_from(SAMPLES),
    st.sampled_from(SAMPLES).map(gz),
    st.binary(max_size=60).map(gz),
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Content with some bytes changed and perhaps its end cut off."""
    data = bytearray(draw(CONTENTS))
    for at, byte in draw(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=3)):
        if at < len(data):
            data[at] = byte
    return bytes(data[: draw(st.integers(0, 300))])


FILES = st.one_of(CONTENTS, damaged())


# -- any bytes


@given(FILES, NAMES, st.none() | st.sampled_from(["text/csv", "application/json", "x"]), BLOCK_SIZES)
def test_any_bytes_end_in_one_verdict_with_their_size_and_hash(
    data: bytes, name: str, declared: str | None, size: int
) -> None:
    report = inspect(cut(data, size), name=name, declared_type=declared)
    assert report.bytes == len(data)
    assert report.sha256 == hashlib.sha256(data).hexdigest()
    failing = {found.severity for found in report.findings} & {"error"}
    assert report.status is (Status.FAILED if failing else Status.SUCCEEDED)
    assert (report.cause is None) is (report.status is Status.SUCCEEDED)


@given(FILES, NAMES, st.sampled_from([Format.CSV, Format.TSV, Format.JSON, Format.JSONL, Format.TEXT]), st.booleans())
def test_what_a_caller_expects_of_any_bytes_makes_nothing_raise(
    data: bytes, name: str, expected: Format, header: bool
) -> None:
    report = inspect([data], name=name, expectation=Expectation(format=expected, header=header))
    assert report.format in (expected, None)


@given(FILES, NAMES)
def test_the_report_does_not_depend_on_chunk_boundaries(data: bytes, name: str) -> None:
    whole = inspect([data], name=name)
    for size in {1, 2, 3, max(1, len(data) - 1), max(1, len(data)), len(data) + 1}:
        assert inspect(cut(data, size), name=name) == whole
    assert inspect([b"", data, b""], name=name) == whole


@given(FILES, NAMES, st.integers(1, 20), st.integers(1, 3))
def test_the_report_does_not_depend_on_the_size_of_blocks(data: bytes, name: str, block: int, per_code: int) -> None:
    whole, small = (
        inspect([data], name=name, limits=Limits(sniff_bytes=30, block_bytes=size, findings_per_code=per_code))
        for size in (1 << 18, block)
    )
    assert small == whole


@given(FILES, st.integers(4, 30), st.integers(1, 20))
def test_how_much_is_sniffed_changes_nothing_where_format_and_encoding_are_said(
    data: bytes, sniff: int, block: int
) -> None:
    expectation = Expectation(format=Format.TSV, encoding="utf-8")
    whole = inspect([data], expectation=expectation)
    small = inspect([data], expectation=expectation, limits=Limits(sniff_bytes=sniff, block_bytes=block))
    confidence = whole.facts.dialect_confidence  # it speaks of what was sniffed
    assert small._replace(facts=small.facts._replace(dialect_confidence=confidence)) == whole


def test_what_the_chunks_raise_passes_through() -> None:
    def broken() -> Iterator[bytes]:
        yield b"a,b\n"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        inspect(broken(), name="a.csv")


# -- tables


@given(tables(), st.sampled_from([",", ";", "\t", "|"]), BLOCK_SIZES)
def test_a_table_that_csv_writes_is_right_from_its_bytes_to_its_verdict(
    rows: list[list[str]], delimiter: str, size: int
) -> None:
    rows = [[cell.replace("\0", "") for cell in row] for row in rows]
    data = written(rows, delimiter=delimiter, newline="\r\n", quoting=csv.QUOTE_ALL).encode()
    report = inspect(cut(data, size), name="a.csv", expectation=Expectation(format=Format.CSV))
    assert report.newline == "crlf"  # a line break inside a cell is no line end of the table
    assert "mixed-newlines" not in codes(report)
    if len(rows[0]) > 1:
        assert (report.status, report.facts.records) == (Status.SUCCEEDED, len(rows) - 1)
        assert report.facts.delimiter == delimiter


@pytest.mark.parametrize(
    ("content", "newline", "mixed"),
    [
        (b"a,b\n1,2\r\n", "mixed", True),
        (b'a,b\r\n"1\n2",3\r\n', "crlf", False),
        (b'a,b\n"1\r2\r\n3",4\n', "lf", False),
        (b"a,b\r1,2\r", "cr", False),
        (b"a,b\r1,2\n", "mixed", True),
        (b"a,b\r\n1,2\r\n\n", "mixed", True),
        (b"a,b", None, False),
    ],
)
def test_newlines_of_a_table_are_those_that_end_its_records(content: bytes, newline: str | None, mixed: bool) -> None:
    report = inspect([content], name="a.csv")
    assert (report.newline, "mixed-newlines" in codes(report)) == (newline, mixed)


def test_newlines_of_text_are_those_of_its_lines() -> None:
    report = inspect([b'a "b\r\n" c\n'], name="a.log")
    assert report.newline == "mixed"
    assert next(found.message for found in report.findings).startswith(
        "Lines end in more than one way: 1 LF and 1 CRLF."
    )


@pytest.mark.parametrize(
    ("content", "lines", "records"),
    [
        (b"a,b\n1,2\n", 2, 1),
        (b"a,b\n1,2", 2, 1),
        (b'a,b\n"1\n2",3\n', 3, 1),
        (b"a,b\n", 1, 0),
        (b"a,b", 1, 0),
        (b"a,b\n\n1,2\n\n", 4, 1),
        ("a,b\n1\u2028\x85\x0b\x0c\x1c,2\n".encode(), 2, 1),
    ],
)
def test_lines_and_records_are_both_kept_and_differ(content: bytes, lines: int, records: int) -> None:
    report = inspect([content], name="a.csv")
    assert (report.lines, report.facts.records) == (lines, records)


def test_no_final_newline_is_worth_knowing_and_no_fault() -> None:
    report = inspect([b"a,b\n1,2"], name="a.csv")
    assert codes(report) == {"no-final-newline"}
    assert report.status is Status.SUCCEEDED


def test_a_table_without_a_header_counts_its_first_record() -> None:
    report = inspect([b"1,2\n3,4\n"], name="a.csv", expectation=Expectation(header=False))
    assert (report.facts.records, report.facts.header) == (2, False)


def test_a_tsv_that_is_expected_is_delimited_by_tabs_whatever_it_looks_like() -> None:
    report = inspect([b"a,b\n1,2\n"], expectation=Expectation(format=Format.TSV))
    assert (report.facts.delimiter, report.facts.column_count, report.format) == ("\t", 1, "tsv")


# -- budgets


def test_a_record_that_is_too_long_ends_the_check_with_its_row_and_line() -> None:
    limits = Limits(record_bytes=10)
    report = inspect([b"a,b\n1,2\n" + b"x" * 8 + b",2\n" + b"y" * 9 + b",2\n,,,,\n"], name="a.csv", limits=limits)
    assert [(found.code, found.row, found.line) for found in report.findings] == [("line-too-long", 3, 4)]
    assert report.facts.records is None
    assert report.lines == 5


@pytest.mark.parametrize("block", [1, 1 << 18])
def test_what_is_wrong_in_a_complete_record_is_told_though_the_file_is_cut_behind_it(block: int) -> None:
    content = gz(b'a,b\nxxxxxxxxxxxxxxxx,"1"z\nxx')[:-8]
    report = inspect([content], name="a.csv.gz", limits=Limits(sniff_bytes=4, block_bytes=block))
    assert codes(report) == {"truncated-compression", "stray-quote"}


def test_a_quote_that_is_never_closed_in_a_large_file_ends_in_a_finding_and_not_in_memory() -> None:
    content = b'a,b\n"' + b"1,2\n" * 50_000
    report = inspect(cut(content, 1000), name="a.csv", limits=Limits(record_bytes=100_000))
    assert codes(report) == {"line-too-long"}


def test_too_many_columns_end_the_check() -> None:
    report = inspect([b"a,b,c\n1,2\n"], name="a.csv", limits=Limits(columns=2))
    assert codes(report) == {"too-many-columns"}
    assert (report.facts.records, report.facts.columns) == (None, ())
    assert inspect([b"a,b\n1,2\n"], name="a.csv", limits=Limits(columns=2)).status is Status.SUCCEEDED


def test_the_report_names_only_so_many_columns_and_characters_of_them() -> None:
    report = inspect([b"aaaa,b,c\n1,2,3\n"], name="a.csv", limits=Limits(named_columns=2, name_length=3))
    assert [column.name for column in report.facts.columns] == ["aaa", "b"]
    assert report.facts.column_count == 3


def late(after: int) -> Iterator[bool]:
    return (call >= after for call in range(1 << 30))


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.json", "a.bin"])
def test_running_out_of_time_gives_a_verdict_that_is_not_the_files_fault(name: str) -> None:
    content = gz(b"a,b\n" * 100) if name.endswith("gz") else b"a,b\n" * 100
    calls = late(3)
    report = inspect(cut(content, 2), name=name, out_of_time=lambda: next(calls), limits=Limits(sniff_bytes=4))
    assert "inspection-timed-out" in codes(report)
    assert (report.status, report.cause) == (Status.FAILED, "system")
    assert (report.sha256, report.bytes) == (None, None)


def test_running_out_of_time_after_a_bomb_is_still_told() -> None:
    content = gz(b"a,b\n" * 1_000_000)
    calls = late(8)
    report = inspect(
        cut(content, len(content) // 20),
        name="a.csv.gz",
        out_of_time=lambda: next(calls),
        limits=Limits(unpacked_bytes=1000, sniff_bytes=100, block_bytes=1000),
    )
    assert codes(report) == {"decompression-bomb", "inspection-timed-out"}


@pytest.mark.parametrize(
    "row", [b"1,2\n", b'"1","2"\n', b"1,2,3\n", b"\n", b'1"",2\n', b",\n", b'"', b'""', b'""\n,', b"1\xff\n", b"\0"]
)
def test_memory_does_not_grow_with_the_file(row: bytes) -> None:
    limits = Limits(block_bytes=1 << 14, record_bytes=1 << 16)
    block = row * ((1 << 14) // len(row))

    def peak(blocks: int) -> int:
        tracemalloc.start()
        inspect((block for _ in range(blocks)), name="a.csv", limits=limits)
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    assert peak(24) < 1.3 * peak(8) + 100_000


# -- what a conformance corpus holds: content, records, columns, codes


CORPUS: list[tuple[bytes, int, list[str], set[str]]] = [
    # csv-spectrum
    (
        b'first,last,address,city,zip\nJohn,Doe,120 any st.,"Anytown, WW",08123\n',
        1,
        ["first", "last", "address", "city", "zip"],
        set(),
    ),
    (b'a,b,c\n1,"",""\n2,3,4\n', 2, ["a", "b", "c"], set()),
    (b'a,b,c\r\n1,"",""\r\n2,3,4\r\n', 2, ["a", "b", "c"], set()),
    (b'a,b\n1,"ha ""ha"" ha"\n3,4\n', 2, ["a", "b"], set()),
    (b'key,val\n1,"{""type"": ""Point"", ""coordinates"": [102.0, 0.5]}"\n', 1, ["key", "val"], set()),
    (b'a,b,c\n1,2,3\n"Once upon \na time",5,6\n7,8,9\n', 3, ["a", "b", "c"], set()),
    (b'a,b,c\r\n1,2,3\r\n"Once upon \r\na time",5,6\r\n', 2, ["a", "b", "c"], set()),
    (b'a,b\n1,"ha \n""ha"" \nha"\n3,4\n', 2, ["a", "b"], set()),
    (b"a,b,c\n1,2,3\n", 1, ["a", "b", "c"], set()),
    ("a,b,c\n1,2,3\n4,5,ʤ\n".encode(), 2, ["a", "b", "c"], set()),
    (b'a,b,c,d,e,f,g,h\n"a, b",,,,,,,\n', 1, ["a", "b", "c", "d", "e", "f", "g", "h"], set()),
    # RFC 4180, section 2
    (b"aaa,bbb,ccc\r\nzzz,yyy,xxx", 1, ["aaa", "bbb", "ccc"], {"no-final-newline"}),
    (b'"aaa","bbb","ccc"\r\nzzz,yyy,xxx\r\n', 1, ["aaa", "bbb", "ccc"], set()),
    (b'"aaa","b\r\nbb","ccc"\r\nzzz,yyy,xxx\r\n', 1, ["aaa", "b\r\nbb", "ccc"], set()),
    (b'"aaa","b""bb","ccc"\r\n1,2,3\r\n', 1, ["aaa", 'b"bb', "ccc"], set()),
    (b" a , b \r\n 1 , 2 \r\n", 1, [" a ", " b "], set()),  # spaces are part of a field
    # csvlint
    (b"a,b,c\n1,2\n3,4,5\n", 2, ["a", "b", "c"], {"missing-cells"}),
    (b"a,b\n1,2,3\n", 1, ["a", "b"], {"extra-cells"}),
    (b"a,b\n1,2\n\n3,4\n", 2, ["a", "b"], {"blank-row"}),
    (b'a,b\n1,2 "x"\n', 1, ["a", "b"], {"stray-quote"}),
    (b'a,b\n1, "2"\n', 1, ["a", "b"], {"stray-quote"}),
    (b'a,b\n"1" ,2\n', 1, ["a", "b"], {"stray-quote"}),
    (b'a,b\n"1"x,2\n', 1, ["a", "b"], {"stray-quote"}),
    (b'a,b\n1,"2\n', 1, ["a", "b"], {"unclosed-quote", "no-final-newline"} - {"no-final-newline"}),
    (b'a,b\n"1,2\n3,4\n', 1, ["a", "b"], {"unclosed-quote", "missing-cells"}),
    (b"a,,c\n1,2,3\n", 1, ["a", "", "c"], {"blank-header"}),
    (b"a,a\n1,2\n", 1, ["a", "a"], {"duplicate-header"}),
    (b"A title\na,b\n1,2\n", 2, ["A title"], {"extra-cells"}),
    (b"a,b\n1,2\r\n", 1, ["a", "b"], {"mixed-newlines"}),
    (b"a,b\r1,2\r", 1, ["a", "b"], set()),
    (b"a,b\n,\n", 1, ["a", "b"], set()),
    (b'a\n""\nx\n', 2, ["a"], set()),
    (b"a,b\n1,\0\n", 1, ["a", "b"], {"nul-byte"}),
    (b"\n\n", 0, [], {"blank-row", "no-records"}),
    (b"a,b\n", 0, ["a", "b"], {"no-records"}),
    (b"a,b\n1,2,\n", 1, ["a", "b"], {"extra-cells"}),
    (b"a,b,\n1,2,\n", 1, ["a", "b", ""], {"blank-header"}),
    ("\ufeffa,b\n1,2\n".encode(), 1, ["a", "b"], {"bom-present"}),
    ('\ufeff"a","b"\n1,2\n'.encode(), 1, ["a", "b"], {"bom-present"}),
    (b"a,b\n1,\xff\xfe\n\xc3\xa9,2\n", 2, ["a", "b"], {"encoding-guessed"}),
    ("é,b\n1,".encode() + b"\xff\n", 1, ["é", "b"], {"invalid-encoding"}),
]


@pytest.mark.parametrize(("content", "records", "names", "found"), CORPUS)
@pytest.mark.parametrize("size", [1, 1 << 20])
def test_known_files_are_judged_as_known(
    content: bytes, records: int, names: list[str], found: set[str], size: int
) -> None:
    report: Report = inspect(cut(content, size), name="a.csv")
    assert report.facts.records == records
    assert [column.name for column in report.facts.columns] == names
    assert codes(report) == found


@pytest.mark.parametrize("name", ["a.csv", "a.json", "a.jsonl", "a.txt", "a.bin", "a", ""])
def test_no_bytes_are_an_empty_file_and_fail(name: str) -> None:
    for chunks in ([], [b""]):
        report = inspect(chunks, name=name)
        assert codes(report) == {"empty-file"}
        assert (report.status, report.lines, report.bytes) == (Status.FAILED, 0, 0)
