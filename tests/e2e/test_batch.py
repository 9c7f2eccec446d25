"""A version that was there before Recibo, and a job of S3 Batch Operations that names it.

No emulator runs such jobs: the event is that of AWS's documentation. The function and its policy are real.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator

import pytest

from cli.surroundings import Surroundings
from tests.e2e.waiting import receipt
from tests.events import batch_event, task

pytestmark = pytest.mark.e2e


@pytest.fixture
def old(aws: Surroundings) -> Iterator[str]:
    """The key of an upload that no event told of."""
    s3, bucket, key = aws.client("s3"), aws.stage.bucket, f"old/{uuid.uuid4().hex}.csv"
    told = s3.get_bucket_notification_configuration(Bucket=bucket)
    told.pop("ResponseMetadata")
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    s3.put_object(Bucket=bucket, Key=key, Body=b"id,amount\n1,10\n")
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=told)
    yield key
    assert s3.get_bucket_notification_configuration(Bucket=bucket)["LambdaFunctionConfigurations"]


def test_a_job_brings_what_was_there_before_to_its_receipt_once(aws: Surroundings, old: str) -> None:
    functions = aws.client("lambda")

    def done(key: str) -> tuple[str, str]:
        event = batch_event(task(key, bucket=aws.stage.bucket))
        answer = functions.invoke(FunctionName=aws.stage.function("batch"), Payload=json.dumps(event))
        (one,) = json.loads(answer["Payload"].read())["results"]
        return one["resultCode"], one["resultString"]

    assert done(old) == ("Succeeded", "Inspected: succeeded.")
    assert receipt(aws, old)["records"] == 1
    assert done(old) == ("Succeeded", "It had its receipt already.")
    assert done(f"{old}.never")[0] == "PermanentFailure"
