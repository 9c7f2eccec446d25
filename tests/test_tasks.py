"""What S3 Batch Operations asks for, and what it is answered."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.tasks import Done, Result, Task, answer, asked_of, task_of
from chalicelib.uploads import UnreadableEventError
from tests.events import BUCKET, batch_event, task

KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300)


@given(KEYS, st.none() | st.just("v1"), st.sampled_from(["1.0", "2.0"]), st.sampled_from([quote, quote_plus]))
def test_a_task_is_the_version_that_was_named_in_either_schema(
    key: str, version: str | None, schema: str, encoded: Any
) -> None:
    asked = task(encoded(key), version, schema=schema)
    assert task_of(asked) == Task(bucket=BUCKET, key=key, version_id=version)


@pytest.mark.parametrize("arn", [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:us-east-1:123456789012:{BUCKET}"])
def test_a_bucket_is_named_by_either_form_of_its_arn(arn: str) -> None:
    """AWS's own examples have both."""
    assert task_of({"taskId": "t", "s3Key": "a", "s3VersionId": None, "s3BucketArn": arn}).bucket == BUCKET


def test_every_task_is_answered_under_the_invocation_that_asked() -> None:
    event = batch_event(task("a"), task("b"))
    (first, _), (second, _) = asked_of(event)
    done = [(first, Done(result=Result.SUCCEEDED, text="x")), (second, Done(result=Result.PERMANENT, text="y"))]
    assert answer(event, done) == {
        "invocationSchemaVersion": "2.0",
        "treatMissingKeysAs": "TemporaryFailure",
        "invocationId": event["invocationId"],
        "results": [
            {"taskId": first, "resultCode": "Succeeded", "resultString": "x"},
            {"taskId": second, "resultCode": "PermanentFailure", "resultString": "y"},
        ],
    }


@pytest.mark.parametrize(
    "event", [{}, {"Records": []}, batch_event(schema="3.0"), {"invocationSchemaVersion": "2.0"}, batch_event({})]
)
def test_what_is_no_such_event_is_raised_and_not_answered(event: dict[str, Any]) -> None:
    with pytest.raises(UnreadableEventError):
        asked_of(event)


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"s3Key": "a"},
        {"s3Key": None, "s3Bucket": "b"},
        {"s3Key": "", "s3Bucket": "b"},
        {"s3Key": "%ff", "s3Bucket": "b"},
        {"s3BucketArn": None},
    ],
)
def test_a_task_that_names_no_object_is_told_so(asked: dict[str, Any]) -> None:
    with pytest.raises(UnreadableEventError, match="names no object"):
        task_of(asked)
