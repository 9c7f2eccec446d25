"""How often something is found in a batch, and where first."""

from __future__ import annotations

from dataclasses import dataclass, field

Place = tuple[int, int, int, int]
"""The number of a record, 0 for values and 1 for keys, which of them, and which rule of it: the order of judging."""


@dataclass(slots=True)
class Tally:
    """A count, and the first `most` places."""

    most: int
    count: int = 0
    places: list[Place] = field(default_factory=list)

    def add(self, count: int, places: list[Place]) -> None:
        """Count more; their first places are in order."""
        self.count += count
        if len(self.places) < self.most or places[0] < self.places[-1]:
            self.places = sorted(self.places + places)[: self.most]


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that a batch breaks, and how its findings are told; without a code, that it was not checked."""

    tally: Tally
    code: str | None = None
    field: str | None = None
    rule: str = ""
    fields: str = ""
