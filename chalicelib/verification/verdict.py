"""What a verification answers: numbers, problems by name, and what the chain of seals is worth. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from chalicelib.seals import EPOCH, HOUR
from chalicelib.uploads import iso


class Defect(StrEnum):
    """What is wrong with an item of the ledger, or with a version that has none."""

    MISSING = "missing"
    """A version in the bucket has no receipt, or an inspection died."""
    DOUBLE = "double"
    """Two items are about the same inspection of the same upload."""
    ALTERED = "altered"
    """It is not what was recorded, or not what was sealed."""
    REMOVED = "removed"
    """It was there, and is gone."""
    INSERTED = "inserted"
    """It was not made by Recibo."""
    UNSEALED = "unsealed"
    """No seal covers it, though one should."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One item and what is wrong with it: `pk` and `sk` are its key in the ledger, or where it should be.

    `hour` is that of the seal it belongs to, for what belongs to one.
    """

    defect: Defect
    pk: str
    sk: str
    why: str
    hour: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        """The problem as JSON values."""
        content = {
            "defect": str(self.defect),
            "pk": self.pk,
            "sk": self.sk,
            "hour": iso(self.hour) if self.hour else None,
            "why": self.why,
        }
        return {name: value for name, value in content.items() if value is not None}


class Standing(StrEnum):
    """What the chain of seals is worth."""

    ANCHORED = "anchored"
    """Nobody who can write the ledger can have changed it."""
    CONSISTENT = "consistent"
    """It agrees with itself: whoever can write the ledger could have made it anew as a whole."""
    BROKEN = "broken"
    """It does not agree with itself, or not with its anchor."""
    ABSENT = "absent"
    """There is no seal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """The chain of seals: from the hour of the first to that of the last."""

    standing: Standing
    seals: int
    first: datetime | None = None
    last: datetime | None = None
    anchor: str | None = None
    """Where its anchor is, if the stage has one."""

    def as_json(self) -> dict[str, Any]:
        """The chain as JSON values."""
        return {
            "standing": str(self.standing),
            "seals": self.seals,
            "first": iso(self.first) if self.first else None,
            "last": iso(self.last) if self.last else None,
            "anchor": self.anchor,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The answer. `counts` has a number for every name in COUNTS and every defect; `problems` holds the first ones."""

    bucket: str
    since: datetime | None
    counts: Mapping[str, int]
    chain: Chain
    problems: tuple[Problem, ...] = ()
    remarks: tuple[str, ...] = field(default=())

    @property
    def defects(self) -> int:
        """How much is wrong: all defects together."""
        return sum(self.counts[defect] for defect in Defect)

    @property
    def is_well(self) -> bool:
        """Whether nothing is wrong."""
        return not self.defects

    def as_json(self) -> dict[str, Any]:
        """The verdict as JSON values."""
        return {
            "bucket": self.bucket,
            "since": iso(self.since) if self.since else None,
            "is_well": self.is_well,
            **self.counts,
            "chain": self.chain.as_json(),
            "problems": [problem.as_json() for problem in self.problems],
            "remarks": list(self.remarks),
        }


COUNTS = (
    "uploads",  # versions in the bucket
    "delete_markers",  # the same of delete markers
    "receipts",  # final receipts of uploads
    "later_inspections",  # how many of them are not of a first inspection
    "deletions",  # recorded deletions and delete markers
    "waiting",  # uploads too young, or still in inspection
    "expired",  # older than the time receipts are kept for
    "not_due",  # receipts whose hour is not to be sealed yet
    "overdue",  # receipts whose hour has no seal, though it is time
    "uncompared",  # receipts whose seal or page is damaged
)


def number_of(hour: datetime) -> int:
    """The hour as a number: whole hours since 1970."""
    return (hour - EPOCH) // HOUR


def hour_numbered(number: int) -> datetime:
    """The hour of that number."""
    return EPOCH + timedelta(hours=number)
