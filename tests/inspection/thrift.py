"""Writes Parquet footers by hand, field by field, so that they can be wrong in every way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

I32, I64, BINARY, LIST, STRUCT = 5, 6, 8, 9, 12

Value = tuple[int, Any]
"""A type and its value."""


def varint(number: int) -> bytes:
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*written, number))


def zigzag(number: int) -> bytes:
    return varint((number << 1) ^ (number >> 63))


def i32(number: int) -> Value:
    return I32, number


def i64(number: int) -> Value:
    return I64, number


def text(said: str) -> Value:
    return BINARY, said.encode()


def listed(kind: int, items: Sequence[Any]) -> Value:
    return LIST, (kind, items)


def struct(fields: Mapping[int, Value]) -> bytes:
    written, last = bytearray(), 0
    for number, (kind, value) in fields.items():
        written.append((number - last) << 4 | kind)
        written += encoded(kind, value)
        last = number
    return bytes((*written, 0))


def encoded(kind: int, value: Any) -> bytes:
    if kind in (I32, I64):
        return zigzag(value)
    if kind == BINARY:
        return varint(len(value)) + bytes(value)
    if kind == STRUCT:
        return struct(value)
    item, items = value
    head = bytes([len(items) << 4 | item]) if len(items) < 15 else bytes([0xF0 | item]) + varint(len(items))
    return head + b"".join(encoded(item, each) for each in items)


def element(name: str, **said: int) -> dict[int, Value]:
    """A node of the schema."""
    numbers = {"physical": 1, "length": 2, "repetition": 3, "children": 5, "converted": 6}
    fields = {numbers[word]: i32(value) for word, value in said.items()} | {4: text(name)}
    return dict(sorted(fields.items()))


PAGE_HEADER = {1: i32(0), 2: i32(8), 3: i32(8), 5: (STRUCT, {1: i32(2), 2: i32(0), 3: i32(3), 4: i32(3)})}
PAGE = struct(PAGE_HEADER) + bytes(8)
"""Two whole numbers."""
SIZE = len(PAGE)


def chunk(*path: str, physical: int = 1, codec: int = 0, values: int = 2, size: int = SIZE, start: int = 4) -> Any:
    """A column chunk."""
    data = {
        1: i32(physical),
        2: listed(I32, [0]),
        3: listed(BINARY, [name.encode() for name in path]),
        4: i32(codec),
        5: i64(values),
        6: i64(size),
        7: i64(size),
        9: i64(start),
    }
    return {2: i64(start), 3: (STRUCT, data)}


def group(*chunks: Any, rows: int = 2) -> Any:
    """A row group."""
    return {1: listed(STRUCT, chunks), 2: i64(20), 3: i64(rows)}


SCHEMA = (element("schema", children=1), element("id", physical=1, repetition=0))


def footer(
    *groups: Any, schema: Sequence[Any] = SCHEMA, rows: int | None = None, **more: Mapping[int, Value]
) -> dict[int, Value]:
    """A footer of these row groups."""
    total = sum(each[3][1] for each in groups) if rows is None else rows
    return {
        1: i32(2),
        2: listed(STRUCT, schema),
        3: i64(total),
        4: listed(STRUCT, groups),
        6: text("hand"),
        **more.get("fields", {}),
    }


def parquet(written: Mapping[int, Value] | bytes, *, data: bytes = PAGE, magic: bytes = b"PAR1") -> bytes:
    """A file with this footer."""
    end = written if isinstance(written, bytes) else struct(written)
    return magic + data + end + len(end).to_bytes(4, "little") + magic
