"""Which AWS the command line talks to: the endpoint and the stage in use."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import boto3
from botocore.config import Config

from chalicelib.aws.ledger import DynamoLedger
from infra.stages import Stage, UsageError, load_stage
from local.embedded import CREDENTIALS, answers, running_endpoint

LOCAL = "local"


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """The stage, and the emulator's endpoint; None is AWS itself, by the usual credentials and profile."""

    stage: Stage
    endpoint: str | None

    @classmethod
    def find(cls, stage: str, endpoint: str | None) -> Surroundings:
        """The endpoint given, else that of a running `make run` for the stage `local`, else AWS."""
        if endpoint is None and stage == LOCAL:
            endpoint = running_endpoint()
            if endpoint is None:
                raise UsageError(
                    "No AWS is running for the stage local: start one with `make run` in another terminal, "
                    "or set AWS_ENDPOINT_URL."
                )
        if endpoint and not answers(endpoint):
            raise UsageError(f"Nothing answers at {endpoint}: start it, or give another --endpoint-url.")
        if endpoint:
            for name, value in CREDENTIALS.items():
                os.environ.setdefault(name, value)
        return cls(stage=load_stage(stage), endpoint=endpoint)

    def client(self, service: Any) -> Any:
        """A client of the AWS in use."""
        return _client(service, self.endpoint)

    @cached_property
    def ledger(self) -> DynamoLedger:
        """The stage's ledger."""
        return DynamoLedger(self.client("dynamodb"), self.stage.table)


@cache
def _client(service: Any, endpoint: str | None) -> Any:
    """Made once: it takes longer than a call. An emulator's host name cannot carry a bucket's, hence the path."""
    config = Config(s3={"addressing_style": "path" if endpoint else "auto"})
    return boto3.client(service, endpoint_url=endpoint, config=config)
