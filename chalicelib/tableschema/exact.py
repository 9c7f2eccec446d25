"""Numbers, exact and of any length, in time that is linear in it."""

from __future__ import annotations

import re
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal

_MOST_DIGITS = 4_000
"""As many make an `int`: for longer ones Python takes quadratic time, and refuses."""
_FEW_BITS = 13_000
_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)
EXPONENT = r"[eE][+-]?0*[0-9]{1,15}+(?![0-9])"
"""Exponents up to 15 digits: any number with one is within what Decimal holds exactly."""
_JSON = re.compile(rf"-?[0-9]++(?:\.[0-9]++)?(?:{EXPONENT})?")

Whole = int | Decimal
"""A whole number: an int, but a Decimal if it is very long."""


def whole(text: str) -> Whole:
    """The whole number of some digits with a sign or without."""
    if len(text) <= _MOST_DIGITS:
        return int(text)
    digits = text.lstrip("+-0") or "0"
    sign = "-" if text.startswith("-") else ""
    return int(sign + digits) if len(digits) <= _MOST_DIGITS else Decimal(sign + digits)


def json_number(text: str) -> Decimal:
    """A number of JSON; NaN, which is of no type but number's, for one with an exponent beyond any use."""
    has_exponent = "e" in text or "E" in text
    return Decimal("NaN") if has_exponent and not _JSON.fullmatch(text) else Decimal(text)


def decimal(value: object) -> Decimal:
    """The number that a value of JSON is; raises ValueError if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


def integral(value: object) -> Whole:
    """The whole number that a value of JSON is, 1.0 as well as 1; raises ValueError if it is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if value.bit_length() < _FEW_BITS else Decimal(value)
    number = decimal(value)
    if not number:
        return 0
    _, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int) or (exponent < 0 and any(digits[max(exponent, -len(digits)) :])):
        raise ValueError
    return int(number) if number.adjusted() < _MOST_DIGITS else number


def number_key(value: Decimal | int) -> str:
    """The same text for the same number, however it was written; NaN is equal to itself."""
    if isinstance(value, int):
        value = Decimal(value)
    if value.is_nan():
        return "NaN"
    return str(value.normalize(_EXACT)) if value else "0"


def whole_key(value: Whole) -> int | str:
    """The same for the same whole number."""
    return value if isinstance(value, int) else number_key(value)
