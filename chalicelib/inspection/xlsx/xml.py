"""Reads the XML of a workbook's parts with expat, within bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pyexpat import ExpatError, ParserCreate
from typing import Protocol

from chalicelib.inspection.limits import MIB
from chalicelib.inspection.xlsx.package import DamagedError

_DEEPEST = 200
_LONGEST_TAG = MIB
_MOST_NAMES = 20_000
"""What the parser keeps each of; a workbook has some hundred."""
_BUFFER = 64 * 1024
MAIN = (
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
)
RELATIONSHIPS = (
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    "http://purl.oclc.org/ooxml/officeDocument/relationships",
)
PACKAGE = ("http://schemas.openxmlformats.org/package/2006/relationships",)
CONTENT_TYPES = ("http://schemas.openxmlformats.org/package/2006/content-types",)


def named(namespaces: Iterable[str], *tags: str) -> Mapping[str, str]:
    """The tags by their names as the parser gives them, in each of the namespaces."""
    return {f"{namespace} {tag}": tag for namespace in namespaces for tag in tags}


class Handler(Protocol):
    """Takes what a part has, in its order; `tags` are those it is told of. It raises DamagedError."""

    tags: Mapping[str, str]

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""

    def end(self, tag: str) -> None:
        """An element ends."""

    def text(self, data: str) -> None:
        """Text, in as many pieces as it happens to come in."""


def read_xml(pieces: Iterable[bytes], handler: Handler, what: str, tick: Callable[[], None]) -> None:
    """Read a part, `what` in words, to its end; raises DamagedError if it is no XML, or has a document type."""
    tags, begin, finish = handler.tags.get, handler.start, handler.end
    depth = Depth()

    def start(name: str, attributes: Mapping[str, str]) -> None:
        depth.enter()
        tag = tags(name)
        if tag is not None:
            begin(tag, attributes)

    def end(name: str) -> None:
        depth.leave()
        tag = tags(name)
        if tag is not None:
            finish(tag)

    read_raw(pieces, (start, end, handler.text), what, tick)


class Depth:
    """Refuses elements within elements without end."""

    def __init__(self) -> None:
        self._depth = 0

    def enter(self) -> None:
        """An element begins."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise DamagedError("a part of it is nested too deep")

    def leave(self) -> None:
        """An element ends."""
        self._depth -= 1


Raw = tuple[Callable[[str, Mapping[str, str]], None], Callable[[str], None], Callable[[str], None]]
"""What takes the start of an element, its end, and text, as the parser gives them."""


def read_raw(pieces: Iterable[bytes], handlers: Raw, what: str, tick: Callable[[], None]) -> None:
    """The same for one that keeps the depth and knows the tags itself, which is faster."""
    names: dict[str, str] = {}
    parser = ParserCreate(namespace_separator=" ", intern=names)
    parser.buffer_text, parser.buffer_size = True, _BUFFER

    def refuse(*_: object) -> None:
        raise DamagedError(f"{what} has a document type, which no workbook may have")

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = handlers
    parser.StartDoctypeDeclHandler = refuse
    fed = 0
    try:
        for piece in pieces:
            tick()
            parser.Parse(piece, False)
            fed += len(piece)
            if len(names) > _MOST_NAMES or fed - parser.CurrentByteIndex > _LONGEST_TAG:
                raise DamagedError(f"{what} has a tag, or names, beyond all measure")
        parser.Parse(b"", True)
    except ExpatError:
        raise DamagedError(f"{what} is no well-formed XML") from None
