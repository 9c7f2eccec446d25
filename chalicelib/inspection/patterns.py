"""Compiles the inspectors' patterns for the Python at hand."""

from __future__ import annotations

import re
import sys
from typing import AnyStr

BROKEN_BEFORE = (3, 11, 5)
"""Until then `re` mismatched a possessive group that repeats within (CPython issue 106052)."""


def compiled(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """The pattern; where possessive groups are broken, each becomes the atomic group that means the same."""
    return re.compile(without_possessive_groups(pattern) if sys.version_info < BROKEN_BEFORE else pattern, flags)


def without_possessive_groups(pattern: AnyStr) -> AnyStr:
    """The same pattern with `(?>(…)*)` in place of `(…)*+`, and likewise for `++`, `?+` and `{…}+`."""
    if isinstance(pattern, bytes):
        return _rewritten(pattern.decode("latin-1")).encode("latin-1")
    return _rewritten(pattern)


# A pattern's parts, as far as parentheses and possessive groups go: an escape, a class, a bracket or anything else.
_PART = r"(?s)\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(|\)(?:[*+?]|\{[0-9,]+\})?\+?|."


def _rewritten(pattern: str) -> str:
    parts: list[str] = []
    opened: list[int] = []
    for part in re.findall(_PART, pattern):
        if part == "(":
            opened.append(len(parts))
        elif part.startswith(")"):
            start = opened.pop()
            if len(part) > 2 and part.endswith("+"):
                parts[start] = f"(?>{parts[start]}"
                part = f"{part[:-1]})"  # noqa: PLW2901 (its possessive mark becomes the atomic group's end)
        parts.append(part)
    return "".join(parts)
