"""The seam between the one pass over the bytes and the formats it knows."""

from __future__ import annotations

from typing import Protocol

from chalicelib.inspection.report import Facts
from chalicelib.inspection.spool import Spool
from chalicelib.inspection.text import Newlines


class FormatInspector(Protocol):
    """Judges one format, fed block by block; findings go to the collector it was made with.

    Blocks of text are canonical: valid UTF-8 cut between characters, no byte order mark, line ends as in the file.
    The blocks may be cut anywhere else and have any size; the outcome must not depend on it. It raises for no
    content, and keeps no more in memory than one record.
    """

    newlines: Newlines | None
    """The line ends of the block that was fed last, where they were counted on the way."""

    def feed(self, block: bytes) -> None:
        """Take the next block."""

    def finish(self) -> Facts:
        """Judge what is left at the end of the file, and tell what was learnt."""


class RandomAccess(Protocol):
    """Judges one format by a whole file; it raises for no content, and asks for the time often."""

    def inspect(self, spool: Spool) -> Facts:
        """Judge the file, and tell what was learnt."""
