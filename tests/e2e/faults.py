"""What the functions of the stage `chaos` suffer. It is copied into the deployed app; the tests read the fates here.

An upload's number, the last part of its key, is its fate; dice decide the rest, by the key and the try, so that two
runs differ only in what happened at once.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum, auto
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any

from botocore.awsrequest import AWSResponse

from chalicelib import handling, wiring
from chalicelib.aws.inbox import S3Inbox
from chalicelib.aws.ledger import DynamoLedger
from chalicelib.intake import Intake, OpenedUpload
from chalicelib.uploads import Entry, entry_of

DEATHS = 0.08
"""How many tries end with their process."""

THROTTLED = 0.25
"""How many of the ledger's writes are refused. boto3 tries four times: one in 256 writes fails for good."""

COPY = "copy"
"""A member of an event that says that it is the second of the same."""


class Fate(StrEnum):
    """What becomes of an upload's event."""

    LOST = auto()
    """It is never heard of: only reconcile can find the upload."""
    DOOMED = auto()
    """Every try of the first inspection dies: it ends in the dead letters."""
    TWICE = auto()
    """It comes twice at the same time."""
    LATE = auto()
    """It comes again when all is done."""
    PLAIN = auto()


class Point(StrEnum):
    """Where a process dies."""

    BEFORE_READING = auto()
    IN_THE_BODY = auto()
    BEFORE_WRITING = auto()
    AFTER_WRITING = auto()


def fate_of(key: str) -> Fate:
    """Every tenth is delivered again, at once or late; one in fifty is lost, one in fifty is doomed."""
    number = int(PurePosixPath(key).stem)
    fates = {7: Fate.LOST, 23: Fate.DOOMED}
    return fates.get(number % 50) or {0: Fate.TWICE, 10: Fate.LATE}.get(number % 20, Fate.PLAIN)


def install() -> None:
    """Put the faults around what the app is made of."""
    _around(handling, "take_event", _deliver)
    _around(Intake, "take", _take)
    _around(Intake, "give_up", _give_up)
    _around(S3Inbox, "open", contextmanager(_open))
    _around(DynamoLedger, "record", _record)
    _around(DynamoLedger, "give_up", _record)
    _around(wiring, "client", _throttled)


def _around(owner: Any, name: str, fault: Callable[..., Any]) -> None:
    """Call `fault` in place of a function, with that function first."""
    function = getattr(owner, name)
    setattr(owner, name, lambda *given, **named: fault(function, *given, **named))


# -- deliveries


def _deliver(take_event: Callable[..., None], intake: Intake, event: Mapping[str, Any], log: Any) -> None:
    (record,) = event["Records"]  # S3 and reconcile send one at a time
    fate = Fate.PLAIN if "recibo" in record or COPY in event else fate_of(entry_of(record).key)
    if fate is Fate.LOST:
        return
    if fate is Fate.TWICE:
        copy = json.dumps({**event, COPY: True})
        function = wiring.sibling("inspect")
        wiring.client("lambda").invoke(FunctionName=function, InvocationType="Event", Payload=copy)
    take_event(intake, event, log)


# -- processes


@dataclass(kw_only=True)
class _Try:
    """One try of an inspection: where it dies, if it does."""

    point: Point | None = None
    dice: random.Random = field(default_factory=random.Random)


_now = _Try()


def _take(take: Callable[..., Any], intake: Intake, entry: Entry, *, inspection: int, **more: Any) -> Any:
    is_doomed = inspection == 1 and fate_of(entry.key) is Fate.DOOMED
    _begin(entry, f"inspection {inspection}", is_doomed=is_doomed)
    _die_at(Point.BEFORE_READING)
    return take(intake, entry, inspection=inspection, **more)


def _give_up(give_up: Callable[..., Any], intake: Intake, entry: Entry, **more: Any) -> Any:
    _begin(entry, "giving up")
    return give_up(intake, entry, **more)


def _begin(entry: Entry, work: str, *, is_doomed: bool = False) -> None:
    tries = _tries(f"{entry.identity} {work}")
    _now.dice = random.Random(f"{entry.key} {work} {tries}")  # noqa: S311 - dice
    dies = _now.dice.random() < DEATHS or is_doomed
    _now.point = _now.dice.choice([point for point in Point if not is_doomed or point is not Point.AFTER_WRITING])
    _now.point = _now.point if dies else None


def _tries(name: str) -> int:
    """Which try this is: there is a byte for each in a file that all processes of the stage share."""
    path = Path(tempfile.gettempdir()) / "recibo-faults" / hashlib.sha256(name.encode()).hexdigest()
    path.parent.mkdir(exist_ok=True)
    with path.open("ab") as file:
        file.write(b".")
        return file.tell()


def _die_at(point: Point) -> None:
    if _now.point is point:
        os._exit(1)


def _open(
    opened: Callable[..., AbstractContextManager[OpenedUpload]], *given: Any, **named: Any
) -> Iterator[OpenedUpload]:
    with opened(*given, **named) as upload:
        yield upload._replace(chunks=_dying(upload.chunks))


def _dying(chunks: Iterator[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        yield chunk
        _die_at(Point.IN_THE_BODY)


def _record(record: Callable[..., bool], *given: Any, **more: Any) -> bool:
    _die_at(Point.BEFORE_WRITING)
    is_new = record(*given, **more)
    _die_at(Point.AFTER_WRITING)
    return is_new


# -- the ledger


def _throttled(client: Callable[..., Any], service: str) -> Any:
    made = client(service)
    if service == "dynamodb":
        for operation in ("PutItem", "TransactWriteItems"):
            made.meta.events.register(f"before-send.dynamodb.{operation}", _throttle)
    return made


def _throttle(**_: Any) -> AWSResponse | None:
    """What is answered in AWS's place; None lets AWS answer."""
    if _now.dice.random() >= THROTTLED:
        return None
    body = {"__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException", "message": "slow down"}
    headers: Any = {"content-type": "application/x-amz-json-1.0"}
    return AWSResponse("https://aws.test/", 400, headers, _Raw(json.dumps(body).encode()))


class _Raw(BytesIO):
    def stream(self) -> Iterator[bytes]:
        yield self.read()
