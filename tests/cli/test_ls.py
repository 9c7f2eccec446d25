"""`ls` on a simulated AWS: what only it does with the lists."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from click.testing import CliRunner, Result

from chalicelib.inspection import inspect
from chalicelib.uploads import entry_of
from cli.main import recibo
from tests import events
from tests.aws import World
from tests.fakes import NOON
from tests.receipts import SUCCESS, receipt


def ls(*options: str) -> Result:
    return CliRunner().invoke(recibo, ["ls", "--json", *options])


def keys(result: Result) -> list[str]:
    assert result.exit_code == 0, result.output
    return [json.loads(line)["key"] for line in result.output.splitlines()]


def record(world: World, key: str, content: bytes, *, minutes: int = 0) -> None:
    made = inspect([content], name=key)
    world.ledger.record(receipt(entry_of(events.record(key)), report=made, at=NOON + timedelta(minutes=minutes)))


def test_the_same_bytes_are_listed_wherever_they_arrived(world: World) -> None:
    record(world, "a/one.csv", b"a,b\n1,2\n")
    record(world, "b/two.csv", b"a,b\n1,2\n", minutes=1)
    record(world, "b/other.csv", b"a,b\n3,4\n", minutes=2)
    assert keys(ls("--same-as", "a/one.csv")) == ["b/two.csv", "a/one.csv"]


def test_the_same_as_nothing_is_a_clear_mistake(world: World) -> None:
    world.ledger.record(receipt(report=SUCCESS))
    result = ls("--same-as", "unknown.csv")
    assert result.exit_code == 2
    assert "knows no bytes of unknown.csv" in result.output


def test_a_day_is_listed_by_its_bounds(world: World) -> None:
    for minutes in range(5):
        record(world, f"{minutes}.csv", b"a\n1\n", minutes=minutes)
    since, until = (str((NOON + timedelta(minutes=minutes)).isoformat()) for minutes in (1, 3))
    assert keys(ls("--since", since, "--until", until)) == ["2.csv", "1.csv"]


@pytest.mark.parametrize("option", ["--since", "--until"])
@pytest.mark.parametrize("command", ["ls", "export", "stats"])
def test_a_time_that_is_given_as_nothing_is_not_taken_for_left_out(world: World, command: str, option: str) -> None:
    record(world, "a.csv", b"a\n1\n")
    done = CliRunner().invoke(recibo, [command, option, ""])
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "'' is not a time" in done.stderr


def test_a_token_is_not_for_ever_because_its_duration_is_given_as_nothing(world: World) -> None:
    done = CliRunner().invoke(recibo, ["token", "create", "partner", "--expires", ""])
    assert (done.exit_code, done.stdout, world.receipts) == (2, "", [])
    assert "'' is no duration" in done.stderr
