"""Runs of right records of JSON, as the kernel finds them, and the types of their members, as it counts them."""

from __future__ import annotations

from chalicelib.inspection.json_columns import Columns
from chalicelib.inspection.json_names import Name
from chalicelib.inspection.kernel.host import Kernel

_KINDS = ("string", "integer", "number", "boolean", "null", "object", "array", "")
"""The types in the order in which the kernel counts them; the last is none."""
_MOST_IN_VAIN = 32
"""Asking the kernel takes a third of the time to read a line otherwise: so often in vain, and others read the block."""


class KernelRecords:
    """Reads records that begin in a block, and adds their names to the columns; needs a kernel of its own."""

    def __init__(
        self, kernel: Kernel, columns: Columns, *, one_line: bool, depth: int, longest: int, keep: int
    ) -> None:
        self._kernel = kernel
        self._columns = columns
        self._keep = keep
        names = kernel.number("json_names")
        self._spelled = kernel.part("json_spelled_at", kernel.number("json_spelled_bytes"))
        self._places = kernel.numbers("json_columns_at", names * 2)
        self._counts = kernel.numbers("json_counts_at", names * len(_KINDS))
        self._records = kernel.numbers("json_kinds_at", len(_KINDS))
        self._names: list[str] = []
        """Those that the kernel counts, in its order."""
        self._block = b""
        self._begin = self._end = 0
        """Which part of it the kernel looks at."""
        self._in_vain = 0
        self._is_empty = True
        """Whether no name of a record that was taken is kept."""
        kernel.ask("json_begin", one_line, depth, longest)

    def take(self, block: bytes, begin: int) -> tuple[int, int]:
        """Read records from `begin` on: how many, and where the next begins."""
        if block is not self._block:
            self._block, self._begin, self._end, self._in_vain = block, 0, 0, 0
        total, at, has_room = 0, begin, self._in_vain <= _MOST_IN_VAIN
        while has_room and at < len(block):
            records, at, is_full = self._ask(at)
            total += records
            self._is_empty = self._is_empty and not records
            has_room = self._make_room(at, is_full=is_full)
        self._in_vain = 0 if total else self._in_vain + 1
        return total, at

    def tell(self) -> None:
        """Tell the columns what was counted of records and their members since the last time."""
        for kind, records in zip(_KINDS, self._records, strict=True):
            if records:
                self._columns.count_records(kind, records)
        for column, name in enumerate(self._names):
            begin = column * len(_KINDS)
            for kind, records in zip(_KINDS, self._counts[begin : begin + len(_KINDS)], strict=True):
                if records:
                    self._columns.count(name, kind, records)
        self._names.clear()
        self._kernel.ask("json_forget")
        self._is_empty = True

    def _ask(self, at: int) -> tuple[int, int, int]:
        """How many records are taken, where the next begins, and whether another name has no room."""
        if not self._begin <= at < self._end:
            self._begin, self._end = self._kernel.load_from(self._block, at)
        end, records, columns, is_full = self._kernel.ask("json_records", at - self._begin, self._end - self._begin)[:4]
        for column in range(len(self._names), columns):
            begin, size = self._places[2 * column : 2 * column + 2]
            name = str(self._spelled[begin : begin + size], "utf-8")
            self._names.append(name)
            if not self._columns.beyond:
                self._columns.add(Name.of(name, self._keep))
        return records, self._begin + end, is_full

    def _make_room(self, at: int, *, is_full: int) -> bool:
        """Make room for names or for text, if it was that which ended the run; whether there is more room now."""
        if is_full:
            has_room = not self._is_empty
            self.tell()
            return has_room
        if self._begin < at < len(self._block) and self._end < len(self._block):
            self._begin, self._end = self._kernel.load_from(self._block, at)
            return True
        return False
