"""Receipt → stream → announce → event bus → whoever listens, by the example that ships."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from cli.surroundings import Surroundings
from cli.uploading import await_receipt, upload_file
from infra.stages import ROOT
from local.embedded import CREDENTIALS
from tests.e2e.waiting import SECONDS, until
from tests.test_watch import ALARMS, text_of

pytestmark = pytest.mark.e2e

STACK = "recibo-example"
SCHEMA = json.loads((ROOT / "docs" / "receipt-event.schema.json").read_text())


@pytest.fixture(scope="module")
def listening(aws: Surroundings) -> Iterator[dict[str, str]]:
    """The example's stack; its outputs, and a queue that is subscribed to its notices."""
    stacks, queues = aws.client("cloudformation"), aws.client("sqs")
    stacks.create_stack(
        StackName=STACK,
        TemplateBody=(ROOT / "examples" / "notices.yaml").read_text(),
        Parameters=[{"ParameterKey": "BucketName", "ParameterValue": aws.stage.bucket}],
    )

    def made() -> Any:
        (stack,) = stacks.describe_stacks(StackName=STACK)["Stacks"]
        assert not stack["StackStatus"].endswith("FAILED"), stack
        return stack if stack["StackStatus"] == "CREATE_COMPLETE" else None

    outputs = {one["OutputKey"]: one["OutputValue"] for one in until(made, what="example's stack")["Outputs"]}
    inbox = queues.create_queue(QueueName="an-operator")["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=inbox, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    queues.set_queue_attributes(
        QueueUrl=inbox, Attributes={"Policy": json.dumps(_open_to(outputs["FailuresTopic"], arn))}
    )
    aws.client("sns").subscribe(TopicArn=outputs["FailuresTopic"], Protocol="sqs", Endpoint=arn)
    yield {**outputs, "operator": inbox}
    stacks.delete_stack(StackName=STACK)


def _open_to(topic: str, queue: str) -> dict[str, Any]:
    """The policy of a queue to which a topic may send."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


@pytest.fixture(scope="module")
def has_stream(aws: Surroundings) -> bool:
    """Whether the deployment could join `announce` to the table's stream; LocalStack with moto's tables has none."""
    name = aws.stage.function("announce")
    return bool(aws.client("lambda").list_event_source_mappings(FunctionName=name)["EventSourceMappings"])


def put(aws: Surroundings, name: str, prefix: str, *, has_stream: bool) -> dict[str, Any]:
    """Upload a sample and have its receipt; where the AWS has no streams, `announce` is called as by a stream."""
    file = ROOT / "samples" / "acme" / name
    made = await_receipt(aws, upload_file(aws, str(file), f"{prefix}/{name}"), SECONDS)
    assert made is not None
    if not has_stream:
        key = {"pk": {"S": f"{made['bucket']}/{made['key']}#{made['version_id']}"}, "sk": {"N": "1"}}
        item = aws.client("dynamodb").get_item(TableName=aws.stage.table, Key=key)["Item"]
        change = {"SequenceNumber": "1", "Keys": key, "NewImage": item, "StreamViewType": "NEW_IMAGE"}
        records = [{"eventName": "INSERT", "eventSource": "aws:dynamodb", "dynamodb": change}]
        answer = aws.client("lambda").invoke(
            FunctionName=aws.stage.function("announce"), Payload=json.dumps({"Records": records})
        )
        assert json.loads(answer["Payload"].read()) == {"batchItemFailures": []}
    return made


def told(aws: Surroundings, url: str, key: str) -> dict[str, Any]:
    """The message about a key that comes to a queue."""

    def found() -> dict[str, Any] | None:
        for message in aws.client("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages", []):
            detail: dict[str, Any] = json.loads(json.loads(message["Body"])["Message"])
            if detail["key"] == key:
                return detail
        return None

    return until(found, what=f"notice of {key}")


def test_a_failure_is_noticed_and_a_consumer_is_told_of_every_receipt_once(
    aws: Surroundings, listening: dict[str, str], emulator: str, has_stream: bool, tmp_path: Path
) -> None:
    assert has_stream or emulator != "embedded"
    prefix = uuid.uuid4().hex[:8]
    put(aws, "orders 2026-11-23.csv", prefix, has_stream=has_stream)
    failed = put(aws, "orders-ragged.csv", prefix, has_stream=has_stream)
    detail = told(aws, listening["operator"], failed["key"])
    jsonschema.validate(detail, SCHEMA)
    assert (detail["status"], detail["content_hash"]) == ("failed", failed["content_hash"])

    said: list[Any] = []

    def both() -> list[Any] | None:
        said.extend(consumed(aws, listening["ReceiptsQueue"], tmp_path))
        ours = sorted(one for one in said if one[1].startswith(prefix))
        return ours if len(ours) == 2 else None

    assert until(both, what="two receipts") == [
        ["failed", f"{prefix}/orders-ragged.csv", "missing-cells: row 4, line 5"],
        ["succeeded", f"{prefix}/orders 2026-11-23.csv", ""],
    ]


def consumed(aws: Surroundings, queue: str, folder: Path) -> list[Any]:
    """What the example consumer tells of the queue in a second."""
    script = str(ROOT / "examples" / "consumer.py")
    done = subprocess.run(
        [sys.executable, script, queue, "--seconds", "1", "--seen", str(folder / "seen.sqlite")],
        env={**os.environ, **CREDENTIALS, "AWS_ENDPOINT_URL": str(aws.endpoint)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_deployment_made_the_alarms_and_the_dashboard(aws: Surroundings, emulator: str) -> None:
    watching, prefix = aws.client("cloudwatch"), f"{aws.stage.stack}-"
    pages = watching.get_paginator("describe_alarms").paginate(AlarmNamePrefix=prefix)
    made = {alarm["AlarmName"].removeprefix(prefix) for page in pages for alarm in page["MetricAlarms"]}
    assert made == {text_of(alarm["AlarmName"]).removeprefix("${Stage}-") for alarm in ALARMS.values()}
    if emulator == "embedded":  # LocalStack's CloudFormation leaves dashboards out
        assert watching.get_dashboard(DashboardName=aws.stage.stack)["DashboardBody"]
