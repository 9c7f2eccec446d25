"""Everything that AWS does for the app, on a simulated AWS, with somebody in between who may meddle with every call."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from moto.core.models import botocore_stubber

from chalicelib import intake, receipts, sealing, wiring
from chalicelib.aws import evidence, lists, pages, seals
from chalicelib.aws.anchors import LockedBucketAnchor
from chalicelib.aws.evidence import DynamoEvidence
from chalicelib.aws.inbox import S3Inbox
from chalicelib.aws.inspections import LambdaInspections
from chalicelib.aws.ledger import DynamoLedger
from chalicelib.aws.lists import DynamoLists
from chalicelib.aws.notes import DynamoNotes
from chalicelib.aws.patience import Pace
from chalicelib.aws.seals import DynamoSeals
from chalicelib.aws.versions import S3Versions
from chalicelib.reconcile import Reconciliation
from chalicelib.scheduled import ScheduledReconcile
from chalicelib.sealing import Anchor, NoAnchor, Sealer
from chalicelib.verification import Verification
from infra.template import LOCAL
from tests.aws import World, response, simulated_aws

ADAPTERS = Path(lists.__file__).parent
SERVICES = ("s3", "dynamodb", "lambda", "kms", "events")
LONG = 40
"""From which size, in bytes, an inspection leaves a mark here."""
THROTTLING = {
    "s3": (503, "SlowDown"),
    "dynamodb": (400, "ThrottlingException"),
    "lambda": (429, "TooManyRequestsException"),
    "kms": (400, "ThrottlingException"),
    "eventbridge": (400, "ThrottlingException"),
}

Event = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request on its way to AWS. `carry_out` lets AWS do what is asked for, and gives its answer."""

    service: str
    operation: str
    carry_out: Callable[[], AWSResponse]

    @property
    def caller(self) -> str:
        """The adapter's class that makes the call, while it is on its way."""
        frame: FrameType | None = sys._getframe()
        while frame and Path(frame.f_code.co_filename).parent != ADAPTERS:
            frame = frame.f_back
        assert frame, "no adapter made the call"
        return frame.f_code.co_qualname.partition(".")[0]


Meddler = Callable[[Call], AWSResponse]


def let_pass(call: Call) -> AWSResponse:
    """What nobody meddles with."""
    return call.carry_out()


@dataclass
class Wire:
    """Where the app's requests pass. Lambda's Invoke ends in `invoked`: the simulated AWS runs no functions.

    `told` are the details of the events that were put on the bus.
    """

    meddle: Meddler = let_pass
    told: set[str] = field(default_factory=set)
    invoked: Callable[[Event], None] = lambda _: None

    def client(self, service: str) -> Any:
        """A client as the app makes them, whose requests pass here."""
        client = wiring.client(service)
        client.meta.events.unregister("before-send", botocore_stubber)
        client.meta.events.register("before-send", self._send)
        return client

    def _send(self, request: Any, event_name: str, **_: Any) -> AWSResponse:
        service, operation = event_name.split(".")[1:]
        done = partial(self._carry_out, request, event_name)
        return self.meddle(Call(service=service, operation=operation, carry_out=done))

    def _carry_out(self, request: Any, event_name: str) -> AWSResponse:
        if event_name == "before-send.lambda.Invoke":
            self.invoked(json.loads(request.body))
            return response(202)
        if event_name == "before-send.eventbridge.PutEvents":
            self.told |= {entry["Detail"] for entry in json.loads(request.body)["Entries"]}
        answer = botocore_stubber(event_name=event_name, request=request)
        assert answer is not None, "the simulated AWS has no such service"
        return answer


def refusal(service: str, status: int, code: str) -> AWSResponse:
    """An error as the service sends it."""
    if service == "s3":
        return response(status, f"<Error><Code>{code}</Code><Message>told by a test</Message></Error>")
    return response(status, json.dumps({"__type": code, "message": "told by a test"}))


def throttled(call: Call) -> AWSResponse:
    """The refusal of a service that has too much to do."""
    return refusal(call.service, *THROTTLING[call.service])


@dataclass
class BrokenBody:
    """The first `left` bytes of a body, at most `step` at a time; then `end` is raised, or there is no more."""

    raw: Any
    left: int
    end: BaseException | None = None
    step: int = 1 << 20

    def read(self, size: int | None = None) -> bytes:
        """As of a connection: what a read had that breaks is lost."""
        if size is None:
            return b"".join(iter(lambda: self.read(self.step), b""))
        if self.end and not self.left:
            raise self.end
        chunk: bytes = self.raw.read(min(self.left, size, self.step))
        self.left -= len(chunk)
        return chunk

    def close(self) -> None:
        """As of a connection."""


def break_off(answer: AWSResponse, *, after: int, end: BaseException | None = None, step: int = 1 << 20) -> AWSResponse:
    """The same answer with a body that ends too soon."""
    answer.raw = BrokenBody(answer.raw, left=after, end=end, step=step)
    return answer


@dataclass
class Wired:
    """The app's collaborators on a simulated AWS, by clients whose requests pass over a wire."""

    world: World
    wire: Wire
    clients: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.clients = {service: self.wire.client(service) for service in SERVICES}

    @property
    def inbox(self) -> S3Inbox:
        return S3Inbox(self.clients["s3"], pace=Pace(sleep=lambda _: None))

    @property
    def ledger(self) -> DynamoLedger:
        return DynamoLedger(self.clients["dynamodb"], LOCAL.table, pace=Pace(sleep=lambda _: None))

    @property
    def lists(self) -> DynamoLists:
        return DynamoLists(self.clients["dynamodb"], LOCAL.table)

    @property
    def scheduled(self) -> ScheduledReconcile:
        return ScheduledReconcile(
            reconciliation=Reconciliation(
                versions=S3Versions(self.clients["s3"]), receipts=self.ledger, unfinished=self.lists
            ),
            inspections=LambdaInspections(self.clients["lambda"], LOCAL.function("inspect")),
            notes=DynamoNotes(self.clients["dynamodb"], LOCAL.table),
        )

    def sealer(self, anchor: Anchor | None = None) -> Sealer:
        return Sealer(store=DynamoSeals(self.clients["dynamodb"], LOCAL.table), anchor=anchor or NoAnchor())

    def verification(self, **anchored: Any) -> Verification:
        return Verification(
            ledger=DynamoEvidence(self.clients["dynamodb"], LOCAL.table),
            versions=S3Versions(self.clients["s3"]),
            **anchored,
        )

    def locked(self, name: str) -> LockedBucketAnchor:
        """A new bucket whose versions nobody can change."""
        self.world.s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
        rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 365}}
        lock = {"ObjectLockEnabled": "Enabled", "Rule": rule}
        self.world.s3.put_object_lock_configuration(Bucket=name, ObjectLockConfiguration=lock)
        return LockedBucketAnchor(self.clients["s3"], name)


@contextmanager
def wired_aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wired]:
    """A simulated AWS where nothing waits, and small: few shards, little to look back on, marks for 40 bytes."""
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))
    for module in (receipts, lists, pages, seals, evidence):
        monkeypatch.setattr(module, "SHARDS", 2)
    monkeypatch.setattr(sealing, "LOOK_BACK", timedelta(hours=3))
    monkeypatch.setattr(intake, "MARK_FROM", LONG)
    with simulated_aws(monkeypatch) as world:
        yield Wired(world=world, wire=Wire())
