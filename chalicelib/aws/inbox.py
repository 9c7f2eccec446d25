"""The inbox bucket (S3)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from chalicelib.intake import OpenedUpload, UnavailableError
from chalicelib.uploads import Entry

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client

CHUNK = 1 << 20
NULL_VERSION = "null"


class S3Inbox:
    """Reads exactly the version that an event announced."""

    def __init__(self, client: S3Client) -> None:
        self._client = client

    @contextmanager
    def open(self, upload: Entry) -> Iterator[OpenedUpload]:
        """The upload's bytes; raises UnavailableError if they are gone, replaced or archived.

        Every other error of S3 passes through: a retry may help.
        """
        try:
            response = self._client.get_object(Bucket=upload.bucket, Key=upload.key, **_exactly(upload))
        except ClientError as error:
            raise _translated(error) from error
        with closing(response["Body"]) as body:
            yield OpenedUpload(
                chunks=_chunks(body),
                declared_type=response.get("ContentType"),
                metadata=response.get("Metadata", {}),
            )


def _exactly(upload: Entry) -> dict[str, Any]:
    """What makes S3 answer with the announced bytes or not at all.

    A version id names bytes for ever, but for `null`, whose bytes the next upload replaces.
    """
    exactly: dict[str, Any] = {}
    if upload.version_id:
        exactly["VersionId"] = upload.version_id
    if upload.version_id in (None, NULL_VERSION) and upload.etag:
        exactly["IfMatch"] = f'"{upload.etag}"'
    return exactly


def _translated(error: ClientError) -> Exception:
    """UnavailableError for what no retry can mend, else the error itself."""
    match error.response["Error"]["Code"]:
        # MethodNotAllowed: the version is a delete marker.
        case "NoSuchKey" | "NoSuchVersion" | "404" | "MethodNotAllowed":
            return UnavailableError("object-missing")
        case "PreconditionFailed" | "412":
            return UnavailableError("object-replaced")
        case "InvalidObjectState":
            storage_class = error.response["Error"].get("StorageClass", "archive storage class")
            return UnavailableError("object-archived", storage_class=storage_class)
    return error


def _chunks(body: StreamingBody) -> Iterator[bytes]:
    yield from body.iter_chunks(CHUNK)
