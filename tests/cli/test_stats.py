"""`recibo.py stats`: its rows are what happened, hour by hour, day by day, source by source."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner

from chalicelib.aws.seals import DynamoSeals
from chalicelib.inspection import Report
from chalicelib.sealing import NoAnchor, Sealer
from chalicelib.uploads import entry_of
from cli import surroundings
from cli.main import recibo as command_line
from infra.template import LOCAL
from tests import events
from tests.aws import World, simulated_aws
from tests.events import BUCKET
from tests.fakes import NOON
from tests.receipts import SUCCESS, crash, receipt

PERIOD = ("--since", "2026-11-23T00:00Z", "--until", "2026-11-25T00:00Z")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(surroundings, "endpoint_for", lambda _stage, _endpoint: None)
    monkeypatch.setenv("TZ", "America/Sao_Paulo")
    time.tzset()
    with simulated_aws(monkeypatch) as made:
        surroundings._client.cache_clear()
        yield made
    surroundings._client.cache_clear()
    monkeypatch.undo()
    time.tzset()


def recibo(*arguments: str) -> tuple[int, str]:
    """The command as a person types it: its exit status and what it printed."""
    done = CliRunner().invoke(command_line, ["stats", *arguments])
    return done.exit_code, done.output


def rows(*arguments: str) -> list[dict[str, Any]]:
    status, printed = recibo(*arguments, "--json")
    assert status == 0, printed
    return [json.loads(line) for line in printed.splitlines()]


def record(
    world: World, key: str, *, at: datetime = NOON, report: Report | None = SUCCESS, inspection: int = 1, **event: Any
) -> None:
    entry = entry_of(events.record(key, **event))
    assert world.ledger.record(receipt(entry, report=report, at=at))
    if inspection > 1:
        assert world.ledger.record(receipt(entry, report=report, at=at, inspection=2))


def record_some(world: World) -> None:
    """Three hours in which something happened, the last of them on another day in São Paulo."""
    record(world, "acme/1.csv")
    record(world, "acme/2.csv", report=crash(), inspection=2)
    record(world, "top.csv", at=NOON + timedelta(hours=2, minutes=59))
    entry = entry_of(events.deletion("acme/1.csv", version_id="v1"))
    assert world.ledger.record(receipt(entry, report=None, at=NOON + timedelta(hours=15)))


def test_a_row_says_what_happened(world: World) -> None:
    record_some(world)
    assert rows(*PERIOD)[0] == {
        "hour": "2026-11-23T12:00:00.000Z",
        "uploads": 2,
        "succeeded": 1,
        "failed_content": 0,
        "failed_unavailable": 0,
        "failed_system": 1,
        "inspected_again": 1,
        "deletions": 0,
        "records": 1,
        "bytes": 8,
    }


def test_hours_between_in_which_nothing_happened_have_a_row(world: World) -> None:
    record_some(world)
    found = {row["hour"][11:16]: row["uploads"] + row["deletions"] for row in rows(*PERIOD)}
    assert list(found.items())[:4] == [("12:00", 2), ("13:00", 0), ("14:00", 1), ("15:00", 0)]
    assert list(found.items())[-1] == ("03:00", 1)
    assert len(found) == 16


def test_days_are_those_of_the_readers_time_zone(world: World) -> None:
    record_some(world)
    record(world, "acme/3.csv", at=NOON + timedelta(hours=14, minutes=59))  # 23:59 there
    assert [(row["day"], row["uploads"], row["deletions"]) for row in rows(*PERIOD, "--by", "day")] == [
        ("2026-11-23", 4, 0),
        ("2026-11-24", 0, 1),
    ]


def test_sources_are_told_apart(world: World) -> None:
    record_some(world)
    found = [(row["source"], row["uploads"], row["deletions"]) for row in rows(*PERIOD, "--by", "source")]
    assert found == [("/", 1, 0), ("acme", 2, 1)]


@pytest.mark.parametrize("by", ["hour", "day", "source"])
def test_sealing_changes_no_count(world: World, by: str) -> None:
    record_some(world)
    before = rows(*PERIOD, "--by", by)
    sealer = Sealer(store=DynamoSeals(world.dynamodb, LOCAL.table), anchor=NoAnchor())
    assert len(list(sealer.seal_due(BUCKET, now=NOON + timedelta(hours=4), out_of_time=lambda: False))) == 3
    assert rows(*PERIOD, "--by", by) == before


def test_the_table_has_a_row_for_each_hour_and_a_total(world: World) -> None:
    record_some(world)
    status, printed = recibo(*PERIOD, "--by", "hour")
    lines = printed.splitlines()
    assert status == 0
    assert lines[0] == "Hours from 2026-11-22 21:00 to 2026-11-24 21:00"
    assert lines[1].split() == ["hour", "uploads", "succeeded", "failed", "again", "deletions", "records", "bytes"]
    assert " ".join(lines[2].split()) == "2026-11-23 09:00 2 1 1 (1 system) 1 0 1 8 B ▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪▪"
    assert " ".join(lines[-1].split()) == "total 3 2 1 (1 system) 1 1 2 16 B"
    assert len(lines) == 2 + 16 + 1


def test_a_name_that_would_steer_a_terminal_is_shown_and_not_obeyed(world: World) -> None:
    record(world, "\x1b[2Jevil/x.csv")
    _, printed = recibo(*PERIOD, "--by", "source")
    assert "\\x1b[2Jevil" in printed
    assert "\x1b" not in printed


@pytest.mark.usefixtures("world")
def test_a_period_of_nothing_is_said_in_words() -> None:
    assert recibo(*PERIOD) == (0, "Nothing was recorded from 2026-11-22 21:00 to 2026-11-24 21:00.\n")
    assert rows(*PERIOD) == []


@pytest.mark.usefixtures("world")
def test_a_period_that_ends_before_it_begins_is_refused() -> None:
    status, printed = recibo("--since", "2026-11-23", "--until", "2026-11-22")
    assert status == 2
    assert "give a --since that is before --until" in printed


def test_without_a_period_the_last_day_is_counted(world: World) -> None:
    record(world, "acme/1.csv", at=datetime.now().astimezone() - timedelta(hours=23))
    record(world, "acme/2.csv", at=datetime.now().astimezone() - timedelta(hours=25))
    assert sum(row["uploads"] for row in rows()) == 1


def test_a_chain_with_a_hole_is_no_ground_for_counts(world: World) -> None:
    record_some(world)
    store = DynamoSeals(world.dynamodb, LOCAL.table)
    sealer = Sealer(store=store, anchor=NoAnchor())
    made = list(sealer.seal_due(BUCKET, now=NOON + timedelta(hours=4), out_of_time=lambda: False))
    key: Any = {"pk": {"S": f"#seals/{BUCKET}"}, "sk": {"N": str(made[1].number)}}
    world.dynamodb.delete_item(TableName=LOCAL.table, Key=key)
    status, printed = recibo(*PERIOD)
    assert status == 2
    assert "the seal of 2026-11-23T13:00:00.000Z, part 0, is missing" in printed
