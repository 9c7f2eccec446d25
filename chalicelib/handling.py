"""From decoded Lambda events to calls of the intake, with one log line for each entry."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from chalicelib.dead_letters import DeadLetter, dead_letter_of
from chalicelib.failures import NotHandledError, reason_of, trace_of
from chalicelib.intake import Intake, Outcome
from chalicelib.logs import log_failure, log_outcome
from chalicelib.uploads import Entry, UnreadableEventError, entry_of, records_of


def take_event(intake: Intake, event: Mapping[str, Any]) -> None:
    """Take in every record of an S3 event, isolated from the others; then raise the first failure."""
    _each(records_of(event), lambda record: _take(intake, record, intake.take))


def take_dead_letters(intake: Intake, event: Mapping[str, Any]) -> None:
    """End every dead letter of an SQS event in receipts; what fails here stays in the queue."""
    _each(event["Records"], lambda message: _take_dead_letter(intake, message))


def _take_dead_letter(intake: Intake, message: Mapping[str, Any]) -> None:
    received = int(message.get("attributes", {}).get("ApproximateReceiveCount", 1))
    try:
        letter = dead_letter_of(message["body"], received=received)
    except UnreadableEventError as error:
        log_failure(None, reason=str(error), trace=[], request_id=intake.request_id)
        raise
    _each(letter.records, lambda record: _take(intake, record, _end_of(intake, letter)))


def _end_of(intake: Intake, letter: DeadLetter) -> Callable[[Entry], Outcome]:
    if not letter.is_given_up:
        return intake.take
    return lambda entry: intake.give_up(entry, reason=letter.reason, request_id=letter.request_id)


def _take(intake: Intake, record: Any, take: Callable[[Entry], Outcome]) -> None:
    """Bring one record to its receipt and log it; raises what names no content of the file."""
    entry = None
    try:
        entry = entry_of(record)
        outcome = take(entry)
    except UnreadableEventError as error:
        log_failure(None, reason=str(error), trace=[], request_id=intake.request_id)
        raise
    except Exception as error:
        reason = reason_of(error)
        log_failure(entry, reason=reason, trace=trace_of(error), request_id=intake.request_id)
        raise NotHandledError(reason) from None
    log_outcome(outcome)


def _each(things: Iterable[Any], handle: Callable[[Any], None]) -> None:
    """Handle every one, whatever happens to the others; then raise the first failure."""
    failures = []
    for thing in things:
        try:
            handle(thing)
        except Exception as error:  # of any kind: none may keep the others from their receipts
            failures.append(error)
    if failures:
        raise failures[0]
