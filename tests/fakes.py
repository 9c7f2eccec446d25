"""In-memory stand-ins for the ports of the intake; the ledger's runs the same contract suite as DynamoDB's."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.contracts import Contracts
from chalicelib.intake import Intake, OpenedUpload, StillInspectingError, UnavailableError
from chalicelib.logs import Log
from chalicelib.ports import Clock, Inbox, Ledger
from chalicelib.receipts import Receipt, as_json, derived, from_item, mark_item
from chalicelib.uploads import Entry, iso

LOG = Log(stage="recibo-test", request_id="this-request")
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@dataclass
class FakeInbox(Inbox):
    """Objects by key: their bytes, or what S3 answers instead."""

    objects: dict[str, bytes | Exception] = field(default_factory=dict)
    chunk: int = 1 << 20
    declared_type: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    opened: list[str] = field(default_factory=list)

    @contextmanager
    def open(
        self,
        upload: Entry,
        *,
        out_of_time: Callable[[], bool] = lambda: False,  # noqa: ARG002 - the port's
    ) -> Iterator[OpenedUpload]:
        self.opened.append(upload.identity)
        content = self.objects.get(upload.key, UnavailableError("object-missing"))
        if isinstance(content, Exception):
            raise content
        chunks = (content[start : start + self.chunk] for start in range(0, len(content), self.chunk))
        yield OpenedUpload(chunks=chunks, declared_type=self.declared_type, metadata=self.metadata)


@dataclass
class FakeLedger(Ledger):
    """Receipts by identity and inspection, and which are to be inspected again; `broken` is raised by every write."""

    items: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)
    marks: list[str] = field(default_factory=list)
    broken: Exception | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def record(self, receipt: Receipt) -> bool:
        return self._write(receipt, may_replace=lambda _: True)

    def give_up(self, receipt: Receipt, *, request_id: str | None) -> bool:
        now = iso(receipt.finished_at)

        def is_over(mark: dict[str, Any]) -> bool:
            return mark["deadline"] < now or (request_id is not None and mark.get("request_id") == request_id)

        return self._write(receipt, may_replace=is_over)

    def _write(self, receipt: Receipt, *, may_replace: Callable[[dict[str, Any]], bool]) -> bool:
        self._raise_if_broken()
        identity, number = name = (receipt.entry.identity, receipt.inspection)
        with self._lock:
            if name in self.items and not self._is_mark(*name):
                return False
            if name in self.items and not may_replace(self.items[name]):
                raise StillInspectingError
            if (identity, number - 1) in self.items and self._is_mark(identity, number - 1):
                raise LookupError("the inspection before is not over")
            self.items[name] = as_json(receipt)
            return True

    def due(self, bucket: str, until: datetime) -> Iterator[tuple[str, int]]:
        """What is to be inspected again, the oldest first."""
        found = ((item.get("deadline") or self._listed(name).get("due_at"), *name) for name, item in self._of(bucket))
        for _, identity, number in sorted(one for one in found if one[0] and one[0] < iso(until)):
            yield identity, number

    def failures(self, bucket: str) -> Iterator[dict[str, Any]]:
        """All current failures."""
        for (identity, number), item in self._of(bucket):
            if not self._is_mark(identity, number) and "failed_at" in self._listed((identity, number)):
                yield {**item, "identity": identity}

    def _of(self, bucket: str) -> list[tuple[tuple[str, int], dict[str, Any]]]:
        return [(name, item) for name, item in self.items.items() if item["bucket"] == bucket]

    def _listed(self, name: tuple[str, int]) -> dict[str, Any]:
        """What lists read of a receipt, which a later one takes away."""
        later = (name[0], name[1] + 1)
        is_last = later not in self.items or self._is_mark(*later)
        return derived(self.items[name]) if is_last and not self._is_mark(*name) else {}

    def known(
        self,
        entries: Iterable[Entry],
        *,
        out_of_time: Callable[[], bool] = lambda: False,  # noqa: ARG002 - the port's
    ) -> dict[str, dict[str, Any]]:
        """The first receipt, or mark, of each."""
        identities = {entry.identity for entry in entries}
        return {name: item for (name, number), item in self.items.items() if number == 1 and name in identities}

    def _is_mark(self, identity: str, number: int) -> bool:
        return self.items[identity, number].get("status") == "inspecting"

    def mark(self, upload: Entry, *, inspection: int = 1, started_at: datetime, **more: Any) -> None:
        self._raise_if_broken()
        mark = from_item(mark_item(upload, inspection, started_at=started_at, **more))
        with self._lock:
            self.marks.append(upload.identity)
            standing = self.items.setdefault((upload.identity, inspection), mark)
            if standing["status"] == "inspecting" and standing["deadline"] < iso(started_at):
                self.items[upload.identity, inspection] = mark

    def current(self, identity: str) -> dict[str, Any] | None:
        """The receipt of the last inspection, or its mark."""
        numbers = [number for name, number in self.items if name == identity]
        return self.items[identity, max(numbers)] if numbers else None

    def _raise_if_broken(self) -> None:
        if self.broken:
            raise self.broken


@dataclass
class FakeClock(Clock):
    """Noon; `left` is how much time an inspection has."""

    time: datetime = NOON
    left: timedelta = timedelta(minutes=14)

    def now(self) -> datetime:
        return self.time

    def remaining(self) -> timedelta:
        return self.left


@dataclass
class FakeWorld:
    """An intake with everything about it in memory."""

    inbox: FakeInbox = field(default_factory=FakeInbox)
    ledger: FakeLedger = field(default_factory=FakeLedger)
    clock: FakeClock = field(default_factory=FakeClock)
    contracts: Contracts = field(default_factory=Contracts)

    @property
    def intake(self) -> Intake:
        return Intake(
            inbox=self.inbox,
            ledger=self.ledger,
            clock=self.clock,
            contracts=self.contracts,
            request_id="this-request",
        )

    @property
    def receipts(self) -> list[dict[str, Any]]:
        """What the ledger holds, in the order it came."""
        return list(self.ledger.items.values())


def world_with(content: bytes | Exception, key: str = "sales/day.csv") -> FakeWorld:
    """A world with one object, or with what S3 answers in its place."""
    return FakeWorld(inbox=FakeInbox(objects={key: content}))


def codes(receipt: dict[str, Any]) -> list[str]:
    """The codes of a receipt's findings."""
    return [finding["code"] for finding in receipt["findings"]]
