"""Delimited text read two ways: a block's shape at the speed of C loops, and one record exactly."""

from __future__ import annotations

import re
from dataclasses import dataclass

QUOTE = b'"'


@dataclass(frozen=True, slots=True)
class Shape:
    """A block from the start of a record on, with each quoted cell replaced by one quote.

    `cut` is where, in the block, its last complete record ends; `frame` is the shape up to there, `rest` after it.
    `is_open` tells that the block ends inside a quoted cell.
    """

    frame: bytes
    rest: bytes
    cut: int
    is_open: bool


def shape_of(data: bytes) -> Shape:
    """The shape of `data`, taking every quote at its word; `quotes_fit` tells whether that was right."""
    parts = data.split(QUOTE)
    shape = QUOTE.join(parts[::2])
    while QUOTE + QUOTE in shape:  # a quote doubled inside a cell leaves two in a row
        shape = shape.replace(QUOTE + QUOTE, QUOTE)
    end = _after_last_line_end(shape)
    return Shape(frame=shape[:end], rest=shape[end:], cut=_cut(data, parts), is_open=len(parts) % 2 == 0)


def _cut(data: bytes, parts: list[bytes]) -> int:
    """Where the last line end outside quotes stands: behind it, as a position in `data`."""
    behind = len(data)
    for index in range(len(parts) - 1, -1, -1):
        behind -= len(parts[index])
        if index % 2 == 0:
            end = _after_last_line_end(parts[index])
            if end:
                return behind + end
        behind -= 1
    return 0


def _after_last_line_end(text: bytes) -> int:
    return max(text.rfind(b"\n"), text.rfind(b"\r") if b"\r" in text else -1) + 1


def quotes_fit(shape: Shape, delimiter: bytes) -> bool:
    """Whether each quoted cell fills its cell, and no quote stands elsewhere (RFC 4180, section 2, rules 5 to 7).

    Every quote of a shape has one neighbour on each side, so counting the right neighbours is exact.
    """
    text = shape.frame + shape.rest
    quotes = text.count(QUOTE)
    if not quotes:
        return True
    before = text.startswith(QUOTE) + sum(text.count(mark + QUOTE) for mark in (delimiter, b"\n", b"\r"))
    after = text.endswith(QUOTE) + sum(text.count(QUOTE + mark) for mark in (delimiter, b"\n", b"\r"))
    return before == after == quotes


@dataclass(frozen=True, slots=True)
class Cell:
    """Where a cell starts, and the first quote in it that breaks the standard, as positions in the block."""

    start: int
    stray: int | None = None
    unclosed: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """One record; `end` is behind its line end."""

    cells: tuple[Cell, ...]
    end: int


class RecordReader:
    """Reads one record at a time as Python's `csv` does, noting every quote that RFC 4180 does not allow."""

    def __init__(self, delimiter: bytes) -> None:
        mark = re.escape(delimiter)
        self._cell = re.compile(
            rb'(?P<quoted>"(?:[^"]++|"")*+")?(?P<plain>[^' + mark + rb"\r\n]*+)(?P<end>" + mark + rb"|\r\n|\n|\r)"
        )

    def read(self, data: bytes, at: int, *, final: bool = False) -> Record | None:
        """The record that starts at `at`, or None if it does not end in `data`; the `final` one ends with it."""
        cells: list[Cell] = []
        while True:
            found = self._cell.match(data, at)
            if found is None or (found["quoted"] is None and data.startswith(QUOTE, at)):
                return self._last(data, at, cells) if final else None
            cells.append(Cell(at, _stray(found)))
            at = found.end()
            if found["end"] in (b"\n", b"\r\n", b"\r"):
                return Record(tuple(cells), at)

    def _last(self, data: bytes, at: int, cells: list[Cell]) -> Record:
        """The record that the end of the file cuts: its last cell is what is left."""
        found = self._cell.match(data + b"\n", at)
        unclosed = data.startswith(QUOTE, at) and (found is None or found["quoted"] is None)
        stray = None if unclosed or found is None else _stray(found)
        return Record((*cells, Cell(at, stray, unclosed)), len(data))


def _stray(found: re.Match[bytes]) -> int | None:
    if found["quoted"] is not None and found["plain"]:
        return found.end("quoted") - 1
    quote = found["plain"].find(QUOTE)
    return found.start("plain") + quote if quote >= 0 else None
