"""An independent reading of delimited text, one character at a time: what the fast one is held to.

RFC 4180 says what is right; where a file is not, reading goes on as Python's `csv` does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

NEWLINES = ("\r", "\n", "\r\n")

Place = tuple[int, int]
"""Line and column, both from 1."""


@dataclass
class Row:
    """One record: where each cell starts, where its text ends, and the quotes that are not right."""

    cells: list[Place]
    text: list[str]
    end: Place = (0, 0)
    stray: dict[int, Place] = field(default_factory=dict)
    unclosed: int | None = None


@dataclass
class Reading:
    """All records, and the lines that are blank."""

    rows: list[Row]
    blank: list[int]
    newlines: set[str]


def _characters(text: str) -> Iterator[tuple[str, int, int]]:
    """Each character with its line and column; a CRLF is one."""
    line, column, at = 1, 1, 0
    while at < len(text):
        character = "\r\n" if text.startswith("\r\n", at) else text[at]
        yield character, line, column
        at += len(character)
        line, column = (line + 1, 1) if character in NEWLINES else (line, column + 1)
    yield "", line, column


class _Reader:
    """The state machine: one method for each state, told one character (a CRLF is one, the end is "") at a time."""

    def __init__(self, delimiter: str) -> None:
        self.reading = Reading([], [], set())
        self.delimiter = delimiter
        self.state: Callable[[str, Place], None] = self.at_row
        self.row = Row([], [])

    def at_row(self, character: str, place: Place) -> None:
        if character in NEWLINES:
            self.reading.blank.append(place[0])
            self.reading.newlines.add(character)
        elif character:
            self.row = Row([], [])
            self.begin_cell(place)
            self.at_cell(character, place)

    def begin_cell(self, place: Place) -> None:
        self.row.cells.append(place)
        self.row.text.append("")
        self.state = self.at_cell

    def ends_cell(self, character: str, place: Place) -> bool:
        if character == self.delimiter:
            self.begin_cell((place[0], place[1] + 1))
        elif character in NEWLINES or not character:
            self.end_row(character, place)
        else:
            return False
        return True

    def end_row(self, newline: str, place: Place) -> None:
        self.row.end = place
        self.reading.rows.append(self.row)
        self.reading.newlines |= {newline} - {""}
        self.state = self.at_row

    def at_cell(self, character: str, place: Place) -> None:
        if character == '"':
            self.state = self.in_quotes
        elif not self.ends_cell(character, place):
            self.row.text[-1] += character
            self.state = self.in_text

    def in_text(self, character: str, place: Place) -> None:
        if not self.ends_cell(character, place):
            if character == '"':
                self.row.stray.setdefault(len(self.row.cells) - 1, place)
            self.row.text[-1] += character

    def in_quotes(self, character: str, place: Place) -> None:
        if not character:
            self.row.unclosed = len(self.row.cells) - 1
            self.end_row("", place)
        elif character == '"':
            self.state = self.behind_quote
        else:
            self.row.text[-1] += character

    def behind_quote(self, character: str, place: Place) -> None:
        if character == '"':
            self.row.text[-1] += character
            self.state = self.in_quotes
        elif not self.ends_cell(character, place):
            self.row.stray[len(self.row.cells) - 1] = (place[0], place[1] - 1)
            self.row.text[-1] += character
            self.state = self.in_text


def read(text: str, delimiter: str) -> Reading:
    """Read the whole text."""
    reader = _Reader(delimiter)
    for character, line, column in _characters(text):
        reader.state(character, (line, column))
    return reader.reading


Found = tuple[str, int | None, int | None, int | None]
"""Code, row, line, column."""


def findings(reading: Reading) -> list[Found]:
    """Every finding on quotes, widths and blank rows of a table with a header."""
    found: list[Found] = [("blank-row", None, line, None) for line in reading.blank]
    width = len(reading.rows[0].cells) if reading.rows else 0
    for number, row in enumerate(reading.rows):
        found += [("stray-quote", number, *place) for place in row.stray.values()]
        if row.unclosed is not None:
            found.append(("unclosed-quote", number, *row.cells[row.unclosed]))
        if len(row.cells) > width:
            found.append(("extra-cells", number, *row.cells[width]))
        if len(row.cells) < width:
            found.append(("missing-cells", number, *row.end))
    return found
