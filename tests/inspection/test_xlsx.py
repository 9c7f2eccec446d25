"""XLSX, with openpyxl as the oracle of what is right, and hand-made workbooks for what is odd or wrong."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.styles.numbers import is_date_format, is_timedelta_format
from openpyxl.utils import get_column_letter
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900, from_excel

from chalicelib.inspection import Limits, Report, inspect
from chalicelib.inspection.report_parts import Sheet
from chalicelib.inspection.xlsx.cells import ERROR, CellValues
from chalicelib.inspection.xlsx.dates import Shown, moment_of, shown_as
from chalicelib.inspection.xlsx.parts import resolved
from chalicelib.inspection.xlsx.sheet import column_letters, column_number
from chalicelib.inspection.xlsx.strings import Strings
from tests.inspection.packing import zipped
from tests.inspection.strategies import cut, gz
from tests.inspection.workbooks import (
    RELATED,
    STRICT,
    book,
    changed,
    packed,
    parts_of,
    relationships,
    sheet,
    strings,
    styles,
    workbook,
    written,
)


def judged(content: bytes, *, name: str = "a.xlsx", **options: Any) -> Report:
    return inspect([content], name=name, **options)


def damage(content: bytes) -> str:
    """What is said of the one damage that there is."""
    report = judged(content)
    assert report.counts == {"damaged-xlsx": 1}
    return report.findings[0].message.removeprefix("The workbook is damaged: ").partition(".")[0]


# -- beside openpyxl

CELLS = st.one_of(
    st.none(),
    st.integers(-(10**9), 10**9),
    st.booleans(),
    st.text("aé _x\n\t1", min_size=1, max_size=6),
    st.dates(date(1950, 1, 1), date(2100, 1, 1)),
)
ROWS = st.lists(st.lists(CELLS, max_size=5), max_size=6)


@given(ROWS, ROWS, st.integers(1, 5000))
def test_used_range_and_rows_of_each_sheet_are_those_that_openpyxl_reads(
    rows: list[list[Any]], others: list[list[Any]], size: int
) -> None:
    content = written(rows, Other=others)
    report = inspect(cut(content, size), name="a.xlsx")
    expected = []
    for opened in openpyxl.load_workbook(io.BytesIO(content)):
        places = [(cell.row, cell.column) for row in opened.iter_rows() for cell in row if cell.value is not None]
        lines, columns = {line for line, _ in places}, {column for _, column in places}
        used = (
            f"{get_column_letter(min(columns))}{min(lines)}:{get_column_letter(max(columns))}{max(lines)}"
            if places
            else None
        )
        expected.append(Sheet(name=opened.title, used_range=used, rows=len(lines), hidden=False))
    assert (list(report.facts.sheets), report.facts.sheet_count) == (expected, 2)
    assert report.facts.records == max(expected[0].rows - 1, 0)
    assert report.status == "succeeded"


TABLE = written([["id", "name"], [1, "Ana"], [2, "Bé"]])


@given(st.integers(0, len(TABLE) - 1), st.binary(min_size=1, max_size=9), st.integers(1, 2000))
def test_a_file_that_was_changed_anywhere_gets_one_report_however_it_arrives(at: int, new: bytes, size: int) -> None:
    content = TABLE[:at] + new + TABLE[at + len(new) :]
    report = judged(content)
    assert report == inspect(cut(content, size), name="a.xlsx")
    assert report.status == "failed" or report.format != "xlsx" or report.facts.records == 2


@given(st.integers(4, len(TABLE) - 1))
def test_a_file_that_was_cut_anywhere_fails(end: int) -> None:
    assert judged(TABLE[:end]).status == "failed"


PARTS = parts_of(strings=strings("<t>a</t>"), styles=styles("yyyy"))


@given(st.sampled_from(sorted(PARTS)), st.integers(0, 400), st.binary(max_size=9), st.integers(0, 9))
def test_parts_that_were_changed_anywhere_get_one_report(name: str, at: int, new: bytes, length: int) -> None:
    part = PARTS[name].encode()
    report = judged(packed({**PARTS, name: part[:at] + new + part[at + length :]}))
    assert report.status == "failed" or report.facts.sheets or report.facts.sheet_count is not None


@given(st.floats(0, 2_958_000), st.booleans())
def test_a_number_is_the_moment_that_openpyxl_makes_of_it(number: float, is_1904: bool) -> None:
    found = moment_of(number, Shown.DATETIME, is_1904=is_1904)
    if is_1904 and not 1 <= number < 2_957_003:
        return
    expected = from_excel(number, CALENDAR_MAC_1904 if is_1904 else CALENDAR_WINDOWS_1900)
    if not is_1904 and 60 <= number < 61:
        assert found is None  # 29 February 1900
    elif isinstance(found, datetime) and isinstance(expected, datetime):
        assert abs(found - expected) <= timedelta(milliseconds=1)
    else:
        assert isinstance(found, time)
        assert number < 1.000001


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("General", None),
        ("0.00E+00", None),
        ("#,##0.00 [$R$-416]", None),
        ('0 "days"', None),
        ("[Red]0;[Blue]-0", None),
        ("yyyy\\-mm\\-dd", Shown.DATE),
        ("mmm", Shown.DATE),
        ("[$-416]d/m/yy;@", Shown.DATE),
        ("dd/mm/yyyy hh:mm", Shown.DATETIME),
        ("hh:mm:ss", Shown.TIME),
        ("mm:ss.0", Shown.TIME),
        ("[h]:mm:ss", Shown.DURATION),
        ("[$-F400]h:mm:ss\\ AM/PM", Shown.TIME),
        ('yyyy"年"m"月"d"日"', Shown.DATE),
    ],
)
def test_a_number_format_shows_what_it_is_for(code: str, shown: Shown | None) -> None:
    assert shown_as(code) is shown
    assert is_date_format(code) is (shown is not None)
    assert bool(is_timedelta_format(code)) is (shown is Shown.DURATION)


@given(st.integers(1, 16_384))
def test_the_letters_of_a_column_are_its_number(number: int) -> None:
    assert column_letters(number) == get_column_letter(number)
    assert column_number(get_column_letter(number)) == number


# -- values

NOON = datetime(2026, 11, 23, 12)  # noqa: DTZ001 - a workbook knows no zones


def value(text: str, kind: str | None = None, *, shown: Shown | None = None, is_1904: bool = False) -> Any:
    found = CellValues(Strings(100), [None, shown], is_1904=is_1904).value(kind, "1", text)
    assert bool(CellValues(Strings(100), [], is_1904=is_1904).check(kind, "1", text)) is (found is not None)
    return found


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("5", None, 5),
        ("5.0", "n", Decimal("5.0")),
        ("-1.5E-3", None, Decimal("-0.0015")),
        ("", None, None),
        ("1", "b", True),
        ("0", "b", False),
        ("#REF!", "e", ERROR),
        ("a", "str", "a"),
        ("", "str", None),
        ("a_x000D_b_x005F_", "str", "a\rb_"),
        ("2026-11-23", "d", date(2026, 11, 23)),
        ("2026-11-23T10:00:00", "d", NOON - timedelta(hours=2)),
        ("10:00:00", "d", time(10)),
    ],
)
def test_a_cell_has_the_value_of_its_type(text: str, kind: str | None, expected: Any) -> None:
    assert value(text, kind) == expected
    assert type(value(text, kind)) is type(expected)


@pytest.mark.parametrize(
    ("number", "shown", "expected"),
    [
        ("46349", Shown.DATE, date(2026, 11, 23)),
        ("46349.5", Shown.DATE, NOON),
        ("46349", Shown.DATETIME, NOON - timedelta(hours=12)),
        ("0.75", Shown.TIME, time(18)),
        ("1.5", Shown.DURATION, timedelta(hours=36)),
        ("1", Shown.DATE, date(1900, 1, 1)),
        ("59", Shown.DATE, date(1900, 2, 28)),
        ("61", Shown.DATE, date(1900, 3, 1)),
        ("60", Shown.DATE, 60),
        ("-1", Shown.DATE, Decimal(-1)),
        ("2958465", Shown.DATE, date(9999, 12, 31)),
        ("2958466", Shown.DATE, 2_958_466),
    ],
)
def test_a_number_is_the_date_or_time_that_it_is_shown_as(number: str, shown: Shown, expected: Any) -> None:
    assert value(number, shown=shown) == expected


def test_days_are_counted_from_1904_where_the_workbook_says_so() -> None:
    assert value("0", shown=Shown.DATE, is_1904=True) == date(1904, 1, 1)
    assert value("44887", shown=Shown.DATE, is_1904=True) == date(2026, 11, 23)


# -- the odd ways of writers


def header(content: bytes) -> list[str]:
    report = judged(content)
    assert report.status == "succeeded", report.findings
    return [column.name for column in report.facts.columns]


def test_texts_are_shared_written_in_the_cell_rich_or_of_a_formula() -> None:
    rows = (
        '<row><c t="s"><v>0</v></c><c t="s"><v>1</v></c><c t="inlineStr"><is><r><t>d</t></r><r><t>e</t></r></is></c>'
        '<c t="str"><f>A1&amp;"x"</f><v>f</v></c><c s="1"><v>46349</v></c><c t="b"><v>1</v></c><c><v>7</v></c></row>'
    )
    shared = strings("<t>a</t>", "<r><rPr/><t>b</t></r><r><t>c</t></r><rPh sb='0' eb='1'><t>no</t></rPh>")
    content = workbook(rows, strings=shared, styles=styles("yyyy-mm-dd"))
    assert header(content) == ["a", "bc", "de", "f", "2026-11-23", "TRUE", "7"]


def test_a_shared_text_of_no_number_is_no_value_and_beside_a_text_in_the_cell_a_value_says_nothing() -> None:
    rows = (
        '<row><c t="inlineStr"><v>1.0</v><is><t>id</t></is></c></row><row><c t="s"><v/></c><c t="s"><v></v></c></row>'
    )
    report = judged(workbook(rows))
    assert (header(workbook(rows)), report.facts.sheets[0].used_range, report.facts.records) == (["id"], "A1:A1", 0)


def test_rows_and_cells_need_no_references_and_a_dimension_may_lie() -> None:
    rows = "<row><c><v>1</v></c><c/><c><v>3</v></c></row><row><c/><c><v>2</v></c></row>"
    assert judged(workbook(rows)).facts.sheets == (Sheet(name="S", used_range="A1:C2", rows=2, hidden=False),)


def test_a_table_may_start_anywhere_in_its_sheet() -> None:
    rows = '<row r="3"><c r="C3"><v>1</v></c><c r="D3"><v>2</v></c></row><row r="4"><c r="C4"><v>3</v></c></row>'
    report = judged(workbook(rows))
    assert (report.facts.records, report.facts.column_count, report.counts) == (1, 2, {})


def test_a_value_outside_the_columns_of_the_header_is_named_and_no_error_of_the_workbook() -> None:
    """As where a title stands above the table: readers of workbooks read it."""
    rows = '<row r="3"><c r="C3"><v>1</v></c></row><row r="4"><c r="{}4"><v>3</v></c></row>'
    for number, column in ((1, "A"), (2, "B"), (4, "D")):
        report = judged(workbook(rows.format(column)))
        assert (report.status, report.counts) == ("succeeded", {"value-outside-table": 1})
        assert (report.findings[0].row, report.findings[0].line, report.findings[0].column) == (1, 4, number)
        assert f"column {column}," in report.findings[0].message


def test_the_parts_of_a_workbook_may_have_any_folder_and_any_order() -> None:
    parts = {
        "sheet1.xml": sheet(),
        "Workbook.xml": book(),
        "_rels/Workbook.xml.rels": relationships(("s1", "worksheet", "sheet1.xml")),
        "_rels/.rels": relationships(("r1", "officeDocument", "Workbook.xml")),
        "[Content_Types].xml": "<Types/>",
    }
    report = inspect([packed(parts)], name="a.xlsx")
    assert (report.format, report.status, report.facts.records) == ("xlsx", "succeeded", 1)
    assert inspect([packed({"a.txt": "x", **parts})], name="a.xlsx").format == "zip"


def test_targets_may_be_absolute_or_climb_and_case_means_nothing() -> None:
    related = relationships(("s1", "worksheet", "/XL/Worksheets/Sheet1.xml"))
    assert header(changed(related=related)) == ["id"]
    assert resolved("xl", "../xl/./a.xml") == resolved("xl", "/xl/a.xml") == resolved("xl", "a.xml") == "xl/a.xml"


def test_the_strict_form_is_read_as_the_other() -> None:
    strict = "http://purl.oclc.org/ooxml/officeDocument/relationships"
    content = changed(
        root=relationships(("r1", "officeDocument", "xl/workbook.xml"), namespace=strict),
        book=book(namespace=STRICT).replace(RELATED, strict),
        related=relationships(("s1", "worksheet", "worksheets/sheet1.xml"), namespace=strict),
        sheet=sheet(namespace=STRICT),
    )
    assert header(content) == ["id"]


def test_parts_may_be_stored_or_streamed_and_in_utf_16() -> None:
    parts = [(name, said.encode()) for name, said in parts_of().items()]
    assert header(zipped(parts, zipfile.ZIP_STORED)) == ["id"]
    assert header(zipped(parts, streamed=True)) == ["id"]
    assert header(zipped(parts, zipfile.ZIP_STORED, streamed=True)) == ["id"]
    assert header(changed(sheet=f'<?xml version="1.0" encoding="UTF-16"?>{sheet()}'.encode("utf-16"))) == ["id"]


def test_blank_rows_between_records_are_told_and_formatted_ones_below_are_not() -> None:
    rows = "".join(f'<row r="{line}"><c r="A{line}"><v>1</v></c></row>' for line in (1, 4, 5))
    report = judged(workbook(rows + '<row r="9"><c r="A9" s="1"/></row>'))
    assert (report.counts, [found.line for found in report.findings]) == ({"blank-row": 2}, [2, 3])


def test_a_million_blank_rows_are_counted_at_once() -> None:
    rows = '<row r="1"><c><v>1</v></c></row><row r="1048576"><c><v>1</v></c></row>'
    assert judged(workbook(rows)).counts == {"blank-row": 1_048_574}


def test_hidden_sheets_are_counted_and_are_not_the_table() -> None:
    sheets = '<sheet name="H" state="veryHidden" sheetId="1" r:id="s1"/><sheet name="S" sheetId="2" r:id="s1"/>'
    report = judged(changed(book=book(sheets)))
    assert [each.hidden for each in report.facts.sheets] == [True, False]
    assert (report.facts.records, report.counts) == (1, {"hidden-sheets": 1})


def test_a_sheet_that_is_a_chart_has_no_cells() -> None:
    sheets = '<sheet name="C" sheetId="1" r:id="c1"/><sheet name="S" sheetId="2" r:id="s1"/>'
    related = relationships(("c1", "chartsheet", "charts/none.xml"), ("s1", "worksheet", "worksheets/sheet1.xml"))
    report = judged(changed(book=book(sheets), related=related))
    assert ([each.rows for each in report.facts.sheets], report.facts.records) == ([0, 2], 1)


def test_macros_are_worth_knowing() -> None:
    related = relationships(("s1", "worksheet", "worksheets/sheet1.xml"), ("m", "vbaProject", "vbaProject.bin"))
    report = judged(changed(related=related), name="a.xlsm")
    assert (report.status, report.counts) == ("succeeded", {"macros-present": 1})


def test_an_error_in_a_cell_is_told_with_its_place_and_not_its_value() -> None:
    report = judged(written([["id", "sum"], [1, "#REF!"], [2, "#DIV/0!"]], Other=[["x", "#N/A"]]))
    assert report.status == "succeeded"
    places = [(found.row, found.line, found.field) for found in report.findings]
    assert sorted(places, key=str) == [(1, 2, "sum"), (2, 3, "sum"), (None, 1, None)]
    assert "cell B2 of the sheet" in report.findings[1].message + report.findings[0].message


def test_a_sheet_of_the_most_rows_there_are_takes_no_more_memory_than_a_short_one() -> None:
    rows = "".join(f"<row><c><v>{number}</v></c></row>" for number in range(20_000))
    assert judged(workbook(rows)).facts.records == 19_999


# -- what is wrong

OTHER = '<c r="A2"><v>1</v></c>'
WRONG: dict[str, bytes] = {
    "no list of content types": changed(types=None),
    "it has no list of content types": changed(types="<Other/>"),
    "the list of content types is no well-formed XML": changed(types="junk"),
    "the list of its relationships is missing": changed(root=None),
    "which part is the workbook": changed(root=relationships()),
    "the workbook is missing": changed(book=None),
    "the list of the workbook's relationships is missing": changed(related=None),
    "which part is one of its sheets": changed(related=relationships()),
    "a sheet is missing": changed(sheet=None),
    "the workbook has no sheet": changed(book=book("")),
    "a sheet is no well-formed XML": changed(sheet="<worksheet>"),
    "the workbook is no well-formed XML": changed(book=b"\xff"),
    "has a document type": changed(sheet='<!DOCTYPE a [<!ENTITY b "c">]>' + sheet()),
    "nested too deep": changed(sheet="<a>" * 300 + "</a>" * 300),
    "beyond all measure": changed(sheet="<a>" + "".join(f"<b{number}/>" for number in range(30_000)) + "</a>"),
    "a tag, or names": changed(sheet=f"<a b='{'c' * 3_000_000}'/>"),
    "rows of a sheet are not in order": workbook('<row r="2"/><row r="2"/>'),
    "rows of a sheet are not": workbook('<row r="1048577"/>'),
    "rows of a sheet": workbook("<row><row/></row>"),
    "cells of a row are not in order": workbook('<row><c r="B1"/><c r="A1"/></row>'),
    "cells of a row are not": workbook('<row><c r="XFE1"/></row>'),
    "cells of a row": workbook("<c/>"),
    "another row than it says": workbook(f"<row>{OTHER}</row>"),
    "no right reference": workbook('<row><c r="a1"/></row>'),
    "stands in no cell": workbook("<row><v>1</v></row>"),
    "one that has a value": workbook("<row><c><v>1</v><v>1</v></c></row>"),
    "in no cell, or in one": workbook('<row><c t="inlineStr"><is><t>1</t></is><is><t>2</t></is></c></row>'),
    "a value stands in no": workbook('<row><c t="inlineStr"><v>1</v></c><is><t>2</t></is></row>'),
    "a value stands in": workbook("<row><c><v><v>1</v></v></c></row>"),
    "a shared text that there is not": workbook('<row><c t="s"><v>0</v></c></row>'),
    "a shared text": workbook('<row><c t="s"><v>x</v></c></row>'),
    "a number that is none": workbook("<row><c><v>1,5</v></c></row>"),
    "neither true nor false": workbook('<row><c t="b"><v>2</v></c></row>'),
    "a date that is none": workbook('<row><c t="d"><v>2026-13-01</v></c></row>'),
    "a value of an unknown type": workbook('<row><c t="x"><v>1</v></c></row>'),
    "longer than any program holds": workbook(f'<row><c t="str"><v>{"x" * 2_000_000}</v></c></row>'),
}


@pytest.mark.parametrize("words", WRONG)
def test_what_no_program_would_write_is_damage(words: str) -> None:
    assert words in damage(WRONG[words])


def test_two_parts_of_the_same_name_are_refused_for_readers_take_one_or_the_other() -> None:
    parts = [*((name, said.encode()) for name, said in parts_of().items()), ("XL/Workbook.xml", b"<a/>")]
    assert damage(zipped(parts)) == "it has two parts of the same name"


def test_a_row_longer_than_the_limit_ends_the_check() -> None:
    cells = "".join('<c t="str"><v>xxxxxxxxxx</v></c>' for _ in range(20))
    report = judged(workbook(f"<row>{cells}</row>"), limits=Limits(record_bytes=100))
    assert report.counts == {"line-too-long": 1}


def test_more_shared_texts_than_the_limit_are_not_kept() -> None:
    content = workbook(strings=strings(*(f"<t>{number}</t>" for number in range(100))))
    assert judged(content, limits=Limits(shared_text_bytes=500)).counts == {"too-large-to-check": 1}
    assert not judged(content).counts


def test_a_workbook_longer_than_what_is_kept_on_disk_is_not_checked() -> None:
    report = judged(TABLE, limits=Limits(spool_bytes=1_000))
    assert (report.status, report.counts, report.bytes) == ("failed", {"too-large-to-check": 1}, len(TABLE))


def test_a_bomb_is_refused() -> None:
    content = workbook("<row/>" + " " * 1_000_000)
    report = judged(content, limits=Limits(ratio_from=1_000, unpacked_ratio=10))
    assert report.counts == {"decompression-bomb": 1}


def test_a_binary_workbook_is_told_as_such() -> None:
    content = packed({**parts_of(), "_rels/.rels": relationships(("r1", "officeDocument", "xl/workbook.bin"))})
    assert judged(content, name="a.xlsb").counts == {"unsupported-xlsx": 1}


def test_an_encrypted_workbook_is_told_as_such() -> None:
    content = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(70_000) + "EncryptedPackage".encode("utf-16-le") + bytes(99)
    for size in (7, 999, 70_000):
        report = inspect(cut(content, size), name="a.xls", limits=Limits(block_bytes=size))
        assert report.counts == {"encrypted-file": 1}
    assert not judged(content[:70_000], name="a.xls").counts


def test_what_was_unpacked_is_judged_alike() -> None:
    assert judged(gz(TABLE), name="a.xlsx.gz").facts == judged(TABLE).facts
    assert judged(zipped([("a.xlsx", TABLE)]), name="a.zip").facts == judged(TABLE).facts


def test_another_name_than_the_contents_is_told() -> None:
    assert judged(TABLE, name="a.csv").counts == {"name-content-mismatch": 1}
    assert judged(b"a,b\n1,2\n").counts == {"name-content-mismatch": 1}


def test_time_is_looked_at_while_a_sheet_is_read() -> None:
    asked = iter([False] * 9)
    report = judged(TABLE, out_of_time=lambda: next(asked, True))
    assert report.counts == {"inspection-timed-out": 1}
