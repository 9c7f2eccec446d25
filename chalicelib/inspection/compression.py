"""Unpacking compressed data within a budget: what every kind of it has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from chalicelib.findings import Findings
from chalicelib.inspection.limits import KIB, Limits
from chalicelib.inspection.report_parts import Member

PIECE = 256 * KIB
"""The most that is unpacked at a time: one byte can hold a million times as much."""
SLICE = 4 * KIB
"""How much is given to a decompressor at a time, cut at multiples of it: what is damaged is lost with its slice, and
so the same is lost however the bytes arrive."""


class PackedError(Exception):
    """Ends the unpacking: the finding that says why, perhaps about one member of an archive."""

    def __init__(self, code: str, *, member: str | None = None, **values: Any) -> None:
        super().__init__(code)
        self.code = code
        self.member = member
        self.values = values


class Unpacker(ABC):
    """Unpacks one kind of compressed data, once.

    What is damaged, cut or a bomb ends the unpacked stream, and `report` tells it; nothing is raised. What precedes
    the damage is unpacked. `packed` and `unpacked` count the bytes so far.
    """

    name: str
    file_name: str | None = None
    """What the packed file is called where that is written beside it: its format may show in it."""
    is_refused = False
    """Whether what was unpacked is to be forgotten: the packed file is more than that."""
    members: Sequence[Member] = ()
    """What an archive holds, the first (`Limits.named_members`) of it."""
    member_count: int | None = None
    """How many members the whole archive has."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._problems: list[PackedError] = []
        self._is_ended = False
        self.packed = 0
        self.unpacked = 0

    def through(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """The unpacked bytes, in pieces of at most `PIECE` bytes; some have none, for time to be looked at."""
        try:
            yield from self._unpack(blocks)
            self._is_ended = True
        except PackedError as problem:
            self._problems.append(problem)

    @property
    def is_whole(self) -> bool:
        """Whether all that is packed was unpacked, and was right."""
        return self._is_ended and not self._problems

    @property
    def content_bytes(self) -> int:
        """How much of what was unpacked is the file's content."""
        return self.unpacked

    def report(self, findings: Findings) -> None:
        """Add what kept the data from being unpacked."""
        for problem in self._problems:
            findings.add(problem.code, field=problem.member, compression=self.name, **problem.values)

    @abstractmethod
    def _unpack(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """The same as `through`, but it raises PackedError."""

    def _account(self, piece: bytes) -> None:
        self.unpacked += len(piece)
        limits = self._limits
        if self.unpacked > limits.unpacked_bytes:
            raise PackedError("decompression-bomb", limit=f"{limits.unpacked_bytes:,} bytes")
        if self.unpacked > max(limits.ratio_from, self.packed * limits.unpacked_ratio):
            raise PackedError("decompression-bomb", limit=f"{limits.unpacked_ratio:,} times its size")
