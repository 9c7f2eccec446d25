"""What a run shows: tables, and lines that say whether a goal is met."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A title, and rows whose first cell names what was measured."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """Something to reach. A `floor` is one that may not be broken: the run fails."""

    text: str
    met: bool
    floor: bool = False

    @property
    def line(self) -> str:
        """The verdict in words."""
        return f"{'pass' if self.met else 'FAIL' if self.floor else 'miss'}  {self.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """What one part of the benchmark found."""

    tables: Sequence[Table]
    goals: Sequence[Goal] = ()


def show(sections: Iterable[Section], console: Console) -> None:
    """Print the tables, then the goals."""
    sections = list(sections)
    for table in (table for section in sections for table in section.tables):
        console.print(_rich(table))
    for goal in (goal for section in sections for goal in section.goals):
        style = "green" if goal.met else "bold red" if goal.floor else "yellow"
        console.print(Text(goal.line, style=style), soft_wrap=True)


def tell(section: Section, *, as_markdown: bool, width: int | None = None) -> None:
    """Print a section, for a person or for a document."""
    if as_markdown:
        print(markdown([section]))
    else:
        show([section], Console(width=width))


def _rich(table: Table) -> RichTable:
    drawn = RichTable(title=table.title, caption=table.note or None, title_justify="left", caption_justify="left")
    for at, column in enumerate(table.columns):
        drawn.add_column(column, justify="right" if at else "left")
    for row in table.rows:
        drawn.add_row(*row)
    return drawn


def markdown(sections: Iterable[Section]) -> str:
    """The same as Markdown."""
    sections = list(sections)
    tables = [_markdown(table) for section in sections for table in section.tables]
    goals = [f"- {goal.line}" for section in sections for goal in section.goals]
    return "\n".join([*tables, *goals])


def _markdown(table: Table) -> str:
    rule = ["---", *["---:"] * (len(table.columns) - 1)]
    lines = (f"| {' | '.join(row)} |" for row in (table.columns, rule, *table.rows))
    return "\n".join([f"**{table.title}**", "", *lines, "", *([table.note, ""] if table.note else [])])
