"""Which records of a table are profiled: the whole of a small one, and of a large one its beginning and parts of it."""

from __future__ import annotations

from typing import NamedTuple

_PART = 16
"""Beyond the beginning, a part with a sixteenth of its records …"""
_ONE_IN = 512
"""… is profiled at the end of every stretch that has so many times those of the part."""


class Parts(NamedTuple):
    """Those behind the beginning, by their numbers: `part` records at the end of `each` stretch from `first` on."""

    first: int
    part: int
    each: int

    @classmethod
    def behind(cls, last: int, beginning: int) -> Parts:
        """The parts behind that record, the last of so many that are the beginning."""
        part = -(-beginning // _PART)
        return cls(last + 1, part, part * _ONE_IN)

    def next(self, row: int) -> tuple[int, int]:
        """Where the next part from a record on starts and ends, counted from that record."""
        left = self.each - (row - self.first) % self.each
        return max(left - self.part, 0), left


class Sampling:
    """Chooses records that come one by one, the first of which have so many characters together."""

    def __init__(self, characters: int) -> None:
        self._left = characters
        self.records = 0
        """How many were taken."""
        self.parts: Parts | None = None
        """Those behind the beginning, once that has ended."""

    def skipped(self, row: int) -> int:
        """How many records from this one on are not wanted."""
        return self.parts.next(row)[0] if self.parts else 0

    def take(self, row: int, characters: int) -> bool:
        """Take the record if it is wanted."""
        if self.skipped(row):
            return False
        self.records += 1
        if self.parts is None:
            self._left -= characters
            if self._left <= 0:
                self.parts = Parts.behind(row, self.records)
        return True
