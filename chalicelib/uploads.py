"""What S3 announces about an object version: decoding, identity and order. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import unquote_plus

T = TypeVar("T")


class Kind(StrEnum):
    """What happened to the object version; only an `upload` is inspected."""

    UPLOAD = "upload"
    DELETED = "deleted"
    """This version was deleted for good, by a person or a lifecycle rule."""
    DELETE_MARKER = "delete-marker"
    """A delete marker was put on top of the key's versions; none of them is gone."""


class UnreadableEventError(ValueError):
    """The event is not one of S3's: give up, no retry can help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a key's history, as S3 announced it. `size` is bytes; times are UTC."""

    kind: Kind
    bucket: str
    key: str
    version_id: str | None
    etag: str | None
    sequencer: str | None
    size: int | None
    uploaded_at: datetime
    event: str
    principal: str | None = None
    source_address: str | None = None

    @property
    def identity(self) -> str:
        """The entry's name in the ledger: the same for every delivery of its event, and for nothing else.

        A version id cannot contain `#`, so the last one separates the key from the version whatever the key.
        """
        return f"{self.bucket}/{self.key}#{self._version_name}"

    @property
    def _version_name(self) -> str:
        match self.kind, self.version_id:
            case Kind.UPLOAD, None:
                return f"etag={self.etag}&sequencer={self.sequencer}"
            case Kind.UPLOAD, "null":
                return f"null&etag={self.etag}"
            case Kind.UPLOAD, str(version):
                return version
            case kind, (None | "null"):
                return f"{kind}&sequencer={self.sequencer}"
            case kind, version:
                return f"{kind}&{version}"

    @property
    def source(self) -> str:
        """The first segment of the key's path: who sent it. A key without a path is of the source `/`."""
        head, slash, _ = self.key.partition("/")
        return head if slash else "/"

    @property
    def is_folder_marker(self) -> bool:
        """Whether this is the empty object by which consoles show a folder."""
        return self.key.endswith("/") and self.size == 0

    @property
    def place(self) -> str:
        """Where the entry stands among its key's, as text: by S3's time, then sequencer, then version."""
        return f"{iso(self.uploaded_at)}#{padded(self.sequencer)}#{self.version_id or ''}"


SEQUENCER_WIDTH = 32  # S3 documents no length; those seen have 16 to 18 hexadecimal digits


def padded(sequencer: str | None) -> str:
    """A sequencer made comparable as text: the shorter of two is padded with zeros on the right (S3 user guide)."""
    return (sequencer or "").ljust(SEQUENCER_WIDTH, "0")


def iso(moment: datetime) -> str:
    """UTC in ISO 8601, always with milliseconds, so that text order is time order."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def in_order(things: Iterable[T], *, place: Callable[[T], str], sequencer: Callable[[T], str | None]) -> list[T]:
    """A key's entries, oldest first: by sequencer where both have one, else by S3's own time, then version id.

    That rule alone is not transitive once only some entries have a sequencer, so it is made whole in two steps:
    every entry takes the slot its `place` (S3's time first) gives it, then those with a sequencer are put, among
    their own slots, in the sequencer's order.
    """
    slots = sorted(things, key=place)
    sequenced = (thing for thing in slots if sequencer(thing))
    ranked = iter(sorted(sequenced, key=lambda thing: (padded(sequencer(thing)), place(thing))))
    return [next(ranked) if sequencer(thing) else thing for thing in slots]


def entries_of(event: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The raw records of an S3 event; none for the test event that S3 sends when a notification is set up."""
    if event.get("Event") == "s3:TestEvent":
        return []
    records = event.get("Records")
    if not isinstance(records, list):
        raise UnreadableEventError("the event has no list of Records: it was not sent by S3")
    return records


def entry_of(record: Mapping[str, Any]) -> Entry:
    """One record of an S3 event as an entry. S3 form-encodes the key: it is decoded here, once, and nowhere else."""
    try:
        return _entry_of(record)
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableEventError(f"the record is not one of S3's: {error!r}") from error


def _entry_of(record: Mapping[str, Any]) -> Entry:
    thing = record["s3"]["object"]
    event = record["eventName"].removeprefix("s3:")
    return Entry(
        kind=_kind_of(event),
        bucket=record["s3"]["bucket"]["name"],
        key=unquote_plus(thing["key"], errors="strict"),
        version_id=thing.get("versionId") or None,
        etag=(thing.get("eTag") or "").strip('"') or None,
        sequencer=thing.get("sequencer") or None,
        size=thing.get("size"),
        uploaded_at=datetime.fromisoformat(record["eventTime"]).astimezone(UTC),
        event=event,
        principal=(record.get("userIdentity") or {}).get("principalId"),
        source_address=(record.get("requestParameters") or {}).get("sourceIPAddress"),
    )


def _kind_of(event: str) -> Kind:
    """`event` as in S3's records, for instance `ObjectCreated:Put` or `LifecycleExpiration:DeleteMarkerCreated`."""
    family, _, detail = event.partition(":")
    if family == "ObjectCreated":
        return Kind.UPLOAD
    if family in {"ObjectRemoved", "LifecycleExpiration"}:
        return Kind.DELETE_MARKER if detail == "DeleteMarkerCreated" else Kind.DELETED
    raise ValueError(f"an event of the kind {event} was not asked for")
