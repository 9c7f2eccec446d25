"""A reconcile with everything about it in memory, for its tests."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from chalicelib.failures import NotHandledError
from chalicelib.handling import take_dead_letters, take_event
from chalicelib.listing import Cursor, ListedPage, ListedVersion, entry_of_version
from chalicelib.reconcile import Reconciliation
from chalicelib.scheduled import ScheduledReconcile
from chalicelib.uploads import Entry, Kind, record_of
from chalicelib.wanted import Reason, Run, Scope, Wanted
from tests import events
from tests.events import BUCKET
from tests.fakes import LOG, NOON, FakeInbox, FakeLedger, FakeWorld
from tests.receipts import crash, receipt

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
LANDED = NOON - HOUR


class CrashError(Exception):
    """The process is gone."""


@dataclass
class Surroundings:
    """All ports of a reconcile, in memory. `before(n)` is called before the n-th call, whichever port it is of."""

    versions: list[ListedVersion] = field(default_factory=list)
    page: int = 1_000
    status: str = "Enabled"
    world: FakeWorld = field(default_factory=FakeWorld)
    note: Mapping[str, Any] = field(default_factory=dict)
    asked: list[Wanted] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    before: Callable[[int], None] = lambda _: None
    is_prompt: bool = False
    """Whether an inspection is over before the call that asked for it returns."""

    def _call(self, name: str) -> None:
        self.calls.append(name)
        self.before(len(self.calls))

    # -- the ports

    def is_versioned(self, bucket: str) -> str:
        assert bucket == BUCKET
        self._call("is_versioned")
        return self.status

    def pages(self, bucket: str, *, prefix: str = "", after: Cursor | None = None) -> Iterator[ListedPage]:
        assert bucket == BUCKET
        found = [version for version in self.versions if version.key.startswith(prefix)]
        start = self._start(found, after) if after else 0
        while True:
            self._call("list")
            here, start = tuple(found[start : start + self.page]), start + self.page
            if start >= len(found):
                yield ListedPage(versions=here, next=None)
                return
            yield ListedPage(versions=here, next=Cursor(key=here[-1].key, version_id=here[-1].version_id))

    @staticmethod
    def _start(found: list[ListedVersion], after: Cursor) -> int:
        """Where a listing goes on; after a version that is gone S3 may say anything, and here says nothing."""
        if after.version_id is None:
            return sum(version.key <= after.key for version in found)
        names = [(version.key, version.version_id) for version in found]
        return 1 + names.index((after.key, after.version_id)) if (after.key, after.version_id) in names else len(found)

    def known(
        self,
        entries: Iterable[Entry],
        *,
        out_of_time: Callable[[], bool] = lambda: False,  # noqa: ARG002 - the port's
    ) -> dict[str, dict[str, Any]]:
        self._call("known")
        return self.world.ledger.known(entries)

    def current(self, identity: str) -> dict[str, Any] | None:
        self._call("current")
        return self.world.ledger.current(identity)

    def due(self, bucket: str, until: datetime) -> Iterator[tuple[str, int]]:
        self._call("due")
        return iter(list(self.world.ledger.due(bucket, until)))

    def failures(self, bucket: str) -> Iterator[dict[str, Any]]:
        self._call("failures")
        return iter(list(self.world.ledger.failures(bucket)))

    def request(self, entry: Entry, inspection: int, *, tries: int = 1) -> None:
        self._call("request")
        self.asked.append(Wanted(entry=entry, inspection=inspection, reason=Reason.ASKED, tries=tries))
        if self.is_prompt:
            self.inspect()

    def read(self, bucket: str) -> Mapping[str, Any]:
        assert bucket == BUCKET
        self._call("read")
        return dict(self.note)

    def write(self, bucket: str, note: Mapping[str, Any]) -> None:
        assert bucket == BUCKET
        self._call("write")
        self.note = dict(note)

    # -- what the tests do with them

    @property
    def reconciliation(self) -> Reconciliation:
        return Reconciliation(versions=self, receipts=self, unfinished=self)

    def run(
        self,
        *,
        now: datetime = NOON,
        retention: timedelta | None = None,
        turns: int | None = None,
        half: int | None = None,
    ) -> Run:
        """A scheduled run; out of time once it was asked about the time, or about half of it, so many times."""
        scheduled = ScheduledReconcile(
            reconciliation=self.reconciliation, inspections=self, notes=self, retention=retention
        )
        asked, asked_half = itertools.count(1), itertools.count(1)
        return scheduled.run(
            BUCKET,
            now=now,
            out_of_time=lambda: turns is not None and next(asked) > turns,
            half_time=None if half is None else lambda: next(asked_half) > half,
        )

    def inspect(self) -> None:
        """Do what was asked for, as the function does; what raises on every try ends in the dead letters."""
        asked, self.asked = self.asked, []
        for one in asked:
            record = record_of(one.entry, inspection=one.inspection, tries=one.tries)
            try:
                take_event(self.world.intake, events.event(record), LOG)
            except NotHandledError:
                envelope = events.aws_envelope(events.event(record))
                take_dead_letters(self.world.intake, events.sqs_event(envelope), LOG)

    def wanted(self, scope: Scope | None = None, **more: Any) -> list[tuple[str, int, Reason]]:
        """All that is wanted: key and version, number and reason."""
        steps = list(self.reconciliation.steps(scope or everything(), now=more.get("now", NOON)))
        return [told(wanted) for step in steps for wanted in step.wanted]

    @property
    def unfinished(self) -> set[str]:
        """The identities of listed versions that have no final receipt."""
        identities = {entry_of_version(BUCKET, version).identity for version in self.versions}
        return {name for name in identities if "finished_at" not in (self.world.ledger.current(name) or {})}


def told(wanted: Wanted) -> tuple[str, int, Reason]:
    return f"{wanted.entry.key} {wanted.entry.version_id}", wanted.inspection, wanted.reason


def everything() -> Scope:
    return Scope(bucket=BUCKET, until=NOON)


def listed(key: str, version: str = "v1", at: datetime = LANDED, kind: Kind = Kind.UPLOAD) -> ListedVersion:
    upload: dict[str, Any] = {"etag": "e1", "size": 5} if kind is Kind.UPLOAD else {}
    return ListedVersion(kind=kind, key=key, version_id=version, modified=at, is_latest=False, **upload)


def entry(key: str, version: str = "v1", at: datetime = LANDED, kind: Kind = Kind.UPLOAD) -> Entry:
    return entry_of_version(BUCKET, listed(key, version, at, kind))


def surroundings(*versions: ListedVersion, **more: Any) -> Surroundings:
    """A bucket with these versions, all of them good files."""
    objects: dict[str, bytes | Exception] = {version.key: b"a,b\n1,2\n" for version in versions}
    return Surroundings(versions=list(versions), world=FakeWorld(inbox=FakeInbox(objects=objects)), **more)


def died(ledger: FakeLedger, upload: Entry, *, inspection: int = 1, deadline: datetime = NOON - MINUTE) -> None:
    ledger.mark(upload, inspection=inspection, started_at=deadline - 14 * MINUTE, deadline=deadline)


def failed(ledger: FakeLedger, upload: Entry, *, times: int = 1, at: datetime = NOON - 30 * MINUTE) -> None:
    """So many inspections that Recibo could not finish."""
    for inspection in range(1, times + 1):
        assert ledger.record(receipt(upload, report=crash(), at=at, inspection=inspection, tries=inspection))
