"""gzip, unpacked to the very byte before its damage."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

from chalicelib.inspection.compression import PIECE, PackedError, Unpacker
from chalicelib.inspection.limits import Limits

GZIP_MAGIC = b"\x1f\x8b"


class Gunzip(Unpacker):
    """gzip (RFC 1952): any number of members, padding zeros after the last allowed, checksums verified."""

    name = "gzip"

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)
        self._member = self._new_member()
        self._in_member = False
        self._has_members = False

    def _unpack(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        try:
            for block in blocks:
                yield from self._unpack_block(block)
        except zlib.error as error:
            reason = str(error).rpartition(": ")[2]
            raise PackedError("damaged-compression", position=self.packed, reason=reason) from error
        if self._in_member:
            raise PackedError("truncated-compression", position=self.packed)

    def _unpack_block(self, data: bytes) -> Iterator[bytes]:
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
