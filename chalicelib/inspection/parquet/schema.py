"""The schema of a Parquet file: a tree of columns, written as a list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.inspection.parquet.compact import CompactError

PHYSICAL = ("BOOLEAN", "INT32", "INT64", "INT96", "FLOAT", "DOUBLE", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY")
REPEATED = 2
_REPETITIONS = (0, 1, REPEATED)
_UNITS: Mapping[int, str] = {1: "MILLIS", 2: "MICROS", 3: "NANOS"}
_DECIMAL, _TIME, _TIMESTAMP, _INTEGER = 5, 7, 8, 10
_LOGICAL: Mapping[int, str] = {
    1: "STRING",
    2: "MAP",
    3: "LIST",
    4: "ENUM",
    6: "DATE",
    11: "NULL",
    12: "JSON",
    13: "BSON",
    14: "UUID",
    15: "FLOAT16",
    16: "VARIANT",
    17: "GEOMETRY",
    18: "GEOGRAPHY",
}
_CONVERTED = (
    *("STRING", "MAP", "MAP", "LIST", "ENUM", "DECIMAL", "DATE", "TIME(MILLIS,UTC)", "TIME(MICROS,UTC)"),
    *("TIMESTAMP(MILLIS,UTC)", "TIMESTAMP(MICROS,UTC)", "INT(8,unsigned)", "INT(16,unsigned)", "INT(32,unsigned)"),
    *("INT(64,unsigned)", "INT(8)", "INT(16)", "INT(32)", "INT(64)", "JSON", "BSON", "INTERVAL"),
)
"""The older way to say it, by number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """A node of the tree: a column, or a group of as many `children`; None is what it does not say."""

    name: str
    physical: int | None
    length: int | None
    repetition: int | None
    children: int | None
    converted: int | None
    scale: int
    precision: int
    logical: Mapping[int, Any]

    @property
    def physical_name(self) -> str | None:
        """How its values are stored; a group stores none."""
        if self.physical is None:
            return None
        name = PHYSICAL[self.physical]
        return f"{name}({self.length})" if name == PHYSICAL[-1] else name

    @property
    def logical_name(self) -> str | None:
        """What its values mean, where that is more than how they are stored."""
        for number, said in self.logical.items():
            return _logical_name(number, said)
        if self.converted is not None and 0 <= self.converted < len(_CONVERTED):
            name = _CONVERTED[self.converted]
            return f"DECIMAL({self.precision},{self.scale})" if name == "DECIMAL" else name
        return None if self.physical is not None else "STRUCT"


def _logical_name(number: int, said: Any) -> str | None:
    if number == _DECIMAL:
        return f"DECIMAL({said.get(2, 0)},{said.get(1, 0)})"
    if number == _INTEGER:
        return f"INT({said.get(1, 0)}{'' if said.get(2, True) else ',unsigned'})"
    if number in (_TIME, _TIMESTAMP):
        unit = next((_UNITS[unit] for unit in said.get(2, {})), "UNKNOWN")
        name = "TIME" if number == _TIME else "TIMESTAMP"
        return f"{name}({unit}{',UTC' if said.get(1) else ''})"
    return _LOGICAL.get(number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A column of values: its path in the tree, how it is stored, and whether a row may have several of it."""

    path: tuple[str, ...]
    physical: int
    is_repeated: bool


class Tree:
    """The columns, each a branch of the root, and the leaves; raises CompactError if they make no tree."""

    def __init__(self, elements: Sequence[Element]) -> None:
        if not elements:
            raise CompactError("has an empty schema")
        self.columns: list[Element] = []
        self.leaves: list[Leaf] = list(self._grow(elements))

    def _grow(self, elements: Sequence[Element]) -> Iterator[Leaf]:
        """Walk the list; `open_groups` are those around, with how many children each still wants."""
        open_groups: list[tuple[str, bool, list[int]]] = [("", False, [_children(elements[0])])]
        for element in elements[1:]:
            while open_groups and not open_groups[-1][2][0]:
                open_groups.pop()
            if not open_groups:
                raise CompactError("has columns that belong nowhere")
            open_groups[-1][2][0] -= 1
            if len(open_groups) == 1:
                self.columns.append(element)
            is_repeated = open_groups[-1][1] or element.repetition == REPEATED
            if element.repetition not in _REPETITIONS:
                raise CompactError("does not say how often a column is there")
            if element.physical is None:
                if len(open_groups) > _DEEPEST:
                    raise CompactError("has a schema nested too deep")
                open_groups.append((element.name, is_repeated, [_children(element)]))
            else:
                path = (*(name for name, _, _ in open_groups[1:]), element.name)
                yield _leaf(element, path, is_repeated=is_repeated)
        if any(wanted[0] for _, _, wanted in open_groups):
            raise CompactError("has a schema with fewer columns than it says")


_DEEPEST = 200


def _leaf(element: Element, path: tuple[str, ...], *, is_repeated: bool) -> Leaf:
    if element.children or element.physical is None or not 0 <= element.physical < len(PHYSICAL):
        raise CompactError("has a column of no known type")
    return Leaf(path=path, physical=element.physical, is_repeated=is_repeated)


def _children(element: Element) -> int:
    count = element.children or 0
    if count < 0:
        raise CompactError("has a group of fewer than no columns")
    return count
