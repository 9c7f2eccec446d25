"""What reconciling finds: which inspections are wanted, of which versions, and why. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from chalicelib.listing import Cursor
from chalicelib.uploads import Entry


class NotVersionedError(ValueError):
    """The bucket cannot be reconciled: give up, until somebody switches its versioning on."""


LACKING = {
    "": "keeps no versions, so that nothing tells which uploads it had",
    "Suspended": "has its versioning suspended, so that an upload replaces the one before it, and two of the same "
    "bytes have one name",
}


def refuse_unversioned(bucket: str, status: str) -> None:
    """Raise NotVersionedError if the status is not that of a bucket that can be compared with its receipts."""
    if status != "Enabled":
        raise NotVersionedError(
            f"The bucket {bucket} {LACKING.get(status, status)}: only one whose versioning is enabled can be compared "
            f"with its receipts. `aws s3api put-bucket-versioning --bucket {bucket} --versioning-configuration "
            "Status=Enabled` enables it."
        )


class OutOfTimeError(Exception):
    """The time was over before the ledger had answered: the rest is for the next run."""


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
    """An inspection to be asked for, by its number, and why. `tries` is as `record_of` has it."""

    entry: Entry
    inspection: int
    reason: Reason
    tries: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A part of the work: how many versions were listed, what is wanted of them, where to go on; None at the end."""

    listed: int = 0
    wanted: tuple[Wanted, ...] = ()
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a run did: versions looked at, and inspections asked for by their reason.

    `oldest` is when the first of these uploads landed; `through`, when the last complete pass over the bucket began.
    """

    listed: int = 0
    missing: int = 0
    died: int = 0
    system: int = 0
    is_complete: bool = True
    oldest: datetime | None = field(default=None, compare=False)
    through: datetime | None = field(default=None, compare=False)

    def as_json(self) -> dict[str, Any]:
        """The counts as JSON values."""
        return {name: getattr(self, name) for name in ("listed", "missing", "died", "system", "is_complete")}

    @property
    def asked(self) -> int:
        """How many inspections were asked for."""
        return self.missing + self.died + self.system

    def with_step(self, step: Step) -> Run:
        """The same after another step."""
        reasons = [wanted.reason for wanted in step.wanted]
        landed = [wanted.entry.uploaded_at for wanted in step.wanted]
        return replace(
            self,
            listed=self.listed + step.listed,
            missing=self.missing + reasons.count(Reason.MISSING),
            died=self.died + reasons.count(Reason.DIED),
            system=self.system + reasons.count(Reason.SYSTEM),
            oldest=min(landed + ([self.oldest] if self.oldest else []), default=None),
        )
