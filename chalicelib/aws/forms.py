"""Forms by which a browser, or any program, uploads one object into the inbox (S3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class S3Forms:
    """Signs forms. Nothing is sent: S3 decides when the form comes back, by what the signer may do."""

    def __init__(self, client: S3Client) -> None:
        self._client = client

    def form(
        self, bucket: str, key: str, fields: Mapping[str, str], *, smallest: int, largest: int, seconds: int
    ) -> dict[str, Any]:
        """The address and the fields of a form for exactly this key, these fields and a size within bounds."""
        exact: list[Any] = [{name: value} for name, value in fields.items()]
        return self._client.generate_presigned_post(
            Bucket=bucket,
            Key=key,
            Fields=dict(fields),
            Conditions=[*exact, ["content-length-range", smallest, largest]],
            ExpiresIn=seconds,
        )

    def origin(self, bucket: str) -> str:
        """Where the forms of a bucket are sent: scheme, host and port."""
        address = urlsplit(self._client.generate_presigned_post(Bucket=bucket, Key="any")["url"])
        return f"{address.scheme}://{address.netloc}"
