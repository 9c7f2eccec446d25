"""RFC 8259 as patterns over UTF-8 bytes, and the steps of a number.

The patterns are possessive: none ever backtracks, so each byte is looked at once by each match.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import Enum, auto

from chalicelib.inspection.patterns import compiled

SPACE = rb"[ \t\n\r]*+"
# The same as all but quotes, backslashes and control characters; `re` takes the positive class in half the time.
_PLAIN = rb"[ !#-\[\]-\xff]*+"
_ESCAPE = rb'\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})'
_CONTENT = _PLAIN + rb"(?:" + _ESCAPE + _PLAIN + rb")*+"
STRING = rb'"' + _CONTENT + rb'"'
NUMBER = rb"-?+(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][+-]?+[0-9]++)?+"
WORD = rb"true|false|null"
SCALAR = rb"(?:" + STRING + rb"|" + NUMBER + rb"|" + WORD + rb")"


def _run(pattern: bytes) -> Callable[[bytes, int], re.Match[bytes]]:
    """The matcher of a pattern that matches at any place, if only nothing."""
    return compiled(pattern).match  # type: ignore[return-value]


skip_space = _run(SPACE)
skip_digits = _run(rb"[0-9]*+")
skip_content = _run(_CONTENT)
"""The characters and whole escapes of a string, up to its closing quote or what is wrong or incomplete."""

# A number is only known to be whole by what follows it, so these end in a comma, a bracket or a brace.
_MEMBER = SPACE + rb'"[^"\\\x00-\x1f]{0,64}+"' + SPACE + rb":" + SPACE
skip_members = _run(
    rb"(?:" + _MEMBER + SCALAR + SPACE + rb",){0,256}+"
    rb"(?:" + _MEMBER + rb"(?:" + SCALAR + SPACE + rb"(\})|([\[{])))?"
)
"""Members with short plain names and scalars, each with its comma, and perhaps a last one: that with the end of
the object, or the beginning of one whose value the second group opens."""
find_names = compiled(rb'"([^"]*+)"' + SPACE + rb":" + SPACE + rb"(?:" + STRING + rb")?+")
"""The names in what `skip_members` matched: a value that is no string has no quotes."""
find_members = compiled(rb'"([^"]*+)"' + SPACE + rb":" + SPACE + rb"(" + STRING + rb'|[^"][^ \t\n\r,}]*+)')
"""The same names, each with its value or what begins it."""
find_fractional = compiled(rb"[0-9][.eE][^ \t\n\r,]*+").findall
"""The numbers that are not integers in what `skip_numbers` matched, from their last integer digit on."""
skip_scalars = _run(SPACE + rb"(?:" + SCALAR + SPACE + rb"," + SPACE + rb")*+(?:" + SCALAR + SPACE + rb"(\]))?")
"""Elements that are scalars, each with its comma, and perhaps the last with the end of the array."""
skip_numbers = _run(rb"(?:" + SPACE + rb"(?:" + NUMBER + rb"|" + WORD + rb")" + SPACE + rb",)*+")
"""Elements without a string: there are as many as commas."""

QUOTE, BACKSLASH, COMMA, COLON = b'"\\,:'
OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT = b"[]{}"
CLOSERS = {OPEN_ARRAY: CLOSE_ARRAY, OPEN_OBJECT: CLOSE_OBJECT}
WORDS = {word[0]: word for word in WORD.split(b"|")}
NUMBER_STARTS = frozenset(b"-0123456789")
ESCAPED = frozenset(b'"\\/bfnrt')
HEX_DIGITS = frozenset(b"0123456789abcdefABCDEF")
TYPES: Mapping[int, str] = {
    QUOTE: "string",
    OPEN_ARRAY: "array",
    OPEN_OBJECT: "object",
    **dict.fromkeys(NUMBER_STARTS, "number"),
    **{byte: "null" if byte == ord("n") else "boolean" for byte in WORDS},
}
"""The type of a value by its first byte."""
_has_fraction = compiled(rb"[.eE]").search


def value_type(value: bytes) -> str:
    """The type of a value; a number that has neither fraction nor exponent is an integer."""
    name = TYPES[value[0]]
    return "integer" if name == "number" and not _has_fraction(value) else name


class Part(Enum):
    """How far a number has been read."""

    START = auto()
    MINUS = auto()
    ZERO = auto()
    INTEGER = auto()
    POINT = auto()
    FRACTION = auto()
    MARK = auto()
    SIGN = auto()
    EXPONENT = auto()


def _steps(**parts: Part) -> Mapping[int, Part]:
    kinds = {"zero": b"0", "nonzero": b"123456789", "digit": b"0123456789", "point": b"."}
    kinds |= {"minus": b"-", "mark": b"eE", "sign": b"+-"}
    return {byte: part for kind, part in parts.items() for byte in kinds[kind]}


NUMBER_STEPS: Mapping[Part, Mapping[int, Part]] = {
    Part.START: _steps(minus=Part.MINUS, zero=Part.ZERO, nonzero=Part.INTEGER),
    Part.MINUS: _steps(zero=Part.ZERO, nonzero=Part.INTEGER),
    Part.ZERO: _steps(point=Part.POINT, mark=Part.MARK),
    Part.INTEGER: _steps(digit=Part.INTEGER, point=Part.POINT, mark=Part.MARK),
    Part.POINT: _steps(digit=Part.FRACTION),
    Part.FRACTION: _steps(digit=Part.FRACTION, mark=Part.MARK),
    Part.MARK: _steps(digit=Part.EXPONENT, sign=Part.SIGN),
    Part.SIGN: _steps(digit=Part.EXPONENT),
    Part.EXPONENT: _steps(digit=Part.EXPONENT),
}
DIGIT_PARTS = frozenset({Part.INTEGER, Part.FRACTION, Part.EXPONENT})
