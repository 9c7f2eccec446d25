"""The ledger table (DynamoDB): each receipt written once, and read by its identity."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from chalicelib.aws.items import decoded, encoded
from chalicelib.aws.patience import PACE, Pace, Patience
from chalicelib.intake import StillInspectingError
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
# It was begun by the very request whose tries are over.
OWN = f"({ONLY_MARKED} AND request_id = :request)"
# There is a receipt, of the inspection before, to be followed by a later one.
FINAL = "attribute_exists(pk) AND #status <> :inspecting"

STATUS = {"#status": "status"}
REFUSED = "ConditionalCheckFailed"


class DynamoLedger:
    """Writes each receipt once, by one conditional request, and reads what is known of an upload."""

    def __init__(
        self,
        client: DynamoDBClient,
        table: str,
        *,
        retention: timedelta | None = None,
        pace: Pace = PACE,
    ) -> None:
        self._client = client
        self._table = table
        self._retention = retention
        self._pace = pace

    # -- writing

    def record(self, receipt: Receipt) -> bool:
        """Write the receipt unless its inspection has one; whether it was written."""
        standing = self._write(receipt, f"{NEVER_SEEN} OR {ONLY_MARKED}", {":inspecting": INSPECTING})
        return standing is None

    def give_up(self, receipt: Receipt, *, request_id: str | None) -> bool:
        """The same unless another request's inspection is going on: raises StillInspectingError."""
        values = {":inspecting": INSPECTING, ":now": iso(receipt.finished_at), ":request": request_id or ""}
        standing = self._write(receipt, f"{NEVER_SEEN} OR {DIED} OR {OWN}", values)
        if standing and standing.get("status") == INSPECTING:
            raise StillInspectingError
        return standing is None

    def mark(
        self,
        upload: Entry,
        *,
        inspection: int = 1,
        tries: int = 1,
        started_at: datetime,
        deadline: datetime,
        request_id: str | None = None,
    ) -> None:
        """Leave a mark where the receipt will be, or where a mark stands whose time is over."""
        item = mark_item(
            upload,
            inspection,
            tries=tries,
            started_at=started_at,
            deadline=deadline,
            request_id=request_id,
            may_expire=self._retention is not None,
        )
        values = {":inspecting": INSPECTING, ":now": iso(started_at)}
        self._put(self._conditional(item, f"{NEVER_SEEN} OR {DIED}", values))

    def _write(self, receipt: Receipt, condition: str, values: Mapping[str, Any]) -> dict[str, Any] | None:
        """Write the receipt if the condition holds; what stands there if it does not."""
        put = self._conditional(as_item(receipt, retention=self._retention), condition, values)
        if receipt.inspection == 1:
            return self._put(put)
        return self._put_superseding(put, self._supersede(receipt.entry.identity, receipt.inspection - 1))

    def _conditional(self, item: Mapping[str, Any], condition: str, values: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "Item": encoded(item),
            "ConditionExpression": condition,
            "ExpressionAttributeNames": STATUS,
            "ExpressionAttributeValues": encoded(values),
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
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
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }

    def _put(self, put: Any) -> dict[str, Any] | None:
        try:
            self._client.put_item(**put)
        except ClientError as error:
            if error.response["Error"]["Code"] == f"{REFUSED}Exception":
                return _standing(error.response)
            raise
        return None

    def _put_superseding(self, put: Any, update: Any) -> dict[str, Any] | None:
        """Both or neither, but that the earlier receipt may have expired; boto3's token makes a repetition harmless."""
        try:
            self._client.transact_write_items(TransactItems=[{"Put": put}, {"Update": update}])
        except ClientError as error:
            reasons: Any = error.response.get("CancellationReasons") or ({}, {})
            of_put, of_update = reasons
            if of_put.get("Code") == REFUSED:
                return _standing(of_put)
            if of_update.get("Code") == REFUSED and "Item" not in of_update:
                return self._put(put)
            raise
        return None

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
        if receipt := self.found(summary["identity"], summary["inspection"]):
            return receipt
        raise KeyError("Item")

    def found(self, identity: str, inspection: int) -> dict[str, Any] | None:
        """The receipt of an inspection, or its mark; None if there is none."""
        key = _key(identity, inspection)
        found = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return from_item(decoded(found["Item"])) if "Item" in found else None

    def known(
        self, entries: Iterable[Entry], *, out_of_time: Callable[[], bool] = lambda: False
    ) -> dict[str, dict[str, Any]]:
        """What the ledger has of these entries, by identity: status (of an upload) and uploaded_at.

        It is of the first inspection, and eventually consistent: an entry that was just recorded may be missing.
        Raises OutOfTimeError if DynamoDB has no capacity to answer before.
        """
        patience = self._pace.patience(out_of_time)
        keys = [_key(identity, 1) for identity in dict.fromkeys(entry.identity for entry in entries)]
        batches = (keys[start : start + BATCH] for start in range(0, len(keys), BATCH))
        return {item["pk"]: item for batch in batches for item in self._got(batch, patience)}

    def _got(self, keys: Sequence[Any], patience: Patience) -> Iterator[dict[str, Any]]:
        """BatchGetItem answers with what it had capacity for; the rest is asked for again, later each time."""
        from chalicelib.wanted import OutOfTimeError  # noqa: PLC0415 (no upload needs it)

        asked: Any = {
            self._table: {
                "Keys": keys,
                "ProjectionExpression": "pk, #status, uploaded_at",
                "ExpressionAttributeNames": STATUS,
            }
        }
        patience.stalled = 0
        while asked:
            answer = self._client.batch_get_item(RequestItems=asked)
            found = answer["Responses"].get(self._table, [])
            yield from map(decoded, found)
            if asked := answer.get("UnprocessedKeys"):
                patience.stalled = 1 if found else patience.stalled + 1
                patience.wait(OutOfTimeError("the ledger has no capacity to answer"))


def _standing(refusal: Mapping[str, Any]) -> dict[str, Any]:
    """What stood in the way of a write."""
    return decoded(refusal.get("Item", {}))


def _key(identity: str, inspection: int) -> dict[str, Any]:
    return encoded({"pk": identity, "sk": inspection})
