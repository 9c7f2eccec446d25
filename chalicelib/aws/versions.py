"""The inbox bucket's versions, as S3 lists them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from chalicelib.listing import Cursor, ListedPage, ListedVersion
from chalicelib.uploads import Kind

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import (
        DeleteMarkerEntryTypeDef,
        ListObjectVersionsOutputTypeDef,
        ObjectVersionTypeDef,
    )


class S3Versions:
    """Reads the versions and delete markers of a bucket: a call, of $0.000005, for each 1,000.

    Where the bucket holds others' objects too, `within` is what the keys of ours begin with: no other is listed.
    """

    def __init__(self, client: S3Client, *, within: str = "") -> None:
        self._client = client
        self._within = within

    def is_versioned(self, bucket: str) -> str:
        """`Enabled`, `Suspended`, or nothing if the bucket never had versions."""
        return self._client.get_bucket_versioning(Bucket=bucket).get("Status", "")

    def pages(self, bucket: str, *, prefix: str = "", after: Cursor | None = None) -> Iterator[ListedPage]:
        """The bucket's versions, a page for each call, in S3's order: by key in UTF-8, then newest first."""
        narrower = max(prefix, self._within, key=len)
        if not (narrower.startswith(prefix) and narrower.startswith(self._within)):
            yield ListedPage(versions=(), next=None)
            return
        while True:
            page = self._page(bucket, narrower, after)
            yield page
            if page.next is None:
                return
            after = page.next

    def _page(self, bucket: str, prefix: str, after: Cursor | None) -> ListedPage:
        # boto3 asks S3 to encode the keys, of which XML could not hold all, and decodes them, if it is left to it.
        answer = self._client.list_object_versions(Bucket=bucket, Prefix=prefix, **_from(after))
        return ListedPage(versions=tuple(_merged(answer)), next=_next(answer))


def _from(after: Cursor | None) -> dict[str, Any]:
    """S3 refuses an empty marker, and a version's without its key's."""
    markers = {"KeyMarker": after.key, "VersionIdMarker": after.version_id} if after else {}
    return {name: value for name, value in markers.items() if value}


def _next(answer: ListObjectVersionsOutputTypeDef) -> Cursor | None:
    if not answer["IsTruncated"]:
        return None
    return Cursor(key=answer["NextKeyMarker"], version_id=answer.get("NextVersionIdMarker") or None)


def _merged(answer: ListObjectVersionsOutputTypeDef) -> Iterator[ListedVersion]:
    """The one list that S3 sends, of which boto3 makes two, each in S3's order."""
    uploads = [_upload(version) for version in answer.get("Versions", [])][::-1]
    markers = [_marker(marker) for marker in answer.get("DeleteMarkers", [])][::-1]
    while uploads and markers:
        yield (uploads if _rank(uploads[-1]) <= _rank(markers[-1]) else markers).pop()
    yield from reversed(uploads or markers)


def _rank(version: ListedVersion) -> tuple[str, bool, float]:
    """What comes first among two: text compares by code points, and so as UTF-8 does; the latest is always first."""
    return version.key, not version.is_latest, -version.modified.timestamp()


def _upload(version: ObjectVersionTypeDef) -> ListedVersion:
    return ListedVersion(
        kind=Kind.UPLOAD,
        key=version["Key"],
        version_id=version["VersionId"],
        etag=version["ETag"].strip('"'),
        size=version["Size"],
        modified=version["LastModified"],
        is_latest=version["IsLatest"],
        storage_class=version.get("StorageClass"),
    )


def _marker(marker: DeleteMarkerEntryTypeDef) -> ListedVersion:
    return ListedVersion(
        kind=Kind.DELETE_MARKER,
        key=marker["Key"],
        version_id=marker["VersionId"],
        modified=marker["LastModified"],
        is_latest=marker["IsLatest"],
    )
