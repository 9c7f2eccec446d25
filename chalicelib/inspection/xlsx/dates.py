"""Which numbers of a workbook are dates and times, by how they are shown, and which they are."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from chalicelib.inspection.xlsx.xml import MAIN, named

DAY_MILLISECONDS = 86_400_000
_EPOCH, _EPOCH_1904 = datetime(1899, 12, 30), datetime(1904, 1, 1)  # noqa: DTZ001 - a workbook knows no zones
_LEAP_DAY = 60
"""1900 had no 29 February; spreadsheets have it as this day, so that the days before it are one less."""
_FIRST_AFTER = 2_958_466
"""The day after the last of the year 9999, in the older system."""
_SYSTEMS_APART = 1_462
_MOST_STYLES = 1 << 20
_IGNORED = re.compile(r'"[^"]*"?|\\.|[_*].|\[(?![hms]+\])[^\]]*\]?', re.IGNORECASE | re.DOTALL)
_ELAPSED = re.compile(r"\[[hms]+\]", re.IGNORECASE)


class Shown(StrEnum):
    """What a number format makes of a number, if not a number."""

    DATE = "date"
    TIME = "time"
    DATETIME = "datetime"
    DURATION = "duration"


_BUILT_IN: Mapping[int, Shown] = {
    **dict.fromkeys((14, 15, 16, 17, *range(27, 32), 36, *range(50, 55), 57, 58), Shown.DATE),
    **dict.fromkeys((18, 19, 20, 21, 32, 33, 34, 35, 45, 47, 55, 56), Shown.TIME),
    22: Shown.DATETIME,
    46: Shown.DURATION,
}


def shown_as(code: str) -> Shown | None:
    """What a number format shows, by its first section."""
    code = _IGNORED.sub("", code[:1_000]).partition(";")[0].lower()
    if code.strip() == "general":
        return None
    if _ELAPSED.search(code):
        return Shown.DURATION
    has_time = "h" in code or "s" in code
    has_date = "y" in code or "d" in code or ("m" in code and not has_time)
    if has_date:
        return Shown.DATETIME if has_time else Shown.DATE
    return Shown.TIME if has_time else None


class Styles:
    """How the cells of each style show a number: the style sheet's `cellXfs`, and the formats of its own."""

    tags = named(MAIN, "numFmt", "cellXfs", "xf")

    def __init__(self) -> None:
        self._formats: dict[int, Shown | None] = dict(_BUILT_IN)
        self._styles: list[int] = []
        self._is_cells = False

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """A format, the list of the cells' styles, or a style."""
        if tag == "cellXfs":
            self._is_cells = True
        elif tag == "numFmt" and len(self._formats) < _MOST_STYLES:
            self._formats[_number(attributes.get("numFmtId"))] = shown_as(attributes.get("formatCode", ""))
        elif tag == "xf" and self._is_cells and len(self._styles) < _MOST_STYLES:
            self._styles.append(_number(attributes.get("numFmtId")))

    def end(self, tag: str) -> None:
        """The list of the cells' styles ends."""
        self._is_cells = self._is_cells and tag != "cellXfs"

    def text(self, data: str) -> None:
        """Nothing is said between them."""

    def shown(self) -> Sequence[Shown | None]:
        """What each style shows."""
        return [self._formats.get(number) for number in self._styles]


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 10 else 0


Moment = date | time | datetime | timedelta


def moment_of(number: float, shown: Shown, *, is_1904: bool) -> Moment | None:
    """The date or time that a number is shown as; None if it is before or after all that a workbook knows."""
    if not -_FIRST_AFTER < number < _FIRST_AFTER - _SYSTEMS_APART * is_1904:
        return None
    if shown is Shown.DURATION:
        return timedelta(milliseconds=round(number * DAY_MILLISECONDS))
    day, milliseconds = divmod(round(number * DAY_MILLISECONDS), DAY_MILLISECONDS)
    if day < 0 or (not is_1904 and day == _LEAP_DAY):
        return None
    if day == 0 and (shown is Shown.TIME or not is_1904):
        return (_EPOCH + timedelta(milliseconds=milliseconds)).time()
    if not is_1904 and day < _LEAP_DAY:
        day += 1
    found = (_EPOCH_1904 if is_1904 else _EPOCH) + timedelta(days=day, milliseconds=milliseconds)
    return found.date() if shown is Shown.DATE and not milliseconds else found


def iso_moment(text: str) -> Moment:
    """A date or time written out; raises ValueError."""
    if ":" not in text:
        return date.fromisoformat(text)
    return datetime.fromisoformat(text) if "-" in text[:5] else time.fromisoformat(text)
