"""Patterns mean the same on a Python whose `re` breaks possessive groups."""

from __future__ import annotations

import re
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.inspection import outline, patterns
from chalicelib.inspection.patterns import BROKEN_BEFORE, compiled, without_possessive_groups


@pytest.mark.parametrize(
    ("pattern", "rewritten"),
    [
        (rb"(?:a|b)*+c", rb"(?>(?:a|b)*)c"),
        (rb"((?:a[)]*+)++\))?+", rb"(?>((?>(?:a[)]*+)+)\))?)"),
        (rb"(?:x){2}+", rb"(?>(?:x){2})"),
        (rb"[(]++\)++(a)+(b)?", rb"[(]++\)++(a)+(b)?"),
        (rb"[^]()]*+(?=x)", rb"[^]()]*+(?=x)"),
        (r'"[^"]*+(?:""[^"]*+)*+"', r'"[^"]*+(?>(?:""[^"]*+)*)"'),
    ],
)
def test_only_possessive_groups_are_rewritten(pattern: Any, rewritten: Any) -> None:
    assert without_possessive_groups(pattern) == rewritten


@given(st.text(alphabet='x",\r\n', max_size=40))
def test_a_rewritten_pattern_matches_what_the_possessive_one_does(text: str) -> None:
    if sys.version_info < BROKEN_BEFORE:
        pytest.skip("this Python cannot tell what the possessive one matches")
    pattern = outline._ANY_RECORD.pattern
    rewritten = re.compile(without_possessive_groups(pattern))
    found, same = re.compile(pattern).match(text.encode()), rewritten.match(text.encode())
    assert (found and found.span()) == (same and same.span())


def test_a_broken_python_gets_the_rewritten_pattern(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "BROKEN_BEFORE", (99,))
    assert compiled(rb"(?:a)*+").pattern == rb"(?>(?:a)*)"
