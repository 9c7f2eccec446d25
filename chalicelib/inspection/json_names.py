"""The names of JSON members: what is remembered to find duplicates and to list columns, in bounded memory."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import blake2b

from chalicelib.findings import Findings
from chalicelib.inspection.json_grammar import find_names
from chalicelib.inspection.limits import KIB, Limits
from chalicelib.inspection.report import Column

_KEY_BYTES = 64
"""A name up to this long is its own key; a longer one is known by its digest."""
_PENDING_BYTES = 64 * KIB
"""How much of a name is held before it goes into its digest."""
_OBJECTS = 2
"""The names remembered over all open objects: as many as this many of the largest objects."""


@dataclass(frozen=True, slots=True)
class Name:
    """A member's name: a key that is equal for equal names however they are spelled, and how it begins."""

    key: bytes
    beginning: str

    @classmethod
    def of(cls, text: str, keep: int) -> Name:
        """The name that reads `text`; `keep` characters of it are kept."""
        key = text.encode("utf-8", "surrogatepass")
        if len(key) <= _KEY_BYTES:
            return cls(key, text[:keep])
        spelling = Spelling(keep)
        spelling.add(text)
        return spelling.name()


@dataclass(slots=True)
class Position:
    """Where reading is: `row` counts records if there are any, `line` and `column` (of characters) from 1."""

    row: int | None = None
    line: int = 1
    column: int = 1

    def at(self, block: bytes, offset: int) -> Position:
        """The position `offset` bytes into the block that begins here."""
        lines = block.count(b"\n", 0, offset)
        begin = block.rfind(b"\n", 0, offset) + 1
        characters = len(block[begin:offset].decode())
        return Position(self.row, self.line + lines, characters + (1 if lines else self.column))


class Spelling:
    """A name read piece by piece, of any length, as it is spelled between its quotes."""

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._raw = bytearray()
        self._plain = b""
        self._beginning = ""
        self._digest = blake2b(digest_size=_KEY_BYTES)
        self._long = False

    def take(self, piece: bytes) -> None:
        """Add the next bytes; they may end inside an escape."""
        self._raw += piece

    def settle(self) -> None:
        """Work through what was taken if it is much; only where no escape is incomplete."""
        if len(self._raw) > _PENDING_BYTES:
            text = self._unescaped()
            # The first half of a surrogate pair waits for its second, to become one character with it.
            half = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
            self.add(text.removesuffix(half))
            self._raw = self._raw[-6:] if half else bytearray()

    def add(self, text: str) -> None:
        """Add characters that are not escaped."""
        plain = text.encode("utf-8", "surrogatepass")
        self._digest.update(plain)
        self._long = self._long or len(self._plain) + len(plain) > _KEY_BYTES
        self._plain = b"" if self._long else self._plain + plain
        self._beginning += text[: self._keep - len(self._beginning)]

    def name(self) -> Name:
        """The name, once all of it was taken."""
        self.add(self._unescaped())
        # A digest is longer than any name that is its own key.
        return Name(self._digest.digest() + b"#" if self._long else self._plain, self._beginning)

    def _unescaped(self) -> str:
        return str(json.loads(f'"{self._raw.decode()}"'))


def plain_name(raw: bytes, keep: int) -> Name:
    """The name spelled `raw`, short and without escapes; `keep` characters of it are kept."""
    return Name(raw, raw.decode()[:keep])


def _storable(text: str) -> str:
    """The text with U+FFFD for each surrogate that has no partner: nothing else can be kept as UTF-8."""
    return "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text)


class Columns:
    """The different names that the records' members have, in the order they were first seen."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._named: list[Column] = []
        self.beyond = False
        """Whether there are more than are remembered; then none is added."""
        self._keys: set[bytes] = set()

    def know(self, keys: set[bytes]) -> bool:
        """Whether adding names with these keys would change nothing."""
        return self.beyond or keys <= self._keys

    def add(self, name: Name) -> None:
        """Count the name if it is new, and list it if it is among the first."""
        if name.key in self._keys:
            return
        if len(self._keys) == self._limits.json_names:
            self.beyond = True
            return
        self._keys.add(name.key)
        if len(self._named) < self._limits.named_columns:
            self._named.append(Column(name=_storable(name.beginning)))

    @property
    def named(self) -> tuple[Column, ...]:
        """The first columns."""
        return tuple(self._named)

    @property
    def count(self) -> int | None:
        """How many there are; None if more than are remembered."""
        return None if self.beyond else len(self._keys)


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
            return
        if known and self._room(names, len(run)) and (not repeated or self._findings.full(code)):
            self._remembered += len(run) - repeated
            names |= fresh
            if repeated:
                self._findings.count(code, repeated)
        else:
            for found in find_names.finditer(block, begin, end):
                self.add(plain_name(found[1], self._limits.name_length), column, block, found.start())

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
        field = _storable(name.beginning)
        self._findings.add(code, row=at.row, line=at.line, column=at.column, field=field)
