"""Reads a descriptor's properties; what is wrong with one is refused with its place."""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

T = TypeVar("T")


class DescriptorError(ValueError):
    """A descriptor that is refused: where, `fields[2].constraints.minimum`, and why."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}" if place else reason)
        self.place = place
        self.reason = reason


class Properties:
    """The properties of one object of a descriptor; any that nobody asks for is ignored, as the standard says."""

    def __init__(self, properties: object, place: str = "") -> None:
        if not isinstance(properties, Mapping):
            raise DescriptorError(place, "must be an object")
        self._properties: Mapping[str, Any] = properties
        self._place = place

    def __contains__(self, name: str) -> bool:
        return name in self._properties

    def __iter__(self) -> Iterator[str]:
        return iter(self._properties)

    @property
    def all(self) -> Mapping[str, Any]:
        """All of them, as they are."""
        return self._properties

    def place(self, name: str) -> str:
        """Where a property is."""
        return f"{self._place}.{name}" if self._place else name

    def refused(self, name: str, reason: str) -> DescriptorError:
        """What is to be raised for a property that is wrong."""
        return DescriptorError(self.place(name), reason)

    def given(self, name: str) -> Any:
        """The property as it is, None if it is not there."""
        return self._properties.get(name)

    def text(self, name: str, default: str) -> str:
        """A text."""
        return self._typed(name, str, default, "a text")

    def flag(self, name: str, *, default: bool) -> bool:
        """True or false."""
        return self._typed(name, bool, default, "true or false")

    def count(self, name: str) -> int:
        """A whole number, 0 or more."""
        found = self._typed(name, int, 0, "a whole number, 0 or more")
        if isinstance(found, bool) or found < 0:
            raise self.refused(name, "must be a whole number, 0 or more")
        return found

    def array(self, name: str) -> Sequence[Any]:
        """An array."""
        return self._typed(name, list, [], "an array")

    def texts(self, name: str, default: Sequence[str]) -> Sequence[str]:
        """An array of texts that is not empty; the default if it is not there."""
        if name not in self:
            return default
        found = self.array(name)
        if not found or not all(isinstance(text, str) for text in found):
            raise self.refused(name, "must be an array of texts, and not empty")
        return found

    def properties(self, name: str) -> Properties:
        """The object within; an empty one if there is none."""
        return Properties(self._properties.get(name, {}), self.place(name))

    def _typed(self, name: str, kind: type[T], default: T, wanted: str) -> T:
        found = self._properties.get(name, default)
        if not isinstance(found, kind):
            raise self.refused(name, f"must be {wanted}")
        return found


def unknown(word: str, known: Iterable[str], *, kind: str) -> str:
    """The reason for a word that is not known, with the nearest that is."""
    choices = sorted(known)
    near = [name for name in choices if name.lower() == word.lower()] or difflib.get_close_matches(word, choices, n=1)
    hint = f'; did you mean "{near[0]}"?' if near else f"; known are {', '.join(choices)}"
    return f'there is no {kind} "{word[:60]}"{hint}'


def is_unique(items: Collection[object]) -> bool:
    """Whether no two items of JSON are the same."""
    return len({json.dumps(item, sort_keys=True, default=str) for item in items}) == len(items)
