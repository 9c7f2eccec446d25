"""The CloudFormation stack: what Chalice cannot make."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from infra.stages import UsageError
from infra.target import Target

FINGERPRINT_TAG = "recibo-fingerprint"
POLL_SECONDS = 1.0
UNMADE = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "REVIEW_IN_PROGRESS"}

NOTHING_NEW_KEPT = {"RetainExceptOnCreate": True}
"""What an attempt that fails has just made is deleted with it, else the next would find the names taken."""


def deploy_stack(target: Target) -> bool:
    """Make the stack, or bring it up to date; whether anything had to change."""
    return make_stack(target, stack_request(target))


def make_stack(target: Target, request: dict[str, Any]) -> bool:
    """Make the stage's stack of a request, or bring it up to date; whether anything had to change."""
    cloudformation = target.client("cloudformation")
    stack = find_stack(target)
    if stack and stack["StackStatus"] in UNMADE:
        _delete_unmade(target)
        stack = None
    if stack is None:
        is_protected = target.endpoint is None
        cloudformation.create_stack(**request, **NOTHING_NEW_KEPT, EnableTerminationProtection=is_protected)
    elif is_up_to_date(stack, request) or not _update(cloudformation, request):
        return False
    _wait(target)
    return True


def _delete_unmade(target: Target) -> None:
    """A stack that was never made to its end can only be deleted; it kept nothing that was there before it."""
    cloudformation, name = target.client("cloudformation"), target.stage.stack
    cloudformation.update_termination_protection(StackName=name, EnableTerminationProtection=False)
    cloudformation.delete_stack(StackName=name)
    while find_stack(target):
        time.sleep(POLL_SECONDS)


def stack_request(target: Target) -> dict[str, Any]:
    """What `create_stack` and `update_stack` take, tagged with the fingerprint of all of it."""
    return request_of(target, "template.yaml", _parameters(target))


def request_of(target: Target, template: str, parameters: Mapping[str, str]) -> dict[str, Any]:
    """The same for any template of this folder."""
    request: dict[str, Any] = {
        "StackName": target.stage.stack,
        "TemplateBody": (target.project / "infra" / template).read_text(),
        "Parameters": [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
    }
    digest = hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()
    return request | {"Tags": [{"Key": FINGERPRINT_TAG, "Value": digest}]}


def _parameters(target: Target) -> Mapping[str, str]:
    stage = target.stage
    return {
        "BucketName": stage.bucket,
        "AdoptBucket": "true" if stage.is_adopted else "false",
        "TableName": stage.table,
        "DeadLetterQueueName": stage.dead_letters,
        "UnannouncedQueueName": stage.unannounced,
        "RequireTls": "false" if target.endpoint else "true",
        "SealsBucketName": stage.seals_bucket,
        "SealsKeyAlias": stage.seals_key,
        **stage.guards.parameters,
    }


def find_stack(target: Target) -> dict[str, Any] | None:
    """The stage's stack as CloudFormation describes it."""
    try:
        found = target.client("cloudformation").describe_stacks(StackName=target.stage.stack)
    except ClientError as error:
        if "does not exist" in error.response["Error"]["Message"]:
            return None
        raise
    stacks: list[dict[str, Any]] = found["Stacks"]
    return stacks[0] if stacks else None


def output(target: Target, name: str) -> str:
    """What the stage's stack says of itself under a name."""
    outputs = (find_stack(target) or {})["Outputs"]
    return next(str(one["OutputValue"]) for one in outputs if one["OutputKey"] == name)


def stack_buckets(target: Target) -> set[str]:
    """The buckets that the stack has made."""
    if find_stack(target) is None:
        return set()
    resources = target.client("cloudformation").describe_stack_resources(StackName=target.stage.stack)
    found = (one for one in resources["StackResources"] if one["ResourceType"] == "AWS::S3::Bucket")
    return {str(one.get("PhysicalResourceId")) for one in found}


def is_up_to_date(stack: Mapping[str, Any], request: Mapping[str, Any]) -> bool:
    """Whether the stack was made, to its end, from this very request."""
    return _is_complete(stack) and request["Tags"][0] in stack.get("Tags", [])


def _update(cloudformation: Any, request: Mapping[str, Any]) -> bool:
    try:
        cloudformation.update_stack(**request, **NOTHING_NEW_KEPT)
    except ClientError as error:
        if "No updates are to be performed" in error.response["Error"]["Message"]:
            return False
        raise
    return True


def _is_complete(stack: Mapping[str, Any]) -> bool:
    return str(stack["StackStatus"]) in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}


def _wait(target: Target) -> None:
    while True:
        stack = find_stack(target) or {"StackStatus": "missing"}
        if not stack["StackStatus"].endswith("_IN_PROGRESS"):
            break
        time.sleep(POLL_SECONDS)
    if not _is_complete(stack):
        raise UsageError(
            f"The stack {target.stage.stack} ended as {stack['StackStatus']}: "
            f"{stack.get('StackStatusReason') or _first_failure(target)}"
        )


def _first_failure(target: Target) -> str:
    events = target.client("cloudformation").describe_stack_events(StackName=target.stage.stack)["StackEvents"]
    failed = [event for event in events if event["ResourceStatus"].endswith("FAILED")]
    return str(failed[-1].get("ResourceStatusReason")) if failed else "no reason was given."


def lock_seals(target: Target) -> None:
    """A seal in a bucket without a lock proves nothing: set it where an emulator's stack left it out."""
    bucket = target.stage.seals_bucket
    if not bucket:
        return
    s3 = target.client("s3")
    try:
        s3.get_object_lock_configuration(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ObjectLockConfigurationNotFoundError" or not target.endpoint:
            raise
        lock = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}}}
        s3.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration=lock)
