"""Builds the collaborators from the environment, once per execution environment."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from chalicelib.aws.inbox import S3Inbox
from chalicelib.aws.ledger import DynamoLedger
from chalicelib.intake import Intake

VERDICT_RESERVE = timedelta(seconds=10)
"""How much of its time an inspection keeps back to write its verdict; a tenth of it, if that is less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a stage's environment in .chalice/config.json says."""

    bucket: str
    table: str
    dead_letters: str

    @classmethod
    def from_environment(cls) -> Settings:
        """Read RECIBO_BUCKET, RECIBO_TABLE and RECIBO_DEAD_LETTERS; KeyError names the one that is missing."""
        return cls(
            bucket=os.environ["RECIBO_BUCKET"],
            table=os.environ["RECIBO_TABLE"],
            dead_letters=os.environ["RECIBO_DEAD_LETTERS"],
        )


class LambdaClock:
    """The wall clock, and the time a Lambda invocation has left for inspecting."""

    def __init__(self, context: Any) -> None:
        left = timedelta(milliseconds=context.get_remaining_time_in_millis())
        self._verdict_by = self.now() + left - min(VERDICT_RESERVE, left / 10)

    def now(self) -> datetime:
        """The time in UTC."""
        return datetime.now(UTC)

    def remaining(self) -> timedelta:
        """How long the inspection may still take."""
        return self._verdict_by - self.now()


def intake(context: Any) -> Intake:
    """The intake for one Lambda invocation."""
    return Intake(
        inbox=inbox(), ledger=ledger(), clock=LambdaClock(context), request_id=getattr(context, "aws_request_id", None)
    )


@cache
def inbox() -> S3Inbox:
    """The inbox, its connection kept between invocations."""
    return S3Inbox(client("s3"))


@cache
def ledger() -> DynamoLedger:
    """The ledger, its connection kept between invocations."""
    return DynamoLedger(client("dynamodb"), Settings.from_environment().table)


def client(service: Any) -> Any:
    """A client for AWS, or for the emulator at AWS_ENDPOINT_URL, whose host name cannot carry a bucket's."""
    config = Config(
        connect_timeout=5,
        read_timeout=30,
        retries={"mode": "standard", "total_max_attempts": 5},
        s3={"addressing_style": "path" if os.environ.get("AWS_ENDPOINT_URL") else "auto"},
    )
    return boto3.client(service, config=config)
