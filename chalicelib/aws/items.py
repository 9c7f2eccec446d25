"""Items in DynamoDB's notation, and out of it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

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
