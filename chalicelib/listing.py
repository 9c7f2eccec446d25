"""A bucket's versions as S3 lists them, as the entries that S3's events announced. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.uploads import Entry, Kind, iso

MILLISECOND = timedelta(milliseconds=1)
REST_OF_SECOND = timedelta(milliseconds=999)

EVENTS = {Kind.UPLOAD: "ObjectCreated:Listed", Kind.DELETE_MARKER: "ObjectRemoved:DeleteMarkerCreated"}
"""What a listed version is announced by. A listing does not tell a person's delete marker from a lifecycle rule's."""

Recorded = Callable[[Sequence[Entry]], Mapping[str, datetime]]
"""Which of these have a receipt: by identity, the time of upload that it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedVersion:
    """One version, or delete marker, of a key. `size` is bytes; `modified` is UTC, and whole seconds on AWS."""

    kind: Kind
    key: str
    version_id: str
    etag: str | None = None
    size: int | None = None
    modified: datetime
    is_latest: bool
    storage_class: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Where a listing goes on: after this version, whose time of upload (in milliseconds) is `time`, if known."""

    key: str
    version_id: str | None = None
    time: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        """The cursor's members; what is unknown is absent."""
        members = {"key": self.key, "version_id": self.version_id, "time": iso(self.time) if self.time else None}
        return {name: value for name, value in members.items() if value is not None}

    @classmethod
    def from_json(cls, members: Mapping[str, Any]) -> Cursor:
        """The cursor with these members."""
        time = datetime.fromisoformat(members["time"]) if "time" in members else None
        return cls(key=members["key"], version_id=members.get("version_id"), time=time)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedPage:
    """One page of a listing, in S3's order: by key, then newest first; `next` is None on the last."""

    versions: tuple[ListedVersion, ...]
    next: Cursor | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPage:
    """The same page as entries, each with the time of its receipt or one that keeps S3's order."""

    entries: tuple[Entry, ...]
    recorded: Mapping[str, datetime]
    """The times of those that have a receipt, by identity."""
    next: Cursor | None

    @property
    def unrecorded(self) -> Iterator[Entry]:
        """Those that have no receipt."""
        return (entry for entry in self.entries if entry.identity not in self.recorded)


def entry_of_version(bucket: str, version: ListedVersion) -> Entry:
    """The entry of a listed version: its identity is that of its event, its time S3's, to the second.

    Not so for what names itself by its sequencer, which is not listed: all of a bucket that never had versioning,
    and delete markers with the version id `null`.
    """
    return Entry(
        kind=version.kind,
        bucket=bucket,
        key=version.key,
        version_id=version.version_id,
        etag=version.etag,
        sequencer=None,
        size=version.size,
        uploaded_at=version.modified,
        event=EVENTS[version.kind],
    )


def entries(
    bucket: str, pages: Iterable[ListedPage], *, recorded: Recorded, after: Cursor | None = None
) -> Iterator[EntryPage]:
    """The pages of a listing, from `after` on, as entries whose times of upload keep S3's order.

    One page is read ahead: what is next to be said of a key may be there.
    """
    walk = _Walk(newer=after)
    asked = (_Asked.of(bucket, page, recorded) for page in pages)
    for here, following in itertools.pairwise(itertools.chain(asked, [_NOTHING])):
        settled = tuple(walk.settled(here, following))
        yield EntryPage(entries=settled, recorded=here.recorded, next=_reached(here.page.next, settled))


def _reached(cursor: Cursor | None, settled: Sequence[Entry]) -> Cursor | None:
    """The cursor with the time of the last version, if that is of the key where the next page goes on."""
    if cursor and settled and settled[-1].key == cursor.key:
        return replace(cursor, time=settled[-1].uploaded_at)
    return cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A page of a listing, and what the ledger knows of it."""

    page: ListedPage
    listed: Sequence[Entry]
    recorded: Mapping[str, datetime]

    @classmethod
    def of(cls, bucket: str, page: ListedPage, recorded: Recorded) -> _Asked:
        listed = [entry_of_version(bucket, version) for version in page.versions]
        return cls(page=page, listed=listed, recorded=recorded(listed))

    @property
    def timed(self) -> list[Entry]:
        """Its entries, those with a receipt at their receipt's time."""
        return [
            entry._replace(uploaded_at=self.recorded.get(entry.identity, entry.uploaded_at)) for entry in self.listed
        ]


_NOTHING = _Asked(page=ListedPage(versions=(), next=None), listed=(), recorded={})


@dataclass(slots=True, kw_only=True)
class _Walk:
    """Goes through a listing, from each key's newest version to its oldest, and gives each its time."""

    newer: Cursor | None = field(default=None)
    """The version before, with its time."""

    def settled(self, here: _Asked, following: _Asked) -> Iterator[Entry]:
        """The entries of a page, with their times."""
        timed = here.timed
        for entry, older in zip(timed, [*timed[1:], *following.timed[:1], None], strict=False):
            time = entry.uploaded_at if entry.identity in here.recorded else self._time_of(entry, older)
            self.newer = Cursor(key=entry.key, version_id=entry.version_id, time=time)
            yield entry._replace(uploaded_at=time)

    def _time_of(self, entry: Entry, older: Entry | None) -> datetime:
        """The latest moment that fits: S3's own, or the end of its second if an older version shares that second.

        So whatever milliseconds the events of the others told, there is room below for those that are older.
        """
        latest = _latest(entry, older)
        if self.newer and self.newer.time and self.newer.key == entry.key:
            return min(latest, self.newer.time - MILLISECOND)
        return latest


def _latest(entry: Entry, older: Entry | None) -> datetime:
    if older is None or older.key != entry.key:
        return entry.uploaded_at
    # S3 dates an upload in parts from its beginning, so that an older version may have the later second.
    below = older.uploaded_at.replace(microsecond=0)
    return below + REST_OF_SECOND if below >= entry.uploaded_at.replace(microsecond=0) else entry.uploaded_at
