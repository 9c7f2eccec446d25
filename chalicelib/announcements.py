"""What is told to the world of a final receipt: one event each, small and versioned. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.receipts import headline
from chalicelib.uploads import Kind

SOURCE = "recibo"
DETAIL_TYPE = "Recibo Receipt v1"
"""Its number is the schema's first: a rule that asks for it never meets an event that it cannot read."""

SCHEMA_VERSION = "1.0"
"""A member more raises the second number; a member that goes, or means something else, the first."""

FINDINGS = 10
"""How many findings an event names: `finding_counts` has the numbers of all."""

MOST_BYTES = 24_000
"""How much an event may have: ten of them, which is what a call takes, stay below EventBridge's 256 KB."""

FINAL = ("succeeded", "failed")

_REQUIRED = (
    *("bucket", "key", "inspection", "status", "uploaded_at", "received_at", "finished_at", "latency_ms"),
    *("content_hash", "inspector"),
)
_OPTIONAL = (
    *("version_id", "etag", "sequencer", "size", "cause", "request_id"),
    *("format", "media_type", "compression", "encoding", "sha256", "bytes", "lines", "records", "column_count"),
)
_OF_FINDING = ("code", "severity", "row", "line", "column")
"""Not its message and not its field, which may quote a header."""


class NotAReceiptError(ValueError):
    """The item is no receipt that Recibo made: no retry helps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """The event of one receipt: `detail` is its JSON, `at` when the receipt was made."""

    detail: str
    at: datetime


def is_announced(item: Mapping[str, Any]) -> bool:
    """Whether an item that was just written is a final receipt that nobody was told of yet.

    A later inspection takes `failed_at` away from the receipt before it, which is written again by that, and stays what
    it was told to be. Marks, deletions, seals, counts and notes are no receipts of uploads.
    """
    status = item.get("status")
    return item.get("kind") == Kind.UPLOAD and status in FINAL and (status != "failed" or "failed_at" in item)


def stream_filters() -> list[dict[str, Any]]:
    """The same as patterns for Lambda, so that nothing else costs an invocation; whatever matches one is let in."""
    upload = {"kind": {"S": [str(Kind.UPLOAD)]}}
    succeeded = {**upload, "status": {"S": ["succeeded"]}}
    failed = {**upload, "status": {"S": ["failed"]}, "failed_at": {"S": [{"exists": True}]}}
    return [{"eventName": ["INSERT", "MODIFY"], "dynamodb": {"NewImage": image}} for image in (succeeded, failed)]


def announcement_of(item: Mapping[str, Any]) -> Announcement:
    """The event of a receipt, from the item that the ledger keeps; raises NotAReceiptError."""
    try:
        detail = json.dumps(_detail(item), ensure_ascii=False, separators=(",", ":"))
        size, at = len(detail.encode()), datetime.fromisoformat(item["finished_at"])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise NotAReceiptError(f"no event can be made of it: {type(error).__name__}") from None
    if size > MOST_BYTES:
        raise NotAReceiptError(f"its event would have {size} bytes, and {MOST_BYTES} are the most")
    return Announcement(detail=detail, at=at)


def _detail(item: Mapping[str, Any]) -> dict[str, Any]:
    findings, contract = item["findings"], item.get("contract")
    members = {
        "schema_version": SCHEMA_VERSION,
        "identity": item["pk"],
        **{name: item[name] for name in _REQUIRED},
        **_some(item, _OPTIONAL),
        "headline": headline(findings),
        "findings": [_some(finding, _OF_FINDING) for finding in findings[:FINDINGS]],
        "finding_counts": item["finding_counts"],
    }
    return members | ({"contract": _some(contract, ("name", "sha256"))} if contract else {})


def _some(values: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Those of the members that are there."""
    return {name: values[name] for name in names if name in values}
