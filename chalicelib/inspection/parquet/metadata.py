"""What a Parquet footer says (parquet.thrift of format 2.12), as far as it is judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.inspection.parquet.compact import (
    Compact,
    CompactError,
    Read,
    flag,
    integer,
    list_of,
    present,
    struct_of,
    text,
)
from chalicelib.inspection.parquet.schema import Element

_UNIT = {1: present, 2: present, 3: present}
_INSTANT = struct_of({1: flag, 2: struct_of(_UNIT)})
_LOGICAL: Mapping[int, Read] = {
    **dict.fromkeys((1, 2, 3, 4, 6, 11, 12, 13, 14, 15, 16, 17, 18), present),
    5: struct_of({1: integer, 2: integer}),
    7: _INSTANT,
    8: _INSTANT,
    10: struct_of({1: integer, 2: flag}),
}
_ELEMENT = struct_of(
    {
        **dict.fromkeys((1, 2, 3, 5, 6, 7, 8), integer),
        4: text,
        10: struct_of(_LOGICAL),
    }
)
_CHUNK_DATA = struct_of({1: integer, 3: list_of(text), **dict.fromkeys((4, 5, 6, 7, 9, 11), integer)})
_CHUNK = struct_of({1: text, 3: _CHUNK_DATA, 8: present, 9: present})
_MORE_ELEMENTS = 4
"""How many elements of the schema there may be for each column that there may be: groups around it."""


class TooManyColumnsError(Exception):
    """The schema is longer than the limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """The values of one column in one row group; without `codec` they are encrypted, and where they are is hidden."""

    file: str | None
    is_encrypted: bool
    physical: int | None = None
    path: Sequence[str] = ()
    codec: int | None = None
    values: int = 0
    size: int = 0
    start: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RowGroup:
    """Some rows: a chunk for each column."""

    rows: int
    chunks: Sequence[Chunk]


Groups = Callable[[Sequence[Element], Iterator[RowGroup]], None]
"""What takes the schema and the row groups, of which there may be very many, one at a time."""


class Footer:
    """Reads a footer once, from first to last."""

    def __init__(self, data: bytes, *, columns: int, take_groups: Groups) -> None:
        self._most = columns * _MORE_ELEMENTS + 1
        self._take_groups = take_groups
        self.elements: Sequence[Element] = ()
        readers: Mapping[int, Read] = {
            **dict.fromkeys((1, 3), integer),
            2: self._read_elements,
            4: self._read_groups,
            6: text,
            8: present,
        }
        found = Compact(data).struct(readers)
        for number, name in {1: "version", 2: "schema", 3: "number of rows", 4: "list of row groups"}.items():
            if number not in found:
                raise CompactError(f"has no {name}")
        self.rows: int = found[3]
        self.created_by: str | None = found.get(6)
        self.is_encrypted = 8 in found

    def _read_elements(self, source: Compact, kind: int) -> bool:
        if source.count(kind) > self._most:
            raise TooManyColumnsError
        self.elements = [_element(_ELEMENT(source, item)) for item in source.items(kind)]
        return True

    def _read_groups(self, source: Compact, kind: int) -> bool:
        if not self.elements:
            raise CompactError("has row groups before its schema")
        self._take_groups(self.elements, (_row_group(source, item) for item in source.items(kind)))
        return True


_GROUP = struct_of({1: list_of(_CHUNK), 3: integer})


def _row_group(source: Compact, kind: int) -> RowGroup:
    found = _GROUP(source, kind)
    if 1 not in found or 3 not in found:
        raise CompactError("has a row group without columns or rows")
    return RowGroup(rows=found[3], chunks=[_chunk(chunk) for chunk in found[1]])


def _element(found: Mapping[int, Any]) -> Element:
    if 4 not in found:
        raise CompactError("has a column without a name")
    return Element(
        physical=found.get(1),
        length=found.get(2),
        repetition=found.get(3),
        name=found[4],
        children=found.get(5),
        converted=found.get(6),
        scale=found.get(7, 0),
        precision=found.get(8, 0),
        logical=found.get(10, {}),
    )


def _chunk(found: Mapping[int, Any]) -> Chunk:
    data, is_encrypted = found.get(3), 8 in found or 9 in found
    if data is None:
        if not is_encrypted:
            raise CompactError("has a column chunk without its description")
        return Chunk(file=found.get(1), is_encrypted=True)
    if not {1, 3, 4, 5, 7, 9} <= data.keys():
        raise CompactError("has a column chunk with only a part of its description")
    # Old writers say 0 where there is no dictionary.
    dictionary = data.get(11) or 0
    return Chunk(
        file=found.get(1),
        is_encrypted=is_encrypted,
        physical=data[1],
        path=data[3],
        codec=data[4],
        values=data[5],
        size=data[7],
        start=min(dictionary, data[9]) if dictionary > 0 else data[9],
    )
