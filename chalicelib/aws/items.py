"""Items in DynamoDB's notation, and out of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from botocore.hooks import BaseEventHooks


def encoded(item: Mapping[str, Any]) -> dict[str, Any]:
    """The item as DynamoDB takes it."""
    return {name: {"S": value} if type(value) is str else _encoded(value) for name, value in item.items()}


def decoded(item: Mapping[str, Any]) -> dict[str, Any]:
    """The item as it was: its whole numbers are ints."""
    return {name: _decoded(value) for name, value in item.items()}


def put_as_they_are(events: BaseEventHooks) -> None:
    """Make a client put items into its requests as they are: in DynamoDB's notation, which is that of a request.

    Else botocore copies them value by value, for as long as signing takes. That a client without this sends the same
    is tested.
    """
    events.register("before-parameter-build.dynamodb.PutItem", _hold_item)
    events.register("before-call.dynamodb.PutItem", _put_item)


def _hold_item(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    context["recibo_item"] = params.pop("Item")


def _put_item(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    params["body"] = b'%s, "Item": %s}' % (params["body"].removesuffix(b"}"), orjson.dumps(context.pop("recibo_item")))


_DECODERS: Mapping[str, Callable[[Any], Any]] = {
    "S": lambda value: value,
    "N": lambda value: int(Decimal(value)),
    "BOOL": lambda value: value,
    "NULL": lambda _: None,
    "L": lambda value: [_decoded(member) for member in value],
    "M": decoded,
}


def _encoded(value: Any) -> dict[str, Any]:
    # boto3's own serializer asks of every value in turn whether it is of each type: a third of the time of a request.
    kind = type(value)
    if kind is str:
        return {"S": value}
    if kind is int:
        return {"N": str(value)}
    if kind is dict:
        return {"M": encoded(value)}
    if kind is list:
        return {"L": [{"N": str(each)} if type(each) is int else _encoded(each) for each in value]}
    return {"BOOL": value} if kind is bool else _encoded_otherwise(value)


def _encoded_otherwise(value: Any) -> dict[str, Any]:
    from boto3.dynamodb.types import TypeSerializer  # noqa: PLC0415 (no receipt needs it)

    return {**TypeSerializer().serialize(value)}


def _decoded(value: Any) -> Any:
    ((kind, content),) = value.items()
    decode = _DECODERS.get(kind)
    return decode(content) if decode else _decoded_otherwise(value)


def _decoded_otherwise(value: Any) -> Any:
    from boto3.dynamodb.types import TypeDeserializer  # noqa: PLC0415 (no item of Recibo's has such a value)

    return TypeDeserializer().deserialize(value)
