"""What records have in common: one tree that fits each of them, made from samples.

A tree says which members an object has, in which order, which of them may lack, of which types each value is, and
what the elements of an array are. Records that differ in that, or in how long their arrays are, have a tree in common.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from chalicelib.inspection import json_grammar as grammar
from chalicelib.inspection.patterns import compiled

_DEEPEST = 32
_find_tokens = compiled(
    rb"([ \t\n\r]*+)(" + grammar.STRING + rb"|" + grammar.NUMBER + rb"|" + grammar.WORD + rb"|[\[\]{},:])"
).finditer


class ConflictError(Exception):
    """No tree fits both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member of an object: its name as it is spelled with its quotes, what it is, and if every object has it."""

    spelled: bytes
    value: Node
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Array:
    """What the elements are; None if none was seen."""

    element: Node | None
    may_be_empty: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Object:
    """The members by their names, in their order. One of them is required, but in an empty object."""

    members: Mapping[str, Member]
    may_be_empty: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """What a value may be."""

    scalars: frozenset[str] = frozenset()
    object: Object | None = None
    array: Array | None = None

    @property
    def types(self) -> frozenset[str]:
        """The types that the value may have."""
        return self.scalars | {name for name in ("object", "array") if getattr(self, name)}

    @property
    def weight(self) -> int:
        """How many nodes a pattern of it has: an array's element is in it twice, alone and behind a comma."""
        members = self.object.members.values() if self.object else ()
        element = self.array.element if self.array else None
        return 1 + sum(member.value.weight for member in members) + (2 * element.weight if element else 0)

    def inner(self) -> Iterator[Node]:
        """The node and all below it."""
        yield self
        for member in self.object.members.values() if self.object else ():
            yield from member.value.inner()
        if self.array and self.array.element:
            yield from self.array.element.inner()


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """What stands between the tokens of records."""

    colons: frozenset[bytes] = frozenset()
    commas: frozenset[bytes] = frozenset()
    pads: frozenset[bytes] = frozenset()
    """Behind what opens an array or an object, and before what closes it."""
    tails: frozenset[bytes] = frozenset()
    """Between a record and the next."""

    def with_all(self, other: Style) -> Style:
        """With what stands between the tokens of others."""
        return Style(
            colons=self.colons | other.colons,
            commas=self.commas | other.commas,
            pads=self.pads | other.pads,
            tails=self.tails | other.tails,
        )


class Sample:
    """The tree of one valid record with no name twice; raises ConflictError if it is too deep to be worth one."""

    def __init__(self, record: bytes) -> None:
        self._colons: set[bytes] = set()
        self._commas: set[bytes] = set()
        self._pads: set[bytes] = set()
        self._tokens = [(match[1], match[2]) for match in _find_tokens(record)]
        self._next = 0
        self.tree = self._value(0)
        size = sum(len(space) + len(token) for space, token in self._tokens[: self._next])
        self.style = Style(
            colons=frozenset(self._colons),
            commas=frozenset(self._commas),
            pads=frozenset(self._pads),
            tails=frozenset({record[size:]}),
        )

    def _take(self) -> tuple[bytes, bytes]:
        self._next += 1
        return self._tokens[self._next - 1]

    def _value(self, depth: int) -> Node:
        if depth > _DEEPEST:
            raise ConflictError
        token = self._take()[1]
        if token == b"{":
            return Node(object=self._object(depth))
        if token == b"[":
            return Node(array=self._array(depth))
        return Node(scalars=frozenset({grammar.value_type(token)}))

    def _object(self, depth: int) -> Object:
        members: dict[str, Member] = {}
        while self._more(b"}", first=not members):
            spelled = self._take()[1]
            before = self._take()[0]
            self._colons.add(before + b":" + self._tokens[self._next][0])
            members[json.loads(spelled)] = Member(spelled=spelled, value=self._value(depth + 1))
        return Object(members=members, may_be_empty=not members)

    def _array(self, depth: int) -> Array:
        element: Node | None = None
        while self._more(b"]", first=element is None):
            value = self._value(depth + 1)
            element = value if element is None or element == value else merged(element, value)
        return Array(element=element, may_be_empty=element is None)

    def _more(self, closer: bytes, *, first: bool) -> bool:
        """Whether there is another element or member; what stands before it is taken."""
        space, token = self._tokens[self._next]
        if token == closer:
            self._pads.add(space)
            self._next += 1
            return False
        if first:
            self._pads.add(space)
        else:
            self._next += 1
            self._commas.add(space + b"," + self._tokens[self._next][0])
        return True


def merged(one: Node, other: Node) -> Node:
    """The tree that fits what either fits; raises ConflictError."""
    return Node(
        scalars=one.scalars | other.scalars,
        object=_merged_objects(one.object, other.object) if one.object and other.object else one.object or other.object,
        array=_merged_arrays(one.array, other.array) if one.array and other.array else one.array or other.array,
    )


def _merged_arrays(one: Array, other: Array) -> Array:
    elements = [element for element in (one.element, other.element) if element]
    return Array(
        element=merged(*elements) if len(elements) > 1 else next(iter(elements), None),
        may_be_empty=one.may_be_empty or other.may_be_empty,
    )


def _merged_objects(one: Object, other: Object) -> Object:
    if not (one.members and other.members):
        return Object(members=one.members or other.members, may_be_empty=True)
    members = {
        name: _merged_members(one.members.get(name), other.members.get(name))
        for name in _in_order(list(one.members), other.members)
    }
    if not any(member.required for member in members.values()):
        raise ConflictError
    return Object(members=members, may_be_empty=one.may_be_empty or other.may_be_empty)


def _merged_members(one: Member | None, other: Member | None) -> Member:
    if not (one and other):
        (there,) = filter(None, (one, other))
        return replace(there, required=False)
    if one.spelled != other.spelled:
        raise ConflictError
    return Member(spelled=one.spelled, value=merged(one.value, other.value), required=one.required and other.required)


def _in_order(names: list[str], others: Mapping[str, Member]) -> Sequence[str]:
    """All names, in an order in which both have theirs."""
    at = 0
    for name in others:
        if name not in names:
            names.insert(at, name)
        elif names.index(name) < at:
            raise ConflictError
        at = names.index(name) + 1
    return names
