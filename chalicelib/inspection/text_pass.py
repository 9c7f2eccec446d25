"""The pass over a text: what it is, decoded and judged block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING

from chalicelib.inspection.delimited import Delimited
from chalicelib.inspection.dialect import DELIMITERS, Dialect, detect_dialect
from chalicelib.inspection.draft import Draft
from chalicelib.inspection.encoding_guess import guess_encoding, is_legacy, unmarked_utf16
from chalicelib.inspection.expectation import Expectation
from chalicelib.inspection.limits import Limits
from chalicelib.inspection.media_types import TABLES, TEXTS, Format
from chalicelib.inspection.sinks import Both
from chalicelib.inspection.text import REPLACEMENT, Decoder, Lines, find_nul, first_encoding
from chalicelib.inspection.text_encodings import python_name
from chalicelib.inspection.text_format import text_format

if TYPE_CHECKING:
    from chalicelib.inspection.formats import FormatInspector
    from chalicelib.inspection.profile import JsonProfile, TableProfile


class TextPass:
    """Reads one text; its first block tells the format, and what reads that is fed the rest."""

    def __init__(
        self,
        head: bytes,
        *,
        mark: str | None,
        named: str | None,
        whole: bool,
        draft: Draft,
        expectation: Expectation,
        limits: Limits,
    ) -> None:
        """Of the text behind its byte order mark that begins with `head`; `whole` if that is all of it."""
        self._head = head
        self._mark = mark
        self._draft = draft
        self._findings = draft.findings
        self._expectation = expectation
        self._limits = limits
        self._lines = Lines()
        self._profile: TableProfile | JsonProfile | None = None
        self._said = mark or first_encoding(head) or expectation.encoding
        self._unmarked = None if self._said else unmarked_utf16(head)
        self.format, self._dialect = self._detect(self._sample(), named, whole=whole)

    def _sample(self) -> str:
        head, known = self._head, self._said or (self._unmarked and self._unmarked.encoding)
        sample = head.decode(python_name(known or "utf-8"), "replace")
        if known or REPLACEMENT not in sample or not is_legacy(head):
            return sample
        return head.decode(python_name(guess_encoding(head).encoding), "replace")

    def _detect(self, sample: str, named: str | None, *, whole: bool) -> tuple[str, Dialect | None]:
        expected, may_have_title = self._expectation.format, self._draft.contracted is None
        if expected in TABLES:
            said = self._expectation.delimiter or ("\t" if expected == Format.TSV else None)
            delimiters = (said,) if said else DELIMITERS
            return expected, detect_dialect(sample, whole=whole, delimiters=delimiters, may_have_title=may_have_title)
        if expected in TEXTS:
            return expected, None
        return text_format(sample, named, whole=whole, may_have_title=may_have_title)

    def run(self, blocks: Iterator[bytes], *, is_cut: Callable[[], bool]) -> None:
        """Read the rest too. `is_cut` is asked at the end: whether that is not the file's own."""
        if self._mark:
            self._report_mark(self._mark)
        decoder = self._xml_decoder() if self.format == Format.XML else self._decoder()
        if decoder is None:
            for _ in blocks:
                pass
            return
        self._read(self._inspector(), decoder, chain([self._head], blocks), is_cut)
        confidence = self._unmarked.confidence if self._unmarked else decoder.confidence
        self._draft.note(encoding=decoder.encoding, encoding_confidence=confidence)

    def _report_mark(self, mark: str) -> None:
        said = self._expectation.encoding
        self._findings.add("bom-present", encoding=mark.upper())
        if said not in (None, mark):
            self._findings.add("unexpected-encoding", found=mark, expected=said)

    def _decoder(self) -> Decoder:
        mark, said = self._mark, self._expectation.encoding
        is_json = self.format in (Format.JSON, Format.JSONL)
        unmarked = self._unmarked
        if unmarked:
            self._findings.add("encoding-guessed", line=1, column=1, **unmarked.values)
        if is_json and (unmarked or mark not in (None, "utf-8")):
            reason = "JSON is always UTF-8 (RFC 8259, section 8.1)"
            self._findings.add("invalid-encoding", encoding="JSON", reason=reason)
        if unmarked:
            return Decoder(self._findings, self._lines, unmarked.encoding, may_guess=False, limits=self._limits)
        encoding = mark or (said if said and not is_json else "utf-8")
        may_guess = not (mark or said or is_json)
        return Decoder(self._findings, self._lines, encoding, may_guess=may_guess, limits=self._limits)

    def _xml_decoder(self) -> Decoder | None:
        """XML says itself which encoding it is in; where that is not to be relied on, its text is not checked."""
        from chalicelib.inspection.xml_encoding import xml_encoding  # noqa: PLC0415 (on first use)

        said = xml_encoding(self._head, self._mark)
        if said.fault:
            self._findings.add("xml-encoding", line=1, column=1, reason=said.fault)
            return None
        return Decoder(self._findings, self._lines, said.name, may_guess=False, codec=said.codec, limits=self._limits)

    def _inspector(self) -> FormatInspector:
        contracted, dialect = self._draft.contracted, self._dialect
        sink = contracted.sink(self.format, dialect.delimiter if dialect else None) if contracted else None
        if dialect:
            from chalicelib.inspection.profile import TableProfile  # noqa: PLC0415 (on first use)

            delimiter, samples = dialect.delimiter, self._expectation.samples
            table = self._profile = TableProfile(self._findings, self._limits, delimiter=delimiter, samples=samples)
            return Delimited(
                self._findings,
                self._limits,
                delimiter=dialect.delimiter,
                header=self._expectation.header,
                width=self._expectation.width,
                confidence=dialect.confidence,
                sink=Both(table, sink) if sink else table,
            )
        if self.format == Format.XML:
            from chalicelib.inspection.xml_text import XmlText  # noqa: PLC0415 (on first use)

            return XmlText(self._findings, self._limits)
        if self.format == Format.JSON:
            from chalicelib.inspection.json_text import JsonText  # noqa: PLC0415 (on first use)

            return JsonText(self._findings, self._limits)
        if self.format == Format.JSONL:
            from chalicelib.inspection.json_lines import JsonLines  # noqa: PLC0415 (on first use)
            from chalicelib.inspection.profile import JsonProfile  # noqa: PLC0415

            lines = self._profile = JsonProfile(self._findings, self._limits, samples=self._expectation.samples)
            return JsonLines(self._findings, self._limits, sink=sink, profile=lines)
        from chalicelib.inspection.plain import PlainText  # noqa: PLC0415 (on first use)

        return PlainText()

    def _read(
        self, inspector: FormatInspector, decoder: Decoder, blocks: Iterator[bytes], is_cut: Callable[[], bool]
    ) -> None:
        for block in blocks:
            self._read_block(inspector, decoder.feed(block))
        inspector.feed(b"")  # whatever is complete is judged before the end is
        cut = is_cut()
        with self._findings.closed(when=cut):  # a last record cut in two is no fault of its own
            self._read_block(inspector, decoder.feed(b"", final=True))
            facts = inspector.finish()
            facts = self._profile.facts(facts) if self._profile else facts
            self._judge_lines(inspector.record_ends if isinstance(inspector, Delimited) else self._lines.kinds)
        if self._draft.contracted:
            self._draft.contracted.finish(is_whole=not cut)
        self._draft.note(facts=facts._replace(records=None) if cut else facts, lines=None if cut else self._lines.total)

    def _read_block(self, inspector: FormatInspector, block: bytes) -> None:
        find_nul(block, self._lines, self._findings)
        inspector.feed(block)
        self._lines.feed(block, inspector.newlines)

    def _judge_lines(self, ends: Mapping[str, int]) -> None:
        """The newlines of a table are those that end its records: a line break inside a cell may be any."""
        kinds = [kind for kind, count in ends.items() if count]
        self._draft.note(newline="mixed" if len(kinds) > 1 else next(iter(kinds), None))
        if len(kinds) > 1:
            counted = (f"{ends[kind]:,} {kind.upper()}" for kind in kinds)
            self._findings.add("mixed-newlines", newlines=" and ".join(counted))
        if not self._lines.ends_with_newline and self.format not in (Format.JSON, Format.XML):
            self._findings.add("no-final-newline", line=self._lines.total)
