"""The parts of a workbook: members of a zip that is on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from chalicelib.inspection.decompressors import expand
from chalicelib.inspection.limits import Limits
from chalicelib.inspection.spool import Spool
from chalicelib.inspection.unzip import METHODS, STORED, Unzip
from chalicelib.inspection.zip_records import Header, Sums

_LONGEST_NAME = 255


class DamagedError(Exception):
    """The workbook cannot be read; the text says why, after "damaged: "."""


class _Part(NamedTuple):
    at: int
    method: int
    packed: int


class _Members(Unzip):
    """Checks an archive as any other, and keeps where its members are."""

    name = "xlsx"

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)
        self.parts: dict[str, _Part] = {}
        self.is_ambiguous = False

    def _is_wanted(self, header: Header) -> bool:  # noqa: ARG002 - none is the one file
        return False

    def _keep(self, header: Header, begin: int, sums: Sums) -> None:
        name = header.name.lower()
        if len(name) <= _LONGEST_NAME:
            self.is_ambiguous |= name in self.parts
            self.parts[name] = _Part(begin, header.method, sums.packed)


class Package:
    """The parts by their names, of which the case means nothing."""

    def __init__(self, spool: Spool, limits: Limits) -> None:
        self._spool = spool
        self._limits = limits
        self.archive = _Members(limits)

    def check(self, tick: Callable[[], None]) -> bool:
        """Whether the archive is right; every member is unpacked, and its checksum compared."""
        for _ in self.archive.through(self._spool.pieces()):
            tick()
        if self.archive.is_whole and self.archive.is_ambiguous:
            raise DamagedError("it has two parts of the same name")
        return self.archive.is_whole

    def __contains__(self, name: str) -> bool:
        return name.lower() in self.archive.parts

    @property
    def names(self) -> Iterable[str]:
        """The names of all parts, in small letters."""
        return self.archive.parts

    def read(self, name: str, what: str) -> Iterator[bytes]:
        """The content of a part, `what` in words."""
        part = self.archive.parts.get(name.lower())
        if part is None:
            raise DamagedError(f"{what} is missing")
        return self._unpacked(part)

    def _unpacked(self, part: _Part) -> Iterator[bytes]:
        pieces = self._spool.pieces(part.at, part.packed)
        if part.method == STORED:
            yield from pieces
            return
        decompressor = METHODS[part.method](self._limits)
        for data in pieces:
            yield from expand(decompressor, data, position=part.at)
            if decompressor.eof:
                return
