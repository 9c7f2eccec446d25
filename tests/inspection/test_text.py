"""Encodings and lines: every encoding gives the same facts, and what is not valid is found where it is."""

from __future__ import annotations

import codecs
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.findings import Findings
from chalicelib.inspection import Limits, Report, Status, inspect
from chalicelib.inspection.encoding_guess import SAMPLE_BYTES
from chalicelib.inspection.text import (
    BYTE_ORDER_MARKS,
    XML_BEGINS,
    Decoder,
    Lines,
    find_nul,
    first_encoding,
    line_ends,
)
from tests.inspection.strategies import AWKWARD_TEXT, BLOCK_SIZES, EVERYTHING, codes, cut, places, with_kernel

LINE = re.compile("\r\n|\n|\r")
ENCODINGS = st.sampled_from(sorted(BYTE_ORDER_MARKS.values()))
UTF8 = st.lists(
    st.sampled_from([b"a", b"\n", b"\r", b"\xc3\xa9", b"\xe2\x82\xac", b"\xf0\x9f\x98\x80", b"\xef\xbf\xbd"]),
    max_size=20,
)
BROKEN = st.lists(
    st.sampled_from(
        [b"a", b"\n", b"\r", b"\xc3\xa9", b"\xc3", b"\xa9", b"\xe2\x82", b"\xed\xa0\x80", b"\xff", b"\xc0\x80"]
    ),
    max_size=20,
).map(b"".join)


def decoded(data: bytes, size: int, *, encoding: str = "utf-8", may_guess: bool = False) -> tuple[bytes, Findings, str]:
    """What a decoder makes of data in pieces: the same without the kernel and with it."""
    told = _decoded(data, size, encoding, may_guess=may_guess, limits=Limits())
    by_kernel = _decoded(data, size, encoding, may_guess=may_guess, limits=with_kernel())
    assert (told[0], [*told[1]], told[2]) == (by_kernel[0], [*by_kernel[1]], by_kernel[2])
    return told


def _decoded(data: bytes, size: int, encoding: str, *, may_guess: bool, limits: Limits) -> tuple[bytes, Findings, str]:
    findings, lines = Findings(per_code=1000), Lines()
    decoder = Decoder(findings, lines, encoding, may_guess=may_guess, limits=limits)
    text = b""
    for block in (*cut(data, size), b""):
        piece = decoder.feed(block, final=not block)
        lines.feed(piece)
        text += piece
    return text, findings, decoder.encoding


def place_of(text: str, at: int) -> tuple[int, int]:
    """Line and column by another way: split, then count."""
    before = LINE.split(text[:at])
    return len(before), len(before[-1]) + 1


# -- lines


@given(AWKWARD_TEXT, BLOCK_SIZES)
def test_lines_are_those_of_lf_crlf_and_cr_wherever_blocks_are_cut(text: str, size: int) -> None:
    lines = Lines()
    for block in cut(text.encode(), size):
        lines.feed(block)
    ends = LINE.findall(text)
    assert lines.kinds == {"lf": ends.count("\n"), "crlf": ends.count("\r\n"), "cr": ends.count("\r")}
    assert lines.total == len(ends) + (LINE.split(text)[-1] != "")
    assert line_ends(text.encode()) == len(ends)


@given(AWKWARD_TEXT, st.integers(0, 3))
def test_nul_characters_are_found_where_they_are(text: str, per_code: int) -> None:
    lines, findings = Lines(), Findings(per_code=per_code)
    for character in text:  # cut between characters
        find_nul(character.encode(), lines, findings)
        lines.feed(character.encode())
    expected = [("nul-byte", None, *place_of(text, found.start())) for found in re.finditer("\0", text)]
    assert places(findings) == sorted(expected[:per_code], key=str)
    whole = Findings(per_code=per_code)
    find_nul(text.encode(), Lines(), whole)
    assert (list(whole), whole.counts) == (list(findings), findings.counts)
    assert findings.counts == ({"nul-byte": len(expected)} if expected else {})


# -- UTF-8


@given(UTF8.map(b"".join), BLOCK_SIZES)
def test_valid_utf8_stays_as_it_is(data: bytes, size: int) -> None:
    assert decoded(data, size)[0] == data
    assert not decoded(data, size, may_guess=True)[1].counts


@given(BROKEN, BLOCK_SIZES)
@example(b"\xc3", 1)
def test_bytes_that_are_not_utf8_are_located_and_replaced_as_python_replaces_them(data: bytes, size: int) -> None:
    text, findings, _ = decoded(data, size)
    mended = data.decode("utf-8", "replace")
    assert text.decode() == mended
    expected = [("invalid-encoding", None, *place_of(mended, at.start())) for at in re.finditer("\ufffd", mended)]
    assert places(findings) == sorted(expected, key=str)


# -- the guess


@given(BROKEN)
def test_the_encoding_is_guessed_if_less_is_valid_utf8_than_not(data: bytes) -> None:
    replaced = data.decode("utf-8", "replace")
    guessed = replaced.count("\ufffd") * 2 > sum(character > "\x7f" for character in replaced)
    text, findings, encoding = decoded(data, max(len(data), 1), may_guess=True)
    assert (encoding != "utf-8") == guessed
    assert ("encoding-guessed" in findings.counts) == guessed
    if not guessed:
        assert text.decode() == replaced


@given(BROKEN, BLOCK_SIZES)
def test_a_guess_stands_where_the_text_stops_to_be_utf8(data: bytes, size: int) -> None:
    _, findings, encoding = decoded(data, size, may_guess=True)
    guesses = [found[2:] for found in places(findings) if found[0] == "encoding-guessed"]
    assert len(guesses) == (encoding != "utf-8")
    if guesses:
        with pytest.raises(UnicodeDecodeError) as broken:
            data.decode()
        start = broken.value.start
        assert guesses == [place_of(data[:start].decode(), start)]


@pytest.mark.parametrize("byte", [0x81, 0x8D, 0x8F, 0x90, 0x9D])
def test_a_byte_that_the_guess_does_not_have_is_an_error(byte: int) -> None:
    text = "não há educação sem ações; amanhã à noite, só então, começarão\nç".encode("cp1252")
    _, findings, encoding = decoded(text + bytes([byte]), 100, may_guess=True)
    assert encoding == "windows-1252"
    assert ("invalid-encoding", None, 2, 2) in places(findings)


def test_a_guess_is_a_warning_and_the_file_is_read() -> None:
    report = inspect(["nome,preço\nAçaí,1\n".encode("cp1252")], name="a.csv")
    assert report.status is Status.SUCCEEDED
    assert report.encoding == "windows-1252"
    assert [column.name for column in report.facts.columns] == ["nome", "preço"]
    assert [(found.line, found.column) for found in report.findings if found.code == "encoding-guessed"] == [(1, 9)]


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a", "a.csv"])
def test_json_is_never_guessed_to_be_anything_but_utf8(name: str) -> None:
    report = inspect([b'{"a": "caf\xe9"}'], name=name)
    assert "invalid-encoding" in codes(report)
    assert "encoding-guessed" not in codes(report)


def test_a_utf8_file_damaged_after_its_first_accent_is_not_guessed() -> None:
    report = inspect(["é,b\n1,".encode() + b"\xe9\n"], name="a.csv")
    assert report.encoding == "utf-8"
    assert [(found.line, found.column) for found in report.findings] == [(2, 3)]
    assert report.status is Status.FAILED


def test_a_valid_accent_in_an_earlier_block_forbids_the_guess() -> None:
    decoder = Decoder(Findings(), Lines(), "utf-8", may_guess=True, limits=Limits())
    assert decoder.feed("é".encode() + b"x" * SAMPLE_BYTES).startswith("é".encode())
    assert decoder.feed(b"\xff" * 100).decode() == "\ufffd" * 100


# -- byte order marks


def without_encoding(report: Report) -> tuple[object, ...]:
    findings = [found for found in report.findings if found.code not in ("bom-present", "invalid-encoding")]
    return (report.facts, report.lines, report.newline, findings)


@given(
    AWKWARD_TEXT.filter(lambda text: text[:1] not in ("", "\0")),
    ENCODINGS,
    st.sampled_from(["a.csv", "a.txt"]),
    st.integers(3, 50),
)
def test_every_marked_encoding_gives_the_facts_of_utf8(text: str, encoding: str, name: str, size: int) -> None:
    # Text that begins with NUL in UTF-16 begins as UTF-32 does: nobody can tell them apart.
    mark = next(mark for mark, named in BYTE_ORDER_MARKS.items() if named == encoding)
    marked = inspect(cut(mark + text.encode(encoding), size), name=name, limits=EVERYTHING)
    plain = inspect([codecs.BOM_UTF8 + text.encode()], name=name, limits=EVERYTHING)
    assert without_encoding(marked) == without_encoding(plain)
    assert marked.encoding == encoding
    assert "bom-present" in marked.counts


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@given(
    parts=st.lists(st.sampled_from(["a", "\n", "é", "😀", "\ud800", "\udfff"]), max_size=12),
    cut_off=st.booleans(),
    size=BLOCK_SIZES,
)
def test_what_is_not_valid_in_a_wide_encoding_is_located(
    encoding: str, parts: list[str], cut_off: bool, size: int
) -> None:
    data = "".join(parts).encode(encoding, "surrogatepass") + (b"\x00" if cut_off else b"")
    text, findings, _ = decoded(data, size, encoding=encoding)
    mended = data.decode(encoding, "replace")
    assert text.decode() == mended
    expected = [("invalid-encoding", None, *place_of(mended, at.start())) for at in re.finditer("\ufffd", mended)]
    assert places(findings) == sorted(expected, key=str)


def test_a_byte_order_mark_alone_is_an_empty_file() -> None:
    for mark in BYTE_ORDER_MARKS:
        report = inspect([mark], name="a.csv")
        assert "empty-file" in codes(report)
        assert report.status is Status.FAILED


@pytest.mark.parametrize(("begin", "encoding"), XML_BEGINS.items())
def test_the_first_bytes_of_xml_are_what_their_encoding_makes_of_them(begin: bytes, encoding: str) -> None:
    assert begin == "<?xml".encode(encoding)
    assert first_encoding(begin + b" ") == encoding
