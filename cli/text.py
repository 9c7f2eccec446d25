"""Words, numbers and times for people; and text that others chose made safe for a terminal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from infra.stages import UsageError

NAMELESS = "a file without a name"
UNITS: Mapping[str, str] = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def printable(text: object) -> str:
    """The text in one line, its control characters shown and not obeyed: names come from strangers."""
    return "".join(mark if mark.isprintable() else mark.encode("unicode_escape").decode() for mark in str(text))


def called(name: object) -> str:
    """A file's name for a sentence, even where it was given as nothing at all."""
    return printable(name) or NAMELESS


def sentence(text: object) -> str:
    """The text in one line, with a mark at its end."""
    line = printable(text)
    return line if line.endswith((".", "?", "!")) else f"{line}."


def why(error: OSError) -> str:
    """Why a file could not be read or written, in words that end a sentence."""
    known: dict[type[OSError], str] = {
        FileNotFoundError: "there is no such file",
        FileExistsError: "there is a file of that name",
        IsADirectoryError: "it is a folder; name the files in it",
        PermissionError: "you may not read or write it",
    }
    return known.get(type(error), error.strerror or str(error))


def size(count: int | None) -> str:
    """A number of bytes for people."""
    if count is None:
        return ""
    if count < 1000:
        return f"{count} B"
    for unit, scale in (("kB", 1e3), ("MB", 1e6), ("GB", 1e9)):
        if count < scale * 1000:
            return f"{count / scale:.1f} {unit}"
    return f"{count / 1e12:.1f} TB"


def number(count: int | None) -> str:
    """A count with thousands separated; nothing if it is unknown."""
    return "" if count is None else f"{count:,}"


def local_time(iso: str) -> str:
    """A receipt's UTC time in the reader's own time zone; today's without the date."""
    moment = datetime.fromisoformat(iso).astimezone()
    is_today = moment.date() == datetime.now(UTC).astimezone().date()
    return moment.strftime("%H:%M:%S" if is_today else "%Y-%m-%d %H:%M")


def position(finding: Mapping[str, Any]) -> str:
    """Where a finding is, in words."""
    words = [f"{word} {finding[word]:,}" for word in ("row", "line", "column") if word in finding]
    if "field" in finding:
        words.append(f"field {printable(finding['field'])}")
    return ", ".join(words)


def moment(text: str) -> datetime:
    """A time given by a person: ISO 8601 (local unless it says otherwise), or how long ago, as in 90m, 6h, 2d."""
    ago = re.fullmatch(r"(\d+)([smhdw])", text.strip())
    try:
        if ago:
            return datetime.now(UTC) - timedelta(**{UNITS[ago[2]]: int(ago[1])})
        return datetime.fromisoformat(text.strip()).astimezone(UTC)
    except (ValueError, OverflowError) as error:  # the second: before the year 1, or after 9999
        raise UsageError(
            f"{text!r} is not a time: write 2026-11-23, 2026-11-23T08:00, or how long ago: 90m, 6h, 2d."
        ) from error


def bound(text: str | None) -> datetime | None:
    """The time that a person gave, if one was; an option that an unset variable left empty is no time."""
    return None if text is None else moment(text)
