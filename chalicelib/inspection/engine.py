"""The one pass: measure, unpack, decode, detect, judge."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain

from chalicelib.contracts import Contract
from chalicelib.inspection.compression import Unpacker
from chalicelib.inspection.contracted import Contracted, findings_under
from chalicelib.inspection.delimited import Delimited
from chalicelib.inspection.detect import (
    MEDIA_TYPES,
    PACKED,
    TABLES,
    TEXTS,
    Format,
    Name,
    binary_format,
    fits_declared,
    looks_binary,
    text_format,
)
from chalicelib.inspection.dialect import DELIMITERS, Dialect, detect_dialect
from chalicelib.inspection.expectation import Expectation
from chalicelib.inspection.formats import FormatInspector
from chalicelib.inspection.json_lines import JsonLines
from chalicelib.inspection.json_text import JsonText
from chalicelib.inspection.limits import Limits
from chalicelib.inspection.plain import PlainText
from chalicelib.inspection.report import Report, Status
from chalicelib.inspection.stream import Meter, blocks_of
from chalicelib.inspection.text import Decoder, Lines, byte_order_mark, find_nul
from chalicelib.inspection.unpackers import unpacker_of
from chalicelib.inspection.xml_encoding import first_encoding, xml_encoding
from chalicelib.inspection.xml_text import XmlText

VERSION = "2"
"""The inspector's version, kept in each receipt: raised whenever the same bytes may get another report."""


class _OutOfTimeError(Exception):
    """Ends the pass at once; the report says so."""


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
    return _Pass(name, declared_type, known, limits or Limits(), out_of_time, contract=contract).run(chunks)


class _Pass:
    def __init__(
        self,
        name: str,
        declared_type: str | None,
        expectation: Expectation,
        limits: Limits,
        out_of_time: Callable[[], bool],
        *,
        contract: Contract | None,
    ) -> None:
        self._name = Name.of(name)
        self._declared_type = declared_type
        self._expectation = expectation
        self._limits = limits
        self._out_of_time = out_of_time
        self._contract = contract
        self._findings = findings_under(contract, limits)
        self._contracted = Contracted(contract, self._findings, limits) if contract else None
        self._meter = Meter()
        self._lines = Lines()
        self._unpacker: Unpacker | None = None
        self._report = Report(status=Status.SUCCEEDED)

    def run(self, chunks: Iterable[bytes]) -> Report:
        raw = self._blocks_of(self._meter.through(self._watched(chunks)))
        try:
            self._inspect(raw)
            for _ in raw:  # what no inspector asked for is hashed and counted all the same
                pass
        except _OutOfTimeError:
            self._findings.add("inspection-timed-out", position=self._meter.size)
        else:
            self._note(sha256=self._meter.sha256, bytes=self._meter.size)
        return self._verdict()

    def _blocks_of(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        return blocks_of(chunks, first=self._limits.sniff_bytes, size=self._limits.block_bytes)

    def _watched(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            if self._out_of_time():
                raise _OutOfTimeError
            yield chunk

    def _note(self, **values: object) -> None:
        self._report = replace(self._report, **values)  # type: ignore[arg-type]

    def _verdict(self) -> Report:
        if self._contracted:
            self._note(contract=self._contracted.judged(self._report))
        cause = None if self._contracted and self._contracted.is_tolerant else self._findings.cause
        return replace(
            self._report,
            status=Status.FAILED if cause else Status.SUCCEEDED,
            cause=cause,
            findings=tuple(self._findings),
            counts=self._findings.counts,
        )

    # -- containers

    def _inspect(self, raw: Iterator[bytes]) -> None:
        head = next(raw, b"")
        self._unpacker = unpacker = unpacker_of(head, self._name, self._limits)
        if unpacker is None:
            self._inspect_content(head, raw)
            return
        self._note(compression=unpacker.name)
        unpacked = self._blocks_of(self._watched(unpacker.through(chain([head], raw))))
        self._inspect_content(next(unpacked, b""), unpacked)
        if unpacker.is_refused:
            self._forget(unpacker.name)
        self._note(
            unpacked_bytes=unpacker.content_bytes if unpacker.is_whole else None,
            members=tuple(unpacker.members),
            member_count=unpacker.member_count,
        )
        unpacker.report(self._findings)

    def _forget(self, compression: str) -> None:
        """What was unpacked is not the file: what was learnt of it does not count."""
        self._findings = findings_under(self._contract, self._limits)
        self._contracted = Contracted(self._contract, self._findings, self._limits) if self._contract else None
        self._report = Report(status=Status.SUCCEEDED, compression=compression)
        self._compare(compression)
        self._note(format=compression, media_type=MEDIA_TYPES[compression])

    def _is_cut(self) -> bool:
        """Whether what was unpacked is not all there is: its end is not the file's."""
        return self._unpacker is not None and not self._unpacker.is_whole

    def _inspect_content(self, head: bytes, blocks: Iterator[bytes]) -> None:
        mark, encoding = byte_order_mark(head)
        found = None if mark or first_encoding(head) else self._detect_binary(head)
        if head == mark:
            self._inspect_nothing()
        elif found:
            self._compare(found)
            self._note(format=found, media_type=MEDIA_TYPES[found])
            if self._unpacker and found in PACKED:
                self._findings.add("nested-compression", compression=self._unpacker.name, found=found)
            for _ in blocks:
                pass
        else:
            whole = len(head) < self._limits.sniff_bytes
            self._inspect_text(head[len(mark) :], blocks, encoding, whole=whole)

    def _detect_binary(self, head: bytes) -> str | None:
        if self._expectation.format in TEXTS and not self._contracted:
            return None
        expected = self._expectation.format or self._named
        is_text = expected in TEXTS or self._expectation.encoding
        return binary_format(head) or (Format.BINARY if not is_text and looks_binary(head) else None)

    def _inspect_nothing(self) -> None:
        if not self._is_cut():
            self._findings.add("empty-file")
            self._note(lines=0, format=self._expectation.format or self._name.format)
            self._note(media_type=MEDIA_TYPES.get(self._report.format or ""))

    # -- text

    def _inspect_text(self, head: bytes, blocks: Iterator[bytes], mark: str | None, *, whole: bool) -> None:
        said = self._expectation.encoding
        sample = head.decode(mark or first_encoding(head) or said or "utf-8", "replace")
        found, dialect = self._detect_text(sample, whole=whole)
        self._compare(found)
        self._note(format=found, media_type=MEDIA_TYPES[found])
        if mark:
            self._findings.add("bom-present", encoding=mark.upper())
            if said not in (None, mark):
                self._findings.add("unexpected-encoding", found=mark, expected=said)
        if found == Format.XML:
            self._inspect_xml(head, blocks, mark)
            return
        is_json = found in (Format.JSON, Format.JSONL)
        if is_json and mark not in (None, "utf-8"):
            reason = "JSON is always UTF-8 (RFC 8259, section 8.1)"
            self._findings.add("invalid-encoding", encoding="JSON", reason=reason)
        encoding = mark or (said if said and not is_json else "utf-8")
        decoder = Decoder(self._findings, self._lines, encoding, may_guess=not (mark or said or is_json))
        self._read_text(self._inspector(found, dialect), decoder, chain([head], blocks))
        self._note(encoding=decoder.encoding)

    def _inspect_xml(self, head: bytes, blocks: Iterator[bytes], mark: str | None) -> None:
        """XML says itself which encoding it is in; where that is not to be relied on, its text is not checked."""
        said = xml_encoding(head, mark)
        if said.fault:
            self._findings.add("xml-encoding", line=1, column=1, reason=said.fault)
            for _ in blocks:
                pass
            return
        decoder = Decoder(self._findings, self._lines, said.name, may_guess=False, codec=said.codec)
        self._read_text(XmlText(self._findings, self._limits), decoder, chain([head], blocks))
        self._note(encoding=decoder.encoding)

    def _detect_text(self, sample: str, *, whole: bool) -> tuple[str, Dialect | None]:
        expected = self._expectation.format
        if expected in TABLES:
            said = self._expectation.delimiter or ("\t" if expected == Format.TSV else None)
            delimiters = (said,) if said else DELIMITERS
            return expected, detect_dialect(sample, whole=whole, delimiters=delimiters)
        return (expected, None) if expected in TEXTS else text_format(sample, self._named, whole=whole)

    def _inspector(self, found: str, dialect: Dialect | None) -> FormatInspector:
        sink = self._contracted.sink(found, dialect.delimiter if dialect else None) if self._contracted else None
        if dialect:
            return Delimited(
                self._findings,
                self._limits,
                delimiter=dialect.delimiter,
                header=self._expectation.header,
                confidence=dialect.confidence,
                sink=sink,
            )
        if found == Format.JSON:
            return JsonText(self._findings, self._limits)
        if found == Format.JSONL:
            return JsonLines(self._findings, self._limits, sink=sink)
        return PlainText()

    def _read_text(self, inspector: FormatInspector, decoder: Decoder, blocks: Iterator[bytes]) -> None:
        for block in blocks:
            self._read_block(inspector, decoder.feed(block))
        inspector.feed(b"")  # whatever is complete is judged before the end is
        cut = self._is_cut()
        with self._findings.closed(when=cut):  # a last record cut in two is no fault of its own
            self._read_block(inspector, decoder.feed(b"", final=True))
            facts = inspector.finish()
            self._judge_lines(inspector.record_ends if isinstance(inspector, Delimited) else self._lines.kinds)
        self._note(facts=replace(facts, records=None) if cut else facts, lines=None if cut else self._lines.total)

    def _read_block(self, inspector: FormatInspector, block: bytes) -> None:
        find_nul(block, self._lines, self._findings)
        inspector.feed(block)
        self._lines.feed(block)

    def _judge_lines(self, ends: Mapping[str, int]) -> None:
        """The newlines of a table are those that end its records: a line break inside a cell may be any."""
        kinds = [kind for kind, count in ends.items() if count]
        self._note(newline="mixed" if len(kinds) > 1 else next(iter(kinds), None))
        if len(kinds) > 1:
            counted = (f"{ends[kind]:,} {kind.upper()}" for kind in kinds)
            self._findings.add("mixed-newlines", newlines=" and ".join(counted))
        if not self._lines.ends_with_newline and self._report.format not in (Format.JSON, Format.XML):
            self._findings.add("no-final-newline", line=self._lines.total)

    # -- names

    @property
    def _named(self) -> str | None:
        """The format that the name says, first that of the file in an archive."""
        inner = self._unpacker.file_name if self._unpacker else None
        return Name.of(inner or "").format or self._name.format

    def _compare(self, found: str) -> None:
        self._compare_name(found)
        self._compare_declared(found)

    def _compare_name(self, found: str) -> None:
        compression, packed = self._name.compression, self._report.compression
        if packed and not compression:
            if self._name.format:
                self._mismatch(self._name.format, packed)
        elif compression and compression != packed:
            self._mismatch(compression, packed or found)
        else:
            for named in dict.fromkeys((self._name.format, self._named)):
                if named and named != found and not {named, found} <= {Format.CSV, Format.TSV}:
                    self._mismatch(named, found)

    def _mismatch(self, named: str, found: str) -> None:
        self._findings.add("name-content-mismatch", named=named, found=found)

    def _compare_declared(self, found: str) -> None:
        declared = (self._declared_type or "").partition(";")[0].strip().lower()
        if not fits_declared(declared, found, self._report.compression):
            self._findings.add("declared-type-mismatch", declared=declared[:100], found=found)
