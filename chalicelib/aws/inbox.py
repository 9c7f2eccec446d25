"""The inbox bucket (S3)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, IncompleteReadError, ReadTimeoutError, ResponseStreamingError

from chalicelib.intake import OpenedUpload, UnavailableError
from chalicelib.uploads import Entry

if TYPE_CHECKING:
    from collections.abc import Generator

    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

CHUNK = 1 << 20
NULL_VERSION = "null"

BROKEN = (IncompleteReadError, ReadTimeoutError, ResponseStreamingError)
"""How botocore says that the connection broke within the body, where its own retries do not reach."""
RESUMES = 3
"""How often in a row a broken read is taken up again without a single chunk gained."""


class S3Inbox:
    """Reads exactly the version that an event announced."""

    def __init__(self, client: S3Client) -> None:
        self._client = client

    @contextmanager
    def open(self, upload: Entry) -> Iterator[OpenedUpload]:
        """The upload's bytes; raises UnavailableError if they are gone, replaced or archived.

        Every other error of S3 passes through: a retry may help.
        """
        response = self._get(upload, **_exactly(upload))
        with closing(self._chunks(upload, response)) as chunks, closing(response["Body"]):
            yield OpenedUpload(
                chunks=chunks,
                declared_type=response.get("ContentType"),
                metadata=response.get("Metadata", {}),
            )

    def _get(self, upload: Entry, **exactly: Any) -> GetObjectOutputTypeDef:
        try:
            return self._client.get_object(Bucket=upload.bucket, Key=upload.key, **exactly)
        except ClientError as error:
            raise _translated(error) from error

    def _chunks(self, upload: Entry, response: GetObjectOutputTypeDef) -> Generator[bytes, None, None]:
        """The body's chunks; a read that breaks goes on at its place, in the same bytes or not at all."""
        etag, position, broken = response["ETag"], 0, 0
        while True:
            try:
                with closing(response["Body"]) as body:
                    for chunk in body.iter_chunks(CHUNK):
                        position, broken = position + len(chunk), 0
                        yield chunk
                return
            except BROKEN:
                broken += 1
                if broken > RESUMES:
                    raise
            response = self._get(upload, **_exactly(upload) | {"IfMatch": etag, "Range": f"bytes={position}-"})


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
    answer = error.response["Error"]
    match answer["Code"]:
        # MethodNotAllowed: the version is a delete marker.
        case "NoSuchKey" | "NoSuchVersion" | "404" | "MethodNotAllowed":
            return UnavailableError("object-missing")
        case "PreconditionFailed" | "412":
            return UnavailableError("object-replaced")
        case "InvalidObjectState":
            storage_class = answer.get("StorageClass", "archive storage class")
            return UnavailableError("object-archived", storage_class=storage_class)
    return error
