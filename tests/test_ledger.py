"""The ledger's contract, held by DynamoDB's and by the fake alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Protocol

import pytest
from botocore.exceptions import ClientError

from chalicelib.intake import StillInspectingError
from chalicelib.ports import Ledger
from chalicelib.receipts import as_json
from chalicelib.uploads import Entry, entry_of, iso
from tests import events
from tests.aws import World, simulated_aws
from tests.fakes import NOON, FakeLedger
from tests.receipts import SUCCESS, crash, failure, mark, receipt


class ReadableLedger(Ledger, Protocol):
    def current(self, identity: str) -> dict[str, Any] | None: ...

    def known(self, entries: Iterable[Entry]) -> dict[str, dict[str, Any]]: ...


@pytest.fixture(params=["fake", "dynamodb"])
def ledger(request: pytest.FixtureRequest) -> ReadableLedger:
    if request.param == "fake":
        return FakeLedger()
    world: World = request.getfixturevalue("world")
    return world.ledger


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with simulated_aws(monkeypatch) as made:
        yield made


# -- the contract


def test_a_receipt_is_recorded_whole(ledger: ReadableLedger) -> None:
    made = receipt()
    assert ledger.record(made)
    assert ledger.current(made.entry.identity) == as_json(made)


def test_a_second_receipt_of_one_inspection_is_refused_and_changes_nothing(ledger: ReadableLedger) -> None:
    first = receipt()
    ledger.record(first)
    assert not ledger.record(first._replace(report=failure(), request_id="later"))
    assert ledger.current(first.entry.identity) == as_json(first)


def test_an_upload_that_was_never_seen_has_no_receipt(ledger: ReadableLedger) -> None:
    assert ledger.current("nothing") is None


def test_a_later_inspection_stands_beside_the_first_and_is_the_current_one(ledger: ReadableLedger) -> None:
    first = receipt(report=failure())
    second = first._replace(inspection=2, report=SUCCESS)
    assert ledger.record(first)
    assert ledger.record(second)
    assert ledger.current(first.entry.identity) == as_json(second)


def test_a_receipt_takes_the_place_of_its_mark(ledger: ReadableLedger) -> None:
    made = receipt()
    mark(ledger, made.entry)
    assert (ledger.current(made.entry.identity) or {})["status"] == "inspecting"
    assert ledger.record(made)
    assert ledger.current(made.entry.identity) == as_json(made)


def test_a_mark_does_not_touch_a_receipt(ledger: ReadableLedger) -> None:
    made = receipt()
    ledger.record(made)
    mark(ledger, made.entry)
    assert ledger.current(made.entry.identity) == as_json(made)


def test_a_repeated_delivery_keeps_the_first_mark(ledger: ReadableLedger) -> None:
    upload = receipt().entry
    mark(ledger, upload)
    first = ledger.current(upload.identity)
    ledger.mark(upload, started_at=NOON + timedelta(minutes=1), deadline=NOON + timedelta(hours=1))
    assert ledger.current(upload.identity) == first


def test_a_deletion_stands_beside_the_upload_it_deletes(ledger: ReadableLedger) -> None:
    upload = receipt()
    deletion = receipt(entry_of(events.deletion(version_id=upload.entry.version_id)), report=None)
    assert ledger.record(upload)
    assert ledger.record(deletion)
    assert not ledger.record(deletion)
    assert ledger.current(upload.entry.identity) == as_json(upload)
    assert ledger.current(deletion.entry.identity) == as_json(deletion)


def test_of_fifty_that_record_one_upload_at_once_exactly_one_succeeds(ledger: ReadableLedger) -> None:
    made = receipt()
    mark(ledger, made.entry)
    attempts = [made._replace(request_id=f"request {number}") for number in range(50)]
    with ThreadPoolExecutor(max_workers=50) as pool:
        wrote = list(pool.map(ledger.record, attempts))
    assert wrote.count(True) == 1
    assert ledger.current(made.entry.identity) == as_json(attempts[wrote.index(True)])


def test_a_later_inspection_is_refused_while_the_one_before_goes_on(ledger: ReadableLedger) -> None:
    made = receipt()
    mark(ledger, made.entry)
    with pytest.raises((LookupError, ClientError)):
        ledger.record(made._replace(inspection=2))
    assert (ledger.current(made.entry.identity) or {})["status"] == "inspecting"


def test_a_later_inspection_whose_earlier_receipt_has_expired_is_recorded_once(ledger: ReadableLedger) -> None:
    made = receipt(inspection=2)
    ledger.mark(made.entry, inspection=2, started_at=NOON, deadline=NOON + timedelta(minutes=14))
    assert [ledger.record(made), ledger.record(made._replace(request_id="later"))] == [True, False]
    assert ledger.current(made.entry.identity) == as_json(made)


@pytest.mark.parametrize("inspection", [1, 2])
def test_what_is_given_up_is_recorded_where_nothing_stands(inspection: int, ledger: ReadableLedger) -> None:
    made = receipt(report=crash(), inspection=inspection)
    assert [ledger.give_up(made, request_id="r"), ledger.give_up(made, request_id="r")] == [True, False]
    assert ledger.current(made.entry.identity) == as_json(made)


@pytest.mark.parametrize("inspection", [1, 2])
def test_what_is_given_up_leaves_the_inspection_of_another_request_alone(
    inspection: int, ledger: ReadableLedger
) -> None:
    """Its bytes may well be judged; a receipt that says they were not would use up a try."""
    made = receipt(report=crash(), inspection=inspection)
    ends = NOON + timedelta(minutes=14)
    ledger.mark(made.entry, inspection=inspection, started_at=NOON, deadline=ends, request_id="one")
    for request_id in ("another", None):
        with pytest.raises(StillInspectingError):
            ledger.give_up(made, request_id=request_id)
    assert (ledger.current(made.entry.identity) or {})["status"] == "inspecting"
    assert ledger.give_up(made, request_id="one")
    assert ledger.current(made.entry.identity) == as_json(made)


def test_what_is_given_up_takes_the_place_of_a_mark_whose_time_is_over(ledger: ReadableLedger) -> None:
    made = receipt(report=crash(), at=NOON + timedelta(minutes=15))
    mark(ledger, made.entry)
    assert ledger.give_up(made, request_id="another")
    assert ledger.current(made.entry.identity) == as_json(made)


def test_what_is_given_up_changes_no_receipt(ledger: ReadableLedger) -> None:
    made = receipt()
    ledger.record(made)
    assert not ledger.give_up(made._replace(report=crash()), request_id="r")
    assert ledger.current(made.entry.identity) == as_json(made)


def test_a_mark_tells_which_try_of_whose_it_is(ledger: ReadableLedger) -> None:
    upload = receipt().entry
    ends = NOON + timedelta(minutes=14)
    ledger.mark(upload, inspection=3, tries=2, started_at=NOON, deadline=ends, request_id="r-9")
    found = ledger.current(upload.identity) or {}
    assert (found["tries"], found["request_id"]) == (2, "r-9")


def test_a_later_inspection_has_one_receipt_however_often_it_is_recorded(ledger: ReadableLedger) -> None:
    first = receipt(report=failure())
    second = first._replace(inspection=2, report=SUCCESS)
    ledger.record(first)
    assert [ledger.record(second), ledger.record(second._replace(request_id="later"))] == [True, False]
    assert ledger.current(first.entry.identity) == as_json(second)


def test_a_mark_past_its_deadline_gives_way_to_a_new_one(ledger: ReadableLedger) -> None:
    upload = receipt().entry
    mark(ledger, upload)
    ledger.mark(upload, started_at=NOON + timedelta(hours=1), deadline=NOON + timedelta(hours=2))
    assert (ledger.current(upload.identity) or {})["deadline"] == iso(NOON + timedelta(hours=2))


def test_a_later_inspection_leaves_its_own_mark_beside_the_earlier_receipt(ledger: ReadableLedger) -> None:
    first = receipt(report=failure())
    ledger.record(first)
    ledger.mark(first.entry, inspection=2, started_at=NOON, deadline=NOON + timedelta(minutes=14))
    assert (ledger.current(first.entry.identity) or {})["status"] == "inspecting"
    assert ledger.record(first._replace(inspection=2, report=SUCCESS))


def test_what_is_known_of_entries_is_found_by_their_identities(ledger: ReadableLedger) -> None:
    seen = [receipt(entry_of(events.record(f"k{number}"))) for number in range(250)]
    for made in seen:
        ledger.record(made)
    unseen = entry_of(events.record("unseen"))
    known = ledger.known([*(made.entry for made in seen), unseen, unseen])
    assert known.keys() == {made.entry.identity for made in seen}
    assert {item["status"] for item in known.values()} == {"succeeded"}
