"""The profile of a column, worked out anew in the plainest way: every cell by itself, each type by its own reader."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction
from typing import Any

Read = Callable[[str], Any]
"""The value of a cell; None if it is of another type."""


def whole(cell: str) -> Fraction | None:
    digits = cell.removeprefix("-")
    is_whole = digits.isascii() and digits.isdigit() and len(digits) <= 18 and (digits == "0" or digits[0] != "0")
    return Fraction(int(cell)) if is_whole else None


def pointed(cell: str) -> Fraction | None:
    if whole(cell) is not None:
        return whole(cell)
    before, point, after = cell.removeprefix("-").partition(".")
    digits, mark, exponent = after.replace("E", "e").partition("e")
    fits = point and (not before or whole(before) is not None) and not before.startswith("-")
    fits = fits and digits.isascii() and digits.isdigit() and len(digits) <= 18
    if not fits or (mark and not re.fullmatch("[+-]?[0-9]{1,2}", exponent)):
        return None
    return Fraction(Decimal(cell))


def with_comma(cell: str) -> Fraction | None:
    if whole(cell) is not None:
        return whole(cell)
    before, comma, after = cell.partition(",")
    fits = whole(before) is not None and comma and after.isascii() and after.isdigit() and len(after) <= 18
    return Fraction(f"{before}.{after}") if fits else None


def is_grouped(cell: str, group: str) -> bool:
    first, *groups = cell.removeprefix("-").split(group)
    return (
        0 < len(groups) <= 5
        and whole(first) is not None
        and not first.startswith("-")
        and first != "0"
        and len(first) <= 3
        and all(len(each) == 3 and each.isascii() and each.isdigit() for each in groups)
    )


def grouped(cell: str, group: str, point: str) -> Fraction | None:
    before, mark, after = cell.partition(point)
    if not is_grouped(before, group) or (mark and not (after.isascii() and after.isdigit() and len(after) <= 18)):
        return None
    return Fraction(before.replace(group, "") + (f".{after}" if mark else ""))


def anglo(cell: str) -> Fraction | None:
    found = grouped(cell, ",", ".")
    return found if found is not None else pointed(cell)


def latin(cell: str) -> Fraction | None:
    found = grouped(cell, ".", ",")
    return found if found is not None else with_comma(cell)


def of(pattern: str, shape: str) -> Read:
    """A date or time of a pattern of `strptime`, if it is of a shape as well: `strptime` takes more than is meant."""

    def read(cell: str) -> datetime | None:
        if not re.fullmatch(shape, cell):
            return None
        try:
            found = datetime.strptime(cell, pattern)  # noqa: DTZ007
            return found.astimezone(UTC) if found.tzinfo else found
        except (ValueError, OverflowError):
            return None

    return read


def one_of(*pair: str) -> Read:
    words = {form(word) for word in pair for form in (str.lower, str.capitalize, str.upper)}
    return lambda cell: cell if cell in words else None


SLASHES = "[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}"
TIMES = {"%Y-%m-%d": "date", "%d/%m/%Y": "date", "%m/%d/%Y": "date", "%H:%M": "time", "%Y-%m-%dT%H:%M:%S": "datetime"}
SHAPES = {
    "%Y-%m-%d": "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}",
    "%d/%m/%Y": SLASHES,
    "%m/%d/%Y": SLASHES,
    "%H:%M": "[0-9]{2}:[0-9]{2}",
    "%Y-%m-%dT%H:%M:%S": "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}T[0-9]{2}:[0-9]{2}:[0-9]{2}",
}


@dataclass(frozen=True, slots=True)
class Type:
    name: str
    format: str | None
    read: Read
    tells: Callable[[str], bool]
    """Whether a cell is of this type and cannot be taken for the other that is written alike."""


def _always(_: str) -> bool:
    return True


def _is_two(cell: str) -> bool:
    """Whether day and month cannot change places."""
    return not (SLASH_READS[0](cell) and SLASH_READS[1](cell)) or re.match("(.+)/\\1/", cell) is not None


SLASH_READS = [of(pattern, SLASHES) for pattern in ("%d/%m/%Y", "%m/%d/%Y")]
TYPES = (
    *(
        Type("boolean", f"{yes}/{no}", one_of(yes, no), _always)
        for yes, no in (("true", "false"), ("yes", "no"), ("sim", "não"))
    ),
    Type("integer", None, whole, _always),
    Type("number", None, pointed, lambda cell: whole(cell) is None),
    Type("number", "0,0", with_comma, lambda cell: whole(cell) is None and not is_grouped(cell, ",")),
    Type("number", "0,000.0", anglo, lambda cell: grouped(cell, ",", ".") is not None and with_comma(cell) is None),
    Type("number", "0.000,0", latin, lambda cell: grouped(cell, ".", ",") is not None and pointed(cell) is None),
    *(
        Type(name, pattern, of(pattern, SHAPES[pattern]), _is_two if "/" in pattern else _always)
        for pattern, name in TIMES.items()
    ),
    Type("date", "?", lambda cell: SLASH_READS[0](cell) and SLASH_READS[1](cell), lambda cell: not _is_two(cell)),
)


def profile(cells: Sequence[str]) -> dict[str, Any]:
    """What the receipt is to say of a column with these cells, all of which are profiled."""
    there = [cell for cell in cells if cell]
    said: dict[str, Any] = {
        "nulls": len(cells) - len(there),
        "longest": max(map(len, there), default=0),
        "distinct": len(set(there)),
    }
    if not there:
        return said
    told = [kind for kind in TYPES if any(kind.read(cell) is not None and kind.tells(cell) for cell in there)]
    counted = [(sum(kind.read(cell) is not None for cell in there), -at) for at, kind in enumerate(told)]
    count, at = max(counted, default=(0, 0))
    if count * 100 < len(there) * 95 or not count:
        return said | {"type": "string", "share": 10_000}
    kind = told[-at]
    said |= {"type": kind.name, "share": count * 10_000 // len(there)}
    if kind.format and kind.format != "?":
        said["format"] = kind.format
    values = [value for cell in there if (value := kind.read(cell)) is not None]
    return said | _bounds(kind, values)


def _bounds(kind: Type, values: Sequence[Any]) -> dict[str, str]:
    if kind.name == "boolean" or kind.format == "?":
        return {}
    low, high = min(values), max(values)
    if kind.name in ("integer", "number"):
        if any(abs(bound) >= 10**9 and bound.denominator == 1 for bound in (low, high)):
            return {}
        mean = sum(values) / Fraction(len(values))
        with localcontext(prec=15, rounding=ROUND_HALF_EVEN):
            rounded = Decimal(mean.numerator) / Decimal(mean.denominator)
        return {
            "minimum": number(low),
            "maximum": number(high),
            "mean": number(Fraction(rounded)),
            **spread_of_numbers(values),
        }
    form = {"date": "%Y-%m-%d", "time": "%H:%M", "datetime": "%Y-%m-%dT%H:%M:%S"}[kind.name]
    return {"minimum": padded(low, form), "maximum": padded(high, form), **spread(values, MOMENTS[kind.name])}


# -- how values are spread: a width, the number of a value's bin, and how the beginning of a bin is told

Width = tuple[str, Callable[[Any], int], Callable[[int], str]]


def in_numbers(width: Fraction) -> Width:
    return number_told(width), lambda value: int(value // width), lambda at: number_told(at * width)


def number_told(value: Fraction) -> str:
    digits = f"{abs(value.numerator) * 10**6 // value.denominator:07}"
    text = f"{digits[:-6]}.{digits[-6:]}".rstrip("0").rstrip(".")
    return f"-{text}" if value < 0 else text


NUMBER_WIDTHS = [in_numbers(Fraction(10) ** power * times) for power in range(-6, 40) for times in (1, 5)]
NUMBER_WIDTHS.append(in_numbers(Fraction(10) ** 40))
HOURS: Width = (
    "hour",
    lambda at: at.toordinal() * 24 + at.hour,
    lambda at: f"{date.fromordinal(at // 24)}T{at % 24:02}:00",
)
DAYS: Sequence[Width] = (
    ("day", lambda at: at.toordinal(), lambda at: str(date.fromordinal(at))),
    ("month", lambda at: at.year * 12 + at.month - 1, lambda at: f"{at // 12:04}-{at % 12 + 1:02}"),
    ("year", lambda at: at.year, lambda at: f"{at:04}"),
    ("decade", lambda at: at.year // 10, lambda at: f"{at * 10:04}"),
    ("century", lambda at: at.year // 100, lambda at: f"{at * 100:04}"),
)
CLOCK: Width = ("hour", lambda at: at.hour, lambda at: f"{at:02}:00")
MOMENTS = {"date": DAYS, "datetime": (HOURS, *DAYS), "time": (CLOCK,)}


def spread_of_numbers(values: Sequence[Fraction]) -> dict[str, Any]:
    """No bin is narrower than the last digit of a value."""
    digits = next((many for many in range(6) if all((value * 10**many).denominator == 1 for value in values)), 6)
    return spread(values, NUMBER_WIDTHS[12 - 2 * digits :], 24)


def spread(values: Sequence[Any], widths: Sequence[Width], most: int = 36) -> dict[str, Any]:
    """The histogram of the least width with which there are so many bins at most."""
    for width, bin_of, told in widths:
        bins = [bin_of(value) for value in values]
        if max(bins) - min(bins) < most:
            counts = [bins.count(at) for at in range(min(bins), max(bins) + 1)]
            few = len(counts) == 1 or len(values) < 10
            return {} if few else {"histogram": {"begin": told(min(bins)), "width": width, "counts": counts}}
    return {}


def padded(at: date, form: str) -> str:
    return at.strftime(form).zfill(len(at.replace(year=2000).strftime(form)))


def number(value: Fraction) -> str:
    """A number, of which only finite ones come here, without an exponent if that is short enough."""
    with localcontext(prec=500):
        exact = (Decimal(value.numerator) / Decimal(value.denominator)).normalize()
    text = f"{exact:f}" if exact else "0"
    return text if len(text) <= 30 else str(exact)
