"""An example consumer of Recibo's events: takes them from a queue and tells of each receipt once.

    python examples/consumer.py QUEUE_URL [--seconds 20] [--seen seen.sqlite]

An event may come twice, and later than another that is newer: a receipt is known by its identity and the number of
its inspection, and the highest number is the verdict. A message is deleted when it is dealt with, and not before.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
import time
from contextlib import closing
from typing import Any

import boto3

MAJOR = "1"


def main() -> int:
    """Take what there is for as long as asked; 1 if a message could not be dealt with, which stays in the queue."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("queue", help="the queue's URL")
    parser.add_argument("--seconds", type=float, default=20, help="how long to listen (default: %(default)s)")
    parser.add_argument("--seen", default="seen.sqlite", help="where it is kept what was told (default: %(default)s)")
    arguments = parser.parse_args()
    queue, until = boto3.client("sqs"), time.monotonic() + arguments.seconds
    failures = 0
    with closing(sqlite3.connect(arguments.seen)) as seen:
        seen.execute(
            "CREATE TABLE IF NOT EXISTS receipts (identity TEXT, inspection INTEGER, UNIQUE (identity, inspection))"
        )
        while time.monotonic() < until:
            answer = queue.receive_message(QueueUrl=arguments.queue, WaitTimeSeconds=1, MaxNumberOfMessages=10)
            for message in answer.get("Messages", []):
                try:
                    take(json.loads(message["Body"])["detail"], seen)
                except (KeyError, TypeError, ValueError) as error:
                    print(f"not dealt with: {error!r}", file=sys.stderr)
                    failures += 1
                else:
                    queue.delete_message(QueueUrl=arguments.queue, ReceiptHandle=message["ReceiptHandle"])
    return 1 if failures else 0


def take(receipt: dict[str, Any], seen: sqlite3.Connection) -> None:
    """Tell of a receipt, unless that was done before."""
    version = receipt["schema_version"]
    if version.partition(".")[0] != MAJOR:
        raise ValueError(f"an event of schema version {version}, and this reads {MAJOR}")
    with seen:  # told and remembered, or neither
        named = (receipt["identity"], receipt["inspection"])
        if seen.execute("INSERT OR IGNORE INTO receipts VALUES (?, ?)", named).rowcount:
            print(json.dumps([receipt["status"], receipt["key"], receipt["headline"]], ensure_ascii=True), flush=True)


if __name__ == "__main__":
    sys.exit(main())
