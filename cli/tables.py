"""Tables that lose nothing on a narrow terminal."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

FOLDED = 16
"""How narrow a column may get whose cells may be folded."""

UNBOUNDED = 10_000


class Fitting:
    """A table; where it would not fit, each row is a block of lines: its name, and below that its other cells."""

    def __init__(self, table: Table, *, name: int = 0, untitled: Collection[str] = ()) -> None:
        self.table = table
        self._name = name
        self._untitled = untitled
        """The columns whose cells speak for themselves."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        wide = options.update(max_width=UNBOUNDED)
        if sum(_needed(console, wide, column) + 2 for column in self.table.columns) <= options.max_width + 2:
            yield self.table
            return
        if self.table.title:
            yield Text(str(self.table.title), style="italic")
        for cells in zip(*(column.cells for column in self.table.columns), strict=True):
            yield from self._block(cells)

    def _block(self, cells: tuple[RenderableType, ...]) -> Iterator[RenderableType]:
        texts = [cell if isinstance(cell, Text) else Text(str(cell)) for cell in cells]
        yield Text.assemble(texts[self._name], style="bold")
        others = [
            Text.assemble((_title(column, self._untitled), "dim"), text)
            for at, (column, text) in enumerate(zip(self.table.columns, texts, strict=True))
            if at != self._name and text.plain
        ]
        yield Padding(Text(" · ", style="dim").join(others), (0, 0, 0, 2))


def _title(column: Column, untitled: Collection[str]) -> str:
    title = str(column.header)
    return f"{title} " if title and title not in untitled else ""


def _needed(console: Console, options: ConsoleOptions, column: Column) -> int:
    """The width a column must have."""
    title = Measurement.get(console, options, str(column.header)).maximum
    cells = max((Measurement.get(console, options, cell).maximum for cell in column.cells), default=0)
    return max(title, cells if column.no_wrap else min(cells, FOLDED), column.min_width or 0)
