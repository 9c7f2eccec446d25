"""The ledger table (DynamoDB)."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from chalicelib.receipts import SHARDS, Receipt, as_item, from_item, index_attributes
from chalicelib.uploads import Entry, in_order, iso

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

INSPECTING = "inspecting"

# The upload has no receipt for this inspection, and nobody has said that one is being made.
NEVER_SEEN = "attribute_not_exists(pk)"
# An inspection was begun and has not ended; whoever ends first writes the receipt.
ONLY_MARKED = "#status = :inspecting"


class DynamoLedger:
    """Writes each receipt once, by one conditional write, and reads pages of them."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    # -- writing

    def record(self, receipt: Receipt) -> bool:
        """Write the receipt unless its inspection has one; whether it was written."""
        return self._put(
            as_item(receipt),
            condition=f"{NEVER_SEEN} OR {ONLY_MARKED}",
            names={"#status": "status"},
            values={":inspecting": INSPECTING},
        )

    def mark(self, upload: Entry, *, started_at: datetime, deadline: datetime) -> None:
        """Leave a mark where the receipt will be; a repeated delivery keeps the first one's."""
        mark = {
            **index_attributes(upload, 1),
            "kind": str(upload.kind),
            "bucket": upload.bucket,
            "key": upload.key,
            "version_id": upload.version_id,
            "sequencer": upload.sequencer,
            "size": upload.size,
            "uploaded_at": iso(upload.uploaded_at),
            "status": INSPECTING,
            "started_at": iso(started_at),
            "deadline": iso(deadline),
        }
        self._put({name: value for name, value in mark.items() if value is not None}, condition=NEVER_SEEN)

    def _put(
        self,
        item: Mapping[str, Any],
        *,
        condition: str,
        names: Mapping[str, str] | None = None,
        values: Mapping[str, Any] | None = None,
    ) -> bool:
        more: dict[str, Any] = {}
        if names:
            more["ExpressionAttributeNames"] = names
        if values:
            more["ExpressionAttributeValues"] = encoded(values)
        try:
            self._client.put_item(TableName=self._table, Item=encoded(item), ConditionExpression=condition, **more)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True

    # -- reading

    def current(self, identity: str) -> dict[str, Any] | None:
        """The receipt of an upload's last inspection, or its mark; strongly consistent."""
        page = self._client.query(
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=encoded({":pk": identity}),
            ScanIndexForward=False,
            ConsistentRead=True,
            Limit=1,
        )
        return next((from_item(decoded(item)) for item in page["Items"]), None)

    def history(self, bucket: str, key: str, *, limit: int) -> list[dict[str, Any]]:
        """Summaries of a key's last `limit` entries, newest first: inspections, deletions and marks."""
        entries = itertools.islice(self._query("history", "of_key", f"{bucket}/{key}", "place"), limit)
        ordered = in_order(entries, place=lambda item: item["place"], sequencer=lambda item: item.get("sequencer"))
        return [_summary(item) for item in reversed(ordered)]

    def whole(self, summary: Mapping[str, Any]) -> dict[str, Any]:
        """The receipt that a summary stands for."""
        key = encoded({"pk": summary["identity"], "sk": summary["inspection"]})
        found = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return from_item(decoded(found["Item"]))

    def newest(self, bucket: str, *, since: datetime | None = None) -> Iterator[dict[str, Any]]:
        """Summaries of the bucket's entries, last recorded first."""
        return self._merged("journal", "journal_shard", f"{bucket}#", "finished_at", since)

    def failures(self, bucket: str, *, since: datetime | None = None) -> Iterator[dict[str, Any]]:
        """Summaries of the uploads whose current receipt is a failure, last recorded first."""
        return self._merged("failures", "journal_shard", f"{bucket}#", "failed_at", since)

    def of_source(self, bucket: str, source: str, *, since: datetime | None = None) -> Iterator[dict[str, Any]]:
        """Summaries of the entries of one source, last recorded first."""
        return self._merged("sources", "source_shard", f"{bucket}/{source}#", "finished_at", since)

    def _merged(
        self, index: str, key: str, prefix: str, order: str, since: datetime | None
    ) -> Iterator[dict[str, Any]]:
        """The shards of an index as one list; each is read as far as the reader of the list goes."""
        shards = [self._query(index, key, f"{prefix}{shard}", order, since) for shard in range(SHARDS)]
        merged = heapq.merge(*shards, key=lambda item: str(item[order]), reverse=True)
        return map(_summary, merged)

    def _query(
        self, index: str, key: str, value: str, order: str, since: datetime | None = None
    ) -> Iterator[dict[str, Any]]:
        condition, values = f"{key} = :key", {":key": value}
        if since:
            condition, values = f"{condition} AND {order} >= :since", {**values, ":since": iso(since)}
        more: dict[str, Any] = {}
        while True:
            page = self._client.query(
                TableName=self._table,
                IndexName=index,
                KeyConditionExpression=condition,
                ExpressionAttributeValues=encoded(values),
                ScanIndexForward=False,
                Limit=PAGE,
                **more,
            )
            yield from map(decoded, page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            more["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _summary(item: Mapping[str, Any]) -> dict[str, Any]:
    return from_item(item) | {
        "identity": item["pk"],
        "inspection": item["sk"],
        "headline": item.get("headline", ""),
    }


PAGE = 25
_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


def encoded(item: Mapping[str, Any]) -> dict[str, Any]:
    """The item in DynamoDB's notation."""
    return {name: _serialize(value) for name, value in item.items()}


def decoded(item: Mapping[str, Any]) -> dict[str, Any]:
    """The item out of DynamoDB's notation."""
    return {name: _whole_numbers(_deserialize(value)) for name, value in item.items()}


def _whole_numbers(value: Any) -> Any:
    """The same with integers for DynamoDB's decimals: the ledger holds no other numbers."""
    match value:
        case Decimal():
            return int(value)
        case list():
            return [_whole_numbers(member) for member in value]
        case dict():
            return {name: _whole_numbers(member) for name, member in value.items()}
    return value
