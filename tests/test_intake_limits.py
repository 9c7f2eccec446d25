"""What ends an inspection other than the end of its file: time, a crash, and marks of long ones."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.intake import MARK_FROM, Outcome, StillInspectingError
from chalicelib.uploads import Entry, entry_of
from tests import events
from tests.fakes import FakeClock, FakeInbox, FakeWorld, codes, world_with

GOOD = b"id,amount\n1,10\n2,20\n"


def upload(key: str = "sales/day.csv", **more: Any) -> Entry:
    return entry_of(events.record(key, **more))


# -- time


def test_an_inspection_without_time_gives_its_verdict_before_it_is_killed() -> None:
    """No path without a receipt, not even out of time."""
    world = world_with(GOOD)
    world.clock.left = timedelta()
    world.intake.take(upload())
    (made,) = world.receipts
    assert (made["status"], made["cause"], codes(made)) == ("failed", "system", ["inspection-timed-out"])
    assert "sha256" not in made


def test_time_that_runs_out_between_two_chunks_ends_the_inspection_there() -> None:
    class Running(FakeClock):
        def remaining(self) -> timedelta:
            self.left -= timedelta(minutes=1)
            return self.left

    world = FakeWorld(
        inbox=FakeInbox(objects={"sales/day.csv": GOOD}, chunk=1), clock=Running(left=timedelta(minutes=6))
    )
    world.intake.take(upload())
    (made,) = world.receipts
    assert "after 5 bytes" in made["findings"][0]["message"]


def test_a_large_upload_leaves_a_mark_with_its_deadline_before_it_is_read() -> None:
    """No path without a receipt: people see that it is being inspected, and reconcile can tell when it died."""
    world = world_with(ConnectionError())
    entry = upload(size=MARK_FROM)
    with pytest.raises(ConnectionError):
        world.intake.take(entry)
    (mark,) = world.receipts
    assert mark["status"] == "inspecting"
    assert (mark["started_at"], mark["deadline"]) == ("2026-11-23T12:00:00.000Z", "2026-11-23T12:14:00.000Z")


def test_the_receipt_of_a_large_upload_takes_its_marks_place() -> None:
    world = world_with(GOOD)
    assert world.intake.take(upload(size=MARK_FROM)).is_new
    assert [made["status"] for made in world.receipts] == ["succeeded"]


@pytest.mark.parametrize("size", [0, MARK_FROM - 1, None])
def test_a_small_upload_pays_for_no_mark(size: int | None) -> None:
    world = world_with(GOOD)
    world.intake.take(upload(size=size))
    assert world.ledger.marks == []


# -- giving up


def test_an_upload_whose_every_inspection_crashed_has_a_receipt_that_says_so() -> None:
    world = FakeWorld()
    world.intake.give_up(upload(), reason="Runtime.OutOfMemory", request_id="r-9")
    (made,) = world.receipts
    assert (made["status"], made["cause"], codes(made)) == ("failed", "system", ["inspection-crashed"])
    assert "Runtime.OutOfMemory (request r-9)" in made["findings"][0]["message"]


def test_giving_up_changes_no_receipt_that_exists() -> None:
    world, entry = world_with(GOOD), upload()
    world.intake.take(entry)
    outcome = world.intake.give_up(entry, reason="late", request_id=None)
    assert not outcome.is_new
    assert [made["status"] for made in world.receipts] == ["succeeded"]


def test_giving_up_ends_the_mark_that_the_same_request_left() -> None:
    world, entry = world_with(KeyError()), upload(size=MARK_FROM)
    with pytest.raises(KeyError):
        world.intake.take(entry)
    assert world.intake.give_up(entry, reason="killed", request_id="this-request").is_new
    assert [made["status"] for made in world.receipts] == ["failed"]


def test_giving_up_does_not_end_the_inspection_of_another_delivery() -> None:
    world, entry = world_with(KeyError()), upload(size=MARK_FROM)
    with pytest.raises(KeyError):
        world.intake.take(entry)
    with pytest.raises(StillInspectingError):
        world.intake.give_up(entry, reason="killed", request_id="another")
    assert [made["status"] for made in world.receipts] == ["inspecting"]


def test_a_folder_marker_that_is_given_up_has_the_number_that_was_asked_for() -> None:
    world, entry = FakeWorld(), upload("sales/", size=0)
    world.intake.take(entry)
    world.intake.give_up(entry, inspection=2, reason="throttled", request_id=None)
    assert [made["inspection"] for made in world.receipts] == [1, 2]


@pytest.mark.parametrize("record", [events.deletion(version_id="v1"), events.record("sales/", size=0)])
def test_what_needs_no_inspection_is_recorded_even_when_given_up(record: dict[str, Any]) -> None:
    world = FakeWorld()
    world.intake.give_up(entry_of(record), reason="throttled", request_id=None)
    assert world.receipts[0].get("status") in (None, "succeeded")


def test_reasons_with_braces_or_percent_signs_are_told_as_they_are() -> None:
    world = FakeWorld()
    outcome: Outcome = world.intake.give_up(upload(), reason="{0} {reason} %s", request_id=None)
    assert outcome.receipt.report
    assert "{0} {reason} %s (request unknown)" in outcome.receipt.report.findings[0].message
