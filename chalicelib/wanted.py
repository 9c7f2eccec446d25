"""What reconciling finds: which inspections are wanted, of which versions, and why. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from chalicelib.listing import Cursor
from chalicelib.uploads import Entry


class NotVersionedError(ValueError):
    """The bucket cannot be reconciled: give up, until somebody switches its versioning on."""


class Reason(StrEnum):
    """Why an inspection is asked for."""

    MISSING = "missing"
    """There is no receipt and no mark: it is older than Recibo, or its event was lost."""
    DIED = "died"
    """There is a mark whose time is over."""
    SYSTEM = "system"
    """Recibo could not finish the last inspection."""
    ASKED = "asked"
    """A person asked for another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An inspection to be asked for, by its number, and why."""

    entry: Entry
    inspection: int
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A part of the work: how many versions were listed, what is wanted of them, and where to go on; None at the end.

    `given_up` are system failures that had all their inspections.
    """

    listed: int = 0
    wanted: tuple[Wanted, ...] = ()
    given_up: int = 0
    after: Cursor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which versions to look at: keys with the prefix, landed from `since` to before `until`."""

    bucket: str
    prefix: str = ""
    since: datetime | None = None
    until: datetime

    def holds(self, entry: Entry) -> bool:
        """Whether the entry is one of them."""
        return entry.key.startswith(self.prefix) and not self.is_before(entry) and entry.uploaded_at < self.until

    def is_before(self, entry: Entry) -> bool:
        """Whether the entry landed too early to be looked at."""
        return self.since is not None and entry.uploaded_at < self.since
