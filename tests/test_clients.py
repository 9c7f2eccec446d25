"""The clients' requests and answers are boto3's own: what is left out of the work on them changes neither."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.aws.items import encoded
from chalicelib.wiring import client

NAMES = {"#status": "status"}
PUT: Any = {"TableName": "t", "ConditionExpression": "attribute_not_exists(pk)", "ExpressionAttributeNames": NAMES}
GET = {"Bucket": "a-bucket", "Key": "ça/x y.csv", "VersionId": "v1", "IfMatch": '"e"'}
OF_THE_MOMENT = {"user-agent", "amz-sdk-invocation-id", "x-amz-date", "authorization"}

texts = st.text(st.characters(codec="utf-8"))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
    max_leaves=20,
)
items = st.dictionaries(texts, values, min_size=1)


class _Raw(io.BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


@dataclass
class Aws:
    """Keeps requests, and answers each with the next status, the last one for ever."""

    statuses: list[int] = field(default_factory=lambda: [200])
    requests: list[Any] = field(default_factory=list)

    def answering(self, client: Any) -> Any:
        client.meta.events.register_first("before-send", self._answer)
        return client

    def _answer(self, request: Any, **_: Any) -> AWSResponse:
        self.requests.append(request)
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        headers: Any = {"Last-Modified": "Fri, 02 Jan 2026 03:04:05 GMT", "ETag": '"e"', "x-amz-meta-sender": "acme"}
        body = b"{}" if "X-Amz-Target" in request.headers else b""
        return AWSResponse(request.url, status, headers, _Raw(body))

    @property
    def last(self) -> tuple[str, str, dict[str, str]]:
        request = self.requests[-1]
        headers = {name: str(value) for name, value in request.headers.items() if name.lower() not in OF_THE_MOMENT}
        return request.method, request.url, headers


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "any")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(items)
def test_an_item_is_sent_as_boto3_sends_it(item: dict[str, Any]) -> None:
    ours, theirs = Aws(), Aws()
    for aws, made in ((ours, client("dynamodb")), (theirs, boto3.client("dynamodb"))):
        aws.answering(made).put_item(Item=encoded(item), ExpressionAttributeValues=encoded({":a": "b"}), **PUT)
    assert json.loads(ours.requests[0].body) == json.loads(theirs.requests[0].body)
    without = [{**headers, "Content-Length": ""} for *_, headers in (ours.last, theirs.last)]
    assert without[0] == without[1]


def test_an_upload_is_asked_for_as_boto3_asks_for_it() -> None:
    ours, theirs = Aws(), Aws()
    for aws, made in ((ours, client("s3")), (theirs, boto3.client("s3"))):
        aws.answering(made).get_object(**GET)
    assert ours.last == theirs.last


def test_an_answer_has_all_that_boto3_reads_of_it_but_a_date() -> None:
    ours, theirs = (Aws().answering(made).get_object(**GET) for made in (client("s3"), boto3.client("s3")))
    assert ours["Metadata"] == {"sender": "acme"}
    assert theirs.keys() - ours.keys() == {"LastModified"}


def test_an_item_that_is_sent_again_is_sent_whole() -> None:
    aws = Aws(statuses=[500, 503, 200])
    aws.answering(client("dynamodb")).put_item(Item=encoded({"pk": "a", "sk": 1}), **PUT)
    sent = [json.loads(request.body)["Item"] for request in aws.requests]
    assert sent == [{"pk": {"S": "a"}, "sk": {"N": "1"}}] * 3


@pytest.mark.parametrize(("service", "call", "asked"), [("s3", "get_object", GET), ("dynamodb", "get_item", None)])
def test_what_fails_for_the_moment_is_asked_four_times(service: str, call: str, asked: Any) -> None:
    aws = Aws(statuses=[503])
    made = aws.answering(client(service))
    with pytest.raises(made.exceptions.ClientError):
        getattr(made, call)(**asked or {"TableName": "t", "Key": encoded({"pk": "a"})})
    assert len(aws.requests) == 4


def test_what_is_written_to_s3_goes_with_its_checksum() -> None:
    aws = Aws()
    aws.answering(client("s3")).put_object(Bucket="a-bucket", Key="k", Body=b"seal")
    assert aws.requests[0].headers["X-Amz-Trailer"] == b"x-amz-checksum-crc32"


def test_requests_say_whose_they_are() -> None:
    aws = Aws()
    aws.answering(client("s3")).get_object(**GET)
    assert aws.requests[0].headers["User-Agent"].startswith(b"recibo Boto3/")
