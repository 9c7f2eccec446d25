"""The CPU of one small upload: Recibo's handler, and a bare one that gets, counts lines and puts."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3

from bench import wire
from bench.corpus import FILES, stream
from chalicelib.inspection.media_types import MEDIA_TYPES

BATCH = 20
WARM_UP = 20
KEY = "partners/acme/export.csv"

Handler = Callable[[Mapping[str, Any], Any], object]


class Context:
    """The part of a Lambda context that a handler may ask for."""

    aws_request_id = "00000000-0000-4000-8000-000000000000"
    function_name = "inspect"

    def get_remaining_time_in_millis(self) -> int:
        """As at the start of an invocation."""
        return 900_000


def side_by_side(name: str, size: str, calls: str) -> Callable[[], object]:
    """CPU seconds of a call of each handler: the median of batches that alternate, so that noise meets both alike."""
    with TemporaryDirectory() as folder:
        handlers, event = _warmed(HANDLERS, name, int(size), Path(folder))
        return lambda: _alternate(handlers, event, int(calls))


def alone(who: str, name: str, size: str, calls: str) -> Callable[[], object]:
    """So many calls of one handler, for a tool that counts what they take; their CPU seconds mean nothing under it."""
    with TemporaryDirectory() as folder:
        handlers, event = _warmed([who], name, int(size), Path(folder))
        return lambda: _spent(handlers[who], event, int(calls))


def _warmed(
    wanted: Iterable[str], name: str, size: int, folder: Path
) -> tuple[Mapping[str, Handler], Mapping[str, Any]]:
    """Handlers that have been called for an upload, and its event."""
    content = b"".join(stream(FILES[name](), size))
    wire.answer(content, MEDIA_TYPES[name.rpartition(".")[2]], folder)
    handlers = {who: HANDLERS[who]() for who in wanted}
    event = event_of(KEY.replace("export.csv", name), size)
    for handler in handlers.values():
        _spent(handler, event, WARM_UP)
    return handlers, event


def _alternate(handlers: Mapping[str, Handler], event: Mapping[str, Any], calls: int) -> dict[str, float]:
    spent: dict[str, list[float]] = {name: [] for name in handlers}
    for _ in range(calls // BATCH):
        for name, handler in handlers.items():
            spent[name].append(_spent(handler, event, BATCH))
    return {name: statistics.median(batches) for name, batches in spent.items()}


def _spent(handler: Handler, event: Mapping[str, Any], calls: int) -> float:
    began = time.process_time()
    for _ in range(calls):
        handler(event, Context())
    return (time.process_time() - began) / calls


def bare_handler() -> Handler:
    """The least that a handler of this kind does, with clients as boto3 makes them; it checks and logs nothing."""
    s3, dynamodb = boto3.client("s3"), boto3.client("dynamodb")
    table = os.environ["RECIBO_TABLE"]

    def handle(event: Mapping[str, Any], _context: Any) -> None:
        for record in event["Records"]:
            bucket, stored = record["s3"]["bucket"]["name"], record["s3"]["object"]
            key, version = stored["key"], stored["versionId"]
            body = s3.get_object(Bucket=bucket, Key=key, VersionId=version)["Body"].read()
            item = {"pk": {"S": f"{bucket}/{key}/{version}"}, "sk": {"N": "1"}, "lines": {"N": str(body.count(b"\n"))}}
            dynamodb.put_item(TableName=table, Item=item, ConditionExpression="attribute_not_exists(pk)")

    return handle


HANDLERS: Mapping[str, Callable[[], Handler]] = {"recibo": lambda: import_module("app").inspect, "bare": bare_handler}


def event_of(key: str, size: int) -> dict[str, Any]:
    """What S3 sends for an upload."""
    stored = {"key": key, "size": size, "eTag": "0" * 32, "versionId": "v" * 32, "sequencer": "0055AED6DCD90281E5"}
    record = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "us-east-1",
        "eventTime": "2026-01-02T03:04:05.678Z",
        "eventName": "ObjectCreated:Put",
        "userIdentity": {"principalId": "AWS:AIDAEXAMPLE"},
        "requestParameters": {"sourceIPAddress": "192.0.2.1"},
        "s3": {"bucket": {"name": os.environ["RECIBO_BUCKET"]}, "object": stored},
    }
    return {"Records": [record]}
