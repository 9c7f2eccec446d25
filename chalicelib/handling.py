"""From decoded Lambda events to calls of the use cases, with one log line for each thing done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from chalicelib.failures import NotHandledError, reason_of, trace_of
from chalicelib.intake import Clock, Intake, Outcome
from chalicelib.logs import log_failure, log_outcome, log_work
from chalicelib.uploads import Entry, UnreadableEventError, entry_of, inspection_of, iso, records_of, tries_of

if TYPE_CHECKING:
    from chalicelib.announcing import Announcer
    from chalicelib.dead_letters import DeadLetter
    from chalicelib.scheduled import ScheduledReconcile
    from chalicelib.sealing import Sealer
    from chalicelib.seals import Seal


class NothingAdoptedError(Exception):
    """A seal was to be adopted, and no seal adopts it. No retry helps."""


class _Take(Protocol):
    def __call__(self, entry: Entry, *, inspection: int, tries: int) -> Outcome: ...


def take_event(intake: Intake, event: Mapping[str, Any]) -> None:
    """Take in every record of an S3 event, isolated from the others; then raise the first failure."""
    _each(records_of(event), lambda record: _take(intake, record, intake.take))


def take_dead_letters(intake: Intake, event: Mapping[str, Any]) -> None:
    """End every dead letter of an SQS event in receipts; what fails here stays in the queue."""
    _each(event["Records"], lambda message: _take_dead_letter(intake, message))


def reconcile(scheduled: ScheduledReconcile, bucket: str, clock: Clock) -> dict[str, Any]:
    """Ask for the inspections that are wanting, as far as the time goes; what was done."""
    half = clock.remaining() / 2
    run = scheduled.run(
        bucket,
        now=clock.now(),
        out_of_time=lambda: _is_over(clock),
        half_time=lambda: clock.remaining() <= half,
    )
    done = asdict(run)
    log_work("reconcile", done)
    return done


def seal(sealer: Sealer, bucket: str, clock: Clock, event: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Seal what is due or, asked for by `detail.early`, what there is up to now; the seals that were made.

    `detail.adopt` is the hash of the seal after which the anchor is to be begun; NothingAdoptedError if it was not.
    """
    detail = event.get("detail") or {}
    adopt, is_early = detail.get("adopt"), bool(detail.get("early"))
    is_over = partial(_is_over, clock)
    made, is_adopted = [], False
    for seal in sealer.seal_due(bucket, now=clock.now(), out_of_time=is_over, early=is_early, adopt=adopt):
        made.append(_logged(seal))
        is_adopted = is_adopted or seal.adopts == adopt
    if adopt and not is_adopted:
        raise NothingAdoptedError(
            "nothing was adopted: the anchor knows the last seal, or none can be made after it yet"
        )
    return made


def announce(announcer: Announcer, event: Mapping[str, Any]) -> dict[str, Any]:
    """Announce the receipts of a stream's records; from which of them on they are to come again."""
    done = announcer.announce(event["Records"])
    log_work("announce", {"announced": done.announced, "not_announced": list(done.strange) or None})
    return {"batchItemFailures": [{"itemIdentifier": done.again_from}] if done.again_from else []}


def _logged(seal: Seal) -> dict[str, Any]:
    """A seal in brief, logged as soon as it is made."""
    brief = {
        "hour": iso(seal.hour),
        "part": seal.part,
        "receipts": seal.receipts,
        "late": seal.late,
        "closes": seal.closes,
        "seal_hash": seal.seal_hash,
    }
    log_work("seal", brief)
    return brief


def _is_over(clock: Clock) -> bool:
    return clock.remaining() <= timedelta()


def _take_dead_letter(intake: Intake, message: Mapping[str, Any]) -> None:
    from chalicelib.dead_letters import dead_letter_of  # noqa: PLC0415 (only the last resort needs it)

    received = int(message.get("attributes", {}).get("ApproximateReceiveCount", 1))
    try:
        letter = dead_letter_of(message["body"], received=received)
    except UnreadableEventError as error:
        log_failure(None, reason=str(error), trace=[], request_id=intake.request_id)
        raise
    _each(letter.records, lambda record: _take(intake, record, _end_of(intake, letter)))


def _end_of(intake: Intake, letter: DeadLetter) -> _Take:
    if not letter.is_given_up:
        return intake.take
    return partial(intake.give_up, reason=letter.reason, request_id=letter.request_id)


def _take(intake: Intake, record: Any, take: _Take) -> None:
    """Bring one record to its receipt and log it; raises what names no content of the file."""
    entry = None
    try:
        entry = entry_of(record)
        outcome = take(entry, inspection=inspection_of(record), tries=tries_of(record))
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
