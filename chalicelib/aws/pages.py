"""Lists of the ledger that go on where they stopped, in another request (DynamoDB)."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chalicelib.aws.items import decoded, encoded
from chalicelib.aws.patience import PACE
from chalicelib.browsing import EARLIEST, Listing, Place
from chalicelib.receipts import SHARDS
from chalicelib.wanted import OutOfTimeError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LATEST = "9999-12-31T23:59:59.999Z"
KEYS: Mapping[Listing, tuple[str, str]] = {
    Listing.JOURNAL: ("journal_shard", "finished_at"),
    Listing.FAILURES: ("journal_shard", "failed_at"),
    Listing.SOURCES: ("source_shard", "finished_at"),
    Listing.UNFINISHED: ("journal_shard", "due_at"),
    Listing.CONTENT: ("content_shard", "finished_at"),
}
DETAILS = (
    *("pk", "sk", "kind", "bucket", "key", "version_id", "sequencer", "size", "uploaded_at", "finished_at", "status"),
    *("cause", "format", "bytes", "lines", "records", "headline", "content_hash", "sha256", "finding_counts"),
    *("failed_at", "started_at", "deadline", "contract"),
)
NAMES = {f"#{name}": name for name in DETAILS} | {"#name": "name"}
PROJECTION = ", ".join("#contract.#name" if name == "contract" else f"#{name}" for name in DETAILS)

Found = tuple[Place, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _Reach:
    """Bounds of the sort key, both included, and the entry behind which to begin."""

    low: str
    high: str
    after: Place | None


class DynamoPages:
    """Reads a list from a place on, only as far as its reader goes; the newest first."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def entries(
        self,
        listing: Listing,
        owner: str,
        *,
        since: str | None = None,
        until: str | None = None,
        after: Place | None = None,
        page: int,
    ) -> Iterator[Found]:
        """The entries of an index with their places, from `since` to before `until`; `page` is read of each shard."""
        shards = [
            self._query(listing, _condition(listing, f"{owner}{shard}", reach), page, shard)
            for shard in range(SHARDS)
            if (reach := _reach(shard, since, until, after))
        ]
        return heapq.merge(*shards, key=lambda found: (found[0].order, -found[0].shard), reverse=True)

    def details(self, keys: Sequence[tuple[str, int]]) -> dict[tuple[str, int], dict[str, Any]]:
        """What lists show and look for of these receipts, at most 100; one that is gone is absent."""
        names = {"ProjectionExpression": PROJECTION, "ExpressionAttributeNames": NAMES}
        left: Any = [encoded({"pk": pk, "sk": sk}) for pk, sk in dict.fromkeys(keys)]
        found: dict[tuple[str, int], dict[str, Any]] = {}
        patience = PACE.patience()
        while left:
            asked: Any = {"Keys": left, **names}
            answer = self._client.batch_get_item(RequestItems={self._table: asked})
            items = [decoded(item) for item in answer["Responses"].get(self._table, [])]
            found |= {(item["pk"], item["sk"]): _detailed(item) for item in items}
            unprocessed: Any = answer.get("UnprocessedKeys", {})
            if left := unprocessed.get(self._table, {}).get("Keys", []):
                patience.stalled = 1 if items else patience.stalled + 1
                patience.wait(OutOfTimeError("the ledger has no capacity to answer"))
        return found

    def _query(self, listing: Listing, asked: dict[str, Any], page: int, shard: int) -> Iterator[Found]:
        key, order = KEYS[listing]
        while True:
            answer = self._client.query(
                TableName=self._table, IndexName=str(listing), ScanIndexForward=False, Limit=page, **asked
            )
            for item in map(decoded, answer["Items"]):
                yield Place(item[order], shard, item["pk"], item["sk"]), _summary(item, key)
            if "LastEvaluatedKey" not in answer:
                return
            asked["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def _reach(shard: int, since: str | None, until: str | None, after: Place | None) -> _Reach | None:
    """From where to where a shard is read: its own part behind a place exactly; of others, what is older, and in later
    shards what is as old. None for nothing, whose bounds DynamoDB refuses."""
    low, high = since or EARLIEST, _before(until) if until else LATEST
    if after and shard != after.shard:
        high = after.order if shard > after.shard else _before(after.order)
    start = after if after and shard == after.shard else None
    return _Reach(low, high, start) if low <= high else None


def _condition(listing: Listing, value: str, reach: _Reach) -> dict[str, Any]:
    key, order = KEYS[listing]
    asked: dict[str, Any] = {
        "KeyConditionExpression": f"{key} = :key AND {order} BETWEEN :low AND :high",
        "ExpressionAttributeValues": encoded({":key": value, ":low": reach.low, ":high": reach.high}),
    }
    if after := reach.after:
        start = {"pk": after.pk, "sk": after.sk, key: value, order: after.order}
        asked["ExclusiveStartKey"] = encoded(start)
    return asked


def _before(moment: str) -> str:
    """The greatest text that sorts before a moment's but after every earlier one's: all moments end in Z."""
    return moment.removesuffix("Z")


def _summary(item: Mapping[str, Any], key: str) -> dict[str, Any]:
    left_out = {"pk", "sk", key, "failed_at", "due_at"}
    shown = {name: value for name, value in item.items() if name not in left_out}
    return {"identity": item["pk"], "inspection": item["sk"], **shown}


def _detailed(item: Mapping[str, Any]) -> dict[str, Any]:
    """As a summary; `is_current` tells a failure that no later inspection has replaced."""
    shown = _summary(item, "pk") | {"is_current": "failed_at" in item}
    if "contract" in shown:
        shown["contract"] = shown["contract"]["name"]
    return shown
