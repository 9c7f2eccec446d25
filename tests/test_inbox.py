"""Reading from S3: exactly the announced bytes, even where the connection breaks."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, IncompleteReadError, ReadTimeoutError, ResponseStreamingError
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.aws.inbox import RESUMES, S3Inbox
from chalicelib.intake import UnavailableError
from chalicelib.uploads import Entry, entry_of
from tests import events

CONTENT = bytes(range(250))
ETAG = '"e1"'
BREAKS = [
    IncompleteReadError(actual_bytes=1, expected_bytes=2),
    ReadTimeoutError(endpoint_url="https://s3", error="slow"),
    ResponseStreamingError(error="connection reset"),
]


class BreakingBody:
    """A body of single bytes that breaks after `gained` of them; None never breaks."""

    def __init__(self, content: bytes, gained: int | None, error: Exception) -> None:
        self._content, self._gained, self._error = content, gained, error
        self.is_closed = False

    def iter_chunks(self, _: int) -> Iterator[bytes]:
        for position in range(len(self._content)):
            if position == self._gained:
                raise self._error
            yield self._content[position : position + 1]
        if self._gained is not None and self._gained >= len(self._content):
            raise self._error

    def close(self) -> None:
        self.is_closed = True


class BreakingS3:
    """Answers GetObject with the bytes asked for; each body breaks where its turn's number says."""

    def __init__(self, *breaks: int | None, error: Exception = BREAKS[0]) -> None:
        self._breaks = iter(breaks)
        self._error = error
        self.requests: list[dict[str, Any]] = []
        self.bodies: list[BreakingBody] = []

    def get_object(self, **request: Any) -> dict[str, Any]:
        self.requests.append(request)
        start = int(request.get("Range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        self.bodies.append(BreakingBody(CONTENT[start:], next(self._breaks, None), self._error))
        return {"Body": self.bodies[-1], "ETag": ETAG, "Metadata": {}, "ContentType": "text/csv"}


def read(s3: Any, upload: Entry | None = None) -> bytes:
    with S3Inbox(s3).open(upload or entry_of(events.record(version_id="v1", etag="e1"))) as opened:
        return b"".join(opened.chunks)


@pytest.mark.parametrize("error", BREAKS)
def test_a_read_that_breaks_goes_on_at_its_place(error: Exception) -> None:
    s3 = BreakingS3(100, 50, error=error)
    assert read(s3) == CONTENT
    assert [request.get("Range") for request in s3.requests] == [None, "bytes=100-", "bytes=150-"]


def test_a_read_goes_on_in_the_same_bytes_or_not_at_all() -> None:
    """Law 2: the version, and the eTag that the first answer had."""
    s3 = BreakingS3(100)
    read(s3)
    _, again = s3.requests
    assert (again["VersionId"], again["IfMatch"]) == ("v1", ETAG)


def test_an_upload_replaced_while_it_is_read_is_unavailable() -> None:
    s3 = BreakingS3(100)

    class Replaced(BreakingS3):
        def get_object(self, **request: Any) -> dict[str, Any]:
            if "Range" in request:
                raise ClientError({"Error": {"Code": "PreconditionFailed"}}, "GetObject")
            return s3.get_object(**request)

    with pytest.raises(UnavailableError, match="object-replaced"):
        read(Replaced(), entry_of(events.record(version_id=None, etag="e1")))


@given(st.lists(st.integers(1, 20), max_size=12))
def test_however_often_a_read_breaks_the_bytes_are_those_of_the_object(gains: list[int]) -> None:
    """Law: as long as each try gains something, the bytes read are the object's, each once."""
    assert read(BreakingS3(*gains)) == CONTENT


def test_a_read_that_gains_nothing_any_more_is_raised() -> None:
    s3 = BreakingS3(100, *[0] * 99)
    with pytest.raises(IncompleteReadError):
        read(s3)
    assert len(s3.requests) == 1 + RESUMES


@pytest.mark.parametrize("breaks", [(), (100,), (100, 0, 0, 0, 0, 0)])
def test_no_connection_is_left_open(breaks: tuple[int, ...]) -> None:
    s3 = BreakingS3(*breaks)
    with contextlib.suppress(IncompleteReadError):
        read(s3)
    assert all(body.is_closed for body in s3.bodies)


def test_a_reader_that_stops_early_closes_the_connection() -> None:
    s3 = BreakingS3(100)
    upload = entry_of(events.record())
    with S3Inbox(s3).open(upload):  # type: ignore[arg-type]
        pass
    with S3Inbox(s3).open(upload) as opened:  # type: ignore[arg-type]
        next(opened.chunks)
    assert [body.is_closed for body in s3.bodies] == [True, True]


@pytest.mark.parametrize(
    ("version", "etag", "asked"),
    [
        ("v1", "e1", {"VersionId": "v1"}),
        ("null", "e1", {"VersionId": "null", "IfMatch": ETAG}),
        (None, "e1", {"IfMatch": ETAG}),
        (None, None, {}),
    ],
)
def test_s3_is_asked_for_the_announced_bytes_and_no_others(
    version: str | None, etag: str | None, asked: dict[str, str]
) -> None:
    """Law 2: by version id, else by eTag; the version `null` is replaced by the next upload and needs both."""
    s3 = BreakingS3()
    read(s3, entry_of(events.record("k", version_id=version, etag=etag)))
    assert s3.requests == [{"Bucket": events.BUCKET, "Key": "k", **asked}]


@pytest.mark.parametrize(
    ("code", "finding"),
    [
        ("NoSuchKey", "object-missing"),
        ("NoSuchVersion", "object-missing"),
        ("404", "object-missing"),
        ("MethodNotAllowed", "object-missing"),
        ("PreconditionFailed", "object-replaced"),
        ("412", "object-replaced"),
        ("InvalidObjectState", "object-archived"),
    ],
)
def test_an_answer_that_no_retry_can_mend_is_unavailable(code: str, finding: str) -> None:
    with pytest.raises(UnavailableError, match=finding):
        read(_refusing(code))


@pytest.mark.parametrize("code", ["SlowDown", "InternalError", "AccessDenied", "NoSuchBucket", "RequestTimeout", "403"])
def test_every_other_answer_passes_through(code: str) -> None:
    with pytest.raises(ClientError, match=code):
        read(_refusing(code))


def _refusing(code: str) -> Any:
    class Refusing:
        def get_object(self, **_: Any) -> None:
            raise ClientError({"Error": {"Code": code}}, "GetObject")

    return Refusing()
