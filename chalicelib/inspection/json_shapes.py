"""Shapes: how most records of one producer are spelled, each as one pattern that reads whole runs of them.

A shape is made from a record that was read and found valid. It matches the same text with other scalars in
the place of its scalars. So whatever it matches is valid too, is nested as deep, and has the same names: it has
no duplicate and no new column, and only has to be counted. The patterns run at several times the speed of
reading member by member.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from chalicelib.inspection.json_grammar import NUMBER, SCALAR, SPACE, STRING, WORD
from chalicelib.inspection.limits import KIB
from chalicelib.inspection.patterns import compiled

LEARN_AFTER = 128 * KIB
"""How many bytes no shape has matched before the first is made, and again per shape: making one takes 1 ms."""
LEARN_RATIO = 64
"""And how many times the sample's size: a longer pattern takes longer to make."""
_MOST = 8

# A line feed outside strings is in a shape as it is in the sample, so that lines can be told and counted.
_BLANK = rb"[ \t\r]*+"
_LIST = rb"\[" + _BLANK + rb"(?:" + SCALAR + _BLANK + rb"(?:," + _BLANK + SCALAR + _BLANK + rb")*+)?\]"
_find_tokens = compiled(
    rb"(?P<name>" + STRING + SPACE + rb":)|(?P<list>" + _LIST + rb")|(?P<text>" + STRING + rb")"
    rb"|(?P<number>" + NUMBER + rb")|(?P<word>" + WORD + rb")"
).finditer
_KINDS = {
    "list": _LIST,
    # The same alternatives as in SCALAR; a value is most often of the kind it has in the sample.
    "text": SCALAR,
    "number": rb"(?:" + NUMBER + rb"|" + STRING + rb"|" + WORD + rb")",
    "word": rb"(?:" + WORD + rb"|" + STRING + rb"|" + NUMBER + rb")",
}


@dataclass(frozen=True, slots=True)
class _Shape:
    pattern: re.Pattern[bytes]
    line_feeds: int
    """How many line feeds one record has; 0 if the pattern matches one record, else it matches a run."""

    def take(self, block: bytes, position: int) -> tuple[int, int]:
        count = 0
        if self.line_feeds:
            if run := self.pattern.match(block, position):
                count = block.count(b"\n", position, run.end()) // self.line_feeds
                position = run.end()
            return count, position
        match = self.pattern.match
        while one := match(block, position):
            position = one.end()
            count += 1
        return count, position


class Shapes:
    """The shapes of one file's records, learnt from those that none of them matches yet."""

    def __init__(self) -> None:
        self._shapes: list[_Shape] = []
        self._unmatched = 0

    def take(self, block: bytes, position: int) -> tuple[int, int]:
        """Read the records that begin here and have a known shape: how many, and where they end."""
        total = tried = 0
        while tried < len(self._shapes):
            count, position = self._shapes[tried].take(block, position)
            total += count
            if count:
                # What matched last is kept first, as neighbours are often alike; it cannot match again here.
                self._shapes.insert(0, self._shapes.pop(tried))
            tried = 1 if count else tried + 1
        return total, position

    def learn(self, sample: bytes, standing_for: int) -> None:
        """Take note of a record, with all that separates it from the next, and of how many bytes were unmatched.

        It must be valid and have no duplicate name, and its names be among the columns.
        """
        self._unmatched += standing_for
        enough = max(LEARN_AFTER * (len(self._shapes) + 1), LEARN_RATIO * len(sample))
        if self._unmatched >= enough:
            self._unmatched = 0
            self._shapes.insert(0, _shape_of(sample))
            del self._shapes[_MOST:]


def _shape_of(sample: bytes) -> _Shape:
    pattern = b"".join(_pieces(sample))
    line_feeds = sample.count(b"\n")
    return _Shape(compiled(b"(?:" + pattern + b")++" if line_feeds else pattern), line_feeds)


def _pieces(sample: bytes) -> Iterator[bytes]:
    done = 0
    for token in _find_tokens(sample):
        yield re.escape(sample[done : token.start()])
        yield _KINDS.get(token.lastgroup or "", re.escape(token[0]))
        done = token.end()
    yield re.escape(sample[done:])
