"""What a call of AWS asks of IAM: its actions, its resource, and the keys that conditions look at.

As AWS documents it for the services that Recibo calls. It is decided by the evaluator of the embedded AWS.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.client import BaseClient
from ministack.core.iam_evaluator import EvalContext, ParsedStatement, evaluate, parse_policy_document

from infra.template import table_definition

ACCOUNT = "123456789012"
REGION = "us-east-1"
WORDS = {"and", "or", "not", "in", "between"}
FUNCTIONS = {"attribute_exists", "attribute_not_exists", "begins_with", "size", "contains"}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One question to IAM; `keys` are the condition keys that the request has."""

    action: str
    resource: str
    keys: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        return f"{self.action} on {self.resource} with {dict(self.keys)}"


def is_allowed(asked: Asked, policy: Mapping[str, Any]) -> bool:
    """What IAM answers for a role with this policy alone."""
    return bool(evaluate(_context(asked), [_parsed(policy["Statement"])]).decision == "Allow")


def _context(asked: Asked) -> EvalContext:
    return EvalContext(
        principal_arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/role/session",
        principal_type="AssumedRole",
        principal_account=ACCOUNT,
        action=asked.action,
        resource_arn=asked.resource,
        region=REGION,
        service_context={key.lower(): value for key, value in asked.keys.items()},
    )


def _parsed(statements: Iterable[Mapping[str, Any]]) -> list[ParsedStatement]:
    parsed: list[ParsedStatement] = parse_policy_document({"Version": "2012-10-17", "Statement": list(statements)})
    return parsed


def asked_by(service: str, operation: str, parameters: Mapping[str, Any]) -> Iterator[Asked]:
    """What the call asks for; KeyError for one that Recibo never made before."""
    yield from {"s3": _of_s3, "dynamodb": _of_dynamodb, "lambda": _of_lambda, "events": _of_events, "kms": _of_kms}[
        service
    ](operation, parameters)


def _of_s3(operation: str, parameters: Mapping[str, Any]) -> Iterator[Asked]:
    bucket = f"arn:aws:s3:::{parameters['Bucket']}"
    of_version = "Version" if "VersionId" in parameters else ""
    action, resource = {
        "GetObject": (f"s3:GetObject{of_version}", f"{bucket}/{parameters.get('Key')}"),
        "HeadObject": (f"s3:GetObject{of_version}", f"{bucket}/{parameters.get('Key')}"),
        "PutObject": ("s3:PutObject", f"{bucket}/{parameters.get('Key')}"),
        "ListObjectsV2": ("s3:ListBucket", bucket),
        "ListObjectVersions": ("s3:ListBucketVersions", bucket),
        "GetBucketVersioning": ("s3:GetBucketVersioning", bucket),
    }[operation]
    yield Asked(action=action, resource=resource, keys={"s3:authType": "REST-HEADER"})


def _of_dynamodb(operation: str, parameters: Mapping[str, Any]) -> Iterator[Asked]:
    if operation == "TransactWriteItems":
        for member in parameters["TransactItems"]:
            ((kind, request),) = member.items()
            yield from _of_dynamodb({"Put": "PutItem", "Update": "UpdateItem"}[kind], request)
    elif operation == "BatchGetItem":
        for name, request in parameters["RequestItems"].items():
            keys = [each["pk"]["S"] for each in request["Keys"]]
            yield Asked(action="dynamodb:BatchGetItem", resource=_table(name), keys={"dynamodb:LeadingKeys": keys})
    else:
        index = f"/index/{parameters['IndexName']}" if "IndexName" in parameters else ""
        found = {"dynamodb:LeadingKeys": [_leading_key(parameters)]}
        if operation == "UpdateItem":
            found["dynamodb:Attributes"] = sorted(_attributes(parameters))
        yield Asked(action=f"dynamodb:{operation}", resource=_table(parameters["TableName"]) + index, keys=found)


def _table(name: str) -> str:
    return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}"


def _leading_key(parameters: Mapping[str, Any]) -> str:
    """The partition key's value, of the table or of the index."""
    key = parameters.get("Item") or parameters.get("Key")
    if key:
        return str(key["pk"]["S"])
    by_name = {each["IndexName"]: each["KeySchema"][0] for each in table_definition()["GlobalSecondaryIndexes"]}
    name = by_name[parameters["IndexName"]]["AttributeName"] if "IndexName" in parameters else "pk"
    found = re.search(rf"\b{name} = (:\w+)", parameters["KeyConditionExpression"])
    assert found, parameters["KeyConditionExpression"]
    return str(parameters["ExpressionAttributeValues"][found[1]]["S"])


def _attributes(parameters: Mapping[str, Any]) -> set[str]:
    """The key's, and all that an expression names."""
    told = f"{parameters['UpdateExpression'].partition(' ')[2]} {parameters.get('ConditionExpression', '')}"
    aliases = parameters.get("ExpressionAttributeNames", {})
    words = set(re.findall(r"(?<![:\w#])#?[a-z_]\w*", told)) - FUNCTIONS
    return {*parameters["Key"], *(aliases.get(word, word) for word in words if word.lower() not in WORDS)}


def _of_lambda(operation: str, parameters: Mapping[str, Any]) -> Iterator[Asked]:
    assert operation == "Invoke"
    name = parameters["FunctionName"]
    yield Asked(action="lambda:InvokeFunction", resource=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}")


def _of_events(operation: str, parameters: Mapping[str, Any]) -> Iterator[Asked]:
    assert operation == "PutEvents"
    for entry in parameters["Entries"]:
        found = {"events:source": [entry["Source"]], "events:detail-type": [entry["DetailType"]]}
        bus = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/{entry.get('EventBusName', 'default')}"
        yield Asked(action="events:PutEvents", resource=bus, keys=found)


def _of_kms(operation: str, parameters: Mapping[str, Any]) -> Iterator[Asked]:
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    yield Asked(action=f"kms:{operation}", resource=key, keys={"kms:ResourceAliases": [parameters["KeyId"]]})


@contextmanager
def recorded(into: list[Asked], monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Asked]]:
    """What all calls within the block ask for."""
    call = BaseClient._make_api_call  # type: ignore[attr-defined]

    def recording(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
        into.extend(asked_by(client.meta.service_model.service_name, operation, parameters))
        return call(client, operation, parameters)

    with monkeypatch.context() as patched:
        patched.setattr(BaseClient, "_make_api_call", recording)
        yield into
