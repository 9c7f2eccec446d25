"""The events of receipts: what is in them, how large they can be, and of which items there are any."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.announcements import (
    DETAIL_TYPE,
    FINDINGS,
    MOST_BYTES,
    SCHEMA_VERSION,
    NotAReceiptError,
    announcement_of,
    is_announced,
    stream_filters,
)
from chalicelib.aws.items import encoded
from chalicelib.aws.notices import BATCH
from chalicelib.findings import Cause
from chalicelib.inspection import Report, Status
from chalicelib.receipts import INSPECTING, Receipt, as_item
from chalicelib.uploads import Kind
from infra.stages import ROOT
from tests import events
from tests.receipts import crash, failure, receipt
from tests.strategies import REPORTS, TEXT, entries, receipts
from tests.test_receipts import receipt_of, worst_report

SCHEMA = json.loads((ROOT / "docs" / "receipt-event.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
EVENTBRIDGES_LIMIT = 256 * 1024


def judged(made: Receipt, report: Report) -> Receipt:
    """The receipt with a report whose cause agrees with its status."""
    cause = Cause.CONTENT if report.status is Status.FAILED else None
    return made._replace(report=report._replace(cause=cause))


UPLOADS = st.builds(judged, receipts(entries(kind=Kind.UPLOAD)), REPORTS)


def detail_of(made: Receipt) -> dict[str, Any]:
    detail: dict[str, Any] = json.loads(announcement_of(as_item(made)).detail)
    return detail


def undocumented(value: Any, schema: dict[str, Any]) -> set[str]:
    """The members that the schema does not name, at whatever depth."""
    if isinstance(value, list):
        return {name for one in value for name in undocumented(one, schema["items"])}
    if not isinstance(value, dict) or "properties" not in schema:
        return set()
    known = schema["properties"]
    inner = (undocumented(value[name], known[name]) for name in value.keys() & known.keys())
    return set(value.keys() - known.keys()).union(*inner)


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@given(UPLOADS)
def test_every_event_is_as_the_schema_documents_it(made: Receipt) -> None:
    detail = detail_of(made)
    VALIDATOR.validate(detail)
    assert undocumented(detail, SCHEMA) == set()


@pytest.mark.parametrize("report", [failure(), crash()], ids=["unavailable", "system"])
def test_a_failures_event_is_as_the_schema_documents_it(report: Any) -> None:
    detail = detail_of(receipt(report=report))
    VALIDATOR.validate(detail)
    assert (detail["status"], detail["cause"]) == ("failed", str(report.cause))


def test_the_schema_refuses_an_event_of_another_version() -> None:
    detail = detail_of(receipt())
    assert detail["schema_version"] == SCHEMA_VERSION
    assert DETAIL_TYPE.endswith(f" v{SCHEMA_VERSION.partition('.')[0]}")
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(detail | {"schema_version": "2.0"})


@given(UPLOADS)
def test_an_event_names_its_receipt_and_its_very_content(made: Receipt) -> None:
    """What a consumer knows duplicates by."""
    item, detail = as_item(made), detail_of(made)
    assert (detail["identity"], detail["inspection"]) == (item["pk"], item["sk"])
    assert detail["content_hash"] == item["content_hash"]


# -- size


@pytest.mark.parametrize("character", ["x", "é", "𝒳", "\0", '"'])
def test_the_event_of_the_largest_receipt_is_small(character: str) -> None:
    sent = events.record(character * (1024 // len(character.encode())), version_id="v" * 1024)
    metadata = {f"name-{number}": "v" * 100 for number in range(20)}
    made = announcement_of(as_item(receipt_of(worst_report(character), record=sent, metadata=metadata)))
    assert len(made.detail.encode()) <= MOST_BYTES
    assert len(json.loads(made.detail)["findings"]) == FINDINGS


def test_a_whole_call_of_the_largest_events_is_below_the_limit() -> None:
    envelope = 200
    assert BATCH * (MOST_BYTES + envelope) < EVENTBRIDGES_LIMIT


@pytest.mark.parametrize("member", ["media_type", "encoding", "request_id", "inspector"])
def test_an_item_that_would_not_fit_is_refused(member: str) -> None:
    with pytest.raises(NotAReceiptError, match=f"{MOST_BYTES} are the most"):
        announcement_of(as_item(receipt()) | {member: "x" * MOST_BYTES})


# -- nothing of a file


@given(UPLOADS, st.sampled_from(["columns", "members", "sheets", "metadata", "declared_type", "principal"]))
def test_what_an_event_tells_does_not_depend_on_names_in_the_file(made: Receipt, member: str) -> None:
    """Neither columns nor messages, which may quote them, nor what the uploader wrote about the file."""
    item = as_item(made)
    other = item | {member: "canary"}
    other["findings"] = [finding | {"message": "canary", "field": "canary"} for finding in item["findings"]]
    assert announcement_of(other) == announcement_of(item)


# -- of which items


def item_of(**members: Any) -> dict[str, Any]:
    return {"kind": "upload", "status": "succeeded"} | members


@pytest.mark.parametrize(
    "item",
    [
        item_of(status=INSPECTING),  # a mark
        {"kind": "deleted"},
        {"kind": "delete-marker"},
        item_of(status="failed"),  # superseded by a later inspection
        {"pk": "#seals/b", "sk": 1},
        {"pk": "#reconcile/b", "sk": 0, "through": "2026-11-23T12:00:00.000Z"},
        {"pk": "#tokens", "sk": 1, "name": "ana"},
        {},
    ],
)
def test_what_is_no_new_final_receipt_is_not_announced(item: dict[str, Any]) -> None:
    assert not is_announced(item)


@given(UPLOADS)
def test_every_final_receipt_of_an_upload_is_announced(made: Receipt) -> None:
    assert is_announced(as_item(made))


def matches(pattern: Any, value: Any) -> bool:
    """EventBridge's patterns, as far as ours go (developer guide, "Lambda event filtering")."""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(matches(inner, value.get(name)) for name, inner in pattern.items())
    return any(value is not None if one == {"exists": True} else value == one for one in pattern)


ITEMS = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.sampled_from(["upload", "deleted", "delete-marker", "x"]),
        "status": st.sampled_from(["succeeded", "failed", INSPECTING, "x"]),
        "failed_at": TEXT,
        "due_at": TEXT,
    },
)


@given(ITEMS, st.sampled_from(["INSERT", "MODIFY"]))
def test_lambda_is_asked_to_let_in_exactly_what_is_announced(item: dict[str, Any], change: str) -> None:
    record = {"eventName": change, "dynamodb": {"NewImage": encoded(item)}}
    assert any(matches(pattern, record) for pattern in stream_filters()) == is_announced(item)


def test_what_expires_costs_no_invocation() -> None:
    record = {"eventName": "REMOVE", "dynamodb": {"Keys": {"pk": {"S": "b/k#v"}}}}
    assert not any(matches(pattern, record) for pattern in stream_filters())


# -- what is no receipt of ours


@pytest.mark.parametrize(
    "change",
    [
        {"findings": None},
        {"findings": ["text"]},
        {"finished_at": 5},
        {"finished_at": "yesterday"},
        {"content_hash": {1}},
    ],
)
def test_what_cannot_be_told_is_refused_without_its_text(change: dict[str, Any]) -> None:
    with pytest.raises(NotAReceiptError, match=r"^no event can be made of it: \w+$"):
        announcement_of(as_item(receipt()) | change)
