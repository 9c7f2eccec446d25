"""The values of cells, native: texts, numbers, true or false, dates and times, errors."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from chalicelib.inspection.xlsx.dates import Shown, iso_moment, moment_of
from chalicelib.inspection.xlsx.package import DamagedError
from chalicelib.inspection.xlsx.sheet import INLINE
from chalicelib.inspection.xlsx.strings import Strings, unescaped

_NUMBER = re.compile(
    r"[ \t\r\n]*+([+-]?(?:[0-9]{1,400}+(?:\.[0-9]{0,400})?|\.[0-9]{1,400})(?:[eE][+-]?[0-9]{1,4})?)[ \t\r\n]*+"
)
_MOST_INTEGER = 18


@dataclass(frozen=True, slots=True)
class CellError:
    """What is in a cell whose formula failed: no value of any type."""

    def __str__(self) -> str:
        return "#ERROR!"


ERROR = CellError()


class CellValues:
    """Makes values of what stands in the cells of a workbook."""

    def __init__(self, strings: Strings, shown: Sequence[Shown | None], *, is_1904: bool) -> None:
        self._strings = strings
        self._shown = shown
        self._is_1904 = is_1904

    def value(self, kind: str | None, style: str | None, text: str) -> Any:
        """The value of a cell of that type and style; None if there is none. Raises DamagedError."""
        if kind == "s":
            return (self._strings[self._shared_number(text)] or None) if text else None
        if kind is None or kind == "n":
            return self._number(style, text)
        if kind in ("str", INLINE):
            return unescaped(text) or None
        if kind == "b":
            return _flag(text)
        if kind == "e":
            return ERROR
        if kind == "d":
            return _moment(text)
        raise DamagedError("a cell has a value of an unknown type")

    def check(self, kind: str | None, style: str | None, text: str) -> Any:
        """Whether a cell has a value, which is not made; an error is itself. Raises DamagedError."""
        if kind == "s":
            return bool(text) and self._strings.is_filled(self._shared_number(text))
        if kind is None or kind == "n":
            return self._digits(text) is not None
        found = self.value(kind, style, text)
        return found if found is ERROR else found is not None

    def _shared_number(self, text: str) -> int:
        number = int(text) if text.isascii() and text.isdecimal() and len(text) < _MOST_INTEGER else -1
        if not 0 <= number < len(self._strings):
            raise DamagedError("a cell has a shared text that there is not")
        return number

    def _digits(self, text: str) -> str | None:
        found = _NUMBER.fullmatch(text)
        if found:
            return found[1]
        if text.strip():
            raise DamagedError("a cell has a number that is none")
        return None

    def _number(self, style: str | None, text: str) -> Any:
        digits = self._digits(text)
        if digits is None:
            return None
        shown = self._shown_as(style)
        if shown is not None:
            moment = moment_of(float(digits), shown, is_1904=self._is_1904)
            if moment is not None:
                return moment
        return int(digits) if len(digits) <= _MOST_INTEGER and digits.isdecimal() else Decimal(digits)

    def _shown_as(self, style: str | None) -> Shown | None:
        if not style or not style.isascii() or not style.isdecimal() or len(style) > _MOST_INTEGER:
            return None
        number = int(style)
        return self._shown[number] if number < len(self._shown) else None


def _flag(text: str) -> bool | None:
    if text not in ("0", "1", "true", "false", ""):
        raise DamagedError("a cell is neither true nor false")
    return text in ("1", "true") if text else None


def _moment(text: str) -> object:
    try:
        return iso_moment(text.strip()) if text.strip() else None
    except ValueError:
        raise DamagedError("a cell has a date that is none") from None


def label(value: object) -> str:
    """What a cell of the header says."""
    if value is None or isinstance(value, CellError):
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    return value.isoformat() if isinstance(value, date | datetime | time) else str(value)
