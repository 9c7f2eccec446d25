"""Reads runs of small records faster than `JsonReader`, and only those it would accept without any finding.

By the standard library's scanner, which is written in C, and once there is enough of them by the kernel. What is not
taken is left to the reader, which is the truth.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from chalicelib.inspection.json_columns import Columns
from chalicelib.inspection.json_names import Name
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


_NESTED: Mapping[str, object] = {}
"""What stands for an object in the record that is decoded."""
_TYPES: Mapping[type, str] = {
    str: "string",
    int: "integer",
    bytes: "number",
    bool: "boolean",
    type(None): "null",
    dict: "object",
    list: "array",
}
"""The types of JSON by what values are decoded to here."""


class FastRecords:
    """Reads records that begin in a block `depth` levels deep, and adds their names to the columns."""

    def __init__(self, layout: Layout, limits: Limits, columns: Columns, *, depth: int = 0) -> None:
        self._layout = layout
        self._limits = limits
        self._depth = limits.json_depth - depth
        # No member takes fewer than four characters, so no shorter record has more names than are remembered.
        self._longest = 4 * limits.json_names
        self._keep = limits.name_length
        self._columns = columns
        self._known: set[str] = set()
        self._spare = _KNOWN_CHARACTERS
        self._members: dict[str, object] = {}
        self._failed = self._pause = 0
        self._kinds: Counter[tuple[tuple[str, ...], tuple[type, ...]]] = Counter()
        self._scalars: Counter[type] = Counter()
        self._decoded = 0
        self._kernel: KernelRecords | None = None
        self._decode = json.JSONDecoder(
            object_pairs_hook=self._object, parse_int=len, parse_float=str.encode, parse_constant=_refuse
        ).raw_decode

    def take(self, block: bytes, begin: int) -> tuple[int, int]:
        """Read records from `begin` on: how many, and where the next begins."""
        total, more = 0, 1
        while more and not (kernel := self._loaded_kernel()):
            more, begin = self._take_decoded(block, begin)
            total += more
        if kernel:
            more, begin = kernel.take(block, begin)
            total += more
        return total, begin

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
        ends = self._record_ends(text)
        if len(ends) < 2:
            self._pause = self._failed = min(self._failed + 1, _MOST_PAUSED)
            return 0, begin
        self._failed = 0
        size = ends[-1] if text.isascii() else len(text[: ends[-1]].encode())
        self._decoded += size
        return len(ends) - 1, begin + size

    def _record_ends(self, text: str) -> list[int]:
        """Where the first record begins, and where each that can be read ends."""
        first = self._layout.before.match(text)
        ends = [first.end()] if first else []
        while first and len(ends) <= _RECORDS and (end := self._record_end(text, ends[-1])):
            ends.append(end)
        return ends

    def _record_end(self, text: str, begin: int) -> int | None:
        try:
            value, end = self._decode(text, begin)
        except (ValueError, RecursionError):
            return None
        after = self._layout.after.match(text, end)
        if after is None or not self._is_plain(text, begin, end):
            return None
        if text[begin] == "{":
            self._note_members()
        else:
            self._scalars[type(value)] += 1
        return after.end()

    def _note_members(self) -> None:
        members = self._members
        if not (self._columns.beyond or self._known.issuperset(members)):
            self._add_columns()
        self._kinds[tuple(members), tuple(map(type, members.values()))] += 1
        if len(self._kinds) > _KINDS_REMEMBERED:
            self.tell()

    def _is_plain(self, text: str, begin: int, end: int) -> bool:
        if self._layout.one_line and text.find("\n", begin, end) >= 0:
            return False
        size = end - begin
        if size > self._depth and text.count("[", begin, end) + text.count("{", begin, end) > self._depth:
            return False
        return size <= self._longest

    def _object(self, pairs: Sequence[tuple[str, object]]) -> object:
        """Take the members of each object as it ends: those of the record itself come last."""
        self._members = dict(pairs)
        if len(self._members) < len(pairs):
            raise ValueError("a name is there twice")
        return _NESTED

    def _add_columns(self) -> None:
        for text in self._members:
            self._columns.add(Name.of(text, self._keep))
        self._spare -= sum(map(len, self._members))
        if self._spare > 0:
            self._known.update(self._members)


def _refuse(_constant: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")
