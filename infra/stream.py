"""Joins `announce` to the ledger's stream: Chalice cannot, for it would need the stream's ARN in app.py."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.announcements import stream_filters
from infra.stack import output
from infra.target import Target

BATCH = 100
WINDOW_SECONDS = 1
"""How long a batch is waited for: a burst's receipts then share invocations, ten to a call of EventBridge."""

MAX_AGE_SECONDS = 20 * 3600
"""How long a receipt's event is tried for. The stream keeps its records for a day: that leaves four hours to look."""


def join_stream(target: Target) -> None:
    """Make the mapping, or bring it up to date. An emulator may name a stream that it does not have: that is told."""
    functions, name = target.client("lambda"), target.stage.function("announce")
    stream, settings = output(target, "LedgerStreamArn"), stream_settings(target)
    destination = {"OnFailure": {"Destination": output(target, "UnannouncedQueueArn")}}
    found = functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    for other in found:
        if other["EventSourceArn"] != stream:  # of a table that was made anew
            functions.delete_event_source_mapping(UUID=other["UUID"])
    request = {"FunctionName": name, **settings, "DestinationConfig": destination}
    if of_stream := [one["UUID"] for one in found if one["EventSourceArn"] == stream]:
        functions.update_event_source_mapping(UUID=of_stream[0], **request)
        return
    try:
        functions.create_event_source_mapping(EventSourceArn=stream, StartingPosition="TRIM_HORIZON", **request)
    except ClientError as error:
        if not target.endpoint or "Stream not found" not in error.response["Error"]["Message"]:
            raise
        target.say("announce: this emulator has no stream of the table, so that no receipt is announced")


def stream_settings(_: Target) -> dict[str, Any]:
    """What EventBridge cannot take is tried until it is too old, the batch halved each time."""
    return {
        "BatchSize": BATCH,
        "MaximumBatchingWindowInSeconds": WINDOW_SECONDS,
        "BisectBatchOnFunctionError": True,
        "MaximumRetryAttempts": -1,
        "MaximumRecordAgeInSeconds": MAX_AGE_SECONDS,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "FilterCriteria": {"Filters": [{"Pattern": json.dumps(pattern)} for pattern in stream_filters()]},
    }
