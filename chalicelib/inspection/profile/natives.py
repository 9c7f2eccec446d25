"""Values that are no texts, as cells of a profile: the text that stands for each, and what it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from json.encoder import encode_basestring_ascii
from typing import Any

from chalicelib.inspection.json_names import storable
from chalicelib.inspection.json_numbers import Fractional, Whole
from chalicelib.inspection.patterns import compiled

TEXT, ODD, NESTED = "text", "odd", "nested"
"""What a value is, where it is of no slot of a profile's readings. It is odd if it is neither a text nor of a type that
a profile knows: a number that is none, or beyond all use; a duration; an error."""
ZONE = "Z"
"""Ends the text of a moment that has a zone: it is in UTC."""
_NUMBER = r"-?[0-9]{1,38}(?:\.[0-9]{1,38})?(?:[eE][+-]?[0-9]{1,2})?"
"""The numbers that are counted as such: their sums are exact."""
_fits = compiled(_NUMBER).fullmatch
_all_fit = compiled(rf"(?:{_NUMBER}\n)*+").fullmatch
_FEW = range(-7, 19)
"""Numbers of these magnitudes are written without an exponent."""


def texts_of(values: Sequence[object]) -> Sequence[str]:
    """The texts that stand for values, empty ones for those that are none."""
    types = {*map(type, values)} - {type(None)}
    if types == {str}:
        return _storable([value or "" for value in values])  # type: ignore[misc] # they are texts
    if len(types) == 1:
        write = _WRITERS.get(types.pop(), str)
        return ["" if value is None else write(value) for value in values]
    return ["" if value is None else _WRITERS.get(type(value), str)(value) for value in values]


def by_kind(type_: type, counts: Mapping[str, int]) -> Mapping[str, Mapping[str, int]]:
    """The texts of values of one type by what they are, each with how often it is there."""
    kind = _KINDS.get(type_, ODD)
    if kind not in _UNSURE or (kind in _NUMBERS and type_ is not Decimal and _all_fit("\n".join((*counts, "")))):
        return {kind: counts}
    kinds: dict[str, dict[str, int]] = {}
    for text, times in counts.items():
        kinds.setdefault(_kind_of(type_, kind, text), {})[text] = times
    return kinds


def _kind_of(type_: type, kind: str, text: str) -> str:
    if kind == "datetime":
        return "instant" if text.endswith(ZONE) else kind
    if not _fits(text):
        return ODD
    return "integer" if type_ is Decimal and not ("." in text or "E" in text) else kind


_NUMBERS = frozenset({"integer", "point"})
_UNSURE = _NUMBERS | {"datetime"}


def _storable(texts: Sequence[str]) -> Sequence[str]:
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        return [*map(storable, texts)]
    return texts


def _float(value: float) -> str:
    text = repr(value)
    if "e" not in text:
        return text
    text = _decimal(Decimal(text))
    return text if "." in text or "E" in text else f"{text}.0"


def _decimal(value: Decimal) -> str:
    text = str(value)
    return format(value, "f") if "E" in text and value.adjusted() in _FEW else text


def _datetime(value: datetime) -> str:
    if value.tzinfo is None:
        return value.isoformat()
    return value.astimezone(UTC).replace(tzinfo=None).isoformat() + ZONE


def _as_json(value: object) -> str:
    """Nested values as JSON, numbers as they are written; none is nested deeper than Python can follow."""
    kind = type(value)
    if kind is str:
        return encode_basestring_ascii(value)  # type: ignore[arg-type] # it is one
    if kind is Whole or kind is Fractional:
        return value  # type: ignore[return-value] # it is a text
    if kind is dict:
        inner = [f"{encode_basestring_ascii(name)}: {_as_json(each)}" for name, each in value.items()]  # type: ignore[attr-defined] # so it has
        return f"{{{', '.join(inner)}}}"
    if kind is list:
        return f"[{', '.join(map(_as_json, value))}]"  # type: ignore[call-overload] # so it has
    return json.dumps(value, default=str)


_WRITERS: Mapping[type, Callable[[Any], str]] = {
    str: storable,
    bytes: lambda value: value.decode("utf-8", "backslashreplace"),
    bool: lambda value: "true" if value else "false",
    Decimal: _decimal,
    float: _float,
    date: date.isoformat,
    datetime: _datetime,
    time: time.isoformat,
    list: _as_json,
    dict: _as_json,
}
_KINDS: Mapping[type, str] = {
    str: TEXT,
    bytes: TEXT,
    bool: "boolean",
    int: "integer",
    Whole: "integer",
    Fractional: "point",
    Decimal: "point",
    float: "point",
    date: "date",
    datetime: "datetime",
    time: "time",
    list: NESTED,
    dict: NESTED,
}
