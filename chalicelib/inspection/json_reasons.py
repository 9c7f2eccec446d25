"""Why a text is not JSON, in sentences that teach; they quote no more of it than one character."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.inspection.json_grammar import CLOSERS, Part


class Malformed(Exception):
    """The text is not JSON: why, and at which offset of the block. There is nothing more to read."""

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.offset = offset


class TooDeep(Exception):
    """The bracket or brace at `offset` of the block opens a deeper level than is read."""

    def __init__(self, offset: int) -> None:
        super().__init__(offset)
        self.offset = offset


LACKS: Mapping[Part, str] = {
    Part.MINUS: "a minus sign is not followed by a digit",
    Part.POINT: "a number has no digit after its point",
    Part.MARK: "a number has no digit in its exponent",
    Part.SIGN: "a number has no digit in its exponent",
}
"""Why a number may not end after one of these parts; it may end after any other."""
LEADING_ZERO = "a number begins with a needless 0"

UNQUOTED = "only true, false and null are written without quotes"
_NO_COMMENTS = "JSON has no comments"
_NOT_A_VALUE = {
    "N": "NaN is not a JSON number, and None is not JSON; write null",
    "I": "Infinity is not a JSON number; write null",
    "T": "true is written in small letters",
    "F": "false is written in small letters",
    "u": "undefined is not JSON; write null",
    "'": "text is quoted with \" and not with '",
    "/": _NO_COMMENTS,
    "#": _NO_COMMENTS,
    "+": "a number does not begin with +",
    ".": "a number has no digit before its point",
    ",": "there is no value before a comma",
}


def character(block: bytes, position: int) -> str:
    """The character at `position`, or its code point if it cannot be seen."""
    found = block[position : position + 4].decode("utf-8", "ignore")[:1]
    return found if found.isprintable() else f"U+{ord(found):04X}"


def not_a_value(found: str) -> str:
    """Why no value begins with this character."""
    return _NOT_A_VALUE.get(found, f"{found} does not begin a value")


def not_an_element(found: str) -> str:
    """Why this character does not follow a comma in an array."""
    return "a comma is followed by ]" if found == "]" else not_a_value(found)


def not_a_member_value(found: str) -> str:
    """Why this character does not follow a colon."""
    return f"a colon is followed by {found}" if found in tuple(",}]:") else not_a_value(found)


def not_a_name(found: str) -> str:
    """Why no member begins with this character."""
    if found == "}":
        return "a comma is followed by }"
    if found in ("/", "#"):
        return _NO_COMMENTS
    return f'a name in double quotes, as in "name", is expected and not {found}'


def not_after_value(found: str, container: int) -> str:
    """Why this character does not follow a value inside `container`."""
    if found in ("/", "#"):
        return _NO_COMMENTS
    return f"a comma or {chr(CLOSERS[container])} is expected and not {found}"


def not_a_character(found: str) -> str:
    """Why this control character may not be inside a string."""
    names = {"U+000A": r"a line break (write \n)", "U+0009": r"a tab (write \t)"}
    return f"there is {names.get(found, f'the control character {found}')} inside a string"
