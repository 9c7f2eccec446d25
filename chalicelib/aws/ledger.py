"""The ledger table (DynamoDB): each receipt written once, and read by its identity."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from chalicelib.aws.items import decoded, encoded
from chalicelib.receipts import INSPECTING, Receipt, as_item, from_item, mark_item
from chalicelib.uploads import Entry, iso

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BATCH = 100
"""How many items BatchGetItem takes."""

# The upload has no receipt for this inspection, and nobody has said that one is being made.
NEVER_SEEN = "attribute_not_exists(pk)"
# An inspection was begun and has not ended; whoever ends first writes the receipt.
ONLY_MARKED = "#status = :inspecting"
# It was begun, and the time it said it would take is over.
DIED = f"({ONLY_MARKED} AND deadline < :now)"
# There is a receipt, of the inspection before, to be followed by a later one.
FINAL = "attribute_exists(pk) AND #status <> :inspecting"

STATUS = {"#status": "status"}
REFUSED = "ConditionalCheckFailed"


class DynamoLedger:
    """Writes each receipt once, by one conditional request, and reads what is known of an upload."""

    def __init__(self, client: DynamoDBClient, table: str, *, retention: timedelta | None = None) -> None:
        self._client = client
        self._table = table
        self._retention = retention

    # -- writing

    def record(self, receipt: Receipt) -> bool:
        """Write the receipt unless its inspection has one; whether it was written."""
        item = as_item(receipt, retention=self._retention)
        put = self._put(item, f"{NEVER_SEEN} OR {ONLY_MARKED}", {":inspecting": INSPECTING})
        if receipt.inspection == 1:
            return self._is_done(put)
        return self._is_done_with(put, self._supersede(receipt.entry.identity, receipt.inspection - 1))

    def mark(self, upload: Entry, *, inspection: int = 1, started_at: datetime, deadline: datetime) -> None:
        """Leave a mark where the receipt will be, or where a mark stands whose time is over."""
        item = mark_item(upload, inspection, started_at=started_at, deadline=deadline)
        values = {":inspecting": INSPECTING, ":now": iso(started_at)}
        self._is_done(self._put(item, f"{NEVER_SEEN} OR {DIED}", values))

    def _put(self, item: Mapping[str, Any], condition: str, values: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "Item": encoded(item),
            "ConditionExpression": condition,
            "ExpressionAttributeNames": STATUS,
            "ExpressionAttributeValues": encoded(values),
        }

    def _supersede(self, identity: str, inspection: int) -> dict[str, Any]:
        """Take the receipt of an earlier inspection out of the lists of what is current."""
        return {
            "TableName": self._table,
            "Key": _key(identity, inspection),
            "UpdateExpression": "REMOVE failed_at, due_at",
            "ConditionExpression": FINAL,
            "ExpressionAttributeNames": STATUS,
            "ExpressionAttributeValues": encoded({":inspecting": INSPECTING}),
        }

    def _is_done(self, put: Any) -> bool:
        try:
            self._client.put_item(**put)
        except ClientError as error:
            if error.response["Error"]["Code"] == f"{REFUSED}Exception":
                return False
            raise
        return True

    def _is_done_with(self, put: Any, update: Any) -> bool:
        """Both or neither; boto3's token makes a repeated request harmless."""
        try:
            self._client.transact_write_items(TransactItems=[{"Put": put}, {"Update": update}])
        except ClientError as error:
            reasons: Any = error.response.get("CancellationReasons") or [{}]
            if reasons[0].get("Code") == REFUSED:
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

    def whole(self, summary: Mapping[str, Any]) -> dict[str, Any]:
        """The receipt that a summary stands for."""
        key = _key(summary["identity"], summary["inspection"])
        found = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return from_item(decoded(found["Item"]))

    def known(self, entries: Iterable[Entry]) -> dict[str, dict[str, Any]]:
        """What the ledger has of these entries, by identity: status (of an upload) and uploaded_at.

        It is of the first inspection, and eventually consistent: an entry that was just recorded may be missing.
        """
        keys = [_key(identity, 1) for identity in dict.fromkeys(entry.identity for entry in entries)]
        batches = (keys[start : start + BATCH] for start in range(0, len(keys), BATCH))
        return {item["pk"]: item for batch in batches for item in self._got(batch)}

    def _got(self, keys: Sequence[Any]) -> Iterator[dict[str, Any]]:
        """BatchGetItem answers with what it had capacity for; the rest is asked for again."""
        asked: Any = {
            self._table: {
                "Keys": keys,
                "ProjectionExpression": "pk, #status, uploaded_at",
                "ExpressionAttributeNames": STATUS,
            }
        }
        while asked:
            answer = self._client.batch_get_item(RequestItems=asked)
            yield from map(decoded, answer["Responses"][self._table])
            asked = answer.get("UnprocessedKeys")


def _key(identity: str, inspection: int) -> dict[str, Any]:
    return encoded({"pk": identity, "sk": inspection})
