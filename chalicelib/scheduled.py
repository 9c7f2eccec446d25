"""The use case: the bucket reconciled by the hour, as far as an hour's run goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from chalicelib.progress import Progress, progress_from
from chalicelib.reconcile import MIN_AGE, OutOfTime, Reconciliation, kept_since
from chalicelib.uploads import Entry
from chalicelib.wanted import OutOfTimeError, Run, Scope, Step

REQUESTS_PER_RUN = 5_000
"""How many inspections a scheduled run asks for at most: they share the function with the uploads of the hour."""


class Inspections(Protocol):
    """Where inspections are asked for."""

    def request(self, entry: Entry, inspection: int, *, tries: int = 1) -> None:
        """Ask the function `inspect` for it; returns before it has begun."""


class Notes(Protocol):
    """Where a scheduled run leaves word for the next."""

    def read(self, bucket: str) -> Mapping[str, Any]:
        """The last note; empty if there is none."""

    def write(self, bucket: str, note: Mapping[str, Any]) -> None:
        """Leave a note in place of the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledReconcile:
    """Reconciles by the hour: goes on where it stopped, and looks only at what is new since it was through."""

    reconciliation: Reconciliation
    inspections: Inspections
    notes: Notes
    retention: timedelta | None = None

    def run(self, bucket: str, *, now: datetime, out_of_time: OutOfTime, half_time: OutOfTime | None = None) -> Run:
        """Ask for what is wanted until the time or the run's share of requests is over.

        At most half of either goes to what died or failed: a day of failures must not keep lost events from being
        found. Two runs at once do no harm: what is asked for twice has one receipt, and the note that is left last
        only says from where to look again. Raises NotVersionedError.
        """
        run = self._again(bucket, now, half_time or out_of_time)
        return self._missing(run, bucket, now, out_of_time)

    def _again(self, bucket: str, now: datetime, half_time: OutOfTime) -> Run:
        run = Run()
        for step in self.reconciliation.again(Scope(bucket=bucket, until=now), now=now):
            run = run.with_step(done := self._ask(step, half_time))
            if done is not step or half_time() or run.asked >= REQUESTS_PER_RUN // 2:
                return replace(run, is_complete=False)
        return run

    def _missing(self, run: Run, bucket: str, now: datetime, out_of_time: OutOfTime) -> Run:
        progress = progress_from(self.notes.read(bucket), now=now).going_on(now)
        run = replace(run, through=progress.through)
        scope = Scope(bucket=bucket, since=self._since(progress, now), until=now - MIN_AGE)
        try:
            for step in self.reconciliation.missing(scope, after=progress.after, out_of_time=out_of_time):
                run = run.with_step(done := self._ask(step, out_of_time))
                if done is not step:  # the note stays behind it: the next run begins with this step
                    return replace(run, is_complete=False)
                progress = progress.with_step(step)
                if step.after:
                    self.notes.write(bucket, progress.as_json())
                    if out_of_time() or run.asked >= REQUESTS_PER_RUN:
                        return replace(run, is_complete=False)
        except OutOfTimeError:
            return replace(run, is_complete=False)
        self.notes.write(bucket, (ended := progress.ended()).as_json())
        return replace(run, through=ended.through)

    def _ask(self, step: Step, out_of_time: OutOfTime) -> Step:
        """Ask for what a step wants; the step, or what of it was done in time."""
        for done, wanted in enumerate(step.wanted):
            if out_of_time():
                return replace(step, wanted=step.wanted[:done])
            self.inspections.request(wanted.entry, wanted.inspection, tries=wanted.tries)
        return step

    def _since(self, progress: Progress, now: datetime) -> datetime | None:
        """What landed before was seen by an earlier pass, or its receipt may have expired."""
        return max(filter(None, (progress.since, kept_since(now, self.retention))), default=None)
