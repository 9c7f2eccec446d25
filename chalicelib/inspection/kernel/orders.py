"""Bounds as regular expressions of XML Schema: what is written on the right side of one, digit by digit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import NamedTuple

_MOST_DIGITS = 40


class _Side(NamedTuple):
    is_least: bool
    has_bound: bool


BOUNDS: Mapping[str, _Side] = {
    "minimum": _Side(is_least=True, has_bound=True),
    "maximum": _Side(is_least=False, has_bound=True),
    "exclusiveMinimum": _Side(is_least=True, has_bound=False),
    "exclusiveMaximum": _Side(is_least=False, has_bound=False),
}
"""The constraints that are bounds."""

_REST = "[ -~]*"


def escaped(text: str) -> str:
    """An expression for a text itself."""
    return "".join(f"\\{each}" if each.isascii() and not each.isalnum() else each for each in text)


def on_side(name: str, bound: str) -> str:
    """Texts on the right side of one, which have digits where it has digits; one that goes on behind it is more."""
    side = BOUNDS[name]
    branches = [f"{begin}{_REST}" for begin, _ in _differing(bound, is_more=side.is_least)]
    if side.has_bound:
        branches.append(escaped(bound) + (_REST if side.is_least else ""))
    return "|".join(branches)


def numbers_on_side(name: str, bound: Decimal, mark: str) -> str | None:
    """Numbers on the right side of one, with an expression for the decimal mark; None if the bound is unwieldy."""
    if not bound.is_finite() or max(abs(bound.adjusted()), len(bound.as_tuple().digits)) > _MOST_DIGITS:
        return None
    side, whole, _, part = BOUNDS[name], *f"{bound.copy_abs():f}".partition(".")
    beside = _Beside(whole.lstrip("0"), part.rstrip("0"), mark)
    is_negative = bound < 0 or (bound == 0 and not side.is_least)
    sign = "-" if is_negative else r"\+?"
    # Of negative numbers, that of the lower digits is more.
    branches = [sign + each for each in (beside.more() if side.is_least != is_negative else beside.less())]
    if side.has_bound:
        branches.append(("[+-]?" if bound == 0 else sign) + beside.same())
    if is_negative == side.is_least:
        branches.append((r"\+?" if is_negative else "-") + f"[0-9]*(?:{mark}[0-9]*)?")
    return "|".join(branches)


class _Beside(NamedTuple):
    """Numbers without a sign beside one: its digits without zeros at either end, and the mark between them."""

    whole: str
    part: str
    mark: str

    def same(self) -> str:
        part = f"{self.mark}{self.part}0*"
        return f"0*{self.whole}" + (part if self.part else f"(?:{part})?")

    def more(self) -> Iterator[str]:
        yield f"0*[1-9][0-9]{{{len(self.whole)}}}[0-9]*{self._any_part}"
        yield from self._differing(is_more=True)
        yield f"0*{self.whole}{self.mark}{self.part}[0-9]*[1-9][0-9]*"

    def less(self) -> Iterator[str]:
        if self.whole:
            yield f"0*[0-9]{{0,{len(self.whole) - 1}}}{self._any_part}"
        yield from self._differing(is_more=False)
        for at in range(len(self.part)):
            yield f"0*{self.whole}(?:{self.mark}{self.part[:at]})?"

    def _differing(self, *, is_more: bool) -> Iterator[str]:
        for begin, left in _differing(self.whole, is_more=is_more):
            yield f"0*{begin}[0-9]{{{left}}}{self._any_part}"
        for begin, _ in _differing(self.part, is_more=is_more):
            yield f"0*{self.whole}{self.mark}{begin}[0-9]*"

    @property
    def _any_part(self) -> str:
        return f"(?:{self.mark}[0-9]*)?"


def _differing(text: str, *, is_more: bool) -> Iterator[tuple[str, int]]:
    """Beginnings up to a digit that is more than the text's, or less, and how much of the text is behind it."""
    for at, digit in enumerate(text):
        if digit.isdecimal() and digit != ("9" if is_more else "0"):
            digits = f"[{int(digit) + 1}-9]" if is_more else f"[0-{int(digit) - 1}]"
            yield escaped(text[:at]) + digits, len(text) - at - 1
