"""What a verification looks at, and when. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.sealing import GRACE
from chalicelib.seals import HOUR, PARTS
from chalicelib.verification.items import AHEAD
from chalicelib.verification.verdict import number_of

PATIENCE = GRACE + timedelta(minutes=70)
"""How long after its end an hour is taken for not sealed: the grace, and what the hourly sealing may be late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What is verified: all of a bucket, or what was made since an hour; `now` is when it was begun."""

    bucket: str
    now: datetime
    since: datetime | None = None
    retention_days: int | None = None
    strict: bool = False

    def holds(self, hour: datetime) -> bool:
        """Whether the receipts of an hour are looked at."""
        return self.since is None or hour >= self.since

    @property
    def end_of_seals(self) -> int:
        """No seal can have this number by now, or a greater one."""
        return number_of(self.now + AHEAD) * PARTS

    def is_overdue(self, hour: datetime) -> bool:
        """Whether the hour should be sealed by now."""
        return hour + HOUR + PATIENCE < self.now
