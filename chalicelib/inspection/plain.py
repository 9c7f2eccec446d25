"""Plain text: lines, and nothing more to judge."""

from __future__ import annotations

from chalicelib.inspection.report import Facts


class PlainText:
    """Text without records; its encoding and lines are judged for every text file alike."""

    def feed(self, block: bytes) -> None:
        """Take the next block."""

    def finish(self) -> Facts:
        """Plain text has no records, so their number is unknown rather than 0."""
        return Facts()
