"""`ls`, `show` and `watch`: what the ledger says."""

from __future__ import annotations

import contextlib
import itertools
import json
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from chalicelib.aws.lists import PAGE, Period
from cli.options import aws_options, json_option, quiet_option
from cli.progress import waiting
from cli.surroundings import Surroundings
from cli.text import bound, printable
from cli.views import display, receipt_in_full, receipts
from infra.stages import UsageError

HISTORY_SHOWN = 50
WATCH_SECONDS = 1.0
INDEX_LAG = timedelta(seconds=10)
"""How late a receipt may show in an index; receipts already shown are known by their identity."""


@click.command("ls")
@click.option("--failed", is_flag=True, help="Only uploads whose last inspection failed.")
@click.option("--source", help="Only keys under this first path segment; / for keys without a path.")
@click.option("--same-as", metavar="KEY", help="Only uploads of the same bytes as the latest upload of KEY.")
@click.option("--since", help="Only receipts made since then: 2026-11-23T08:00, or how long ago: 90m, 6h, 2d.")
@click.option("--until", help="Only receipts made before then.")
@click.option("--limit", default=25, show_default=True, type=click.IntRange(1), help="Receipts a page.")
@click.option("--page", default=1, show_default=True, type=click.IntRange(1), help="Which page.")
@json_option
@aws_options
def list_receipts(
    surroundings: Surroundings,
    *,
    failed: bool,
    source: str | None,
    same_as: str | None,
    since: str | None,
    until: str | None,
    limit: int,
    page: int,
    as_json: bool,
) -> None:
    """List receipts, newest first."""
    period = Period(since=bound(since), until=bound(until))
    if same_as and (failed or source or since or until):
        raise UsageError("--same-as looks everywhere: give it without --failed, --source, --since and --until.")
    found = (
        _same_as(surroundings, same_as)
        if same_as
        else found_receipts(surroundings, period, failed=failed, source=source)
    )
    shown = list(itertools.islice(found, (page - 1) * limit, page * limit + 1))
    more = len(shown) > limit
    if as_json:
        _print_json(shown[:limit])
        return
    if not shown:
        click.echo("No receipts." if page == 1 else "No more receipts.")
        return
    display(receipts(shown[:limit]))
    if more:
        click.echo(f"There are more: add --page {page + 1}.")


def _same_as(surroundings: Surroundings, key: str) -> Iterator[dict[str, Any]]:
    """The receipts that found the same bytes, by SHA-256 and size, under whichever key; the key's own among them."""
    known = (entry for entry in _entries(surroundings, key, None) if entry["kind"] == "upload" and "bytes" in entry)
    latest = next(known, None)
    if latest is None:
        raise UsageError(f"The ledger knows no bytes of {printable(key)}: `recibo.py ls` lists what it has.")
    upload = surroundings.ledger.whole(latest)
    for identity, inspection in surroundings.lists.same_content(upload["sha256"]):
        receipt = surroundings.ledger.whole({"identity": identity, "inspection": inspection})
        if receipt["bytes"] == upload["bytes"]:
            yield receipt | {"identity": identity}


def found_receipts(
    surroundings: Surroundings, period: Period, *, failed: bool, source: str | None, page: int = PAGE
) -> Iterator[dict[str, Any]]:
    """Summaries of the receipts of uploads that were asked for, newest first; `page` for readers that want them all."""
    lists, bucket = surroundings.lists, surroundings.stage.bucket
    if failed:
        entries = lists.failures(bucket, period, page=page)
        return (entry for entry in entries if source is None or _is_of(entry, source))
    entries = lists.of_source(bucket, source, period, page=page) if source else lists.newest(bucket, period, page=page)
    return (entry for entry in entries if entry["kind"] == "upload")


def _is_of(entry: Mapping[str, Any], source: str) -> bool:
    head, slash, _ = entry["key"].partition("/")
    return source == (head if slash else "/")


@click.command()
@click.argument("key")
@click.option("--version", help="A version of the key, by its id (default: the latest).")
@click.option("--history", is_flag=True, help="Every inspection and deletion of the key instead of one receipt.")
@click.option("--wait", default=0, metavar="SECONDS", help="Wait so long for a first entry, as after an upload.")
@json_option
@quiet_option
@aws_options
def show(surroundings: Surroundings, *, key: str, version: str | None, history: bool, wait: int, as_json: bool) -> None:
    """Show the receipt of one upload in full, or a key's history.

    Exit status: 0 if there is one, 2 if there is none.
    """
    with waiting(f"waiting for the receipt of {printable(key)}"):
        entries = _awaited(surroundings, key, version, wait)
    if not entries:
        which = f"the version {version} of {key}" if version else key
        raise UsageError(f"The ledger has nothing about {printable(which)}: `recibo.py ls` lists what it has.")
    if history:
        _show_history(entries, as_json=as_json)
        return
    upload = next((entry for entry in entries if entry["kind"] == "upload"), entries[0])
    _show_one(surroundings.ledger.whole(upload), entries, as_json=as_json)


def _awaited(surroundings: Surroundings, key: str, version: str | None, seconds: int) -> list[dict[str, Any]]:
    entries = _entries(surroundings, key, version)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not any("finished_at" in entry for entry in entries):
        time.sleep(WATCH_SECONDS)
        entries = _entries(surroundings, key, version)
    return entries


def _entries(surroundings: Surroundings, key: str, version: str | None) -> list[dict[str, Any]]:
    entries = surroundings.lists.history(surroundings.stage.bucket, key, limit=HISTORY_SHOWN)
    return [entry for entry in entries if version in (None, entry.get("version_id"))]


def _show_history(entries: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        _print_json(entries)
    else:
        display(receipts(entries))


def _show_one(receipt: dict[str, Any], entries: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        _print_json([receipt])
        return
    display(receipt_in_full(receipt))
    if len(entries) > 1:
        click.echo(f"\nThe key has {len(entries)} entries: add --history to see them.")


@click.command()
@click.option("--since", help="Also receipts made since then (default: from now on).")
@click.option("--count", type=click.IntRange(1), help="Stop after so many.")
@json_option
@aws_options
def watch(surroundings: Surroundings, *, since: str | None, count: int | None, as_json: bool) -> None:
    """Show receipts as they appear, until Ctrl-C."""
    start = bound(since) or datetime.now(UTC)
    arriving = itertools.islice(arrivals(surroundings, start), count)
    with contextlib.suppress(KeyboardInterrupt):  # the way to end it
        if as_json:
            _print_json(arriving)
        else:
            print_arrivals(arriving)


def arrivals(surroundings: Surroundings, start: datetime) -> Iterator[dict[str, Any]]:
    """Summaries of the entries recorded since `start`, each once, as they come; never ends."""
    seen: dict[tuple[str, int], str] = {}
    floor = start
    while True:
        recent = list(surroundings.lists.newest(surroundings.stage.bucket, Period(since=floor)))
        for entry in reversed(recent):
            if (entry["identity"], entry["inspection"]) not in seen:
                seen[entry["identity"], entry["inspection"]] = entry["finished_at"]
                yield entry
        floor = max(start, datetime.now(UTC) - INDEX_LAG)
        seen = {known: at for known, at in seen.items() if datetime.fromisoformat(at) >= floor}
        time.sleep(WATCH_SECONDS)


def print_arrivals(arriving: Iterable[Mapping[str, Any]]) -> None:
    """A line for each entry, as it comes."""
    for entry in arriving:
        display(receipts([entry], has_header=False))


def _print_json(entries: Iterable[Mapping[str, Any]]) -> None:
    for entry in entries:
        click.echo(json.dumps(entry, ensure_ascii=False))
        sys.stdout.flush()
