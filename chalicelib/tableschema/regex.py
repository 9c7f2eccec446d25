"""Reads a regular expression of XML Schema, and refuses what is none.

Beyond the standard's syntax, for what is written in practice: `^` where a branch begins and `$` where it ends are
anchors (they change nothing: a value is matched as a whole), `(?:…)` groups, and `?` after a quantifier is ignored.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

from chalicelib.tableschema.charsets import (
    ANYTHING,
    CharSet,
    any_of,
    between,
    but,
    character,
    escaped,
    other_than,
    property_,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class One:
    """One character of a set."""

    of: CharSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """Nothing, at the start or else at the end."""

    at_start: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class All:
    """Parts one after another."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Either:
    """One of some branches."""

    branches: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """A part again and again; None for any number of times."""

    part: Node
    least: int
    most: int | None


Node = One | Anchor | All | Either | Repeated
_COUNT = re.compile(r"\{0*([0-9]{1,9})(,(?:0*([0-9]{1,9}))?)?\}")
"""Longer counts are more than there may be states."""
_SIGNS = {"?": (0, 1), "*": (0, None), "+": (1, None)}
_MOST_NESTED = 50


class Reader:
    """Reads an expression from left to right; raises ValueError with the reason and the place."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0

    def read(self) -> Node:
        """The whole expression."""
        node = self._either()
        if self._at < len(self._text):
            self._fail("a ) that closes nothing")
        return node

    def _next(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self, text: str) -> bool:
        if not self._text.startswith(text, self._at):
            return False
        self._at += len(text)
        return True

    def _fail(self, what: str) -> NoReturn:
        raise ValueError(f"has {what}, at character {min(self._at, len(self._text) - 1) + 1}")

    def _either(self) -> Node:
        branches = [self._branch()]
        while self._take("|"):
            branches.append(self._branch())
        return branches[0] if len(branches) == 1 else Either(branches=tuple(branches))

    def _branch(self) -> Node:
        parts: list[Node] = []
        while self._next() not in ("", "|", ")"):
            parts.append(self._repeated(self._atom(is_first=not parts)))
        return All(parts=tuple(parts))

    def _repeated(self, part: Node) -> Node:
        sign, count = self._next(), _COUNT.match(self._text, self._at)
        if count:
            least = int(count[1])
            most = least if not count[2] else int(count[3]) if count[3] else None
            if most is not None and most < least:
                self._fail("a count that ends before it begins")
            self._at = count.end()
        elif sign and sign in _SIGNS:
            least, most = _SIGNS[sign]
            self._at += 1
        else:
            return part
        self._take("?")
        return Repeated(part=part, least=least, most=most)

    def _atom(self, *, is_first: bool) -> Node:
        if self._take("("):
            return self._group()
        if self._take("["):
            return One(of=self._class())
        found = self._next()
        if found in "?*+{":
            self._fail(f"a {found} that repeats nothing, or is no count; write \\{found} for the character")
        self._at += 1
        if found == "\\":
            return One(of=self._escape())
        if found == "^" and is_first:
            return Anchor(at_start=True)
        if found == "$" and self._next() in ("", "|", ")"):
            return Anchor(at_start=False)
        return One(of=ANYTHING if found == "." else found.__eq__)

    def _group(self) -> Node:
        if self._next() == "?" and not self._take("?:"):
            self._fail("a (? group: XML Schema has no lookaround, flag or named group")
        self._depth += 1
        if self._depth > _MOST_NESTED:
            self._fail(f"groups nested over {_MOST_NESTED} deep")
        node = self._either()
        self._depth -= 1
        if not self._take(")"):
            self._fail("a ( that no ) closes")
        return node

    def _escape(self) -> CharSet:
        """The set after a backslash."""
        name = self._next()
        self._at += 1
        if name in ("p", "P"):
            return self._property(is_not=name == "P")
        found = escaped(name) if name else None
        return found or self._literal(name).__eq__

    def _literal(self, name: str) -> str:
        found = character(name) if name else None
        if found is None:
            self._at -= 1
            self._fail(f"a \\{name}, which XML Schema does not have")
        return found

    def _property(self, *, is_not: bool) -> CharSet:
        found = re.compile(r"\{([A-Za-z0-9-]+)\}").match(self._text, self._at)
        if not found:
            self._fail("a \\p without a name such as {L}")
        self._at = found.end()
        return other_than(property_(found[1])) if is_not else property_(found[1])

    def _class(self) -> CharSet:
        """A class, of which the [ is read."""
        is_not = self._take("^")
        sets: list[CharSet] = []
        while not self._take("]"):
            if not self._next():
                self._fail("a [ that no ] closes")
            if sets and self._take("-["):
                return self._subtracted(any_of(sets), is_not=is_not)
            sets.append(self._member())
        if not sets:
            self._fail("a class of no character")
        return other_than(any_of(sets)) if is_not else any_of(sets)

    def _subtracted(self, those: CharSet, *, is_not: bool) -> CharSet:
        self._depth += 1
        if self._depth > _MOST_NESTED:
            self._fail(f"classes nested over {_MOST_NESTED} deep")
        found = but(other_than(those) if is_not else those, self._class())
        self._depth -= 1
        if not self._take("]"):
            self._fail("a class that goes on after what it subtracts")
        return found

    def _member(self) -> CharSet:
        """A character of a class, a range, or an escape for a set."""
        first = self._next()
        self._at += 1
        if first == "\\":
            name = self._next()
            if name in ("p", "P") or (name and escaped(name)):
                return self._escape()
            self._at += 1
            first = self._literal(name)
        if self._next() != "-" or self._text[self._at + 1 : self._at + 2] in ("", "]", "["):
            return first.__eq__
        self._at += 1
        last = self._next()
        self._at += 1
        if last == "\\":
            last = self._literal(self._next())
            self._at += 1
        if last < first:
            self._fail("a range that ends before it begins")
        return between(first, last)
