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


def no_other(_: object) -> Any:
    """Takes nothing."""
    raise ValueError


def of_text(read: Callable[[str], Any], native: Callable[[object], Any] = no_other) -> Callable[[object], Any]:
    """How a type that JSON does not know is taken: as a text, or as `native` takes it from formats that know it."""

    def take(value: object) -> Any:
        return read(value) if isinstance(value, str) else native(value)

    return take


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A type with its format and options. `words` complete "The cell …" for what is not of it.

    `read` makes the value of a text, `take` that of a value of JSON, or of one that a format has natively: a date, a
    time, a timedelta, bytes; both raise ValueError. `is_right` says, faster,
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
