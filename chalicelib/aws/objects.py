"""Single versions of the inbox bucket's objects (S3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from chalicelib.listing import ListedVersion
from chalicelib.uploads import Kind

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

GONE = {"404", "405", "NoSuchKey", "NoSuchVersion", "MethodNotAllowed"}
"""Answers for what is not there; 405 is a delete marker's. A HEAD has no body, so the code is the status."""
NO_VERSION_ID = "400"
"""The answer for what cannot be a version's id: where one is given, nothing else about the request can be wrong."""


class S3Objects:
    """Looks at one version at a time: a call, of $0.0000004, for each."""

    def __init__(self, client: S3Client) -> None:
        self._client = client

    def version(self, bucket: str, key: str, version_id: str | None) -> ListedVersion | None:
        """A version of a key, or its current one, as a list would have it; None if there is none that has bytes.

        It has no version id where the bucket never had versions.
        """
        named: Any = {"VersionId": version_id} if version_id else {}
        try:
            found = self._client.head_object(Bucket=bucket, Key=key, **named)
        except ClientError as error:
            if error.response["Error"]["Code"] in (GONE | {NO_VERSION_ID} if named else GONE):
                return None
            raise
        return ListedVersion(
            kind=Kind.UPLOAD,
            key=key,
            version_id=found.get("VersionId", ""),
            etag=found["ETag"].strip('"'),
            size=found["ContentLength"],
            modified=found["LastModified"],
            is_latest=version_id is None,
        )
