"""The types `boolean` and `list`."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from chalicelib.tableschema.descriptor import Properties
from chalicelib.tableschema.kind import Kind

TRUE_VALUES = ("true", "True", "TRUE", "1")
FALSE_VALUES = ("false", "False", "FALSE", "0")


def boolean(options: Properties) -> Kind:
    """True or false, as `trueValues` and `falseValues` say that they are written."""
    true, false = options.texts("trueValues", TRUE_VALUES), options.texts("falseValues", FALSE_VALUES)
    values = dict.fromkeys(true, True) | dict.fromkeys(false, False)
    if set(true) & set(false):
        raise options.refused("falseValues", "has a value that is one of trueValues too")

    def read(cell: str) -> bool:
        if cell not in values:
            raise ValueError
        return values[cell]

    def take(value: object) -> bool:
        if isinstance(value, str):
            return read(value)
        if not isinstance(value, bool):
            raise ValueError
        return value

    return Kind(words="must be true or false", read=read, take=take, is_right=values.__contains__)


def list_of(item: Kind, delimiter: str, noun: str) -> Kind:
    """Values of a type with a delimiter between them; no text is no value."""

    def read(cell: str) -> list[Any]:
        return [item.read(part) for part in cell.split(delimiter)] if cell else []

    def take(value: object) -> list[Any]:
        if isinstance(value, str):
            return read(value)
        if not isinstance(value, list):
            raise ValueError
        return [item.take(part) for part in value]

    def is_right(cell: str) -> bool:
        return not cell or all(map(item.is_right, cell.split(delimiter)))

    def key(value: list[Any]) -> Hashable:
        return tuple(map(item.key, value))

    return Kind(words=f"must be a list of {noun}", read=read, take=take, is_right=is_right, key=key)
