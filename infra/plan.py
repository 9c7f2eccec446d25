"""What `make deploy` would do, and what the stage costs. Nothing is changed: a change set is made, read and deleted.

python -m infra.plan --stage prod
"""

from __future__ import annotations

import base64
import difflib
import hashlib
import json
import secrets
import sys
import time
from argparse import Namespace
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from infra.checks import check
from infra.command import command
from infra.expenses import costs
from infra.functions import deployed_fingerprint, fingerprint
from infra.package import build_zip
from infra.policies import policies
from infra.stack import POLL_SECONDS, UNMADE, find_stack, is_up_to_date, stack_request
from infra.stages import UsageError, load_config
from infra.state import functions_of
from infra.target import Target
from infra.watch import beside, watch_settings

CREATED_BY_A_PLAN = "REVIEW_IN_PROGRESS"


def plan(target: Target) -> None:
    """Say what a deployment would change."""
    check(target)
    counts = Counter[str]()
    for stacked, request in ((target, stack_request(target)), (beside(target), watch_settings(target))):
        changes = stack_changes(stacked, request)
        _say(target, f"stack {stacked.stage.stack}", [_change(one) for one in changes])
        counts += _types(stacked, changes)
    _say(target, "functions", list(function_changes(target)))
    _say(target, "policies", list(policy_changes(target)))
    _say(target, "cost, estimated", list(costs(counts, load_config(target.project))))


def _say(target: Target, what: str, lines: Sequence[str]) -> None:
    target.say(f"{what}: {'' if lines else 'no change'}".rstrip(" "))
    for line in lines:
        target.say(f"  {line}")


# -- the stack


def stack_changes(target: Target, request: dict[str, Any]) -> list[dict[str, Any]]:
    """The change set's resources."""
    stack = find_stack(target)
    if stack and is_up_to_date(stack, request):
        return []
    is_new = stack is None or stack["StackStatus"] in UNMADE
    cloudformation, name = target.client("cloudformation"), f"recibo-plan-{secrets.token_hex(4)}"
    kind = "CREATE" if is_new else "UPDATE"
    cloudformation.create_change_set(ChangeSetName=name, ChangeSetType=kind, **request)
    try:
        return _read(target, name)
    finally:
        cloudformation.delete_change_set(StackName=target.stage.stack, ChangeSetName=name)
        if stack is None:
            _delete_draft(target)


def _read(target: Target, name: str) -> list[dict[str, Any]]:
    cloudformation, stack = target.client("cloudformation"), target.stage.stack
    while True:
        made = cloudformation.describe_change_set(StackName=stack, ChangeSetName=name)
        if made["Status"] not in {"CREATE_PENDING", "CREATE_IN_PROGRESS"}:
            break
        time.sleep(POLL_SECONDS)
    reason = made.get("StatusReason", "")
    if made["Status"] == "FAILED" and "didn't contain changes" not in reason and "No updates" not in reason:
        raise UsageError(f"CloudFormation would refuse the stack {stack}: {reason}")
    changes = list(made["Changes"])
    while made.get("NextToken"):
        made = cloudformation.describe_change_set(StackName=stack, ChangeSetName=name, NextToken=made["NextToken"])
        changes += made["Changes"]
    # Every deployment tags what the stack holds with its fingerprint, which is no change of anybody's.
    return [one["ResourceChange"] for one in changes if one["ResourceChange"].get("Scope") != ["Tags"]]


def _delete_draft(target: Target) -> None:
    """The empty stack that a change set for a new one leaves; never one that is more than that."""
    stack = find_stack(target)
    if stack and stack["StackStatus"] == CREATED_BY_A_PLAN:
        target.client("cloudformation").delete_stack(StackName=target.stage.stack)


def _change(resource: Mapping[str, Any]) -> str:
    replaced = {"True": " (REPLACED: another one takes its place)", "Conditional": " (may be replaced)"}
    more = replaced.get(resource.get("Replacement", ""), "")
    return f"{resource['Action'].lower():<7} {resource['ResourceType']:<28} {resource['LogicalResourceId']}{more}"


def _types(target: Target, changes: Sequence[Mapping[str, Any]]) -> Counter[str]:
    """How many resources of each type the stack has once it is deployed."""
    found = Counter[str]()
    if find_stack(target):
        pages = target.client("cloudformation").get_paginator("list_stack_resources")
        for page in pages.paginate(StackName=target.stage.stack):
            found.update(one["ResourceType"] for one in page["StackResourceSummaries"])
    found.update(one["ResourceType"] for one in changes if one["Action"] == "Add")
    found.subtract(one["ResourceType"] for one in changes if one["Action"] == "Remove")
    return found


# -- the functions


def function_changes(target: Target) -> Iterator[str]:
    """Functions that would be new, changed or deleted, with what changes."""
    if deployed_fingerprint(target) == fingerprint(target):
        return
    code = _sha256(target)
    deployed, config = functions_of(target), load_config(target.project)
    wanted = config["lambda_functions"]
    for name in wanted:
        if name not in deployed:
            yield f"add     {name}"
        elif changed := list(_differences(deployed[name], wanted[name], config["stages"][target.stage.name], code)):
            yield f"modify  {name}: {', '.join(changed)}"
    yield from (f"remove  {name}" for name in deployed if name not in wanted)


def _sha256(target: Target) -> str:
    """What Lambda will call the code: the zip is the same bytes whenever it is built."""
    path = build_zip(target.project, target.stage.name)
    return base64.b64encode(hashlib.sha256(path.read_bytes()).digest()).decode()


def _differences(
    deployed: Mapping[str, Any], wanted: Mapping[str, Any], stage: Mapping[str, Any], code: str
) -> Iterator[str]:
    variables = stage["environment_variables"]
    runtime = "python{}.{}".format(*sys.version_info)
    pairs = {
        "code": (deployed["CodeSha256"], code),
        "runtime": (deployed["Runtime"], runtime),
        "memory": (deployed["MemorySize"], wanted["lambda_memory_size"]),
        "timeout": (deployed["Timeout"], wanted["lambda_timeout"]),
        "architecture": (deployed.get("Architectures"), [stage.get("lambda_architecture", "x86_64")]),
    }
    for name, (was, will_be) in pairs.items():
        if was != will_be:
            yield name if name == "code" else f"{name} {was} → {will_be}"
    environment = deployed.get("Environment", {}).get("Variables", {})
    changed = sorted(name for name in variables if environment.get(name) != variables[name])
    if changed:
        yield f"environment ({', '.join(changed)})"


# -- the policies


def policy_changes(target: Target) -> Iterator[str]:
    """The lines by which the policies of what is deployed differ; of a function that is new, that it has one."""
    for name, document in policies(target.stage).items():
        deployed = _deployed_policy(target, name)
        if deployed is None:
            yield f"add     {name}: {len(document['Statement'])} statements"
        elif deployed != document:
            was, will_be = (json.dumps(one, indent=1).splitlines() for one in (deployed, document))
            yield f"modify  {name}"
            lines = list(difflib.unified_diff(was, will_be, lineterm="", n=0))[2:]
            yield from (f"  {line}" for line in lines if not line.startswith("@@"))


def _deployed_policy(target: Target, function: str) -> dict[str, Any] | None:
    """Chalice names role and policy alike."""
    name = target.stage.function(function)
    try:
        found = target.client("iam").get_role_policy(RoleName=name, PolicyName=name)["PolicyDocument"]
    except ClientError as error:
        if error.response["Error"]["Code"] in {"NoSuchEntity", "NoSuchEntityException"}:
            return None
        raise
    document: dict[str, Any] = json.loads(found) if isinstance(found, str) else found
    return document


def main(given: Sequence[str] | None = None) -> int:
    """Plan a deployment; exit 2 with one sentence if it would be refused."""
    return command("plan", __doc__.partition("\n")[0], _work, given=given)


def _work(target: Target, _: Namespace) -> int:
    plan(target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
