"""What the API answers, before it is the framework's: status, headers, and a body with its mark. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from chalicelib.problems import MEDIA_TYPE, problem_as_json

JSON = "application/json"
FRESH = "private, no-cache"
"""Kept by the browser alone, which asks each time whether it has changed."""
UNKEPT = "no-store"
PUBLIC = "public, max-age=300"

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""What every answer carries; one that is a page has a policy of its own."""


class Answer(NamedTuple):
    """An answer: its body is text already."""

    status: int = 200
    body: str = ""
    media_type: str = JSON
    headers: Mapping[str, str] = MappingProxyType({})

    def complete(self) -> dict[str, str]:
        """All headers."""
        return {**HEADERS, "Content-Type": self.media_type, "Cache-Control": UNKEPT, **self.headers}


def answer_of(content: Any, *, status: int = 200, kept: str = UNKEPT, **headers: str) -> Answer:
    """JSON values as an answer; `kept` is how long it may be."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return Answer(status=status, body=body, headers={"Cache-Control": kept, **headers})


def unless_known(answer: Answer, if_none_match: str | None) -> Answer:
    """The answer with its mark, or, for whoever has it already, that it has not changed.

    The mark is a weak one: API Gateway may compress what it stands for.
    """
    etag = f'W/"{hashlib.sha256(answer.body.encode()).hexdigest()[:32]}"'
    headers = {**answer.headers, "ETag": etag}
    if is_known(etag, if_none_match):
        return Answer(status=304, media_type=answer.media_type, headers=headers)
    return Answer(status=answer.status, body=answer.body, media_type=answer.media_type, headers=headers)


def is_known(etag: str, if_none_match: str | None) -> bool:
    """Whether an If-None-Match header names the mark, or any (RFC 9110, section 13.1.2; the weak comparison)."""
    if if_none_match is None:
        return False
    names = re.findall(r'"[^"]*"', if_none_match)
    return if_none_match.strip() == "*" or etag.removeprefix("W/") in names


def refusal(kind: str, detail: str, *, request_id: str | None = None, headers: Any = None, **members: Any) -> Answer:
    """A problem as an answer."""
    content = problem_as_json(kind, detail, request_id=request_id, **members)
    made = answer_of(content, status=content["status"])
    return Answer(status=made.status, body=made.body, media_type=MEDIA_TYPE, headers=headers or {})
