"""Whole files of JSON and of JSON Lines, in bytes: what RFC 8259 lets pass passes, and nothing else does."""

from __future__ import annotations

import json

import pytest

from chalicelib.inspection import Expectation, Limits, Report, inspect
from chalicelib.inspection.media_types import Format
from tests.inspection.json_samples import INVALID, VALID
from tests.inspection.strategies import cut, with_kernel

FORMATS = [Format.JSON, Format.JSONL]

RIGHT = {
    "a lone surrogate, escaped": rb'["\ud800","\udfff\ud800",{"\udead":1}]',
    "a noncharacter": '["\ufffe\uffff\U0001fffe"]'.encode(),
    "the line separators of JavaScript": '["\u2028\u2029\x85"]'.encode(),
    "a delete character": b'["\x7f"]',
    "a NUL, escaped": rb'["\u0000",{"\u0000":0}]',
    "a byte order mark, which readers may ignore": b'\xef\xbb\xbf{"a":1}',
    "a byte order mark within a string": '["\ufeff"]'.encode(),
    "a number beyond doubles": b"[1e400,-1E+999,1e-999,123456789012345678901234567890]",
    "a number of a million digits": b"[" + b"9" * 1_000_000 + b"]",
    "an exponent of many digits": b"[0e" + b"9" * 10_000 + b"]",
    "the deepest nesting that is read": b'[{"a":' * 500 + b"0" + b"}]" * 500,
    "spaces, tabs and returns around tokens": b'\t {\r"a" :\t[ 1 ,\r2 ] } \r',
    "a name that is empty": b'{"":{"":""}}',
    "a long string": b'["' + b"x" * 1_000_000 + b'"]',
}
WRONG = {
    "a number one level too deep": (b"[" * 1_001 + b"]" * 1_001, "json-too-deep"),
    "an unended nest": (b"[" * 100_000, "json-too-deep"),
    "an unended nest of objects": (b'{"a":' * 100_000, "json-too-deep"),
    "an overlong slash": (b'["\xc0\xaf"]', "invalid-encoding"),
    "an overlong NUL": (b'["\xe0\x80\x80"]', "invalid-encoding"),
    "a surrogate pair as CESU-8 has it": (b'["\xed\xa0\xbd\xed\xb8\x80"]', "invalid-encoding"),
    "a lone surrogate as bytes": (b'["\xed\xa0\x80"]', "invalid-encoding"),
    "a lone continuation": (b'["\x81"]', "invalid-encoding"),
    "a character cut off": (b'["\xe2\x82"]', "invalid-encoding"),
    "a code point beyond the last": (b'["\xf4\x90\x80\x80"]', "invalid-encoding"),
    "a byte that UTF-8 never has": (b'{"\xff":1}', "invalid-encoding"),
    "Latin-1": ('["é"]'.encode("latin-1"), "invalid-encoding"),
    "UTF-16 with a mark": ("\ufeff[1]".encode("utf-16-le"), "invalid-encoding"),
    "UTF-32 with a mark": ("\ufeff[1]".encode("utf-32-be"), "invalid-encoding"),
    "UTF-16 without one": ('{"a":1}'.encode("utf-16-be"), ""),
    "a NUL in a string": (b'["a\0b"]', "nul-byte"),
    "a NUL behind the value": (b"[1]\0", "nul-byte"),
    "a second byte order mark": (b"\xef\xbb\xbf\xef\xbb\xbf[]", ""),
    "a byte order mark within": (b"[\xef\xbb\xbf1]", ""),
    "half a byte order mark": (b"\xef\xbb[]", ""),
    "bytes that are no token": (b"[1]\xff", ""),
}


def report_of(content: bytes, form: Format, size: int) -> Report:
    """The same with the kernel and without."""
    report, by_kernel = (
        inspect(cut(content, size), name=f"a.{form}", expectation=Expectation(format=form), limits=limits)
        for limits in (Limits(), with_kernel(Limits()))
    )
    assert by_kernel == report
    return report


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", RIGHT)
def test_what_the_standard_lets_pass_is_right(name: str, form: Format) -> None:
    for size in (1 << 20, 4_999, *([1] if len(RIGHT[name]) < 100 else [])):
        report = report_of(RIGHT[name], form, size)
        assert report.status == "succeeded", report.findings
        assert report.facts.record_types


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", WRONG)
def test_what_the_standard_does_not_let_pass_is_an_error(name: str, form: Format) -> None:
    content, code = WRONG[name]
    for size in (1 << 20, 4_999, *([1] if len(content) < 100 else [])):
        report = report_of(content, form, size)
        assert report.status == "failed"
        assert not code or code in report.counts


def test_samples_are_right_or_wrong_as_whole_files_too() -> None:
    for text in VALID:
        assert report_of(text.encode(), Format.JSON, 7).status == "succeeded", text
    for text in INVALID:
        encoded = text.encode("utf-8", "surrogatepass")
        if not text.startswith("\ufeff"):
            assert report_of(encoded, Format.JSON, 7).status == "failed", text


def test_an_object_of_many_members_is_counted_and_its_first_are_named() -> None:
    content = json.dumps({f"name{number}": number for number in range(120_000)}).encode()
    report = report_of(content, Format.JSON, 1 << 20)
    assert report.counts == {"uniqueness-not-checked": 1}
    assert (report.facts.column_count, len(report.facts.columns)) == (None, 200)
    assert {column.types["integer"] for column in report.facts.columns if column.types} == {1}
