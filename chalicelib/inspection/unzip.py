"""zip: an archive of one file is that file; every member is checked, and that the directory says the same."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping

from chalicelib.inspection.compression import SLICE, PackedError, Unpacker
from chalicelib.inspection.decompressors import Inflate, New, UnLzma, expand, new_bzip2, new_xz, new_zstd
from chalicelib.inspection.limits import Limits
from chalicelib.inspection.report_parts import Member
from chalicelib.inspection.source import Source
from chalicelib.inspection.zip_records import (
    CENTRAL,
    DESCRIPTOR,
    DESCRIPTOR_REACH,
    LOCAL,
    Directory,
    Header,
    Sums,
    descriptor_size,
    read_central,
    read_end,
    read_local,
)

STORED, LZMA = 0, 14
METHODS: Mapping[int, New] = {8: Inflate, 12: new_bzip2, LZMA: UnLzma, 93: new_zstd, 95: new_xz}
_OTHER_METHODS: Mapping[int, str] = {1: "Shrink", 6: "Implode", 9: "Deflate64", 98: "PPMd"}
_LITTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})


class Unzip(Unpacker):
    """zip (APPNOTE.TXT 6.3.10), zip64 included: what is in its one file, whatever folders and litter are beside it.

    Most readers go by the directory at the end, others by the header before each member, and what was tampered with
    shows them different files. Here the members are read from first to last with nothing between them, and the
    directory must then list exactly these, each at its place with the same name, method and sums: so every reader
    sees what was inspected. It takes neither memory nor a disk for the archive, which may have any size.
    """

    name = "zip"

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)
        self._digests: dict[int, bytes] = {}
        self._content_bytes = 0
        self.members: list[Member] = []

    @property
    def content_bytes(self) -> int:
        """The size of the one file."""
        return self._content_bytes

    def _unpack(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        source = Source(blocks)
        while source.peek(4) == LOCAL:
            header = read_local(source)
            try:
                yield from self._member(source, header)
            except PackedError as problem:
                problem.member = self._short(header)
                raise
        self._judge_directory(source)

    def _short(self, header: Header) -> str:
        return header.name[: self._limits.name_length]

    def _member(self, source: Source, header: Header) -> Iterator[bytes]:
        """Check a member; what is in it if it is the one file."""
        is_wanted = self._admit(header)
        begin, size, crc = source.position, 0, 0
        for piece in self._content(source, header):
            self.packed = source.position
            self._account(piece)
            size += len(piece)
            crc = zlib.crc32(piece, crc)
            yield piece if is_wanted else b""
        if is_wanted:
            self._content_bytes = size
        sums = Sums(crc, source.position - begin, size)
        _judge_sums(source, header, sums)
        self._digests[header.offset] = header.digest(sums)
        self._keep(header, begin, sums)

    def _keep(self, header: Header, _: int, sums: Sums) -> None:
        """Note a member that was checked, and where its content begins."""
        if len(self.members) < self._limits.named_members:
            self.members.append(Member(name=self._short(header), bytes=sums.unpacked, packed_bytes=sums.packed))

    def _admit(self, header: Header) -> bool:
        """Whether a member is the one file; raises PackedError if it cannot be read."""
        if len(self._digests) >= self._limits.members:
            raise PackedError("too-many-members", limit=self._limits.members)
        if problem := header.unreadable():
            raise problem
        if header.method not in METHODS and header.method != STORED:
            method = _OTHER_METHODS.get(header.method, f"method {header.method}")
            raise PackedError("unsupported-compression", reason=f"a member of the archive is packed with {method}")
        return self._is_wanted(header)

    def _is_wanted(self, header: Header) -> bool:
        if not is_file(header.name) or self.is_refused:
            return False
        if self.file_name is None:
            self.file_name = header.name
            return True
        self.is_refused, self.file_name = True, None
        self._problems.append(PackedError("several-files"))
        return False

    def _content(self, source: Source, header: Header) -> Iterator[bytes]:
        if header.method != STORED:
            return self._expanded(source, header)
        if header.has_descriptor and not header.sums.packed:
            return _until_descriptor(source)
        return source.pieces(header.sums.packed)

    def _expanded(self, source: Source, header: Header) -> Iterator[bytes]:
        decompressor = METHODS[header.method](self._limits)
        size = None if header.has_descriptor else header.sums.packed
        for data in source.pieces(size):
            yield from expand(decompressor, data, position=source.position - len(data))
            if decompressor.eof:
                source.back(decompressor.unused_data)
                return
        # LZMA may have no end mark, and nothing at all may be packed as nothing: then the sums tell.
        if size and header.method != LZMA:
            reason = "the data of a member does not end"
            raise PackedError("damaged-compression", position=source.position, reason=reason)

    def _judge_directory(self, source: Source) -> None:
        start, count, listed = source.position, len(self._digests), 0
        while source.peek(4) == CENTRAL:
            entry = read_central(source)
            if self._digests.pop(entry.offset, None) != entry.digest(entry.sums):
                reason = "an entry differs from the member that it lists"
                raise PackedError("archive-inconsistent", member=self._short(entry), reason=reason)
            if problem := entry.unreadable():
                raise problem
            listed += 1
        directory = Directory(entries=listed, size=source.position - start, offset=start)
        read_end(source, directory)
        if listed < count:
            raise PackedError("archive-inconsistent", reason="a member is not listed")
        self.member_count = count


def is_file(name: str) -> bool:
    """Whether a member is one to inspect: no folder, nor what systems leave beside files."""
    return not name.endswith("/") and not name.startswith("__MACOSX/") and name.rpartition("/")[2] not in _LITTER


def _judge_sums(source: Source, header: Header, found: Sums) -> None:
    """Raise PackedError unless a member has the sums that are written before it, or behind it."""
    said = header.sums
    if header.has_descriptor:
        ahead = source.peek(DESCRIPTOR_REACH)
        size = descriptor_size(ahead, found)
        if not size and len(ahead) < DESCRIPTOR_REACH:
            raise PackedError("truncated-compression", position=source.position + len(ahead))
        source.take(size)
        fits = size and all(number in (0, right) for number, right in zip(said, found, strict=True))
    else:
        fits = said == found
    if not fits:
        reason = "the checksum or a size of a member is wrong"
        raise PackedError("damaged-compression", position=source.position, reason=reason)


def _until_descriptor(source: Source) -> Iterator[bytes]:
    """Stored data of unknown size: it ends at the first descriptor that has the sums of what is before it.

    That can be part of the data, and then what follows, or the directory, is not what it must be.
    """
    crc = size = 0
    while True:
        ahead = source.peek(SLICE + DESCRIPTOR_REACH)
        at = ahead.find(DESCRIPTOR)
        while 0 <= at < SLICE and not _ends_there(ahead, at, crc, size):
            at = ahead.find(DESCRIPTOR, at + 1)
        is_end = 0 <= at < SLICE
        # The last bytes of a file that is cut may be those of a descriptor.
        piece = source.take(at if is_end else max(len(ahead) - DESCRIPTOR_REACH, 0))
        crc, size = zlib.crc32(piece, crc), size + len(piece)
        yield piece
        if is_end:
            return
        if len(piece) < SLICE:
            raise PackedError("truncated-compression", position=source.position + len(source.peek(SLICE)))


def _ends_there(ahead: bytes, at: int, crc: int, size: int) -> bool:
    size += at
    said = int.from_bytes(ahead[at + 8 : at + 12], "little")
    if said != size & 0xFFFFFFFF:  # to compute the checksum at each place that looks like an end would take too long
        return False
    sums = Sums(zlib.crc32(ahead[:at], crc), size, size)
    return descriptor_size(ahead[at : at + DESCRIPTOR_REACH], sums, signed=True) > 0
