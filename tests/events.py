"""Events as AWS and the two emulators send them, without help from the code under test."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, quote_plus

BUCKET = "recibo-inbox-local"
UPLOADED_AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
LOCALSTACK_SEQUENCER = "0055AED6DCD90281E5"

_numbers = itertools.count(1)


def as_s3_does(key: str) -> str:
    """S3 form-encodes keys and leaves the slash."""
    return quote_plus(key, safe="/")


def as_localstack_does(key: str) -> str:
    """LocalStack percent-encodes them."""
    return quote(key)


def record(
    key: str = "sales/day.csv",
    *,
    bucket: str = BUCKET,
    event: str = "ObjectCreated:Put",
    version_id: str | None = "new",
    etag: str | None = "5d41402abc4b2a76b9719d911017c592",
    size: int | None = 5,
    sequencer: str | None = "rising",
    at: datetime | None = None,
    encoded: Callable[[str], str] = as_s3_does,
) -> dict[str, Any]:
    """One record. A version id of "new" and a sequencer of "rising" stand for the next in line."""
    number = next(_numbers)
    thing = {
        "key": encoded(key),
        "size": size,
        "eTag": etag,
        "versionId": f"v{number:031}" if version_id == "new" else version_id,
        "sequencer": f"{number:018X}" if sequencer == "rising" else sequencer,
    }
    return {
        "eventVersion": "2.6",
        "eventSource": "aws:s3",
        "awsRegion": "us-east-1",
        "eventTime": (at or UPLOADED_AT + timedelta(seconds=number)).isoformat(timespec="milliseconds")[:-6] + "Z",
        "eventName": event,
        "userIdentity": {"principalId": "AWS:AIDAEXAMPLE"},
        "requestParameters": {"sourceIPAddress": "203.0.113.7"},
        "responseElements": {"x-amz-request-id": "C3D13FE58DE4C810", "x-amz-id-2": "none"},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "recibo",
            "bucket": {"name": bucket, "ownerIdentity": {"principalId": "A3"}, "arn": f"arn:aws:s3:::{bucket}"},
            "object": {name: value for name, value in thing.items() if value is not None},
        },
    }


def localstack_record(key: str = "sales/day.csv", **more: Any) -> dict[str, Any]:
    """One record as LocalStack sends it: every sequencer the same, a space as %20."""
    return record(key, sequencer=LOCALSTACK_SEQUENCER, encoded=as_localstack_does, **more) | {"eventVersion": "2.1"}


def deletion(key: str = "sales/day.csv", *, version_id: str | None, **more: Any) -> dict[str, Any]:
    """The permanent deletion of a version; S3 tells neither size nor eTag."""
    return record(key, event="ObjectRemoved:Delete", version_id=version_id, etag=None, size=None, **more)


def delete_marker(key: str = "sales/day.csv", **more: Any) -> dict[str, Any]:
    """A delete marker put on top of a key's versions, with a version id of its own."""
    return record(key, event="ObjectRemoved:DeleteMarkerCreated", size=None, **more)


def expiration(key: str = "sales/day.csv", *, version_id: str, **more: Any) -> dict[str, Any]:
    """A lifecycle rule's permanent deletion."""
    return record(key, event="LifecycleExpiration:Delete", version_id=version_id, size=None, **more)


def event(*records: Any) -> dict[str, Any]:
    """The event that Lambda hands to the function."""
    return {"Records": list(records)}


TEST_EVENT = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2026-11-23T10:00:00.000Z", "Bucket": BUCKET}

# -- dead letters


def aws_envelope(
    payload: dict[str, Any],
    *,
    condition: str = "RetriesExhausted",
    invoked: int = 3,
    answer: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Lambda's on-failure destination record, complete."""
    return {
        "version": "1.0",
        "timestamp": "2026-11-23T10:05:00.000Z",
        "requestContext": {
            "requestId": "c9a1-of-the-last-try",
            "functionArn": "arn:aws:lambda:us-east-1:123456789012:function:recibo-local-inspect:$LATEST",
            "condition": condition,
            "approximateInvokeCount": invoked,
        },
        "requestPayload": payload,
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": answer
        or {"errorType": "Sandbox.Timedout", "errorMessage": "RequestId: c9a1\nError: Task timed out after 900.00 s"},
    }


def bare_envelope(payload: dict[str, Any], *, condition: str = "RetriesExhausted") -> dict[str, Any]:
    """What LocalStack and MiniStack send at the least: no request id, no version, no answer."""
    return {
        "requestContext": {
            "functionArn": "arn:aws:lambda:us-east-1:000000000000:function:recibo-local-inspect",
            "condition": condition,
            "approximateInvokeCount": 3,
        },
        "requestPayload": payload,
        "responseContext": None,
        "responsePayload": None,
    }


def too_old(payload: dict[str, Any]) -> dict[str, Any]:
    """An event that throttling kept from ever being tried."""
    envelope = aws_envelope(payload, condition="EventAgeExceeded", invoked=0)
    del envelope["responsePayload"], envelope["responseContext"]
    return envelope


def sqs_event(*bodies: object, received: int = 1) -> dict[str, Any]:
    """What Lambda hands to the function that takes messages of a queue."""
    return {
        "Records": [
            {
                "messageId": f"m{number}",
                "receiptHandle": "handle",
                "body": body if isinstance(body, str) else json.dumps(body),
                "attributes": {"ApproximateReceiveCount": str(received)},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:recibo-dead-letters-local",
                "awsRegion": "us-east-1",
            }
            for number, body in enumerate(bodies)
        ]
    }


# -- the ledger's stream


def stream_record(image: dict[str, Any], number: int, change: str = "INSERT") -> dict[str, Any]:
    """What DynamoDB's stream has of an item that was written; the image is in DynamoDB's notation."""
    return {
        "eventID": f"e{number}",
        "eventName": change,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "dynamodb": {"SequenceNumber": str(number), "NewImage": image, "StreamViewType": "NEW_IMAGE"},
    }


# -- S3 Batch Operations


def task(key: str, version_id: str | None = None, *, bucket: str = BUCKET, schema: str = "2.0") -> dict[str, Any]:
    """A task of a job; the key is as the manifest has it, encoded."""
    named = {"s3Bucket": bucket} if schema == "2.0" else {"s3BucketArn": f"arn:aws:s3:::{bucket}"}
    return {"taskId": f"task-{next(_numbers)}", "s3Key": key, "s3VersionId": version_id, **named}


def batch_event(*tasks: dict[str, Any], schema: str = "2.0") -> dict[str, Any]:
    """What S3 Batch Operations sends to the function of a job, as AWS's documentation has it."""
    job = {"id": "f3cc4f60-61f6-4a2b-8a21-d07600c373ce"}
    arguments: dict[str, Any] = {"userArguments": {}} if schema == "2.0" else {}
    return {
        "invocationSchemaVersion": schema,
        "invocationId": "YXNkbGZqYWRmaiBhc2RmdW9hZHNmZGpmaGFzbGtkaGZza2RmaAo",
        "job": job | arguments,
        "tasks": list(tasks),
    }
