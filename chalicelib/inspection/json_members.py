"""The members of the objects that are open: what is remembered of their names, in bounded memory."""

from __future__ import annotations

from chalicelib.findings import Findings
from chalicelib.inspection.json_columns import Columns
from chalicelib.inspection.json_grammar import find_members, find_names, value_type
from chalicelib.inspection.json_names import Name, Position, plain_name, storable
from chalicelib.inspection.limits import Limits

_OBJECTS = 2
"""The names remembered over all open objects: as many as this many of the largest objects."""


class Members:
    """The names of all objects open at one point of the text; finds duplicates and gathers columns.

    Positions are worked out from `position`, which whoever feeds blocks keeps at the beginning of the block.
    """

    def __init__(self, findings: Findings, limits: Limits) -> None:
        self._findings = findings
        self._limits = limits
        self._open: list[set[bytes]] = []
        self._remembered = 0
        self._unchecked = False
        self.position = Position()
        self.columns = Columns(limits)

    def open(self) -> None:
        """An object begins."""
        self._open.append(set())

    def close(self) -> None:
        """The innermost object ends."""
        self._remembered -= len(self._open.pop())

    def clear(self) -> None:
        """Forget all open objects."""
        self._open.clear()
        self._remembered = 0
        self.columns.drop_record()

    @property
    def has_room(self) -> bool:
        """Whether an object with as many names as are remembered of one would still be remembered whole."""
        return self._remembered <= (_OBJECTS - 1) * self._limits.json_names

    def add_run(self, block: bytes, begin: int, end: int, column: bool) -> None:
        """Add the names of the members that `skip_members` matched to the innermost object."""
        run = find_names.findall(block, begin, end)
        fresh, names, code = set(run), self._open[-1], "duplicate-json-name"
        repeated = len(run) - len(fresh - names)
        known = not column or self.columns.know(fresh)
        if known and self._unchecked and not self._room(names, 1) and names.isdisjoint(fresh):
            pass
        elif known and self._room(names, len(run)) and (not repeated or self._findings.full(code)):
            self._remembered += len(run) - repeated
            names |= fresh
            if repeated:
                self._findings.count(code, repeated)
        else:
            for found in find_names.finditer(block, begin, end):
                self.add(plain_name(found[1], self._limits.name_length), column, block, found.start())
        if column:
            for found in find_members.finditer(block, begin, end):
                self.columns.note(found[1], value_type(found[2]))

    def add(self, name: Name, column: bool, block: bytes, where: int | Position) -> None:
        """Add a name to the innermost object; it stands at an offset of the block or at a known position."""
        names = self._open[-1]
        if column:
            self.columns.add(name)
        if name.key in names:
            self._duplicate(name, block, where)
        elif self._room(names, 1):
            names.add(name.key)
            self._remembered += 1
        elif not self._unchecked:
            self._unchecked = True
            limit = f"{self._limits.json_names:,} in one object"
            self._findings.add("uniqueness-not-checked", what="Names", limit=limit)

    def _room(self, names: set[bytes], more: int) -> bool:
        most = self._limits.json_names
        return len(names) + more <= most and self._remembered + more <= _OBJECTS * most

    def _duplicate(self, name: Name, block: bytes, where: int | Position) -> None:
        code = "duplicate-json-name"
        if self._findings.full(code):
            self._findings.count(code, 1)
            return
        at = self.position.at(block, where) if isinstance(where, int) else where
        field = storable(name.beginning)
        self._findings.add(code, row=at.row, line=at.line, column=at.column, field=field)
