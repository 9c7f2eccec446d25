"""The catalogue of findings: each code is documented, used, and produced by some file or scenario."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import re
import string
import zipfile
from collections.abc import Callable, Mapping
from datetime import timedelta

import pytest

from chalicelib.contracts import Contract
from chalicelib.findings import CATALOGUE, Cause, Finding, Findings, Severity
from chalicelib.inspection import Limits, inspect
from chalicelib.intake import UnavailableError
from chalicelib.uploads import entry_of
from docs.build import FINDINGS, findings_markdown
from infra.stages import ROOT
from tests import events
from tests.fakes import FakeInbox, FakeWorld
from tests.inspection.thrift import chunk, footer, group, parquet, text
from tests.inspection.workbooks import book, changed, relationships, workbook

TIGHT = Limits(
    record_bytes=1000,
    columns=10,
    json_depth=10,
    json_names=10,
    xml_depth=10,
    unpacked_bytes=10_000,
    unpacked_ratio=10,
    ratio_from=1000,
    window_bytes=1 << 20,
    members=9,
    parquet_footer_bytes=500,
    sniff_bytes=500,
)


def archive(*names: str) -> bytes:
    """A zip archive of members with these names."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as opened:
        for name in names:
            opened.writestr(name, b"" if name.endswith("/") else b"id,name\n1,a\n")
    return target.getvalue()


MACROS = ("m1", "vbaProject", "vbaProject.bin")
PACKED = gzip.compress(b"id,amount\n1,10\n" * 3, mtime=0)
ONE = archive("a.csv")

FILES: Mapping[str, tuple[str, bytes]] = {
    "empty-file": ("a.csv", b""),
    "invalid-encoding": ("a.json", b'{"a": "\xff"}'),
    "nul-byte": ("a.csv", b"id,name\n1,a\0b\n"),
    "encoding-guessed": ("a.csv", "id,name\n1,José\n".encode("cp1252")),
    "bom-present": ("a.csv", b"\xef\xbb\xbfid,name\n1,a\n"),
    "mixed-newlines": ("a.csv", b"id,name\r\n1,a\n"),
    "no-final-newline": ("a.csv", b"id,name\n1,a"),
    "line-too-long": ("a.csv", b'id,name\n1,"' + b"x" * 5000),
    "too-many-columns": ("a.csv", b",".join(b"c%d" % number for number in range(20)) + b"\n"),
    "name-content-mismatch": ("a.csv", b"%PDF-1.7\n"),
    "damaged-compression": ("a.csv.gz", PACKED[:12] + b"\xff" * 8 + PACKED[20:]),
    "truncated-compression": ("a.csv.gz", PACKED[:-4]),
    "decompression-bomb": ("a.csv.gz", gzip.compress(b"\n" * 1_000_000, mtime=0)),
    "decompression-memory": ("a.csv.xz", lzma.compress(b"id,name\n1,a\n")),
    "unsupported-compression": ("a.zip", ONE.replace(b"PK\x03\x04\x14\0\0\0\0\0", b"PK\x03\x04\x14\0\0\0\x09\0")),
    "nested-compression": ("a.csv.gz.bz2", bz2.compress(PACKED)),
    "several-files": ("a.zip", archive("a.csv", "b.csv")),
    "encrypted-archive": ("a.zip", ONE.replace(b"PK\x03\x04\x14\0\0", b"PK\x03\x04\x14\0\1")),
    "archive-inconsistent": ("a.zip", ONE[::-1].replace(b"vsc.a", b"vsc.b", 1)[::-1]),
    "too-many-members": ("a.zip", archive(*(f"{number}/" for number in range(10)))),
    "no-records": ("a.csv", b"id,name\n"),
    "blank-header": ("a.csv", b"id,\n1,2\n"),
    "duplicate-header": ("a.csv", b"id,id\n1,2\n"),
    "blank-row": ("a.csv", b"id,name\n\n1,a\n"),
    "missing-cells": ("a.csv", b"id,name\n1\n"),
    "extra-cells": ("a.csv", b"id,name\n1,a,b\n"),
    "stray-quote": ("a.csv", b'id,name\n1,5" pipe\n'),
    "unclosed-quote": ("a.csv", b'id,name\n1,"a\n'),
    "malformed-json": ("a.json", b"{'a': 1}"),
    "malformed-json-line": ("a.jsonl", b'{"a": 1}\n{"a": }\n'),
    "json-too-deep": ("a.json", b"[" * 20 + b"]" * 20),
    "duplicate-json-name": ("a.json", b'{"a": 1, "a": 2}'),
    "malformed-xml": ("a.xml", b"<a><b></a>"),
    "xml-encoding": ("a.xml", b'<?xml version="1.0" encoding="UTF-16"?><a/>'),
    "xml-entity": ("a.xml", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'),
    "xml-external-entity": ("a.xml", b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'),
    "xml-external-dtd": ("a.xml", b'<!DOCTYPE a SYSTEM "a.dtd"><a/>'),
    "xml-too-deep": ("a.xml", b"<a>" * 20 + b"</a>" * 20),
    "xml-too-complex": ("a.xml", b"<a b='" + b"c" * 5000 + b"'/>"),
    "damaged-xlsx": ("a.xlsx", changed(sheet=None)),
    "unsupported-xlsx": ("a.xlsb", changed(root=relationships(("r1", "officeDocument", "xl/workbook.bin")))),
    "value-outside-table": ("a.xlsx", workbook("<row><c><v>1</v></c></row><row><c/><c><v>2</v></c></row>")),
    "cell-error": ("a.xlsx", workbook('<row><c t="e"><v>#REF!</v></c></row>')),
    "hidden-sheets": ("a.xlsx", changed(book=book('<sheet name="S" state="hidden" r:id="s1"/>'))),
    "macros-present": ("a.xlsm", changed(related=relationships(MACROS, ("s1", "worksheet", "worksheets/sheet1.xml")))),
    "truncated-parquet": ("a.parquet", b"PAR1\0\0"),
    "damaged-parquet": ("a.parquet", parquet(footer(group(chunk("id")), rows=9))),
    "encrypted-file": ("a.parquet", parquet(footer(group(chunk("id"))), magic=b"PARE")),
    "too-large-to-check": ("a.parquet", parquet(b"\0" * 900)),
    "values-not-checked": ("_metadata", parquet(footer(group({1: text("part-0"), **chunk("id")})))),
    "xml-namespace": ("a.xml", b"<b:a/>"),
    "uniqueness-not-checked": ("a.json", json.dumps({f"name{number}": number for number in range(50)}).encode()),
}


def field(kind: str = "string", **constraints: object) -> dict[str, object]:
    """A contract that asks for this of the column `id`."""
    return {"schema": {"fields": [{"name": "id", "type": kind, "constraints": constraints}]}}


UNDER_CONTRACT: Mapping[str, tuple[bytes, Mapping[str, object]]] = {
    "unexpected-format": (b"%PDF-1.7\n", {"format": "csv"}),
    "contract-not-checked": (parquet(footer(group({1: text("part-0"), **chunk("id")}))), field()),
    "missing-sheet": (workbook(), {"format": "xlsx", "sheet": "Orders"}),
    "unexpected-encoding": (b"\xef\xbb\xbfid\n1\n", {"encoding": "windows-1252"}),
    "too-few-bytes": (b"id\n1\n", {"bytes": {"atLeast": 100}}),
    "too-many-bytes": (b"id\n1\n", {"bytes": {"atMost": 1}}),
    "too-few-rows": (b"id\n1\n", {"rows": {"atLeast": 2}}),
    "too-many-rows": (b"id\n1\n2\n", {"rows": {"atMost": 1}}),
    "missing-field": (b'{"b": 1}\n{"b": 2}\n', {"schema": {"fields": [{"name": "a"}, {"name": "b"}]}}),
    "extra-field": (b'{"a": 1, "b": 1}\n{"a": 1}\n', {"schema": {"fields": [{"name": "a"}]}}),
    "missing-label": (b"a,b\n1,2\n", {"schema": {"fields": [{"name": "a"}, {"name": "b"}, {"name": "c"}]}}),
    "extra-label": (b"id,name\n1,2\n", field()),
    "incorrect-label": (b"name\n1\n", field()),
    "type-error": (b"id\nx\n", field("integer")),
    "constraint-required": (b"id,name\n,a\n", {**field(required=True), "extraColumns": True}),
    "constraint-minimum": (b"id\n1\n", field("integer", minimum=2)),
    "constraint-maximum": (b"id\n1\n", field("integer", maximum=0)),
    "constraint-exclusive-minimum": (b"id\n1\n", field("integer", exclusiveMinimum=1)),
    "constraint-exclusive-maximum": (b"id\n1\n", field("integer", exclusiveMaximum=1)),
    "constraint-min-length": (b"id\nab\n", field(minLength=3)),
    "constraint-max-length": (b"id\nab\n", field(maxLength=1)),
    "constraint-pattern": (b"id\nab\n", field(pattern="[0-9]+")),
    "constraint-enum": (b"id\nab\n", field(enum=["a", "b"])),
    "constraint-unique": (b"id\na\na\n", field(unique=True)),
    "constraint-unique-key": (b"id\na\na\n", {"schema": {"fields": [{"name": "id"}], "uniqueKeys": [["id"]]}}),
    "constraint-primary-key": (b"id\na\na\n", {"schema": {"fields": [{"name": "id"}], "primaryKey": ["id"]}}),
    "check-failed": (b"id\n1\n", {**field("integer"), "checks": {"positive": "id > 1"}}),
    "check-not-evaluated": (b"id\nx\n", {**field("integer"), "checks": {"positive": "sum(id) > 1"}}),
    "errors-tolerated": (b"a,b\n1\n", {"tolerance": {"errors": 1}}),
}


def by_contract(code: str) -> tuple[Finding, ...]:
    content, keywords = UNDER_CONTRACT[code]
    contract = Contract.of(json.dumps({"name": "orders", "match": "**", **keywords}))
    return inspect([content], name="a.csv", contract=contract).findings


def by_file(code: str) -> tuple[Finding, ...]:
    name, content = FILES[code]
    return inspect([content], name=name, limits=TIGHT).findings


def by_intake(world: FakeWorld) -> tuple[Finding, ...]:
    report = world.intake.take(entry_of(events.record("k.csv"))).receipt.report
    assert report
    return report.findings


def unavailable(code: str, **values: str) -> tuple[Finding, ...]:
    return by_intake(FakeWorld(inbox=FakeInbox(objects={"k.csv": UnavailableError(code, **values)})))


def timed_out() -> tuple[Finding, ...]:
    world = FakeWorld(inbox=FakeInbox(objects={"k.csv": b"a,b\n"}))
    world.clock.left = timedelta()
    return by_intake(world)


def crashed() -> tuple[Finding, ...]:
    outcome = FakeWorld().intake.give_up(entry_of(events.record()), reason="out of memory", request_id="r-1")
    assert outcome.receipt.report
    return outcome.receipt.report.findings


SCENARIOS: Mapping[str, Callable[[], tuple[Finding, ...]]] = {
    "declared-type-mismatch": lambda: inspect([b"a,b\n1,2\n"], name="a.csv", declared_type="image/png").findings,
    "object-missing": lambda: unavailable("object-missing"),
    "object-replaced": lambda: unavailable("object-replaced"),
    "object-archived": lambda: unavailable("object-archived", storage_class="GLACIER"),
    "inspection-timed-out": timed_out,
    "inspection-crashed": crashed,
}


def produced(code: str) -> tuple[Finding, ...]:
    if code in UNDER_CONTRACT:
        return by_contract(code)
    return SCENARIOS[code]() if code in SCENARIOS else by_file(code)


def test_there_is_an_example_of_every_code() -> None:
    assert FILES.keys() | SCENARIOS.keys() | UNDER_CONTRACT.keys() == CATALOGUE.keys()


@pytest.mark.parametrize("code", CATALOGUE)
def test_every_code_is_produced_with_its_whole_sentence(code: str) -> None:
    found = next(finding for finding in produced(code) if finding.code == code)
    assert found.severity is CATALOGUE[code].severity
    assert found.message.endswith(CATALOGUE[code].fix)
    assert not re.search(r"\{\w*[:}]", found.message)
    assert "None" not in found.message


@pytest.mark.parametrize("code", CATALOGUE)
def test_every_code_is_used_by_the_code_that_ships(code: str) -> None:
    sources = [path for path in (ROOT / "chalicelib").rglob("*.py") if path.name != "findings.py"]
    assert any(f'"{code}"' in path.read_text() for path in sources)


@pytest.mark.parametrize("code", CATALOGUE)
def test_every_code_is_well_formed(code: str) -> None:
    known = CATALOGUE[code]
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", code)
    assert all(text.endswith(".") for text in (known.meaning, known.message, known.fix))
    assert not [name for _, name, _, _ in string.Formatter().parse(known.fix + known.meaning) if name is not None]


@pytest.mark.parametrize("code", CATALOGUE)
def test_every_code_is_documented_exactly_once(code: str) -> None:
    lines = FINDINGS.read_text().splitlines()
    assert sum(line.startswith(f"| `{code}` |") for line in lines) == 1


def test_the_documentation_is_what_the_catalogue_says_now() -> None:
    assert FINDINGS.read_text() == findings_markdown(), "run: python -m docs.build"


def test_only_what_keeps_a_file_from_being_judged_has_another_cause_than_its_content() -> None:
    others = {code.slug for code in CATALOGUE.values() if code.cause is not Cause.CONTENT}
    assert others == {code for code in CATALOGUE if code.startswith(("object-", "inspection-"))}
    assert all(CATALOGUE[code].severity is Severity.ERROR for code in others)


# -- collecting


def test_the_first_of_a_code_are_kept_and_all_are_counted() -> None:
    findings = Findings(per_code=2)
    for line in range(1, 1001):
        findings.add("blank-row", line=line)
    assert [finding.line for finding in findings] == [1, 2]
    assert findings.counts == {"blank-row": 1000}
    assert findings.full("blank-row")


def test_errors_come_first_each_in_the_order_of_the_file() -> None:
    findings = Findings()
    findings.add("no-final-newline", line=9)
    findings.add("blank-row", line=2)
    findings.add("missing-cells", line=7, found=1, expected=2)
    findings.add("missing-cells", line=3, found=1, expected=2)
    assert [(finding.severity, finding.line) for finding in findings] == [
        ("error", 3),
        ("error", 7),
        ("warning", 2),
        ("info", 9),
    ]


def test_what_is_not_the_files_fault_is_the_cause_that_is_told() -> None:
    findings = Findings()
    assert findings.cause is None
    findings.add("missing-cells", found=1, expected=2)
    assert findings.cause is Cause.CONTENT
    findings.add("inspection-timed-out", position=10)
    assert findings.cause is Cause.SYSTEM


def test_a_severity_that_was_moved_is_that_of_the_finding_and_decides_the_cause() -> None:
    findings = Findings(severity={"missing-cells": Severity.WARNING, "blank-row": Severity.ERROR})
    findings.add("missing-cells", found=1, expected=2)
    assert (findings.cause, [found.severity for found in findings]) == (None, [Severity.WARNING])
    findings.add("blank-row")
    assert (findings.cause, findings.errors) == (Cause.CONTENT, {"blank-row": 1})


def test_what_is_ignored_is_no_finding() -> None:
    findings = Findings(ignored={"blank-row"})
    findings.add("blank-row", line=1)
    findings.count("blank-row", 5)
    assert (list(findings), findings.counts, findings.full("blank-row")) == ([], {}, True)


def test_a_code_outside_the_catalogue_is_a_bug() -> None:
    with pytest.raises(KeyError):
        Findings().add("no-such-code")
