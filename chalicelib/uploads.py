"""What S3 announces about an object version: decoding, identity and order. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote, quote_plus, unquote_plus

T = TypeVar("T")

LARGEST = (1 << 53) - 1
"""The largest whole number that everything which reads JSON reads alike (RFC 8259, section 6)."""


class Kind(StrEnum):
    """What happened to the object version; only an `upload` is inspected."""

    UPLOAD = "upload"
    DELETED = "deleted"
    """This version was deleted for good, by a person or a lifecycle rule."""
    DELETE_MARKER = "delete-marker"
    """A delete marker was put on top of the key's versions; none of them is gone."""


class UnreadableEventError(ValueError):
    """The event is not one of S3's: give up, no retry can help."""


class Entry(NamedTuple):
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

        What follows the key has no `#` in it, so the last one ends the key whatever the key.
        """
        return f"{self.bucket}/{self.key}#{self._version_name}"

    @property
    def _version_name(self) -> str:
        # Quoting changes no version id that S3 makes; it keeps ours apart from any that could be made.
        version, etag, sequencer = (quote(part or "", safe="") for part in (self.version_id, self.etag, self.sequencer))
        match self.kind, self.version_id:
            case Kind.UPLOAD, None:
                return f"etag={etag}&sequencer={sequencer}"
            case Kind.UPLOAD, "null":
                return f"null&etag={etag}"
            case Kind.UPLOAD, _:
                return version
            case kind, (None | "null"):
                return f"{kind}&sequencer={sequencer}"
            case kind, _:
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
        return f"{iso(self.uploaded_at)}#{comparable(self.sequencer)}#{self.version_id or ''}"


def comparable(sequencer: str | None) -> str:
    """A sequencer made comparable as text.

    S3's user guide pads the shorter of two with zeros on the right. Taking the zeros off the end of each gives the
    same order without knowing a greatest length: no hexadecimal digit comes before 0.
    """
    return (sequencer or "").rstrip("0")


def iso(moment: datetime) -> str:
    """UTC in ISO 8601, always with milliseconds, so that text order is time order."""
    return f"{moment.astimezone(UTC).isoformat(timespec='milliseconds')[:-6]}Z"


def in_order(things: Iterable[T], *, place: Callable[[T], str], sequencer: Callable[[T], str | None]) -> list[T]:
    """A key's entries, oldest first: by sequencer where both have one, else by S3's own time, then version id.

    That rule alone is not transitive once only some entries have a sequencer, so it is made whole in two steps:
    every entry takes the slot its `place` (S3's time first) gives it, then those with a sequencer are put, among
    their own slots, in the sequencer's order.
    """
    slots = sorted(things, key=place)
    sequenced = (thing for thing in slots if sequencer(thing))
    ranked = iter(sorted(sequenced, key=lambda thing: (comparable(sequencer(thing)), place(thing))))
    return [next(ranked) if sequencer(thing) else thing for thing in slots]


def records_of(event: object) -> list[Any]:
    """The raw records of an S3 event; none for the test event that S3 sends when a notification is set up."""
    if isinstance(event, Mapping) and event.get("Event") == "s3:TestEvent":
        return []
    records = event.get("Records") if isinstance(event, Mapping) else None
    if not isinstance(records, list):
        raise UnreadableEventError("the event has no list of Records: it was not sent by S3")
    return records


def entry_of(record: Any) -> Entry:
    """One record of an S3 event as an entry. S3 form-encodes the key: it is decoded here, once, and nowhere else."""
    try:
        return _entry_of(record)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise UnreadableEventError(f"the record is not one of S3's: {error!r}") from error


def record_of(entry: Entry, *, inspection: int = 1, tries: int = 1) -> dict[str, Any]:
    """The record by which S3 would announce the entry, to ask for an inspection of that number.

    `tries` is 1, and one more for each failure of Recibo's own that this inspection is to mend.
    """
    thing = {
        "key": quote_plus(entry.key, safe="/"),
        "versionId": entry.version_id,
        "eTag": entry.etag,
        "sequencer": entry.sequencer,
        "size": entry.size,
    }
    return {
        "eventSource": "aws:s3",
        "eventTime": iso(entry.uploaded_at),
        "eventName": entry.event,
        "userIdentity": {"principalId": entry.principal},
        "requestParameters": {"sourceIPAddress": entry.source_address},
        "s3": {"bucket": {"name": entry.bucket}, "object": thing},
        "recibo": {"inspection": inspection, "tries": tries},
    }


def inspection_of(record: Any) -> int:
    """Which inspection of the upload a record asks for: the first, unless it is one of `record_of`'s."""
    return _asked(record, "inspection")


def tries_of(record: Any) -> int:
    """Which try in a row the inspection is: the first, unless the record says otherwise, as `record_of`'s do."""
    return _asked(record, "tries")


def _asked(record: Any, name: str) -> int:
    asked = record.get("recibo", {}).get(name, 1) if isinstance(record, Mapping) else 1
    if isinstance(asked, int) and 1 <= asked <= LARGEST:
        return asked
    raise UnreadableEventError(f"{asked!r} is no number of an inspection")


def _entry_of(record: Mapping[str, Any]) -> Entry:
    thing = record["s3"]["object"]
    event = record["eventName"].removeprefix("s3:")
    return Entry(
        kind=_kind_of(event),
        bucket=_required(record["s3"]["bucket"], "name"),
        key=unquote_plus(_required(thing, "key"), errors="strict"),
        version_id=_text(thing, "versionId"),
        etag=(_text(thing, "eTag") or "").strip('"') or None,
        sequencer=_text(thing, "sequencer"),
        size=_size(thing.get("size")),
        uploaded_at=_moment(record["eventTime"]),
        event=event,
        principal=_text(record.get("userIdentity") or {}, "principalId"),
        source_address=_text(record.get("requestParameters") or {}, "sourceIPAddress"),
    )


def _required(members: Mapping[str, Any], name: str) -> str:
    if text := _text(members, name):
        return text
    raise ValueError(f"it has no {name}")


def _text(members: Mapping[str, Any], name: str) -> str | None:
    """A member that is text; None where it is missing or empty, which mean the same in S3's records."""
    text = members.get(name)
    if not isinstance(text, str | None):
        raise TypeError(f"its {name} is no text")
    (text or "").encode()  # raises UnicodeEncodeError for half a surrogate pair, which nothing can store
    return text or None


def _size(size: object) -> int | None:
    if size is None or (isinstance(size, int) and not isinstance(size, bool) and 0 <= size <= LARGEST):
        return size
    raise TypeError("its size is no number of bytes")


def _moment(text: str) -> datetime:
    """S3's time; one without a zone is UTC, as S3's always are."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _kind_of(event: str) -> Kind:
    """`event` as in S3's records, for instance `ObjectCreated:Put` or `LifecycleExpiration:DeleteMarkerCreated`."""
    family, _, detail = event.partition(":")
    if family == "ObjectCreated":
        return Kind.UPLOAD
    if family in {"ObjectRemoved", "LifecycleExpiration"}:
        return Kind.DELETE_MARKER if detail == "DeleteMarkerCreated" else Kind.DELETED
    raise ValueError(f"an event of the kind {event[:100]} was not asked for")
