"""Unpacking compressed streams within a budget."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

from chalicelib.findings import Findings
from chalicelib.inspection.limits import Limits
from chalicelib.inspection.stream import BLOCK

GZIP_MAGIC = b"\x1f\x8b"


class _StopUnpacking(Exception):
    pass


class Gunzip:
    """gzip (RFC 1952): any number of members, padding zeros after the last allowed, checksums verified.

    What is damaged, cut or a bomb becomes a finding and ends the unpacked stream; nothing is raised.
    """

    name = "gzip"

    def __init__(self, findings: Findings, limits: Limits) -> None:
        self._findings = findings
        self._limits = limits
        self._member = self._new_member()
        self._in_member = False
        self._members = 0
        self.packed = 0
        self.unpacked = 0
        self.is_whole = False

    def through(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """The unpacked bytes, in pieces of at most `BLOCK`."""
        try:
            for block in blocks:
                yield from self._unpack(block)
                self.packed += len(block)
            self.is_whole = not self._in_member
            if self._in_member:
                self._findings.add("truncated-compression", compression=self.name, position=self.packed)
        except zlib.error as error:
            self._damaged(str(error).rpartition(": ")[2])
        except _StopUnpacking:
            pass

    @staticmethod
    def _new_member() -> zlib._Decompress:
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)

    def _unpack(self, data: bytes) -> Iterator[bytes]:
        while data:
            if not self._in_member and not self._begin(data):
                return
            piece = self._member.decompress(data, BLOCK)
            if piece:
                self._account(piece)
                yield piece
            data = self._rest()

    def _begin(self, data: bytes) -> bool:
        """Start the next member; False if only padding is left in `data`."""
        if self._members and not data.strip(b"\0"):
            return False
        # After the first member, decompressobj itself raises where something else than gzip follows.
        self._member = self._new_member()
        self._in_member = True
        return True

    def _rest(self) -> bytes:
        """What the member has not taken yet, or what follows it."""
        if not self._member.eof:
            return self._member.unconsumed_tail
        self._in_member = False
        self._members += 1
        return self._member.unused_data

    def _account(self, piece: bytes) -> None:
        self.unpacked += len(piece)
        limits = self._limits
        ratio_limit = max(limits.ratio_from, (self.packed + BLOCK) * limits.unpacked_ratio)
        if self.unpacked <= min(limits.unpacked_bytes, ratio_limit):
            return
        limit = (
            f"{limits.unpacked_bytes:,} bytes"
            if self.unpacked > limits.unpacked_bytes
            else f"{limits.unpacked_ratio:,} times its size"
        )
        self._findings.add("decompression-bomb", compression=self.name, limit=limit)
        raise _StopUnpacking

    def _damaged(self, reason: str) -> None:
        self._findings.add("damaged-compression", compression=self.name, position=self.packed, reason=reason)
