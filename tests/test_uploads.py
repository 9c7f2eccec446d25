"""Decoding, identity and order of what S3 announces."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.receipts import canonical
from chalicelib.uploads import (
    Entry,
    Kind,
    UnreadableEventError,
    entry_of,
    iso,
    records_of,
)
from tests import events
from tests.strategies import KEYS, VERSIONS, entries

# -- decoding


@given(key=KEYS, encoded=st.sampled_from([events.as_s3_does, events.as_localstack_does]))
@example(key="a b+c%2B%25/é\n.csv", encoded=events.as_s3_does)
@example(key="a b+c%2B%25/é\n.csv", encoded=events.as_localstack_does)
def test_a_key_comes_out_of_an_event_as_it_was_uploaded(key: str, encoded: Any) -> None:
    """Law: key → event → key, for both ways of encoding."""
    sent = json.loads(json.dumps(events.record(key, encoded=encoded)))
    assert entry_of(sent).key == key


def test_everything_that_s3_says_of_an_upload_is_kept() -> None:
    moment = datetime(2026, 11, 23, 10, 0, 1, 234000, tzinfo=UTC)
    sent = events.record("a/b.csv", version_id="v1", etag="e1", size=7, sequencer="00A1", at=moment)
    assert entry_of(sent) == Entry(
        kind=Kind.UPLOAD,
        bucket=events.BUCKET,
        key="a/b.csv",
        version_id="v1",
        etag="e1",
        sequencer="00A1",
        size=7,
        uploaded_at=moment,
        event="ObjectCreated:Put",
        principal="AWS:AIDAEXAMPLE",
        source_address="203.0.113.7",
    )


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ("ObjectCreated:Put", Kind.UPLOAD),
        ("ObjectCreated:Post", Kind.UPLOAD),
        ("ObjectCreated:Copy", Kind.UPLOAD),
        ("ObjectCreated:CompleteMultipartUpload", Kind.UPLOAD),
        ("s3:ObjectCreated:Put", Kind.UPLOAD),
        ("ObjectRemoved:Delete", Kind.DELETED),
        ("ObjectRemoved:DeleteMarkerCreated", Kind.DELETE_MARKER),
        ("LifecycleExpiration:Delete", Kind.DELETED),
        ("LifecycleExpiration:DeleteMarkerCreated", Kind.DELETE_MARKER),
    ],
)
def test_each_event_is_of_its_kind(event: str, kind: Kind) -> None:
    assert entry_of(events.record(event=event)).kind is kind


def test_a_time_without_a_zone_is_utc_wherever_the_code_runs() -> None:
    sent = events.record() | {"eventTime": "2026-11-23T10:00:00"}
    assert iso(entry_of(sent).uploaded_at) == "2026-11-23T10:00:00.000Z"


def test_the_test_event_that_s3_sends_to_a_new_notification_has_no_records() -> None:
    assert records_of(events.TEST_EVENT) == []


@pytest.mark.parametrize("event", [{}, {"Records": None}, {"Records": {}}, [], None, "Records", 7])
def test_an_event_that_is_not_of_s3_is_refused_in_a_sentence(event: object) -> None:
    with pytest.raises(UnreadableEventError, match="not sent by S3"):
        records_of(event)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
PATHS = [
    ("s3",),
    ("s3", "bucket"),
    ("s3", "bucket", "name"),
    ("s3", "object"),
    *(("s3", "object", name) for name in ("key", "size", "eTag", "versionId", "sequencer")),
    ("eventName",),
    ("eventTime",),
    ("userIdentity",),
    ("requestParameters",),
    ("userIdentity", "principalId"),
    ("requestParameters", "sourceIPAddress"),
]


@given(path=st.sampled_from(PATHS), value=JSON)
@example(path=("eventTime",), value="0001-01-01T00:00:00+05:00")
@example(path=("s3", "object", "key"), value="%FF")
@example(path=("s3", "object", "key"), value="\ud800")
@example(path=("s3", "object", "versionId"), value="\ud800")
@example(path=("s3", "object", "key"), value="")
@example(path=("s3", "object", "size"), value=True)
@example(path=("s3", "object", "size"), value=1 << 64)
@example(path=("eventName",), value=None)
@example(path=("eventName",), value="ObjectRestore:Completed")
def test_a_damaged_record_is_either_an_entry_that_can_be_stored_or_refused(path: tuple[str, ...], value: Any) -> None:
    """Law: whatever is in a record, nothing but UnreadableEventError is raised."""
    sent = events.record()
    *parents, name = path
    place = sent
    for parent in parents:
        place = place[parent]
    place[name] = value
    try:
        entry = entry_of(sent)
    except UnreadableEventError:
        return
    f"{entry.identity}{entry.place}{entry.principal}{entry.source_address}".encode()
    canonical(entry._asdict() | {"uploaded_at": None})


@given(JSON)
def test_a_record_that_is_no_record_is_refused(value: Any) -> None:
    with pytest.raises(UnreadableEventError):
        entry_of(value)


# -- identity


def told_apart_by(entry: Entry) -> tuple[object, ...]:
    """The identity as section 5 of the design defines it."""
    if entry.kind is not Kind.UPLOAD:
        by = (entry.sequencer,) if entry.version_id in (None, "null") else (entry.version_id,)
        return (entry.kind, entry.bucket, entry.key, entry.version_id not in (None, "null"), *by)
    match entry.version_id:
        case None:
            return (entry.kind, entry.bucket, entry.key, "unversioned", entry.etag, entry.sequencer)
        case "null":
            return (entry.kind, entry.bucket, entry.key, "null", entry.etag)
        case version:
            return (entry.kind, entry.bucket, entry.key, "versioned", version)


@given(entries(), entries())
def test_two_entries_share_an_identity_only_if_they_are_the_same_event(one: Entry, other: Entry) -> None:
    """Law: identity is injective over what tells events apart, and depends on nothing else."""
    assert (one.identity == other.identity) == (told_apart_by(one) == told_apart_by(other))


@given(VERSIONS, KEYS)
def test_a_deletion_is_never_taken_for_the_upload_whose_version_it_names(version: str, key: str) -> None:
    kinds = [
        entry_of(events.record(key, version_id=version)),
        entry_of(events.deletion(key, version_id=version)),
        entry_of(events.delete_marker(key, version_id=version)),
    ]
    assert len({entry.identity for entry in kinds}) == len(kinds)


def test_a_version_deleted_by_a_rule_is_the_same_entry_as_one_deleted_by_a_person() -> None:
    assert entry_of(events.expiration(version_id="v1")).identity == entry_of(events.deletion(version_id="v1")).identity


def test_a_repeated_delivery_has_the_identity_of_the_first() -> None:
    sent = events.record()
    assert entry_of(sent).identity == entry_of(json.loads(json.dumps(sent))).identity


def test_another_upload_over_a_null_version_is_another_upload() -> None:
    first, second = (entry_of(events.record(version_id="null", etag=etag)) for etag in ("e1", "e2"))
    assert first.identity != second.identity


def test_another_upload_of_the_same_bytes_to_an_unversioned_bucket_is_another_upload() -> None:
    first, second = (entry_of(events.record(version_id=None, etag="e1")) for _ in range(2))
    assert first.identity != second.identity


def test_the_longest_key_fits_the_keys_of_the_table() -> None:
    sent = events.record("/" * 1024, bucket="b" * 63, version_id="v" * 900, sequencer="F" * 40)
    entry = entry_of(sent)
    # DynamoDB: 2,048 bytes for a partition key, 1,024 for a sort key.
    assert len(entry.identity.encode()) <= 2048
    assert len(f"{entry.place}#000001".encode()) <= 1024


@pytest.mark.parametrize(("key", "source"), [("a/b/c", "a"), ("a", "/"), ("/a", ""), ("é ê/x", "é ê")])
def test_the_source_is_the_first_segment_of_the_path(key: str, source: str) -> None:
    assert entry_of(events.record(key)).source == source
