"""How the profile of a table looks on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cli.tables import Fitting
from cli.text import number, printable

WHOLE = 10_000
BARS = "▁▂▃▄▅▆▇█"
NUMBERS = ("fits", "empty", "minimum", "maximum", "mean", "longest", "distinct")


def is_profiled(receipt: Mapping[str, Any]) -> bool:
    """Whether a receipt has a profile."""
    return bool(receipt.get("profiled_records"))


def profile(receipt: Mapping[str, Any]) -> RenderableType:
    """What the cells of each column are like, a row each."""
    table = Table(header_style="bold", box=None, padding=(0, 2, 0, 0))
    table.add_column("column", overflow="fold", min_width=8)
    table.add_column("type", overflow="fold", min_width=8)
    for name in NUMBERS:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("spread", no_wrap=True)
    for column in receipt["columns"]:
        table.add_row(*(Text(printable(cell)) for cell in _cells(column)))
    common = [Text(printable(_common(column)), style="dim") for column in receipt["columns"] if column.get("common")]
    return Group(Text(_title(receipt), style="dim"), Fitting(table, untitled={"type"}), *common)


def _title(receipt: Mapping[str, Any]) -> str:
    profiled, records = receipt["profiled_records"], receipt.get("records")
    of_all = f" of {records:,}" if records is not None and records != profiled else ""
    return f"profile of {profiled:,}{of_all} record{'' if profiled == 1 and not of_all else 's'}"


def _cells(column: Mapping[str, Any]) -> tuple[str, ...]:
    if "nulls" not in column:  # the profile was cut off by the receipt's budget, or a later kind of column has none
        return (column["name"],)
    kind = " ".join(filter(None, (column.get("type", "–"), column.get("format"))))
    share = column.get("share")
    fits = "" if share is None or column["type"] == "string" else "all" if share == WHOLE else f"{share / 100:.2f} %"
    mean = f"{Decimal(column['mean']):.7g}" if "mean" in column else ""
    return (
        *(column["name"], kind, fits, number(column["nulls"])),
        *(column.get("minimum", ""), column.get("maximum", ""), mean),
        *(number(column["longest"]), number(column["distinct"])),
        _bars(column["histogram"]["counts"]) if "histogram" in column else "",
    )


def _bars(counts: Sequence[int]) -> str:
    """A bar for each count; a blank for none."""
    most = max(counts)
    return "".join(BARS[(count * len(BARS) - 1) // most] if count else " " for count in counts)


def _common(column: Mapping[str, Any]) -> str:
    values = ", ".join(f"{each['value']} ({each['count']:,})" for each in column["common"])
    return f"most common in {column['name']}: {values}"
