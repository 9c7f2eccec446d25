"""From decoded Lambda events to calls of the intake, with one log line for each entry."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from chalicelib.dead_letters import DeadLetter, dead_letter_of
from chalicelib.intake import Intake, Outcome
from chalicelib.logs import log_failure, log_outcome
from chalicelib.uploads import Entry, entries_of, entry_of


def take_event(intake: Intake, event: Mapping[str, Any]) -> None:
    """Take in every record of an S3 event, isolated from the others; then raise the first failure."""
    _each(entries_of(event), lambda record: _logged(intake, entry_of(record), intake.take))


def take_dead_letters(intake: Intake, event: Mapping[str, Any]) -> None:
    """End every dead letter of an SQS event in receipts; what fails here stays in the queue."""
    _each(event["Records"], lambda record: _take_dead_letter(intake, record))


def _take_dead_letter(intake: Intake, record: Mapping[str, Any]) -> None:
    received = int(record.get("attributes", {}).get("ApproximateReceiveCount", 1))
    letter = dead_letter_of(record["body"], received=received)
    _each(letter.entries, lambda entry: _logged(intake, entry, _end_of(intake, letter)))


def _end_of(intake: Intake, letter: DeadLetter) -> Callable[[Entry], Outcome]:
    if not letter.was_inspected:
        return intake.take
    return lambda entry: intake.give_up(entry, reason=letter.reason, request_id=letter.request_id)


def _logged(intake: Intake, entry: Entry, take: Callable[[Entry], Outcome]) -> None:
    try:
        outcome = take(entry)
    except Exception as error:
        log_failure(entry, error, intake.request_id)
        raise
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
