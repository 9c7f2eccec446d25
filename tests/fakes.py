"""In-memory stand-ins for the ports of the intake; the ledger's runs the same contract suite as DynamoDB's."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.intake import Clock, Inbox, Intake, Ledger, OpenedUpload, UnavailableError
from chalicelib.receipts import Receipt, as_json
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
    def open(self, upload: Entry) -> Iterator[OpenedUpload]:
        self.opened.append(upload.identity)
        content = self.objects.get(upload.key, UnavailableError("object-missing"))
        if isinstance(content, Exception):
            raise content
        chunks = (content[start : start + self.chunk] for start in range(0, len(content), self.chunk))
        yield OpenedUpload(chunks=chunks, declared_type=self.declared_type, metadata=self.metadata)


@dataclass
class FakeLedger(Ledger):
    """Receipts by identity and inspection; `broken` is raised by every write."""

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
            self.items[name] = as_json(receipt)
            return True

    def mark(self, upload: Entry, *, started_at: datetime, deadline: datetime) -> None:
        self._raise_if_broken()
        mark = {"status": "inspecting", "key": upload.key, "started_at": iso(started_at), "deadline": iso(deadline)}
        with self._lock:
            self.marks.append(upload.identity)
            self.items.setdefault((upload.identity, 1), mark)

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
