"""What a request can do wrong, as problem details (RFC 9457): a sentence that says what to do. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

MEDIA_TYPE = "application/problem+json"
URN = "urn:recibo:problem:"

KINDS: Mapping[str, int] = {
    "invalid-parameter": 400,
    "invalid-cursor": 400,
    "invalid-body": 400,
    "bad-request": 400,
    "not-authenticated": 401,
    "not-allowed": 403,
    "not-found": 404,
    "no-such-receipt": 404,
    "method-not-allowed": 405,
    "not-an-upload": 409,
    "still-inspecting": 409,
    "seals-malformed": 409,
    "body-too-large": 413,
    "unsupported-media-type": 415,
    "unprocessable": 422,
    "period-too-large": 422,
    "too-many-requests": 429,
    "internal": 500,
    "no-answer": 504,
}
"""Every kind of problem and its status. A kind is never renamed: programs know it."""


class ProblemError(Exception):
    """The request cannot be answered as it is: give up, and do what `detail` says."""

    def __init__(self, kind: str, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.kind, self.detail, self.members = kind, detail, members

    @property
    def status(self) -> int:
        """The status of the answer."""
        return KINDS[self.kind]


def problem_as_json(kind: str, detail: str, *, request_id: str | None = None, **members: Any) -> dict[str, Any]:
    """The problem's JSON."""
    status = KINDS[kind]
    content = {
        "type": f"{URN}{kind}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "request_id": request_id,
        **members,
    }
    return {name: value for name, value in content.items() if value is not None}


OF_STATUS: Mapping[int, tuple[str, str]] = {
    400: ("bad-request", "The request cannot be read: compare it with api/openapi.json."),
    401: ("not-authenticated", "Send a token: Authorization: Bearer TOKEN. `recibo.py token create NAME` makes one."),
    403: ("not-allowed", "This token may not do that: `recibo.py token ls` shows what it may."),
    404: ("not-found", "There is nothing at this address: api/openapi.json lists what there is."),
    405: ("method-not-allowed", "This address does not take that method: the header Allow lists those it takes."),
    413: ("body-too-large", "The body is too large: send the file itself to the address that POST api/uploads gives."),
    415: ("unsupported-media-type", "Send the body as JSON, with Content-Type: application/json."),
    429: ("too-many-requests", "AWS has no capacity left for this moment: try again in a few seconds."),
    500: ("internal", "Recibo could not answer. The function's log says why, under this request_id; try again."),
    504: (
        "no-answer",
        "Recibo did not answer in time: try again, and ask for less (a smaller limit, fewer days).",
    ),
}
"""What is said of a status when nothing more exact is known."""


def problem_of_status(status: int, *, request_id: str | None = None) -> dict[str, Any]:
    """The problem of an answer that the framework made."""
    kind, detail = OF_STATUS.get(status) or OF_STATUS[400 if status < 500 else 500]
    return problem_as_json(kind, detail, request_id=request_id)
