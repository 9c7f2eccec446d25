"""Plain text: lines, and nothing more to judge."""

from __future__ import annotations

from chalicelib.inspection.report import Facts
from chalicelib.inspection.text import Newlines


class PlainText:
    """Text without records; its encoding and lines are judged for every text file alike."""

    newlines: Newlines | None = None
    """Nothing here counts line ends."""

    def feed(self, block: bytes) -> None:
        """Take the next block."""

    def finish(self) -> Facts:
        """Plain text has no records, so their number is unknown rather than 0."""
        return Facts()
