"""The API's description of itself (OpenAPI 3.1): its paths. The forms of what they answer are beside it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.access import Scope
from chalicelib.browsing import KINDS, STATUSES
from chalicelib.findings import CATALOGUE
from chalicelib.openapi_schemas import SCHEMAS
from chalicelib.parameters import (
    CAUSES,
    LISTED,
    LONGEST_CURSOR,
    LONGEST_KEY,
    LONGEST_TEXT,
    MOST_LISTED,
    MOST_OF_A_KEY,
)
from chalicelib.problems import MEDIA_TYPE

VERSION = "1.0.0"

TEXT: Mapping[str, Any] = {"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT}
KEY: Mapping[str, Any] = {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY}
MOMENT: Mapping[str, Any] = {"type": "string", "format": "date-time"}


def description() -> dict[str, Any]:
    """The whole document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Recibo",
            "version": VERSION,
            "summary": "A receipt for every file that lands in an S3 bucket",
            "description": "Times are UTC (ISO 8601). Lists go on by their cursor. Every error is a problem document "
            "(RFC 9457) whose detail says what to do.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "..", "description": "Wherever this document was served from"}],
        "security": [{"token": []}],
        "paths": PATHS,
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Made by `recibo.py token create NAME`, to read, to upload or to operate.",
                }
            },
            "schemas": SCHEMAS,
            "responses": {
                "NotModified": {"description": "It is what If-None-Match names.", "headers": _headers("ETag")},
                "Problem": {
                    "description": "It could not be answered; `detail` says what to do.",
                    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
                },
            },
            "headers": {
                "ETag": {"description": "Send it as If-None-Match to hear only of changes.", "schema": TEXT},
            },
        },
    }


def _operation(
    name: str,
    summary: str,
    schema: str,
    *,
    scope: Scope | None,
    status: int = 200,
    parameters: list[Any] | None = None,
    body: str | None = None,
    problems: tuple[int, ...] = (),
    is_marked: bool = True,
    is_public: bool = False,
) -> dict[str, Any]:
    made: dict[str, Any] = {"operationId": name, "summary": summary}
    if scope:
        made["description"] = f"For tokens that may {scope}."
    if is_public:
        made["security"] = []
    if parameters or is_marked:
        made["parameters"] = [*(parameters or []), *([IF_NONE_MATCH] if is_marked else [])]
    if body:
        made["requestBody"] = {"required": True, "content": {"application/json": {"schema": _ref(body)}}}
    answer: dict[str, Any] = {
        "description": "Done." if status != 200 else "What was asked for.",
        "content": {"application/json": {"schema": _ref(schema)}},
    }
    if is_marked:
        answer["headers"] = _headers("ETag")
    made["responses"] = {str(status): answer} | _others(problems, is_marked=is_marked, is_public=is_public)
    return made


def _others(problems: tuple[int, ...], *, is_marked: bool, is_public: bool) -> dict[str, Any]:
    always = (415, 429, 500, 504) if is_public else (400, 401, 403, 415, 429, 500, 504)
    refused = {str(status): {"$ref": "#/components/responses/Problem"} for status in sorted({*always, *problems})}
    return ({"304": {"$ref": "#/components/responses/NotModified"}} if is_marked else {}) | refused


def _ref(schema: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{schema}"}


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _query(name: str, description: str, schema: Any, *, required: bool = False) -> dict[str, Any]:
    made = {"name": name, "in": "query", "description": description, "schema": dict(schema)}
    return made | ({"required": True} if required else {})


def _number(low: int, high: int, default: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": low, "maximum": high, "default": default}


IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The ETag that is known: 304 if it has not changed.",
    "schema": {"type": "string"},
}
ID = {
    "name": "id",
    "in": "path",
    "required": True,
    "description": "The `id` of a receipt, from any list.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]+$", "maxLength": 3000},
}
PERIOD = [
    _query("day", "Made on that day, UTC.", {"type": "string", "format": "date"}),
    _query("from", "Made since then.", MOMENT),
    _query("to", "Made before then.", MOMENT),
]
FILTERS = [
    _query("status", "failed: the current receipt is a failure. inspecting: none yet.", {"enum": list(STATUSES)}),
    _query("cause", "Failed, and why.", {"enum": list(CAUSES)}),
    _query("source", "The key's first segment; / for keys without a folder.", KEY),
    *PERIOD,
    _query("contract", "Judged by the contract of this name.", TEXT),
    _query("format", "As a receipt names it: csv, jsonl, …", TEXT),
    _query("finding", "With this code among its findings (docs/findings.md).", {"enum": sorted(CATALOGUE)}),
    _query("prefix", "The key begins so.", KEY),
    _query("search", "The key holds this, in capitals or not.", TEXT),
    _query("sha256", "With this content.", {"type": "string", "pattern": "^[0-9a-f]{64}$"}),
    _query("kind", "Uploads, deletions, or both.", {"enum": list(KINDS), "default": "upload"}),
    _query("limit", "Receipts a page.", _number(1, MOST_LISTED, LISTED)),
    _query("cursor", "Where the list goes on: the `cursor` of the page before.", {**TEXT, "maxLength": LONGEST_CURSOR}),
]
HISTORY_LIMIT = _query("limit", "Entries, the newest.", _number(1, MOST_OF_A_KEY, 50))

PATHS: dict[str, Any] = {
    "/api/receipts": {
        "get": _operation(
            "listReceipts",
            "Receipts, the newest first; a page may be short, and not the last",
            "ReceiptPage",
            scope=Scope.READ,
            parameters=FILTERS,
        ),
    },
    "/api/receipts/{id}": {
        "get": _operation(
            "getReceipt", "One receipt in full", "ReceiptInFull", scope=Scope.READ, parameters=[ID], problems=(404,)
        ),
    },
    "/api/receipts/{id}/history": {
        "get": _operation(
            "getHistoryOfReceipt",
            "All that happened to the receipt's key",
            "History",
            scope=Scope.READ,
            parameters=[ID, HISTORY_LIMIT],
            problems=(404,),
        ),
    },
    "/api/receipts/{id}/recheck": {
        "post": _operation(
            "recheck",
            "Have the upload inspected once more; earlier receipts stay",
            "Rechecking",
            scope=Scope.OPERATE,
            status=202,
            parameters=[ID],
            problems=(404, 409),
            is_marked=False,
        ),
    },
    "/api/history": {
        "get": _operation(
            "getHistory",
            "All that happened to a key, the newest first; nothing, if nothing did",
            "History",
            scope=Scope.READ,
            parameters=[_query("key", "The key.", KEY, required=True), HISTORY_LIMIT],
        ),
    },
    "/api/summary": {
        "get": _operation(
            "getSummary",
            "A period in figures: counts exactly, and what its newest receipts tell beside",
            "Summary",
            scope=Scope.READ,
            parameters=[
                *PERIOD,
                _query("by", "Groups, in order of time.", {"enum": ["hour", "day"], "default": "hour"}),
                _query("utc_offset_minutes", "Whose hours and days: -180 is UTC−03:00.", _number(-840, 840, 0)),
            ],
            problems=(409, 422),
        ),
    },
    "/api/folders": {
        "get": _operation(
            "listFolders",
            "The folders right below a prefix",
            "FolderList",
            scope=Scope.READ,
            parameters=[_query("prefix", "A folder with its slash, as in acme/; without it, the first level.", KEY)],
        ),
    },
    "/api/contracts": {
        "get": _operation("listContracts", "The deployed contracts", "ContractList", scope=Scope.READ),
    },
    "/api/verification": {
        "get": _operation(
            "getVerification",
            "How far the ledger is sealed and compared with the bucket",
            "Verification",
            scope=Scope.READ,
            problems=(409,),
        ),
    },
    "/api/uploads": {
        "post": _operation(
            "createUpload",
            "A form for one upload, under a key that nobody has",
            "UploadForm",
            scope=Scope.UPLOAD,
            status=201,
            body="UploadWish",
            problems=(413, 422),
            is_marked=False,
        ),
    },
    "/api/me": {
        "get": _operation("getMe", "Who calls, and what it may do", "Me", scope=None, is_marked=False),
    },
    "/api/openapi.json": {
        "get": _operation("getDescription", "This document", "AnyObject", scope=None, is_public=True),
    },
    "/api/health": {
        "get": _operation(
            "getHealth", "Whether the API answers", "Health", scope=None, is_public=True, is_marked=False
        ),
    },
}
