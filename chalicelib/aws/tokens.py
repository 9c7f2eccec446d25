"""The API's tokens: items of their own in the ledger's table (DynamoDB)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from chalicelib.access import TOKENS_KEY, Token
from chalicelib.aws.items import decoded, encoded

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# No token has the name, or the one that had it is revoked.
IS_FREE = "attribute_not_exists(pk) OR attribute_exists(revoked_at)"
# There is such a token, and it is not revoked yet.
IS_VALID = "attribute_exists(pk) AND attribute_not_exists(revoked_at)"


class DynamoTokens:
    """Reads tokens strongly consistently: a token is revoked for the very next call."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def get(self, number: int) -> Token | None:
        """The token of that number, as it is now."""
        key = encoded({"pk": TOKENS_KEY, "sk": number})
        found = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return Token.from_item(decoded(found["Item"])) if "Item" in found else None

    def all(self) -> Iterator[Token]:
        """Every token, revoked ones until their name is given again."""
        more: dict[str, object] = {}
        while True:
            page = self._client.query(
                TableName=self._table,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues=encoded({":pk": TOKENS_KEY}),
                ConsistentRead=True,
                **more,  # type: ignore[arg-type]
            )
            yield from (Token.from_item(decoded(item)) for item in page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            more["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def add(self, token: Token) -> bool:
        """Keep a new token, unless one that is valid has its name."""
        return self._put(token, IS_FREE)

    def revoke(self, token: Token) -> bool:
        """Keep it as revoked; nothing is ever deleted. Whether it was valid until now."""
        return self._put(token, IS_VALID)

    def _put(self, token: Token, condition: str) -> bool:
        """Write it if the condition holds, or stand by what an earlier try, whose answer was lost, has written."""
        item = encoded(token.as_item())
        try:
            self._client.put_item(
                TableName=self._table,
                Item=item,
                ConditionExpression=condition,
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return error.response.get("Item") == item
            raise
        return True
