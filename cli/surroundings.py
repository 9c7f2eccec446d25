"""Which AWS the command line talks to: the endpoint and the stage in use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import boto3
from botocore.config import Config

from chalicelib.aws.ledger import DynamoLedger
from chalicelib.aws.lists import DynamoLists
from chalicelib.aws.versions import S3Versions
from infra.stages import Stage, UsageError, load_stage
from local.embedded import endpoint_for


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """The stage, and the emulator's endpoint; None is AWS itself, by the usual credentials and profile."""

    stage: Stage
    endpoint: str | None

    @classmethod
    def find(cls, stage: str, endpoint: str | None) -> Surroundings:
        """The stage, and where its AWS is; raises UsageError if there is none."""
        return cls(stage=load_stage(stage), endpoint=endpoint_for(stage, endpoint))

    def client(self, service: Any) -> Any:
        """A client of the AWS in use."""
        return _client(service, self.endpoint)

    @cached_property
    def ledger(self) -> DynamoLedger:
        """The stage's ledger."""
        return DynamoLedger(self.client("dynamodb"), self.stage.table)

    @cached_property
    def lists(self) -> DynamoLists:
        """The lists of the stage's ledger."""
        return DynamoLists(self.client("dynamodb"), self.stage.table)

    @cached_property
    def versions(self) -> S3Versions:
        """The versions of the stage's bucket, of its prefix alone if it has one."""
        return S3Versions(self.client("s3"), within=self.stage.prefix)


@cache
def _client(service: Any, endpoint: str | None) -> Any:
    """Made once: it takes longer than a call. An emulator's host name cannot carry a bucket's, hence the path."""
    config = Config(s3={"addressing_style": "path" if endpoint else "auto"})
    return answering_as_aws(boto3.client(service, endpoint_url=endpoint, config=config), endpoint)


def answering_as_aws(client: Any, endpoint: str | None) -> Any:
    """The client, which tells in one sentence that the endpoint is something else, as a web server."""

    def look(parsed: Mapping[str, Any], **_: object) -> None:
        if "RequestId" not in parsed.get("ResponseMetadata", {}):  # every answer of AWS has one
            raise UsageError(f"{endpoint} does not answer as AWS does: give the endpoint of an emulator.")

    if endpoint:
        client.meta.events.register("after-call", look)
    return client
