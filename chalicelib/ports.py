"""The use case's ports: what taking an entry in needs. Only types: nothing imports it when it runs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Protocol

from chalicelib.intake import OpenedUpload
from chalicelib.receipts import Receipt
from chalicelib.uploads import Entry


class Inbox(Protocol):
    """Where uploads are read."""

    def open(
        self, upload: Entry, *, out_of_time: Callable[[], bool] = lambda: False
    ) -> AbstractContextManager[OpenedUpload]:
        """Exactly the bytes that were announced; raises UnavailableError if they are gone.

        A read that breaks goes on at its place until it is out of time.
        """


class Ledger(Protocol):
    """Where receipts are kept."""

    def record(self, receipt: Receipt) -> bool:
        """Write a final receipt, once: False if this inspection has one already, which then stays as it is."""

    def give_up(self, receipt: Receipt, *, request_id: str | None) -> bool:
        """The same for a receipt that judges nothing, by which this request's tries end.

        Raises StillInspectingError if the mark of another request stands there whose time is not over.
        """

    def mark(
        self,
        upload: Entry,
        *,
        inspection: int = 1,
        tries: int = 1,
        started_at: datetime,
        deadline: datetime,
        request_id: str | None = None,
    ) -> None:
        """Say that a long inspection is going on, unless there is a receipt or a mark whose time is not over."""


class Clock(Protocol):
    """Time, as the caller's surroundings have it."""

    def now(self) -> datetime:
        """The time in UTC."""

    def remaining(self) -> timedelta:
        """How long this inspection may still take before it must have given its verdict."""
