"""The seam between the inspectors of records and what judges their values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class RecordSink(Protocol):
    """Takes the records of a table that are structurally right, in the order of the file and in its own bytes.

    How the records are cut into runs means nothing. A run is never longer than a block and a record.
    """

    def begin(self, names: Sequence[str], *, line: int) -> None:
        """Take the columns' names as the header on that line says them; not called where the format has no header."""

    def take(self, run: bytes, *, row: int, line: int) -> None:
        """Take whole records, of which the last may have no end; the first has that number and starts on that line."""


class Both:
    """Two sinks that take the same records."""

    def __init__(self, *sinks: RecordSink) -> None:
        self._sinks = sinks

    def begin(self, names: Sequence[str], *, line: int) -> None:
        """Tell both."""
        for sink in self._sinks:
            sink.begin(names, line=line)

    def take(self, run: bytes, *, row: int, line: int) -> None:
        """Hand it to both."""
        for sink in self._sinks:
            sink.take(run, row=row, line=line)
