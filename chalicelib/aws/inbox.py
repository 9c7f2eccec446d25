"""The inbox bucket (S3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError, IncompleteReadError
from urllib3.exceptions import HTTPError

from chalicelib.aws.patience import PACE, Pace, Patience
from chalicelib.intake import OpenedUpload, UnavailableError
from chalicelib.uploads import Entry

if TYPE_CHECKING:
    from collections.abc import Generator

    from botocore.hooks import BaseEventHooks
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

CHUNK = 1 << 20
"""How many bytes are read at once. A break loses what it had of them, so reads that gain nothing get smaller."""
HALVINGS = 6
"""How often they are halved: down to 16 KiB, the most that one record of TLS holds."""
NULL_VERSION = "null"

# HTTPClientError and ConnectionError are botocore's of a connection; HTTPError is urllib3's, of which botocore
# translates but two within a body (an SSLError, for one, comes through).
BROKEN = (IncompleteReadError, HTTPClientError, ConnectionError, HTTPError)
PASSING_STATUS = {429, 500, 502, 503, 504}
PASSING_CODES = {"InternalError", "RequestTimeout", "ServiceUnavailable", "SlowDown", "TooManyRequests"}


def read_without_dates(events: BaseEventHooks) -> None:
    """Make a client not read the date of an object that it gets: it takes half as long as signing, for nobody."""
    events.register("before-parse.s3.GetObject", _leave_date_out)


def _leave_date_out(response_dict: dict[str, Any], **_: Any) -> None:
    response_dict["headers"].pop("Last-Modified", None)


class WrongRangeError(Exception):
    """S3 answered other bytes than those asked for: a retry may help."""


class S3Inbox:
    """Reads exactly the version that an event announced."""

    def __init__(
        self,
        client: S3Client,
        *,
        pace: Pace = PACE,
    ) -> None:
        self._client = client
        self._pace = pace

    @contextmanager
    def open(self, upload: Entry, *, out_of_time: Callable[[], bool] = lambda: False) -> Iterator[OpenedUpload]:
        """The upload's bytes; raises UnavailableError if they are gone, replaced or archived.

        Every other error of S3's first answer passes through: a retry may help. What breaks after it is taken up
        again, in the same bytes or not at all, until it is out of time: then the last error is raised.
        """
        response = self._get(upload)
        patience = self._pace.patience(out_of_time)
        reading = _Reading(get=lambda **rest: self._get(upload, **rest), first=response, patience=patience)
        with closing(reading.chunks()) as chunks, closing(response["Body"]):
            yield OpenedUpload(
                chunks=chunks,
                declared_type=response.get("ContentType"),
                metadata=response.get("Metadata", {}),
            )

    def _get(self, upload: Entry, **rest: Any) -> GetObjectOutputTypeDef:
        try:
            return self._client.get_object(Bucket=upload.bucket, Key=upload.key, **_exactly(upload) | rest)
        except ClientError as error:
            raise _translated(error) from error


class _Reading:
    """An upload being read, over as many answers of S3 as it takes."""

    def __init__(
        self, *, get: Callable[..., GetObjectOutputTypeDef], first: GetObjectOutputTypeDef, patience: Patience
    ) -> None:
        self.get = get
        self.first = first
        self.patience = patience
        self.position = 0
        self.known = 0
        """With how many bytes that were read before the answer being read begins."""

    @property
    def total(self) -> int | None:
        """The object's bytes; None if the first answer did not say."""
        return self.first.get("ContentLength")

    @property
    def left(self) -> int | None:
        """How many of them are still to come; None if that is not known."""
        return None if self.total is None else self.total - self.position

    def chunks(self) -> Generator[bytes, None, None]:
        """The object's bytes, each once."""
        answer = self._first
        while True:
            before = self.position
            try:
                yield from self._body(answer())
                return
            except Exception as error:
                if not _may_pass(error):
                    raise
                if self.left == 0:  # and a range from here on would be refused
                    return
                self.patience.stalled = 0 if self.position > before else self.patience.stalled + 1
                self.patience.wait(error)
            answer = self._rest

    def _body(self, response: GetObjectOutputTypeDef) -> Generator[bytes, None, None]:
        with closing(response["Body"]) as body:
            while chunk := body.read(CHUNK >> min(self.patience.stalled, HALVINGS)):
                known = min(self.known, len(chunk))
                self.known -= known
                if known < len(chunk):
                    self.position += len(chunk) - known
                    self.patience.stalled = 0
                    yield chunk[known:]  # chunk itself, uncopied, if nothing of it is known
        if self.left:
            raise IncompleteReadError(actual_bytes=self.position, expected_bytes=self.position + self.left)

    def _first(self) -> GetObjectOutputTypeDef:
        return self.first

    def _rest(self) -> GetObjectOutputTypeDef:
        response = self.get(IfMatch=self.first["ETag"], Range=f"bytes={self.position}-")
        if self._is_rest(response):
            self.known = 0
        elif self._is_whole(response):
            self.known = self.position
        else:
            response["Body"].close()
            raise WrongRangeError(f"S3 was asked for the bytes from {self.position} on and answered others")
        return response

    def _is_rest(self, response: GetObjectOutputTypeDef) -> bool:
        found = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.get("ContentRange", ""))
        return bool(
            found
            and response["ResponseMetadata"]["HTTPStatusCode"] == 206
            and response["ETag"] == self.first["ETag"]
            and int(found[1]) == self.position
            and self.total in (None, int(found[2]))
        )

    def _is_whole(self, response: GetObjectOutputTypeDef) -> bool:
        """A server may send everything when asked for a range (RFC 9110, 14.2), as MiniStack does for a version."""
        return (
            response["ResponseMetadata"]["HTTPStatusCode"] == 200
            and response["ETag"] == self.first["ETag"]
            and response.get("ContentLength") == self.total
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


def _may_pass(error: Exception) -> bool:
    """Whether the same question may soon have its answer: the connection broke, or S3 has too much to do."""
    if isinstance(error, ClientError):
        code = error.response.get("Error", {}).get("Code", "")
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        # "ThrottlingException" also comes as "KMS.ThrottlingException", with status 400.
        return status in PASSING_STATUS or code in PASSING_CODES or "Throttl" in code
    return isinstance(error, (*BROKEN, WrongRangeError))


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
