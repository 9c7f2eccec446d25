"""The one pass: measure, unpack, decode, detect, judge."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from itertools import chain
from typing import TYPE_CHECKING

from chalicelib.inspection.claims import Claims
from chalicelib.inspection.draft import Draft
from chalicelib.inspection.encoding_guess import unmarked_utf16
from chalicelib.inspection.expectation import Expectation
from chalicelib.inspection.limits import Limits, OutOfTimeError
from chalicelib.inspection.magic import binary_format, looks_binary
from chalicelib.inspection.media_types import MEDIA_TYPES, TEXTS, Format
from chalicelib.inspection.names import PACKED
from chalicelib.inspection.random_access import SPOOLED, inspector_of
from chalicelib.inspection.report import Report
from chalicelib.inspection.stream import Meter, blocks_of
from chalicelib.inspection.text import byte_order_mark, first_encoding
from chalicelib.inspection.text_pass import TextPass
from chalicelib.inspection.unpackers import unpacker_of

if TYPE_CHECKING:
    from chalicelib.contracts import Contract
    from chalicelib.inspection.compression import Unpacker

_LIMITS = Limits()
VERSION = "20"
"""The inspector's version, kept in each receipt: raised whenever the same bytes may get another report."""


def inspect(
    chunks: Iterable[bytes],
    *,
    name: str = "",
    declared_type: str | None = None,
    expectation: Expectation | None = None,
    contract: Contract | None = None,
    limits: Limits | None = None,
    out_of_time: Callable[[], bool] = lambda: False,
) -> Report:
    """Read the chunks of a file once and report on it.

    No content makes it raise; what `chunks` raises passes through. `name` and `declared_type` (a media type) are
    compared with the content. Under a `contract` the file is also to be what that says, its form included unless an
    `expectation` is given. `out_of_time` is asked after each block: True ends the pass with a verdict.
    """
    known = expectation or (Expectation.of(contract) if contract else Expectation())
    claims = Claims(name, declared_type)
    with closing(_Pass(claims, known, limits or _LIMITS, out_of_time, contract=contract)) as whole:
        return whole.run(chunks)


class _Pass:
    def __init__(
        self,
        claims: Claims,
        expectation: Expectation,
        limits: Limits,
        out_of_time: Callable[[], bool],
        *,
        contract: Contract | None,
    ) -> None:
        self._claims = claims
        self._expectation = expectation
        self._limits = limits
        self._out_of_time = out_of_time
        self._is_under_contract = contract is not None
        self._draft = Draft(contract, limits, out_of_time)
        self._meter = Meter()
        self._unpacker: Unpacker | None = None

    def run(self, chunks: Iterable[bytes]) -> Report:
        raw = self._blocks_of(self._meter.through(self._watched(chunks)))
        try:
            self._inspect(raw)
            for _ in raw:  # what no inspector asked for is hashed and counted all the same
                pass
        except OutOfTimeError:
            self._draft.findings.add("inspection-timed-out", position=self._meter.size)
        else:
            self._draft.note(sha256=self._meter.sha256, bytes=self._meter.size)
        return self._draft.verdict()

    def close(self) -> None:
        """Give back what is shared with other inspections."""
        self._draft.close()

    def _blocks_of(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        return blocks_of(chunks, first=self._limits.sniff_bytes, size=self._limits.block_bytes)

    def _watched(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self._check_time()
            yield chunk

    def _check_time(self) -> None:
        if self._out_of_time():
            raise OutOfTimeError

    # -- containers

    def _inspect(self, raw: Iterator[bytes]) -> None:
        head = next(raw, b"")
        self._unpacker = unpacker = unpacker_of(head, self._claims.name, self._limits)
        if unpacker is None:
            self._inspect_content(head, raw)
            return
        self._draft.note(compression=unpacker.name)
        unpacked = self._blocks_of(self._watched(unpacker.through(chain([head], raw))))
        self._inspect_content(next(unpacked, b""), unpacked)
        if unpacker.is_refused:
            self._forget(unpacker.name)
        self._draft.note(
            unpacked_bytes=unpacker.content_bytes if unpacker.is_whole else None,
            members=tuple(unpacker.members),
            member_count=unpacker.member_count,
        )
        unpacker.report(self._draft.findings)

    def _forget(self, compression: str) -> None:
        """What was unpacked is not the file: what was learnt of it does not count."""
        self._draft.forget()
        self._draft.note(compression=compression)
        self._found(compression)

    def _is_cut(self) -> bool:
        """Whether what was unpacked is not all there is: its end is not the file's."""
        return self._unpacker is not None and not self._unpacker.is_whole

    # -- content

    def _inspect_content(self, head: bytes, blocks: Iterator[bytes]) -> None:
        mark, encoding = byte_order_mark(head)
        found = None if mark or first_encoding(head) else self._detect_binary(head)
        if head == mark:
            self._inspect_nothing()
        elif found:
            self._found(found)
            if self._unpacker and found in PACKED:
                self._draft.findings.add("nested-compression", compression=self._unpacker.name, found=found)
            if found in SPOOLED:
                self._inspect_spooled(found, chain([head], blocks))
            elif found == "ole2" and _is_encrypted(chain([head], blocks)):
                self._draft.findings.add("encrypted-file", format="Office")
            for _ in blocks:
                pass
        else:
            whole = len(head) < self._limits.sniff_bytes
            self._inspect_text(head[len(mark) :], blocks, encoding, whole=whole)

    def _detect_binary(self, head: bytes) -> str | None:
        if self._expectation.format in TEXTS and not self._is_under_contract:
            return None
        expected = self._expectation.format or self._claims.format(self._inner_name)
        is_text = expected in TEXTS or self._expectation.encoding
        return binary_format(head, expected) or (Format.BINARY if not is_text and _is_binary(head) else None)

    def _inspect_nothing(self) -> None:
        if not self._is_cut():
            self._draft.findings.add("empty-file")
            found = self._expectation.format or self._claims.name.format
            self._draft.note(lines=0, format=found, media_type=MEDIA_TYPES.get(found or ""))

    def _inspect_text(self, head: bytes, blocks: Iterator[bytes], mark: str | None, *, whole: bool) -> None:
        text = TextPass(
            head,
            mark=mark,
            named=self._claims.format(self._inner_name),
            whole=whole,
            draft=self._draft,
            expectation=self._expectation,
            limits=self._limits,
        )
        self._found(text.format)
        text.run(blocks, is_cut=self._is_cut)

    def _inspect_spooled(self, found: str, blocks: Iterator[bytes]) -> None:
        """What is read from its end needs all of it first."""
        from chalicelib.inspection.spool import Spool  # noqa: PLC0415 (on first use)

        with Spool(self._limits.spool_bytes) as spool:
            for block in blocks:
                spool.write(block)
            if not (self._is_cut() or (self._unpacker and self._unpacker.is_refused)):
                draft, samples = self._draft, self._expectation.samples
                inspector = inspector_of(
                    found, draft.findings, self._limits, self._check_time, draft.contracted, samples=samples
                )
                draft.note(facts=inspector.inspect(spool))
                if draft.contracted:
                    draft.contracted.finish(is_whole=True)

    @property
    def _inner_name(self) -> str | None:
        """What the file in an archive is called."""
        return self._unpacker.file_name if self._unpacker else None

    def _found(self, found: str) -> None:
        self._claims.compare(self._draft, found, inner=self._inner_name)
        self._draft.note(format=found, media_type=MEDIA_TYPES[found])


def _is_binary(head: bytes) -> bool:
    return looks_binary(head) and not unmarked_utf16(head)


def _is_encrypted(blocks: Iterator[bytes]) -> bool:
    """Whether an OLE2 document is encrypted; few uploads are one, so what reads it is loaded with the first."""
    from chalicelib.inspection.ole2 import is_encrypted  # noqa: PLC0415

    return is_encrypted(blocks)
