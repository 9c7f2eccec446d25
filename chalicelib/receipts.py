"""The ledger's record of one inspection of one upload, and its forms: value, JSON, DynamoDB item. Pure."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import accumulate
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from chalicelib.findings import Cause, Finding, Findings
from chalicelib.inspection import Report, Status
from chalicelib.uploads import Entry, Kind, iso

if TYPE_CHECKING:
    from chalicelib.inspection import Column
    from chalicelib.inspection.report_parts import Judged

INSPECTING = "inspecting"
"""The status of a mark: an inspection was begun and has not ended."""

MAX_TRIES = 4
"""How many inspections in a row an upload gets without anybody asking: one, and three more if Recibo itself failed."""

MARK_KEPT = timedelta(days=30)
"""How long after its deadline a mark may expire, where receipts do: long after its event can come again."""

SHARDS = 8
"""Into how many partitions an index spreads the uploads of a moment (docs/data-model.md, "Hot partitions")."""

INDEX_ATTRIBUTES = frozenset(
    {
        *("pk", "sk", "journal_shard", "failed_at", "due_at", "source_shard", "of_key", "place"),
        *("content_shard", "headline", "expires_at"),
    }
)
"""What the ledger adds for its keys, its indexes and its time to live: outside the hashed content.

All of it follows from the content, but that a later inspection takes `failed_at` and `due_at` away.
"""

TEXT_LIMIT = 1_000
"""How many characters of a text that others chose (user metadata, a content type) a receipt keeps."""

FINDINGS_BYTES = 160_000
COLUMNS_BYTES = 100_000
RULES_BYTES = 40_000
MEMBERS_BYTES = 20_000
"""How much of an item (DynamoDB: 400 KB at most) each may take: beyond it the first are kept.

The totals, `finding_counts` and `column_count`, stay exact.
"""


class Receipt(NamedTuple):
    """What happened to one entry of a key's history: for an upload, one inspection and its verdict.

    `report` is None for a deletion, which is recorded and not judged. `declared_type` and `metadata` are those
    the upload was made with. `tries` is as `record_of` has it.
    """

    entry: Entry
    received_at: datetime
    finished_at: datetime
    report: Report | None
    inspector: str
    inspection: int = 1
    tries: int = 1
    declared_type: str | None = None
    metadata: Mapping[str, str] = MappingProxyType({})
    request_id: str | None = None


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
        "tries": receipt.tries if receipt.report and receipt.report.cause is Cause.SYSTEM else None,
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
        "encoding_confidence": report.encoding_confidence,
        "newline": report.newline,
        "delimiter": facts.delimiter,
        "header": facts.header,
        "dialect_confidence": facts.dialect_confidence,
        "top_level": facts.top_level,
        "root": facts.root,
        "elements": facts.elements,
        "element_counts": _first(
            [{"name": each.name, "count": each.count} for each in facts.element_counts], COLUMNS_BYTES
        )
        or None,
        "sha256": report.sha256,
        "bytes": report.bytes,
        "unpacked_bytes": report.unpacked_bytes,
        "members": _first([member._asdict() for member in report.members], MEMBERS_BYTES) or None,
        "member_count": report.member_count,
        "lines": report.lines,
        "records": facts.records,
        "row_groups": facts.row_groups,
        "codecs": list(facts.codecs) or None,
        "created_by": facts.created_by,
        "sheets": _first([_known_members(sheet) for sheet in facts.sheets], MEMBERS_BYTES) or None,
        "sheet_count": facts.sheet_count,
        "record_types": dict(facts.record_types) if facts.record_types else None,
        "column_count": facts.column_count,
        "columns": _first([_column_as_json(column) for column in facts.columns], COLUMNS_BYTES),
        "profiled_records": facts.profiled_records,
        "findings": _first([finding_as_json(finding) for finding in report.findings], FINDINGS_BYTES),
        "finding_counts": dict(report.counts),
        "contract": _contract_as_json(report.contract) if report.contract else None,
    }


def _column_as_json(column: Column) -> dict[str, Any]:
    """The column with its profile, without what is unknown."""
    said = _known_members(column)
    if profile := said.pop("profile", None):
        said |= _known_members(profile)
        if histogram := profile.histogram:
            said["histogram"] = histogram._asdict() | {"counts": list(histogram.counts)}
        if common := said.pop("common"):
            said["common"] = [{"value": each.value, "count": each.count} for each in common]
    return said


def _contract_as_json(judged: Judged) -> dict[str, Any]:
    rules = [{"code": rule.code, "field": rule.field, "count": rule.count} for rule in judged.broken_rules]
    known = [{name: value for name, value in rule.items() if value is not None} for rule in rules]
    return {"name": judged.name, "sha256": judged.sha256, "broken_rules": _first(known, RULES_BYTES)}


def finding_as_json(finding: Finding) -> dict[str, Any]:
    """The finding as JSON values, without the parts of its position that are unknown."""
    return _known_members(finding) | {"severity": str(finding.severity)}


def _known_members(value: Any) -> dict[str, Any]:
    return {name: known for name, known in zip(value._fields, value, strict=True) if known is not None}


def canonical(content: Mapping[str, Any]) -> bytes:
    """The content's canonical JSON: names sorted, no spaces, UTF-8.

    It is RFC 8785's for what a receipt holds: names in ASCII, integers below 2^53, no floats. TypeError if the content
    has what is neither that nor JSON.
    """
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)


def content_hash(content: Mapping[str, Any]) -> str:
    """SHA-256, in hexadecimal, of the content's canonical JSON."""
    return hashlib.sha256(canonical(content)).hexdigest()


def as_item(receipt: Receipt, *, retention: timedelta | None = None) -> dict[str, Any]:
    """The receipt as the item the ledger keeps: its JSON, and what its keys and indexes need."""
    item = {**(content := as_json(receipt)), **_derived(content, receipt.entry)}
    if retention:
        item["expires_at"] = int((receipt.finished_at + retention).timestamp())
    return item


def derived(content: Mapping[str, Any]) -> dict[str, Any]:
    """What the ledger adds to a receipt's JSON while it is the current one, but for a time to live."""
    return _derived(content, entry_from(content))


def _derived(content: Mapping[str, Any], entry: Entry) -> dict[str, Any]:
    added = index_attributes(entry, content["inspection"])
    if "sha256" in content:
        added["content_shard"] = f"{content['sha256']}#{added['journal_shard'].rpartition('#')[2]}"
    if "status" in content:
        added["headline"] = headline(content["findings"])
    if content.get("status") == Status.FAILED:
        added["failed_at"] = content["finished_at"]
    if content.get("cause") == Cause.SYSTEM and content.get("tries", 1) < MAX_TRIES:
        added["due_at"] = content["finished_at"]
    return added


def entry_from(content: Mapping[str, Any]) -> Entry:
    """The entry that a receipt's JSON, or a mark, is about."""
    return Entry(
        kind=Kind(content["kind"]),
        bucket=content["bucket"],
        key=content["key"],
        version_id=content.get("version_id"),
        etag=content.get("etag"),
        sequencer=content.get("sequencer"),
        size=content.get("size"),
        uploaded_at=datetime.fromisoformat(content["uploaded_at"]),
        event=content["event"],
        principal=content.get("principal"),
        source_address=content.get("source_address"),
    )


def mark_item(
    upload: Entry,
    inspection: int,
    *,
    tries: int = 1,
    started_at: datetime,
    deadline: datetime,
    request_id: str | None = None,
    may_expire: bool = False,
) -> dict[str, Any]:
    """The item that stands where a long inspection's receipt will be: what is known, and until when it may take."""
    mark = {
        **index_attributes(upload, inspection),
        "kind": str(upload.kind),
        "bucket": upload.bucket,
        "key": upload.key,
        "version_id": upload.version_id,
        "etag": upload.etag,
        "sequencer": upload.sequencer,
        "inspection": inspection,
        "tries": tries if tries > 1 else None,
        "size": upload.size,
        "event": upload.event,
        "uploaded_at": iso(upload.uploaded_at),
        "status": INSPECTING,
        "started_at": iso(started_at),
        "deadline": iso(deadline),
        "due_at": iso(deadline),
        "principal": upload.principal,
        "source_address": upload.source_address,
        "request_id": request_id,
        "expires_at": int((deadline + MARK_KEPT).timestamp()) if may_expire else None,
    }
    return {name: value for name, value in mark.items() if value is not None}


def index_attributes(entry: Entry, inspection: int) -> dict[str, Any]:
    """The attributes of every item about an entry: table key, the shard of its indexes, its place in the history."""
    identity = entry.identity
    shard = zlib.crc32(identity.encode()) % SHARDS
    return {
        "pk": identity,
        "sk": inspection,
        "journal_shard": f"{entry.bucket}#{shard}",
        "source_shard": f"{entry.bucket}/{entry.source}#{shard}",
        "of_key": f"{entry.bucket}/{entry.key}",
        "place": f"{entry.place}#{inspection:06}",
    }


def from_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """The receipt's JSON out of the item the ledger keeps."""
    return {name: value for name, value in item.items() if name not in INDEX_ATTRIBUTES}


def headline(findings: Sequence[Mapping[str, Any]]) -> str:
    """The first of a receipt's findings in one line, for lists."""
    if not findings:
        return ""
    first = findings[0]
    places = [f"{word} {first[word]}" for word in ("row", "line") if word in first]
    return f"{first['code']}{': ' if places else ''}{', '.join(places)}"


def _first(things: list[dict[str, Any]], budget: int) -> list[dict[str, Any]]:
    """As many of the first things as fit into a budget of bytes."""
    if not things or _bytes(things) <= budget:
        return things
    sizes = map(_bytes, things)
    fitting = sum(1 for total in accumulate(sizes) if total <= budget)
    return things[:fitting]


def _bytes(thing: Any) -> int:
    return len(orjson.dumps(thing))
