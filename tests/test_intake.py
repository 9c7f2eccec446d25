"""One entry of the bucket's history becomes one entry of the ledger, whatever happens."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.contracts import Contracts
from chalicelib.inspection import VERSION, inspect
from chalicelib.intake import UnavailableError
from chalicelib.receipts import as_json
from chalicelib.uploads import Entry, entry_of
from tests import events
from tests.fakes import FakeInbox, FakeWorld, codes, world_with

GOOD = b"id,amount\n1,10\n2,20\n"
BAD = b"id,amount\n1\n"


def upload(key: str = "sales/day.csv", **more: Any) -> Entry:
    return entry_of(events.record(key, **more))


# -- verdicts


def test_a_good_file_has_a_receipt_that_names_its_bytes() -> None:
    world = world_with(GOOD)
    world.inbox.declared_type, world.inbox.metadata = "text/csv", {"batch": "7"}
    entry = upload()
    outcome = world.intake.take(entry)
    assert outcome.is_new
    (made,) = world.receipts
    assert made == as_json(outcome.receipt)
    assert made["status"] == "succeeded"
    assert made["sha256"] == hashlib.sha256(GOOD).hexdigest()
    assert (made["bytes"], made["lines"], made["records"]) == (len(GOOD), 3, 2)
    assert (made["declared_type"], made["metadata"]) == ("text/csv", {"batch": "7"})
    assert (made["request_id"], made["inspector"], made["received_at"]) == (
        "this-request",
        VERSION,
        "2026-11-23T12:00:00.000Z",
    )


def test_a_bad_file_is_a_result_and_raises_nothing() -> None:
    """Findings are recorded; only a broken world is an exception."""
    world = world_with(BAD)
    world.intake.take(upload())
    (made,) = world.receipts
    assert (made["status"], made["cause"], codes(made)) == ("failed", "content", ["missing-cells"])


def test_an_upload_is_judged_by_the_contract_of_its_key_and_the_report_is_that_of_check() -> None:
    contracts = Contracts.of(
        {
            "sales.json": '{"name": "sales", "match": "sales/*.csv", "rows": {"atLeast": 3}}',
            "all.json": '{"name": "all", "match": "**", "rows": {"atLeast": 9}}',
        }
    )
    world = replace(world_with(GOOD), contracts=contracts)
    outcome = world.intake.take(upload())
    (made,) = world.receipts
    assert (made["status"], codes(made), made["contract"]["name"]) == ("failed", ["too-few-rows"], "sales")
    assert outcome.receipt.report == inspect([GOOD], name="sales/day.csv", contract=contracts.choose("sales/day.csv"))


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (UnavailableError("object-missing"), "deleted before"),
        (UnavailableError("object-replaced"), "replaced by another"),
        (UnavailableError("object-archived", storage_class="GLACIER"), "archived (GLACIER)"),
    ],
)
def test_bytes_that_cannot_be_had_are_a_result_that_says_why(reason: UnavailableError, words: str) -> None:
    """What was announced is read, or said to be gone; nothing else is judged under its name."""
    world = world_with(reason)
    world.intake.take(upload())
    (made,) = world.receipts
    assert (made["status"], made["cause"], codes(made)) == ("failed", "unavailable", [reason.code])
    assert words in made["findings"][0]["message"]
    assert "sha256" not in made


def test_bytes_that_vanish_while_they_are_read_are_never_judged_by_half() -> None:
    world = world_with(GOOD)

    class Vanishing(FakeInbox):
        def open(self, upload: Entry, **_: Any) -> Any:
            opened = super().open(upload)
            return _breaking(opened, UnavailableError("object-missing"))

    world.inbox = Vanishing(objects={"sales/day.csv": GOOD}, chunk=5)
    world.intake.take(upload())
    (made,) = world.receipts
    assert (codes(made), made["cause"]) == (["object-missing"], "unavailable")
    assert "bytes" not in made


def test_a_broken_world_is_an_exception_and_leaves_no_receipt() -> None:
    """A retry will do it."""
    world = world_with(ConnectionError("no route"))
    with pytest.raises(ConnectionError):
        world.intake.take(upload())
    assert world.receipts == []


def test_a_ledger_that_cannot_write_is_an_exception() -> None:
    world = world_with(GOOD)
    world.ledger.broken = TimeoutError("slow")
    with pytest.raises(TimeoutError):
        world.intake.take(upload())


def test_a_folder_marker_is_recorded_as_one_without_being_read() -> None:
    world = FakeWorld()
    world.intake.take(upload("sales/", size=0))
    (made,) = world.receipts
    assert (made["status"], made["format"], made["findings"]) == ("succeeded", "folder-marker", [])
    assert world.inbox.opened == []


def test_an_object_that_only_looks_like_a_folder_marker_is_judged() -> None:
    world = world_with(GOOD, "sales/")
    world.intake.take(upload("sales/", size=len(GOOD)))
    assert world.receipts[0]["records"] == 2


@pytest.mark.parametrize(
    ("record", "kind"),
    [
        (events.deletion(version_id="v1"), "deleted"),
        (events.expiration(version_id="v2"), "deleted"),
        (events.delete_marker(), "delete-marker"),
    ],
)
def test_a_deletion_is_recorded_and_not_judged(record: dict[str, Any], kind: str) -> None:
    world = FakeWorld()
    world.intake.take(entry_of(record))
    (made,) = world.receipts
    assert made["kind"] == kind
    assert "status" not in made
    assert world.inbox.opened == []


# -- once


def test_the_same_event_twice_leaves_the_first_receipt() -> None:
    """Double work is harmless, a double receipt impossible."""
    world = world_with(GOOD)
    entry = upload()
    first = world.intake.take(entry)
    second = world.intake._replace(request_id="second").take(entry)
    assert (first.is_new, second.is_new) == (True, False)
    assert world.receipts == [as_json(first.receipt)]


@given(st.permutations(range(4)), st.lists(st.integers(0, 3), max_size=4))
def test_any_order_of_events_with_any_repeats_leaves_the_same_receipts(order: list[int], again: list[int]) -> None:
    """Law: the ledger is a function of the set of events."""
    sent = [
        upload("k", version_id="v1", sequencer="01"),
        entry_of(events.deletion("k", version_id="v1", sequencer="02")),
        upload("k", version_id="v2", sequencer="03"),
        entry_of(events.delete_marker("k", version_id="v3", sequencer="04")),
    ]
    straight, shuffled = world_with(GOOD, "k"), world_with(GOOD, "k")
    for entry in sent:
        straight.intake.take(entry)
    for number in [*order, *again]:
        shuffled.intake.take(sent[number])
    assert shuffled.ledger.items == straight.ledger.items


@given(st.lists(st.sampled_from(["read", "write", "none"]), max_size=3))
def test_any_schedule_of_faults_ends_in_exactly_one_receipt(faults: list[str]) -> None:
    """Law: two retries and then the dead letter; each try may meet a fault, and the last resort ends it."""
    world, entry = world_with(GOOD), upload()
    for fault in faults:
        world.inbox.objects["sales/day.csv"] = ConnectionError() if fault == "read" else GOOD
        world.ledger.broken = ConnectionError() if fault == "write" else None
        if fault == "none":
            world.intake.take(entry)
        else:
            with pytest.raises(ConnectionError):
                world.intake.take(entry)
    world.ledger.broken = None
    world.intake.give_up(entry, reason="out of tries", request_id=None)
    (made,) = world.receipts
    assert made["status"] == ("succeeded" if "none" in faults else "failed")


def _breaking(opened: Any, error: Exception) -> Any:
    """The same upload, whose bytes end in an error after the first chunk."""

    @contextmanager
    def broken() -> Any:
        with opened as found:

            def chunks() -> Any:
                yield next(found.chunks)
                raise error

            yield found._replace(chunks=chunks())

    return broken()
