"""The forms of what the API takes and answers (JSON Schema 2020-12, as OpenAPI 3.1 has it). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.browsing import STATUSES
from chalicelib.parameters import CAUSES, METADATA_NAME, MOST_METADATA, MOST_UPLOADED
from chalicelib.problems import KINDS, URN
from chalicelib.uploads import Kind

STRING: Mapping[str, Any] = {"type": "string"}
TRUTH: Mapping[str, Any] = {"type": "boolean"}
COUNT: Mapping[str, Any] = {"type": "integer", "minimum": 0}
NUMBER: Mapping[str, Any] = {"type": "integer", "minimum": 1}
MOMENT: Mapping[str, Any] = {"type": "string", "format": "date-time"}
MEDIA_TYPE = "^[A-Za-z0-9_.+-]{1,80}/[A-Za-z0-9_.+-]{1,80}(; ?[A-Za-z0-9_-]+=[A-Za-z0-9_.-]+)?$"
HASH: Mapping[str, Any] = {"type": "string", "pattern": "^[0-9a-f]{64}$"}


def _object(required: Mapping[str, Any], optional: Mapping[str, Any] | None = None, *, more: bool = False) -> Any:
    """`more`: later versions may add members, which a reader passes over."""
    made = {"type": "object", "required": list(required), "properties": {**required, **(optional or {})}}
    return made if more else made | {"additionalProperties": False}


def _list(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _or_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


ENTRY: Mapping[str, Any] = {
    "bucket": STRING,
    "key": STRING,
    "inspection": NUMBER,
    "kind": {"enum": [str(kind) for kind in Kind]},
    "uploaded_at": MOMENT,
}
OF_ENTRY: Mapping[str, Any] = {
    "version_id": STRING,
    "sequencer": STRING,
    "size": COUNT,
    "finished_at": MOMENT,
    "status": {"enum": list(STATUSES)},
    "cause": {"enum": list(CAUSES)},
    "format": STRING,
    "bytes": COUNT,
    "lines": COUNT,
    "records": COUNT,
    "content_hash": HASH,
}
OF_MARK: Mapping[str, Any] = {"started_at": MOMENT, "deadline": MOMENT}
COUNTS: Mapping[str, Any] = dict.fromkeys(
    (
        *("uploads", "succeeded", "failed", "failed_content", "failed_unavailable", "failed_system"),
        *("inspected_again", "deletions", "records", "bytes"),
    ),
    COUNT,
)

LATENCY = _object({"median": {"type": "integer"}, "max": {"type": "integer"}})

SCHEMAS: dict[str, Any] = {
    "AnyObject": {"type": "object"},
    "Health": _object({"status": {"const": "ok"}}),
    "Problem": _object(
        {
            "type": {"enum": [f"{URN}{kind}" for kind in KINDS]},
            "title": STRING,
            "status": {"enum": sorted(set(KINDS.values()))},
            "detail": STRING,
        },
        {"request_id": STRING, "parameter": STRING, "scope": STRING},
    ),
    "Me": _object({"name": STRING, "scopes": _list({"enum": ["read", "upload", "operate"]}), "prefix": STRING}),
    "Entry": _object(
        {"id": STRING, "identity": STRING, **ENTRY},
        {**OF_ENTRY, **OF_MARK, "headline": STRING, "contract": STRING},
        more=True,
    ),
    "ReceiptPage": _object({"receipts": _list(_ref("Entry")), "cursor": _or_null(STRING)}),
    "History": _object({"key": STRING, "entries": _list(_ref("Entry")), "more": TRUTH}),
    "Finding": _object(
        {"code": STRING, "severity": {"enum": ["error", "warning", "info"]}, "message": STRING},
        {"row": COUNT, "line": COUNT, "column": COUNT, "byte": COUNT, "field": STRING},
        more=True,
    ),
    "Receipt": _object(
        ENTRY,
        {
            **OF_ENTRY,
            **OF_MARK,
            "event": STRING,
            "etag": STRING,
            "received_at": MOMENT,
            "latency_ms": {"type": "integer"},
            "tries": NUMBER,
            "media_type": STRING,
            "declared_type": STRING,
            "compression": STRING,
            "encoding": STRING,
            "newline": STRING,
            "delimiter": STRING,
            "header": TRUTH,
            "sha256": HASH,
            "column_count": COUNT,
            "columns": _list(_object({"name": STRING}, more=True)),
            "findings": _list(_ref("Finding")),
            "finding_counts": {"type": "object", "additionalProperties": COUNT},
            "contract": _object({"name": STRING, "sha256": HASH, "broken_rules": _list({"type": "object"})}, more=True),
            "metadata": {"type": "object", "additionalProperties": STRING},
            "principal": STRING,
            "source_address": STRING,
            "inspector": STRING,
            "request_id": STRING,
        },
        more=True,
    ),
    "ReceiptInFull": _object(
        {"id": STRING, "identity": STRING, "is_current": TRUTH, "current_id": STRING, "receipt": _ref("Receipt")}
    ),
    "Rechecking": _object({"id": STRING, "inspection": NUMBER, "key": STRING}),
    "Summary": _object(
        {
            "from": MOMENT,
            "to": MOMENT,
            "by": {"enum": ["hour", "day"]},
            "total": _object(COUNTS),
            "groups": _list(_object({"at": MOMENT, **COUNTS})),
            "sources": _list(_object({"source": STRING, **COUNTS})),
            "source_count": COUNT,
            "newest": _ref("Newest"),
        }
    ),
    "Newest": _object(
        {
            "complete": TRUTH,
            "receipts": COUNT,
            "from": MOMENT,
            "latency_ms": _or_null(LATENCY),
            "groups": _list(_object({"at": MOMENT, "latency_ms": _or_null(LATENCY)})),
            "first_findings": _list(_object({"code": STRING, "receipts": NUMBER})),
        }
    )
    | {
        "description": "Of the newest 1,000 entries of the period, or of all (`complete`), since `from`: latency of "
        "first inspections, and how many receipts have which code as their first finding."
    },
    "FolderList": _object({"prefix": {"type": "string"}, "folders": _list(STRING), "more": TRUTH}),
    "ContractList": _object({"contracts": _list(_object({"name": STRING, "match": STRING}, more=True))}),
    "Verification": _object(
        {
            "sealed_until": _or_null(MOMENT),
            "last_seal": _or_null(
                _object(
                    {
                        "hour": MOMENT,
                        "part": COUNT,
                        "closes": TRUTH,
                        "sealed_at": MOMENT,
                        "receipts": COUNT,
                        "late": COUNT,
                        "seal_hash": HASH,
                    }
                )
            ),
            "anchor": _or_null(STRING),
            "reconcile": _or_null(_object({}, {"through": MOMENT, "whole_at": MOMENT, "begun_at": MOMENT})),
            "due": COUNT,
            "more_due": TRUTH,
        }
    ),
    "UploadWish": _object(
        {"name": {"type": "string", "minLength": 1, "maxLength": 512, "examples": ["orders/2026-11.csv"]}},
        {
            "content_type": _or_null({"type": "string", "pattern": MEDIA_TYPE, "examples": ["text/csv"]}),
            "metadata": _or_null(
                {
                    "type": "object",
                    "propertyNames": {"pattern": f"^{METADATA_NAME.pattern}$"},
                    "additionalProperties": {"type": "string", "pattern": "^[ -~]*$", "maxLength": MOST_METADATA},
                    "examples": [{"batch": "7"}],
                }
            ),
            "size": _or_null({**COUNT, "maximum": MOST_UPLOADED}),
        },
    ),
    "UploadForm": _object(
        {
            "key": STRING,
            "url": {"type": "string", "format": "uri"},
            "fields": {"type": "object", "additionalProperties": STRING},
            "largest": COUNT,
            "expires_at": MOMENT,
        }
    )
    | {
        "description": "Send a POST of multipart/form-data to `url`: all `fields`, then the file as `file`, the last. "
        "Then `GET /api/history?key=KEY` has the receipt."
    },
}
