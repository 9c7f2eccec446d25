"""What S3 Batch Operations asks for, task by task, and what it is answered. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import unquote_plus

from chalicelib.uploads import UnreadableEventError

SCHEMAS = ("1.0", "2.0")
"""Versions of what is asked: the first names the bucket by its ARN, the second by its name."""


class Result(StrEnum):
    """What became of a task, in the words of S3 Batch Operations."""

    SUCCEEDED = "Succeeded"
    TEMPORARY = "TemporaryFailure"
    """It is done again before the job ends."""
    PERMANENT = "PermanentFailure"
    """The job's report names it as failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A version of an object; the current one where the job's manifest names none."""

    bucket: str
    key: str
    version_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What became of a task, for the job's report. `text` is one line."""

    result: Result
    text: str


def asked_of(event: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The tasks of an event by their ids, not yet read one by one; UnreadableEventError if it has no such."""
    if event.get("invocationSchemaVersion") not in SCHEMAS:
        raise UnreadableEventError(f"the event is not of S3 Batch Operations in version {' or '.join(SCHEMAS)}")
    try:
        return [(task["taskId"], task) for task in event["tasks"]]
    except (KeyError, TypeError) as error:
        raise UnreadableEventError(f"the event has no tasks that could be answered: {error!r}") from error


def task_of(asked: Mapping[str, Any]) -> Task:
    """A task; UnreadableEventError if it names no object. Its key is encoded as in a URL, and decoded here."""
    try:
        bucket = asked.get("s3Bucket") or asked["s3BucketArn"].rpartition(":")[2]
        key = unquote_plus(asked["s3Key"], errors="strict")
        if not key:
            raise ValueError("its key is empty")
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UnreadableEventError(f"the task names no object: {error!r}") from error
    return Task(bucket=bucket, key=key, version_id=asked.get("s3VersionId") or None)


def answer(event: Mapping[str, Any], done: Iterable[tuple[str, Done]]) -> dict[str, Any]:
    """What S3 Batch Operations is answered: something for every task; what it misses is to come again."""
    return {
        "invocationSchemaVersion": event["invocationSchemaVersion"],
        "treatMissingKeysAs": str(Result.TEMPORARY),
        "invocationId": event.get("invocationId"),
        "results": [
            {"taskId": task_id, "resultCode": str(one.result), "resultString": one.text} for task_id, one in done
        ],
    }
