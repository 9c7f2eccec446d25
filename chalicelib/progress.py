"""How far the scheduled reconcile has come: pass after pass over the bucket, each of as many runs as it takes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.listing import Cursor
from chalicelib.uploads import iso
from chalicelib.wanted import Step

IN_PARTS = timedelta(days=9)
"""How long before its end S3 may date an upload in parts, which is by its beginning: the inbox ends unfinished ones
after seven days, which S3 rounds up to a midnight and may be late with."""

OVERLAP = IN_PARTS + timedelta(days=1)
"""How far before the beginning of the last complete pass the next one begins."""

WHOLE_AFTER = timedelta(days=7)
"""How often a pass is over the whole bucket, for what S3 dates by its copy's beginning elsewhere (replicas)."""

TIMES = ("through", "whole_at", "begun_at", "since")


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The word that a run leaves for the next: two members about passes that are over, four about the one that is not.

    `through` is when the last pass began that asked for nothing which the next would leave out; `whole_at`, when such a
    pass over the whole bucket began. `since` bounds the pass that goes on, if it is not over the whole bucket;
    `asked_old` tells whether it asked for something that a next one would leave out.
    """

    through: datetime | None = None
    whole_at: datetime | None = None
    begun_at: datetime | None = None
    since: datetime | None = None
    after: Cursor | None = None
    asked_old: bool = False

    def as_json(self) -> dict[str, Any]:
        """The note's members; what is unknown is absent."""
        times = {name: iso(moment) for name in TIMES if (moment := getattr(self, name))}
        after = {"after": self.after.as_json()} if self.after else {}
        return times | after | ({"asked_old": True} if self.asked_old else {})

    @classmethod
    def from_json(cls, note: Mapping[str, Any]) -> Progress:
        """The progress with these members; ValueError, or another of reading, if no run leaves such a note."""
        times = {name: datetime.fromisoformat(note[name]) for name in TIMES if name in note}
        after = Cursor.from_json(note["after"]) if "after" in note else None
        progress = cls(**times, after=after, asked_old="asked_old" in note)
        is_named = after is None or (
            progress.begun_at and all(isinstance(each, str) for each in note["after"].values())
        )
        if progress.as_json() != note or not is_named:
            raise ValueError("no run leaves such a note")
        return progress

    def going_on(self, now: datetime) -> Progress:
        """The pass that goes on; where none does, one that begins now."""
        if self.after:
            return self
        is_whole = self.whole_at is None or now - self.whole_at >= WHOLE_AFTER
        since = self.through - OVERLAP if self.through and not is_whole else None
        return replace(self, begun_at=now, since=since)

    def with_step(self, step: Step) -> Progress:
        """The same after another step of the pass, all of which was asked for."""
        asked_old = self.asked_old or any(self._is_old(wanted.entry.uploaded_at) for wanted in step.wanted)
        return replace(self, after=step.after, asked_old=asked_old)

    def _is_old(self, landed: datetime) -> bool:
        """Whether the next pass may leave it out: S3 lists it at most so long before the time that it was given."""
        return self.begun_at is not None and landed - IN_PARTS < self.begun_at - OVERLAP

    def ended(self) -> Progress:
        """The word after a pass. What was asked for may be lost: then the next begins where this one did."""
        if self.asked_old:
            return Progress(through=self.through, whole_at=self.whole_at)
        return Progress(through=self.begun_at, whole_at=self.whole_at if self.since else self.begun_at)


def progress_from(note: Mapping[str, Any], *, now: datetime) -> Progress:
    """The progress that a note tells; after one that no run can have left by now, the whole bucket is looked at."""
    return Progress.from_json(note) if is_credible(note, now=now) else Progress()


def is_credible(note: Mapping[str, Any], *, now: datetime) -> bool:
    """Whether a run that has begun by now can have left this note."""
    try:
        progress = Progress.from_json(note)
        return all(moment <= now for name in TIMES if (moment := getattr(progress, name)))
    except (AttributeError, KeyError, TypeError, ValueError):
        return False
