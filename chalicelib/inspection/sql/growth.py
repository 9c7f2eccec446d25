"""What an expression makes of nothing but a number, which the engine does not count against its limit of memory."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

MOST = 1_000
"""How many times as much as there is an expression may make of a row: of a vector of 2,048 rows, some 60 MB."""
_SIZES: Mapping[str, slice] = {
    "range": slice(0, None),
    "generate_series": slice(0, None),
    "repeat": slice(1, 2),
    "list_resize": slice(1, 2),
    "array_resize": slice(1, 2),
    "lpad": slice(1, 2),
    "rpad": slice(1, 2),
    "bitstring": slice(1, 2),
    "bar": slice(3, 4),
    "equi_width_bins": slice(2, 3),
}
"""Which arguments of a function say how long what it makes is."""
_WRITING = ("format", "printf")
_is_plain = re.compile(r"(?!.*\{[^}]*\{)(?:[^*0-9]|[0-9]{1,2}(?![0-9]))*", re.DOTALL).fullmatch
"""A format of which no width has more than two digits, or is said elsewhere."""
_REPEATED = ("list_reduce", "array_reduce", "reduce")


def within(node: Any) -> Iterator[dict[str, Any]]:
    """The nodes of an expression as the engine's parser has it, the outer ones first."""
    if isinstance(node, list):
        for item in node:
            yield from within(item)
    elif isinstance(node, dict):
        if "class" in node:
            yield node
        for item in node.values():
            yield from within(item)


def refused_growth(nodes: Sequence[Mapping[str, Any]]) -> str | None:
    """What is wrong with an expression that could make more of a row than there is memory for."""
    whole = 1
    for node in nodes:
        if node["class"] == "LAMBDA" and any(inner["class"] == "LAMBDA" for inner in within(node["expr"])):
            return "has a lambda in a lambda: what it makes may be too large for the memory"
        name, factor = _factor(node)
        if factor is None:
            return f'calls "{name}": what it makes may be too large for the memory, unless its length is a number'
        whole *= max(factor, 1)
        if whole > MOST:
            return f'has "{name}" make too much of a row: all lengths together must be at most {MOST:,}'
    return None


def _factor(node: Mapping[str, Any]) -> tuple[str, int | None]:
    """How many times as much a node makes, None if that is not to be seen; and what it is called."""
    if node["class"] == "CAST":
        return "an array", _largest_array(node["cast_type"])
    if node["class"] != "FUNCTION":
        return "", 1
    name = str(node["function_name"]).lower()
    # Behind a point the first argument is called a schema.
    is_method = node.get("schema") not in ("", "main")
    arguments = [*([{"class": "COLUMN_REF"}] if is_method else []), *node["children"]]
    if name in _REPEATED:
        return name, None
    if name in _WRITING:
        said = _constant(arguments[0]) if arguments else None
        return name, 1 if isinstance(said, str) and _is_plain(said) else None
    sizes = [_constant(argument) for argument in arguments[_SIZES[name]]] if name in _SIZES else []
    if not all(isinstance(size, int) for size in sizes):
        return name, None
    return name, max((abs(size) for size in sizes if isinstance(size, int)), default=1)


def _constant(node: Mapping[str, Any]) -> object:
    return node["value"].get("value") if node["class"] == "CONSTANT" else None


def _largest_array(type_: Any) -> int:
    """How many elements the arrays of a type have together, one in the other."""
    if isinstance(type_, list):
        return max(map(_largest_array, type_), default=1)
    if not isinstance(type_, dict):
        return 1
    inner = max(map(_largest_array, type_.values()), default=1)
    size = type_.get("size")
    return inner * size if isinstance(size, int) and type_.get("type") == "ARRAY_TYPE_INFO" else inner
