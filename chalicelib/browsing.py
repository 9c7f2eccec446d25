"""What a list of receipts may be asked for, where it goes on, and how one receipt is named in an address. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

from chalicelib.receipts import INSPECTING, SHARDS
from chalicelib.seals import source_of
from chalicelib.uploads import Kind, iso

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
FINGERPRINT = 12
MOST_INSPECTIONS = 10**6
LONGEST_IDENTITY = 2048
EARLIEST = "0"
"""Sorts before every moment; DynamoDB takes no empty text for a bound."""


class Listing(StrEnum):
    """The indexes that lists are read from."""

    JOURNAL = "journal"
    FAILURES = "failures"
    SOURCES = "sources"
    UNFINISHED = "unfinished"
    CONTENT = "content"


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entry stands in a list that is merged of shards: the newest first, then by shard, then as its shard has
    it. So a list goes on exactly behind an entry, whatever came in since."""

    order: str
    shard: int
    pk: str
    sk: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which receipts are asked for; None is all. `failed`, and every cause, means uploads whose current receipt is so.

    `since` and `until` bound when a receipt was made (a mark: until when it has time), as ISO 8601 in UTC.
    """

    kind: str | None = "upload"
    status: str | None = None
    cause: str | None = None
    source: str | None = None
    since: str | None = None
    until: str | None = None
    contract: str | None = None
    format: str | None = None
    finding: str | None = None
    prefix: str | None = None
    search: str | None = None
    sha256: str | None = None

    @property
    def is_of_failures(self) -> bool:
        """Whether only current failures are asked for."""
        return self.status == "failed" or self.cause is not None

    @property
    def of_source(self) -> str | None:
        """The one source that they are of, if the filters say so."""
        if self.source is None and self.prefix and "/" in self.prefix:
            return source_of(self.prefix)
        return self.source

    @property
    def listing(self) -> Listing:
        """The index that has the fewest others among them."""
        if self.status == INSPECTING:
            return Listing.UNFINISHED
        if self.sha256 is not None:
            return Listing.CONTENT
        if self.is_of_failures:
            return Listing.FAILURES
        return Listing.JOURNAL if self.of_source is None else Listing.SOURCES

    def owner(self, bucket: str) -> str:
        """What the partition keys of the index begin with."""
        match self.listing:
            case Listing.CONTENT:
                return f"{self.sha256}#"
            case Listing.SOURCES:
                return f"{bucket}/{self.of_source}#"
        return f"{bucket}#"

    @property
    def needs_details(self) -> bool:
        """Whether the index does not say all that is to be known."""
        return (
            self.listing in (Listing.CONTENT, Listing.UNFINISHED)
            or self.contract is not None
            or self.finding is not None
            or self.sha256 is not None
        )

    @property
    def narrows(self) -> bool:
        """Whether the index holds others, so that more must be read than is shown."""
        kept = {"since", "until", *(["kind"] if self.kind in (None, "upload") else [])} | {
            Listing.FAILURES: {"status"},
            Listing.SOURCES: {"source"},
            Listing.CONTENT: {"sha256"},
        }.get(self.listing, set())
        return any(getattr(self, field.name) is not None for field in fields(self) if field.name not in kept)

    def hold(self, entry: Mapping[str, Any], bucket: str) -> bool:
        """Whether an entry of the index is one of those asked for; the period is the index's to hold."""
        key = entry["key"]
        return (
            entry["bucket"] == bucket
            and self.kind in (None, entry["kind"])
            and self.status in (None, entry.get("status"))
            and self.cause in (None, entry.get("cause"))
            and (not self.is_of_failures or entry.get("is_current", True))
            and self.source in (None, source_of(key))
            and self.format in (None, entry.get("format"))
            and self.contract in (None, entry.get("contract"))
            and (self.finding is None or self.finding in entry.get("finding_counts", {}))
            and key.startswith(self.prefix or "")
            and (self.search or "").casefold() in key.casefold()
            and self.sha256 in (None, entry.get("sha256"))
        )

    @property
    def fingerprint(self) -> str:
        """By which a cursor knows that it goes on in the same list."""
        content = json.dumps([getattr(self, field.name) for field in fields(self)], separators=(",", ":"))
        return hashlib.sha256(content.encode(errors="surrogatepass")).hexdigest()[:FINGERPRINT]


def cursor_of(filters: Filters, place: Place) -> str:
    """Where the list goes on, as opaque text for an address."""
    return _opaque(json.dumps([filters.fingerprint, place.order, place.shard, place.pk, place.sk], ensure_ascii=False))


def place_of(filters: Filters, cursor: str) -> Place:
    """The place out of its text; ValueError if it is none, or another list's."""
    content = json.loads(_plain(cursor))
    fingerprint, order, shard, pk, sk = content
    place = Place(order, shard, pk, sk)
    is_typed = [type(each) for each in content] == [str, str, int, str, int]
    if not is_typed or fingerprint != filters.fingerprint or not MOMENT.fullmatch(order):
        raise ValueError("it is no cursor of this list")
    if not (0 <= shard < SHARDS and 0 < sk <= MOST_INSPECTIONS and 0 < len(pk.encode()) <= LONGEST_IDENTITY):
        raise ValueError("no entry has such a place")
    if order < (filters.since or EARLIEST) or (filters.until and order >= filters.until):
        raise ValueError("the place is outside the period")
    return place


def id_of(bucket: str, identity: str, inspection: int) -> str:
    """A receipt's name in an address: opaque, with no character that needs encoding."""
    return _opaque(f"{inspection}/{identity.removeprefix(f'{bucket}/')}")


def receipt_of(bucket: str, id_: str) -> tuple[str, int]:
    """The identity and the inspection that the name stands for; ValueError if it is none."""
    number, slash, rest = _plain(id_).partition("/")
    if not slash or not re.fullmatch(r"[1-9]\d{0,5}", number) or "#" not in rest:
        raise ValueError("it names no receipt")
    identity = f"{bucket}/{rest}"
    if len(identity.encode()) > LONGEST_IDENTITY or id_of(bucket, identity, int(number)) != id_:
        raise ValueError("it names no receipt")
    return identity, int(number)


def _opaque(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _plain(text: str) -> str:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError) as error:
        raise ValueError("it is not ours") from error


def bound(moment: datetime | None) -> str | None:
    """A moment as the indexes have it."""
    return iso(moment) if moment else None


KINDS = (*map(str, Kind), "any")
STATUSES = ("succeeded", "failed", INSPECTING)
