"""What a type of field is made of."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, NamedTuple


class Problem(NamedTuple):
    """A rule that a value breaks; `words` complete "The cell …" and hold nothing of the value."""

    rule: str
    words: str


def same(value: Any) -> Any:
    """The value itself."""
    return value


def of_text(read: Callable[[str], Any]) -> Callable[[object], Any]:
    """How a value of JSON is taken by a type that JSON does not know: as a text."""

    def take(value: object) -> Any:
        if not isinstance(value, str):
            raise ValueError
        return read(value)

    return take


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A type with its format and options. `words` complete "The cell …" for what is not of it.

    `read` makes the value of a text, `take` that of a value of JSON; both raise ValueError. `is_right` says, faster,
    whether `read` would. `order` makes what bounds compare: where a comparison is False both ways, neither is known to
    be the greater one. Two values are equal if and only if their `key` is, of which the `repr` tells all.
    """

    words: str
    read: Callable[[str], Any]
    take: Callable[[object], Any]
    is_right: Callable[[str], object]
    order: Callable[[Any], Any] = same
    key: Callable[[Any], Hashable] = same


def tried(read: Callable[[str], object]) -> Callable[[str], bool]:
    """Whether a text can be read, found by reading it."""

    def is_right(cell: str) -> bool:
        try:
            read(cell)
        except ValueError:
            return False
        return True

    return is_right
