"""Runs of right records of delimited text: what is taken at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from chalicelib.inspection.outline import QUOTE, Ends, Outliner, count_ends, run_end
from chalicelib.inspection.records import Record
from chalicelib.inspection.text import Newlines


class Run(NamedTuple):
    """Where the last record of a run ends, how each does, and all line ends in them where they were counted."""

    end: int
    ends: Ends
    newlines: Newlines | None = None


class Runs(Protocol):
    """Finds runs in one piece of text after another."""

    def look_at(self, text: bytes) -> None:
        """Make this the text."""

    def outline(self, begin: int) -> bytes:
        """Its outline, at least from there on."""

    def run(self, at: int, width: int) -> Run | None:
        """Right records from `at` on that are as wide as this: not always all, and None if there is none."""

    def learn(self, right: Record) -> None:
        """Take note of what a right record looks like."""


class OutlineRuns:
    """Finds them by patterns."""

    def __init__(self, delimiter: bytes) -> None:
        self._outliner = Outliner(delimiter)
        self._outline = b""
        self._like: Sequence[bool] = ()

    def look_at(self, text: bytes, begin: int = 0) -> None:
        """Make this the text, from there on."""
        self._outline = self._outliner.of(text, begin)

    def outline(self, begin: int) -> bytes:  # noqa: ARG002 (it is drawn already)
        """Its outline."""
        return self._outline

    def run(self, at: int, width: int) -> Run | None:
        """Right records from `at` on that are as wide as this; none before one was learnt."""
        if not self._like:
            return None
        end = run_end(self._outline, at, self._like if len(self._like) == width else [False] * width)
        return Run(end, count_ends(self._outline[at:end])) if end > at else None

    def learn(self, right: Record) -> None:
        """Which cells are quoted in one is likely to be so in the others."""
        self._like = self._like or [right.outline.startswith(QUOTE, cell.start("cell")) for cell in right.cells()]
