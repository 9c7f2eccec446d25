"""A DynamoDB table in memory, for reading, that counts what is read; moto's walks over all items for every query."""

from __future__ import annotations

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from chalicelib.aws.items import decoded, encoded
from infra.template import table_definition

Item = Mapping[str, Any]

_Entry = tuple[Any, str, int, int]
"""The sort key, the item's own key, and which item it is."""

PAGE_BYTES = 1 << 20
"""How much a Query evaluates before it answers with a page."""

UNIT_BYTES = 4096
"""What a read request unit reads consistently; eventually consistent reads take half a unit."""

CONDITION = re.compile(r"(\w+) = (:\w+)(?: AND (\w+) (?:(>=|<) (:\w+)|BETWEEN (:\w+) AND (:\w+)))?")


class RefusedError(ValueError):
    """DynamoDB would answer with a ValidationException."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What some calls read: how many calls, items and request units."""

    calls: int = 0
    items: int = 0
    units: float = 0

    def __add__(self, other: Reading) -> Reading:
        return Reading(self.calls + other.calls, self.items + other.items, self.units + other.units)

    def __sub__(self, other: Reading) -> Reading:
        return Reading(self.calls - other.calls, self.items - other.items, self.units - other.units)


class _Index:
    """The table or one of its indexes: partitions of entries, sorted by sort key, then by the item's own key."""

    def __init__(self, schema: Sequence[Any], projection: Mapping[str, Any]) -> None:
        self.key, self.order = (key["AttributeName"] for key in schema)
        self.is_whole = projection["ProjectionType"] == "ALL"
        self.names = {"pk", "sk", self.key, self.order, *projection.get("NonKeyAttributes", [])}
        self.partitions: dict[str, list[_Entry]] = {}

    def add(self, item: Item, number: int) -> None:
        """An item without both keys is not in an index."""
        if self.key in item and self.order in item:
            self.partitions.setdefault(item[self.key], []).append((*self.place(item), number))

    def place(self, item: Item) -> tuple[Any, str, int]:
        """Where an item stands in its partition."""
        return item[self.order], item["pk"], item["sk"]

    def projected(self, item: Item) -> dict[str, Any]:
        """What the index holds of an item."""
        return {name: item[name] for name in item if self.is_whole or name in self.names}


class CountingTable:
    """The reading half of DynamoDB's client for one table; raises TypeError for a parameter that it does not know.

    A page that ends by its limit names its last item if the partition has another one, as moto's does.
    """

    def __init__(self, items: Sequence[Item], definition: Mapping[str, Any] | None = None) -> None:
        definition = definition or table_definition()
        self.name = definition["TableName"]
        self.read = Reading()
        self._items = items
        self._table = _Index(definition["KeySchema"], {"ProjectionType": "ALL"})
        self._indexes = {
            index["IndexName"]: _Index(index["KeySchema"], index["Projection"])
            for index in definition["GlobalSecondaryIndexes"]
        }
        everywhere = (self._table, *self._indexes.values())
        for number, item in enumerate(items):
            for index in everywhere:
                index.add(item, number)
        for index in everywhere:
            for entries in index.partitions.values():
                entries.sort()

    def query(
        self,
        *,
        TableName: str,
        KeyConditionExpression: str,
        ExpressionAttributeValues: Mapping[str, Any],
        ExpressionAttributeNames: Mapping[str, str] | None = None,
        IndexName: str | None = None,
        Limit: int | None = None,
        ExclusiveStartKey: Mapping[str, Any] | None = None,
        ScanIndexForward: bool = True,
        ConsistentRead: bool = False,
        ProjectionExpression: str | None = None,
        Select: str | None = None,
    ) -> dict[str, Any]:
        """A page."""
        self._check(TableName, is_refused=bool(IndexName) and ConsistentRead)
        index = self._indexes[IndexName] if IndexName else self._table
        entries, within = _bounded(index, KeyConditionExpression, decoded(ExpressionAttributeValues))
        if ExclusiveStartKey:
            within = _after(entries, within, index.place(decoded(ExclusiveStartKey)), is_forward=ScanIndexForward)
        taken, size = self._taken(index, entries, within if ScanIndexForward else within[::-1], Limit)
        self._count([size], items=len(taken), is_consistent=ConsistentRead)
        answer: dict[str, Any] = {"Count": len(taken)}
        if Select != "COUNT":
            names = _projection(ProjectionExpression, ExpressionAttributeNames)
            answer["Items"] = [_encoded(item, names) for item in taken]
        left = len(entries) - within.start if ScanIndexForward else within.stop
        if len(taken) < len(within) or (len(taken) == Limit and len(taken) < left):
            answer["LastEvaluatedKey"] = _encoded(taken[-1], {"pk", "sk", index.key, index.order})
        return answer

    def get_item(self, *, TableName: str, Key: Mapping[str, Any], ConsistentRead: bool = False) -> dict[str, Any]:
        """The item of a key, if there is one."""
        self._check(TableName)
        item = self._item(Key)
        self._count([size_of(item)], items=1 if item else 0, is_consistent=ConsistentRead)
        return {"Item": encoded(item)} if item else {}

    def batch_get_item(self, *, RequestItems: Mapping[str, Any]) -> dict[str, Any]:
        """The items of at most 100 keys; of fewer than 16 MB, so that none is left unprocessed."""
        ((table, asked),) = RequestItems.items()
        keys = [tuple(decoded(key).items()) for key in asked["Keys"]]
        self._check(table, is_refused=not 0 < len(keys) <= 100 or len(set(keys)) < len(keys))
        items = [self._item(key) for key in asked["Keys"]]
        found = [item for item in items if item]
        self._count(map(size_of, items), items=len(found), is_consistent=asked.get("ConsistentRead", False))
        names = _projection(asked.get("ProjectionExpression"), asked.get("ExpressionAttributeNames"))
        return {"Responses": {table: [_encoded(item, names) for item in found]}, "UnprocessedKeys": {}}

    def _taken(
        self, index: _Index, entries: Sequence[_Entry], places: range, limit: int | None
    ) -> tuple[list[dict[str, Any]], int]:
        """What a page holds, and its bytes."""
        taken: list[dict[str, Any]] = []
        size = 0
        for place in places[:limit]:
            item = index.projected(self._items[entries[place][3]])
            if size + size_of(item) > PAGE_BYTES:
                break
            taken.append(item)
            size += size_of(item)
        return taken, size

    def _check(self, name: str, *, is_refused: bool = False) -> None:
        if name != self.name or is_refused:
            raise RefusedError(f"not to be asked of {self.name}")

    def _item(self, key: Mapping[str, Any]) -> Item:
        wanted = decoded(key)
        entries = self._table.partitions.get(wanted["pk"], [])
        return next((self._items[number] for sk, _, _, number in entries if sk == wanted["sk"]), {})

    def _count(self, sizes: Iterable[int], *, items: int, is_consistent: bool) -> None:
        units = sum(max(1, math.ceil(size / UNIT_BYTES)) for size in sizes)
        self.read += Reading(1, items, units if is_consistent else units / 2)


def _bounded(index: _Index, expression: str, values: Mapping[str, Any]) -> tuple[list[_Entry], range]:
    """The partition that a condition names, and which of its entries it is for."""
    condition = CONDITION.fullmatch(expression)
    if not condition or condition[1] != index.key or condition[3] not in (None, index.order):
        raise RefusedError(f"{expression} is no condition on {index.key} and {index.order}")
    entries = index.partitions.get(values[condition[2]], [])
    low, high = 0, len(entries)
    if condition[4] == ">=":
        low = bisect_left(entries, values[condition[5]], key=itemgetter(0))
    elif condition[4] == "<":
        high = bisect_left(entries, values[condition[5]], key=itemgetter(0))
    elif condition[6]:
        first, last = values[condition[6]], values[condition[7]]
        if first > last:
            raise RefusedError("BETWEEN needs a lower bound that is not above the upper one")
        low, high = bisect_left(entries, first, key=itemgetter(0)), bisect_right(entries, last, key=itemgetter(0))
    return entries, range(low, max(low, high))


def _after(entries: Sequence[_Entry], within: range, place: tuple[Any, str, int], *, is_forward: bool) -> range:
    """What is left of a range of entries after the one in a place."""
    if is_forward:
        return range(max(within.start, bisect_right(entries, place, key=itemgetter(0, 1, 2))), within.stop)
    return range(within.start, min(within.stop, bisect_left(entries, place, key=itemgetter(0, 1, 2))))


def _projection(expression: str | None, names: Mapping[str, str] | None) -> set[str] | None:
    """The attributes that are asked for; of a path, its beginning: what is inside is asked for whole."""
    paths = [path.strip().partition(".")[0] for path in (expression or "").split(",")]
    return {(names or {}).get(name, name) for name in paths} if expression else None


def _encoded(item: Item, names: set[str] | None) -> dict[str, Any]:
    return encoded({name: item[name] for name in item if names is None or name in names})


def size_of(item: Item) -> int:
    """Bytes of an item, by DynamoDB's rules."""
    return sum(len(name.encode()) + _size(value) for name, value in item.items())


def _size(value: Any) -> int:
    match value:
        case str():
            return len(value.encode())
        case bool() | None:
            return 1
        case int():
            return (len(str(abs(value))) + 1) // 2 + 1
        case Mapping():
            return 3 + len(value) + size_of(value)
    return 3 + sum(1 + _size(member) for member in value)
