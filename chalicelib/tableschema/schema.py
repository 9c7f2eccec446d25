"""A schema: its fields, and what holds of them together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.tableschema.descriptor import Properties, is_unique, unknown
from chalicelib.tableschema.field import Field, field_of, missing_values_of

FIELDS_MATCH = ("exact", "equal", "subset", "superset", "partial")


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """A schema that was checked as a whole."""

    fields: tuple[Field, ...]
    missing_values: tuple[str, ...] = ("",)
    primary_key: tuple[str, ...] = ()
    unique_keys: tuple[tuple[str, ...], ...] = ()
    fields_match: str = "exact"

    @classmethod
    def of(cls, descriptor: Mapping[str, Any]) -> Schema:
        """The schema of a descriptor; raises DescriptorError."""
        said = Properties(descriptor)
        if said.given("foreignKeys"):
            raise said.refused("foreignKeys", "are not supported: one file is seen, and no other")
        missing_values = missing_values_of(said, ("",))
        fields = _fields(said, missing_values)
        names = [field.name for field in fields]
        primary_key = _key(said, "primaryKey", said.given("primaryKey"), names) if "primaryKey" in said else ()
        return cls(
            fields=tuple(field.needed() if field.name in primary_key else field for field in fields),
            missing_values=tuple(missing_values),
            primary_key=primary_key,
            unique_keys=tuple(_unique_keys(said, names)),
            fields_match=_fields_match(said),
        )


def _fields(said: Properties, missing_values: Sequence[str]) -> list[Field]:
    if "fields" not in said:
        raise said.refused("fields", "is missing")
    descriptors = said.array("fields")
    if not descriptors:
        raise said.refused("fields", "must not be empty")
    return [field_of(each, said.place(f"fields[{index}]"), missing_values) for index, each in enumerate(descriptors)]


def _fields_match(said: Properties) -> str:
    """How fields and columns are matched; the standard's own profile writes it as an array."""
    given = said.given("fieldsMatch")
    if isinstance(given, list) and len(given) == 1 and isinstance(given[0], str):
        found = given[0]
    else:
        found = said.text("fieldsMatch", "exact")
    if found not in FIELDS_MATCH:
        raise said.refused("fieldsMatch", unknown(found, FIELDS_MATCH, kind="way to match fields"))
    return found


def _unique_keys(said: Properties, names: Sequence[str]) -> Iterable[tuple[str, ...]]:
    """The unique keys; a name stands for a key of one field."""
    if "uniqueKeys" not in said:
        return []
    given = said.given("uniqueKeys")
    keys = [given] if isinstance(given, str) else said.array("uniqueKeys")
    if not keys:
        raise said.refused("uniqueKeys", "must not be empty")
    if not is_unique(keys):
        raise said.refused("uniqueKeys", "has a key twice")
    return [_key(said, f"uniqueKeys[{index}]", key, names) for index, key in enumerate(keys)]


def _key(said: Properties, place: str, given: object, names: Sequence[str]) -> tuple[str, ...]:
    """The names of the fields of a key, of which a single one may stand alone."""
    key = [given] if isinstance(given, str) else given
    if not isinstance(key, list) or not key or not all(isinstance(name, str) for name in key):
        raise said.refused(place, "must be the name of a field, or an array of them that is not empty")
    for name in key:
        if name not in names:
            raise said.refused(place, unknown(name, names, kind="field"))
    if len(set(key)) < len(key):
        raise said.refused(place, "has a field twice")
    return tuple(key)
