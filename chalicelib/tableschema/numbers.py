"""The types `integer` and `number`."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

from chalicelib.tableschema.descriptor import Properties
from chalicelib.tableschema.exact import EXPONENT, Whole, decimal, integral, number_key, whole, whole_key
from chalicelib.tableschema.kind import Kind

_SPECIAL = {"nan": Decimal("NaN"), "inf": Decimal("Infinity"), "-inf": Decimal("-Infinity")}
_LONGEST_SPECIAL = 4
_TAKEN = re.compile(r"[0-9+\-eE]")


def integer(options: Properties) -> Kind:
    """Whole numbers, as `groupChar` and `bareNumber` say that they are written."""
    group = _character(options, "groupChar", "")
    written = _Written(_digits(group), is_bare=options.flag("bareNumber", default=True))

    def read(cell: str) -> Whole:
        digits = written.number(cell)
        return whole(digits.replace(group, "") if group else digits)

    def take(value: object) -> Whole:
        return read(value) if isinstance(value, str) else integral(value)

    return Kind(words="must be an integer", read=read, take=take, is_right=written.is_right, key=whole_key)


def number(options: Properties) -> Kind:
    """Decimal numbers, as `decimalChar`, `groupChar` and `bareNumber` say that they are written."""
    point, group = _character(options, "decimalChar", "."), _character(options, "groupChar", "")
    if not point or point == group:
        raise options.refused("decimalChar", "must be a text that is not empty, and not that of groupChar")
    digits, mark = _digits(group), re.escape(point)
    lexical = rf"(?:{digits}(?:{mark}[0-9]*+)?|{mark}[0-9]++)(?:{EXPONENT})?"
    written = _Written(lexical, is_bare=options.flag("bareNumber", default=True))
    plain = _plain(point, group)

    def read(cell: str) -> Decimal:
        special = _special(cell)
        return Decimal(plain(written.number(cell))) if special is None else special

    def take(value: object) -> Decimal:
        return read(value) if isinstance(value, str) else decimal(value)

    def is_right(cell: str) -> bool:
        return bool(written.is_right(cell)) or _special(cell) is not None

    return Kind(words="must be a number", read=read, take=take, is_right=is_right, key=number_key)


def _special(cell: str) -> Decimal | None:
    return _SPECIAL.get(cell.lower()) if len(cell) <= _LONGEST_SPECIAL else None


class _Written:
    """How numbers are written: with a sign or without, and, if they are not bare, between other characters."""

    def __init__(self, lexical: str, *, is_bare: bool) -> None:
        around = r"(?:(?P<first>[+-])[^0-9+-]*?|[^0-9+-]*?(?P<near>[+-]?))(?P<number>{})[^0-9]*+"
        pattern = re.compile(rf"[+-]?{lexical}" if is_bare else around.replace("{}", lexical))
        self._is_bare = is_bare
        self.is_right: Callable[[str], re.Match[str] | None] = pattern.fullmatch

    def number(self, cell: str) -> str:
        """The number in a text, without what stands around it; a sign before a currency is the number's."""
        found = self.is_right(cell)
        if not found:
            raise ValueError
        if self._is_bare:
            return cell
        return (found["first"] or found["near"] or "") + found["number"]


def _character(options: Properties, name: str, default: str) -> str:
    found = options.text(name, default)
    if _TAKEN.search(found):
        raise options.refused(name, "must have no digit, sign or e: numbers have those already")
    return found


def _digits(group: str) -> str:
    """Digits, in groups of three, of two with three at the end, or of four.

    What a grouping cannot have written is refused: a comma that one takes for a decimal point must not make 123450 of
    1234,50.
    """
    if not group:
        return "[0-9]++"
    mark = re.escape(group)
    grouped = rf"[0-9]{{1,3}}(?:{mark}[0-9]{{2,3}})*{mark}[0-9]{{3}}|[0-9]{{1,4}}(?:{mark}[0-9]{{4}})+"
    return rf"(?:{grouped}|[0-9]++)"


def _plain(point: str, group: str) -> Callable[[str], str]:
    """How a number is written without groups, and with a point."""
    if not group and point == ".":
        return str
    return lambda text: (text.replace(group, "") if group else text).replace(point, ".")
