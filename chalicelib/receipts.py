"""The ledger's record of one inspection of one upload, and its forms: value, JSON, DynamoDB item. Pure."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any

from chalicelib.findings import Finding, Findings
from chalicelib.inspection import Report, Status
from chalicelib.uploads import Entry, iso

SHARDS = 8
"""Into how many partitions an index spreads the uploads of a moment (docs/data-model.md, "Hot partitions")."""

INDEX_ATTRIBUTES = frozenset(
    {"pk", "sk", "journal_shard", "failed_at", "source_shard", "of_key", "place", "content_shard", "headline"}
)
"""What the ledger adds for its indexes: outside the hashed content, free to change with what is current."""

TEXT_LIMIT = 1_000
"""How many characters of a text that others chose (user metadata, a content type) a receipt keeps."""

FINDINGS_BYTES = 160_000
COLUMNS_BYTES = 100_000
"""How much of an item (DynamoDB: 400 KB at most) findings and columns may take: beyond it the first are kept.

Their totals, `finding_counts` and `column_count`, stay exact.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What happened to one entry of a key's history: for an upload, one inspection and its verdict.

    `report` is None for a deletion, which is recorded and not judged. `declared_type` and `metadata` are those
    the upload was made with.
    """

    entry: Entry
    inspection: int = 1
    received_at: datetime
    finished_at: datetime
    report: Report | None
    declared_type: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    request_id: str | None = None
    inspector: str


def system_failure(findings: Findings) -> Report:
    """The report of an upload whose bytes were not judged: it has findings and nothing else."""
    cause = findings.cause
    if cause is None:
        raise ValueError("a report without content needs an error among its findings")
    return Report(status=Status.FAILED, cause=cause, findings=tuple(findings), counts=findings.counts)


def as_json(receipt: Receipt) -> dict[str, Any]:
    """The receipt as JSON values, without what is unknown; the last member is the hash of all the others."""
    entry = receipt.entry
    latency = receipt.finished_at - entry.uploaded_at
    content = {
        "kind": str(entry.kind),
        "bucket": entry.bucket,
        "key": entry.key,
        "version_id": entry.version_id,
        "etag": entry.etag,
        "sequencer": entry.sequencer,
        "inspection": receipt.inspection,
        "size": entry.size,
        "event": entry.event,
        "uploaded_at": iso(entry.uploaded_at),
        "received_at": iso(receipt.received_at),
        "finished_at": iso(receipt.finished_at),
        "latency_ms": latency // timedelta(milliseconds=1),
        **(report_as_json(receipt.report) if receipt.report else {}),
        "declared_type": (receipt.declared_type or "")[:TEXT_LIMIT] or None,
        "metadata": {name: value[:TEXT_LIMIT] for name, value in receipt.metadata.items()} or None,
        "principal": entry.principal,
        "source_address": entry.source_address,
        "inspector": receipt.inspector,
        "request_id": receipt.request_id,
    }
    known = {name: value for name, value in content.items() if value is not None}
    return {**known, "content_hash": content_hash(known)}


def report_as_json(report: Report) -> dict[str, Any]:
    """The report as JSON values; what is unknown is None, so that its members are the same for every file."""
    facts = report.facts
    return {
        "status": str(report.status),
        "cause": str(report.cause) if report.cause else None,
        "format": report.format and str(report.format),
        "media_type": report.media_type,
        "compression": report.compression,
        "encoding": report.encoding,
        "newline": report.newline,
        "delimiter": facts.delimiter,
        "header": facts.header,
        "dialect_confidence": facts.dialect_confidence,
        "top_level": facts.top_level,
        "sha256": report.sha256,
        "bytes": report.bytes,
        "unpacked_bytes": report.unpacked_bytes,
        "lines": report.lines,
        "records": facts.records,
        "column_count": facts.column_count,
        "columns": _first([{"name": column.name} for column in facts.columns], COLUMNS_BYTES),
        "findings": _first([finding_as_json(finding) for finding in report.findings], FINDINGS_BYTES),
        "finding_counts": dict(report.counts),
    }


def finding_as_json(finding: Finding) -> dict[str, Any]:
    """The finding as JSON values, without the parts of its position that are unknown."""
    return {
        name: str(value) if name == "severity" else value
        for name, value in asdict(finding).items()
        if value is not None
    }


def content_hash(content: Mapping[str, Any]) -> str:
    """SHA-256, in hexadecimal, of the content's canonical JSON.

    The canonical form is RFC 8785's for what a receipt holds: names in ASCII, integers below 2^53, no floats.
    """
    canonical = json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(canonical.encode("utf-8")).hexdigest()


def as_item(receipt: Receipt) -> dict[str, Any]:
    """The receipt as the item the ledger keeps: its JSON, and what its keys and indexes need."""
    content = as_json(receipt)
    item = {**content, **index_attributes(receipt.entry, receipt.inspection)}
    shard = item["journal_shard"].rpartition("#")[2]
    if "sha256" in content:
        item["content_shard"] = f"{content['sha256']}#{shard}"
    if receipt.report:
        item["headline"] = headline(receipt.report.findings)
        if receipt.report.status is Status.FAILED:
            item["failed_at"] = content["finished_at"]
    return item


def index_attributes(entry: Entry, inspection: int) -> dict[str, Any]:
    """The attributes of every item about an entry: table key, the shard of its indexes, its place in the history."""
    shard = zlib.crc32(entry.identity.encode()) % SHARDS
    return {
        "pk": entry.identity,
        "sk": inspection,
        "journal_shard": f"{entry.bucket}#{shard}",
        "source_shard": f"{entry.bucket}/{entry.source}#{shard}",
        "of_key": f"{entry.bucket}/{entry.key}",
        "place": f"{entry.place}#{inspection:06}",
    }


def from_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """The receipt's JSON out of the item the ledger keeps."""
    return {name: value for name, value in item.items() if name not in INDEX_ATTRIBUTES}


def headline(findings: tuple[Finding, ...]) -> str:
    """The first finding in one line, for lists."""
    if not findings:
        return ""
    first = findings[0]
    places = [f"{word} {value}" for word, value in (("row", first.row), ("line", first.line)) if value is not None]
    return f"{first.code}{': ' if places else ''}{', '.join(places)}"


def _first(things: list[dict[str, Any]], budget: int) -> list[dict[str, Any]]:
    """As many of the first things as fit into a budget of bytes."""
    sizes = (len(json.dumps(thing, ensure_ascii=False).encode()) for thing in things)
    fitting = sum(1 for total in accumulate(sizes) if total <= budget)
    return things[:fitting]
