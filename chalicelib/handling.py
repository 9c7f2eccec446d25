"""From decoded Lambda events to calls of the use cases, with one log line for each thing done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from chalicelib.failures import NotHandledError, reason_of, trace_of
from chalicelib.intake import Intake, Outcome
from chalicelib.logs import Log
from chalicelib.uploads import (
    Entry,
    UnreadableEventError,
    entry_of,
    inspection_of,
    iso,
    record_of,
    records_of,
    tries_of,
)

if TYPE_CHECKING:
    from chalicelib.announcing import Announcer
    from chalicelib.backfill import Backfill
    from chalicelib.dead_letters import DeadLetter
    from chalicelib.ports import Clock
    from chalicelib.scheduled import ScheduledReconcile
    from chalicelib.sealing import Sealer
    from chalicelib.seals import Seal
    from chalicelib.tasks import Done
    from chalicelib.verification import Verification
    from chalicelib.wanted import Run, Wanted

    class _Take(Protocol):
        def __call__(self, entry: Entry, *, inspection: int, tries: int) -> Outcome: ...


VERIFIED = timedelta(days=1)
"""How far back a scheduled verification looks: everything is verified once a day or more while it is that young."""

PROBLEMS_TOLD = 10
"""How many of its problems a verification tells the log: `recibo.py verify` names them all."""


class NothingAdoptedError(Exception):
    """A seal was to be adopted, and no seal adopts it. No retry helps."""


class VerificationTooLongError(Exception):
    """The last day cannot be verified within an invocation: `recibo.py verify --since 1d` has all the time."""


def take_event(intake: Intake, event: Mapping[str, Any], log: Log) -> None:
    """Take in every record of an S3 event, isolated from the others; then raise the first failure."""
    _each(records_of(event), lambda record: _take(intake, record, intake.take, log))


def take_dead_letters(intake: Intake, event: Mapping[str, Any], log: Log) -> None:
    """End every dead letter of an SQS event in receipts; what fails here stays in the queue."""
    _each(event["Records"], lambda message: _take_dead_letter(intake, message, log))


def take_tasks(backfill: Backfill, intake: Intake, event: Mapping[str, Any], log: Log) -> dict[str, Any]:
    """Bring every task of S3 Batch Operations to its receipt, isolated from the others; what became of each."""
    from chalicelib.tasks import answer, asked_of  # noqa: PLC0415 (no upload needs it)

    return answer(event, [(name, _take_task(backfill, intake, asked, log)) for name, asked in asked_of(event)])


def reconcile(scheduled: ScheduledReconcile, bucket: str, clock: Clock, log: Log) -> dict[str, Any]:
    """Ask for the inspections that are wanting, as far as the time goes; what was done."""
    half = clock.remaining() / 2
    run = scheduled.run(
        bucket,
        now=clock.now(),
        out_of_time=lambda: _is_over(clock),
        half_time=lambda: clock.remaining() <= half,
    )
    done = run.as_json()
    log.work("reconcile", done | _measured(run, clock.now()), at=clock.now())
    return done


def _measured(run: Run, now: datetime) -> dict[str, int | None]:
    """What a run's line says for its metrics. Ages are of now, and in whole seconds."""
    return {
        "reconcile_missing": run.missing,
        "reconcile_died": run.died,
        "reconcile_system": run.system,
        "reconcile_lag_s": _seconds(now - run.through) if run.through else None,
        "oldest_unfinished_s": _seconds(now - run.oldest) if run.oldest else 0,
    }


def _seconds(duration: timedelta) -> int:
    return duration // timedelta(seconds=1)


def seal(sealer: Sealer, bucket: str, clock: Clock, event: Mapping[str, Any], log: Log) -> list[dict[str, Any]]:
    """Seal what is due or, asked for by `detail.early`, what there is up to now; the seals that were made.

    `detail.adopt` is the hash of the seal after which the anchor is to be begun; NothingAdoptedError if it was not.
    """
    detail = event.get("detail") or {}
    adopt, is_early = detail.get("adopt"), bool(detail.get("early"))
    is_over = partial(_is_over, clock)
    made, is_adopted = [], False
    for seal in sealer.seal_due(bucket, now=clock.now(), out_of_time=is_over, early=is_early, adopt=adopt):
        made.append(brief := _brief(seal))  # told as soon as it is made
        counted = {"seals": 1, "sealed_receipts": seal.receipts, "sealed_late": seal.late}
        log.work("seal", brief | counted, at=clock.now())
        is_adopted = is_adopted or seal.adopts == adopt
    if adopt and not is_adopted:
        raise NothingAdoptedError(
            "nothing was adopted: the anchor knows the last seal, or none can be made after it yet"
        )
    return made


def verify(verification: Verification, bucket: str, clock: Clock, log: Log) -> dict[str, Any]:
    """Verify what the last day made; the numbers, and which items are wrong, as far as a line should go."""

    def in_time(_what: str, _more: int) -> None:
        if _is_over(clock):
            raise VerificationTooLongError("the last day has too much for one invocation: recibo.py verify --since 1d")

    now = clock.now()
    verdict = verification.verdict(bucket, now=now, since=now - VERIFIED, progress=in_time)
    told = {
        **verdict.as_json(),
        "problems": [f"{one.defect}: {one.pk} {one.sk}" for one in verdict.problems[:PROBLEMS_TOLD]],
        "verify_problems": verdict.defects,
        "verify_receipts": verdict.counts["receipts"],
    }
    log.work("verify", told, at=clock.now(), is_well=verdict.is_well)
    return told


def announce(announcer: Announcer, event: Mapping[str, Any], clock: Clock, log: Log) -> dict[str, Any]:
    """Announce the receipts of a stream's records; from which of them on they are to come again."""
    done = announcer.announce(event["Records"])
    told = {
        "announced": done.announced,
        "not_announced": len(done.strange),
        "reasons": list(done.strange) or None,
        "refused": int(done.again_from is not None),
    }
    log.work("announce", told, at=clock.now(), is_well=not done.strange)
    return {"batchItemFailures": [{"itemIdentifier": done.again_from}] if done.again_from else []}


def _brief(seal: Seal) -> dict[str, Any]:
    """A seal in brief."""
    return {
        "hour": iso(seal.hour),
        "part": seal.part,
        "receipts": seal.receipts,
        "late": seal.late,
        "closes": seal.closes,
        "seal_hash": seal.seal_hash,
    }


def _is_over(clock: Clock) -> bool:
    return clock.remaining() <= timedelta()


def _take_dead_letter(intake: Intake, message: Mapping[str, Any], log: Log) -> None:
    from chalicelib.dead_letters import dead_letter_of  # noqa: PLC0415 (only the last resort needs it)

    received = int(message.get("attributes", {}).get("ApproximateReceiveCount", 1))
    try:
        letter = dead_letter_of(message["body"], received=received)
    except UnreadableEventError as error:
        log.failure(None, reason=str(error), trace=[], at=intake.clock.now())
        raise
    log.work("dead-letter", {"reason": letter.reason, "received": received, "dead_letters": 1}, at=intake.clock.now())
    _each(letter.records, lambda record: _take(intake, record, _end_of(intake, letter), log))


def _end_of(intake: Intake, letter: DeadLetter) -> _Take:
    if not letter.is_given_up:
        return intake.take
    return partial(intake.give_up, reason=letter.reason, request_id=letter.request_id)


def _take_task(backfill: Backfill, intake: Intake, asked: Mapping[str, Any], log: Log) -> Done:
    """Bring one task to its receipt, as the record that S3 would have sent, and log it."""
    from chalicelib.backfill import NothingToInspectError  # noqa: PLC0415
    from chalicelib.tasks import Done, Result, task_of  # noqa: PLC0415

    task: dict[str, Any] = {}
    try:
        named = task_of(asked)
        task = {"bucket": named.bucket, "key": named.key, "version_id": named.version_id}
        done = Done(result=Result.SUCCEEDED, text=_receipt_for(backfill.wanted(named), intake, log))
    except (UnreadableEventError, NothingToInspectError) as refused:
        done = Done(result=Result.PERMANENT, text=str(refused))
    except NotHandledError as error:
        done = Done(result=Result.TEMPORARY, text=str(error))
    except Exception as error:
        done = Done(result=Result.TEMPORARY, text=reason_of(error))
    told = {**task, "result": str(done.result), "reason": done.text}
    log.work("task", told, at=intake.clock.now(), is_well=done.result is Result.SUCCEEDED)
    return done


def _receipt_for(wanted: Wanted | None, intake: Intake, log: Log) -> str:
    """Inspect what is wanted; what can be said of it in a job's report."""
    if wanted is None:
        return "It had its receipt already."
    record = record_of(wanted.entry, inspection=wanted.inspection, tries=wanted.tries)
    outcome = _take(intake, record, intake.take, log)
    if not outcome.is_new:
        return "It got its receipt meanwhile."
    return f"Inspected: {outcome.receipt.report.status if outcome.receipt.report else 'recorded'}."


def _take(intake: Intake, record: Any, take: _Take, log: Log) -> Outcome:
    """Bring one record to its receipt and log it; raises what names no content of the file."""
    entry = None
    try:
        entry = entry_of(record)
        outcome = take(entry, inspection=inspection_of(record), tries=tries_of(record))
    except UnreadableEventError as error:
        log.failure(None, reason=str(error), trace=[], at=intake.clock.now())
        raise
    except Exception as error:
        reason = reason_of(error)
        log.failure(entry, reason=reason, trace=trace_of(error), at=intake.clock.now())
        raise NotHandledError(reason) from None
    log.outcome(outcome)
    return outcome


def _each(things: Iterable[Any], handle: Callable[[Any], object]) -> None:
    """Handle every one, whatever happens to the others; then raise the first failure."""
    failures = []
    for thing in things:
        try:
            handle(thing)
        except Exception as error:  # of any kind: none may keep the others from their receipts
            failures.append(error)
    if failures:
        raise failures[0]
