"""What S3 lists, as entries: identities as events give them, times that keep S3's order."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.listing import Cursor, EntryPage, ListedPage, ListedVersion, entries, entry_of_version
from chalicelib.uploads import Entry, Kind, entry_of, in_order, iso
from tests import events
from tests.strategies import KEYS, MOMENTS, VERSIONS

NOON = datetime.fromisoformat("2026-11-23T12:00:00Z")
MILLISECOND = timedelta(milliseconds=1)


def listed(key: str, version_id: str, at: datetime, *, kind: Kind = Kind.UPLOAD) -> ListedVersion:
    """A version as S3 lists it: to the second."""
    return ListedVersion(kind=kind, key=key, version_id=version_id, modified=at.replace(microsecond=0), is_latest=False)


def paged(versions: Sequence[ListedVersion], size: int) -> list[ListedPage]:
    """The listing in pages of this size, with S3's cursors: the last version of each."""
    cuts = range(size, len(versions), size)
    nexts = [Cursor(key=versions[cut - 1].key, version_id=versions[cut - 1].version_id) for cut in cuts]
    starts = range(0, max(1, len(versions)), size)
    return [
        ListedPage(versions=tuple(versions[start : start + size]), next=after)
        for start, after in zip(starts, [*nexts, None], strict=True)
    ]


@dataclass(frozen=True)
class Made:
    """A version as it was made, at a time in milliseconds that only its event tells."""

    key: str
    version_id: str
    at: datetime
    is_recorded: bool

    @property
    def entry(self) -> Entry:
        """What its event announced."""
        record = events.record(self.key, version_id=self.version_id, at=self.at, sequencer=f"{self.at.timestamp():.3f}")
        return entry_of(record)


def versions_of(made: Iterable[Made]) -> list[ListedVersion]:
    """As S3 lists them: by key, then newest first."""
    newest_first = sorted(made, key=lambda one: (one.key, -one.at.timestamp()))
    return [listed(one.key, one.version_id, one.at) for one in newest_first]


def recorded_among(made: Iterable[Made]) -> Mapping[str, datetime]:
    return {one.entry.identity: one.at for one in made if one.is_recorded}


def walked(made: Sequence[Made], size: int = 1000) -> list[Entry]:
    """All entries of a listing in pages of this size."""
    return [entry for page in pages_of(made, size) for entry in page.entries]


def pages_of(made: Sequence[Made], size: int) -> list[EntryPage]:
    recorded = recorded_among(made)
    return list(entries(events.BUCKET, paged(versions_of(made), size), recorded=lambda _: recorded))


@st.composite
def histories(draw: st.DrawFn) -> list[Made]:
    """Versions of a few keys, many in one second, some with a receipt."""
    made = []
    for key in draw(st.sampled_from([["k"], ["k", "k/é", "l"]])):
        gaps = draw(st.lists(st.sampled_from([1, 1, 1, 2, 300, 999, 1_000, 1_001, 60_000]), max_size=12))
        at = NOON + draw(st.sampled_from([0, 1, 500, 990, 998, 999])) * MILLISECOND
        for number, gap in enumerate(gaps):
            at += gap * MILLISECOND
            made.append(Made(key=key, version_id=f"v{number}", at=at, is_recorded=draw(st.booleans())))
    return made


def in_the_ledger(made: Sequence[Made], given_times: Iterable[Entry]) -> list[Entry]:
    """The entries as the ledger has them once all are recorded: a receipt there was keeps its event's time."""
    events_told = {one.entry.identity: one.entry for one in made if one.is_recorded}
    return [events_told.get(entry.identity, entry) for entry in given_times]


def order_of(found: Iterable[Entry]) -> list[str | None]:
    ordered = in_order(found, place=lambda entry: entry.place, sequencer=lambda entry: entry.sequencer)
    return [entry.version_id for entry in ordered]


# -- entries


@given(KEYS, VERSIONS | st.just("null"), st.sampled_from(["e1", "d41d8cd98f00b204e9800998ecf8427e-2"]), MOMENTS)
def test_a_listed_upload_is_the_one_that_its_event_announced(key: str, version: str, etag: str, at: datetime) -> None:
    """The identity is the same, so one receipt, whoever comes first."""
    told = entry_of(events.record(key, version_id=version, etag=etag, size=5))
    found = entry_of_version(
        events.BUCKET,
        ListedVersion(kind=Kind.UPLOAD, key=key, version_id=version, etag=etag, size=5, modified=at, is_latest=True),
    )
    assert found.identity == told.identity
    assert (found.kind, found.key, found.etag, found.size) == (told.kind, told.key, told.etag, told.size)
    assert (found.event, found.sequencer, found.uploaded_at) == ("ObjectCreated:Listed", None, at)


@given(KEYS, VERSIONS)
def test_a_listed_delete_marker_is_the_one_that_its_event_announced(key: str, version: str) -> None:
    told = entry_of(events.delete_marker(key, version_id=version))
    found = entry_of_version(events.BUCKET, listed(key, version, NOON, kind=Kind.DELETE_MARKER))
    assert found.identity == told.identity
    assert (found.event, found.kind) == ("ObjectRemoved:DeleteMarkerCreated", Kind.DELETE_MARKER)


def test_an_empty_bucket_has_one_page_without_entries() -> None:
    (page,) = pages_of([], 10)
    assert (page.entries, page.next) == ((), None)


@given(histories(), st.integers(1, 5))
def test_every_version_becomes_one_entry_in_the_order_of_the_list(made: list[Made], size: int) -> None:
    found = [(entry.key, entry.version_id) for entry in walked(made, size)]
    assert found == [(version.key, version.version_id) for version in versions_of(made)]


@given(histories(), st.integers(1, 5))
def test_what_has_a_receipt_is_told_from_what_has_none(made: list[Made], size: int) -> None:
    unrecorded = [entry.identity for page in pages_of(made, size) for entry in page.unrecorded]
    assert sorted(unrecorded) == sorted(one.entry.identity for one in made if not one.is_recorded)


# -- times


@given(histories(), st.integers(1, 5))
def test_the_times_of_a_listing_keep_the_order_of_s3(made: list[Made], size: int) -> None:
    """For any mix of versions whose event was recorded and versions that were only found in the list."""
    ledger = in_the_ledger(made, walked(made, size))
    for key in {one.key for one in made}:
        expected = [one.version_id for one in sorted(made, key=lambda one: one.at) if one.key == key]
        assert order_of(entry for entry in ledger if entry.key == key) == expected
        times = [iso(entry.uploaded_at) for entry in ledger if entry.key == key]
        assert times == sorted(set(times), reverse=True), "each at a millisecond of its own"


@pytest.mark.parametrize("every", [1, 2, 3, 7, 899, 10_000])
def test_nine_hundred_versions_in_one_second_keep_their_order(every: int) -> None:
    """Every so many of them have a receipt; the last of them at the end of the second."""
    before = Made(key="k", version_id="before", at=NOON - MILLISECOND, is_recorded=True)
    made = [
        before,
        *(
            Made(key="k", version_id=f"v{n}", at=NOON + (100 + n) * MILLISECOND, is_recorded=n % every == 0)
            for n in range(900)
        ),
    ]
    assert order_of(in_the_ledger(made, walked(made, 100))) == [one.version_id for one in made]


@given(histories(), st.integers(1, 5))
def test_the_times_do_not_depend_on_where_the_pages_are_cut(made: list[Made], size: int) -> None:
    assert walked(made, size) == walked(made)


@given(histories(), st.integers(1, 5))
def test_a_walk_that_is_taken_up_at_a_cursor_gives_the_same_times(made: list[Made], size: int) -> None:
    """At any page, from the cursor's JSON and nothing else."""
    recorded, listing = recorded_among(made), paged(versions_of(made), size)
    whole = pages_of(made, size)
    for number, page in enumerate(whole[:-1], start=1):
        assert page.next
        after = Cursor.from_json(json.loads(json.dumps(page.next.as_json())))
        rest = entries(events.BUCKET, listing[number:], recorded=lambda _: recorded, after=after)
        assert list(rest) == whole[number:]


def test_a_cursor_at_a_key_that_is_still_to_come_takes_no_time_from_another() -> None:
    """S3's reference lets the marker be the first that was not returned."""
    page = ListedPage(versions=(listed("a", "v1", NOON),), next=Cursor(key="b", version_id="v2"))
    (found,) = entries(events.BUCKET, [page], recorded=lambda _: {})
    assert found.next == page.next


@given(histories())
def test_a_time_is_in_the_second_that_s3_lists(made: list[Made]) -> None:
    listed_at = {(version.key, version.version_id): version.modified for version in versions_of(made)}
    for entry in walked(made, 3):
        assert entry.uploaded_at.replace(microsecond=0) == listed_at[entry.key, entry.version_id or ""]


@given(histories(), st.integers(0, 2), st.integers(1, 3))
def test_a_later_walk_finds_room_between_the_times_of_earlier_ones(made: list[Made], first: int, step: int) -> None:
    """However much of an earlier one was recorded: a chosen time is as good as a told one."""
    told = recorded_among(made)
    chosen = {entry.identity: entry.uploaded_at for entry in walked(made)[first::step]}
    again = entries(events.BUCKET, paged(versions_of(made), 4), recorded=lambda _: {**told, **chosen})
    for newer, older in itertools.pairwise(entry for page in again for entry in page.entries):
        assert newer.key != older.key or newer.uploaded_at > older.uploaded_at


def test_a_version_alone_in_its_second_has_the_time_that_s3_lists() -> None:
    made = [Made(key="k", version_id=f"v{n}", at=NOON + timedelta(seconds=n), is_recorded=False) for n in range(3)]
    assert [entry.uploaded_at for entry in walked(made)] == [one.at for one in reversed(made)]


def test_an_upload_in_parts_that_began_before_the_version_below_it_comes_after_that_one() -> None:
    """S3 dates it from its beginning, and stacks it at its end."""
    newest_first = [listed("k", "parts", NOON), listed("k", "older", NOON + timedelta(minutes=5))]
    known = {f"{events.BUCKET}/k#older": NOON + timedelta(minutes=5, milliseconds=123)}
    for recorded in ({}, known):
        (page,) = entries(events.BUCKET, paged(newest_first, 10), recorded=lambda _, known=recorded: known)  # type: ignore[misc]
        parts, older = page.entries
        assert parts.uploaded_at > older.uploaded_at


def test_an_event_that_tells_a_later_second_than_the_list_stays_below_the_newer_version() -> None:
    """S3 lists the second in which a request came, its event tells the one in which it was done."""
    newest_first = [listed("k", "newer", NOON + timedelta(seconds=1)), listed("k", "older", NOON)]
    known = {f"{events.BUCKET}/k#older": NOON + timedelta(seconds=1, milliseconds=20)}
    (page,) = entries(events.BUCKET, paged(newest_first, 10), recorded=lambda _: known)
    newer, older = page.entries
    assert newer.uploaded_at > older.uploaded_at


# -- cursors


@given(KEYS, st.none() | VERSIONS, st.none() | st.integers(0, 10**12))
def test_a_cursor_survives_json(key: str, version: str | None, milliseconds: int | None) -> None:
    time = None if milliseconds is None else datetime.fromisoformat("1990-01-01T00:00:00Z") + milliseconds * MILLISECOND
    cursor = Cursor(key=key, version_id=version, time=time)
    assert Cursor.from_json(json.loads(json.dumps(cursor.as_json()))) == cursor
