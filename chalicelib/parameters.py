"""What a request asks for, read from its query and its body; every mistake in one sentence. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from chalicelib.browsing import KINDS, STATUSES, Filters, bound
from chalicelib.findings import CATALOGUE, Cause
from chalicelib.problems import ProblemError
from chalicelib.uploads import iso

MOST_LISTED = 200
LISTED = 25
MOST_OF_A_KEY = 500
LONGEST_KEY = 1024
LONGEST_TEXT = 200
LONGEST_CURSOR = 4000
MOST_BODY = 64 * 1024
MOST_METADATA = 2048
MOST_UPLOADED = 5 << 30
"""What S3 takes by a form."""
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MOST_HOURS, MOST_DAYS = 31 * DAY, 92 * DAY
CAUSES = tuple(map(str, Cause))
SHA256 = re.compile(r"[0-9a-f]{64}")
CONTENT_TYPE = re.compile(r"[\w.+-]{1,80}/[\w.+-]{1,80}(?:; ?[\w-]+=[\w.-]+)?", re.ASCII)
METADATA_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


class Query:
    """The parameters of a request, each at most once and none that is not known."""

    def __init__(self, given: Mapping[str, Sequence[str]], known: Sequence[str]) -> None:
        for name, values in given.items():
            if name not in known:
                listed = f"it takes {', '.join(known)}" if known else "it takes none"
                raise _wrong(name, f"There is no parameter {name[:LONGEST_TEXT]!r} here: {listed}.")
            if len(values) != 1:
                raise _wrong(name, f"Give {name} once: it came {len(values)} times.")
        self._given = {name: values[0] for name, values in given.items()}

    def text(self, name: str, *, longest: int = LONGEST_TEXT) -> str | None:
        """Any text but none; None if it is not given."""
        value = self._given.get(name)
        if value is not None and not 0 < _size(value) <= longest:
            raise _wrong(name, f"Give {name} a value of 1 to {longest} bytes, or leave it out.")
        return value

    def one_of(self, name: str, allowed: Sequence[str], words: str | None = None) -> str | None:
        """One of few words."""
        value = self._given.get(name)
        if value is not None and value not in allowed:
            raise _wrong(name, f"{name} is {words or 'one of ' + ', '.join(allowed)}; it was {value[:100]!r}.")
        return value

    def matching(self, name: str, pattern: re.Pattern[str], words: str) -> str | None:
        """A text of a form."""
        value = self._given.get(name)
        if value is not None and not pattern.fullmatch(value):
            raise _wrong(name, f"{name} is {words}; it was {value[:100]!r}.")
        return value

    def number(self, name: str, default: int, low: int, high: int) -> int:
        """A whole number within bounds."""
        value = self._given.get(name)
        if value is None:
            return default
        if not re.fullmatch(r"-?[0-9]{1,9}", value) or not low <= int(value) <= high:
            raise _wrong(name, f"{name} is a whole number from {low} to {high}; it was {value[:100]!r}.")
        return int(value)

    def moment(self, name: str) -> datetime | None:
        """A time, UTC unless it says otherwise. An address has a space for a plus: it is read as one."""
        value = self._given.get(name)
        if value is None:
            return None
        try:
            moment = datetime.fromisoformat(re.sub(r" (?=\d\d:?\d\d$)", "+", value))
            moment = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
        except (ValueError, OverflowError):
            moment = datetime.min.replace(tzinfo=UTC)
        if not 1970 <= moment.year < 9999:
            raise _wrong(name, f"{name} is a time as in 2026-11-23T08:00:00Z, or a date; it was {value[:100]!r}.")
        return moment

    def period(self) -> tuple[datetime | None, datetime | None]:
        """From one moment to before another, by `day`, or by `from` and `to`."""
        since, until = self.moment("from"), self.moment("to")
        if day := self._day():
            if since or until:
                raise _wrong("day", "day is a whole period: give it without from and to.")
            return day, day + DAY
        if since and until and iso(since) >= iso(until):
            raise _wrong("from", "There is no time between from and to: from must be before to.")
        return since, until

    def _day(self) -> datetime | None:
        value = self._given.get("day")
        if value is None:
            return None
        try:
            day = date.fromisoformat(value) if re.fullmatch(r"\d{4}-\d\d-\d\d", value) else date.min
        except ValueError:
            day = date.min
        if not 1970 <= day.year < 9999:
            raise _wrong("day", f"day is a date in UTC, as in 2026-11-23; it was {value[:100]!r}.")
        return datetime(day.year, day.month, day.day, tzinfo=UTC)


FILTERS = (
    *("status", "cause", "source", "day", "from", "to", "contract", "format", "finding", "prefix", "search"),
    *("sha256", "kind", "limit", "cursor"),
)


def filters_of(query: Query) -> Filters:
    """The filters of a list of receipts."""
    since, until = query.period()
    kind = query.one_of("kind", KINDS) or "upload"
    return Filters(
        kind=None if kind == "any" else kind,
        status=query.one_of("status", STATUSES),
        cause=query.one_of("cause", CAUSES),
        source=query.text("source", longest=LONGEST_KEY),
        since=bound(since),
        until=bound(until),
        contract=query.text("contract"),
        format=query.text("format"),
        finding=query.one_of("finding", tuple(CATALOGUE), "one of the codes in docs/findings.md"),
        prefix=query.text("prefix", longest=LONGEST_KEY),
        search=query.text("search"),
        sha256=query.matching("sha256", SHA256, "a SHA-256 as 64 lower-case hexadecimal digits"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What a summary is of: a period, in hours or days of a time zone."""

    since: datetime
    until: datetime
    by: str
    offset: timedelta


def span_of(query: Query, now: datetime) -> Span:
    """The period of a summary: the last 24 hours unless it says otherwise, and not too long to be counted at once."""
    since, until = query.period()
    until = until or now
    since = since or until - DAY
    by = query.one_of("by", ("hour", "day")) or "hour"
    if iso(since) >= iso(until):
        raise _wrong("from", "There is no time in this period: from must be before to, or before now.")
    most = MOST_HOURS if by == "hour" else MOST_DAYS
    if until - since > most:
        raise ProblemError(
            "period-too-large",
            f"By {by}, a summary is of at most {most.days} days: ask for parts, or choose by=day.",
            parameter="from",
        )
    offset = timedelta(minutes=query.number("utc_offset_minutes", 0, -14 * 60, 14 * 60))
    return Span(since=since, until=until, by=by, offset=offset)


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadWish:
    """The upload that somebody wants to make."""

    name: str
    content_type: str | None = None
    metadata: Mapping[str, str]
    size: int | None = None


def wish_of(body: bytes) -> UploadWish:
    """What the body of POST /uploads asks for."""
    content = _json(body)
    if unknown := sorted(content.keys() - {"name", "content_type", "metadata", "size"}):
        raise _bad(f"There is no member {unknown[0][:100]!r}: it takes name, content_type, metadata and size.")
    name, type_, size = content.get("name"), content.get("content_type"), content.get("size")
    if not isinstance(name, str) or not _is_name(name):
        raise _bad(
            "name is the file's name, with folders if you like, as in orders/2026-11.csv: 1 to 512 bytes, no control "
            "characters, and no part of it empty, . or .."
        )
    if type_ is not None and not (isinstance(type_, str) and CONTENT_TYPE.fullmatch(type_)):
        raise _bad("content_type is a media type, as in text/csv.")
    if size is not None and (type(size) is not int or size < 0):
        raise _bad("size is the file's number of bytes.")
    return UploadWish(name=name, content_type=type_, metadata=_metadata(content.get("metadata")), size=size)


def _is_name(name: str) -> bool:
    parts = name.split("/")
    return 0 < _size(name) <= 512 and name.isprintable() and not {"", ".", ".."} & set(parts)


def _metadata(content: Any) -> Mapping[str, str]:
    if content is None:
        return {}
    is_good = isinstance(content, dict) and all(
        METADATA_NAME.fullmatch(name) and isinstance(value, str) and value.isascii() and value.isprintable()
        for name, value in content.items()
    )
    if not is_good or sum(len(name) + len(value) for name, value in content.items()) > MOST_METADATA:
        raise _bad(
            "metadata is an object of short texts in ASCII, 2,048 characters in all; its names have a-z, 0-9, - and _."
        )
    return dict(content)


def _json(body: bytes) -> dict[str, Any]:
    if len(body) > MOST_BODY:
        raise ProblemError("body-too-large", "The body has more than 64 KiB: it says which file, and is not the file.")
    try:
        content = json.loads(body, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ProblemError(
            "invalid-body", 'The body is not JSON: send an object as in {"name": "orders.csv"}.'
        ) from error
    if not isinstance(content, dict):
        raise ProblemError("invalid-body", 'The body is no JSON object: send one as in {"name": "orders.csv"}.')
    return content


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _size(text: str) -> int:
    """Bytes in UTF-8; none for what cannot be encoded, a half surrogate pair."""
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        return 0


def _wrong(name: str, detail: str) -> ProblemError:
    return ProblemError("invalid-parameter", detail, parameter=name[:LONGEST_TEXT])


def _bad(detail: str) -> ProblemError:
    return ProblemError("unprocessable", detail)
