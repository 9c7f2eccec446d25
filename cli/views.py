"""How receipts look on a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import click
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cli.profiles import is_profiled, profile
from cli.tables import Fitting
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


PIPE_WIDTH = 200


def console(*, stderr: bool = False) -> Console:
    """A console that colours only a terminal."""
    made = Console(stderr=stderr, highlight=False)
    if not made.is_terminal:
        made.width = PIPE_WIDTH
    return made


def display(view: RenderableType) -> None:
    """Print to standard output; what goes to a file or a pipe is not padded with spaces."""
    out = console()
    if out.is_terminal:
        out.print(view)
        return
    with out.capture() as captured:
        out.print(view)
    for line in captured.get().splitlines():
        click.echo(line.rstrip())


def verdict(receipt: Mapping[str, Any]) -> Text:
    """The status with its sign, and the cause of a failure that is not the file's."""
    status = receipt.get("status") or receipt.get("kind", "")
    cause = receipt.get("cause")
    words = f"{SIGNS.get(status, '·')} {status}" + (f" ({cause})" if cause not in (None, "content") else "")
    return Text(words, style=STYLES.get(status, ""))


def findings(receipt: Mapping[str, Any]) -> RenderableType:
    """Every finding kept, its place and its sentence, and how many more there are."""
    kept = Counter(finding["code"] for finding in receipt["findings"])
    more = [
        f"{count - kept[code]:,} more {code}"
        for code, count in receipt.get("finding_counts", {}).items()
        if count > kept[code]
    ]
    views = [view for finding in receipt["findings"] for view in _finding(finding)]
    return Group(*views, *([Text("and " + ", ".join(more), style="dim")] if more else []))


def _finding(finding: Mapping[str, Any]) -> Iterator[RenderableType]:
    severity = finding["severity"]
    where = position(finding)
    yield Text.assemble((severity, STYLES[severity]), " ", (finding["code"], "bold"), f"  {where}" if where else "")
    yield Padding(Text(printable(finding["message"])), (0, 0, 0, len(severity) + 1))


def report(name: str, receipt: Mapping[str, Any], *, profiled: bool = False) -> RenderableType:
    """One file's verdict, what it rests on, its findings, and its profile if that is asked for."""
    title = Text.assemble(verdict(receipt), "  ", (printable(name), "bold"), "  ", (_measures(receipt), "dim"))
    views = [findings(receipt)] if receipt.get("findings") else []
    views += [profile(receipt)] if profiled and is_profiled(receipt) else []
    return Group(title, *(Padding(view, (0, 0, 0, 4)) for view in views))


def _measures(receipt: Mapping[str, Any]) -> str:
    measures = [
        receipt.get("format"),
        receipt.get("compression"),
        size(receipt.get("bytes")),
        _counted(receipt.get("lines"), "line"),
        _counted(receipt.get("records"), "record"),
        _counted(receipt.get("column_count"), "column"),
        _encoding(receipt),
        f"contract {receipt['contract']['name']}" if receipt.get("contract") else None,
    ]
    return " · ".join(measure for measure in measures if measure)


def _encoding(receipt: Mapping[str, Any]) -> str | None:
    confidence = receipt.get("encoding_confidence")
    return f"{receipt['encoding']} ({confidence} % sure)" if confidence else receipt.get("encoding")


def _counted(count: int | None, word: str) -> str:
    return "" if count is None else f"{count:,} {word}{'' if count == 1 else 's'}"


def receipts(summaries: Iterable[Mapping[str, Any]], *, title: str | None = None, has_header: bool = True) -> Fitting:
    """A list of receipts, a row each."""
    table = Table(
        title=title, title_justify="left", header_style="bold", box=None, padding=(0, 2, 0, 0), show_header=has_header
    )
    table.add_column("recorded", no_wrap=True)
    table.add_column("file", overflow="fold", min_width=16)
    table.add_column("verdict", no_wrap=True)
    table.add_column("format", no_wrap=True)
    for name in ("size", "lines", "records"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("first finding", overflow="fold", min_width=20 if has_header else 0)
    for summary in summaries:
        table.add_row(*_receipt_row(summary))
    return Fitting(table, name=1, untitled={"recorded", "verdict", "format", "first finding"})


def _receipt_row(summary: Mapping[str, Any]) -> list[RenderableType]:
    """One receipt's cells in the list."""
    return [
        local_time(summary.get("finished_at") or summary["uploaded_at"]),
        Text(printable(summary["key"])),
        verdict(summary),
        summary.get("format") or "",
        size(summary.get("bytes", summary.get("size"))) if summary["kind"] == "upload" else "",
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
    "root",
    "elements",
    "row_groups",
    "created_by",
    "sheet_count",
    "sha256",
    "declared_type",
    "metadata",
    "principal",
    "source_address",
    "request_id",
    "inspector",
    "content_hash",
)


def _column(column: Mapping[str, Any]) -> str:
    types = _types(column.get("types") or {})
    return printable(column["name"]) + (f": {types}" if types else "")


def _types(types: Mapping[str, int]) -> str:
    """How many values are of each JSON type, the most common first."""
    ordered = sorted(types.items(), key=lambda each: (-each[1], each[0]))
    return ", ".join(f"{name} {count:,}" for name, count in ordered)


def receipt_in_full(receipt: Mapping[str, Any]) -> RenderableType:
    """Everything a receipt says."""
    table = Table.grid(padding=(0, 2))
    for name in FIELDS:
        if name in receipt:
            value = receipt[name]
            table.add_row(Text(name, style="dim"), Text(repr(value) if name == "delimiter" else printable(value)))
    if receipt.get("columns") and not is_profiled(receipt):
        separator = "\n" if any(column.get("types") for column in receipt["columns"]) else ", "
        table.add_row(Text("columns", style="dim"), Text(separator.join(map(_column, receipt["columns"]))))
    if receipt.get("record_types"):
        table.add_row(Text("record types", style="dim"), Text(_types(receipt["record_types"])))
    for sheet in receipt.get("sheets", ()):
        used = f"{sheet['used_range']}, {number(sheet['rows'])} rows" if "used_range" in sheet else "empty"
        table.add_row(Text("sheet", style="dim"), Text(f"{printable(sheet['name'])}: {used}"))
    if receipt.get("contract"):
        table.add_row(Text("contract", style="dim"), Text("{name}, sha256 {sha256}".format(**receipt["contract"])))
    for rule in receipt.get("contract", {}).get("broken_rules", ()):
        of_field = f" of {printable(rule['field'])}" if "field" in rule else ""
        table.add_row(Text("broken rule", style="dim"), Text(f"{rule['code']}{of_field}: {rule['count']:,}"))
    columns = [Padding(profile(receipt), (1, 0, 0, 4))] if is_profiled(receipt) else []
    return Group(report(receipt["key"], receipt), Padding(table, (1, 0, 0, 4)), *columns)
