"""Whether a piece of delimited text is nothing but right records, told by a few passes at C speed.

Three things are asked, and only text that passes all is taken; the rest is left to the patterns of `outline`.
Whichever cells are quoted, each quote ends what the one before it began, so every second piece between quotes is
outside them. Outside, delimiters and line ends must repeat as in a row of the table. And each piece outside must be
nothing (the quotes around it are an escaped one), or stand apart from the quotes around it by a delimiter or line end.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from chalicelib.inspection.outline import QUOTE
from chalicelib.inspection.patterns import compiled
from chalicelib.inspection.text import NEWLINES, Newlines, has_lone_cr

_PAIR = QUOTE + QUOTE
_WRITTEN_OUT = 16  # cells in a pattern's repetition: each repetition costs as much as a cell
_Match = Callable[[bytes], re.Match[bytes] | None]


class Regular(NamedTuple):
    """Right records that end all in one way: how many, where the last one ends, and the line ends in all of them."""

    newline: str
    records: int
    end: int
    newlines: Newlines


class RegularText:
    """Recognises it, for one delimiter."""

    def __init__(self, delimiter: bytes) -> None:
        self._delimiter = delimiter
        self._unmarked = _unmarked(delimiter)
        self._repeated = b""

    def records(self, data: bytes, width: int) -> Regular | None:
        """All complete records of `data`, which begins with one, if each has `width` cells, two at least, and is right.

        The last complete record may be missing where a line end follows in its cells; it is then one that waits.
        """
        marks = data.translate(None, self._unmarked)
        end = _last_end(data, marks.count(QUOTE))
        text = data[:end]
        marks = marks[: len(marks) - len(data[end:].translate(None, self._unmarked))]
        newline = "crlf" if text.endswith(b"\r\n") else "lf"
        records = self._rows(_outside(marks), self._delimiter * (width - 1) + NEWLINES[newline])
        # What stands between a CR and an LF, so that they are no pair, is no mark.
        if not records or (b"\r" in marks and has_lone_cr(text)) or (QUOTE in marks and not self._is_placed(text)):
            return None
        returns = marks.count(b"\r")
        return Regular(newline, records, end, (marks.count(b"\n"), returns, returns))

    def _rows(self, marks: bytes, row: bytes) -> int:
        """How many times the marks repeat those of a row; 0 if they are anything else."""
        count, rest = divmod(len(marks), len(row))
        if not self._repeated.startswith(row) or len(self._repeated) < len(marks):
            self._repeated = row * (count + 1)
        return 0 if rest or not self._repeated.startswith(marks) else count

    def _is_placed(self, text: bytes) -> bool:
        """Whether every quote is where a quoted cell begins or ends, or is an escaped one in it."""
        found = (matches(text) for matches in _patterns(self._delimiter))
        return any(match is not None and match.end() == len(text) for match in found)


@cache
def _unmarked(delimiter: bytes) -> bytes:
    return bytes(set(range(256)) - set(delimiter + b'"\r\n'))


@cache
def _patterns(delimiter: bytes) -> tuple[_Match, _Match]:
    """What matches text in which every quote is in its place.

    The first is for text of which every cell is quoted: there it takes half the time, and elsewhere none.
    """
    apart = re.escape(delimiter) + rb"\r\n"
    quoted = rb'"[^"]*+"[%b]*+' % apart
    only_quoted = compiled(rb"(?:%b)*+(?:%b)*+" % (quoted * _WRITTEN_OUT, quoted)).match
    placed = compiled(rb'[^"]*+(?:(?<![^"%b])"[^"]*+"(?![^"%b])[^"]*+)*+' % (apart, apart)).match
    return only_quoted, placed


def _last_end(data: bytes, quotes: int) -> int:
    """Where the last line end outside of quotes is behind, as far as `quotes`, how many there are in all, tell."""
    end = data.rfind(b"\n") + 1
    quotes -= data.count(QUOTE, end)
    while quotes % 2:
        before = data.rfind(b"\n", 0, data.rfind(QUOTE, 0, end)) + 1
        quotes -= data.count(QUOTE, before, end)
        end = before
    return end


def _outside(marks: bytes) -> bytes:
    """The marks that are outside of quotes, of which there are as many as end cells."""
    if QUOTE not in marks:
        return marks
    # Only the parity of the quotes tells, so pairs go first: they are most of all, and nothing needs to be split there.
    left = marks.replace(_PAIR, b"")
    return b"".join(left.split(QUOTE)[::2]) if QUOTE in left else left
