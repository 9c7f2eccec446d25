"""A receipt's forms: value, JSON, DynamoDB item."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.aws.items import decoded, encoded
from chalicelib.findings import CATALOGUE, Finding, Findings
from chalicelib.inspection import Column, Facts, Limits, Report, Status, inspect
from chalicelib.inspection.report_parts import BrokenRule, Judged
from chalicelib.receipts import (
    INDEX_ATTRIBUTES,
    Receipt,
    as_item,
    as_json,
    canonical,
    content_hash,
    finding_as_json,
    from_item,
    headline,
    index_attributes,
    system_failure,
)
from chalicelib.uploads import entry_of
from tests import events
from tests.fakes import NOON
from tests.strategies import receipts

ITEM_LIMIT = 350_000
"""DynamoDB refuses an item of more than 400 KB."""


def receipt_of(report: Report | None, *, record: dict[str, Any] | None = None, **more: Any) -> Receipt:
    entry = entry_of(record or events.record("partner/sales/2026-11-23.csv"))
    known: dict[str, Any] = {"received_at": NOON, "finished_at": NOON + timedelta(milliseconds=20), "inspector": "1"}
    return Receipt(entry=entry, report=report, **known | more)


def size_of(item: dict[str, Any]) -> int:
    """A little more than DynamoDB counts: every digit of a number, and names and values in UTF-8."""
    return len(json.dumps(encoded(item), ensure_ascii=False).encode())


def billed_size_of(value: Any) -> int:
    """An item's or a value's size as DynamoDB's documentation counts it."""
    match value:
        case str():
            return len(value.encode())
        case bool() | None:
            return 1
        case int():
            return len(str(value)) // 2 + 2
        case list():
            return 3 + sum(1 + billed_size_of(member) for member in value)
        case dict():
            return 3 + sum(1 + len(name.encode()) + billed_size_of(member) for name, member in value.items())
    raise AssertionError(f"{value!r} cannot be in an item")


# -- round trips


@given(receipts())
def test_a_receipt_comes_back_from_the_ledger_as_it_went_in(receipt: Receipt) -> None:
    """Law: receipt → item → DynamoDB → item → JSON."""
    assert from_item(decoded(encoded(as_item(receipt)))) == as_json(receipt)


@given(receipts())
def test_a_receipt_survives_json(receipt: Receipt) -> None:
    assert json.loads(json.dumps(as_json(receipt))) == as_json(receipt)


@given(receipts())
def test_what_is_unknown_is_absent(receipt: Receipt) -> None:
    content = as_json(receipt)
    assert None not in content.values()
    assert None not in content.get("metadata", {}).values()
    assert all(None not in finding.values() for finding in content.get("findings", ()))


@given(receipts())
def test_no_key_of_an_index_is_empty_or_too_long(receipt: Receipt) -> None:
    """DynamoDB refuses an item whose index key is an empty text, or longer than 2,048 or 1,024 bytes."""
    keys = index_attributes(receipt.entry, receipt.inspection)
    texts = {name: value for name, value in keys.items() if isinstance(value, str)}
    assert all(0 < len(text.encode()) <= (1024 if name == "place" else 2048) for name, text in texts.items())


# -- the hash


@given(receipts())
def test_the_hash_covers_the_content_and_nothing_of_the_indexes(receipt: Receipt) -> None:
    """Law: the hash can be worked out again from what the ledger gives back."""
    content = from_item(decoded(encoded(as_item(receipt))))
    told = content.pop("content_hash")
    assert content_hash(content) == told
    assert not content.keys() & INDEX_ATTRIBUTES


def test_the_hash_is_sha_256_of_canonical_json_as_anyone_can_compute_it() -> None:
    assert content_hash({"b": [1, True], "a": "é\n"}) == hashlib.sha256(b'{"a":"\xc3\xa9\\n","b":[1,true]}').hexdigest()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(1 - 2**53, 2**53 - 1) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(max_codepoint=127)), inner),
)


@given(st.dictionaries(st.text(st.characters(max_codepoint=127)), json_values))
@example({"\x00\x1f\x7f\x80\u2028\ufeff\U0010ffff" + '"\\/\b\f\n\r\t': 1})
def test_the_standard_librarys_json_makes_the_same_canonical_form(content: dict[str, Any]) -> None:
    """Whoever checks a receipt need not have what wrote it."""
    plain = json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    assert canonical(content) == plain.encode()


@given(receipts(), st.sampled_from(["key", "size", "uploaded_at", "inspector", "metadata"]))
def test_any_change_of_the_content_changes_the_hash(receipt: Receipt, name: str) -> None:
    content = as_json(receipt)
    told = content.pop("content_hash")
    assert content_hash(content | {name: "changed"}) != told


# -- sizes


def test_a_common_item_is_billed_as_two_write_units() -> None:
    content = b"id,amount\n" + b"".join(b"%d,10\n" % number for number in range(1000))
    report = inspect([content], name="partner/sales/2026-11-23.csv", declared_type="text/csv")
    request_id = "8f6b1c9e-7a52-4e1b-9c3d-2f4a5b6c7d8e"
    record = events.record(
        "partner/sales/2026-11-23.csv", size=len(content), version_id="3HL4kqtJvjVBH40Nrjfkd0pxY7aBcDeF"
    )
    item = as_item(receipt_of(report, record=record, request_id=request_id, declared_type="text/csv"))
    assert billed_size_of(item) <= 2048


def worst_report(character: str) -> Report:
    """Every column and every finding that the limits let through, at their longest."""
    limits, text = Limits(), character * Limits().name_length
    kept = [
        Finding(code=code, severity=known.severity, message=character * 500, row=1 << 40, line=1 << 40, field=text)
        for code, known in CATALOGUE.items()
        for _ in range(limits.findings_per_code)
    ]
    columns = tuple(Column(name=text) for _ in range(limits.named_columns))
    rules = tuple(BrokenRule(code=code, field=text, count=1 << 40) for code in CATALOGUE for _ in range(20))
    return Report(
        status=Status.FAILED,
        facts=Facts(columns=columns, column_count=16_384),
        findings=tuple(kept),
        counts=dict.fromkeys(CATALOGUE, 1 << 40),
        contract=Judged(name="x" * 100, sha256="0" * 64, broken_rules=rules),
    )


@pytest.mark.parametrize("character", ["x", "é", "𝒳", "\0", '"'])
def test_the_largest_receipt_is_far_below_dynamodbs_limit(character: str) -> None:
    record = events.record(character.encode().decode() * (1024 // len(character.encode())))
    metadata = {f"name-{number}": "v" * 100 for number in range(20)}
    receipt = receipt_of(worst_report(character), record=record, metadata=metadata, declared_type="t" * 5000)
    assert billed_size_of(as_item(receipt)) < ITEM_LIMIT


def test_what_is_cut_to_fit_is_still_counted() -> None:
    content = as_json(receipt_of(worst_report("𝒳")))
    assert len(content["columns"]) < 200 < content["column_count"]
    assert 10 < len(content["findings"]) < sum(content["finding_counts"].values())
    assert 10 < len(content["contract"]["broken_rules"]) < 20 * len(CATALOGUE)


def test_nothing_is_cut_from_a_receipt_of_common_size() -> None:
    report = worst_report("x")._replace(findings=worst_report("x").findings[:50])
    content = as_json(receipt_of(report))
    assert (len(content["columns"]), len(content["findings"])) == (200, 50)


# -- what files may hold


NAMES = st.sampled_from(["x.csv", "x.json", "x.jsonl", "x.txt", "x"])


@given(st.binary(max_size=200), NAMES)
@example(b'{"\\ud800":1,"\\ud800":2}', "x.json")
@example(b'{"\\ud800":1}\n{"\\udfff":2}\n', "x.jsonl")
@example(b"\xed\xa0\x80,b\n1,2\n", "x.csv")
@example(b"a\0,a\0\n1,2\n", "x.csv")
def test_the_report_on_any_bytes_can_be_recorded(content: bytes, name: str) -> None:
    """Law: nothing in a file, half a surrogate pair included, makes a receipt that cannot be stored."""
    receipt = receipt_of(inspect([content], name=name))
    item = as_item(receipt)
    json.dumps(encoded(item), ensure_ascii=False).encode()
    assert from_item(decoded(encoded(item))) == as_json(receipt)


# -- parts


def test_an_empty_value_of_the_users_metadata_is_kept() -> None:
    assert as_json(receipt_of(None, metadata={"batch": ""}))["metadata"] == {"batch": ""}


def test_a_receipt_names_the_contract_with_its_hash_and_counts_each_rule_that_is_broken() -> None:
    rules = (
        BrokenRule(code="type-error", field="id", count=3),
        BrokenRule(code="constraint-primary-key", field=None, count=1),
    )
    judged = Judged(name="orders", sha256="0" * 64, broken_rules=rules)
    content = as_json(receipt_of(Report(status=Status.SUCCEEDED, contract=judged)))
    assert content["contract"] == {
        "name": "orders",
        "sha256": "0" * 64,
        "broken_rules": [
            {"code": "type-error", "field": "id", "count": 3},
            {"code": "constraint-primary-key", "count": 1},
        ],
    }
    assert "contract" not in as_json(receipt_of(Report(status=Status.SUCCEEDED)))


def test_a_deletion_has_no_verdict() -> None:
    record = events.deletion(version_id="v1")
    assert not as_json(receipt_of(None, record=record)).keys() & {"status", "findings", "sha256"}


def test_only_a_failure_is_in_the_index_of_failures() -> None:
    assert "failed_at" not in as_item(receipt_of(Report(status=Status.SUCCEEDED)))
    assert "failed_at" in as_item(receipt_of(Report(status=Status.FAILED)))


def test_the_headline_names_the_first_finding_and_its_place() -> None:
    findings = Findings()
    findings.add("missing-cells", row=3, line=4, found=1, expected=2)
    assert headline([finding_as_json(finding) for finding in findings]) == "missing-cells: row 3, line 4"
    assert headline(()) == ""


def test_a_failure_without_an_error_among_its_findings_is_a_bug() -> None:
    findings = Findings()
    findings.add("no-final-newline")
    with pytest.raises(ValueError, match="needs an error"):
        system_failure(findings)
