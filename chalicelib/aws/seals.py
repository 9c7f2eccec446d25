"""Seals, their pages and rollups, and the journal they are made of, in the ledger table (DynamoDB)."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from chalicelib.aws.items import decoded, encoded
from chalicelib.receipts import SHARDS
from chalicelib.seals import (
    HOUR,
    PARTS,
    Page,
    Seal,
    hour_of,
    page_key,
    rollup_from_item,
    rollup_item,
    rollup_key,
    seal_number,
    seals_key,
)
from chalicelib.uploads import iso

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BATCH = 100
"""How many items BatchGetItem takes."""

SEALED = ("pk", "sk", "finished_at", "key", "kind", "status", "cause", "bytes", "records", "content_hash")
"""What a seal and its counts need of an entry of the journal."""

INSTANT = timedelta(milliseconds=1)
LAST_NUMBER = 10**12 - 1
"""Greater than any seal's number."""


class DynamoSeals:
    """Writes seals once, and reads them and what they cover."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    # -- the chain

    def last(self, bucket: str) -> Seal | None:
        """The last seal of the chain; strongly consistent."""
        newest = self._query(
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=encoded({":pk": seals_key(bucket)}),
            ConsistentRead=True,
            ScanIndexForward=False,
            Limit=1,
        )
        return next(map(Seal.from_item, newest), None)

    def seals(self, bucket: str, *, since: datetime | None = None, until: datetime | None = None) -> Iterator[Seal]:
        """The chain, oldest first: from the hour that holds `since`, hours that begin before `until`.

        A malformed seal raises when its turn comes; the one after it can still be asked for.
        """
        first = seal_number(hour_of(since), 0) if since else 0
        end = seal_number(hour_of(until - INSTANT), PARTS - 1) if until else LAST_NUMBER
        items = self._query(
            KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues=encoded({":pk": seals_key(bucket), ":first": first, ":last": end}),
            ConsistentRead=True,
        )
        return map(Seal.from_item, items)

    def pages(self, roots: Sequence[str]) -> Iterator[Page | None]:
        """The pages of these roots, in order; None where there is none. A malformed one raises as a seal does."""
        items = self._got([page_key(root) for root in roots])
        return map(_page, items)

    def rollups(self, hashes: Sequence[str]) -> Iterator[Mapping[str, Any] | None]:
        """The rollups of these hashes, in order; None where there is none. A malformed one raises as a seal does."""
        items = self._got([rollup_key(hash_) for hash_ in hashes])
        return map(_rollup, items)

    def put_page(self, page: Page, *, expires_at: int | None = None) -> bool:
        """Write the page unless it is there; `expires_at` is in seconds since 1970."""
        return self._put(page.as_item(expires_at=expires_at))

    def put_rollup(self, rollup: Mapping[str, Any]) -> bool:
        """Write the rollup unless it is there."""
        return self._put(rollup_item(rollup))

    def put_seal(self, seal: Seal) -> bool:
        """Write the seal unless its place is taken; whether it was written."""
        return self._put(seal.as_item())

    # -- the journal

    def first_hour(self, bucket: str) -> datetime | None:
        """The hour of the journal's oldest entry."""
        oldest = [entry for shard in range(SHARDS) for entry in islice(self._journal(bucket, shard, Limit=1), 1)]
        moments = [datetime.fromisoformat(entry["finished_at"]) for entry in oldest]
        return hour_of(min(moments)) if moments else None

    def count(self, bucket: str, hour: datetime) -> int:
        """How many entries of the journal were finished in the hour."""
        asked = (self._journal_request(bucket, shard, hour, hour + HOUR) for shard in range(SHARDS))
        return sum(page["Count"] for request in asked for page in self._answers(**request, Select="COUNT"))

    def entries(self, bucket: str, hour: datetime, until: datetime | None = None) -> Iterator[dict[str, Any]]:
        """Summaries of the entries finished in the hour, and before `until`, in the order of `finished_at`."""
        end = min(until or hour + HOUR, hour + HOUR)
        names = {f"#{name}": name for name in SEALED}
        project = {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names}
        shards = [self._journal(bucket, shard, hour, end, **project) for shard in range(SHARDS)]
        return map(_summary, heapq.merge(*shards, key=lambda item: str(item["finished_at"])))

    def _journal(
        self, bucket: str, shard: int, since: datetime | None = None, until: datetime | None = None, **more: Any
    ) -> Iterator[dict[str, Any]]:
        """One shard of the journal, oldest first, from `since` to before `until`."""
        return self._query(**self._journal_request(bucket, shard, since, until), **more)

    def _journal_request(
        self, bucket: str, shard: int, since: datetime | None, until: datetime | None
    ) -> dict[str, Any]:
        condition, values = "journal_shard = :shard", {":shard": f"{bucket}#{shard}"}
        if since and until:
            # BETWEEN takes both its bounds in; times are whole milliseconds.
            condition += " AND finished_at BETWEEN :since AND :last"
            values |= {":since": iso(since), ":last": iso(until - INSTANT)}
        return {
            "IndexName": "journal",
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": encoded(values),
        }

    # -- requests

    def _query(self, **request: Any) -> Iterator[dict[str, Any]]:
        for answer in self._answers(**request):
            yield from map(decoded, answer["Items"])

    def _answers(self, **request: Any) -> Iterator[Mapping[str, Any]]:
        while True:
            answer = self._client.query(TableName=self._table, **request)
            yield answer
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _got(self, keys: Sequence[str]) -> Iterator[dict[str, Any] | None]:
        """The items of these partitions, each with sort key 0, in order; strongly consistent."""
        for start in range(0, len(keys), BATCH):
            some = keys[start : start + BATCH]
            found = {item["pk"]: item for item in self._batch(some)}
            yield from map(found.get, some)

    def _batch(self, keys: Sequence[str]) -> Iterator[dict[str, Any]]:
        # A request must not name an item twice; two seals, though never one page, may share a rollup.
        asked: Any = {"Keys": [encoded({"pk": key, "sk": 0}) for key in dict.fromkeys(keys)], "ConsistentRead": True}
        while asked:
            # Beyond 16 MB DynamoDB answers in part and says what is left.
            answer = self._client.batch_get_item(RequestItems={self._table: asked})
            yield from map(decoded, answer["Responses"].get(self._table, []))
            asked = answer["UnprocessedKeys"].get(self._table)

    def _put(self, item: Mapping[str, Any]) -> bool:
        condition = "attribute_not_exists(pk)"
        try:
            self._client.put_item(TableName=self._table, Item=encoded(item), ConditionExpression=condition)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True


# Maps, not generators, go on after an exception: hence functions for them.


def _page(item: Mapping[str, Any] | None) -> Page | None:
    return Page.from_item(item) if item else None


def _rollup(item: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return rollup_from_item(item) if item else None


def _summary(item: Mapping[str, Any]) -> dict[str, Any]:
    rest = {name: value for name, value in item.items() if name not in {"pk", "sk"}}
    return {"identity": item["pk"], "inspection": item["sk"], **rest}
