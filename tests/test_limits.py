"""The most that one upload may bring: fifty deliveries at once, the longest key, the largest receipt."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from chalicelib.findings import Cause
from chalicelib.handling import seal, take_event
from chalicelib.intake import Intake
from chalicelib.receipts import FINDINGS_BYTES, as_json
from chalicelib.uploads import entry_of
from tests import events
from tests.events import BUCKET
from tests.fakes import LOG, NOON, FakeClock
from tests.receipts import SUCCESS, receipt
from tests.test_receipts import worst_report
from tests.wire import LONG, Wired, wired_aws

AT_ONCE = 50
LONGEST_KEY = "k/" + "é" * 511
HOUR = timedelta(hours=1)


@pytest.fixture
def wired(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wired]:
    with wired_aws(monkeypatch) as made:
        yield made


@pytest.mark.parametrize("content", [b"a,b\n1,2\n", b"a,b\n1,2\n" * LONG], ids=["without a mark", "with a mark"])
def test_fifty_deliveries_at_once_leave_one_receipt(content: bytes, wired: Wired) -> None:
    """Over the whole way double work is harmless: each delivery reads the bucket and tries to write."""
    event = events.event(wired.world.upload(LONGEST_KEY, content))
    intakes = [
        Intake(inbox=wired.inbox, ledger=wired.ledger, clock=FakeClock(), request_id=f"request {number}")
        for number in range(AT_ONCE)
    ]
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        list(pool.map(lambda intake: take_event(intake, event, LOG), intakes))
    (made,) = wired.world.items.values()
    assert (made["status"], made["inspection"], made["bytes"]) == ("succeeded", 1, len(content))


@pytest.mark.parametrize("character", ["x", "é", "𝒳", "\0", '"'])
def test_the_largest_receipt_is_kept_whole_listed_sealed_and_verified(character: str, wired: Wired) -> None:
    """The simulated DynamoDB refuses, as the real one does, what is over 400 KB."""
    entry = entry_of(events.record(LONGEST_KEY, version_id="v" * 100, sequencer="F" * 40))
    metadata = {f"name-{number}": "v" * 1000 for number in range(2)}
    report = worst_report(character)._replace(cause=Cause.CONTENT)
    largest = receipt(entry, report=report)._replace(metadata=metadata, declared_type="t" * 1000)
    assert wired.ledger.record(largest)
    assert wired.ledger.record(largest._replace(inspection=2))
    found = wired.ledger.current(entry.identity)
    assert found == as_json(largest._replace(inspection=2))
    assert len(str(found["findings"])) > FINDINGS_BYTES // 4
    assert [summary["inspection"] for summary in wired.lists.newest(BUCKET)] == [2, 1]
    assert [summary["inspection"] for summary in wired.lists.failures(BUCKET)] == [2]
    made = seal(wired.sealer(), BUCKET, FakeClock(time=NOON + 2 * HOUR), {}, LOG)
    assert [one["receipts"] for one in made] == [2]
    verdict = wired.verification().verdict(BUCKET, now=NOON + 2 * HOUR)
    assert verdict.is_well, verdict.problems


def test_an_upload_has_as_many_inspections_as_are_asked_for(wired: Wired) -> None:
    """A hundred, beyond what reconcile would ask for: the last is the verdict, and the history has them all."""
    first = receipt(entry_of(events.record("z")))
    for number in range(1, 101):
        assert wired.ledger.record(first._replace(inspection=number, report=SUCCESS))
    assert (wired.ledger.current(first.entry.identity) or {})["inspection"] == 100
    history = wired.lists.history(BUCKET, "z", limit=1000)
    assert [summary["inspection"] for summary in history] == list(range(100, 0, -1))
