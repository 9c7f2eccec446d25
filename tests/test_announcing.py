"""From the ledger's stream to the event bus: every receipt at least once, whatever EventBridge answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import botocore.session
import pytest
from botocore.validate import validate_parameters
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.announcements import DETAIL_TYPE, SOURCE, announcement_of
from chalicelib.announcing import Announcer
from chalicelib.aws.items import decoded, encoded
from chalicelib.aws.notices import BATCH, TRIES, EventBridgeNotices
from chalicelib.aws.patience import Pace
from chalicelib.handling import announce
from chalicelib.receipts import INSPECTING, as_item
from chalicelib.uploads import entry_of
from tests import events
from tests.events import stream_record
from tests.fakes import LOG, FakeClock
from tests.receipts import receipt

PUT_EVENTS: Any = botocore.session.Session().get_service_model("events").operation_model("PutEvents").input_shape
REFUSAL = {"ErrorCode": "ThrottlingException", "ErrorMessage": "told by a test"}


@dataclass
class Bus:
    """An event bus that takes an entry unless `refuses(key, call)`, and knows AWS's parameters."""

    refuses: Callable[[str, int], bool] = lambda _key, _call: False
    calls: list[list[str]] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)

    def put_events(self, **parameters: Any) -> dict[str, Any]:
        validate_parameters(parameters, PUT_EVENTS)
        entries = parameters["Entries"]
        assert 1 <= len(entries) <= BATCH
        assert {(entry["Source"], entry["DetailType"]) for entry in entries} == {(SOURCE, DETAIL_TYPE)}
        keys = [json.loads(entry["Detail"])["key"] for entry in entries]
        self.calls.append(keys)
        answers = [REFUSAL if self.refuses(key, len(self.calls)) else {"EventId": "e"} for key in keys]
        self.taken += [key for key, answer in zip(keys, answers, strict=True) if answer is not REFUSAL]
        return {"FailedEntryCount": answers.count(REFUSAL), "Entries": answers}


def item_of(key: str) -> dict[str, Any]:
    return as_item(receipt(entry_of(events.record(key))))


def written(item: dict[str, Any], number: int) -> dict[str, Any]:
    return stream_record(encoded(item), number)


def announcer(bus: Bus) -> Announcer:
    notices = EventBridgeNotices(bus, pace=Pace(sleep=lambda _: None, shortened=lambda: 1.0))
    return Announcer(notices=notices, decoded=decoded)


def announced(bus: Bus, *records: dict[str, Any]) -> list[str]:
    """From which records on the stream is to bring them again."""
    answer = announce(announcer(bus), {"Records": list(records)}, FakeClock(), LOG)
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 100])
def test_receipts_are_sent_ten_at_a_time(count: int) -> None:
    bus, keys = Bus(), [f"{number}.csv" for number in range(count)]
    assert announced(bus, *(written(item_of(key), number) for number, key in enumerate(keys))) == []
    assert bus.taken == keys
    assert len(bus.calls) == -(-count // BATCH)


def test_an_event_has_the_time_of_its_receipt() -> None:
    made = announcement_of(item := item_of("a.csv"))
    assert made.at.isoformat(timespec="milliseconds").replace("+00:00", "Z") == item["finished_at"]


def test_what_has_no_capacity_is_sent_again_and_nothing_else() -> None:
    bus = Bus(refuses=lambda key, call: key in ("1.csv", "3.csv") and call < TRIES)
    assert announced(bus, *(written(item_of(f"{number}.csv"), number) for number in range(5))) == []
    assert bus.calls[1:] == [["1.csv", "3.csv"]] * (TRIES - 1)


@given(st.sets(st.integers(0, 34)), st.integers(0, 35))
def test_the_stream_brings_again_everything_from_the_first_that_was_not_taken(refused: set[int], count: int) -> None:
    """So that none is lost: all before it were taken."""
    names = {f"{number}.csv": number for number in range(count)}
    bus = Bus(refuses=lambda key, _: names[key] in refused)
    again = announced(bus, *(written(item_of(key), number) for key, number in names.items()))
    first = min(refused & set(names.values()), default=None)
    assert again == ([] if first is None else [str(first)])
    assert {names[key] for key in bus.taken} >= set(range(count if first is None else first))


def test_a_call_that_fails_is_raised_and_the_whole_batch_comes_again() -> None:
    class Broken(Bus):
        def put_events(self, **_: Any) -> dict[str, Any]:
            raise ConnectionError

    with pytest.raises(ConnectionError):
        announced(Broken(), written(item_of("a.csv"), 1))


def test_marks_deletions_and_what_is_not_a_receipt_are_left_out_even_if_the_stream_brings_them() -> None:
    """An emulator, or whoever calls the function, may filter nothing."""
    deletion = as_item(receipt(entry_of(events.deletion(version_id="v1")), report=None))
    others = [item_of("a.csv") | {"status": INSPECTING}, deletion, {"pk": "#seals/b", "sk": 1}]
    bus = Bus()
    expired = {"eventName": "REMOVE", "dynamodb": {"SequenceNumber": "9", "Keys": {}}}
    assert announced(bus, *map(written, others, range(3)), expired) == []
    assert bus.calls == []


def test_an_item_that_nobody_of_ours_made_keeps_no_other_back(capfd: pytest.CaptureFixture[str]) -> None:
    strange = {name: value for name, value in item_of("canary-4711").items() if name != "content_hash"}
    bus = Bus()
    assert announced(bus, written(strange, 1), written(item_of("b.csv"), 2)) == []
    assert bus.taken == ["b.csv"]
    line = json.loads(capfd.readouterr().out)
    assert (line["level"], line["not_announced"]) == ("ERROR", 1)
    assert line["reasons"] == ["no event can be made of it: KeyError"]
