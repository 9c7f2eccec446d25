"""Where a scheduled reconcile leaves word for the next: one item a bucket in the ledger table (DynamoDB)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from chalicelib.aws.items import decoded, encoded

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PREFIX = "#reconcile/"
"""No receipt's identity begins so: a bucket's name begins with a letter or a digit."""


class DynamoNotes:
    """Reads and replaces the note; it is no lock, and losing it costs a pass over the whole bucket."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def read(self, bucket: str) -> dict[str, Any]:
        """The last note; empty if there is none."""
        found = self._client.get_item(TableName=self._table, Key=_key(bucket), ConsistentRead=True)
        return {name: value for name, value in decoded(found.get("Item", {})).items() if name not in ("pk", "sk")}

    def write(self, bucket: str, note: Mapping[str, Any]) -> None:
        """Leave a note in place of the last."""
        item = {name: value for name, value in note.items() if value is not None}
        self._client.put_item(TableName=self._table, Item={**_key(bucket), **encoded(item)})


def _key(bucket: str) -> dict[str, Any]:
    return encoded({"pk": f"{PREFIX}{bucket}", "sk": 0})
