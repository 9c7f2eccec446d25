"""The encoding of XML is that of its mark, its first bytes and its declaration; what disagrees is refused."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.inspection import Expectation, Limits, Report, Status, inspect
from chalicelib.inspection.media_types import Format, fits_declared
from chalicelib.inspection.names import Name
from tests.inspection.strategies import cut, gz
from tests.inspection.xml_samples import TEXTS, Tree, trees, written

DECLARED = {
    "UTF-8": "utf-8",
    "utf8": "utf-8",
    "US-ASCII": "ascii",
    "ISO-8859-1": "latin-1",
    "iso-8859-15": "iso8859-15",
    "windows-1252": "cp1252",
    "windows-1251": "cp1251",
    "KOI8-R": "koi8-r",
    "Shift_JIS": "shift_jis",
    "EUC-JP": "euc_jp",
    "ISO-2022-JP": "iso2022_jp",
    "GB18030": "gb18030",
    "Big5": "big5",
    "EUC-KR": "euc_kr",
    "UTF-16LE": "utf-16-le",
    "UTF-16BE": "utf-16-be",
    "UTF-32LE": "utf-32-le",
    "IBM500": "cp500",
    "IBM037": "cp037",
}


def report_of(data: bytes, *, size: int = 1 << 20, name: str = "a.xml") -> Report:
    return inspect(cut(data, size), name=name)


def declaring(encoding: str, body: str = "<a>é</a>") -> str:
    return f"<?xml version='1.0' encoding=\"{encoding}\" ?>{body}"


def can_hold(text: str, codec: str) -> bool:
    try:
        return text.encode(codec).decode(codec) == text
    except UnicodeError:
        return False


# What characters one encoding has and another has not, can only be told of those that it has.
@given(st.data(), st.sampled_from(sorted(DECLARED)), st.integers(1, 30))
def test_a_document_is_read_the_same_in_every_encoding(data: st.DataObject, encoding: str, size: int) -> None:
    codec = DECLARED[encoding]
    tree: Tree = data.draw(trees().filter(lambda made: can_hold(written(made), codec)))
    report = report_of(declaring(encoding, written(tree)).encode(codec), size=size)
    assert (report.status, report.facts.root) == (Status.SUCCEEDED, tree.name)
    assert report.facts == report_of(written(tree).encode()).facts


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("declared", [True, False])
def test_a_byte_order_mark_tells_the_encoding_with_or_without_a_declaration(codec: str, declared: bool) -> None:
    text = declaring(codec.removesuffix("-sig"), "<ção/>") if declared else "<ção/>"
    report = report_of(text.encode(codec))
    assert set(report.counts) == {"bom-present"}
    assert report.facts.root == "ção"


@pytest.mark.parametrize(
    "data",
    [
        declaring("UTF-16").encode(),
        declaring("UTF-16LE").encode(),
        declaring("IBM037").encode(),
        codecs.BOM_UTF8 + declaring("ISO-8859-1").encode(),
        declaring("UTF-8").encode("utf-16"),
        declaring("UTF-16BE").encode("utf-16-le"),
        declaring("UTF-16").encode("utf-16-le"),
        "<?xml version='1.0'?><a/>".encode("utf-16-be"),
        "<?xml version='1.0'?><a/>".encode("cp037"),
        declaring("ISO-8859-1").encode("cp037"),
    ],
)
def test_a_declaration_that_the_bytes_contradict_is_an_error(data: bytes) -> None:
    report = report_of(data)
    assert set(report.counts) - {"bom-present"} == {"xml-encoding"}
    assert report.facts.root is None


@pytest.mark.parametrize(
    "encoding", ["x-unknown", "U8", "UTF-7", "rot13", "hex", "unicode_escape", "idna", "undefined"]
)
def test_an_encoding_that_is_not_known_is_an_error(encoding: str) -> None:
    assert "xml-encoding" in report_of(declaring(encoding).encode("latin-1")).counts


@pytest.mark.parametrize("codec", ["utf-8", "ascii", "shift_jis", "utf-16-le", "windows-1252", "iso2022_jp"])
def test_bytes_that_are_not_of_the_encoding_are_found_where_they_are(codec: str) -> None:
    encoding = {"utf-16-le": "UTF-16LE", "iso2022_jp": "ISO-2022-JP"}.get(codec, codec)
    bad = b"\x00\xd8\x20\x00" if codec == "utf-16-le" else b"\x81\xff"
    data = declaring(encoding, "\n<a>").encode(codec) + bad + "</a>".encode(codec)
    for size in (1, 1 << 20):
        report = report_of(data, size=size)
        found = next(finding for finding in report.findings if finding.code == "invalid-encoding")
        assert (found.line, found.column) == (2, 4)


def test_what_looks_like_a_declaration_but_is_none_declares_nothing() -> None:
    assert report_of(b"<a><?xml-x encoding='UTF-16'?></a>").status is Status.SUCCEEDED
    assert "malformed-xml" in report_of(b"<?xml encoding='ISO-8859-1'?><a/>").counts


@given(st.binary(max_size=80), st.sampled_from(sorted(DECLARED)), st.integers(1, 20))
def test_any_bytes_behind_a_declaration_end_in_one_report(data: bytes, encoding: str, size: int) -> None:
    document = declaring(encoding, "<a>").encode(DECLARED[encoding]) + data
    report = report_of(document, size=size)
    assert report == report_of(document)
    assert (report.bytes, report.format) == (len(document), "xml")


@given(st.binary(max_size=80) | TEXTS.map(str.encode), st.sampled_from(["a.xml", "a", "a.xml.gz"]), st.integers(1, 20))
def test_any_bytes_that_are_called_xml_end_in_one_report(data: bytes, name: str, size: int) -> None:
    report = report_of(data, size=size, name=name)
    assert report == report_of(data, name=name)
    small = Limits(sniff_bytes=30, block_bytes=size)
    assert report == inspect([data], name=name, limits=small) or name == "a"
    assert inspect([data], name=name, expectation=Expectation(format=Format.XML)).format in ("xml", None)


@given(trees(), st.integers(1, 60), st.integers(1, 40))
def test_compressed_xml_is_read_the_same_and_if_it_is_cut_off_no_count_is_told(
    tree: Tree, lost: int, size: int
) -> None:
    data = written(tree).encode()
    packed = gz(data)
    report = report_of(packed, size=size, name="a.xml.gz")
    assert (report.facts, report.counts) == (report_of(data).facts, {})
    cut_off = report_of(packed[: -min(lost, len(packed) - 2)], size=size, name="a.xml.gz")
    assert cut_off.facts.records is None
    assert "malformed-xml" not in cut_off.counts


def test_a_contradicted_encoding_is_told_without_reading_on() -> None:
    report = report_of(declaring("UTF-16", "<a>\0\xff").encode("latin-1"))
    assert (report.counts, report.lines, report.encoding) == ({"xml-encoding": 1}, None, None)
    assert [(found.line, found.column) for found in report.findings] == [(1, 1)]


# -- names and types


@pytest.mark.parametrize("extension", ["xml", "XSD", "svg", "rss", "xhtml", "kml"])
def test_names_of_xml_are_known(extension: str) -> None:
    assert Name.of(f"a.{extension}").format == Format.XML


@pytest.mark.parametrize(
    "declared", ["application/xml", "text/xml", "image/svg+xml", "application/rss+xml", "text/plain", ""]
)
def test_declared_types_of_xml_fit(declared: str) -> None:
    assert fits_declared(declared, Format.XML, None)


@pytest.mark.parametrize("declared", ["text/csv", "application/json", "text/html"])
def test_other_declared_types_do_not_fit(declared: str) -> None:
    assert not fits_declared(declared, Format.XML, None)


@pytest.mark.parametrize(
    ("name", "data", "found"),
    [
        ("a", b"<orders><order/></orders>", "xml"),
        ("a.csv", b"<?xml version='1.0'?><a,b", "xml"),
        ("a", declaring("UTF-16LE").encode("utf-16-le"), "xml"),
        ("a", declaring("IBM037").encode("cp037"), "xml"),
        ("a.xml", b"a,b\n1,2\n", "xml"),
        ("a.xml", b"\x89PNG\r\n\x1a\n", "png"),
        ("a.html", b"<?xml version='1.0'?>\n<!DOCTYPE html>\n<html/>", "html"),
        ("a", b"<!DOCTYPE html><p>x", "html"),
        ("a", b"<html xmlns='http://www.w3.org/1999/xhtml'/>", "html"),
        ("a", b"<?xml version='1.0'?>\n<!-- x --><html xmlns='http://www.w3.org/1999/xhtml'/>", "html"),
        ("a.xhtml", b"<html xmlns='http://www.w3.org/1999/xhtml'/>", "xml"),
        ("a", b"<ana@example.com> wrote\n", "text"),
        ("a.log", b"<a/>", "text"),
    ],
)
def test_xml_is_told_by_its_name_and_by_its_content(name: str, data: bytes, found: str) -> None:
    assert report_of(data, name=name).format == found


def test_xml_is_what_a_caller_says_it_is() -> None:
    report = inspect([b"a,b\n"], expectation=Expectation(format=Format.XML))
    assert set(report.counts) == {"malformed-xml"}


def test_lines_and_line_ends_are_those_of_every_text() -> None:
    report = report_of(b"<a>\r\n<b/>\n</a>")
    assert (report.lines, report.newline, set(report.counts)) == (3, "mixed", {"mixed-newlines"})
