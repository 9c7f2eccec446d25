"""Messages of the dead-letter queue: what did not end in a receipt, and why. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.uploads import UnreadableEventError, records_of

REASON_LIMIT = 300
SELDOM_RECEIVED = 2
"""How often a message may come before inspecting it once more is given up: then that inspection crashes too."""

TRIED = "RetriesExhausted"
"""Lambda's condition for an event whose last try failed. Any other says it was dropped before: by its age, say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """An event whose function never ended well, as the records S3 announced, not yet read one by one.

    `is_given_up` tells whether to inspect them no more: every try failed, or inspecting them here did.
    """

    records: Sequence[Any]
    is_given_up: bool
    reason: str
    request_id: str | None


def dead_letter_of(body: str, *, received: int = 1) -> DeadLetter:
    """Read a message: Lambda's on-failure destination record, or the event itself.

    AWS, LocalStack and MiniStack send the same envelope, of which only `requestContext.condition` and
    `requestPayload` are always there. A bare event has no story: nothing is known to have begun.
    `received` is how often the queue has delivered the message.
    """
    message = _decoded(body)
    context = _members(message, "requestContext")
    was_tried = context.get("condition") == TRIED
    return DeadLetter(
        records=records_of(message.get("requestPayload", message)),
        is_given_up=was_tried or received > SELDOM_RECEIVED,
        reason=_reason(message) if was_tried else f"{received - 1} tries from the dead letters ended without a receipt",
        request_id=context.get("requestId"),
    )


def _decoded(body: str) -> Mapping[str, Any]:
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UnreadableEventError("the message is not JSON") from error
    if not isinstance(message, dict):
        raise UnreadableEventError("the message is not an event")
    return message


def _members(message: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A member that is an object; Lambda leaves some out."""
    found = message.get(name)
    return found if isinstance(found, dict) else {}


def _reason(message: Mapping[str, Any]) -> str:
    """What the last try ended with, in one short line.

    It holds nothing of the file: the text of an exception is ours (`failures.py`), that of a timeout Lambda's.
    """
    error = _members(message, "responsePayload")
    told = (error.get("errorType"), error.get("errorMessage"))
    text = ": ".join(str(part) for part in told if part) or "every try ended without an answer"
    line = " ".join(text.split()).removeprefix("NotHandledError: ")[:REASON_LIMIT]
    return line.encode(errors="replace").decode()
