"""Integers, numbers and booleans: against Python's own Decimal, and exact however long they are."""

from __future__ import annotations

import re
import time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tableschema.schemas import constrained, field, field_refusal, is_right, judge_native, rules

INTEGER, NUMBER = field("integer"), field("number")
NUMERALS = st.text("0123456789+-.eEnNaAiIfF _\u0663", max_size=8)
WRITTEN = st.from_regex(
    r"[+-]?([0-9]{1,3}(\.[0-9]{0,3})?|\.[0-9]{1,3})([eE][+-]?[0-9]{1,3})?",
    fullmatch=True,
    alphabet=st.characters(codec="ascii"),
)
"""As XML Schema's decimal, with an exponent."""


def is_decimal(text: str) -> bool:
    """Whether Python's Decimal takes it, but for what only Python writes."""
    if re.search(r"[^0-9+\-.eEnNaAiIfF]", text) or re.search(r"infinity|snan|\+(inf|nan)|-nan|nan[0-9]", text.lower()):
        return False
    try:
        Decimal(text)
    except ArithmeticError:
        return False
    return True


@given(NUMERALS | WRITTEN | st.decimals(allow_nan=False, places=3).map(str))
def test_a_number_is_what_python_reads_as_a_decimal(text: str) -> None:
    assert is_right(NUMBER, text) is is_decimal(text)
    if is_decimal(text):
        assert str(NUMBER.value(text)) == str(Decimal(text))


@given(NUMERALS | st.integers().map(str))
def test_an_integer_is_digits_with_a_sign_or_without(text: str) -> None:
    assert is_right(INTEGER, text) is bool(re.fullmatch(r"[+-]?[0-9]+", text))
    if is_right(INTEGER, text):
        assert INTEGER.value(text) == int(text)


@given(st.integers(), st.integers(0, 10**9))
def test_groups_of_three_are_read_as_python_writes_them(whole: int, part: int) -> None:
    grouped = f"{whole:,}"
    assert field("integer", groupChar=",").value(grouped) == whole
    text = f"{grouped.replace(',', '.')},{part:09}"
    assert field("number", groupChar=".", decimalChar=",").value(text) == Decimal(
        f"{grouped.replace(',', '')}.{part:09}"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10#000@50", "10000.50"),
        ("1#00#000", "100000"),
        ("1#0000#0000", "100000000"),
        ("1000", "1000"),
        ("@5e-1", "0.05"),
        ("1234#50", None),
        ("1##000", None),
        ("#100", None),
        ("100#", None),
        ("10#00", None),
        ("1@000#000", None),
        ("1.5", None),
    ],
)
def test_only_what_a_grouping_can_have_written_is_a_number(text: str, expected: str | None) -> None:
    tested = field("number", groupChar="#", decimalChar="@")
    assert is_right(tested, text) is (expected is not None)
    if expected:
        assert tested.value(text) == Decimal(expected)


def test_a_group_may_be_marked_by_more_than_a_character() -> None:
    tested = field("number", groupChar=" . ", decimalChar="::")
    assert tested.value("1 . 234 . 567::5") == Decimal("1234567.5")
    assert not is_right(tested, "1 . 234 . 56")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("95%", "95"),
        ("€95", "95"),
        ("EUR 95", "95"),
        ("€ -12.3", "-12.3"),
        ("-12.3 €", "-12.3"),
        ("-€12.3", "-12.3"),
        ("- 5", "-5"),
        ("5e3 m", "5000"),
        ("95EUR", "95"),
        ("(.5)", "0.5"),
        ("1000‰", "1000"),
        ("--5", None),
        ("-€-5", None),
        ("5 - 6", None),
        ("€", None),
        ("1a000", None),
    ],
)
def test_what_stands_around_a_number_that_is_not_bare_is_stripped_and_its_sign_is_not(
    text: str, expected: str | None
) -> None:
    tested = field("number", bareNumber=False)
    assert is_right(tested, text) is (expected is not None)
    assert not is_right(NUMBER, text)
    if expected:
        assert tested.value(text) == Decimal(expected)


@given(st.integers(), st.text("€ $%x", max_size=4), st.text("€ $%xe.", max_size=4))
def test_an_integer_that_is_not_bare_is_found_between_anything(whole: int, before: str, behind: str) -> None:
    assert field("integer", bareNumber=False).value(f"{before}{whole}{behind}") == whole


@pytest.mark.parametrize("text", [" 5", "5 ", "1_000", "٣", "0x5", "", "+", "1e", "1e+", ".", "1.2.3", "--1", "5%"])
def test_what_only_looks_like_a_number_is_none(text: str) -> None:
    assert not is_right(NUMBER, text)
    assert not is_right(INTEGER, text)


@pytest.mark.parametrize("text", ["NaN", "nan", "INF", "inf", "-INF", "-inf"])
def test_what_is_no_number_or_infinite_is_a_number_in_any_case(text: str) -> None:
    assert is_right(NUMBER, text)
    assert not is_right(INTEGER, text)


def test_nan_is_on_no_side_of_a_bound_and_infinity_is_on_one() -> None:
    assert rules(constrained("number", minimum=0), "NaN") == ["minimum"]
    assert rules(constrained("number", maximum=0), "NaN") == ["maximum"]
    assert rules(constrained("number", minimum=0), "-INF") == ["minimum"]
    assert rules(constrained("number", minimum=0), "INF") == []
    assert rules(constrained("number", enum=["NaN"]), "nan") == []


# -- exact


def test_no_digit_of_a_number_is_lost() -> None:
    tested = constrained("number", minimum="0.1000000000000000000000000000000000000000000001")
    assert rules(tested, "0.1000000000000000000000000000000000000000000001") == []
    assert rules(tested, "0.1") == ["minimum"]
    assert rules(constrained("integer", maximum=2**53), str(2**53 + 1)) == ["maximum"]
    assert rules(constrained("number", minimum=0.1), "0.1") == []
    assert rules(constrained("number", exclusiveMinimum=0.1), "0.10") == ["exclusiveMinimum"]


@given(st.integers(3_990, 4_010), st.integers(0, 3), st.sampled_from(["", "+", "-"]))
def test_a_long_integer_is_compared_as_a_short_one_is(digits: int, zeros: int, sign: str) -> None:
    text = sign + "0" * zeros + "7" * digits
    tested = constrained("integer", enum=[("-" if sign == "-" else "") + "7" * digits])
    assert rules(tested, text) == []
    assert rules(tested, text + "7") == ["enum"]
    assert rules(constrained("integer", exclusiveMaximum="7" * digits), text) == (
        [] if sign == "-" else ["exclusiveMaximum"]
    )


HOSTILE = [
    "1" * 1_000_000,
    "-" + "0" * 1_000_000 + "1",
    "1e999999999",
    "-1E-999999999",
    "1e99999999999999999999999",
    "1e" + "9" * 100_000,
    "0e999999999",
    "0." + "1" * 1_000_000,
    "." * 100_000,
    "1,000" * 100_000,
    "-" * 100_000,
    "1 " * 100_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:12])
@pytest.mark.parametrize(
    "options", [{}, {"bareNumber": False}, {"groupChar": ","}, {"groupChar": ",", "bareNumber": False}]
)
@pytest.mark.parametrize("type_", ["integer", "number"])
def test_a_hostile_number_is_judged_at_once(type_: str, options: dict[str, Any], text: str) -> None:
    tested = field(type_, **options, constraints={"minimum": 0, "maximum": 10, "enum": [1, "2"]})
    begun = time.process_time()
    if is_right(tested, text):
        tested.kind.key(tested.value(text))
    assert time.process_time() - begun < 5


def test_an_exponent_of_more_digits_than_can_be_meant_is_no_number() -> None:
    assert is_right(NUMBER, "1e" + "9" * 15)
    assert is_right(NUMBER, "1e" + "0" * 100 + "1")
    assert not is_right(NUMBER, "1e" + "9" * 16)


# -- of JSON


@pytest.mark.parametrize(
    ("value", "integer", "number"),
    [
        (5, True, True),
        (5.0, True, True),
        (Decimal("5.00"), True, True),
        (Decimal("5E+3"), True, True),
        (Decimal("1E+999999999"), True, True),
        (Decimal("0E+999999999"), True, True),
        (Decimal("0E-999999999"), True, True),
        (Decimal("1E-999999999"), False, True),
        (10**5_000, True, True),
        (5.5, False, True),
        (float("inf"), False, True),
        (float("nan"), False, True),
        ("5", True, True),
        ("x", False, False),
        (True, False, False),
        ([5], False, False),
        ({}, False, False),
    ],
    ids=lambda value: repr(value)[:20] if not isinstance(value, int) else "",
)
def test_a_number_of_json_is_one_however_it_is_written_and_true_is_none(
    value: Any, integer: bool, number: bool
) -> None:
    assert (judge_native(INTEGER, value) is None) is integer
    assert (judge_native(NUMBER, value) is None) is number


def test_numbers_that_are_the_same_have_the_same_key() -> None:
    for ones in (
        ["1", "+1", "01"],
        [1, 1.0, Decimal("1.00"), "1"],
        [0, "-0", Decimal("0E+9999")],
        [10**5000, "1" + "0" * 5000],
    ):
        for tested in (INTEGER, NUMBER):
            assert len({tested.kind.key(tested.kind.take(one)) for one in ones}) == 1
    assert NUMBER.kind.key(NUMBER.value("1e3")) == NUMBER.kind.key(NUMBER.value("1000.0"))


# -- booleans


@given(st.sampled_from(["true", "True", "TRUE", "1", "false", "False", "FALSE", "0"]) | st.text(max_size=5))
def test_a_boolean_is_one_of_the_standard_s_words(text: str) -> None:
    words = {
        "true": True,
        "True": True,
        "TRUE": True,
        "1": True,
        "false": False,
        "False": False,
        "FALSE": False,
        "0": False,
    }
    assert is_right(field("boolean"), text) is (text in words)
    if text in words:
        assert field("boolean").value(text) is words[text]


def test_the_words_of_a_boolean_are_those_that_are_said() -> None:
    tested = field("boolean", trueValues=["sim"], falseValues=["não", "0"])
    assert [is_right(tested, text) for text in ("sim", "não", "0", "true", "1", "")] == [
        True,
        True,
        True,
        False,
        False,
        False,
    ]
    assert judge_native(tested, True) is None
    assert judge_native(tested, 1) is not None
    assert rules(constrained("boolean", enum=[True]), "0") == ["enum"]


# -- what is refused


@pytest.mark.parametrize(
    ("properties", "place", "reason"),
    [
        ({"type": "number", "decimalChar": ""}, "decimalChar", "not empty"),
        ({"type": "number", "decimalChar": ",", "groupChar": ","}, "decimalChar", "not that of groupChar"),
        ({"type": "number", "decimalChar": "5"}, "decimalChar", "no digit"),
        ({"type": "integer", "groupChar": "-"}, "groupChar", "no digit, sign or e"),
        ({"type": "integer", "groupChar": 3}, "groupChar", "must be a text"),
        ({"type": "integer", "bareNumber": "no"}, "bareNumber", "true or false"),
        ({"type": "integer", "format": "hex"}, "format", "there is no format of integer"),
        ({"type": "boolean", "trueValues": []}, "trueValues", "not empty"),
        ({"type": "boolean", "trueValues": [True]}, "trueValues", "array of texts"),
        ({"type": "boolean", "trueValues": ["x"], "falseValues": ["x"]}, "falseValues", "trueValues too"),
        ({"type": "number", "constraints": {"minimum": "NaN"}}, "constraints.minimum", "compared"),
    ],
)
def test_an_option_that_is_wrong_is_refused(properties: dict[str, Any], place: str, reason: str) -> None:
    found, why = field_refusal(**properties)
    assert found == place
    assert reason in why
