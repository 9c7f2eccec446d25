"""The folders of a bucket (S3), a level at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MOST = 1000
"""How many entries of a level are looked at: what one call lists."""


class S3Folders:
    """Reads what S3 lists of the objects that are there now."""

    def __init__(self, client: S3Client, *, within: str = "") -> None:
        self._client = client
        self._within = within

    def below(self, bucket: str, prefix: str) -> tuple[list[str], bool]:
        """The folders right below a prefix, in order, each with its whole path; and whether there may be more.

        What is not `within` is others': there the listing begins with ours.
        """
        if not prefix.startswith(self._within):
            prefix = self._within
        page = self._client.list_objects_v2(Bucket=bucket, Prefix=prefix, Delimiter="/", MaxKeys=MOST)
        return [each["Prefix"] for each in page.get("CommonPrefixes", [])], page["IsTruncated"]
