"""The names of JSON members, of any length and however they are spelled, and where reading is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

from chalicelib.inspection.limits import KIB

_KEY_BYTES = 64
"""A name up to this long is its own key; a longer one is known by its digest."""
_PENDING_BYTES = 64 * KIB
"""How much of a name is held before it goes into its digest."""


class Name(NamedTuple):
    """A member's name: a key that is equal for equal names however they are spelled, and how it begins."""

    key: bytes
    beginning: str

    @classmethod
    def of(cls, text: str, keep: int) -> Name:
        """The name that reads `text`; `keep` characters of it are kept."""
        return cls(key_of(text), text[:keep])


def key_of(text: str) -> bytes:
    """The key of the name that reads `text`."""
    key = text.encode("utf-8", "surrogatepass")
    if len(key) <= _KEY_BYTES:
        return key
    spelling = Spelling(keep=0)
    spelling.add(text)
    return spelling.name().key


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


def storable(text: str) -> str:
    """The text with U+FFFD for each surrogate that has no partner: nothing else can be kept as UTF-8."""
    return text if text.isascii() else "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text)
