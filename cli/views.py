"""How receipts look on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cli.text import local_time, number, position, printable, size

STYLES: Mapping[str, str] = {
    "succeeded": "green",
    "failed": "red",
    "inspecting": "yellow",
    "error": "red",
    "warning": "yellow",
    "info": "blue",
}
SIGNS: Mapping[str, str] = {"succeeded": "✓", "failed": "✗", "inspecting": "…"}


def console(*, stderr: bool = False) -> Console:
    """A console that colours only a terminal and cuts nothing that goes to a file."""
    made = Console(stderr=stderr, highlight=False, soft_wrap=False)
    if not made.is_terminal:
        made.width = 200
    return made


def verdict(receipt: Mapping[str, Any]) -> Text:
    """The status with its sign, and the cause of a failure that is not the file's."""
    status = receipt.get("status") or receipt.get("kind", "")
    cause = receipt.get("cause")
    words = f"{SIGNS.get(status, '·')} {status}" + (f" ({cause})" if cause not in (None, "content") else "")
    return Text(words, style=STYLES.get(status, ""))


def findings(receipt: Mapping[str, Any]) -> RenderableType:
    """Every finding kept, a line each, and how many more there are."""
    table = Table.grid(padding=(0, 2))
    for _ in range(3):
        table.add_column()
    table.add_column(overflow="fold")
    kept: dict[str, int] = {}
    for finding in receipt.get("findings", []):
        kept[finding["code"]] = kept.get(finding["code"], 0) + 1
        table.add_row(
            Text(finding["severity"], style=STYLES[finding["severity"]]),
            Text(finding["code"]),
            Text(position(finding)),
            Text(printable(finding["message"])),
        )
    more = [
        f"{count - kept.get(code, 0):,} more {code}"
        for code, count in receipt.get("finding_counts", {}).items()
        if count > kept.get(code, 0)
    ]
    return Group(table, Text("and " + ", ".join(more), style="dim")) if more else table


def report(name: str, receipt: Mapping[str, Any]) -> RenderableType:
    """One file's verdict, what it rests on, and its findings."""
    title = Text.assemble(verdict(receipt), "  ", (printable(name), "bold"), "  ", (_measures(receipt), "dim"))
    if not receipt.get("findings"):
        return title
    return Group(title, Padding(findings(receipt), (0, 0, 0, 4)))


def _measures(receipt: Mapping[str, Any]) -> str:
    measures = [
        receipt.get("format"),
        receipt.get("compression"),
        size(receipt.get("bytes")),
        _counted(receipt.get("lines"), "line"),
        _counted(receipt.get("records"), "record"),
        _counted(receipt.get("column_count"), "column"),
        receipt.get("encoding"),
    ]
    return " · ".join(measure for measure in measures if measure)


def _counted(count: int | None, word: str) -> str:
    return "" if count is None else f"{count:,} {word}{'' if count == 1 else 's'}"


def receipts(summaries: Iterable[Mapping[str, Any]], *, title: str | None = None) -> Table:
    """A list of receipts, a row each."""
    table = Table(title=title, title_justify="left", header_style="bold", box=None, padding=(0, 2, 0, 0))
    table.add_column("received", no_wrap=True)
    table.add_column("file", overflow="fold", min_width=16)
    table.add_column("verdict", no_wrap=True)
    table.add_column("format", no_wrap=True)
    for name in ("size", "lines", "records"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("first finding", overflow="fold")
    for summary in summaries:
        table.add_row(*receipt_row(summary))
    return table


def receipt_row(summary: Mapping[str, Any]) -> list[RenderableType]:
    """One receipt's cells in the list."""
    return [
        local_time(summary.get("finished_at") or summary["uploaded_at"]),
        Text(printable(summary["key"])),
        verdict(summary),
        summary.get("format") or "",
        size(summary.get("bytes", summary.get("size"))),
        number(summary.get("lines")),
        number(summary.get("records")),
        Text(printable(_first_finding(summary))),
    ]


def _first_finding(summary: Mapping[str, Any]) -> str:
    """The headline a summary has, or that of a whole receipt's first finding."""
    if "findings" not in summary:
        return str(summary.get("headline", ""))
    found = next(iter(summary["findings"]), None)
    return f"{found['code']}: {position(found)}".removesuffix(": ") if found else ""


FIELDS = (
    "bucket",
    "version_id",
    "inspection",
    "event",
    "uploaded_at",
    "finished_at",
    "latency_ms",
    "media_type",
    "newline",
    "delimiter",
    "top_level",
    "sha256",
    "declared_type",
    "metadata",
    "principal",
    "source_address",
    "request_id",
    "inspector",
    "content_hash",
)


def receipt_in_full(receipt: Mapping[str, Any]) -> RenderableType:
    """Everything a receipt says."""
    table = Table.grid(padding=(0, 2))
    for name in FIELDS:
        if name in receipt:
            value = receipt[name]
            table.add_row(Text(name, style="dim"), Text(repr(value) if name == "delimiter" else printable(value)))
    if receipt.get("columns"):
        names = ", ".join(printable(column["name"]) for column in receipt["columns"])
        table.add_row(Text("columns", style="dim"), Text(names))
    return Group(report(receipt["key"], receipt), Padding(table, (1, 0, 0, 4)))
