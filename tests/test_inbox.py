"""Reading from S3: exactly the announced bytes, even where the connection breaks."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    FlexibleChecksumError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)
from hypothesis import given
from hypothesis import strategies as st
from urllib3.exceptions import SSLError

from chalicelib.aws.inbox import CHUNK, S3Inbox, WrongRangeError
from chalicelib.aws.patience import LONGEST_WAIT, NAP, Pace
from chalicelib.intake import UnavailableError
from chalicelib.uploads import Entry, entry_of
from tests import events

CONTENT = bytes(range(250))
ETAG = '"e1"'
BREAKS: list[Exception] = [
    IncompleteReadError(actual_bytes=1, expected_bytes=2),
    ReadTimeoutError(endpoint_url="https://s3", error="slow"),
    ResponseStreamingError(error="connection reset"),
    ConnectionClosedError(endpoint_url="https://s3"),
    SSLError("bad record"),
]
UNREACHABLE: list[Exception] = [
    EndpointConnectionError(endpoint_url="https://s3"),
    ConnectTimeoutError(endpoint_url="https://s3"),
    ConnectionClosedError(endpoint_url="https://s3"),
]


def refusal(code: str, status: int = 400) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "GetObject")  # type: ignore[typeddict-item]


BUSY: list[Exception] = [
    refusal("SlowDown", 503),
    refusal("InternalError", 500),
    refusal("503", 503),
    refusal("Busy", 429),
    refusal("RequestTimeout"),
    refusal("KMS.ThrottlingException"),
]


@dataclass
class Answer:
    """What S3 does when asked: refuse, or send `gained` bytes and then `end` as it says; None is all and no error.

    `shift` moves the bytes that are sent from those that were asked for; `whole` sends all, whatever was asked for.
    """

    refused: Exception | None = None
    gained: int | None = None
    end: Exception | None = None
    shift: int = 0
    total: int | None = None
    whole: bool = False
    etag: str = ETAG


@dataclass
class Body:
    """A body that sends a byte for each read, or `step` of them, and then ends as its answer says.

    As on a connection, a read that breaks loses what it had.
    """

    content: bytes
    answer: Answer
    step: int = 1
    position: int = 0
    is_closed: bool = False

    def read(self, size: int) -> bytes:
        until = len(self.content) if self.answer.gained is None else min(self.answer.gained, len(self.content))
        size = min(size, self.step)
        if self.answer.end and self.position + min(size, len(self.content) - self.position) > until:
            raise self.answer.end
        chunk = self.content[self.position : min(self.position + size, until)]
        self.position += len(chunk)
        if self.answer.end and not chunk:
            raise self.answer.end
        return chunk

    def close(self) -> None:
        self.is_closed = True


@dataclass
class UnreliableS3:
    """Does in turn what its answers say; after them it is in order. `seconds` is the time, which only waits take."""

    answers: Iterable[Answer] = ()
    content: bytes = CONTENT
    step: int = 1
    is_length_known: bool = True
    seconds: float = 0
    requests: list[dict[str, Any]] = field(default_factory=list)
    bodies: list[Body] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._turns = iter(self.answers)

    def get_object(self, **request: Any) -> dict[str, Any]:
        assert all(body.is_closed for body in self.bodies), "one connection at a time"
        self.requests.append(request)
        answer = next(self._turns, Answer())
        if answer.refused:
            raise answer.refused
        asked = request.get("Range")
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and not answer.whole else 0
        assert start < len(self.content) or not asked, "S3 answers 416"
        return self._answered(answer, max(0, start + answer.shift), is_part=bool(asked) and not answer.whole)

    def _answered(self, answer: Answer, start: int, *, is_part: bool) -> dict[str, Any]:
        content, total = self.content[start:], answer.total or len(self.content)
        self.bodies.append(Body(content, answer, self.step))
        length = {"ContentLength": len(content)} if self.is_length_known else {}
        part = {"ContentRange": f"bytes {start}-{len(self.content) - 1}/{total}"} if is_part else {}
        return {
            "Body": self.bodies[-1],
            "ETag": answer.etag,
            "Metadata": {},
            "ContentType": "text/csv",
            "ResponseMetadata": {"HTTPStatusCode": 206 if is_part else 200},
            **length,
            **part,
        }

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.seconds += seconds


def breaking(*gains: int, error: Exception = BREAKS[0]) -> list[Answer]:
    """Answers whose bodies break after so many bytes each."""
    return [Answer(gained=gained, end=error) for gained in gains]


def read(s3: Any, upload: Entry | None = None, *, seconds: float = 1e9) -> bytes:
    """All of an upload, each wait at its longest, with so much time."""
    inbox = S3Inbox(s3, pace=Pace(sleep=s3.sleep, shortened=lambda: 1.0))
    with inbox.open(
        upload or entry_of(events.record(version_id="v1", etag="e1")), out_of_time=lambda: s3.seconds >= seconds
    ) as opened:
        return b"".join(opened.chunks)


def ranges(s3: UnreliableS3) -> list[str | None]:
    return [request.get("Range") for request in s3.requests]


# -- breaks


@pytest.mark.parametrize("error", BREAKS)
def test_a_read_that_breaks_goes_on_at_its_place(error: Exception) -> None:
    s3 = UnreliableS3(breaking(100, 50, error=error))
    assert read(s3) == CONTENT
    assert ranges(s3) == [None, "bytes=100-", "bytes=150-"]


@pytest.mark.parametrize("error", [*BREAKS, *UNREACHABLE, *BUSY])
def test_a_read_outlives_a_range_that_is_not_answered_at_once(error: Exception) -> None:
    s3 = UnreliableS3([*breaking(100), *[Answer(refused=error)] * 20])
    assert read(s3) == CONTENT
    assert ranges(s3) == [None, *["bytes=100-"] * 21]


def test_a_read_goes_on_in_the_same_bytes_or_not_at_all() -> None:
    """What was announced is read: the version, and the eTag that the first answer had."""
    s3 = UnreliableS3(breaking(100))
    read(s3)
    _, again = s3.requests
    assert (again["VersionId"], again["IfMatch"]) == ("v1", ETAG)


@pytest.mark.parametrize(
    ("code", "finding"), [("PreconditionFailed", "object-replaced"), ("NoSuchVersion", "object-missing")]
)
def test_an_upload_that_goes_while_it_is_read_is_unavailable(code: str, finding: str) -> None:
    with pytest.raises(UnavailableError, match=finding):
        read(UnreliableS3([*breaking(100), Answer(refused=refusal(code))]))


@pytest.mark.parametrize("error", [refusal("AccessDenied", 403), refusal("InvalidRange", 416), ValueError("a bug")])
def test_what_no_waiting_mends_is_raised_at_once(error: Exception) -> None:
    s3 = UnreliableS3([*breaking(100), Answer(refused=error)])
    with pytest.raises(type(error)):
        read(s3)
    assert len(s3.requests) == 2


def test_a_body_that_ends_too_soon_without_an_error_is_a_break() -> None:
    s3 = UnreliableS3([Answer(gained=100), Answer(gained=0), Answer(gained=50)])
    assert read(s3) == CONTENT
    assert ranges(s3) == [None, "bytes=100-", "bytes=100-", "bytes=150-"]


def test_a_break_after_the_last_byte_asks_for_nothing_more() -> None:
    """A range from beyond the end would be refused."""
    s3 = UnreliableS3(breaking(len(CONTENT)))
    assert read(s3) == CONTENT
    assert ranges(s3) == [None]


@pytest.mark.parametrize("answer", [Answer(), Answer(end=BREAKS[0])])
def test_an_empty_upload_is_read_once(answer: Answer) -> None:
    s3 = UnreliableS3([answer], content=b"")
    assert read(s3) == b""
    assert ranges(s3) == [None]


def test_bytes_that_are_not_those_that_were_sent_are_not_taken_for_a_break() -> None:
    """botocore compares S3's checksum after the last byte."""
    with pytest.raises(FlexibleChecksumError):
        read(UnreliableS3([Answer(end=FlexibleChecksumError(error_msg="differs"))]))


def test_a_body_of_unknown_length_ends_where_it_ends() -> None:
    s3 = UnreliableS3(breaking(100), is_length_known=False)
    assert read(s3) == CONTENT
    assert ranges(s3) == [None, "bytes=100-"]


@pytest.mark.parametrize(
    "answer",
    [Answer(shift=1), Answer(shift=-1), Answer(total=251), Answer(etag='"e2"'), Answer(etag='"e2"', whole=True)],
)
def test_bytes_that_were_not_asked_for_are_not_used(answer: Answer) -> None:
    s3 = UnreliableS3([*breaking(100), answer])
    assert read(s3) == CONTENT
    assert ranges(s3) == [None, "bytes=100-", "bytes=100-"]


def test_of_a_whole_object_in_place_of_its_rest_only_the_rest_is_used() -> None:
    s3 = UnreliableS3([*breaking(100), Answer(whole=True, gained=30, end=BREAKS[0]), Answer(whole=True)], step=7)
    assert read(s3) == CONTENT
    assert ranges(s3) == [None, "bytes=98-", "bytes=98-"]


@pytest.mark.parametrize(
    ("answer", "changed"),
    [
        (Answer(whole=True), {"ContentLength": 251}),
        # Only of a 206 does a Content-Range mean anything (RFC 9110, 14.4).
        (Answer(), {"ResponseMetadata": {"HTTPStatusCode": 200}}),
    ],
)
def test_an_answer_that_contradicts_itself_is_not_used(answer: Answer, changed: dict[str, Any]) -> None:
    class Contradicting(UnreliableS3):
        def get_object(self, **request: Any) -> dict[str, Any]:
            return super().get_object(**request) | (changed if len(self.requests) == 2 else {})

    s3 = Contradicting([*breaking(100), answer])
    assert read(s3) == CONTENT
    assert len(s3.requests) == 3


def test_a_connection_that_never_lasts_for_a_whole_chunk_still_gets_on() -> None:
    """What a break leaves of a chunk is lost; without smaller reads nothing would ever be gained."""
    s3 = UnreliableS3(itertools.cycle(breaking(CHUNK // 3)), content=bytes(3 * CHUNK), step=CHUNK)
    assert read(s3, seconds=3600) == s3.content


def test_reads_are_whole_chunks_again_once_one_has_gained_something() -> None:
    s3 = UnreliableS3(breaking(0, 0), content=bytes(3 * CHUNK), step=CHUNK)
    with S3Inbox(s3, pace=Pace(sleep=s3.sleep)).open(entry_of(events.record())) as opened:  # type: ignore[arg-type]
        assert [len(chunk) for chunk in opened.chunks] == [CHUNK // 4, CHUNK, CHUNK, CHUNK * 3 // 4]


# -- patience


def test_a_try_that_follows_a_gain_does_not_wait() -> None:
    s3 = UnreliableS3(breaking(100, 50, 20))
    read(s3)
    assert s3.waits == []


def test_tries_without_gain_wait_longer_each_time_until_one_gains() -> None:
    s3 = UnreliableS3([*breaking(100), *breaking(0, 0, 0, 5, 0)])
    read(s3)
    assert s3.waits == pytest.approx([0.2, 0.4, 0.8, 0.2])


def test_no_wait_is_longer_than_the_longest() -> None:
    """2,000 tries: their doubled waits would be no number any more."""
    s3 = UnreliableS3(breaking(100, *[0] * 2_000))
    read(s3)
    assert sum(s3.waits) <= 2_000 * LONGEST_WAIT
    assert max(s3.waits) <= NAP


def test_waits_are_shortened_at_random() -> None:
    """So that the readers of a thousand uploads do not come back together."""
    s3 = UnreliableS3(breaking(100, 0, 0))
    shares = iter([0.5, 0.0, 0.25])
    inbox = S3Inbox(s3, pace=Pace(sleep=s3.sleep, shortened=lambda: next(shares)))  # type: ignore[arg-type]
    with inbox.open(entry_of(events.record())) as opened:
        assert b"".join(opened.chunks) == CONTENT
    assert s3.waits == pytest.approx([0.1])


@pytest.mark.parametrize("error", [*BREAKS, *UNREACHABLE, *BUSY])
def test_the_last_error_is_raised_when_there_is_no_time_left(error: Exception) -> None:
    s3 = UnreliableS3(itertools.chain(breaking(100), itertools.repeat(Answer(refused=error))))
    with pytest.raises(type(error)) as raised:
        read(s3, seconds=60)
    assert raised.value is error
    assert 60 <= s3.seconds <= 60 + NAP


def test_a_range_that_is_never_answered_rightly_ends_with_the_time() -> None:
    s3 = UnreliableS3(itertools.chain(breaking(100), itertools.repeat(Answer(shift=1))))
    with pytest.raises(WrongRangeError):
        read(s3, seconds=60)
    assert all(body.is_closed for body in s3.bodies)


def test_a_read_that_breaks_when_there_is_no_time_left_asks_for_nothing_more() -> None:
    s3 = UnreliableS3(breaking(100))
    with pytest.raises(IncompleteReadError):
        read(s3, seconds=0)
    assert ranges(s3) == [None]


TROUBLES = st.one_of(
    st.builds(Answer, gained=st.integers(0, 60), end=st.sampled_from([None, *BREAKS])),
    st.builds(Answer, refused=st.sampled_from([*BREAKS, *UNREACHABLE, *BUSY])),
    st.builds(Answer, gained=st.none() | st.integers(0, 60), shift=st.integers(-60, 60).filter(bool)),
    st.builds(Answer, gained=st.none() | st.integers(0, 60), whole=st.just(True), end=st.sampled_from([None, *BREAKS])),
    st.builds(Answer, gained=st.none() | st.integers(0, 60), total=st.sampled_from([249, 251])),
    st.builds(Answer, gained=st.none() | st.integers(0, 60), whole=st.booleans(), etag=st.just('"e2"')),
)
FIRST = st.builds(Answer, gained=st.integers(0, 60), end=st.sampled_from([None, *BREAKS]))


@given(FIRST, st.lists(TROUBLES, max_size=30), st.sampled_from([1, 7, 250]), st.integers(1, 100))
def test_whatever_happens_the_bytes_are_those_of_the_object_or_its_time_is_over(
    first: Answer, troubles: list[Answer], step: int, seconds: int
) -> None:
    """Law: each byte once and in order; less than all only when the time is over, and then with an error."""
    s3, got = UnreliableS3([first, *troubles], step=step), b""
    with contextlib.suppress(*[type(error) for error in [*BREAKS, *UNREACHABLE, *BUSY]], WrongRangeError):
        with S3Inbox(s3, pace=Pace(sleep=s3.sleep, shortened=lambda: 1.0)).open(  # type: ignore[arg-type]
            entry_of(events.record()), out_of_time=lambda: s3.seconds >= seconds
        ) as opened:
            for chunk in opened.chunks:
                got += chunk
        assert got == CONTENT
    assert CONTENT.startswith(got)
    assert got == CONTENT or s3.seconds >= seconds
    assert s3.seconds < seconds + NAP
    assert all(body.is_closed for body in s3.bodies)


def test_a_reader_that_stops_early_closes_the_connection() -> None:
    for answers, chunks in [([], 0), ([], 1), (breaking(100), 101)]:
        s3 = UnreliableS3(answers)
        with S3Inbox(s3).open(entry_of(events.record())) as opened:  # type: ignore[arg-type]
            assert len(list(itertools.islice(opened.chunks, chunks))) == chunks
        assert all(body.is_closed for body in s3.bodies)


# -- what is asked, and what is answered first


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
    """By version id, else by eTag; the version `null` is replaced by the next upload and needs both."""
    s3 = UnreliableS3()
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
        read(UnreliableS3([Answer(refused=refusal(code))]))


REFUSED: list[Exception] = [refusal(code) for code in ("AccessDenied", "NoSuchBucket", "403")]


@pytest.mark.parametrize("error", [*REFUSED, *BUSY, *UNREACHABLE])
def test_every_other_first_answer_passes_through(error: Exception) -> None:
    """botocore has tried again already, and Lambda will: nothing has been read that could be lost."""
    s3 = UnreliableS3([Answer(refused=error)])
    with pytest.raises(type(error)) as raised:
        read(s3)
    assert raised.value is error
    assert len(s3.requests) == 1
