"""Inspects XML 1.0 (fifth edition): whether a document is well-formed, and its elements."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import islice
from pyexpat import ErrorString, ExpatError, ParserCreate, XMLParserType
from typing import Any

from chalicelib.findings import Findings
from chalicelib.inspection.limits import Limits
from chalicelib.inspection.report import Facts
from chalicelib.inspection.report_parts import ElementCount
from chalicelib.inspection.text import Newlines
from chalicelib.inspection.xml_doctype import Doctype
from chalicelib.inspection.xml_elements import Elements
from chalicelib.inspection.xml_names import original
from chalicelib.inspection.xml_namespaces import Namespaces
from chalicelib.inspection.xml_source import Refused, Source, place

_is_version = re.compile(r"1\.[0-9]+").fullmatch
_find_declaration = re.compile(r"<\?xml[ \t\r\n]").match

REASONS: Mapping[int, str] = {
    3: "it ends before its outermost element does",
    4: "there is a character or a piece of markup that may not be there",
    5: "it ends inside a tag, a comment, an instruction or a declaration",
    6: "it ends inside a character",
    7: "an end tag is not that of the element that is open",
    8: "a tag has the same attribute twice",
    9: "something follows the outermost element",
    10: "a parameter entity is used inside a declaration",
    11: "an entity is used that is not declared",
    14: "a character reference is to no character that XML has",
    15: "an entity is used that is no text",
    16: "an attribute uses an external entity",
    17: "the XML declaration is not at the very beginning",
    20: "a CDATA section is not closed",
    30: "the XML declaration is not right",
    32: "a public identifier has a character that it may not have",
}
"""What the errors of expat say, by their number, where that can be said better than expat does."""

UNCLOSED, JUNK = 5, 9
FOLLOWING = (4, JUNK)
"""What expat says of text after the outermost element."""


class XmlText:
    """Judges one document up to its first error.

    Blocks are UTF-8 whatever the document declares (`xml_encoding` has made them so). If the root's children are
    all of one name, as in an export, they are the records; otherwise the document has no such list, and no records.
    """

    newlines: Newlines | None = None
    """Nothing here counts line ends."""

    def __init__(self, findings: Findings, limits: Limits) -> None:
        self._findings = findings
        self._limits = limits
        self._parser = parser = _new_parser()
        self._doctype = Doctype(parser, findings, limits)
        self._namespaces = Namespaces(self._warn, lambda: self._doctype.may_declare_namespaces)
        self._elements = Elements(parser, limits, self._namespaces)
        self._source = Source(parser, limits, self._doctype.check)
        self._stopped = False
        parser.XmlDeclHandler = self._declaration
        parser.ProcessingInstructionHandler = lambda target, _: self._namespaces.judge_plain(target)
        parser.NotationDeclHandler = lambda name, *_: self._namespaces.judge_plain(name)

    def feed(self, block: bytes) -> None:
        """Take the next block."""
        self._read(block)

    def finish(self) -> Facts:
        """Judge the end of the document."""
        self._read(None)
        if self._stopped:
            return Facts(root=self._root())
        counts, children = self._elements.counts, self._elements.children
        named = islice(counts.items(), self._limits.named_columns)
        return Facts(
            root=self._root(),
            records=sum(children.values()) if len(children) == 1 else None,
            elements=sum(counts.values()),
            element_counts=tuple(ElementCount(name=self._shown(name), count=count) for name, count in named),
        )

    def _root(self) -> str | None:
        root = self._elements.root
        return self._shown(root) if root is not None else None

    def _shown(self, name: str) -> str:
        return original(name)[: self._limits.name_length]

    def _read(self, block: bytes | None) -> None:
        if self._stopped:
            return
        try:
            if block is None:
                self._source.finish()
            else:
                self._source.feed(block)
        except ExpatError as error:
            self._stop_at(error)
        except Refused as error:
            self._stop(error.code, *error.place, **error.values)

    def _stop_at(self, error: ExpatError) -> None:
        is_text = error.code in FOLLOWING or (error.code == UNCLOSED and self._source.ends_in_text)
        if is_text and self._elements.are_over:
            # Which of them expat meets, and at which character of one word, depends on where its blocks end.
            self._findings.add("malformed-xml", line=error.lineno, reason=REASONS[JUNK])
            self._stopped = True
        else:
            reason = REASONS.get(error.code, ErrorString(error.code) or "")
            self._stop("malformed-xml", self._parser.ErrorByteIndex, error.lineno, error.offset, reason=reason)

    def _stop(self, code: str, index: int, line: int, column: int, **values: Any) -> None:
        self._findings.add(code, line=line, column=self._source.column(index, column), **values)
        self._stopped = True

    def _warn(self, reason: str, name: str) -> None:
        if self._findings.full("xml-namespace"):
            self._findings.count("xml-namespace", 1)
            return
        index, line, column = place(self._parser)
        column = self._source.column(index, column)
        self._findings.add("xml-namespace", line=line, column=column, field=self._shown(name), reason=reason)

    def _declaration(self, version: str, _encoding: str | None, standalone: int) -> None:
        if not _is_version(version):
            raise Refused(self._parser, "malformed-xml", reason="its version is not 1.0")
        if standalone == 1:
            self._doctype.stand_alone()


def _new_parser() -> XMLParserType:
    parser = ParserCreate("utf-8", intern={})
    if disable := getattr(parser, "SetReparseDeferralEnabled", None):
        disable(False)  # `Source` does it, for every version of expat
    return parser


def looks_like_xml(sample: str, *, whole: bool) -> bool:
    """Whether a text that begins with the sample, or is no more than it, is XML by its first words or throughout."""
    if _find_declaration(sample):
        return True
    if not sample.lstrip(" \t\r\n").startswith("<"):
        return False
    findings = Findings()
    inspector = XmlText(findings, Limits())
    inspector.feed(sample.encode())
    inspector.feed(b"")
    if whole:
        inspector.finish()
    # Words in angle brackets may be many without an end, and are then deeper than any document.
    is_judged = findings.counts.keys().isdisjoint(("xml-too-deep", "xml-too-complex")) or "</" in sample
    return is_judged and "malformed-xml" not in findings.counts
