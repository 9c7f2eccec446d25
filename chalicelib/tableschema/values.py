"""Values of JSON: read strictly, and compared by what they say, however they are written."""

from __future__ import annotations

import json
from collections.abc import Hashable
from datetime import date, time, timedelta
from typing import Any, NoReturn

from chalicelib.tableschema.exact import decimal, json_number, number_key, whole
from chalicelib.tableschema.kind import Kind, tried

MOST_NESTED = 200
"""As deep as Python reads wherever it is called from: what is nested deeper is refused everywhere alike."""


class _Mark(str):
    """A part of a key that stands for itself."""

    __slots__ = ()


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def parsed(text: str) -> Any:
    """The value of a JSON text, numbers exact; raises ValueError."""
    try:
        value = json.loads(text, parse_int=whole, parse_float=json_number, parse_constant=_refuse)
    except RecursionError:
        raise ValueError from None
    if text.count("[") + text.count("{") > MOST_NESTED:
        _refuse_deep(value)
    return value


def _refuse_deep(value: object) -> None:
    level = [value]
    for _ in range(MOST_NESTED + 1):
        level = [inner for outer in level for inner in _within(outer)]
        if not level:
            return
    raise ValueError


def _within(value: object) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def value_key(value: object) -> Hashable:
    """The same text for the same value; a text stands for itself, so it costs nothing."""
    if isinstance(value, str):
        return value
    parts: list[str] = []
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            parts.append("{")
            waiting.append(_Mark("}"))
            for name in sorted(found, reverse=True):
                waiting += (found[name], _Mark(json.dumps(name)))
        elif isinstance(found, list):
            parts.append("[")
            waiting.append(_Mark("]"))
            waiting += reversed(found)
        else:
            parts.append(_scalar_key(found))
    return (" ".join(parts),)


def _scalar_key(value: object) -> str:
    if isinstance(value, _Mark):
        return str(value)
    if value is None or isinstance(value, bool | str):
        return json.dumps(value)
    if isinstance(value, bytes | date | time | timedelta):
        return repr(value)
    return number_key(decimal(value))


def structure(kind: type[list[Any] | dict[str, Any]], words: str) -> Kind:
    """Arrays or objects of JSON."""

    def take(value: object) -> Any:
        if isinstance(value, str):
            value = parsed(value)
        if not isinstance(value, kind):
            raise ValueError
        return value

    return Kind(words=words, read=take, take=take, is_right=tried(take), key=value_key)


ARRAY = structure(list, "must be an array of JSON")
OBJECT = structure(dict, "must be an object of JSON")
