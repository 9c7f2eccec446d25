"""A version that was there before Recibo, and a job of S3 Batch Operations that names it.

No emulator runs such jobs: the event is that of AWS's documentation. The function and its policy are real.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote_plus

import pytest

from cli.surroundings import Surroundings
from docs.walkthrough import commands_of
from infra.stages import ROOT
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


@pytest.fixture
def manifest(aws: Surroundings, old: str, tmp_path: Path) -> dict[str, str]:
    """The list that docs/scale.md makes: of each key, decoded, its newest version."""
    assert old
    page = commands_of((ROOT / "docs" / "scale.md").read_text())
    (listing,) = [each.text for each in page if each.text.startswith("aws s3api list-object-versions")]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "AWS_ENDPOINT_URL": str(aws.endpoint), "INBOX": aws.stage.bucket}
    subprocess.run(["bash", "-c", listing], cwd=tmp_path, env=environment, check=True, timeout=60)
    lines = [line.split(",") for line in (tmp_path / "manifest.csv").read_text().splitlines()]
    assert {bucket for bucket, _, _ in lines} == {aws.stage.bucket}
    return {unquote_plus(key): version for _, key, version in reversed(lines)}


def test_a_job_brings_what_was_there_before_to_its_receipt_once(
    aws: Surroundings, old: str, manifest: dict[str, str]
) -> None:
    functions = aws.client("lambda")

    def done(key: str, version: str | None) -> tuple[str, str]:
        event = batch_event(task(key, version, bucket=aws.stage.bucket))
        answer = functions.invoke(FunctionName=aws.stage.function("batch"), Payload=json.dumps(event))
        (one,) = json.loads(answer["Payload"].read())["results"]
        return one["resultCode"], one["resultString"]

    assert done(old, manifest[old]) == ("Succeeded", "Inspected: succeeded.")
    assert receipt(aws, old)["records"] == 1
    assert done(old, None) == ("Succeeded", "It had its receipt already.")
    assert done(f"{old}.never", None)[0] == "PermanentFailure"
