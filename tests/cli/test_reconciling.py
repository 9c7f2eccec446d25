"""`reconcile`, `retry` and `recheck` on a simulated AWS, where Lambda inspects at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import click
import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result

from chalicelib import wiring
from chalicelib.handling import take_event
from chalicelib.intake import Intake
from chalicelib.receipts import MAX_TRIES
from chalicelib.uploads import Entry, entry_of, iso
from cli import asking
from cli.main import recibo
from cli.reconciling import recheck, reconcile, retry
from cli.surroundings import Surroundings, _client
from infra.stages import Stage
from infra.template import LOCAL
from tests import events
from tests.aws import World, simulated_aws
from tests.events import BUCKET
from tests.fakes import LOG, FakeClock
from tests.lambdas import Lambda, replace_lambda
from tests.receipts import crash, receipt

GOOD, BAD = b"a,b\n1,2\n2,3\n", b"a,b\n1,2\n2\n"
INSPECT = LOCAL.function("inspect")
HOUR = timedelta(hours=1)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(asking, "THREADS", 1)  # the simulation copies what another thread may be changing
    with simulated_aws(monkeypatch) as made:
        _talk_to(monkeypatch, LOCAL)
        yield made
    _client.cache_clear()


def _talk_to(monkeypatch: pytest.MonkeyPatch, stage: Stage) -> None:
    """Let the command line take the simulated AWS for the stage's."""
    _client.cache_clear()
    monkeypatch.setattr(Surroundings, "find", lambda *_: Surroundings(stage=stage, endpoint=None))


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch, world: World) -> Lambda:
    """Lambda, where `inspect` inspects at once."""
    monkeypatch.setattr("chalicelib.logs._write", lambda _: None)  # its log is not the command's output
    made = replace_lambda(monkeypatch)
    made.functions = {INSPECT: lambda event: take_event(_intake(world), event, LOG)}
    return made


def _intake(world: World) -> Intake:
    return Intake(inbox=wiring.inbox(), ledger=world.ledger, clock=FakeClock(time=datetime.now(UTC)))


def run(*arguments: str) -> Result:
    """A command as a person types it, and as the program turns mistakes into sentences."""
    return CliRunner().invoke(recibo, arguments)


def lines(done: Result) -> list[Any]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def put(world: World, key: str, content: bytes = GOOD, *, is_recorded: bool = False) -> Entry:
    """An upload whose event was lost, or came."""
    record = world.upload(key, content) | {"eventTime": iso(datetime.now(UTC))}
    if is_recorded:
        take_event(_intake(world), events.event(record), LOG)
    return entry_of(record)


def break_off(world: World, upload: Entry, *, times: int = 1) -> None:
    """So many inspections that failed by Recibo's own fault."""
    for number in range(1, times + 1):
        at = datetime.now(UTC) - HOUR
        assert world.ledger.record(receipt(upload, report=crash(), at=at, inspection=number, tries=number))


def die(world: World, upload: Entry) -> None:
    began = datetime.now(UTC) - HOUR
    world.ledger.mark(upload, started_at=began, deadline=began + HOUR / 4)


def inspections(world: World, key: str) -> list[tuple[int, str]]:
    """Number and status of a key's receipts, the oldest first."""
    found = world.lists.history(BUCKET, key, limit=100)
    return [(one["inspection"], one.get("status", one["kind"])) for one in reversed(found)]


# -- reconcile


def test_what_others_keep_in_an_adopted_bucket_is_not_inspected(
    world: World, functions: Lambda, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One command is the backfill: what was there before Recibo, of the stage's own prefix."""
    _talk_to(monkeypatch, replace(LOCAL, prefix="incoming/", is_adopted=True))
    put(world, "incoming/old.csv")
    put(world, "others/old.csv")
    done = run("reconcile")
    assert len(functions.invoked) == 1
    assert done.stdout == "1 version looked at: 1 had no receipt; 1 inspection done, 1 succeeded.\n"
    assert inspections(world, "others/old.csv") == []


def test_reconcile_has_inspected_what_lacks_its_receipt_and_says_what_came_of_it(
    world: World, functions: Lambda
) -> None:
    for key, content in {"a.csv": GOOD, "b.csv": BAD, "c.csv": GOOD}.items():
        put(world, key, content)
    die(world, put(world, "died.csv"))
    break_off(world, put(world, "failed.csv"))
    put(world, "there.csv", is_recorded=True)
    done = run("reconcile")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == (
        "6 versions looked at: 3 had no receipt, 1 inspection had died, 1 had failed by Recibo's own fault; "
        "5 inspections done, 4 succeeded, 1 failed.\n"
    )
    assert {name for name, _ in functions.invoked} == {INSPECT}
    assert inspections(world, "died.csv") == [(1, "succeeded")]
    assert inspections(world, "failed.csv") == [(1, "failed"), (2, "succeeded")]


@pytest.mark.usefixtures("functions")
def test_reconcile_of_what_is_complete_asks_for_nothing(world: World, functions: Lambda) -> None:
    put(world, "a.csv", is_recorded=True)
    done = run("reconcile")
    assert (done.exit_code, done.stdout) == (0, "1 version looked at: none lacks its receipt.\n")
    assert functions.invoked == []


@pytest.mark.usefixtures("functions")
def test_reconcile_records_a_delete_marker_whose_event_was_lost(world: World) -> None:
    put(world, "a.csv", is_recorded=True)
    world.s3.delete_object(Bucket=BUCKET, Key="a.csv")
    assert "1 inspection done, 1 recorded." in run("reconcile").stdout
    assert inspections(world, "a.csv") == [(1, "succeeded"), (1, "delete-marker")]


@pytest.mark.usefixtures("functions")
def test_reconcile_as_json_is_one_object_with_all_counts(world: World) -> None:
    put(world, "a.csv")
    put(world, "b.csv", BAD)
    assert lines(run("reconcile", "--json")) == [
        {
            "listed": 2,
            "missing": 2,
            "died": 0,
            "system": 0,
            "asked": 2,
            "succeeded": 1,
            "failed": 1,
            "recorded": 0,
            "late": [],
        }
    ]


@pytest.mark.usefixtures("functions")
def test_reconcile_looks_only_at_what_has_the_prefix(world: World) -> None:
    put(world, "a/1.csv")
    put(world, "b/1.csv")
    assert run("reconcile", "--prefix", "b/").stdout.startswith("1 version looked at: 1 had no receipt;")
    assert (inspections(world, "a/1.csv"), len(inspections(world, "b/1.csv"))) == ([], 1)


@pytest.mark.usefixtures("functions")
def test_reconcile_leaves_out_what_landed_before_since(world: World) -> None:
    put(world, "a.csv")
    assert "none lacks" in run("reconcile", "--since", "2100-01-01").stdout
    assert "1 had no receipt" in run("reconcile", "--since", "1h").stdout


def test_reconcile_refuses_a_time_that_is_none() -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        _talk_to(monkeypatch, LOCAL)
        done = run("reconcile", "--since", "yesterday")
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "is not a time" in done.stderr


@pytest.mark.usefixtures("functions")
def test_reconcile_leaves_alone_what_may_have_lost_its_receipt_by_its_age(
    monkeypatch: pytest.MonkeyPatch, world: World
) -> None:
    """A retention of a day at most stands for any: everything in the bucket is older than it is kept."""
    _talk_to(monkeypatch, replace(LOCAL, retention_days=1))
    monkeypatch.setattr("chalicelib.reconcile.EXPIRY_MARGIN", timedelta(days=2))
    put(world, "a.csv")
    assert "none lacks" in run("reconcile", "--since", "2000-01-01").stdout


def test_reconcile_dry_lists_what_it_would_ask_for_and_asks_for_nothing(world: World, functions: Lambda) -> None:
    missing = put(world, "a\u202e.csv")
    die(world, put(world, "died.csv"))
    done = run("reconcile", "--dry-run")
    assert done.exit_code == 0
    assert "missing  inspection 1 of a\\u202e.csv (" in done.stdout
    assert done.stdout.endswith("1 had no receipt, 1 inspection had died; nothing was asked for.\n")
    first, second = lines(run("reconcile", "--dry-run", "--json"))
    assert (first["key"], first["reason"]) == ("died.csv", "died")
    assert second == {
        "key": "a\u202e.csv",
        "version_id": missing.version_id,
        "kind": "upload",
        "inspection": 1,
        "reason": "missing",
    }
    assert functions.invoked == []


def test_reconcile_without_waiting_asks_for_everything_at_once(world: World, functions: Lambda) -> None:
    functions.functions = {}
    for number in range(3):
        put(world, f"{number}.csv")
    done = run("reconcile", "--no-wait")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == "3 versions looked at: 3 had no receipt; 3 asked for.\n"
    assert len(functions.invoked) == 3


def test_reconcile_names_what_did_not_come_and_exits_2(world: World, functions: Lambda) -> None:
    late = put(world, "late.csv")
    inspect = functions.functions[INSPECT]
    functions.functions = {INSPECT: lambda event: None if "late" in str(event) else inspect(event)}
    put(world, "fine.csv")
    done = run("reconcile", "--timeout", "0")
    assert done.exit_code == 2
    assert "1 inspection done, 1 succeeded." in done.stdout
    assert done.stderr.count("\n") == 1
    assert "1 receipt did not come, after 0 s without any; what was asked for goes on" in done.stderr
    assert f"late.csv ({late.version_id})" in done.stderr


def test_reconcile_has_few_inspections_outstanding_and_stops_when_no_receipt_comes(
    world: World, functions: Lambda, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The uploads of the hour share the function."""
    monkeypatch.setattr(asking, "OUTSTANDING", 3)
    functions.functions = {}
    for number in range(5):
        put(world, f"{number}.csv")
    done = run("reconcile", "--timeout", "0")
    assert (done.exit_code, len(functions.invoked)) == (2, 3)
    assert "Nothing more was asked for" in done.stderr


@pytest.mark.usefixtures("functions")
def test_reconcile_goes_on_asking_while_receipts_come(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "OUTSTANDING", 3)
    for number in range(10):
        put(world, f"{number}.csv")
    assert "10 inspections done, 10 succeeded." in run("reconcile").stdout


def test_a_receipt_that_takes_its_time_is_waited_for(
    world: World, functions: Lambda, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(world, "slow.csv")
    inspect, functions.functions = functions.functions[INSPECT], {}
    monkeypatch.setattr("cli.asking.time.sleep", lambda _: inspect(functions.invoked[0][1]))
    assert "1 inspection done, 1 succeeded." in run("reconcile").stdout


def test_reconcile_refuses_a_bucket_without_versions_before_it_asks_for_anything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with simulated_aws(monkeypatch, versioned=False) as unversioned:
        _talk_to(monkeypatch, LOCAL)
        functions = replace_lambda(monkeypatch)
        unversioned.upload("a.csv", GOOD)
        done = run("reconcile")
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert f"recibo: The bucket {BUCKET} keeps no versions" in done.stderr
    assert functions.invoked == []


# -- retry


@pytest.mark.usefixtures("functions")
def test_retry_has_inspected_what_failed_or_died_however_often(world: World) -> None:
    break_off(world, put(world, "often.csv"), times=MAX_TRIES)
    break_off(world, put(world, "once.csv"))
    die(world, put(world, "died.csv"))
    put(world, "missing.csv")
    done = run("retry")
    assert (done.exit_code, done.stdout) == (
        0,
        "1 inspection had died, 2 had failed by Recibo's own fault; 3 inspections done, 3 succeeded.\n",
    )
    assert inspections(world, "often.csv")[-1] == (MAX_TRIES + 1, "succeeded")
    assert inspections(world, "missing.csv") == []


@pytest.mark.usefixtures("functions")
def test_retry_leaves_what_failed_by_its_content(world: World) -> None:
    put(world, "bad.csv", BAD, is_recorded=True)
    assert run("retry").stdout == "Nothing to do: none lacks its receipt.\n"


def test_retry_is_bounded_by_its_prefix_and_may_be_dry(world: World, functions: Lambda) -> None:
    break_off(world, put(world, "a/1.csv"))
    break_off(world, put(world, "b/1.csv"))
    (line,) = lines(run("retry", "--prefix", "b/", "--dry-run", "--json"))
    assert (line["key"], line["inspection"], line["reason"]) == ("b/1.csv", 2, "system")
    assert functions.invoked == []


# -- recheck


@pytest.mark.usefixtures("functions")
def test_recheck_of_a_key_adds_an_inspection_of_its_latest_upload_and_shows_the_receipt(world: World) -> None:
    put(world, "a.csv", is_recorded=True)
    put(world, "a.csv", BAD, is_recorded=True)
    done = run("recheck", "a.csv")
    assert done.exit_code == 1
    assert "✗ failed  a.csv" in done.stdout
    assert "row 2, line 3" in done.stdout
    assert inspections(world, "a.csv") == [(1, "succeeded"), (1, "failed"), (2, "failed")]


@pytest.mark.usefixtures("functions")
def test_recheck_of_a_version_is_of_that_version(world: World) -> None:
    first = put(world, "a.csv", is_recorded=True)
    put(world, "a.csv", BAD, is_recorded=True)
    done = run("recheck", "a.csv", "--version", str(first.version_id), "--json")
    (made,) = lines(done)
    assert (made["version_id"], made["inspection"], done.exit_code) == (first.version_id, 2, 0)


@pytest.mark.usefixtures("functions")
def test_recheck_of_a_key_that_was_deleted_is_of_the_upload_below(world: World) -> None:
    put(world, "a.csv", is_recorded=True)
    world.s3.delete_object(Bucket=BUCKET, Key="a.csv")
    run("reconcile")
    assert [made["inspection"] for made in lines(run("recheck", "a.csv", "--json"))] == [2]


@pytest.mark.usefixtures("functions")
def test_recheck_of_what_only_the_bucket_knows_is_its_first_inspection(world: World) -> None:
    old = put(world, "a.csv")
    put(world, "a.csv.sig", BAD)
    put(world, "a.csv", BAD)
    assert [made["inspection"] for made in lines(run("recheck", "a.csv", "--json"))] == [1]
    (made,) = lines(run("recheck", "a.csv", "--version", str(old.version_id), "--json"))
    assert (made["version_id"], made["status"], made["inspection"]) == (old.version_id, "succeeded", 1)


@pytest.mark.usefixtures("functions")
@pytest.mark.parametrize("arguments", [["b.csv"], ["a.csv", "--version", "nowhere"], ["a"]])
def test_recheck_of_what_neither_ledger_nor_bucket_has_is_one_sentence(world: World, arguments: list[str]) -> None:
    put(world, "a.csv")
    done = run("recheck", *arguments)
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "Neither the ledger nor the bucket has" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [[], ["a.csv", "--prefix", "a"], ["--prefix", "a", "--version", "v"], ["a.csv", "--all-versions"]],
)
@pytest.mark.usefixtures("world")
def test_recheck_refuses_what_cannot_be_meant_with_one_sentence(arguments: list[str]) -> None:
    done = run("recheck", *arguments)
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)


@pytest.mark.usefixtures("functions")
def test_recheck_of_a_prefix_is_of_the_latest_upload_of_each_key_or_of_all(world: World) -> None:
    """Whatever delete marker lies on top."""
    old, new = put(world, "p/a", is_recorded=True), put(world, "p/a", is_recorded=True)
    hidden = put(world, "p/b")
    world.s3.delete_object(Bucket=BUCKET, Key="p/b")
    put(world, "q", is_recorded=True)
    latest = lines(run("recheck", "--prefix", "p/", "--dry-run", "--json"))
    every = lines(run("recheck", "--prefix", "p/", "--all-versions", "--dry-run", "--json"))
    assert [(one["version_id"], one["inspection"]) for one in latest] == [(new.version_id, 2), (hidden.version_id, 1)]
    assert [one["version_id"] for one in every] == [new.version_id, old.version_id, hidden.version_id]


@pytest.mark.usefixtures("functions")
def test_recheck_of_many_ends_with_a_summary(world: World) -> None:
    for number in range(11):
        put(world, f"{number:02}.csv", BAD if number == 3 else GOOD, is_recorded=True)
    done = run("recheck", "--prefix", "")
    assert (done.exit_code, done.stdout) == (1, "11 inspections done, 10 succeeded, 1 failed.\n")
    assert len(lines(run("recheck", "--prefix", "", "--json"))) == 11


@pytest.mark.usefixtures("functions")
def test_recheck_of_an_empty_prefix_says_so() -> None:
    done = run("recheck", "--prefix", "nothing/")
    assert (done.exit_code, done.stdout) == (0, "The bucket has no such upload.\n")


def test_recheck_exits_2_if_a_receipt_does_not_come(world: World, functions: Lambda) -> None:
    put(world, "a.csv", is_recorded=True)
    functions.functions = {}
    done = run("recheck", "a.csv", "--timeout", "0")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "1 receipt did not come" in done.stderr


def test_what_lambda_refuses_is_one_sentence(world: World, functions: Lambda) -> None:
    def refused(_: Any) -> None:
        raise ClientError({"Error": {"Code": "TooManyRequestsException", "Message": "Rate Exceeded."}}, "Invoke")

    functions.functions = {INSPECT: refused}
    put(world, "a.csv")
    done = run("reconcile")
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "AWS refused Invoke: Rate Exceeded. (TooManyRequestsException)" in done.stderr


def test_the_commands_explain_themselves() -> None:
    for command in (reconcile, retry, recheck):
        assert "Exit status" in command.get_help(click.Context(command))
