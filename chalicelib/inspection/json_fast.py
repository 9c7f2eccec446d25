"""Reads runs of small records faster than `JsonReader`, and only those it would accept without any finding.

By the standard library's scanner, which is written in C, and once there is enough of them by the kernel. What is not
taken is left to the reader, which is the truth.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from chalicelib.inspection.json_columns import Columns
from chalicelib.inspection.json_names import Name
from chalicelib.inspection.json_numbers import Fractional, Whole
from chalicelib.inspection.limits import KIB, MIB, Limits
from chalicelib.inspection.patterns import compiled

if TYPE_CHECKING:
    from chalicelib.inspection.kernel import KernelRecords

_WINDOW = 16 * KIB
"""How much is decoded at a time. Python values take some thirty times the room of their text, so not much."""
_AS_LONG = 8
"""How many times as long as a table without the kernel records take to be decoded: so much earlier it is loaded."""
_RECORDS = 32
"""And how many records."""
_KNOWN_CHARACTERS = MIB
"""How many characters of names are known; a record with others takes longer."""
_KINDS_REMEMBERED = 256
"""How many different sets of names and types of decoded records are counted before they are told."""
_MOST_PAUSED = 32
"""How many times in a row decoding is left out after it failed as often: most records may be too large or odd."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How records stand in their file: what may precede one, and what follows each."""

    before: re.Pattern[str]
    after: re.Pattern[str]
    one_line: bool


ELEMENTS = Layout(
    # The reader takes runs of numbers faster than they can be decoded one by one.
    before=compiled(r'[ \t\n\r]*+(?=["{\[])'),
    after=compiled(r"[ \t\n\r]*+,[ \t\n\r]*+"),
    one_line=False,
)
"""The elements of an array, but for the last."""
LINES = Layout(before=compiled(r"[ \t\r]*+"), after=compiled(r"[ \t\r]*+\n"), one_line=True)


Decoded = tuple[Mapping[str, object] | None, int]
"""A record's members, None if it is no object, and how many bytes its line has."""
_TYPES: Mapping[type, str] = {
    str: "string",
    Whole: "integer",
    Fractional: "number",
    bool: "boolean",
    type(None): "null",
    dict: "object",
    list: "array",
}
"""The types of JSON by what values are decoded to here."""


class FastRecords:
    """Reads records that begin in a block `depth` levels deep, and adds their names to the columns."""

    def __init__(
        self, layout: Layout, limits: Limits, columns: Columns, *, depth: int = 0, keep_values: bool = False
    ) -> None:
        self._layout = layout
        self._limits = limits
        self._depth = limits.json_depth - depth
        # No member takes fewer than four characters, so no shorter record has more names than are remembered.
        self._longest = 4 * limits.json_names
        self._keep = limits.name_length
        self._columns = columns
        self._known: set[str] = set()
        self._spare = _KNOWN_CHARACTERS
        self._failed = self._pause = 0
        self._kinds: Counter[tuple[tuple[str, ...], tuple[type, ...]]] = Counter()
        self._scalars: Counter[type] = Counter()
        self._decoded = 0
        self._kernel: KernelRecords | None = None
        self.values: list[Decoded] = []
        """Those of the lines that were taken last, if all were decoded and they are to be kept."""
        self._keeps_values = keep_values

    def take(self, block: bytes, begin: int) -> tuple[int, int]:
        """Read records from `begin` on: how many, and where the next begins."""
        self.values.clear()
        total, more = 0, 1
        while more and not (kernel := self._loaded_kernel()):
            more, begin = self._take_decoded(block, begin)
            total += more
        return kernel.take(block, begin) if kernel and not total else (total, begin)

    def tell(self) -> None:
        """Tell the columns what was counted of records and their members."""
        if self._kernel:
            self._kernel.tell()
        for (names, kinds), records in self._kinds.items():
            self._columns.count_records("object", records)
            for name, kind in zip(names, kinds, strict=True):
                self._columns.count(name, _TYPES[kind], records)
        for kind, records in self._scalars.items():
            self._columns.count_records(_TYPES[kind], records)
        self._kinds.clear()
        self._scalars.clear()

    def _loaded_kernel(self) -> KernelRecords | None:
        if self._kernel is None and self._decoded >= self._limits.kernel_from_bytes:
            from chalicelib.inspection.kernel import KernelRecords, kernel_for  # noqa: PLC0415 (on first use)

            if kernel := kernel_for(_AS_LONG * self._decoded, self._limits):
                lines, depth, longest = self._layout.one_line, self._depth, self._longest
                self._kernel = KernelRecords(
                    kernel, self._columns, one_line=lines, depth=depth, longest=longest, keep=self._keep
                )
        return self._kernel

    def _take_decoded(self, block: bytes, begin: int) -> tuple[int, int]:
        if self._pause:
            self._pause -= 1
            return 0, begin
        text = block[begin : begin + _WINDOW].decode("utf-8", "ignore")
        ends, values = self._records(text)
        if not values:
            self._pause = self._failed = min(self._failed + 1, _MOST_PAUSED)
            return 0, begin
        self._failed = 0
        self._note(values)
        is_ascii = text.isascii()
        if self._keeps_values:
            self._keep_values(text, ends, values, is_ascii=is_ascii)
        size = ends[-1] if is_ascii else len(text[: ends[-1]].encode())
        self._decoded += size
        return len(values), begin + size

    def _keep_values(self, text: str, ends: Sequence[int], values: Sequence[object], *, is_ascii: bool) -> None:
        begin = 0
        for end, value in zip(ends[1:], values, strict=True):
            line_end = end - len("\n")
            size = line_end - begin if is_ascii else len(text[begin:line_end].encode())
            self.values.append((value if type(value) is dict else None, size))
            begin = end

    def _records(self, text: str) -> tuple[Sequence[int], Sequence[object]]:
        """Where the first record begins, where each that can be read ends, and their values."""
        first, find_end = self._layout.before.match(text), self._layout.after.match
        if first is None:
            return (), ()
        ends: list[int] = [first.end()]
        values: list[object] = []
        with suppress(ValueError, RecursionError):  # of the first that cannot be decoded
            while len(values) < _RECORDS:
                value, value_end = _decode(text, begin := ends[-1])
                found = find_end(text, value_end)
                if found is None or not self._is_plain(text, begin, value_end):
                    break
                ends.append(found.end())
                values.append(value)
        return ends, values

    def _note(self, values: Sequence[object]) -> None:
        records = [value for value in values if type(value) is dict]
        for members in records:
            if not (self._columns.beyond or self._known.issuperset(members)):
                self._add_columns(members)
        self._kinds.update([(tuple(members), tuple(map(type, members.values()))) for members in records])
        if len(records) < len(values):
            self._scalars.update([type(value) for value in values if type(value) is not dict])
        if len(self._kinds) > _KINDS_REMEMBERED:
            self.tell()

    def _is_plain(self, text: str, begin: int, end: int) -> bool:
        if self._layout.one_line and text.find("\n", begin, end) >= 0:
            return False
        size = end - begin
        if size > self._depth and text.count("[", begin, end) + text.count("{", begin, end) > self._depth:
            return False
        return size <= self._longest

    def _add_columns(self, members: Mapping[str, object]) -> None:
        for text in members:
            self._columns.add(Name.of(text, self._keep))
        self._spare -= sum(map(len, members))
        if self._spare > 0:
            self._known.update(members)


def _object(pairs: Sequence[tuple[str, object]]) -> Mapping[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a name is there twice")
    return members


def _refuse(_constant: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


_decode = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=Whole, parse_float=Fractional, parse_constant=_refuse
).raw_decode
