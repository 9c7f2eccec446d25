"""Which keys a contract is for: globs against a regular expression, and when two of them would tie."""

from __future__ import annotations

import itertools
import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.contracts.matching import Glob

PARTS = st.sampled_from(
    ["*", "**", "**/", "/**/", "?", "/", "a", "b", ".", "[ab]", "[!a]", "[^b]", "[a-c]", "[]a]", "é"]
)
GLOBS = st.lists(PARTS, min_size=1, max_size=7).map("".join)
KEYS = st.text("ab/.c]é\n", max_size=8)
TRANSLATION = {"*": "[^/]*", "?": "[^/]"}


def as_pattern(glob: str) -> str:
    """The glob as a regular expression, by the sentences of docs/contracts.md."""
    pattern, rest = "", glob
    while rest:
        if rest.startswith("**/") and (not pattern or glob[: len(glob) - len(rest)].endswith("/")):
            pattern, rest = pattern + "(?:.*/)?", rest[3:]
        elif rest.startswith("**"):
            pattern, rest = pattern + ".*", rest.lstrip("*")
        elif rest[0] == "[":
            end = rest.index("]", 3 if rest[1] in "!^" else 2)
            members = rest[1:end].replace("]", r"\]")
            pattern, rest = pattern + f"(?!/)[{'^' + members[1:] if members[0] in '!^' else members}]", rest[end + 1 :]
        else:
            pattern, rest = pattern + TRANSLATION.get(rest[0], re.escape(rest[0])), rest[1:]
    return pattern


@given(GLOBS, KEYS)
@example("a/**/b", "a/b")
@example("**/a", "a")
@example("a**/b", "a/b")
@example("a/**", "a/")
@example("[!a]", "/")
def test_a_glob_matches_what_its_regular_expression_does(glob: str, key: str) -> None:
    assert Glob(glob).matches(key) is (re.fullmatch(as_pattern(glob), key, re.DOTALL) is not None)


@given(GLOBS, GLOBS)
@example("a*", "*b")
@example("[!a]", "b")
def test_two_globs_meet_if_and_only_if_some_key_matches_both(one: str, two: str) -> None:
    short = ("".join(letters) for length in range(5) for letters in itertools.product("ab/.", repeat=length))
    if any(Glob(one).matches(key) and Glob(two).matches(key) for key in short):
        assert Glob(one).meets(Glob(two))
    assert Glob(one).meets(Glob(two)) is Glob(two).meets(Glob(one))


@pytest.mark.parametrize(
    ("one", "two"),
    [("a/*.csv", "a/*.json"), ("a/*", "a/b/*"), ("[!a]*", "a*"), ("a/?", "a/??"), ("a", "b"), ("*", "*/*")],
)
def test_globs_without_a_key_in_common_do_not_meet(one: str, two: str) -> None:
    assert not Glob(one).meets(Glob(two))


@pytest.mark.parametrize(
    ("glob", "prefix"), [("acme/*.csv", "acme/"), ("**", ""), ("a/b.csv", "a/b.csv"), ("a[bc]", "a"), ("a?", "a")]
)
def test_the_literal_prefix_ends_at_the_first_wildcard(glob: str, prefix: str) -> None:
    assert Glob(glob).literal_prefix == prefix


@pytest.mark.parametrize("glob", ["", "a[", "[]", "[!]", "[z-a]", "[\0-\U0010ffff]", "a" * 1025])
def test_what_is_no_glob_is_refused(glob: str) -> None:
    with pytest.raises(ValueError, match=r"must not be|has a|is longer"):
        Glob(glob)


def test_no_glob_and_key_take_more_than_a_moment() -> None:
    """A backtracking matcher would take years."""
    began = time.perf_counter()
    assert not Glob("*a" * 100 + "b").matches("a" * 1024)
    assert not Glob("**/a" * 100 + "b").matches("a/" * 512)
    assert time.perf_counter() - began < 5
