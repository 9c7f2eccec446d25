"""Messages of the dead-letter queue: what did not end in a receipt, and why. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.uploads import Entry, UnreadableEventError, entries_of, entry_of

REASON_LIMIT = 300
SELDOM_RECEIVED = 2
"""How often a message may come before inspecting it once more is given up: then that inspection crashes too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """An event whose function never ended well. `was_inspected` tells whether any try at it began."""

    entries: Sequence[Entry]
    was_inspected: bool
    reason: str
    request_id: str | None


def dead_letter_of(body: str, *, received: int = 1) -> DeadLetter:
    """Read a message: Lambda's on-failure destination record, or the event itself.

    AWS, LocalStack and MiniStack send the same envelope, of which only `requestContext.condition` and
    `requestPayload` are always there. A bare event has no story: nothing is known to have begun.
    `received` is how often the queue has delivered the message.
    """
    try:
        message = json.loads(body)
    except ValueError as error:
        raise UnreadableEventError("the message is not JSON") from error
    if not isinstance(message, dict):
        raise UnreadableEventError("the message is not an event")
    context = message.get("requestContext") or {}
    event = message.get("requestPayload", message)
    return DeadLetter(
        entries=[entry_of(record) for record in entries_of(event)],
        was_inspected=_was_inspected(context) or received > SELDOM_RECEIVED,
        reason=_reason(message),
        request_id=context.get("requestId"),
    )


def _was_inspected(context: Mapping[str, Any]) -> bool:
    """Whether Lambda ever ran the function: an event too old after throttling alone was never tried."""
    condition = context.get("condition")
    if condition == "EventAgeExceeded":
        return bool(context.get("approximateInvokeCount"))
    return condition is not None


def _reason(message: Mapping[str, Any]) -> str:
    payload = message.get("responsePayload")
    error = payload if isinstance(payload, dict) else {}
    told = [error.get("errorType"), error.get("errorMessage")]
    text = ": ".join(str(part) for part in told if part)
    fallback = (message.get("requestContext") or {}).get("condition") or "the inspection ended without a reason"
    return " ".join((text or str(fallback)).split())[:REASON_LIMIT]
