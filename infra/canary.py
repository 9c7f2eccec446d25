"""One small file that travels as any upload does, to see that a stage works: uploaded, inspected, recorded.

    python -m infra.canary --stage dev

Its key begins with `recibo-canary/` (after the stage's prefix) and its metadata says so, by which everybody knows its
receipt: that stays, as every receipt does. The file itself is deleted, and the ledger records that too.
"""

from __future__ import annotations

import hashlib
import secrets
import sys
import time
from argparse import Namespace
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from botocore.exceptions import ClientError

from chalicelib.aws.ledger import DynamoLedger
from chalicelib.aws.lists import DynamoLists
from chalicelib.findings import Cause
from infra.command import command
from infra.target import Target

FOLDER = "recibo-canary/"
MARK = "recibo-canary"
BODY = b"canary,sings\n1,true\n"
SECONDS = 180
POLL_SECONDS = 0.5


class CanaryError(Exception):
    """What was deployed does not do its work: what is wrong, and where to look."""


def send_canary(target: Target, *, seconds: float = SECONDS) -> None:
    """Upload the canary and see it recorded, then deleted; raises CanaryError."""
    stage, s3 = target.stage, target.client("s3")
    key = f"{stage.prefix}{FOLDER}{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}.csv"
    began = time.monotonic()
    try:
        made = s3.put_object(Bucket=stage.bucket, Key=key, Body=BODY, Metadata={MARK: "true"})
    except ClientError as error:
        raise CanaryError(f"the canary could not be uploaded to {stage.bucket}: {error}") from error
    version = {"VersionId": made["VersionId"]} if made.get("VersionId") else {}
    try:
        _check(_awaited(target, key, "upload", seconds), key)
    finally:
        s3.delete_object(Bucket=stage.bucket, Key=key, **version)
    _awaited(target, key, "deletion", seconds)
    target.say(f"canary: {key} was inspected, recorded and deleted in {time.monotonic() - began:.1f} s")


def _awaited(target: Target, key: str, what: Literal["upload", "deletion"], seconds: float) -> dict[str, Any]:
    """The key's entry, whole, once it is final."""
    dynamodb, stage = target.client("dynamodb"), target.stage
    lists, ledger = DynamoLists(dynamodb, stage.table), DynamoLedger(dynamodb, stage.table)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        final = (one for one in lists.history(stage.bucket, key, limit=10) if one.get("finished_at"))
        for entry in final:
            if (entry["kind"] == "upload") is (what == "upload"):
                return ledger.whole(entry)
        time.sleep(POLL_SECONDS)
    raise CanaryError(
        f"{key} has no receipt of its {what} after {seconds:.0f} s: `make logs STAGE={stage.name}` shows what inspect "
        f"said, and `recibo.py doctor --stage {stage.name}` what is not there"
    )


def _check(receipt: dict[str, Any], key: str) -> None:
    """A contract may find fault with it; but it has been read, byte for byte."""
    if receipt.get("cause") == Cause.SYSTEM or receipt.get("sha256") != hashlib.sha256(BODY).hexdigest():
        told = [finding["message"] for finding in receipt.get("findings", [])]
        raise CanaryError(f"the receipt of {key} is not of what was uploaded: {'; '.join(told) or receipt['status']}")


def main(given: Sequence[str] | None = None) -> int:
    """Send the canary; exit 1 if it is not recorded."""
    return command("canary", __doc__.partition("\n")[0], _work, given=given)


def _work(target: Target, _: Namespace) -> int:
    return sing(target)


def sing(target: Target) -> int:
    """Send the canary; 1, after a sentence, if something is wrong."""
    try:
        send_canary(target)
    except CanaryError as error:
        print(f"canary: {error}.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
