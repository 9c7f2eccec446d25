"""Whether a table is long enough for the engine to be worth its start."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chalicelib.inspection.sinks import RecordSink

Run = tuple[bytes, int, int]


class Many:
    """Holds a table's first records until there are more than so many bytes of them; then all go to the `many` sink.

    If there never are, they go to the `few` at the end; so do those of more `columns` than the engine takes, at once.
    That depends on the records alone, not on how they come.
    """

    def __init__(self, *, few: RecordSink, many: Callable[[], RecordSink], more_than: int, columns: int) -> None:
        self._few = few
        self._many = many
        self._left = more_than
        self._columns = columns
        self._begun: tuple[Sequence[str], int] | None = None
        self._held: list[Run] = []
        self._sink: RecordSink | None = None

    def begin(self, names: Sequence[str], *, line: int) -> None:
        """Hold the header."""
        self._begun = names, line
        if len(names) > self._columns:
            self._pass_on(self._few)

    def take(self, run: bytes, *, row: int, line: int) -> None:
        """Hold the records, or pass them on."""
        if self._sink:
            self._sink.take(run, row=row, line=line)
            return
        self._held.append((run, row, line))
        self._left -= len(run)
        if self._left < 0:
            self._pass_on(self._many())

    def finish(self) -> None:
        """There are no more."""
        if not self._sink:
            self._pass_on(self._few)

    def _pass_on(self, sink: RecordSink) -> None:
        self._sink = sink
        if self._begun:
            names, line = self._begun
            sink.begin(names, line=line)
        for run, row, line in self._held:
            sink.take(run, row=row, line=line)
        self._held.clear()
