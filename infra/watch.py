"""The stack that watches a stage: its alarms and its dashboard, made after the functions that they name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from infra.stack import make_stack, request_of
from infra.target import Target

TEMPLATE = "watch.yaml"


def beside(target: Target) -> Target:
    """The same stage's second stack, `recibo-STAGE-watch`."""
    return replace(target, stage=replace(target.stage, name=f"{target.stage.name}-watch"))


def watch_settings(target: Target) -> Any:
    """What it is made of."""
    return request_of(beside(target), TEMPLATE, _parameters(target))


def watch(target: Target) -> None:
    """Make it, or bring it up to date."""
    make_stack(beside(target), watch_settings(target))


def _parameters(target: Target) -> Mapping[str, str]:
    stage = target.stage
    return {
        "Stage": stage.stack,
        "DeadLetterQueueName": stage.dead_letters,
        "UnannouncedQueueName": stage.unannounced,
        "NoticeTopic": stage.alarm_topic,
    }
