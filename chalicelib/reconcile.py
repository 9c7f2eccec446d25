"""The use case: bucket against ledger. What lacks a final receipt is asked to be inspected, by the same function."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from chalicelib.findings import Cause
from chalicelib.listing import Cursor, EntryPage, ListedPage, entries
from chalicelib.receipts import INSPECTING, entry_from
from chalicelib.uploads import Entry, Kind, iso
from chalicelib.wanted import NotVersionedError, Reason, Scope, Step, Wanted

MAX_INSPECTIONS = 4
"""How many inspections an upload gets without anybody asking: the first, and three more if Recibo itself failed."""

MIN_AGE = timedelta(minutes=20)
"""How old a version is before its event is taken for lost: an inspection may last 15 minutes."""

OVERLAP = timedelta(days=10)
"""How far before the last complete pass the next begins: S3 dates an upload in parts by its beginning, and the inbox
ends unfinished ones after seven days, which S3 rounds up to a midnight and may be late with."""

EXPIRY_MARGIN = timedelta(days=1)
"""How long before the end of its receipt a version is not looked at any more: the look itself takes time."""

REQUESTS_PER_RUN = 5_000
"""How many inspections a scheduled run asks for at most: they share the function with the uploads of the hour."""


class Versions(Protocol):
    """The bucket's versions, as S3 lists them."""

    def is_versioned(self, bucket: str) -> str:
        """Nothing if the bucket never had versions."""

    def pages(self, bucket: str, *, prefix: str = "", after: Cursor | None = None) -> Iterator[ListedPage]:
        """Pages of at most 1,000 versions, from the cursor on."""


class Receipts(Protocol):
    """What the ledger knows of entries."""

    def known(self, entries: Iterable[Entry]) -> Mapping[str, Mapping[str, Any]]:
        """First receipts and marks by identity; they have `uploaded_at`."""

    def current(self, identity: str) -> dict[str, Any] | None:
        """The receipt of the last inspection, or its mark."""


class Unfinished(Protocol):
    """The ledger's list of what is to be inspected again."""

    def due(self, bucket: str, until: datetime) -> Iterator[tuple[str, int]]:
        """Identity and number of marks past their deadline and of system failures."""


class Inspections(Protocol):
    """Where inspections are asked for."""

    def request(self, entry: Entry, inspection: int) -> None:
        """Ask the function `inspect` for it; returns before it has begun."""


class Notes(Protocol):
    """Where a scheduled run leaves word for the next."""

    def read(self, bucket: str) -> Mapping[str, Any]:
        """The last note; empty if there is none."""

    def write(self, bucket: str, note: Mapping[str, Any]) -> None:
        """Leave a note in place of the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """Finds what lacks a final receipt. It changes nothing: what to do with what it finds is its caller's."""

    versions: Versions
    receipts: Receipts
    unfinished: Unfinished

    def steps(self, scope: Scope, *, now: datetime) -> Iterator[Step]:
        """All there is: first what died or failed by Recibo's own fault, then what the ledger does not know."""
        self._refuse_unversioned(scope.bucket)
        yield from self.again(scope, now=now)
        yield from self.missing(scope)

    def again(self, scope: Scope, *, now: datetime, bound: int | None = MAX_INSPECTIONS) -> Iterator[Step]:
        """A step for each mark whose time is over, and each system failure; `bound` None gives up none of these."""
        for identity, number in self.unfinished.due(scope.bucket, now):
            wanted = self._due(scope, identity, number, now)
            if wanted is None:
                yield Step()
            elif bound and wanted.reason is Reason.SYSTEM and wanted.inspection > bound:
                yield Step(given_up=1)
            else:
                yield Step(wanted=(wanted,))

    def missing(self, scope: Scope, *, after: Cursor | None = None) -> Iterator[Step]:
        """What the bucket has and the ledger does not know, a step for each page; raises NotVersionedError."""
        for page in self.listed(scope, after=after):
            lacking = (entry for entry in page.unrecorded if scope.holds(entry) and _is_named_by_its_listing(entry))
            wanted = tuple(Wanted(entry=entry, inspection=1, reason=Reason.MISSING) for entry in lacking)
            yield Step(listed=len(page.entries), wanted=wanted, after=page.next)

    def listed(self, scope: Scope, *, after: Cursor | None = None) -> Iterator[EntryPage]:
        """The bucket's versions as entries, each told from those without a receipt; raises NotVersionedError."""
        self._refuse_unversioned(scope.bucket)
        pages = self.versions.pages(scope.bucket, prefix=scope.prefix, after=after)
        yield from entries(scope.bucket, pages, recorded=lambda page: self._recorded(scope, page), after=after)

    def _refuse_unversioned(self, bucket: str) -> None:
        if not self.versions.is_versioned(bucket):
            raise NotVersionedError(
                f"The bucket {bucket} keeps no versions, so that nothing tells which uploads it had: only a bucket "
                "with versioning can be compared with its receipts."
            )

    def _recorded(self, scope: Scope, listed: Sequence[Entry]) -> dict[str, datetime]:
        """The times of those that have a receipt; what landed before the scope is taken for recorded, unasked."""
        before = {entry.identity: entry.uploaded_at for entry in listed if scope.is_before(entry)}
        known = self.receipts.known(entry for entry in listed if entry.identity not in before)
        return before | {name: datetime.fromisoformat(item["uploaded_at"]) for name, item in known.items()}

    def _due(self, scope: Scope, identity: str, number: int, now: datetime) -> Wanted | None:
        """What an entry of the index asks for, if that is still so: an index may lag."""
        item = self.receipts.current(identity)
        if item is None or item["inspection"] != number or not scope.holds(entry := entry_from(item)):
            return None
        if item.get("status") == INSPECTING and item["deadline"] < iso(now):
            return Wanted(entry=entry, inspection=number, reason=Reason.DIED)
        if item.get("cause") == Cause.SYSTEM:
            return Wanted(entry=entry, inspection=number + 1, reason=Reason.SYSTEM)
        return None


def _is_named_by_its_listing(entry: Entry) -> bool:
    """Not so for delete markers put while versioning is suspended: their events name them by their sequencer."""
    return entry.kind is Kind.UPLOAD or entry.version_id != "null"


def next_inspection(receipts: Receipts, entry: Entry) -> Wanted:
    """Another inspection of an upload, because a person asked: the first if it has none, or the one going on."""
    item = receipts.current(entry.identity)
    if item is None:
        return Wanted(entry=entry, inspection=1, reason=Reason.ASKED)
    number = item["inspection"] + (0 if item.get("status") == INSPECTING else 1)
    return Wanted(entry=entry_from(item), inspection=number, reason=Reason.ASKED)


def kept_since(now: datetime, retention: timedelta | None) -> datetime | None:
    """What landed since then still has its receipt, if it had one; None if receipts are kept for ever."""
    return now - retention + EXPIRY_MARGIN if retention else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a run did: versions looked at, and inspections asked for by their reason."""

    listed: int = 0
    missing: int = 0
    died: int = 0
    system: int = 0
    given_up: int = 0
    is_complete: bool = True

    @property
    def asked(self) -> int:
        """How many inspections were asked for."""
        return self.missing + self.died + self.system

    def with_step(self, step: Step) -> Run:
        """The same after another step."""
        reasons = [wanted.reason for wanted in step.wanted]
        return replace(
            self,
            listed=self.listed + step.listed,
            missing=self.missing + reasons.count(Reason.MISSING),
            died=self.died + reasons.count(Reason.DIED),
            system=self.system + reasons.count(Reason.SYSTEM),
            given_up=self.given_up + step.given_up,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledReconcile:
    """Reconciles by the hour: goes on where it stopped, and looks only at what is new since it was through."""

    reconciliation: Reconciliation
    inspections: Inspections
    notes: Notes
    retention: timedelta | None = None

    def run(self, bucket: str, *, now: datetime, out_of_time: Callable[[], bool]) -> Run:
        """Ask for what is wanted until the time or the run's share of requests is over.

        Two at once do no harm: what is asked for twice has one receipt, and the note that is left last only says
        from where to look again. Raises NotVersionedError.
        """
        run = self._again(bucket, now, out_of_time)
        found = self.notes.read(bucket)
        note = _begun(found if is_credible(found, now=now) else {}, now)
        scope = Scope(bucket=bucket, since=self._since(note, now), until=now - MIN_AGE)
        for step in self.reconciliation.missing(scope, after=_cursor(note)):
            run = run.with_step(done := self._ask(step, out_of_time))
            if done is not step:  # the note stays behind it: the next run begins with this step
                return replace(run, is_complete=False)
            if step.after:
                self.notes.write(bucket, note | {"after": step.after.as_json()})
                if out_of_time() or run.asked >= REQUESTS_PER_RUN:
                    return replace(run, is_complete=False)
        self.notes.write(bucket, {"through": note["begun_at"]})
        return run

    def _again(self, bucket: str, now: datetime, out_of_time: Callable[[], bool]) -> Run:
        """At most half of the requests: a day of failures must not keep lost events from being found."""
        run = Run()
        for step in self.reconciliation.again(Scope(bucket=bucket, until=now), now=now):
            run = run.with_step(done := self._ask(step, out_of_time))
            if done is not step or out_of_time() or run.asked >= REQUESTS_PER_RUN // 2:
                return replace(run, is_complete=False)
        return run

    def _ask(self, step: Step, out_of_time: Callable[[], bool]) -> Step:
        """Ask for what a step wants; the step, or what of it was done in time."""
        for done, wanted in enumerate(step.wanted):
            if out_of_time():
                return replace(step, wanted=step.wanted[:done])
            self.inspections.request(wanted.entry, wanted.inspection)
        return step

    def _since(self, note: Mapping[str, Any], now: datetime) -> datetime | None:
        """What landed before was seen by an earlier pass, or its receipt may have expired."""
        seen = datetime.fromisoformat(note["through"]) - OVERLAP if "through" in note else None
        return max(filter(None, (seen, kept_since(now, self.retention))), default=None)


def is_credible(note: Mapping[str, Any], *, now: datetime) -> bool:
    """Whether a run that has begun by now can have left this note: after any other, the whole bucket is looked at."""
    try:
        times = [datetime.fromisoformat(note[name]) for name in ("through", "begun_at") if name in note]
        after = _cursor({"begun_at": note["begun_at"], **note}) if "after" in note else None
        is_readable = after is None or all(isinstance(value, str) for value in note["after"].values())
        return is_readable and note.keys() <= {"through", "begun_at", "after"} and all(time <= now for time in times)
    except (AttributeError, KeyError, TypeError, ValueError):
        return False


def _begun(note: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The note of a pass: of the one that goes on, or of a new one."""
    return dict(note) if "after" in note else {**note, "begun_at": iso(now)}


def _cursor(note: Mapping[str, Any]) -> Cursor | None:
    return Cursor.from_json(note["after"]) if "after" in note else None
