"""From events to receipts and log lines."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.failures import NotHandledError
from chalicelib.handling import NothingAdoptedError, reconcile, seal, take_dead_letters, take_event
from chalicelib.listing import entry_of_version
from chalicelib.scheduled import ScheduledReconcile
from chalicelib.sealing import Sealer
from chalicelib.uploads import UnreadableEventError
from tests import events
from tests.events import BUCKET
from tests.evidence import Evidence, FakeSignatures, FakeTable
from tests.fakes import LOG, NOON, FakeClock, FakeInbox, FakeWorld
from tests.reconciling import failed, listed, surroundings

GOOD = b"id,amount\n1,10\n"
CANARY = "canary-4711"


@pytest.fixture
def world() -> FakeWorld:
    return FakeWorld(inbox=FakeInbox(objects={"a.csv": GOOD, "c.csv": GOOD, "broken.csv": ConnectionError("no route")}))


def lines(capfd: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The log, which has nothing in it but JSON objects, one a line."""
    return [json.loads(line) for line in capfd.readouterr().out.splitlines()]


# -- events


def test_every_record_of_an_event_is_handled_and_then_the_first_failure_raised(world: FakeWorld) -> None:
    """One that fails keeps no other from its receipt."""
    sent = events.event(*map(events.record, ("a.csv", "broken.csv", "c.csv")))
    with pytest.raises(NotHandledError, match="ConnectionError"):
        take_event(world.intake, sent, LOG)
    assert [made["key"] for made in world.receipts] == ["a.csv", "c.csv"]


def test_an_unreadable_record_keeps_no_other_from_its_receipt(world: FakeWorld) -> None:
    sent = events.event({"eventName": "ObjectCreated:Put"}, None, events.record("a.csv"))
    with pytest.raises(UnreadableEventError):
        take_event(world.intake, sent, LOG)
    assert [made["key"] for made in world.receipts] == ["a.csv"]


def test_an_event_without_records_of_s3_is_raised_and_not_forgotten(world: FakeWorld) -> None:
    with pytest.raises(UnreadableEventError):
        take_event(world.intake, {"detail": {}}, LOG)


def test_the_test_event_of_a_new_notification_does_nothing(world: FakeWorld) -> None:
    take_event(world.intake, events.TEST_EVENT, LOG)
    assert world.receipts == []


# -- reconcile


@dataclass
class Passing(FakeClock):
    """Each look at the clock takes a minute of the fourteen."""

    def remaining(self) -> timedelta:
        self.left -= timedelta(minutes=1)
        return self.left


def test_reconcile_spends_at_most_half_of_its_time_on_what_failed() -> None:
    found = surroundings(*(listed(f"{number:02}") for number in range(30)), listed("lost"))
    for version in found.versions[:-1]:
        failed(found.world.ledger, entry_of_version(BUCKET, version))
    scheduled = ScheduledReconcile(reconciliation=found.reconciliation, inspections=found, notes=found)
    done = reconcile(scheduled, BUCKET, Passing(), LOG)
    assert (done["system"], done["missing"], done["is_complete"]) == (3, 1, False)


# -- the log


def test_each_entry_has_exactly_one_line(world: FakeWorld, capfd: pytest.CaptureFixture[str]) -> None:
    sent = events.record("a.csv")
    for record in (sent, sent, events.deletion("a.csv", version_id="v1"), events.record("gone.csv")):
        take_event(world.intake, events.event(record), LOG)
    told = [(line["event"], line.get("status"), line["level"]) for line in lines(capfd)]
    assert told == [
        ("receipt", "succeeded", "INFO"),
        ("duplicate", "succeeded", "INFO"),
        ("deletion", None, "INFO"),
        ("receipt", "failed", "INFO"),
    ]


def test_a_line_tells_what_was_found(world: FakeWorld, capfd: pytest.CaptureFixture[str]) -> None:
    world.inbox.objects["bad.csv"] = b"id,amount\n1\n"
    take_event(world.intake, events.event(events.record("bad.csv")), LOG)
    (line,) = lines(capfd)
    assert (line["cause"], line["first_finding"]) == ("content", "missing-cells: row 1, line 2")
    assert (line["findings"], line["records"], line["request_id"]) == ({"missing-cells": 1}, 1, "this-request")


def test_a_failure_is_told_with_its_place_in_the_code(world: FakeWorld, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(NotHandledError):
        take_event(world.intake, events.event(events.record("broken.csv")), LOG)
    (line,) = lines(capfd)
    assert (line["event"], line["level"], line["key"]) == ("not-handled", "ERROR", "broken.csv")
    assert line["reason"].startswith("ConnectionError at fakes.py:")
    assert any("intake.py" in call for call in line["trace"])


@pytest.mark.parametrize("key", ["a\nb.csv", "a\r\nb", "a\u2028b", "a\0b", 'a"b', "{key}", "\x1b[31m"])
def test_a_key_cannot_break_its_line(key: str, world: FakeWorld, capfd: pytest.CaptureFixture[str]) -> None:
    take_event(world.intake, events.event(events.record(key)), LOG)
    out = capfd.readouterr().out
    assert out.count("\n") == len(out.splitlines()) == 1
    assert out.isprintable() or out[:-1].isprintable()
    assert json.loads(out)["key"] == key


CANARY_FILES = {
    "cell.csv": f'id,{CANARY}\n{CANARY}\n{CANARY},1,2\n"{CANARY}'.encode(),
    "value.json": f'{{"{CANARY}": 1, "{CANARY}": {CANARY}}}'.encode(),
    "lines.jsonl": f'{{"{CANARY}": "{CANARY}"}}\n{CANARY}\n'.encode(),
    "text.txt": f"{CANARY}\0\xff".encode("latin-1"),
    "data.csv.gz": f"\x1f\x8b{CANARY}".encode("latin-1"),
}


@pytest.mark.parametrize("key", CANARY_FILES)
def test_no_content_of_a_file_reaches_the_log(key: str, world: FakeWorld, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither what is right in a file nor what is wrong with it."""
    world.inbox.objects[key] = CANARY_FILES[key]
    take_event(world.intake, events.event(events.record(key)), LOG)
    captured = capfd.readouterr()
    assert world.receipts
    assert CANARY not in captured.out + captured.err


def test_no_content_of_a_file_reaches_the_log_by_an_exception(
    world: FakeWorld, capfd: pytest.CaptureFixture[str]
) -> None:
    """Lambda logs what is raised, with its text, and sends that text to the dead letters."""
    world.inbox.objects["a.csv"] = ValueError(f"could not convert string to float: '{CANARY}'")
    with pytest.raises(NotHandledError) as raised:
        take_event(world.intake, events.event(events.record("a.csv")), LOG)
    captured = capfd.readouterr()
    assert "ValueError" in captured.out
    assert CANARY not in captured.out + captured.err + str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__


# -- dead letters


@pytest.mark.parametrize("envelope", [events.aws_envelope, events.bare_envelope])
def test_an_upload_out_of_retries_has_its_receipt_without_being_read(envelope: Any, world: FakeWorld) -> None:
    take_dead_letters(world.intake, events.sqs_event(envelope(events.event(events.record("a.csv")))), LOG)
    (made,) = world.receipts
    assert [finding["code"] for finding in made["findings"]] == ["inspection-crashed"]
    assert world.inbox.opened == []


def test_the_receipt_says_what_the_last_try_ended_with(world: FakeWorld) -> None:
    answer = {"errorType": "NotHandledError", "errorMessage": "ValueError at text.py:7 in feed"}
    letter = events.aws_envelope(events.event(events.record("a.csv")), answer=answer)
    take_dead_letters(world.intake, events.sqs_event(letter), LOG)
    assert (
        "did not finish: ValueError at text.py:7 in feed (request c9a1-of-the-last-try)."
        in (world.receipts[0]["findings"][0]["message"])
    )


@pytest.mark.parametrize("letter", [events.too_old, lambda event: event])
def test_an_upload_that_was_never_inspected_is_inspected_now(letter: Any, world: FakeWorld) -> None:
    take_dead_letters(world.intake, events.sqs_event(letter(events.event(events.record("a.csv")))), LOG)
    assert [made["status"] for made in world.receipts] == ["succeeded"]


def test_an_upload_that_cannot_be_inspected_from_the_dead_letters_either_is_given_up(world: FakeWorld) -> None:
    letter = events.too_old(events.event(events.record("broken.csv")))
    for received in (1, 2):
        with pytest.raises(NotHandledError):
            take_dead_letters(world.intake, events.sqs_event(letter, received=received), LOG)
    take_dead_letters(world.intake, events.sqs_event(letter, received=3), LOG)
    assert [made["findings"][0]["code"] for made in world.receipts] == ["inspection-crashed"]


def test_a_receipt_that_exists_is_left_alone(world: FakeWorld, capfd: pytest.CaptureFixture[str]) -> None:
    sent = events.event(events.record("a.csv"))
    take_event(world.intake, sent, LOG)
    take_dead_letters(world.intake, events.sqs_event(events.aws_envelope(sent)), LOG)
    assert [made["status"] for made in world.receipts] == ["succeeded"]
    assert [line["event"] for line in lines(capfd)] == ["receipt", "dead-letter", "duplicate"]


def test_every_record_of_a_dead_letter_is_handled(world: FakeWorld) -> None:
    """One record that cannot be read keeps no other from its receipt."""
    sent = events.event(None, events.record("a.csv"), events.record("c.csv"))
    with pytest.raises(UnreadableEventError):
        take_dead_letters(world.intake, events.sqs_event(events.aws_envelope(sent)), LOG)
    assert [made["key"] for made in world.receipts] == ["a.csv", "c.csv"]


def test_a_message_that_cannot_be_read_stays_in_the_queue_and_is_told(
    world: FakeWorld, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UnreadableEventError):
        take_dead_letters(world.intake, events.sqs_event("not JSON", events.event(events.record("a.csv"))), LOG)
    assert [line["event"] for line in lines(capfd)] == ["unreadable", "dead-letter", "receipt"]
    assert [made["key"] for made in world.receipts] == ["a.csv"]


# -- sealing


def test_what_was_to_be_adopted_and_was_not_is_an_error() -> None:
    """Nobody may think that it was."""
    made = Evidence()
    made.upload(0)
    (last,) = made.seal(85)
    sealer, clock = Sealer(store=made.table, anchor=FakeSignatures()), FakeClock(time=NOON + timedelta(minutes=90))
    event = {"detail": {"early": True, "adopt": last.seal_hash}}
    (brief,) = seal(sealer, BUCKET, clock, event, LOG)
    adopter = made.table.last(BUCKET)
    assert adopter
    assert (adopter.adopts, brief["seal_hash"]) == (last.seal_hash, adopter.seal_hash)
    with pytest.raises(NothingAdoptedError):
        seal(sealer, BUCKET, clock, event, LOG)
    with pytest.raises(NothingAdoptedError):
        seal(Sealer(store=FakeTable(), anchor=FakeSignatures()), BUCKET, clock, event, LOG)
