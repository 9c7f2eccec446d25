"""Asking for inspections as S3 does, by an asynchronous invocation of the function."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import ANY, Stubber
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.aws.inspections import LambdaInspections
from chalicelib.uploads import Entry, entry_of, inspection_of
from tests.reconciling import entry
from tests.strategies import entries

FUNCTION = "recibo-local-inspect"


@pytest.fixture
def stubbed() -> Iterator[tuple[Any, Stubber]]:
    client = boto3.client("lambda", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
    with Stubber(client) as stubber:
        yield client, stubber


def test_the_function_is_invoked_asynchronously_with_one_record(stubbed: tuple[Any, Stubber]) -> None:
    client, stubber = stubbed
    payloads: list[str] = []
    client.meta.events.register(
        "provide-client-params.lambda.Invoke", lambda params, **_: payloads.append(params["Payload"])
    )
    stubber.add_response(
        "invoke", {"StatusCode": 202}, {"FunctionName": FUNCTION, "InvocationType": "Event", "Payload": ANY}
    )
    LambdaInspections(client, FUNCTION).request(entry("a b.csv"), 3)
    (record,) = json.loads(payloads[0])["Records"]
    assert (entry_of(record), inspection_of(record)) == (entry("a b.csv"), 3)
    stubber.assert_no_pending_responses()


def test_what_lambda_refuses_is_told_to_whoever_asked(stubbed: tuple[Any, Stubber]) -> None:
    client, stubber = stubbed
    stubber.add_client_error("invoke", "ResourceNotFoundException", http_status_code=404)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        LambdaInspections(client, FUNCTION).request(entry("a.csv"), 1)


class Recorder:
    """A client that keeps what it is asked."""

    payload = ""

    def invoke(self, *, Payload: str, **_: str) -> None:
        self.payload = Payload


@given(entries(), st.integers(1, 99))
def test_the_function_reads_the_upload_that_was_meant(meant: Entry, inspection: int) -> None:
    """The identity is the same, whatever key and version; and it is small enough for Lambda's 256 KB."""
    client: Any = Recorder()
    LambdaInspections(client, FUNCTION).request(meant, inspection)
    (record,) = json.loads(client.payload)["Records"]
    if meant.kind == "upload":
        assert entry_of(record).identity == meant.identity
    assert (entry_of(record).key, inspection_of(record)) == (meant.key, inspection)
    assert len(client.payload) < 256 << 10
