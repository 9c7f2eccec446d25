"""Regular expressions of XML Schema: against Python's own where both mean the same, and linear whatever they are."""

from __future__ import annotations

import random
import re
import time
import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.tableschema.pattern import pattern
from tests.tableschema.schemas import constrained, field_refusal, judge, rules

ATOMS = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", "[a-c]", r"\.", r"\-", "(?:ab)", r"[\-b]", r"[b-]", r"\n"])
SIGNS = st.sampled_from(["", "?", "*", "+", "{2}", "{0,2}", "{1,}", "*?", "{0}"])
PIECES = st.tuples(ATOMS, SIGNS).map("".join)


def repeated(inner: str, sign: str) -> str:
    """A group, repeated without end only if nothing in it is: Python tries such a one for years."""
    is_endless = any(each in inner for each in ("*", "+", ",}"))
    return f"({inner}){'{0,2}' if is_endless and sign in ('*', '+', '{1,}', '*?') else sign}"


EXPRESSIONS = st.recursive(
    st.lists(PIECES, max_size=4).map("".join),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("|".join),
        st.builds(repeated, inner, SIGNS),
        st.tuples(inner, inner).map("".join),
    ),
    max_leaves=5,
)


@given(EXPRESSIONS, st.lists(st.text("abc.-\n", max_size=3), max_size=5), st.data())
def test_what_python_and_xml_schema_both_know_matches_as_in_python(
    expression: str, texts: list[str], data: st.DataObject
) -> None:
    matches = pattern(expression)
    right = data.draw(st.from_regex(re.compile(expression), fullmatch=True))
    for text in (right, right + "a", right[1:], *texts):
        expected = re.fullmatch(expression.replace(".", r"[^\n\r]").replace(r"\[^\n\r]", r"\."), text)
        assert matches(text) is bool(expected), (expression, text)


@pytest.mark.parametrize(
    ("expression", "right", "wrong"),
    [
        ("^a.*$", ["a", "apple"], ["orange", "", "a\n"]),
        ("^a|b$", ["a", "b"], ["ab", "^a"]),
        ("a^b$c", ["a^b$c"], ["abc"]),
        (r"\d{3}-\d{2}", ["123-45", "١٢٣-٤٥"], ["123-4"]),
        (r"\w+", ["añb", "日本", "a1"], ["a b", "a-b", ""]),
        (r"\S\s\S", ["a b", "a\tb"], ["a\u00a0b"]),
        (r"\i\c*", ["_a-1", ":x", "é.b"], ["1a", "-"]),
        (r"\I\C", ["1 "], ["ab"]),
        (r"\D\W", ["a-"], ["1-", "aa"]),
        (r"\p{Lu}\p{L}*", ["Á", "Ana"], ["ana", "1"]),
        (r"\P{Lu}", ["a"], ["A"]),
        (r"[\p{Nd}-[5-9]]+", ["01234"], ["5", ""]),
        (r"[a-z-[aeiou]]+", ["xyz"], ["xay", "-"]),
        (r"[^a-z-[A-Z]]", ["1"], ["a", "B"]),
        (r"[a-z-[b-y-[m]]]+", ["amz"], ["b"]),
        (r"\p{IsBasicLatin}*", ["abc"], ["é"]),
        (r"\p{IsThai}\P{IsThai}", ["กa"], ["ก\u0e3f", "aa"]),
        (r"\p{IsGreek}\p{IsGreekandCoptic}", ["αω"], ["aω"]),
        (r"\p{IsPrivateUse}", ["\ue000", "\U00100000"], ["a"]),
        (".{0,1000}", ["", "x" * 1000], ["x" * 1001]),
        (r"([a-z]{1,63}\.){1,20}[a-z]{2,63}", ["a.b.example", f"{'x' * 63}.org"], [f"{'x' * 64}.org", "a"]),
        ("[0-9]{1,4000}", ["1" * 4000], ["", "1" * 4001]),
        (r"[\w.-]+", ["a.b-c"], ["a b"]),
        (r"[\d-x]", ["5", "-", "x"], ["y"]),
        (r"[a\]^]+", ["a]^"], ["b"]),
        (r"a{2,3}", ["aa", "aaa"], ["a", "aaaa"]),
        ("", [""], ["a"]),
        ("a|", ["a", ""], ["b"]),
        ("x]}", ["x]}"], ["x"]),
        ("(a*)*", ["", "aaa"], ["b"]),
        (".", ["\u2028", "😀"], ["\n", "\r"]),
        (r"\t\\\$", ["\t\\$"], []),
    ],
)
def test_an_expression_means_what_xml_schema_says(expression: str, right: list[str], wrong: list[str]) -> None:
    matches = pattern(expression)
    assert [text for text in right if not matches(text)] == []
    assert [text for text in wrong if matches(text)] == []


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("(", "a ( that no ) closes, at character 1"),
        ("a)", "a ) that closes nothing, at character 2"),
        ("[a", "a [ that no ] closes"),
        ("[]", "class of no character"),
        ("[b-a]", "ends before it begins"),
        ("a{3,2}", "ends before it begins"),
        ("*a", "repeats nothing"),
        ("a**", "repeats nothing"),
        ("a{x}", "is no count"),
        ("(?=a)", "lookaround"),
        ("(?i)a", "flag"),
        ("(?P<n>a)", "named group"),
        (r"\bfoo", r"\b, which XML Schema does not have"),
        (r"(a)\1", r"\1, which"),
        (r"[\q]", r"\q, which"),
        ("a\\", "which XML Schema does not have"),
        (r"\p{Foo}", "no category"),
        (r"\pL", "without a name"),
        (r"[a-[b]c]", "goes on after"),
        ("(" * 100 + ")" * 100, "nested over 50 deep"),
        ("[a-" * 100 + "]" * 100, "nested over 50 deep"),
        ("((a{100}){100}){100}", "too large"),
        ("a{10000}", "too large"),
        ("a{2,99999999999}", "no count"),
    ],
)
def test_what_is_no_expression_is_refused_with_the_place(expression: str, reason: str) -> None:
    place, why = field_refusal(type="string", constraints={"pattern": expression})
    assert place == "constraints.pattern"
    assert reason in why


@given(st.text(max_size=10) | st.text("()[]{}|*+?^$\\-,01apdiwI.", max_size=10))
def test_no_text_makes_anything_but_an_expression_or_a_reason(expression: str) -> None:
    with suppress(ValueError):
        assert pattern(expression)(expression) in (True, False)


@pytest.mark.parametrize(
    "expression", ["(a*)*b", "(a|a)*b", "(a|aa)+b", "(.*)*,", "(a?){200}a{200}", "(a|b)*a(a|b){12}", "(a?){0,2000}b"]
)
def test_no_expression_takes_longer_than_the_value_is_long(expression: str) -> None:
    matches = pattern(expression)
    begun = time.process_time()
    assert not matches("a" * 50_000 + "c")
    assert not matches("ab" * 25_000 + "c")
    assert time.process_time() - begun < 5


def test_what_is_kept_of_a_pattern_is_bounded_and_nothing_is_lost_with_it() -> None:
    matches = pattern(r"(a|b)*a(a|b){9}|\p{L}+")
    for number in range(0x4E00, 0x4E00 + 20_500):
        assert matches(chr(number))
    for number in range(2**12):
        text = f"{number:012b}".replace("0", "b").replace("1", "a")
        assert matches(text)
        assert matches(text + "1") is False


def test_the_memory_of_a_pattern_is_bounded_whatever_the_values() -> None:
    matches = pattern(r"(a|b)*a(a|b){100}")
    value = "".join(random.Random(5).choices("ab", k=6_000))  # noqa: S311 - no secret
    tracemalloc.start()
    matches(value)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 25


def test_the_whole_value_is_matched_and_the_words_quote_the_rule() -> None:
    tested = constrained("string", pattern="[A-Z]+")
    assert rules(tested, "ABC") == []
    assert rules(tested, "ABCd") == ["pattern"]
    problem = judge(tested, "x")
    assert problem is not None
    assert problem.words == "must be of the pattern [A-Z]+"
