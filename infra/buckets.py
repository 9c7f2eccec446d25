"""Whose the buckets are that a stage names, and what a bucket already does when a file lands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from botocore.exceptions import ClientError

from infra.stack import stack_buckets
from infra.stages import UsageError
from infra.target import Target

FAMILIES = {"s3:ObjectCreated", "s3:ObjectRemoved", "s3:LifecycleExpiration"}
"""The events that `inspect` takes, without what follows the last colon."""

RECEIVERS: Mapping[str, str] = {
    "LambdaFunctionConfigurations": "LambdaFunctionArn",
    "QueueConfigurations": "QueueArn",
    "TopicConfigurations": "TopicArn",
}

Owner = Literal["nobody", "us", "another"]


def check_inbox(target: Target) -> None:
    """The inbox is free, this stack's own, or there to be adopted."""
    stage, bucket = target.stage, target.stage.bucket
    owner = _owner(target, bucket)
    if not stage.is_adopted:
        _refuse_taken(
            target,
            bucket,
            owner,
            "To have its files inspected and leave it as it is, set RECIBO_ADOPT_BUCKET to true; else choose another "
            "name (RECIBO_BUCKET).",
        )
    elif stage.guards.access_logs:
        raise UsageError(
            f"The bucket {bucket} is adopted, and where its accesses are logged stays its owner's choice: leave "
            f"RECIBO_ACCESS_LOGS out of the stage {stage.name!r}."
        )
    elif owner != "us":
        raise UsageError(
            f"The bucket {bucket} {'belongs to another account' if owner == 'another' else 'does not exist'}: "
            f"RECIBO_ADOPT_BUCKET is for one that exists in this account."
        )
    else:
        _refuse_elsewhere(target)
        _warn_of_versions(target)


def check_seals_bucket(target: Target) -> None:
    """So is the bucket of the seals, which cannot be adopted: only a new bucket can have an object lock of ours."""
    if bucket := target.stage.seals_bucket:
        _refuse_taken(target, bucket, _owner(target, bucket), "Choose another name (RECIBO_ANCHOR).")


def _owner(target: Target, bucket: str) -> Owner:
    account = target.client("sts").get_caller_identity()["Account"]
    try:
        target.client("s3").head_bucket(Bucket=bucket, ExpectedBucketOwner=account)
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if status in {404, 403}:
            return "nobody" if status == 404 else "another"
        if status != 301:  # it is in another region, which is seen to later
            raise
    return "us"


def _refuse_taken(target: Target, bucket: str, owner: Owner, remedy: str) -> None:
    if owner == "another":
        raise UsageError(
            f"The bucket name {bucket} is taken by another account, or these credentials may not see it: "
            "choose another in .chalice/config.json."
        )
    if owner == "us" and bucket not in stack_buckets(target):
        raise UsageError(f"The bucket {bucket} exists, and the stack {target.stage.stack} did not make it. {remedy}")


def _refuse_elsewhere(target: Target) -> None:
    """S3 calls functions of its own region alone."""
    s3, bucket = target.client("s3"), target.stage.bucket
    there = s3.get_bucket_location(Bucket=bucket).get("LocationConstraint") or "us-east-1"
    if there != s3.meta.region_name:
        raise UsageError(
            f"The bucket {bucket} is in {there}, and its functions would be in {s3.meta.region_name}: "
            f"deploy with AWS_DEFAULT_REGION={there}."
        )


def _warn_of_versions(target: Target) -> None:
    bucket = target.stage.bucket
    if target.client("s3").get_bucket_versioning(Bucket=bucket).get("Status") != "Enabled":
        target.say(
            f"warning: {bucket} keeps no versions. Its uploads get receipts, but a file that is replaced before it was "
            "read is told as unavailable, and neither reconcile nor verify can promise that none is missing. To have "
            f"that: aws s3api put-bucket-versioning --bucket {bucket} --versioning-configuration Status=Enabled"
        )


# -- notifications


def check_notifications(target: Target) -> None:
    """S3 tells of one event to one receiver, and refuses another for the same keys."""
    bucket = target.stage.bucket
    try:
        found = target.client("s3").get_bucket_notification_configuration(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchBucket":  # the stack makes it
            return
        raise
    own = f":function:{target.stage.function('inspect')}"
    for receiver, prefix in overlapping(found, target.stage.prefix, own):
        raise UsageError(
            f"The bucket {bucket} already tells {receiver} of uploads whose keys begin with {prefix or 'anything'!r}, "
            "and S3 tells one receiver only. Give the stage keys of its own (RECIBO_PREFIX), or let the bucket tell "
            "the other through EventBridge (docs/operations.md)."
        )


def overlapping(configuration: Mapping[str, Any], prefix: str, own: str) -> Iterator[tuple[str, str]]:
    """Receivers, other than `own`, of events that `inspect` takes of keys with the prefix; and their prefix."""
    for kind, name in RECEIVERS.items():
        for each in configuration.get(kind, []):
            theirs = _prefix_of(each)
            is_same_key = theirs.startswith(prefix) or prefix.startswith(theirs)
            if is_same_key and not each[name].endswith(own) and _families(each["Events"]) & FAMILIES:
                yield each[name], theirs


def _families(events: Sequence[str]) -> set[str]:
    return {":".join(event.split(":")[:2]) for event in events}


def _prefix_of(configuration: Mapping[str, Any]) -> str:
    rules = configuration.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    return next((str(rule["Value"]) for rule in rules if rule["Name"].lower() == "prefix"), "")
