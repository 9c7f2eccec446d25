"""Asks of an anchor whether its bucket is locked (S3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def caveat_of_lock(client: S3Client, bucket: str) -> str | None:
    """What is to be known of a bucket that anchors seals; nothing if nobody can delete what is in it."""
    try:
        lock: Any = client.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]
    except ClientError as error:
        code = error.response["Error"]["Code"]
        return f"Whether s3://{bucket} is locked could not be seen ({code}): an anchor holds only if it is."
    mode = lock.get("Rule", {}).get("DefaultRetention", {}).get("Mode", "no default")
    if mode == "COMPLIANCE":
        return None
    return f"s3://{bucket} is not locked in compliance mode ({mode}): who may delete there can change the anchor."
