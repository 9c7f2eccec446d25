"""In-memory stand-ins for the ports of the intake; the ledger's runs the same contract suite as DynamoDB's."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.intake import Clock, Inbox, Intake, Ledger, OpenedUpload, UnavailableError
from chalicelib.receipts import Receipt, as_json, from_item, mark_item
from chalicelib.uploads import Entry, iso

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
        self._raise_if_broken()
        name = (receipt.entry.identity, receipt.inspection)
        with self._lock:
            if self.items.get(name, {"status": "inspecting"}).get("status") != "inspecting":
                return False
            before = self.items.get((name[0], name[1] - 1), {"status": "inspecting"})
            if receipt.inspection > 1 and before.get("status") == "inspecting":
                raise LookupError("there is no receipt of the inspection before")
            self.items[name] = as_json(receipt)
            return True

    def due(self, bucket: str, until: datetime) -> Iterator[tuple[str, int]]:
        """What is to be inspected again."""
        for (identity, number), item in self.items.items():
            due_at = item.get("deadline") or (item.get("cause") == "system" and item["finished_at"])
            is_last = (identity, number + 1) not in self.items or self._is_mark(identity, number + 1)
            if due_at and due_at < iso(until) and is_last and item["bucket"] == bucket:
                yield identity, number

    def known(self, entries: Iterable[Entry]) -> dict[str, dict[str, Any]]:
        """The first receipt, or mark, of each."""
        identities = {entry.identity for entry in entries}
        return {name: item for (name, number), item in self.items.items() if number == 1 and name in identities}

    def _is_mark(self, identity: str, number: int) -> bool:
        return self.items[identity, number].get("status") == "inspecting"

    def mark(self, upload: Entry, *, inspection: int = 1, started_at: datetime, deadline: datetime) -> None:
        self._raise_if_broken()
        mark = from_item(mark_item(upload, inspection, started_at=started_at, deadline=deadline))
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

    @property
    def intake(self) -> Intake:
        return Intake(inbox=self.inbox, ledger=self.ledger, clock=self.clock, request_id="this-request")

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
