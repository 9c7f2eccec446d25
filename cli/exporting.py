"""`export`: the ledger's receipts for a spreadsheet, a table or another program."""

from __future__ import annotations

import csv
import itertools
import json
import os
import secrets
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import click
from rich.progress import TextColumn, TimeElapsedColumn

from chalicelib.aws.lists import Period
from cli.options import aws_options
from cli.progress import be_unwatched, progress
from cli.reading import found_receipts
from cli.surroundings import Surroundings
from cli.text import bound, number, printable, why
from infra.stages import UsageError

COLUMNS = (
    *("uploaded_at", "finished_at", "bucket", "key", "version_id", "inspection", "status", "cause", "format"),
    *("compression", "encoding", "bytes", "lines", "records", "column_count", "errors", "findings", "first_finding"),
    *("contract", "latency_ms", "sha256", "content_hash"),
)
"""The columns of the CSV form. `findings` are codes with their counts; `errors` counts the findings that are errors."""

_OBEYED = ("=", "+", "-", "@", "\t", "\r", "\n")
PAGE = 1000


@click.command()
@click.option("--format", "form", type=click.Choice(["csv", "jsonl"]), default="csv", show_default=True)
@click.option("--failed", is_flag=True, help="Only uploads whose last inspection failed.")
@click.option("--source", help="Only keys under this first path segment; / for keys without a path.")
@click.option("--since", help="Only receipts made since then: 2026-11-23T08:00, or how long ago: 90m, 6h, 2d.")
@click.option("--until", help="Only receipts made before then.")
@click.option("--limit", type=click.IntRange(1), help="So many at the most.")
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="A file (default: the terminal).")
@click.option("--json", "as_json", is_flag=True, help="The same as --format jsonl.")
@click.option("--quiet", "-q", is_flag=True, expose_value=False, callback=be_unwatched, help="No progress.")
@aws_options
def export(
    surroundings: Surroundings,
    *,
    form: str,
    failed: bool,
    source: str | None,
    since: str | None,
    until: str | None,
    limit: int | None,
    output: Path | None,
    as_json: bool,
) -> None:
    """Write receipts, newest first, as CSV or JSON Lines.

    The CSV is safe to open in a spreadsheet: no cell that came from a file's name or a finding is taken for a formula.
    JSON Lines hold every receipt whole, as `show --json` does.
    """
    period = Period(since=bound(since), until=bound(until))
    summaries = found_receipts(surroundings, period, failed=failed, source=source, page=PAGE)
    receipts = map(surroundings.ledger.whole, itertools.islice(summaries, limit))
    write = write_json if as_json or form == "jsonl" else write_csv
    with _opened(output) as out, _counted(receipts, is_alone=output is None) as counted:
        write(counted, out)


def write_json(receipts: Iterable[Mapping[str, Any]], out: TextIO) -> None:
    """One receipt a line."""
    for receipt in receipts:
        out.write(json.dumps(receipt, ensure_ascii=False) + "\n")


def write_csv(receipts: Iterable[Mapping[str, Any]], out: TextIO) -> None:
    """A table (RFC 4180) whose first row names the columns; what is unknown is an empty cell."""
    rows = csv.writer(out)
    rows.writerow(COLUMNS)
    rows.writerows([_cell(value) for value in _values(receipt)] for receipt in receipts)


def _values(receipt: Mapping[str, Any]) -> Iterator[Any]:
    findings = receipt.get("findings", [])
    counts = receipt.get("finding_counts", {})
    errors = {finding["code"] for finding in findings if finding["severity"] == "error"}
    worked_out = {
        "errors": sum(counts[code] for code in errors),
        "findings": " ".join(f"{code}:{count}" for code, count in counts.items()),
        "first_finding": findings[0]["message"] if findings else None,
        "contract": receipt.get("contract", {}).get("name"),
    }
    return ((worked_out if name in worked_out else receipt).get(name) for name in COLUMNS)


def _cell(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula gets a quote before it, which it does not show."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_OBEYED) else value


@contextmanager
def _opened(path: Path | None) -> Iterator[TextIO]:
    """Where to write: a file appears, or is replaced, once it is whole."""
    if path is None:
        yield sys.stdout
        return
    with _told(path):
        target = path.resolve()  # a link stays one
        begun = _beside(target) if target.is_file() or not target.exists() else None  # a pipe cannot be replaced
        out = (begun or target).open("w", encoding="utf-8", newline="")
    try:
        with out:
            yield out
        if begun:
            with _told(path):
                os.replace(begun, target)
    finally:
        if begun:
            begun.unlink(missing_ok=True)


def _beside(path: Path) -> Path:
    """The name of a new file in the same folder; if there is one to replace, the new one has its permissions."""
    begun = path.with_name(f".{path.name[:200]}.{secrets.token_hex(4)}")
    if path.exists():
        path.open("ab").close()  # refused here if it may not be written
    begun.touch(exist_ok=False)
    if path.exists():
        shutil.copymode(path, begun)
    return begun


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Say in one sentence why the file cannot be written."""
    try:
        yield
    except OSError as error:
        raise UsageError(f"{printable(path)} cannot be written: {why(error)}.") from error


@contextmanager
def _counted(receipts: Iterator[Mapping[str, Any]], *, is_alone: bool) -> Iterator[Iterator[Mapping[str, Any]]]:
    """The receipts, and on a terminal how many there were so far."""
    with progress(TextColumn("{task.description}"), TimeElapsedColumn(), is_alone=is_alone) as bar:
        task = bar.add_task("Receipts: 0")

        def tell(count: int) -> None:
            bar.update(task, description=f"Receipts: {number(count)}")

        yield _telling(receipts, tell)


def _telling(receipts: Iterator[Mapping[str, Any]], tell: Callable[[int], None]) -> Iterator[Mapping[str, Any]]:
    for count, receipt in enumerate(receipts, start=1):
        tell(count)
        yield receipt
