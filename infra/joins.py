"""What Chalice has no setting for, set after it: it joins Chalice's functions to the stack.

A new one goes into JOINS; `settings` is all that it sets, so that another setting is another fingerprint.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from infra.gateway import gateway_responses, set_responses
from infra.logs import retentions, set_retentions
from infra.stream import join_stream, stream_settings
from infra.target import Target
from infra.watch import watch, watch_settings

RETRIES = 2
EVENT_AGE_SECONDS = 6 * 3600  # the longest Lambda allows: throttling alone should not end in the dead letters


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """One thing that is set after Chalice."""

    name: str
    settings: Callable[[Target], Any]
    """What is set, as JSON can have it."""
    run: Callable[[Target], None]


def _gateway_settings(target: Target) -> Any:
    return gateway_responses(is_iam=target.stage.is_iam)


def _set_gateway(target: Target) -> None:
    set_responses(target.client("apigateway"), target.stage, target.project)


def _async_settings(_: Target) -> Any:
    return {"MaximumRetryAttempts": RETRIES, "MaximumEventAgeInSeconds": EVENT_AGE_SECONDS}


def _set_async(target: Target) -> None:
    target.client("lambda").put_function_event_invoke_config(
        FunctionName=target.stage.function("inspect"),
        **_async_settings(target),
        DestinationConfig={"OnFailure": {"Destination": _dead_letter_arn(target)}},
    )


def _dead_letter_arn(target: Target) -> str:
    queues = target.client("sqs")
    url = queues.get_queue_url(QueueName=target.stage.dead_letters)["QueueUrl"]
    attributes = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    return str(attributes["QueueArn"])


JOINS: Sequence[Join] = (
    Join(name="how long logs are kept", settings=retentions, run=set_retentions),
    Join(name="the gateway's own answers", settings=_gateway_settings, run=_set_gateway),
    Join(name="retries and dead letters", settings=_async_settings, run=_set_async),
    Join(name="the stream that is announced", settings=stream_settings, run=join_stream),
    Join(name="alarms and dashboard", settings=watch_settings, run=watch),
)
