"""Take a stage down: its functions and its API. What they made, and what they read, stays unless told otherwise.

python -m infra.destroy --stage dev
python -m infra.destroy --stage dev --delete-data dev     # the inbox and the ledger too, for ever
"""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from collections.abc import Iterator, Sequence
from typing import Any

from botocore.exceptions import ClientError

from infra.checks import check_account
from infra.command import command
from infra.functions import run_chalice
from infra.stack import POLL_SECONDS, find_stack
from infra.stages import Stage, UsageError
from infra.state import functions_of, mappings_of, restore_state
from infra.target import Target
from infra.watch import beside


def destroy(target: Target, *, delete_data: str = "") -> None:
    """Take the stage down; with its name in `delete_data`, inbox, ledger and queues too."""
    stage = target.stage
    if delete_data and delete_data != stage.name:
        raise UsageError(
            f"Nothing was destroyed: to delete the data of the stage {stage.name}, its name has to be repeated, "
            f"and {delete_data!r} was given."
        )
    check_account(target)
    _delete_functions(target)
    with target.step("alarms and dashboard"):
        _delete_stack(beside(target))
    if delete_data:
        _delete_data(target)
    elif find_stack(target):
        target.say(f"kept: {_kept(stage)}. `make deploy STAGE={stage.name}` joins new functions to them.")


def _delete_functions(target: Target) -> None:
    functions = functions_of(target)
    if not functions:
        target.say("functions: there are none")
        return
    restore_state(target)
    with target.step(f"{len(functions)} functions, their roles and schedules, the API, and the bucket's notification"):
        _delete_stream_mappings(target, functions)
        run_chalice(target, "delete")


def _delete_stream_mappings(target: Target, functions: dict[str, dict[str, Any]]) -> None:
    """Chalice does not know of them, and Lambda keeps them when their function is gone."""
    lambdas = target.client("lambda")
    for one in functions.values():
        for mapping in mappings_of(target, one):
            if ":dynamodb:" in mapping["EventSourceArn"]:
                lambdas.delete_event_source_mapping(UUID=mapping["UUID"])


def _kept(stage: Stage) -> str:
    inbox = f"the bucket {stage.bucket}"
    kept = [inbox, f"the table {stage.table}", f"the queues of the stack {stage.stack}"]
    kept += [f"the seals' bucket {stage.seals_bucket}"] if stage.seals_bucket else []
    kept += [f"the key {stage.seals_key}"] if stage.seals_key else []
    return ", ".join(kept)


# -- the data


def _delete_data(target: Target) -> None:
    stage = target.stage
    if not stage.is_adopted:
        with target.step(f"every version in {stage.bucket}"):
            _empty(target, stage.bucket)
    with target.step(f"the stack {stage.stack}"):
        _delete_stack(target)
    with target.step("the bucket and the table"):
        if not stage.is_adopted:
            _unless_gone(lambda: target.client("s3").delete_bucket(Bucket=stage.bucket))
        _delete_table(target)
    for line in _left(stage):
        target.say(line)


def _left(stage: Stage) -> Iterator[str]:
    """What this command does not delete, and why."""
    if stage.is_adopted:
        yield f"kept: the bucket {stage.bucket} and all that is in it, for it was adopted."
    if stage.seals_bucket:
        yield f"kept: the seals' bucket {stage.seals_bucket}, whose lock lets nobody delete a seal before its time."
    if stage.seals_key:
        yield (
            f"kept: the key that {stage.seals_key} named, for proofs that were handed out are checked by it; it costs "
            "$1 a month, and `aws kms schedule-key-deletion` ends that."
        )


def _empty(target: Target, bucket: str) -> None:
    s3 = target.client("s3")
    try:
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            listed = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            keys = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in listed]
            failed = s3.delete_objects(Bucket=bucket, Delete={"Objects": keys}).get("Errors", []) if keys else []
            if failed:
                raise UsageError(f"S3 would not delete {failed[0]['Key']} of {bucket}: {failed[0].get('Message')}")
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            raise


def _delete_stack(target: Target) -> None:
    if find_stack(target) is None:
        return
    cloudformation, name = target.client("cloudformation"), target.stage.stack
    cloudformation.update_termination_protection(StackName=name, EnableTerminationProtection=False)
    cloudformation.delete_stack(StackName=name)
    while stack := find_stack(target):
        if stack["StackStatus"] == "DELETE_COMPLETE":
            return
        if stack["StackStatus"] == "DELETE_FAILED":
            raise UsageError(f"The stack {name} could not be deleted: {stack.get('StackStatusReason')}")
        time.sleep(POLL_SECONDS)


def _delete_table(target: Target) -> None:
    dynamodb, name = target.client("dynamodb"), target.stage.table
    _unless_gone(lambda: dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False))
    _unless_gone(lambda: dynamodb.delete_table(TableName=name))


def _unless_gone(delete: Any) -> None:
    try:
        delete()
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"NoSuchBucket", "ResourceNotFoundException"}:
            raise


def main(given: Sequence[str] | None = None) -> int:
    """Destroy a stage; exit 2 with one sentence for what a person can mend."""
    option = {"default": "", "metavar": "STAGE", "help": "delete inbox and ledger too: the stage's name again"}
    return command("destroy", __doc__.partition("\n")[0], _work, ("--delete-data", option), given=given)


def _work(target: Target, arguments: Namespace) -> int:
    destroy(target, delete_data=arguments.delete_data)
    return 0


if __name__ == "__main__":
    sys.exit(main())
