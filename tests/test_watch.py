"""What watches a stage: alarms on metrics that somebody writes, each with its page in the runbook."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from chalicelib.findings import Cause
from chalicelib.metrics import METRICS, NAMESPACE, OF_FAILURES
from infra.stages import ROOT, load_config
from infra.target import Target
from infra.template import LOCAL, template
from infra.watch import watch_settings
from tests.test_docs import anchors_of

RUNBOOK = ROOT / "docs" / "runbook.md"
FUNCTIONS = load_config()["lambda_functions"]
OF_AWS = {
    # https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    "AWS/Lambda": {"Errors", "Throttles", "Duration", "IteratorAge", "ConcurrentExecutions", "Invocations"},
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
    "AWS/SQS": {"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"},
}
"""What AWS itself writes of functions and queues."""

RESOURCES: dict[str, Any] = template("watch.yaml")["Resources"]
ALARMS = {name: one["Properties"] for name, one in RESOURCES.items() if one["Type"] == "AWS::CloudWatch::Alarm"}
DASHBOARD: dict[str, Any] = json.loads(RESOURCES["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"])


def text_of(value: Any) -> str:
    """A value of the template, its references as `${Name}`."""
    match value:
        case {"Ref": name}:
            return f"${{{name}}}"
        case {"Fn::Sub": text}:
            return str(text)
    return str(value)


def page_of(alarm: dict[str, Any]) -> str:
    """Which page of the runbook an alarm's description names."""
    return text_of(alarm["AlarmDescription"]).rpartition("${Runbook}#")[2]


def is_written(namespace: str, metric: str, dimensions: dict[str, str]) -> bool:
    """Whether anybody writes a metric with these dimensions."""
    if namespace != NAMESPACE:
        return metric in OF_AWS[namespace] and names_a_function_or_queue(dimensions)
    if dimensions.pop("stage") != "${Stage}" or metric not in METRICS:
        return False
    if not dimensions:
        return True
    ((name, value),) = dimensions.items()
    return metric == "failed" and ("stage", name) in OF_FAILURES and (name != "cause" or value in set(Cause))


def names_a_function_or_queue(dimensions: dict[str, str]) -> bool:
    ((name, value),) = dimensions.items()
    if name == "FunctionName":
        return value.removeprefix("${Stage}-") in FUNCTIONS
    return name == "QueueName" and value in {"${DeadLetterQueueName}", "${UnannouncedQueueName}"}


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_is_on_a_metric_that_somebody_writes(name: str) -> None:
    alarm = ALARMS[name]
    dimensions = {one["Name"]: text_of(one["Value"]) for one in alarm["Dimensions"]}
    assert is_written(alarm["Namespace"], alarm["MetricName"], dimensions)


@pytest.mark.parametrize("widget", DASHBOARD["widgets"], ids=lambda widget: widget["properties"]["title"])
def test_a_picture_is_of_metrics_that_somebody_writes(widget: dict[str, Any]) -> None:
    for row in widget["properties"].get("metrics", []):
        names = [part for part in row if isinstance(part, str)]
        dimensions = dict(zip(names[2::2], names[3::2], strict=True))
        assert is_written(names[0], names[1], dimensions), row


def test_every_metric_is_shown_on_the_dashboard() -> None:
    shown = {
        row[1]
        for widget in DASHBOARD["widgets"]
        for row in widget["properties"].get("metrics", [])
        if row[0] == NAMESPACE
    }
    assert shown == METRICS.keys()


def test_every_alarm_has_its_page_in_the_runbook_and_every_page_its_alarm() -> None:
    pages = {page_of(alarm) for alarm in ALARMS.values()}
    assert pages == anchors_of(RUNBOOK) - {"runbook", "what-it-costs"}


@pytest.mark.parametrize("page", sorted({page_of(alarm) for alarm in ALARMS.values()}))
def test_a_page_says_what_it_means_what_to_look_at_and_what_to_do(page: str) -> None:
    section = re.split(r"^## ", RUNBOOK.read_text().partition(f"## {page}\n")[2], flags=re.MULTILINE)[0]
    assert all(f"**{word}**" in section for word in ("Means", "Look", "Do"))


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_tells_its_topic_and_says_what_silence_means(name: str) -> None:
    alarm, told = ALARMS[name], {"Fn::If": ["IsTold", [{"Ref": "NoticeTopic"}], {"Ref": "AWS::NoValue"}]}
    assert alarm["AlarmActions"] == alarm["OKActions"] == told
    assert alarm["TreatMissingData"] in {"notBreaching", "breaching"}
    assert text_of(alarm["AlarmName"]).startswith("${Stage}-")


def test_the_silence_of_what_runs_by_the_clock_is_an_alarm() -> None:
    breaching = {alarm["MetricName"] for alarm in ALARMS.values() if alarm["TreatMissingData"] == "breaching"}
    assert breaching == {"reconcile_lag_s", "verify_problems"}


def test_a_duration_is_near_its_timeout_at_nine_tenths_of_it() -> None:
    for alarm in ALARMS.values():
        if alarm["MetricName"] == "Duration":
            function = text_of(alarm["Dimensions"][0]["Value"]).removeprefix("${Stage}-")
            assert alarm["Threshold"] == FUNCTIONS[function]["lambda_timeout"] * 900, function


def test_the_cost_that_the_runbook_tells_is_that_of_the_template() -> None:
    assert f"{len(ALARMS)} alarms cost about ${len(ALARMS) / 10:.2f} a month" in RUNBOOK.read_text()
    assert f"{len(METRICS)} of\na stage" in RUNBOOK.read_text()


def test_a_stage_is_watched_in_a_stack_of_its_own_by_the_names_that_its_metrics_have() -> None:
    request = watch_settings(Target(stage=LOCAL, project=ROOT, endpoint=None, say=print))
    given = {one["ParameterKey"]: one["ParameterValue"] for one in request["Parameters"]}
    assert request["StackName"] == "recibo-local-watch"
    assert given == {
        "Stage": "recibo-local",
        "DeadLetterQueueName": LOCAL.dead_letters,
        "UnannouncedQueueName": "recibo-local-unannounced",
        "NoticeTopic": "",
    }


def test_the_document_has_every_metric_with_its_unit() -> None:
    text = (ROOT / "docs" / "observability.md").read_text().partition("## Metrics")[2]
    assert dict(re.findall(r"^\| `(\w+)` \| (\w+) \|", text, re.MULTILINE)) == METRICS
