"""Sets of characters, as the classes and escapes of XML Schema's regular expressions name them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from unicodedata import category

from chalicelib.tableschema.blocks import block

CharSet = Callable[[str], object]
"""Whether a character is in the set."""

_CATEGORIES = re.compile("L[ultmo]?|M[nce]?|N[dlo]?|P[cdseifo]?|Z[slp]?|S[mcko]?|C[cfon]?")
_NAME_START = (
    r":A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c-\u200d\u2070-\u218f"
    r"\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_ESCAPES: Mapping[str, CharSet] = {
    "d": lambda character: category(character) == "Nd",
    "s": " \t\n\r".__contains__,
    "w": lambda character: category(character)[0] not in "PZC",
    "i": re.compile(f"[{_NAME_START}]").match,
    "c": re.compile(rf"[{_NAME_START}.0-9\u00b7\u0300-\u036f\u203f-\u2040-]").match,
}
_WRITTEN = {"n": "\n", "r": "\r", "t": "\t"}


def between(first: str, last: str) -> CharSet:
    """The characters from one to another."""
    return lambda character: first <= character <= last


def but(whole: CharSet, without: CharSet) -> CharSet:
    """The characters of one set that are not of the other."""
    return lambda character: whole(character) and not without(character)


def other_than(those: CharSet) -> CharSet:
    """All other characters."""
    return lambda character: not those(character)


def any_of(sets: list[CharSet]) -> CharSet:
    """The characters of several sets."""
    return lambda character: any(has(character) for has in sets)


ANYTHING = other_than("\n\r".__contains__)
"""What a dot stands for."""


def escaped(name: str) -> CharSet | None:
    """The set that a letter after a backslash stands for, None if it is none."""
    found = _ESCAPES.get(name.lower())
    return found if found is None or name.islower() else other_than(found)


def character(name: str) -> str | None:
    """The character that one after a backslash stands for, None if it is none."""
    return _WRITTEN.get(name, name if name.isascii() and not name.isalnum() else None)


def property_(name: str) -> CharSet:
    """The set of a category or a block of Unicode; raises ValueError."""
    if _CATEGORIES.fullmatch(name):
        return lambda found: category(found).startswith(name)
    ranges = block(name.removeprefix("Is")) if name.startswith("Is") else ()
    if not ranges:
        raise ValueError(f"has \\p{{{name}}}, which is no category of Unicode, nor Is and the name of a block")
    return any_of([between(first, last) for first, last in ranges])
