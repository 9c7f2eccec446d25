"""What only DynamoDB's ledger does: read pages, by queries and never by scans."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.aws.ledger import DynamoLedger
from chalicelib.aws.lists import BEYOND, PAGE, DynamoLists, Period
from chalicelib.aws.patience import Pace
from chalicelib.inspection import Report, inspect
from chalicelib.receipts import SHARDS, Receipt, as_json
from chalicelib.uploads import entry_of
from chalicelib.verification.items import FoundMark, found_mark
from chalicelib.wanted import OutOfTimeError
from infra.template import table_definition
from tests import events
from tests.aws import World, simulated_aws
from tests.events import BUCKET
from tests.fakes import NOON
from tests.receipts import SUCCESS, crash, failure, mark, receipt


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with simulated_aws(monkeypatch) as made:
        yield made


def uploads(count: int, *, key: Callable[[int], str], report: Report | None = SUCCESS) -> list[Receipt]:
    """Receipts made a minute apart, the oldest first."""
    return [
        receipt(entry_of(events.record(key(number))), report=report, at=NOON + timedelta(minutes=number))
        for number in range(count)
    ]


def record_all(world: World, receipts: list[Receipt]) -> list[str]:
    """Record them; their identities, the newest first."""
    for made in receipts:
        assert world.ledger.record(made)
    return [made.entry.identity for made in reversed(receipts)]


def identities(summaries: Iterator[dict[str, Any]] | list[dict[str, Any]]) -> list[str]:
    return [summary["identity"] for summary in summaries]


def count_calls(ledger: DynamoLedger | DynamoLists) -> list[str]:
    calls: list[str] = []
    ledger._client.meta.events.register("before-call.dynamodb", lambda model, **_: calls.append(model.name))
    return calls


MORE_THAN_A_PAGE = PAGE * 3


def test_the_newest_come_first_over_any_number_of_pages(world: World) -> None:
    expected = record_all(world, uploads(MORE_THAN_A_PAGE, key=lambda number: f"s{number % 3}/{number}.csv"))
    assert identities(world.lists.newest(BUCKET)) == expected


def test_the_history_of_a_busy_key_spans_pages(world: World) -> None:
    expected = record_all(world, uploads(MORE_THAN_A_PAGE, key=lambda _: "s/same.csv"))
    assert identities(world.lists.history(BUCKET, "s/same.csv", limit=1000)) == expected
    assert identities(world.lists.history(BUCKET, "s/same.csv", limit=PAGE + 1)) == expected[: PAGE + 1]


def test_one_sources_uploads_are_told_from_anothers(world: World) -> None:
    mine = uploads(5, key=lambda number: f"mine/{number}.csv")
    others = uploads(5, key=lambda number: f"mine2/{number}.csv") + uploads(2, key=lambda number: f"{number}.csv")
    expected = record_all(world, mine)
    at_the_top = record_all(world, others)[:2]
    assert identities(world.lists.of_source(BUCKET, "mine")) == expected
    assert identities(world.lists.of_source(BUCKET, "/")) == at_the_top


def test_failures_are_listed_without_the_rest(world: World) -> None:
    record_all(world, uploads(5, key=lambda number: f"good/{number}.csv"))
    expected = record_all(world, uploads(PAGE + 5, key=lambda number: f"bad/{number}.csv", report=failure()))
    assert identities(world.lists.failures(BUCKET)) == expected


@pytest.mark.parametrize("listing", ["newest", "failures", "of_source"])
def test_a_list_since_a_moment_begins_with_it(world: World, listing: str) -> None:
    expected = record_all(world, uploads(10, key=lambda number: f"s/{number}.csv", report=failure()))
    read: dict[str, Callable[[datetime], Iterator[dict[str, Any]]]] = {
        "newest": lambda since: world.lists.newest(BUCKET, Period(since=since)),
        "failures": lambda since: world.lists.failures(BUCKET, Period(since=since)),
        "of_source": lambda since: world.lists.of_source(BUCKET, "s", Period(since=since)),
    }
    assert identities(read[listing](NOON + timedelta(minutes=6))) == expected[:4]


@pytest.mark.parametrize("listing", ["newest", "failures"])
def test_a_list_of_a_period_holds_its_beginning_and_not_its_end(world: World, listing: str) -> None:
    expected = record_all(world, uploads(10, key=lambda number: f"s/{number}.csv", report=failure()))
    period = Period(since=NOON + timedelta(minutes=3), until=NOON + timedelta(minutes=7))
    assert identities(getattr(world.lists, listing)(BUCKET, period)) == expected[3:7]
    assert identities(getattr(world.lists, listing)(BUCKET, Period(until=period.until))) == expected[3:]


def test_what_is_to_be_inspected_again_is_found_once_it_is_due(world: World) -> None:
    marked, crashed, fine = (entry_of(events.record(name)) for name in ("marked", "crashed", "fine"))
    mark(world.ledger, marked)
    world.ledger.record(receipt(crashed, report=crash()))
    world.ledger.record(receipt(fine, report=failure("object-missing")))
    assert set(world.lists.due(BUCKET, NOON + timedelta(minutes=13))) == {(crashed.identity, 1)}
    assert set(world.lists.due(BUCKET, NOON + timedelta(minutes=15))) == {(crashed.identity, 1), (marked.identity, 1)}


def test_a_later_inspection_takes_the_failure_before_it_out_of_the_lists(world: World) -> None:
    failed = receipt(report=crash())
    world.ledger.record(failed)
    world.ledger.record(receipt(failed.entry, inspection=2))
    assert list(world.lists.failures(BUCKET)) == []
    assert list(world.lists.due(BUCKET, NOON + timedelta(days=1))) == []
    assert len(list(world.lists.newest(BUCKET))) == 2


def test_the_same_bytes_are_found_wherever_they_arrived(world: World) -> None:
    expected = record_all(world, uploads(3, key=lambda number: f"s{number}/x.csv"))
    other = receipt(report=inspect([b"other"], name="x.csv"))
    world.ledger.record(other)
    assert list(world.lists.same_content(SUCCESS.sha256 or "")) == [(identity, 1) for identity in expected]


def test_another_buckets_entries_are_not_listed(world: World) -> None:
    world.ledger.record(receipt(entry_of(events.record(bucket="another"))))
    assert list(world.lists.newest(BUCKET)) == []
    assert len(list(world.lists.newest("another"))) == 1


def test_a_history_holds_inspections_deletions_and_marks_in_s3s_order(world: World) -> None:
    first, second = (entry_of(events.record("k", version_id=name)) for name in ("v1", "v2"))
    deletion = entry_of(events.deletion("k", version_id="v1"))
    third = entry_of(events.record("k", version_id="v3"))
    mark(world.ledger, third)
    world.ledger.record(receipt(deletion, report=None))
    world.ledger.record(receipt(second))
    world.ledger.record(receipt(first, report=failure()))
    world.ledger.record(receipt(first, inspection=2))
    found = world.lists.history(BUCKET, "k", limit=10)
    assert [(line["version_id"], line["kind"], line.get("status"), line["inspection"]) for line in found] == [
        ("v3", "upload", "inspecting", 1),
        ("v1", "deleted", None, 1),
        ("v2", "upload", "succeeded", 1),
        ("v1", "upload", "succeeded", 2),
        ("v1", "upload", "failed", 1),
    ]


def test_a_mark_takes_the_place_that_its_sequencer_gives_it(world: World) -> None:
    marked = entry_of(events.record("k", sequencer="00A", at=events.UPLOADED_AT + timedelta(seconds=9)))
    later = entry_of(events.record("k", sequencer="00B", at=events.UPLOADED_AT))
    mark(world.ledger, marked)
    world.ledger.record(receipt(later))
    assert identities(world.lists.history(BUCKET, "k", limit=10)) == [later.identity, marked.identity]


def test_a_finished_inspection_leaves_the_index_of_unfinished_ones(world: World) -> None:
    made = receipt()
    mark(world.ledger, made.entry)
    assert world.dynamodb.scan(TableName=table_definition()["TableName"], IndexName="unfinished")["Count"] == 1
    world.ledger.record(made)
    assert world.dynamodb.scan(TableName=table_definition()["TableName"], IndexName="unfinished")["Count"] == 0


def test_a_summary_leads_to_the_whole_receipt(world: World) -> None:
    made = receipt(report=inspect([b"a,b\n1\n"], name="x.csv"))
    world.ledger.record(made)
    (summary,) = world.lists.newest(BUCKET)
    assert summary["headline"] == "missing-cells: row 1, line 2"
    assert "findings" not in summary
    assert world.ledger.whole(summary) == as_json(made)


def test_no_list_is_ever_a_scan(world: World) -> None:
    record_all(world, uploads(3, key=lambda number: f"s/{number}.csv", report=failure()))
    lists = world.lists
    calls = count_calls(lists)
    for listing in (lists.newest(BUCKET), lists.failures(BUCKET), lists.of_source(BUCKET, "s")):
        assert len(list(listing)) == 3
    lists.history(BUCKET, "s/1.csv", limit=10)
    assert calls == ["Query"] * (3 * SHARDS + 1)


def test_the_latest_by_s3s_sequencer_is_the_latest_though_only_one_is_asked_for(world: World) -> None:
    """S3's clock stepped back: by time alone another one is the latest."""
    later = entry_of(events.record("k", sequencer="00B", at=events.UPLOADED_AT))
    before = [
        entry_of(events.record("k", sequencer=f"00A{number:02}", at=events.UPLOADED_AT + timedelta(seconds=number)))
        for number in range(1, BEYOND + 1)
    ]
    for upload in (later, *before):
        world.ledger.record(receipt(upload))
    assert identities(world.lists.history(BUCKET, "k", limit=1)) == [later.identity]


def test_a_list_reads_no_further_than_its_reader(world: World) -> None:
    record_all(world, uploads(MORE_THAN_A_PAGE, key=lambda _: "s/same.csv"))
    lists = world.lists
    calls = count_calls(lists)
    lists.history(BUCKET, "s/same.csv", limit=PAGE)
    assert len(calls) == 1


def test_the_longest_key_can_be_recorded(world: World) -> None:
    made = receipt(entry_of(events.record("é" * 512, version_id="v" * 100)))
    mark(world.ledger, made.entry)
    assert world.ledger.record(made)
    assert world.ledger.current(made.entry.identity) == as_json(made)


def test_what_dynamodb_refuses_for_another_reason_is_raised(world: World) -> None:
    world.dynamodb.delete_table(TableName=table_definition()["TableName"])
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        world.ledger.record(receipt())


def test_an_index_projects_what_its_lists_show_and_none_of_its_own_keys() -> None:
    """DynamoDB refuses a key among the attributes that an index projects besides its keys."""
    for index in table_definition()["GlobalSecondaryIndexes"]:
        keys = {"pk", "sk", *(key["AttributeName"] for key in index["KeySchema"])}
        assert not keys & set(index["Projection"].get("NonKeyAttributes", []))


# -- a ledger that has no capacity


@dataclass
class Busy:
    """Lets a ledger find some of what it is asked for at once, and says of the rest that it had no capacity."""

    ledger: DynamoLedger
    finds: Callable[[int], int]
    calls: int = 0
    waits: list[float] = field(default_factory=list)
    rest: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, world: World, finds: Callable[[int], int]) -> Busy:
        waits: list[float] = []
        pace = Pace(sleep=waits.append, shortened=lambda: 1.0)
        ledger = DynamoLedger(world.dynamodb, table_definition()["TableName"], pace=pace)
        made = cls(ledger=ledger, finds=finds, waits=waits)
        world.dynamodb.meta.events.register("provide-client-params.dynamodb.BatchGetItem", made._ask_for_less)
        world.dynamodb.meta.events.register("after-call.dynamodb.BatchGetItem", made._say_the_rest)
        return made

    def _ask_for_less(self, params: Any, **_: Any) -> Any:
        ((table, asked),) = params["RequestItems"].items()
        fits = self.finds(self.calls)
        self.calls += 1
        self.rest = {table: {**asked, "Keys": asked["Keys"][fits:]}} if asked["Keys"][fits:] else {}
        return {"RequestItems": {table: {**asked, "Keys": asked["Keys"][:fits] or [NOTHING]}}}

    def _say_the_rest(self, parsed: Any, **_: Any) -> None:
        parsed["UnprocessedKeys"] = self.rest
        parsed["Responses"] = {table: items for table, items in parsed["Responses"].items() if items}


NOTHING = {"pk": {"S": "nothing"}, "sk": {"N": "1"}}


def test_what_the_ledger_had_no_capacity_for_is_asked_for_again_after_a_while(world: World) -> None:
    made = uploads(3, key=lambda number: f"k{number}")
    record_all(world, made)
    busy = Busy.of(world, finds=lambda call: 1 if call in (3, 5) else 0 if call < 6 else 100)
    assert busy.ledger.known(one.entry for one in made).keys() == {one.entry.identity for one in made}
    assert busy.waits == pytest.approx([0.2, 0.4, 0.8, 0.2, 0.4, 0.2])


def test_a_ledger_without_capacity_is_asked_no_longer_than_there_is_time(world: World) -> None:
    (made,) = uploads(1, key=lambda _: "k")
    busy = Busy.of(world, finds=lambda _: 0)
    with pytest.raises(OutOfTimeError):
        busy.ledger.known([made.entry], out_of_time=lambda: sum(busy.waits) > 60)
    assert busy.calls < 20
    assert sum(busy.waits) < 62


# -- retention


def test_receipts_expire_only_where_the_stage_sets_a_retention(world: World) -> None:
    for made, retention in ((receipt(), None), (receipt(), timedelta(days=400))):
        DynamoLedger(world.dynamodb, table_definition()["TableName"], retention=retention).record(made)
    items = world.dynamodb.scan(TableName=table_definition()["TableName"])["Items"]
    expiries = sorted(int(item["expires_at"]["N"]) if "expires_at" in item else 0 for item in items)
    assert expiries == [0, int((NOON + timedelta(days=400)).timestamp())]


def test_a_mark_expires_only_where_receipts_do_and_long_after_its_event_can_come_again(world: World) -> None:
    """Lambda has an event for six hours, the dead-letter queue for fourteen days."""
    ends = NOON + timedelta(minutes=14)
    for upload, retention in ((receipt().entry, None), (receipt().entry, timedelta(days=400))):
        ledger = DynamoLedger(world.dynamodb, table_definition()["TableName"], retention=retention)
        ledger.mark(upload, started_at=NOON, deadline=ends)
    expiries = sorted(item.get("expires_at", 0) for item in world.items.values())
    assert expiries == [0, int((ends + timedelta(days=30)).timestamp())]


def test_a_mark_is_what_a_verification_takes_for_one_and_nothing_more(world: World) -> None:
    ledger = DynamoLedger(world.dynamodb, table_definition()["TableName"], retention=timedelta(days=400))
    upload = receipt().entry
    ledger.mark(upload, inspection=2, tries=2, started_at=NOON, deadline=NOON + timedelta(minutes=14), request_id="r")
    (item,) = world.items.values()
    assert isinstance(found_mark(item, now=NOON), FoundMark)
    for name, value in (("tries", 1), ("tries", "2"), ("expires_at", item["expires_at"] + 1), ("request_id", None)):
        assert not isinstance(found_mark(item | {name: value}, now=NOON), FoundMark)


def test_an_expired_receipt_that_is_still_there_blocks_a_second_one(world: World) -> None:
    ledger = DynamoLedger(world.dynamodb, table_definition()["TableName"], retention=timedelta(days=-1))
    made = receipt()
    assert ledger.record(made)
    assert not ledger.record(made)


def test_a_period_that_holds_no_moment_lists_nothing(world: World) -> None:
    world.ledger.record(receipt())
    assert list(world.lists.newest(BUCKET, Period(since=NOON, until=NOON))) == []
