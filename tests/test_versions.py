"""The bucket's versions: every one of them, once, in S3's order, whatever the keys."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.aws.versions import S3Versions
from chalicelib.listing import Cursor, ListedVersion
from chalicelib.uploads import Kind
from tests.aws import response, simulated_aws
from tests.events import BUCKET, as_s3_does
from tests.strategies import KEYS

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ODD_KEYS = ["a b", "a+b", "100%", "%2B", "a%20b", "a\nb", "\r", "\x01", "é/\U00010000", "\uffff", "<&>", "a"]


class WiredS3:
    """Answers ListObjectVersions over the wire as S3 does: one list, XML, encoded keys, cut into pages."""

    def __init__(self, versions: list[ListedVersion], page: int = 1000) -> None:
        self.versions, self.page = versions, page
        self.calls: list[dict[str, str]] = []

    def __call__(self, request: Any, **_: Any) -> Any:
        asked = parse_qs(urlsplit(request.url).query, keep_blank_values=True)
        self.calls.append({name: values[0] for name, values in asked.items() if name != "versions"})
        assert self.calls[-1]["encoding-type"] == "url"
        found = [version for version in self.versions if version.key.startswith(self.calls[-1].get("prefix", ""))]
        return response(200, _xml(found[self._start(found) :], self.page))

    def _start(self, found: list[ListedVersion]) -> int:
        if "key-marker" not in self.calls[-1]:
            return 0
        if "version-id-marker" not in self.calls[-1]:
            return sum(version.key <= self.calls[-1]["key-marker"] for version in found)
        after = (self.calls[-1]["key-marker"], self.calls[-1]["version-id-marker"])
        return 1 + [(version.key, version.version_id) for version in found].index(after)


def _xml(versions: list[ListedVersion], page: int) -> str:
    here, is_truncated = versions[:page], len(versions) > page
    more = f"<NextKeyMarker>{as_s3_does(here[-1].key)}</NextKeyMarker>" if is_truncated else ""
    more += f"<NextVersionIdMarker>{here[-1].version_id}</NextVersionIdMarker>" if is_truncated else ""
    return (
        '<ListVersionsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><EncodingType>url</EncodingType>'
        f"<IsTruncated>{str(is_truncated).lower()}</IsTruncated>{more}{''.join(map(_element, here))}"
        "</ListVersionsResult>"
    )


def _element(version: ListedVersion) -> str:
    name = "Version" if version.kind is Kind.UPLOAD else "DeleteMarker"
    upload = (
        f"<ETag>&quot;{version.etag}&quot;</ETag><Size>{version.size}</Size>"
        f"<StorageClass>{version.storage_class}</StorageClass>"
    )
    return (
        f"<{name}><Key>{as_s3_does(version.key)}</Key><VersionId>{version.version_id}</VersionId>"
        f"<IsLatest>{str(version.is_latest).lower()}</IsLatest>"
        f"<LastModified>{version.modified:%Y-%m-%dT%H:%M:%S.000Z}</LastModified>"
        f"{upload if version.kind is Kind.UPLOAD else ''}</{name}>"
    )


@cache
def _client() -> Any:
    return boto3.client("s3", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")


def read(s3: WiredS3, **more: Any) -> list[ListedVersion]:
    """All versions, by a real client whose wire ends here."""
    client = _client()
    client.meta.events.register_first("before-send.s3.ListObjectVersions", s3, unique_id="wire")
    try:
        return [version for page in S3Versions(client).pages(BUCKET, **more) for version in page.versions]
    finally:
        client.meta.events.unregister("before-send.s3.ListObjectVersions", unique_id="wire")


def a_version(key: str, version_id: str, kind: Kind = Kind.UPLOAD, at: datetime = NOON, **more: Any) -> ListedVersion:
    upload: dict[str, Any] = {"etag": "e1", "size": 5, "storage_class": "STANDARD"} if kind is Kind.UPLOAD else {}
    return ListedVersion(kind=kind, key=key, version_id=version_id, modified=at, **{"is_latest": False} | upload | more)


@st.composite
def buckets(draw: st.DrawFn) -> list[ListedVersion]:
    """A bucket in S3's order; two of a key in the same second only if they are of one kind, or one is the latest."""
    versions = []
    for key in sorted(draw(st.sets(KEYS | st.sampled_from(ODD_KEYS), max_size=5)), key=str.encode):
        at, last = NOON, None
        for number in range(draw(st.integers(1, 4))):
            kind = draw(st.sampled_from([Kind.UPLOAD, Kind.DELETE_MARKER]))
            is_tie_clear = last in (None, kind) or number == 1
            at -= timedelta(seconds=draw(st.integers(0 if is_tie_clear else 1, 2)))
            versions.append(a_version(key, f"v{number}", kind, at, is_latest=number == 0))
            last = kind
    return versions


@settings(deadline=None)
@given(buckets(), st.integers(1, 4))
def test_every_version_is_listed_once_in_the_order_of_s3(versions: list[ListedVersion], page: int) -> None:
    """Law: whatever the keys (control characters, +, %, newlines), the kinds and the pages."""
    assert read(WiredS3(versions, page)) == versions


@settings(deadline=None)
@given(buckets(), st.integers(1, 4))
def test_a_listing_goes_on_where_a_cursor_says(versions: list[ListedVersion], page: int) -> None:
    for number, version in enumerate(versions, start=1):
        after = Cursor(key=version.key, version_id=version.version_id)
        assert read(WiredS3(versions, page), after=after) == versions[number:]


def test_a_cursor_without_a_version_goes_on_after_its_key() -> None:
    versions = [a_version("a", "v2"), a_version("a", "v1"), a_version("b", "v3")]
    assert read(WiredS3(versions), after=Cursor(key="a")) == versions[2:]


@pytest.mark.parametrize("key", ODD_KEYS)
def test_an_odd_key_comes_out_and_goes_back_in_as_it_is(key: str) -> None:
    versions = [a_version(key, f"v{number}", at=NOON - timedelta(seconds=number)) for number in range(3)]
    s3 = WiredS3(versions, page=1)
    assert read(s3, prefix=key[:1]) == versions
    assert [(call.get("key-marker"), call.get("version-id-marker")) for call in s3.calls] == [
        (None, None),
        (key, "v0"),
        (key, "v1"),
    ]


def test_keys_come_in_the_order_of_utf_8() -> None:
    """UTF-16, in which some other stores sort, has the two the other way round."""
    versions = [a_version("\uffff", "v1", Kind.DELETE_MARKER), a_version("\U00010000", "v2")]
    assert read(WiredS3(versions)) == versions


def test_the_latest_is_first_even_with_an_earlier_date() -> None:
    """S3 dates an upload in parts from its beginning; a delete marker may have come in between."""
    versions = [
        a_version("k", "v2", is_latest=True),
        a_version("k", "v1", Kind.DELETE_MARKER, at=NOON + timedelta(minutes=1)),
    ]
    assert read(WiredS3(versions)) == versions


def test_versions_of_one_kind_stay_in_the_order_of_s3_whatever_their_dates() -> None:
    versions = [a_version("k", f"v{number}", at=NOON + timedelta(hours=number % 2)) for number in range(6)]
    assert read(WiredS3(versions, page=4)) == versions


def test_a_bucket_without_versions_has_one_empty_page() -> None:
    s3 = WiredS3([])
    assert read(s3) == []
    assert len(s3.calls) == 1


def test_pages_are_read_only_as_far_as_they_are_asked_for() -> None:
    s3 = WiredS3([a_version(f"k{number}", "v1") for number in range(10)], page=2)
    client = _client()
    client.meta.events.register_first("before-send.s3.ListObjectVersions", s3, unique_id="wire")
    page = next(S3Versions(client).pages(BUCKET))
    client.meta.events.unregister("before-send.s3.ListObjectVersions", unique_id="wire")
    assert page.next == Cursor(key="k1", version_id="v1")
    assert len(s3.calls) == 1


# -- a whole bucket, simulated by another hand


def test_uploads_and_deletions_are_listed_as_they_were_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "2")
    with simulated_aws(monkeypatch) as world:
        first = world.s3.put_object(Bucket=BUCKET, Key="a+b/é 1.csv", Body=b"12345")
        marker = world.s3.delete_object(Bucket=BUCKET, Key="a+b/é 1.csv")
        others = [world.s3.put_object(Bucket=BUCKET, Key=f"b/{number}", Body=b"")["VersionId"] for number in range(4)]
        found = [version for page in S3Versions(world.s3).pages(BUCKET) for version in page.versions]
    assert {version.version_id for version in found} == {first["VersionId"], marker["VersionId"], *others}
    assert len(found) == 6
    (upload,) = (version for version in found if version.version_id == first["VersionId"])
    assert (upload.key, upload.size, upload.etag) == ("a+b/é 1.csv", 5, first["ETag"].strip('"'))
    assert (upload.modified.utcoffset(), upload.storage_class) == (timedelta(), "STANDARD")


def test_only_what_has_the_prefix_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    with simulated_aws(monkeypatch) as world:
        world.upload("a/1", b"")
        world.upload("b/1", b"")
        pages = list(S3Versions(world.s3).pages(BUCKET, prefix="b/"))
    assert [version.key for page in pages for version in page.versions] == ["b/1"]


@pytest.mark.parametrize(
    ("prefix", "keys"), [("", ["b/c/1", "b/d/1"]), ("b/c/", ["b/c/1"]), ("b", ["b/c/1", "b/d/1"]), ("a/", [])]
)
def test_what_others_keep_in_the_bucket_is_never_listed(
    monkeypatch: pytest.MonkeyPatch, prefix: str, keys: list[str]
) -> None:
    with simulated_aws(monkeypatch) as world:
        for key in ("a/1", "b/c/1", "b/d/1", "bz"):
            world.upload(key, b"")
        pages = list(S3Versions(world.s3, within="b/").pages(BUCKET, prefix=prefix))
    assert [version.key for page in pages for version in page.versions] == keys


@pytest.mark.parametrize("status", ["Enabled", "Suspended", ""])
def test_a_bucket_says_whether_it_keeps_versions(monkeypatch: pytest.MonkeyPatch, status: str) -> None:
    with simulated_aws(monkeypatch, versioned=False) as world:
        if status:
            world.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": status})
        assert S3Versions(world.s3).is_versioned(BUCKET) == status
