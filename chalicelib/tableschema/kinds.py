"""The kind of a field, by its type, format and options."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from chalicelib.tableschema.descriptor import Properties, unknown
from chalicelib.tableschema.kind import Kind
from chalicelib.tableschema.lists import boolean, list_of
from chalicelib.tableschema.numbers import integer, number
from chalicelib.tableschema.strptime import temporal
from chalicelib.tableschema.texts import ANY, STRING_FORMATS, string
from chalicelib.tableschema.times import DURATION, YEAR, YEARMONTH
from chalicelib.tableschema.values import ARRAY, OBJECT

_ITEMS: Mapping[str, str] = {
    "string": "texts",
    "integer": "integers",
    "boolean": "values that are true or false",
    "number": "numbers",
    "datetime": "dates with times",
    "date": "dates",
    "time": "times",
}
_TEMPORAL = ("date", "time", "datetime")
_REFUSED = ("geopoint", "geojson")


def _list(field: Properties) -> Kind:
    delimiter, item = field.text("delimiter", ","), field.text("itemType", "string")
    if not delimiter:
        raise field.refused("delimiter", "must be a text that is not empty")
    if item not in _ITEMS:
        raise field.refused("itemType", unknown(item, _ITEMS, kind="type of an item"))
    return list_of(kind_of(item, "default", Properties({})), delimiter, _ITEMS[item])


_KINDS: Mapping[str, Callable[[Properties], Kind]] = {
    "integer": integer,
    "number": number,
    "boolean": boolean,
    "list": _list,
    "year": lambda _: YEAR,
    "yearmonth": lambda _: YEARMONTH,
    "duration": lambda _: DURATION,
    "array": lambda _: ARRAY,
    "object": lambda _: OBJECT,
    "any": lambda _: ANY,
}
TYPES = frozenset({*_KINDS, *_TEMPORAL, "string"})


def kind_of(name: str, form: str, field: Properties) -> Kind:
    """The kind of a field of that type and format; raises DescriptorError."""
    if name in _REFUSED:
        raise field.refused("type", f'"{name}" is not supported: use "string", "array" or "object"')
    if name not in TYPES:
        raise field.refused("type", unknown(name, TYPES, kind="type"))
    if name in _TEMPORAL:
        try:
            return temporal(name, form)
        except ValueError as error:
            raise field.refused("format", str(error)) from None
    forms = STRING_FORMATS if name == "string" else ("default",)
    if form not in forms:
        raise field.refused("format", unknown(form, forms, kind=f"format of {name}"))
    return string(form) if name == "string" else _KINDS[name](field)
