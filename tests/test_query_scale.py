"""No query grows with the ledger: what each reads is the same for a thousand receipts and for a hundred thousand.

The table they are counted on is held to moto's answers first. `python -m bench.queries` does the same for a million.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.aws.items import encoded
from chalicelib.aws.ledger import DynamoLedger
from chalicelib.aws.lists import BEYOND, DynamoLists, Period
from chalicelib.aws.pages import DynamoPages
from chalicelib.aws.seals import DynamoSeals
from chalicelib.browsing import Filters
from chalicelib.queries import BATCH, EXAMINED, EXAMINED_WHOLE, Browser
from chalicelib.receipts import SHARDS
from chalicelib.seals import finished_hour, source_of, tally_of
from infra.stages import ROOT
from infra.template import LOCAL, table_definition
from tests.aws import World, simulated_aws
from tests.counting_table import CountingTable, Item, RefusedError, size_of
from tests.events import BUCKET
from tests.query_scale import AN_HOUR, DAY, PATTERNS, START, STEP, Items, Large, item, recorded, some, summary

SMALL, LARGE = 1_000, 100_000
SHARD = 25
"""How many items a page of one shard has."""

AT_MOST = {
    "the current receipt of an upload": (1, 1),
    "a whole receipt": (1, 1),
    "which of 1,000 versions have a receipt": (10, 1_000),
    "a page of a key's history": (1, SHARD + BEYOND),
    "the newest page": (SHARDS, SHARDS * SHARD),
    "a page of a day": (SHARDS, SHARDS * SHARD),
    "a page of failures": (SHARDS, SHARDS * SHARD),
    "a page of a day's failures": (SHARDS, SHARDS * SHARD),
    "a page of a source": (SHARDS, SHARDS * SHARD),
    "a page of the same content": (SHARDS, SHARDS * SHARD),
    # A page of 25 of the API reads about as many more, eleven of each shard; a filter without an index, its budget.
    "the API's newest page": (2 * SHARDS, 2 * SHARDS * 11),
    "the API's page in the middle": (2 * SHARDS, 2 * SHARDS * 11),
    "the API's page of failures of a source": (2 * SHARDS, EXAMINED + EXAMINED // 8),
    "the API's page of the same content": (2 * SHARDS + 1, 2 * SHARDS * 11 + 26),
    "a receipt by its inspection": (1, 1),
    "a page of what is due": (SHARDS, SHARDS * SHARD),
    # The last seal says which hours are closed. An open hour: its entries.
    "the counts of the open hour": (1 + SHARDS, 1 + AN_HOUR),
    # A closed hour: the seals of the hour and of the day after, in which late ones would be.
    "the counts of the last closed hour": (1 + 1, 1 + 25),
    "the counts of the first hour": (1 + 1, 1 + 25),
    # A day by source: its seals, those of the day after, and all their rollups.
    "the counts of the first day by source": (1 + 1 + 1, 1 + 48 + 48),
    "the last seal": (1, 1),
    "the seals of a day": (1, 24),
    "the pages of a seal": (1, 1),
    "the roll-ups of a seal": (1, 1),
    "an hour's entries, counted by the journal": (SHARDS, AN_HOUR),
    "an hour's entries, to be sealed": (SHARDS, AN_HOUR),
    "the journal's first hour": (SHARDS, SHARDS),
}
"""Calls and items that a pattern of access reads, whatever the size of the ledger."""


@pytest.fixture(scope="module")
def small() -> Large:
    return Large.of(SMALL)


@pytest.fixture(scope="module")
def large() -> Large:
    return Large.of(LARGE)


# -- what is read


@pytest.mark.parametrize("pattern", PATTERNS)
def test_no_pattern_of_access_reads_more_in_a_larger_ledger(pattern: str, small: Large, large: Large) -> None:
    calls, items = AT_MOST[pattern]
    few, many = small.read_by(pattern), large.read_by(pattern)
    assert few.calls <= calls
    assert many.calls <= calls
    assert few.items <= items
    assert many.items <= items
    assert many.calls == few.calls


def test_a_filter_without_an_index_reads_its_share_and_no_more(large: Large) -> None:
    before = large.table.read
    Browser(pages=large.pages, bucket=BUCKET).page(Filters(finding="no-such-code"), limit=SHARD)
    read = large.table.read - before
    assert read.calls <= 4 * SHARDS + EXAMINED_WHOLE // BATCH + 1
    assert EXAMINED_WHOLE <= read.items <= 4 * EXAMINED_WHOLE


def test_reading_all_is_seen_to_grow(small: Large, large: Large) -> None:
    """The counting counts: what no pattern does would be noticed."""
    reads = []
    for scale in (small, large):
        before = scale.table.read
        some(scale.lists.of_source(BUCKET, "acme", Period(until=START + DAY * 40)))
        reads.append(scale.table.read - before)
    few, many = reads
    assert many.calls > 10 * few.calls
    assert many.items > 10 * few.items


READERS = (DynamoLedger, DynamoLists, DynamoPages, DynamoSeals)
WRITES = {"record", "give_up", "mark", "put_page", "put_rollup", "put_seal"}


def reads_of(reader: type) -> Iterator[str]:
    return (name for name in vars(reader) if not name.startswith("_") and name not in WRITES)


def test_every_read_of_the_ledger_is_among_the_patterns(small: Large, monkeypatch: pytest.MonkeyPatch) -> None:
    called: set[tuple[str, str]] = set()

    def watched(reader: type, name: str) -> Callable[..., Any]:
        real = getattr(reader, name)

        def watch(*arguments: Any, **more: Any) -> Any:
            called.add((reader.__name__, name))
            return real(*arguments, **more)

        return watch

    reads = [(reader, name) for reader in READERS for name in reads_of(reader)]
    for reader, name in reads:
        monkeypatch.setattr(reader, name, watched(reader, name))
    for pattern in PATTERNS:
        small.read_by(pattern)
    assert called == {(reader.__name__, name) for reader, name in reads}


SCANNERS = {"aws/evidence.py"}
"""Verification reads everything, and is asked for by a person."""

MODULES = {str(path.relative_to(ROOT / "chalicelib")): path for path in sorted((ROOT / "chalicelib").rglob("*.py"))}


@pytest.mark.parametrize("name", sorted(MODULES.keys() - SCANNERS))
def test_nothing_scans(name: str) -> None:
    nodes = list(ast.walk(ast.parse(MODULES[name].read_text())))
    called = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    named = {node.value for node in nodes if isinstance(node, ast.Constant)}  # as a paginator is
    assert "scan" not in called | named


def test_the_counts_of_a_large_ledger_are_right(large: Large) -> None:
    since, until = START + DAY * 200 + timedelta(minutes=31), large.open_hour + timedelta(minutes=44)
    within = [number for number in range(LARGE) if since <= START + number * STEP < until]
    entries = [summary(made) for made in recorded(within)]
    hours, sources = large.hours(since, until), large.sources(since, until)
    assert sum(tally["succeeded"] for tally in hours.values()) == tally_of(entries)["succeeded"]
    for hour in (min(hours), START + DAY * 204, max(hours)):
        assert hours[hour] == tally_of(entry for entry in entries if finished_hour(entry) == hour)
    for source, tally in sources.items():
        assert tally == tally_of(entry for entry in entries if source_of(entry["key"]) == source)


# -- the table that counts answers as moto does


def attributes(index: str | None) -> tuple[str, str]:
    definition = table_definition()
    schemas = {None: definition["KeySchema"]} | {
        one["IndexName"]: one["KeySchema"] for one in definition["GlobalSecondaryIndexes"]
    }
    key, order = (part["AttributeName"] for part in schemas[index])
    return key, order


INDEXES = [None, *(index["IndexName"] for index in table_definition()["GlobalSecondaryIndexes"])]
NAMES = st.sets(st.sampled_from(["pk", "sk", "status", "key", "finished_at", "place", "columns"]), min_size=1)


@st.composite
def ledgers(draw: st.DrawFn) -> list[Item]:
    """A few items, some of which share the moment that orders them."""
    numbers = draw(st.sets(st.integers(0, 60), min_size=1, max_size=25))
    moments = [START + timedelta(minutes=minute) for minute in range(4)]
    made: list[Item] = []
    for number in sorted(numbers):
        moment = draw(st.sampled_from(moments)).isoformat()
        orders = {name: moment for name in ("finished_at", "failed_at", "due_at") if name in item(number)}
        shard = draw(st.sampled_from([f"{BUCKET}#0", f"{BUCKET}#1"]))
        made.append({**item(number), **orders, "journal_shard": shard})
    return made


@st.composite
def queries(draw: st.DrawFn, items: list[Item]) -> dict[str, Any]:
    """A query of the forms the code uses, about what there is and what there is not."""
    index = draw(st.sampled_from(INDEXES))
    key, order = attributes(index)
    chosen = draw(st.sampled_from([one for one in items if key in one] or [{key: "nothing"}]))
    orders = st.sampled_from(sorted({one[order] for one in items if order in one} or {"a"}))
    first, last = sorted([draw(orders), draw(orders)])
    condition, values = draw(
        st.sampled_from(
            [
                ("", {}),
                (f" AND {order} >= :first", {":first": first}),
                (f" AND {order} < :first", {":first": first}),
                (f" AND {order} BETWEEN :first AND :last", {":first": first, ":last": last}),
            ]
        )
    )
    request: dict[str, Any] = {
        "TableName": LOCAL.table,
        "KeyConditionExpression": f"{key} = :key{condition}",
        "ExpressionAttributeValues": encoded({":key": chosen[key], **values}),
        "ScanIndexForward": draw(st.booleans()),
    }
    if index:
        request["IndexName"] = index
    if limit := draw(st.integers(0, 5)):
        request["Limit"] = limit
    if names := draw(st.none() | NAMES):
        named = {f"#{name}": name for name in names}
        request |= {"ProjectionExpression": ", ".join(named), "ExpressionAttributeNames": named}
    elif draw(st.booleans()):
        request["Select"] = "COUNT"
    return request


def pages(client: Any, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every page of an answer, what the counting table does not tell left out."""
    while True:
        answer = client.query(**request)
        yield {name: answer[name] for name in ("Items", "Count", "LastEvaluatedKey") if name in answer}
        if "LastEvaluatedKey" not in answer:
            return
        request = {**request, "ExclusiveStartKey": answer["LastEvaluatedKey"]}


@pytest.fixture(scope="module")
def moto() -> Iterator[World]:
    with pytest.MonkeyPatch.context() as monkeypatch, simulated_aws(monkeypatch) as made:
        yield made


def fill(world: World, items: list[Item]) -> None:
    world.dynamodb.delete_table(TableName=LOCAL.table)
    world.dynamodb.create_table(**table_definition())
    for made in items:
        world.dynamodb.put_item(TableName=LOCAL.table, Item=encoded(made))


@settings(max_examples=40)
@given(data=st.data())
def test_a_query_of_the_counting_table_has_motos_pages(moto: World, data: st.DataObject) -> None:
    items = data.draw(ledgers())
    fill(moto, items)
    table = CountingTable(items)
    for _ in range(8):
        request = data.draw(queries(items))
        assert list(pages(table, request)) == list(pages(moto.dynamodb, request))


def test_the_counting_table_has_the_items_that_moto_has(moto: World) -> None:
    items = [item(number) for number in range(40)]
    fill(moto, items)
    table = CountingTable(items)
    keys = [encoded({"pk": one["pk"], "sk": sk}) for one in items[: AN_HOUR - 1] for sk in (1, 2)]
    for key, is_consistent in product(keys, (True, False)):
        request: dict[str, Any] = {"TableName": LOCAL.table, "Key": key, "ConsistentRead": is_consistent}
        assert table.get_item(**request).get("Item") == moto.dynamodb.get_item(**request).get("Item")
    asked: Any = {LOCAL.table: {"Keys": keys}}
    assert _answered(table, asked) == _answered(moto.dynamodb, asked)
    asked[LOCAL.table] |= {"ProjectionExpression": "pk, #status", "ExpressionAttributeNames": {"#status": "status"}}
    assert _answered(table, asked) == _answered(moto.dynamodb, asked)


def _answered(client: Any, asked: Any) -> list[Any]:
    answer = client.batch_get_item(RequestItems=asked)
    assert answer["UnprocessedKeys"] == {}
    return sorted(answer["Responses"][LOCAL.table], key=lambda one: (one["pk"]["S"], one.get("sk", {}).get("N", "")))


def test_a_page_ends_before_a_megabyte_as_motos_does(moto: World) -> None:
    items: list[Item] = [{"pk": "a", "sk": number, "text": "x" * 300_000} for number in range(7)]
    fill(moto, items)
    request: dict[str, Any] = {
        "TableName": LOCAL.table,
        "KeyConditionExpression": "pk = :key",
        "ExpressionAttributeValues": {":key": {"S": "a"}},
    }
    for is_forward in (True, False):
        found = list(pages(CountingTable(items), {**request, "ScanIndexForward": is_forward}))
        assert [page["Count"] for page in found] == [3, 3, 1]
        assert found == list(pages(moto.dynamodb, {**request, "ScanIndexForward": is_forward}))


def test_an_items_bytes_are_counted_by_dynamodbs_rules() -> None:
    """ "Item sizes and formats" of DynamoDB's guide: names and text in UTF-8, two digits a byte, three for a list."""
    assert size_of({"pk": "é", "n": 12345, "is": True, "l": ["ab", {"x": 7}]}) == 2 + 2 + 1 + 4 + 2 + 1 + (
        1 + 3 + (1 + 2) + (1 + 3 + 1 + 1 + 2)
    )


@pytest.mark.parametrize(
    "change",
    [
        {"KeyConditionExpression": "of_key = :key"},
        {"KeyConditionExpression": "journal_shard = :key AND place >= :last"},
        {"KeyConditionExpression": "begins_with(journal_shard, :key)"},
        {"KeyConditionExpression": "journal_shard = :key AND finished_at BETWEEN :last AND :first"},
        {"ConsistentRead": True},
        {"TableName": "another"},
    ],
)
def test_what_dynamodb_refuses_is_refused(change: dict[str, Any]) -> None:
    request: dict[str, Any] = {
        "TableName": LOCAL.table,
        "IndexName": "journal",
        "KeyConditionExpression": "journal_shard = :key AND finished_at BETWEEN :first AND :last",
        "ExpressionAttributeValues": encoded({":key": "a", ":first": "1", ":last": "2"}),
    }
    table = CountingTable([])
    assert table.query(**request)["Items"] == []
    with pytest.raises(RefusedError):
        table.query(**request | change)


def test_items_are_made_alike_each_time_they_are_asked_for() -> None:
    items = Items(60)
    assert list(items) == [items[number] for number in range(len(items))]
    assert len({(made["pk"], made["sk"]) for made in items}) == len(items)
