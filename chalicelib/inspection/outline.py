"""The grammar of delimited text (RFC 4180), as patterns over its outline.

An outline is as long as its text: the delimiter is a comma in it, quotes and line ends are themselves, and any
other byte is an x. So the patterns are the same for every delimiter, and skip what is in a cell at full speed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from chalicelib.inspection.patterns import compiled
from chalicelib.inspection.text import has_lone_cr

QUOTE = b'"'

_QUOTED = rb'"[^"]*+(?:""[^"]*+)*+"'
_RIGHT_CELL = rb"(?:" + _QUOTED + rb"|x*+)"
_END = rb"(?:\n|\r\n?+)"
_BLANKS = compiled(rb"[\r\n]*+")

# As Python's csv reads them: text may follow a closing quote, and a quote may stand in an unquoted cell.
_ANY_CELL = rb"(?:" + _QUOTED + rb'[x"]*+|x[x"]*+|(?!"))'
_ANY_RECORD = compiled(rb"(?:" + _ANY_CELL + rb",)*+" + _ANY_CELL + _END)
_EACH_CELL = compiled(
    rb"(?:\A|,)(?P<cell>)(?:" + _QUOTED + rb'(?P<behind>[x"]++)?+|(?P<unclosed>".*+)|x*+(?P<within>"[x"]*+)?+)',
    re.DOTALL,
)

_WRITTEN_OUT = 64  # a pattern with more cells takes long to compile: it repeats one, which is a third slower


class Outliner:
    """Draws the outline of text with this delimiter, a single byte."""

    def __init__(self, delimiter: bytes) -> None:
        table = bytearray(b"x" * 256)
        table[ord(delimiter)] = ord(",")
        for byte in b'"\r\n':
            table[byte] = byte
        self._table = bytes(table)

    def of(self, text: bytes, begin: int = 0) -> bytes:
        """The outline of the text; what is before `begin` is not drawn, and is NUL."""
        return bytes(begin) + text[begin:].translate(self._table) if begin else text.translate(self._table)


def blanks_end(outline: bytes, at: int) -> int:
    """Where the line ends that stand at `at`, the start of a record, are behind: each is a blank row."""
    found = _BLANKS.match(outline, at)
    return found.end() if found else at


def record_end(outline: bytes, at: int) -> int | None:
    """Where the record that starts at `at` is behind its line end; None if it is not ended."""
    found = _ANY_RECORD.match(outline, at)
    return found.end() if found else None


def each_cell(outline: bytes) -> Iterator[re.Match[bytes]]:
    """The cells of a record without its line end; one at a time, because a hostile one may have millions.

    A cell starts at the group `cell` and ends with the match. Its last group tells if a quote is wrong: `behind` is
    what follows its closing quote, `within` starts with a quote in an unquoted cell, `unclosed` with one that nothing
    closes.
    """
    return _EACH_CELL.finditer(outline)


def run_end(outline: bytes, at: int, like: Sequence[bool]) -> int:
    """Where a run of ended, right records that starts at `at` ends, each with as many cells as `like` has items.

    These tell which cells are likely to be quoted; where they are right, the run is found in two thirds of the time.
    """
    found = _run(tuple(like) if len(like) <= _WRITTEN_OUT else len(like)).match(outline, at)
    return found.end() if found else at


@lru_cache(maxsize=32)
def _run(like: tuple[bool, ...] | int) -> re.Pattern[bytes]:
    if isinstance(like, int):
        return compiled(rb"(?:(?:%b,){%d}+%b%b)*+" % (_RIGHT_CELL, like - 1, _RIGHT_CELL, _END))
    if len(like) == 1:
        return compiled(rb"(?:(?:%b|x++)%b)*+" % (_QUOTED, _END))  # an only cell with nothing in it is a blank row
    likely = b",".join(rb'"[^"]*+"' if is_quoted else rb"x*+" for is_quoted in like)
    row = b",".join([_RIGHT_CELL] * len(like))
    return compiled(rb"(?:%b\r?+\n|%b%b)*+" % (likely, row, _END))


class Ends(NamedTuple):
    """How many records end in each way, and how many physical lines they span."""

    kinds: Mapping[str, int]
    lines: int

    @property
    def records(self) -> int:
        """How many records end."""
        return sum(self.kinds.values())


def count_ends(outline: bytes) -> Ends:
    """Count the ends of whole records that have no quote in a wrong place."""
    if has_lone_cr(outline):  # it must not meet an LF once what is between them is gone, so pairs go first
        marks = outline.replace(b"\r\n", b"N").translate(None, b"x,")
    else:
        marks = outline.translate(None, b"x,").replace(b"\r\n", b"N")
    # Only the parity of the quotes tells cells from what is between them, so pairs go first, at C speed.
    marks = marks.replace(QUOTE + QUOTE, b"")
    outside = b"".join(marks.split(QUOTE)[::2]) if QUOTE in marks else marks
    kinds = {"lf": outside.count(b"\n"), "crlf": outside.count(b"N"), "cr": outside.count(b"\r")}
    return Ends(kinds, len(marks) - marks.count(QUOTE))
