"""Globs over keys: which files a contract is for, in time that is linear in the key whatever the glob."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

SEPARATOR = "/"
_FRESH = "\ufdd0"
"""Stands for every character that no glob names: they all lead the same way."""
_MOST_IN_CLASS = 1_000
_LONGEST = 1_024  # no key has more characters
_PART = re.compile(
    r"(?P<folders>(?:(?<=/)|\A)\*\*/)|(?P<all>\*\*+)|(?P<star>\*)|(?P<one>\?)"
    r"|\[(?P<isnot>[!^]?)(?P<members>\]?[^\]]*)\]|(?P<literal>[^*?])",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """One position of a glob: the characters that lead on from it, those it stays on, and if it may be left out."""

    on: str = ""
    is_not: bool = False
    stays: bool = False
    crosses: bool = False
    skipped: bool = False

    def leads_on(self, character: str) -> bool:
        """Whether the position is left with this character."""
        return (character in self.on) is not self.is_not and (self.crosses or character != SEPARATOR)

    def stays_on(self, character: str) -> bool:
        """Whether it is kept."""
        return self.stays and (self.crosses or character != SEPARATOR)


@dataclass(frozen=True)
class Glob:
    """`*` is any text within a segment, `**` any text, `?` a character, `[abc]`, `[a-z]` and `[!abc]` one of a class.

    `**/` also stands for no folder. Outside `**` nothing matches a slash but a slash. Raises ValueError for what is no
    glob.
    """

    text: str

    def __post_init__(self) -> None:
        if not self.text:
            raise ValueError("must not be empty")
        if len(self._steps) > _LONGEST:
            raise ValueError("is longer than any key")

    @cached_property
    def _steps(self) -> tuple[_Step, ...]:
        return tuple(_steps_of(self.text))

    @cached_property
    def literal_prefix(self) -> str:
        """What every key that matches begins with, up to the first character that is not taken as it is."""
        found = re.match(r"[^*?\[]*", self.text)
        return found[0] if found else ""

    def matches(self, key: str) -> bool:
        """Whether the whole key is of this form."""
        if not key.startswith(self.literal_prefix):
            return False
        at = self._entered(0)
        for character in key:
            at = self._after(at, character)
        return len(self._steps) in at

    def meets(self, other: Glob) -> bool:
        """Whether there is a key that both match."""
        alphabet = {character for glob in (self, other) for step in glob._steps for character in step.on}
        alphabet |= {SEPARATOR, _FRESH}
        waiting = [(one, two) for one in self._entered(0) for two in other._entered(0)]
        seen = set(waiting)
        while waiting:
            one, two = waiting.pop()
            for character in alphabet:
                pairs = ((a, b) for a in self._after({one}, character) for b in other._after({two}, character))
                fresh = set(pairs) - seen
                seen |= fresh
                waiting += fresh
        return (len(self._steps), len(other._steps)) in seen

    def _entered(self, place: int) -> set[int]:
        """A place, and those behind it that it is not needed for."""
        places = {place}
        while place < len(self._steps) and self._steps[place].skipped:
            place += 1
            places.add(place)
        return places

    def _after(self, places: set[int], character: str) -> set[int]:
        after: set[int] = set()
        for place in places:
            if place == len(self._steps):
                continue
            step = self._steps[place]
            if step.stays_on(character):
                after.add(place)
            if step.leads_on(character):
                after |= self._entered(place + 1)
        return after


def _steps_of(text: str) -> Iterator[_Step]:
    at = 0
    while at < len(text):
        part = _PART.match(text, at)
        if part is None or part["literal"] == "[":
            raise ValueError(f"has a [ that no ] closes, at character {at + 1}")
        yield _step_of(part)
        at = part.end()


def _step_of(part: re.Match[str]) -> _Step:
    match part.lastgroup:
        case "folders":
            return _Step(on=SEPARATOR, stays=True, crosses=True, skipped=True)
        case "all":
            return _Step(is_not=True, stays=True, crosses=True, skipped=True)
        case "star":
            return _Step(is_not=True, stays=True, skipped=True)
        case "one":
            return _Step(is_not=True)
        case "members":
            return _Step(on=_expanded(part["members"]), is_not=bool(part["isnot"]))
    return _Step(on=part[0], crosses=True)


def _expanded(members: str) -> str:
    """The characters of a class, its ranges written out."""
    ranges = [part.groups() for part in re.finditer(r"(.)-(.)|(.)", members, re.DOTALL)]
    sizes = [1 if single else ord(last) - ord(first) + 1 for first, last, single in ranges]
    if not sizes or min(sizes) < 1 or sum(sizes) > _MOST_IN_CLASS:
        raise ValueError(
            f"has a class, [{members}], that is empty, backwards, or of over {_MOST_IN_CLASS:,} characters"
        )
    return "".join(single or "".join(map(chr, range(ord(first), ord(last) + 1))) for first, last, single in ranges)
