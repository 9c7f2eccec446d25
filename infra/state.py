"""What Chalice remembers of a deployment, in a file that a fresh clone does not have: found out from AWS instead.

Without it Chalice would make a second REST API, with another address, and could delete nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from infra.target import Target

Resource = dict[str, str]


def restore_state(target: Target) -> None:
    """Let Chalice know what is deployed, whoever deployed it, from wherever."""
    path = state_path(target)
    found = sorted(deployed_resources(target), key=lambda one: one["name"] == "rest_api")  # Chalice's comes last
    if target.endpoint and not _replaces_apis(target):
        found = list(_without_apis(target, found))
    if not found:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"resources": found, "schema_version": "2.0", "backend": "api"}, indent=2) + "\n")


def _replaces_apis(target: Target) -> bool:
    """Whether the emulator can import an API in place of one that it has: asked of one that it has not."""
    try:
        target.client("apigateway").put_rest_api(restApiId="none", mode="overwrite", body=b"{}")
    except ClientError as error:
        return "Unknown API Gateway" not in error.response["Error"]["Message"]
    return True


def _without_apis(target: Target, resources: Iterable[Resource]) -> Iterator[Resource]:
    """The rest, once the APIs are deleted: Chalice makes them anew."""
    for one in resources:
        if one["resource_type"] == "rest_api":
            target.client("apigateway").delete_rest_api(restApiId=one["rest_api_id"])
        else:
            yield one


def state_path(target: Target) -> Path:
    """Where Chalice keeps it."""
    return target.project / ".chalice" / "deployed" / f"{target.stage.name}.json"


def functions_of(target: Target) -> dict[str, dict[str, Any]]:
    """The stage's functions as Lambda describes them, by the names that app.py gives them."""
    functions, stack = target.client("lambda"), target.stage.stack
    pages = functions.get_paginator("list_functions").paginate()
    named = [one for page in pages for one in page["Functions"] if f"{one['FunctionName']}-".startswith(f"{stack}-")]
    ours = (one for one in named if _is_of_stage(functions.list_tags(Resource=one["FunctionArn"])["Tags"], target))
    return {one["FunctionName"].removeprefix(stack).removeprefix("-") or "api_handler": one for one in ours}


def _is_of_stage(tags: dict[str, str], target: Target) -> bool:
    """The names of the stages dev and dev-2 begin alike; Chalice's tag tells them apart."""
    return f"stage={target.stage.name}:app={target.stage.app_name}" in tags.get("aws-chalice", "")


def deployed_resources(target: Target) -> Iterator[Resource]:
    """What Chalice would remember."""
    for name, function in functions_of(target).items():
        yield from _of_function(target.stage.function(name), name, function)
        yield from _of_queues(target, name, function)
        yield from _of_permissions(target, name, function)


def _of_function(full_name: str, name: str, function: dict[str, Any]) -> Iterator[Resource]:
    # Chalice takes the API's group for one named like those of the others.
    group, role = f"/aws/lambda/{full_name}", function["Role"]
    yield {"name": f"{name}-log-group", "resource_type": "log_group", "log_group_name": group}
    role_name = role.rpartition("/")[2]
    yield {"name": f"{name}_role", "resource_type": "iam_role", "role_arn": role, "role_name": role_name}
    yield {"name": name, "resource_type": "lambda_function", "lambda_arn": function["FunctionArn"]}


def _of_queues(target: Target, name: str, function: dict[str, Any]) -> Iterator[Resource]:
    arn = function["FunctionArn"]
    for one in mappings_of(target, function):
        queue = one["EventSourceArn"]
        if ":sqs:" in queue:  # the stream's is not Chalice's (infra/stream.py)
            yield {
                "name": f"{name}-sqs-event-source",
                "resource_type": "sqs_event",
                "queue_arn": queue,
                "event_uuid": one["UUID"],
                "queue": queue.rpartition(":")[2],
                "lambda_arn": arn,
            }


def mappings_of(target: Target, function: dict[str, Any]) -> list[dict[str, Any]]:
    """What a function is fed by; LocalStack also lists what feeds those whose names begin as its own."""
    name, arn = function["FunctionName"], function["FunctionArn"]
    found = target.client("lambda").list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    return [one for one in found if one["FunctionArn"] == arn]


def _of_permissions(target: Target, name: str, function: dict[str, Any]) -> Iterator[Resource]:
    """Who may call a function says where its events come from."""
    arn = function["FunctionArn"]
    for service, source in _callers(target, function["FunctionName"]):
        last = source.rpartition(":")[2]
        if service == "s3":
            yield {"name": f"{name}-s3event", "resource_type": "s3_event", "bucket": last, "lambda_arn": arn}
        elif service == "events":
            rule = last.rpartition("/")[2]
            yield {"name": f"{name}-event", "resource_type": "cloudwatch_event", "rule_name": rule}
        elif service == "execute-api" and name == "api_handler":
            api, region = last.partition("/")[0], source.split(":")[3]
            if not _has_api(target, api):  # the permission outlives it
                continue
            url = f"https://{api}.execute-api.{region}.amazonaws.com/{target.stage.api_stage}/"
            yield {"name": "rest_api", "resource_type": "rest_api", "rest_api_id": api, "rest_api_url": url}


def _has_api(target: Target, api: str) -> bool:
    try:
        target.client("apigateway").get_rest_api(restApiId=api)
    except ClientError as error:
        if error.response["Error"]["Code"] == "NotFoundException":
            return False
        raise
    return True


def _callers(target: Target, function: str) -> Iterator[tuple[str, str]]:
    """The services that may call a function, each with the ARN for which it may."""
    try:
        policy = target.client("lambda").get_policy(FunctionName=function)["Policy"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return
        raise
    for statement in json.loads(policy)["Statement"]:
        for condition in statement.get("Condition", {}).values():
            source = {key.lower(): value for key, value in condition.items()}.get("aws:sourcearn")
            if source:
                yield source.split(":")[2], source
