"""Unpacking compressed streams within a budget."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import NoReturn

from chalicelib.findings import Findings
from chalicelib.inspection.limits import KIB, Limits

GZIP_MAGIC = b"\x1f\x8b"
PIECE = 256 * KIB  # the most that is unpacked at a time: one byte can hold a thousand times as much


class _StopUnpacking(Exception):
    pass


class Gunzip:
    """gzip (RFC 1952): any number of members, padding zeros after the last allowed, checksums verified.

    What is damaged, cut or a bomb becomes a finding and ends the unpacked stream; nothing is raised. All that
    precedes the damage is unpacked.
    """

    name = "gzip"

    def __init__(self, findings: Findings, limits: Limits) -> None:
        self._findings = findings
        self._limits = limits
        self._member = self._new_member()
        self._in_member = False
        self._has_members = False
        self.packed = 0
        self.unpacked = 0
        self.is_whole = False

    def through(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """The unpacked bytes, in pieces of at most `PIECE` bytes."""
        try:
            for block in blocks:
                yield from self._unpack(block)
            self.is_whole = not self._in_member
            if self._in_member:
                self._findings.add("truncated-compression", compression=self.name, position=self.packed)
        except zlib.error as error:
            reason = str(error).rpartition(": ")[2]
            self._findings.add("damaged-compression", compression=self.name, position=self.packed, reason=reason)
        except _StopUnpacking:
            pass

    def _unpack(self, data: bytes) -> Iterator[bytes]:
        is_full = False
        while data or is_full:
            if not self._in_member:
                data = self._begin(data)
            if not self._in_member:
                return
            piece, rest = self._advance(data)
            self.packed += len(data) - len(rest)
            self._account(piece)
            yield piece
            data = rest
            is_full = len(piece) == PIECE  # zlib may hold more, though it has taken all of the data

    def _begin(self, data: bytes) -> bytes:
        """Start the next member unless only padding is left; the data from there on."""
        start = data.lstrip(b"\0") if self._has_members else data
        self.packed += len(data) - len(start)
        if self._has_members and start and not GZIP_MAGIC.startswith(start[:1]):
            raise zlib.error("other data follows")
        if start:
            self._member = self._new_member()
            self._in_member = True
        return start

    @staticmethod
    def _new_member() -> zlib._Decompress:
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)

    def _advance(self, data: bytes) -> tuple[bytes, bytes]:
        """The next piece, and the data left; where `data` is damaged, half of it is tried, down to the very byte."""
        before = self._member.copy()
        try:
            piece = self._member.decompress(data, PIECE)
        except zlib.error:
            if len(data) < 2:
                raise
            self._member = before
            half = len(data) // 2
            piece, rest = self._advance(data[:half])
            return piece, rest + data[half:]
        if not self._member.eof:
            return piece, self._member.unconsumed_tail
        self._in_member = False
        self._has_members = True
        return piece, self._member.unused_data

    def _account(self, piece: bytes) -> None:
        self.unpacked += len(piece)
        limits = self._limits
        if self.unpacked > limits.unpacked_bytes:
            self._stop(f"{limits.unpacked_bytes:,} bytes")
        if self.unpacked > max(limits.ratio_from, self.packed * limits.unpacked_ratio):
            self._stop(f"{limits.unpacked_ratio:,} times its size")

    def _stop(self, limit: str) -> NoReturn:
        self._findings.add("decompression-bomb", compression=self.name, limit=limit)
        raise _StopUnpacking
