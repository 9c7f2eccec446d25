"""Records of JSON: which member is of which field, and what is wrong with a record."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import NamedTuple

from chalicelib.tableschema.field import REQUIRED, Field, Problems
from chalicelib.tableschema.kind import Problem
from chalicelib.tableschema.rows import key_of_members, keyed
from chalicelib.tableschema.schema import Schema

_LACKS = Problem("missing", "has no such member")
_NONE_THERE = Problem("missing", "has no member that is a field")
_EXTRA = Problem("extra", "has a member that is no field")

_REMEMBERED = 2_000
_REMEMBERED_CHARACTERS = 64
"""How many texts of a field are remembered with what is wrong with them, and how long they may be."""


class RecordProblem(NamedTuple):
    """What is wrong with a record: its `missing` or `extra` member, or a rule that a field's value breaks.

    `name` is that of the field, of the member if it is extra, None if no field is there.
    """

    name: str | None
    problem: Problem


class _Judged(NamedTuple):
    """A field, whether any text is right for it, and what is known of its texts."""

    field: Field
    is_free: bool
    known: dict[str, Problems]


class Records:
    """Judges records by their members; their order means nothing in JSON, so `exact` is the same as `equal`."""

    def __init__(self, schema: Schema) -> None:
        self._judged = tuple(_Judged(field, field.is_free and not field.required, {}) for field in schema.fields)
        self._names = frozenset(field.name for field in schema.fields)
        self._all_needed = schema.fields_match not in ("superset", "partial")
        self._one_needed = schema.fields_match == "partial"
        self._none_extra = schema.fields_match not in ("subset", "partial")
        self._keyed = tuple(keyed(schema))

    def judge(self, record: Mapping[str, object]) -> Sequence[RecordProblem]:
        """Every rule that the record breaks; a required member that lacks breaks `required`, and no other rule."""
        found: list[RecordProblem] = []
        for field, is_free, known in self._judged:
            name = field.name
            value = record.get(name)
            if type(value) is str:
                if is_free:
                    continue
                problems = known.get(value)
                if problems is None:
                    problems = _problems_of_text(field, known, value)
            elif value is not None:
                problems = field.problems_native(value)
            elif field.required:
                problems = REQUIRED
            else:
                problems = (_LACKS,) if self._all_needed and name not in record else ()
            if problems:
                found += [RecordProblem(name, problem) for problem in problems]
        if not self._names.issuperset(record) or self._one_needed:
            found += self._mismatches(record, found)
        return found

    def _mismatches(self, record: Mapping[str, object], found: Sequence[RecordProblem]) -> Iterator[RecordProblem]:
        if self._none_extra:
            for name in record:
                if name not in self._names:
                    yield RecordProblem(name, _EXTRA)
        if self._one_needed and not found and self._names.isdisjoint(record):
            yield RecordProblem(None, _NONE_THERE)

    def keys(self, record: Mapping[str, object]) -> Sequence[Hashable | None]:
        """What no other record may have, as `Rows.keys` has it."""
        return [key_of_members(fields, record) for fields in self._keyed]


def _problems_of_text(field: Field, known: dict[str, Problems], text: str) -> Problems:
    if text in field.missing_values:
        problems: Problems = REQUIRED if field.required else ()
    else:
        problems = field.problems_native(text)
    if len(known) < _REMEMBERED and len(text) <= _REMEMBERED_CHARACTERS:
        known[text] = problems
    return problems
