"""`stats`: what happened in a period, counted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

import click
from rich.table import Table
from rich.text import Text

from chalicelib.aws.lists import Period
from chalicelib.aws.seals import DynamoSeals
from chalicelib.counts import Tally, by_source, by_time, total
from chalicelib.seals import HOUR, MalformedSealError, hour_of
from chalicelib.uploads import iso
from cli.options import aws_options, json_option
from cli.progress import waiting
from cli.surroundings import Surroundings
from cli.tables import Fitting
from cli.text import bound, moment, number, printable, size
from cli.views import STYLES, display
from infra.stages import UsageError

Moment = TypeVar("Moment", datetime, date)

DAY = timedelta(days=1)
CAUSES = ("content", "unavailable", "system")
BAR = 16
"""How many characters the row with the most uploads has."""


@click.command()
@click.option("--since", default="24h", show_default=True, help="From then on: 2026-11-23T08:00, or how long ago: 6h.")
@click.option("--until", help="To before then (default: now).")
@click.option("--by", type=click.Choice(["hour", "day", "source"]), default="hour", show_default=True)
@json_option
@aws_options
def stats(surroundings: Surroundings, *, since: str, until: str | None, by: str, as_json: bool) -> None:
    """Count what happened in a period: uploads, failures, later inspections, deletions, records, bytes.

    Hours and days are your own time zone's. The counts are exact: hours that are closed come from the seals, the
    rest from the journal.
    """
    period = _period(since, until)
    try:
        with waiting("counting"):
            counted = _counted(surroundings, period, by)
    except MalformedSealError as error:
        raise UsageError(f"The seals cannot be counted on: {printable(error)}. Run `recibo.py verify`.") from error
    if as_json:
        for name, tally in counted.items():
            click.echo(json.dumps({by: name, **_members(tally)}, ensure_ascii=False))
    elif counted:
        display(_table(counted, by=by, period=period))
    else:
        click.echo(f"Nothing was recorded {_words(period)}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bounds:
    since: datetime
    until: datetime


def _period(since: str, until: str | None) -> _Bounds:
    period = _Bounds(since=moment(since), until=bound(until) or datetime.now(UTC))
    if period.since >= period.until:
        raise UsageError(f"There is no time {_words(period)}: give a --since that is before --until.")
    return period


def _words(period: _Bounds) -> str:
    return f"from {_local(period.since)} to {_local(period.until)}"


def _local(when: datetime) -> str:
    return f"{when.astimezone():%Y-%m-%d %H:%M}"


# -- counting


def _counted(surroundings: Surroundings, period: _Bounds, by: str) -> dict[str, Tally]:
    """The rows by what they are called: an hour by its beginning in UTC, a day by its date."""
    bucket, lists = surroundings.stage.bucket, surroundings.lists
    store = DynamoSeals(surroundings.client("dynamodb"), surroundings.stage.table)

    def journal(since: datetime, until: datetime) -> Iterator[dict[str, Any]]:
        return lists.newest(bucket, Period(since=since, until=until), page=1000)

    bounds = {"since": period.since, "until": period.until}
    match by:
        case "source":
            return by_source(store, journal, bucket, **bounds)
        case "day":
            days = by_time(store, journal, bucket, **bounds, group=_day)
            return {day.isoformat(): days.get(day, {}) for day in _steps(days, DAY)}
        case _:
            hours = by_time(store, journal, bucket, **bounds, group=hour_of)
            return {iso(hour): hours.get(hour, {}) for hour in _steps(hours, HOUR)}


def _day(when: datetime) -> date:
    return when.astimezone().date()


def _steps(found: Mapping[Moment, Tally], step: timedelta) -> Iterator[Moment]:
    """From the first to the last of them, those between in which nothing happened included."""
    at, last = min(found, default=None), max(found, default=None)
    while at is not None and last is not None and at <= last:
        yield at
        at += step


# -- what is told of a tally


def _members(tally: Tally) -> dict[str, int]:
    """The same for every row: what did not happen is 0."""
    return {
        "uploads": _uploads(tally),
        "succeeded": tally.get("succeeded", 0),
        **{f"failed_{cause}": tally.get(f"failed-{cause}", 0) for cause in CAUSES},
        "inspected_again": sum(count for name, count in tally.items() if name.startswith("again-")),
        "deletions": tally.get("deleted", 0) + tally.get("delete-marker", 0),
        "records": tally.get("records", 0),
        "bytes": tally.get("bytes", 0),
    }


def _uploads(tally: Tally) -> int:
    return tally.get("succeeded", 0) + _failed(tally)


def _failed(tally: Tally) -> int:
    return sum(count for name, count in tally.items() if name.startswith("failed-"))


def _table(counted: Mapping[str, Tally], *, by: str, period: _Bounds) -> Fitting:
    title = f"{by.capitalize()}s {_words(period)}"
    table = Table(title=title, title_justify="left", header_style="bold", box=None, padding=(0, 2, 0, 0))
    table.add_column(by, overflow="fold", min_width=10)
    for name in ("uploads", "succeeded", "failed", "again", "deletions", "records", "bytes"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    most = max(map(_uploads, counted.values()))
    for name, tally in counted.items():
        called = _local(datetime.fromisoformat(name)) if by == "hour" else printable(name)
        table.add_row(Text(called), *_cells(tally), _bar(tally, most))
    table.add_row(Text("total"), *_cells(total(counted.values())), style="bold")
    return Fitting(table, untitled={"bytes"})


def _cells(tally: Tally) -> Iterator[Text]:
    counts = _members(tally)
    yield _count(counts["uploads"])
    yield _count(counts["succeeded"])
    yield _failures(tally)
    for name in ("inspected_again", "deletions", "records"):
        yield _count(counts[name])
    yield Text(size(counts["bytes"]), style="" if counts["bytes"] else "dim")


def _count(count: int) -> Text:
    return Text(number(count), style="" if count else "dim")


def _failures(tally: Tally) -> Text:
    """How many failed, and of how many it is not the file that is to blame."""
    others = [f"{number(tally[name])} {cause}" for cause in CAUSES[1:] if (name := f"failed-{cause}") in tally]
    words = number(_failed(tally)) + (f" ({', '.join(others)})" if others else "")
    return Text(words, style=STYLES["failed"] if _failed(tally) else "dim")


def _bar(tally: Tally, most: int) -> Text:
    """Succeeded and failed uploads, in proportion; a single failure is seen."""
    uploads, failed = _uploads(tally), _failed(tally)
    length = -(-BAR * uploads // most) if uploads else 0
    red = -(-length * failed // uploads) if uploads else 0
    return Text.assemble(("▪" * (length - red), STYLES["succeeded"]), ("▪" * red, STYLES["failed"]))
