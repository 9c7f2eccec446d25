"""What a file is: its first bytes, its name, its text, and the type it was declared as."""

from __future__ import annotations

import gzip
import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.inspection import Report, Status, inspect
from chalicelib.inspection.magic import MAGIC, binary_format
from chalicelib.inspection.media_types import MEDIA_TYPES, Format
from chalicelib.inspection.names import COMPRESSIONS, Name
from tests.inspection.strategies import codes, gz

CSV = b"a,b\n1,2\n3,4\n"
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
HTML = b"<!DOCTYPE html>\n<html><body>Not found, sorry</body></html>\n"


def office(part: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in ("[Content_Types].xml", "_rels/.rels", part):
            archive.writestr(name, "x" * 3000)
    return target.getvalue()


XLSX = office("xl/workbook.xml")
ZIP = office("data/xl.txt")


def one(content: bytes, name: str, declared: str | None = None) -> Report:
    return inspect([content], name=name, declared_type=declared)


# -- content against name


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("a.csv", XLSX, "xlsx"),
        ("a.csv", office("word/document.xml"), "docx"),
        ("a.csv", ZIP, "zip"),
        ("a.csv", PNG, "png"),
        ("a.csv", HTML, "html"),
        ("a.tsv", b" \n<!-- x --><HTML>", "html"),
        ("a.csv", b'{"a": [1, 2]}', "json"),
        ("a.csv", b'{"a": 1}\n{"a": 2}\n', "jsonl"),
        ("a.csv", b"%PDF-1.7\n", "pdf"),
        ("a.json", PNG, "png"),
        ("a.xlsx", CSV, "csv"),
        ("a.xlsx", ZIP, "zip"),
        ("a.zip", XLSX, "xlsx"),
        ("a.parquet", CSV, "csv"),
        ("a.png", b"\0\1\2\3", "binary"),
        ("a.html", CSV, "csv"),
    ],
)
def test_content_that_is_not_what_the_name_says_is_told(name: str, content: bytes, found: str) -> None:
    report = one(content, name)
    assert report.format == found
    assert report.counts.get("name-content-mismatch") == 1
    assert report.media_type == MEDIA_TYPES[found]


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("a.csv", CSV, "csv"),
        ("A.CSV", CSV, "csv"),
        ("dir.json/a.csv", CSV, "csv"),
        ("a.csv", b"a\tb\n1\t2\n", "tsv"),  # tabs under .csv are common: the delimiter says it
        ("a.tsv", b"a,b\n1,2\n", "csv"),
        ("a.tsv", b"a\tb, c, d\n1\t2, 3, 4\n", "tsv"),
        ("a.psv", b"a|b\n1|2\n", "csv"),
        ("a.json", b"{", "json"),
        ("a.json", b"a,b\n1,2\n", "json"),
        ("a.jsonl", b"a,b\n1,2\n", "jsonl"),
        ("a.md", b"a,b\n1,2\n3,4\n", "text"),
        ("a.html", HTML, "html"),
        ("a.xlsx", XLSX, "xlsx"),
        ("a.csv.gz", gz(CSV), "csv"),
        ("a.gz", gz(CSV), "csv"),
        ("noname", gz(CSV), "csv"),
        ("a.txt", CSV, "csv"),
        ("a.txt", b"Dear all,\nthis is prose.\n", "text"),
        ("a.txt", b'{"a": 1}', "json"),
        ("a.txt", b'{"a": 1}\n{"a": 2}\n', "jsonl"),
        ("noname", b"\0\1\2\3" * 9, "binary"),
        ("noname", PNG, "png"),
        ("a.csv", b"PAR1,PAR2\n1,2\n", "csv"),
        ("a.csv", b"ORC,GIF\n1,2\n", "csv"),
        ("a.csv", b"BZh,x\n1,2\n", "csv"),
        ("a.csv", b"GIF89a,x\n1,2\n", "csv"),
        ("a.csv", b"[a],b\n1,2\n", "csv"),
        ("a.csv", b"<html,b\n1,2\n" * 0 + b"<a>,b\n1,2\n", "csv"),
    ],
)
def test_content_that_fits_the_name_is_not_told(name: str, content: bytes, found: str) -> None:
    report = one(content, name)
    assert report.format == found
    assert "name-content-mismatch" not in codes(report)


def test_a_gz_name_without_gzip_and_gzip_without_its_name_are_told() -> None:
    plain = one(CSV, "a.csv.gz")
    packed = one(gz(CSV), "a.csv")
    for report in (plain, packed):
        assert codes(report) == {"name-content-mismatch"}
        assert report.facts.records == 2
    assert (plain.compression, packed.compression) == (None, "gzip")


def test_what_claims_to_be_json_is_judged_as_json_however_broken() -> None:
    for content in (b"{", b"hello", CSV, HTML, b"\xe9"):
        assert one(content, "a.json").format == "json"
        assert one(content, "a.json").status is Status.FAILED


@pytest.mark.parametrize("magic", sorted(MAGIC))
def test_every_known_beginning_is_found(magic: bytes) -> None:
    assert binary_format(magic + b"\0\xff" * 200) == MAGIC[magic]


def test_beginnings_behind_an_offset_are_found() -> None:
    assert binary_format(b"RIFF\0\0\0\0WEBPVP8 ") == "webp"
    assert binary_format(b"x" * 257 + b"ustar\0") == "tar"
    assert binary_format(office("ppt/presentation.xml")) == "pptx"
    assert binary_format(gzip.compress(b"")) == "gzip"


@given(st.text(st.characters(codec="ascii", min_codepoint=32), min_size=1, max_size=20))
def test_ascii_text_is_no_binary_format(text: str) -> None:
    assert binary_format(text.encode()) in (None, "pdf")


@given(st.text(max_size=40))
def test_any_name_says_something_or_nothing(name: str) -> None:
    assert Name.of(name).compression in {None, *COMPRESSIONS}
    assert Name.of(name).format is None or Name.of(name).format in MEDIA_TYPES


def test_hostile_comments_before_html_take_no_time() -> None:
    assert one(b"<!-- x -->" * 6000 + b"a,b\n", "a.csv").format == "csv"


# -- the declared type


@pytest.mark.parametrize(
    ("declared", "content", "name"),
    [
        (None, CSV, "a.csv"),
        ("", CSV, "a.csv"),
        ("binary/octet-stream", CSV, "a.csv"),
        ("application/octet-stream", PNG, "a.png"),
        ("text/csv; charset=utf-8", CSV, "a.csv"),
        ("TEXT/CSV", CSV, "a.csv"),
        ("application/vnd.ms-excel", CSV, "a.csv"),
        ("text/plain", CSV, "a.csv"),
        ("application/gzip", gz(CSV), "a.csv.gz"),
        ("text/csv", gz(CSV), "a.csv.gz"),
        ("application/x-ndjson", b'{"a": 1}\n', "a.jsonl"),
        ("text/x-log", b"hello\n", "a.log"),
        ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", XLSX, "a.xlsx"),
    ],
)
def test_a_declared_type_that_fits_is_not_told(declared: str | None, content: bytes, name: str) -> None:
    assert "declared-type-mismatch" not in codes(one(content, name, declared))


@pytest.mark.parametrize(
    ("declared", "content", "name"),
    [
        ("application/json", CSV, "a.csv"),
        ("text/csv", b"{}", "a.json"),
        ("image/png", CSV, "a.csv"),
        ("text/csv", PNG, "a.png"),
        ("text/csv", XLSX, "a.csv"),
        ("application/zip", gz(CSV), "a.csv.gz"),
        ("image/png", b"hello\n", "a.txt"),
    ],
)
def test_a_declared_type_that_does_not_fit_is_told(declared: str, content: bytes, name: str) -> None:
    assert "declared-type-mismatch" in codes(one(content, name, declared))


def test_every_format_has_a_media_type() -> None:
    assert {str(found) for found in Format if found != Format.FOLDER} <= MEDIA_TYPES.keys()


# -- what is met on any machine


def zipped(*names: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(name, "content")
    return content.getvalue()


@pytest.mark.parametrize(
    ("name", "declared"),
    [
        ("app.jar", "application/java-archive"),
        ("package-1.0-py3-none-any.whl", None),
        ("arrays.npz", None),
        ("book.epub", "application/epub+zip"),
        ("places.kmz", "application/vnd.google-earth.kmz"),
    ],
)
def test_a_format_that_is_kept_in_a_zip_is_not_an_archive_of_files_to_inspect(name: str, declared: str | None) -> None:
    report = inspect([zipped("one", "two")], name=name, declared_type=declared)
    assert (report.status, report.format, report.compression) == (Status.SUCCEEDED, "zip", None)
    assert codes(report) == set()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("document.dtd", b"<!ELEMENT doc (#PCDATA)>\n"),
        ("page.php", b"<?php\n  echo 1;\n"),
        ("program.f", b"\tPROGRAM MAIN\n\tEND\n"),
        ("types.js", b'exports.a = 1; // "a"\nexports.b = 2; // "b"\n'),
        ("colours.style", b"keyword blue b;\nstring red;\n"),
        ("view.sql", b"SELECT a;\nSELECT b;\n"),
    ],
)
def test_source_text_is_text_whatever_it_looks_like(name: str, content: bytes) -> None:
    report = inspect([content], name=name)
    assert (report.status, report.format, codes(report)) == (Status.SUCCEEDED, "text", set())


def test_sound_is_no_text() -> None:
    report = inspect([b".snd\0\0\0\x20" + bytes(range(160, 256)) * 20], name="speech.au")
    assert (report.status, report.format, codes(report)) == (Status.SUCCEEDED, "binary", set())
