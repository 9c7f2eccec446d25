"""Counts the records that have the shape of earlier ones, without taking them apart.

A shape is a pattern made of a tree that the exact rules have accepted samples of: names and structure stand as in
the tree, and each value may be any of the tree's types. So whatever it matches is valid too, is nested no deeper, has
no name twice and no new one: it only has to be counted. A value directly in a record has one type; where it may have
several, or lack, occurrences of its name are counted, which stands at one place only. Patterns run at several
times the speed of reading member by member.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from chalicelib.inspection import json_grammar as grammar
from chalicelib.inspection.json_columns import Columns
from chalicelib.inspection.json_trees import Array, ConflictError, Member, Node, Object, Sample, Style, merged
from chalicelib.inspection.limits import KIB
from chalicelib.inspection.patterns import compiled

LEARN_AFTER = 128 * KIB
"""How many bytes no shape has matched before the first is made, and again per shape: making one takes some ms."""
LEARN_RATIO = 64
"""And how many times the sample's size: a longer pattern takes longer to make."""
_MOST = 8
_MOST_NODES = 400
_MOST_VARYING = 8
"""How many members of a record may be of several types or lack: each is searched for once or more."""

_SCALARS = {
    "string": grammar.STRING,
    "integer": grammar.INTEGER,
    "number": grammar.FRACTIONAL,
    "boolean": rb"true|false",
    "null": rb"null",
}
_FIRST_BYTES: Mapping[str, Sequence[bytes]] = {
    "null": (b"n",),
    "string": (b'"',),
    "object": (b"{",),
    "array": (b"[",),
    "boolean": (b"t", b"f"),
}
_can_be_searched = compiled(rb'"[0-9A-Za-z_][^"\\]*"').fullmatch


@dataclass(frozen=True, slots=True, kw_only=True)
class _Count:
    """How to count the values of one type of a member: by what begins them, or as what is left of all its values.

    All its values are counted by what begins them, and without that there is one in each record.
    """

    name: str
    type: str
    needles: Sequence[bytes]
    is_rest: bool = False


class Writer:
    """Writes the pattern of a tree in the style of its samples; raises ConflictError if there is none."""

    def __init__(self, style: Style, *, one_line: bool) -> None:
        # A line feed outside strings ends a line.
        space = rb"[ \t\r]*+" if one_line else grammar.SPACE
        loose = len(style.commas) > 1 or not style.pads <= {b""}
        self.pad = space if loose else b""
        self.comma = space + b"," + space if loose else re.escape(next(iter(style.commas), b","))
        self.said_colon = next(iter(style.colons), b":") if len(style.colons) < 2 else None
        self.colon = space + b":" + space if self.said_colon is None else re.escape(self.said_colon)
        loose_tail = rb"[ \t\r]*+\n" if one_line else space + b"," + space
        self.tail = re.escape(next(iter(style.tails))) if len(style.tails) == 1 else loose_tail

    def record(self, tree: Node) -> bytes:
        """The pattern of a record and what separates it from the next."""
        return self._value(tree, exact=True, depth=0) + self.tail

    def _value(self, node: Node, *, exact: bool, depth: int) -> bytes:
        choices = [_SCALARS[name] for name in _SCALARS if name in node.scalars]
        if not exact and node.scalars & {"integer", "number"}:
            choices = [grammar.NUMBER, *(_SCALARS[name] for name in sorted(node.scalars - {"integer", "number"}))]
        if node.object:
            choices.append(self._object(node.object, depth))
        if node.array:
            choices.append(self._array(node.array, depth))
        return choices[0] if len(choices) == 1 and b"|" not in choices[0] else b"(?:" + b"|".join(choices) + b")"

    def _object(self, found: Object, depth: int) -> bytes:
        members = list(found.members.values())
        first = next((index for index, member in enumerate(members) if member.required), 0)
        parts = [self._member(member, depth) for member in members]
        before = b"".join(b"(?:" + part + self.comma + b")?+" for part in parts[:first])
        after = b"".join(
            self.comma + part if member.required else b"(?:" + self.comma + part + b")?+"
            for member, part in zip(members[first + 1 :], parts[first + 1 :], strict=True)
        )
        content = before + b"".join(parts[first : first + 1]) + after
        return rb"\{" + self._padded(content, optional=found.may_be_empty) + rb"\}"

    def _member(self, member: Member, depth: int) -> bytes:
        return re.escape(member.spelled) + self.colon + self._value(member.value, exact=not depth, depth=depth + 1)

    def _array(self, found: Array, depth: int) -> bytes:
        content = b""
        if found.element:
            element = self._value(found.element, exact=False, depth=depth + 1)
            content = element + b"(?:" + self.comma + element + b")*+"
        return rb"\[" + self._padded(content, optional=found.may_be_empty) + rb"\]"

    def _padded(self, content: bytes, *, optional: bool) -> bytes:
        if not content:
            return self.pad
        return self.pad + (b"(?:" + content + self.pad + b")?+" if optional else content + self.pad)


class _Shape:
    """One tree, its pattern, and what was counted by it."""

    def __init__(self, tree: Node, style: Style, *, one_line: bool) -> None:
        if tree.weight > _MOST_NODES or len(tree.types) > 1:
            raise ConflictError
        self.tree = tree
        self.style = style
        self._writer = Writer(style, one_line=one_line)
        self._members = tree.object.members if tree.object else {}
        nodes = (node.object for node in tree.inner() if node.object)
        self._spelled = [member.spelled for each in nodes for member in each.members.values()]
        self._counted = dict.fromkeys(self._counts(), 0)
        self._mark = b"\n" if one_line else self._name_in_each()
        """What a run of records has once for each; without it records are matched one by one."""
        self._records = 0
        self._pattern: re.Pattern[bytes] | None = None

    def _name_in_each(self) -> bytes:
        colon = self._writer.said_colon
        names = [member.spelled for member in self._members.values() if member.required] if colon else []
        return max((name + (colon or b"") for name in names if self._is_at_one_place(name)), key=len, default=b"")

    def _counts(self) -> Iterator[_Count]:
        varying = {name: member for name, member in self._members.items() if _varies(member)}
        if len(varying) > _MOST_VARYING or (self._members and self.tree.object and self.tree.object.may_be_empty):
            raise ConflictError
        for name, member in varying.items():
            if self._writer.said_colon is None or not self._is_at_one_place(member.spelled):
                raise ConflictError
            begin = member.spelled + self._writer.said_colon
            *others, last = _by_first_byte(member.value)
            for kind in others:
                yield _Count(name=name, type=kind, needles=tuple(begin + byte for byte in _FIRST_BYTES[kind]))
            yield _Count(name=name, type=last, needles=() if member.required else (begin,), is_rest=True)

    def _is_at_one_place(self, name: bytes) -> bool:
        """Whether no other name ends like it: then it stands, before a colon, nowhere else in a record either.

        Its first character cannot follow the quote that ends a string, so that no quote before it is one.
        """
        return bool(_can_be_searched(name)) and sum(other.endswith(name) for other in self._spelled) == 1

    def take(self, block: bytes, begin: int) -> tuple[int, int]:
        """Read the records that begin here: how many, and where they end."""
        if self._pattern is None:
            pattern = self._writer.record(self.tree)
            self._pattern = compiled(b"(?:" + pattern + b")++" if self._mark else pattern)
        count, end = self._matched(self._pattern, block, begin)
        if count:
            self._records += count
            for what in self._counted:
                self._counted[what] += sum(block.count(needle, begin, end) for needle in what.needles)
        return count, end

    def _matched(self, pattern: re.Pattern[bytes], block: bytes, position: int) -> tuple[int, int]:
        if self._mark:
            run = pattern.match(block, position)
            return (block.count(self._mark, position, run.end()), run.end()) if run else (0, position)
        count = 0
        while one := pattern.match(block, position):
            position = one.end()
            count += 1
        return count, position

    def tell(self, columns: Columns) -> None:
        """Tell how many records there were since it was last asked, and of which types their members."""
        if not self._records:
            return
        (kind,) = self.tree.types
        columns.count_records(kind, self._records)
        for name, member in self._members.items():
            if not _varies(member):
                (kind,) = member.value.types
                columns.count(name, kind, self._records)
        told: dict[str, int] = {}
        for what, found in self._counted.items():
            count = found if what.needles else self._records
            columns.count(what.name, what.type, count - told.get(what.name, 0) if what.is_rest else count)
            told[what.name] = told.get(what.name, 0) + count
        self._records = 0
        self._counted = dict.fromkeys(self._counted, 0)


def _varies(member: Member) -> bool:
    return not member.required or len(member.value.types) > 1


def _by_first_byte(value: Node) -> Sequence[str]:
    """The types, the last of which need not be told by its first byte: numbers cannot be."""
    numbers = value.types & {"integer", "number"}
    if len(numbers) > 1:
        raise ConflictError
    return [*(name for name in _FIRST_BYTES if name in value.types), *numbers]


class Shapes:
    """The shapes of one file's records, learnt from those that none of them matches yet."""

    def __init__(self, *, one_line: bool) -> None:
        self._one_line = one_line
        self._shapes: list[_Shape] = []
        self._learnt = self._unmatched = 0

    def take(self, block: bytes, position: int) -> tuple[int, int]:
        """Read the records that begin here and have a known shape: how many, and where they end."""
        total = tried = 0
        while tried < len(self._shapes):
            count, position = self._shapes[tried].take(block, position)
            total += count
            if count and tried:
                # What matched last is kept first, as neighbours are often alike; it cannot match again here.
                self._shapes.insert(0, self._shapes.pop(tried))
            tried = 1 if count else tried + 1
        return total, position

    def learn(self, samples: Sequence[bytes], columns: Columns) -> None:
        """Take note of records that no shape matched, each with all that separates it from the next.

        They must be valid and have no duplicate name, and their names be among the columns.
        """
        self._unmatched += sum(map(len, samples))
        enough = max(LEARN_AFTER * (self._learnt + 1), LEARN_RATIO * len(samples[0]))
        if self._unmatched >= enough:
            self._unmatched = 0
            self._learnt += 1
            self.tell(columns)
            for sample in dict.fromkeys(samples):
                self._add(sample)
            del self._shapes[_MOST:]

    def tell(self, columns: Columns) -> None:
        """Tell what was counted since the last time."""
        for shape in self._shapes:
            shape.tell(columns)

    def _add(self, record: bytes) -> None:
        """Widen the first shape that can be to take the record too, or make another."""
        try:
            sample = Sample(record)
        except ConflictError:
            return
        for index, shape in enumerate(self._shapes):
            try:
                self._shapes[index] = self._widened(shape, sample)
            except ConflictError:
                continue
            return
        with suppress(ConflictError):
            self._shapes.insert(0, _Shape(sample.tree, sample.style, one_line=self._one_line))

    def _widened(self, shape: _Shape, sample: Sample) -> _Shape:
        style = shape.style.with_all(sample.style)
        tree = merged(shape.tree, sample.tree)
        return shape if (tree, style) == (shape.tree, shape.style) else _Shape(tree, style, one_line=self._one_line)
