"""The use case: bucket against ledger. What lacks a final receipt is asked to be inspected, by the same function."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from chalicelib.findings import Cause
from chalicelib.listing import Cursor, EntryPage, ListedPage, entries
from chalicelib.receipts import INSPECTING, MAX_TRIES, entry_from
from chalicelib.uploads import Entry, Kind, iso
from chalicelib.wanted import Reason, Scope, Step, Wanted, refuse_unversioned

MIN_AGE = timedelta(minutes=20)
"""How old a version is before its event is taken for lost: an inspection may last 15 minutes."""

EXPIRY_MARGIN = timedelta(days=1)
"""How long before the end of its receipt a version is not looked at any more: the look itself takes time."""

OutOfTime = Callable[[], bool]


def never() -> bool:
    """Of somebody who has all the time: whether it is over."""
    return False


class Versions(Protocol):
    """The bucket's versions, as S3 lists them."""

    def is_versioned(self, bucket: str) -> str:
        """`Enabled`, `Suspended`, or nothing if the bucket never had versions."""

    def pages(self, bucket: str, *, prefix: str = "", after: Cursor | None = None) -> Iterator[ListedPage]:
        """Pages of at most 1,000 versions, from the cursor on, whose version is there."""


class Receipts(Protocol):
    """What the ledger knows of entries."""

    def known(self, entries: Iterable[Entry], *, out_of_time: OutOfTime = never) -> Mapping[str, Mapping[str, Any]]:
        """First receipts and marks by identity; they have `uploaded_at`. Raises OutOfTimeError."""

    def current(self, identity: str) -> dict[str, Any] | None:
        """The receipt of the last inspection, or its mark."""


class Unfinished(Protocol):
    """The ledger's lists of what is not finished."""

    def due(self, bucket: str, until: datetime) -> Iterator[tuple[str, int]]:
        """Identity and number of marks past their deadline and of system failures below the bound, the oldest first."""

    def failures(self, bucket: str) -> Iterator[Mapping[str, Any]]:
        """Summaries of all current failures: `identity`, `inspection`, `key` and `cause`."""


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

    def again(self, scope: Scope, *, now: datetime) -> Iterator[Step]:
        """A step for each mark whose time is over, and each system failure below the bound, the oldest first.

        What was asked for an hour ago and is still waiting for its turn is asked for again: it has one receipt.
        """
        for identity, number in self.unfinished.due(scope.bucket, now):
            yield self._step(scope, identity, number, now)

    def retries(self, scope: Scope, *, now: datetime) -> Iterator[Step]:
        """The same however often Recibo failed, because a person asked: each is a first try again."""
        for identity, number in self.unfinished.due(scope.bucket, now):
            yield _of(Reason.DIED, self._step(scope, identity, number, now))
        for failure in self.unfinished.failures(scope.bucket):
            if failure.get("cause") == Cause.SYSTEM and failure["key"].startswith(scope.prefix):
                step = self._step(scope, failure["identity"], failure["inspection"], now, bound=None)
                yield _of(Reason.SYSTEM, step)

    def missing(self, scope: Scope, *, after: Cursor | None = None, out_of_time: OutOfTime = never) -> Iterator[Step]:
        """What the bucket has and the ledger does not know, a step for each page.

        Raises NotVersionedError, and OutOfTimeError if the ledger takes longer to answer.
        """
        for page in self.listed(scope, after=after, out_of_time=out_of_time):
            lacking = (entry for entry in page.unrecorded if scope.holds(entry) and _is_named_by_its_listing(entry))
            wanted = tuple(Wanted(entry=entry, inspection=1, reason=Reason.MISSING) for entry in lacking)
            yield Step(listed=len(page.entries), wanted=wanted, after=page.next)

    def listed(
        self, scope: Scope, *, after: Cursor | None = None, out_of_time: OutOfTime = never
    ) -> Iterator[EntryPage]:
        """The bucket's versions as entries, each told from those without a receipt; raises as `missing` does."""
        self._refuse_unversioned(scope.bucket)
        start = after if after and self._is_there(scope.bucket, after) else None
        pages = self._of_key_and_rest(scope, after.key) if after and not start else self._pages(scope, start)
        recorded = lambda page: self._recorded(scope, page, out_of_time)  # noqa: E731
        yield from entries(scope.bucket, pages, recorded=recorded, after=start)

    def _refuse_unversioned(self, bucket: str) -> None:
        refuse_unversioned(bucket, self.versions.is_versioned(bucket))

    def _pages(self, scope: Scope, after: Cursor | None) -> Iterator[ListedPage]:
        return self.versions.pages(scope.bucket, prefix=scope.prefix, after=after)

    def _is_there(self, bucket: str, cursor: Cursor) -> bool:
        """Whether a listing can go on after this version: S3 does not say what comes after one that is gone."""
        for page in self._of_key(bucket, cursor.key):
            if any(version.version_id == cursor.version_id for version in page.versions):
                return True
        return cursor.version_id is None

    def _of_key_and_rest(self, scope: Scope, key: str) -> Iterator[ListedPage]:
        """The listing from the newest version of a key on."""
        return itertools.chain(self._of_key(scope.bucket, key), self._pages(scope, Cursor(key=key)))

    def _of_key(self, bucket: str, key: str) -> Iterator[ListedPage]:
        """All versions of a key, which come first of all that begins with it."""
        for page in self.versions.pages(bucket, prefix=key):
            versions = tuple(version for version in page.versions if version.key == key)
            is_last = page.next is None or len(versions) < len(page.versions)
            yield ListedPage(versions=versions, next=Cursor(key=key) if is_last else page.next)
            if is_last:
                return

    def _recorded(self, scope: Scope, listed: Sequence[Entry], out_of_time: OutOfTime) -> dict[str, datetime]:
        """The times of those that have a receipt; what landed before the scope is taken for recorded, unasked."""
        before = {entry.identity: entry.uploaded_at for entry in listed if scope.is_before(entry)}
        asked = (entry for entry in listed if entry.identity not in before)
        known = self.receipts.known(asked, out_of_time=out_of_time)
        return before | {name: datetime.fromisoformat(item["uploaded_at"]) for name, item in known.items()}

    def _step(self, scope: Scope, identity: str, number: int, now: datetime, bound: int | None = MAX_TRIES) -> Step:
        """What an entry of an index asks for, if that is still so: an index may lag."""
        item = self.receipts.current(identity)
        if item is None or item["inspection"] != number or not scope.holds(entry := entry_from(item)):
            return Step()
        tries = item.get("tries", 1)
        if item.get("status") == INSPECTING and item["deadline"] < iso(now):
            return Step(wanted=(Wanted(entry=entry, inspection=number, reason=Reason.DIED, tries=tries),))
        if item.get("cause") == Cause.SYSTEM and (bound is None or tries < bound):
            return Step(wanted=(Wanted(entry=entry, inspection=number + 1, reason=Reason.SYSTEM, tries=tries + 1),))
        return Step()


def _of(reason: Reason, step: Step) -> Step:
    """What of a step is wanted for that reason, as a first try."""
    return replace(step, wanted=tuple(replace(one, tries=1) for one in step.wanted if one.reason is reason))


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
