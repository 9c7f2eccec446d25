"""Runs of right records, as the kernel finds them."""

from __future__ import annotations

from chalicelib.inspection.kernel.host import Kernel
from chalicelib.inspection.limits import KIB
from chalicelib.inspection.outline import Ends
from chalicelib.inspection.records import Record
from chalicelib.inspection.runs import OutlineRuns, Run

_SHORT_BYTES = 4 * KIB
_MOST_SHORT = 8
"""Asking the kernel takes as long as some kilobytes by patterns: so many times in vain, and they take the rest."""


class KernelRuns:
    """Finds those whose records end in LF or CRLF; in a text with many wrong records, by patterns like others."""

    def __init__(self, kernel: Kernel, delimiter: bytes) -> None:
        self._kernel = kernel
        self._delimiter = ord(delimiter)
        self._patterns = OutlineRuns(delimiter)
        self._text = b""
        self._begin = self._end = 0
        """Which part of it the kernel looks at."""
        self._short = 0

    def look_at(self, text: bytes) -> None:
        """Make this the text."""
        self._text = text
        self._begin = self._end = self._short = 0

    def outline(self, begin: int) -> bytes:
        """Its outline from there on."""
        self._patterns.look_at(self._text, begin)
        return self._patterns.outline(begin)

    def run(self, at: int, width: int) -> Run | None:
        """Right records from `at` on that are as wide as this; a run beyond the kernel's memory is told in parts."""
        if self._short > _MOST_SHORT:
            return self._patterns.run(at, width)
        run = self._ask(at, width)
        self._short += run is None or run.end - at < _SHORT_BYTES
        return run

    def _ask(self, at: int, width: int) -> Run | None:
        if not self._begin <= at < self._end:
            self._begin, self._end = self._kernel.load_from(self._text, at)
        size = self._end - self._begin
        answer = self._kernel.ask("right_records", at - self._begin, size, width, self._delimiter)
        end, records, with_return, feeds, returns, pairs = answer[:6]
        if not records:
            return None
        ends = Ends({"lf": records - with_return, "crlf": with_return}, lines=feeds + returns - pairs)
        return Run(self._begin + end, ends, (feeds, returns, pairs))

    def learn(self, right: Record) -> None:
        """Take note of what a right record looks like."""
        self._patterns.learn(right)
