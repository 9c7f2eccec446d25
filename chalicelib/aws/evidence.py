"""What a verification reads of the ledger table (DynamoDB)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer

from chalicelib.aws.items import encoded
from chalicelib.receipts import SHARDS
from chalicelib.uploads import iso
from chalicelib.verification.ports import Key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BATCH = 100
"""How many items BatchGetItem takes."""

_deserialize = TypeDeserializer().deserialize


class DynamoEvidence:
    """Reads items as they are; every read of the table itself is strongly consistent."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def size(self) -> int:
        """About how many items there are: DynamoDB counts them every six hours."""
        return self._client.describe_table(TableName=self._table)["Table"].get("ItemCount", 0)

    def everything(self) -> Iterator[dict[str, Any]]:
        """All items of the table.

        The one place where a scan is right: only a scan sees the items that no index holds. It costs a read unit
        for each 4 KB of the table.
        """
        return self._items_of(self._client.scan, ConsistentRead=True)

    def recent(self, bucket: str, since: datetime, until: datetime) -> Iterator[Key]:
        """The keys of the receipts finished in that time, and of what is to be inspected again; from indexes."""
        values = encoded({":since": iso(since), ":until": iso(until)})
        for shard in range(SHARDS):
            for index, order in (("journal", "finished_at"), ("unfinished", "due_at")):
                found = self._items_of(
                    self._client.query,
                    IndexName=index,
                    KeyConditionExpression=f"journal_shard = :shard AND {order} BETWEEN :since AND :until",
                    ExpressionAttributeValues={**values, **encoded({":shard": f"{bucket}#{shard}"})},
                    ProjectionExpression="pk, sk",
                )
                yield from ((item["pk"], item["sk"]) for item in found)

    def items(self, keys: Iterable[Key]) -> Iterator[dict[str, Any] | None]:
        """The items of these keys, in order; None where there is none."""
        left = iter(keys)
        while some := list(islice(left, BATCH)):
            found = {(item["pk"], item["sk"]): item for item in self._batch(some)}
            yield from map(found.get, some)

    def seals(self, bucket: str) -> Iterator[dict[str, Any]]:
        """What stands in the places of the bucket's seals, by number."""
        return self._items_of(
            self._client.query,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=encoded({":pk": f"#seals/{bucket}"}),
            ConsistentRead=True,
        )

    def _batch(self, keys: Iterable[Key]) -> Iterator[dict[str, Any]]:
        # A request must not name an item twice.
        asked: Any = {"Keys": [encoded({"pk": pk, "sk": sk}) for pk, sk in dict.fromkeys(keys)], "ConsistentRead": True}
        while asked:
            # Beyond 16 MB, or its capacity, DynamoDB answers in part and says what is left.
            answer = self._client.batch_get_item(RequestItems={self._table: asked})
            yield from map(_exactly_decoded, answer["Responses"].get(self._table, []))
            asked = answer["UnprocessedKeys"].get(self._table)

    def _items_of(self, call: Any, **request: Any) -> Iterator[dict[str, Any]]:
        while True:
            answer = call(TableName=self._table, **request)
            yield from map(_exactly_decoded, answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def _exactly_decoded(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _whole(_deserialize(value)) for name, value in item.items()}


def _whole(value: Any) -> Any:
    """Integers for DynamoDB's decimals where they are whole; what is not stays as it is, and is no receipt's."""
    match value:
        case Decimal() if value == value.to_integral_value():
            return int(value)
        case list():
            return [_whole(member) for member in value]
        case dict():
            return {name: _whole(member) for name, member in value.items()}
    return value
