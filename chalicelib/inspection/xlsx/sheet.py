"""Reads the cells of a sheet, row by row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from chalicelib.inspection.limits import MIB
from chalicelib.inspection.xlsx.package import DamagedError
from chalicelib.inspection.xlsx.xml import MAIN, Depth, Raw, named

LAST_ROW, LAST_COLUMN = 1_048_576, 16_384
INLINE = "inlineStr"
"""The type of a cell whose value is in its `is` (ECMA-376 part 1, 18.18.11)."""
_LONGEST_TEXT = MIB
"""Programs hold 32,767 characters in a cell."""
_DIGITS = "0123456789"
_MISPLACED = "a value stands in no cell, or in one that has a value"
_CELL = frozenset(named(MAIN, "c"))
_VALUE = frozenset(named(MAIN, "v"))
_VALUE_NAME = next(iter(_VALUE))
_TAGS = named(MAIN, "row", "is", "t", "rPh")

Cell = tuple[int, str | None, str | None, str]
"""Column from 1, type, style, and what stands in the cell."""


class RowTooLongError(Exception):
    """A row, of which this is the number, takes more memory than the limit."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


class SheetReader:
    """Gives each row's cells that have something in them, left to right; raises DamagedError if they are not in order.

    Its methods are called several times for each cell: they do all they can themselves.
    """

    def __init__(self, take: Callable[[int, Sequence[Cell]], None], *, row_bytes: int) -> None:
        self._take = take
        self._most = row_bytes
        self._columns: dict[str, int] = {}
        self._depth = Depth()
        self._row = 0
        self._row_text = ""
        self._in_row = self._in_cell = False
        self._cells: list[Cell] = []
        self._size = 0
        self._column = 0
        self._kind: str | None = None
        self._style: str | None = None
        self._text = ""
        self._takes = self._in_line = False
        self._silent = 0

    @property
    def handlers(self) -> Raw:
        """What a parser is to call."""
        return self._start, self._end, self._say

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        """An element begins; the commonest first."""
        if name in _CELL:
            reference = attributes.get("r")
            column = self._column + 1 if reference is None else self._column_of(reference)
            if self._in_cell or not self._in_row or not self._column < column <= LAST_COLUMN:
                raise DamagedError("the cells of a row are not in order")
            self._column, self._in_cell = column, True
            self._kind, self._style = attributes.get("t"), attributes.get("s")
        elif name in _VALUE:
            if self._takes or self._in_line or not self._in_cell:
                raise DamagedError(_MISPLACED)
            self._text, self._takes = "", True
        else:
            self._start_other(name, attributes)

    def _say(self, data: str) -> None:
        """A piece of what stands in a cell, or between the elements."""
        if self._takes:
            self._text = self._text + data if self._text else data
            if len(self._text) > _LONGEST_TEXT:
                raise DamagedError("a cell has a text longer than any program holds")

    def _end(self, name: str) -> None:
        """An element ends."""
        if name in _CELL:
            self._in_cell, self._kind = False, None
        elif name in _VALUE:
            self._cells.append((self._column, self._kind, self._style, self._text))
            self._size += len(self._text)
            self._takes = self._in_cell = False
            if self._size > self._most:
                raise RowTooLongError(self._row)
        else:
            self._end_other(name)

    def _start_other(self, name: str, attributes: Mapping[str, str]) -> None:
        self._depth.enter()
        tag = _TAGS.get(name)
        if tag == "row":
            self._begin_row(attributes.get("r"))
        elif tag == "is":
            if self._kind == INLINE and not self._in_cell:  # a `v` stood before it, which says nothing in such a cell
                self._cells.pop()
                self._in_cell = True
            if not self._in_cell or self._in_line:
                raise DamagedError(_MISPLACED)
            self._text, self._takes, self._in_line = "", False, True
        elif tag == "t":
            self._takes = self._in_line and not self._silent
        elif tag:
            self._silent += 1

    def _end_other(self, name: str) -> None:
        self._depth.leave()
        tag = _TAGS.get(name)
        if tag == "row":
            self._in_row = False
            self._take(self._row, self._cells)
        elif tag == "is":
            self._in_line = False
            self._takes = True
            self._end(_VALUE_NAME)
            self._kind = None
        elif tag == "t":
            self._takes = False
        elif tag:
            self._silent -= 1

    def _begin_row(self, number: str | None) -> None:
        row = self._row + 1 if number is None else _row_number(number)
        if self._in_row or not self._row < row <= LAST_ROW:
            raise DamagedError("the rows of a sheet are not in order")
        self._row, self._row_text, self._in_row = row, str(row), True
        self._cells, self._column, self._size = [], 0, 0

    def _column_of(self, reference: str) -> int:
        letters = reference.rstrip(_DIGITS)
        if reference[len(letters) :] != self._row_text:
            raise DamagedError("a cell is in another row than it says")
        column = self._columns.get(letters)
        if column is None:
            column = self._columns[letters] = column_number(letters)
        return column


def _row_number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def column_number(letters: str) -> int:
    """The number of a column, A as 1; raises DamagedError if there is none of that name."""
    number = 0
    if not 0 < len(letters) <= 3 or not (letters.isascii() and letters.isalpha() and letters.isupper()):
        raise DamagedError("a cell has no right reference")
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def column_letters(number: int) -> str:
    """The name of a column."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
