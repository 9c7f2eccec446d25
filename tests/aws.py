"""A simulated AWS inside the test's process: the inbox bucket and the ledger table, and a count of every call."""

from __future__ import annotations

import copy
import io
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from moto import mock_aws
from moto.backends import get_backend
from moto.dynamodb.models import DynamoDBBackend

from chalicelib import wiring
from chalicelib.aws.items import decoded
from chalicelib.aws.ledger import DynamoLedger
from chalicelib.aws.lists import DynamoLists
from infra.template import LOCAL, table_definition
from tests.events import BUCKET, record


@dataclass
class World:
    """The simulated AWS. `s3` and `dynamodb` are clients of the test's own; `calls` counts only the app's."""

    s3: Any
    dynamodb: Any
    calls: Counter[str] = field(default_factory=Counter)

    def upload(self, key: str, content: bytes, **more: Any) -> dict[str, Any]:
        """Put an object into the inbox; the record of the event that S3 would send."""
        made = self.s3.put_object(Bucket=BUCKET, Key=key, Body=content, **more)
        etag, version = made["ETag"].strip('"'), made.get("VersionId")
        return record(key, version_id=version, etag=etag, size=len(content))

    @property
    def receipts(self) -> list[dict[str, Any]]:
        """Everything in the ledger, in the order it was recorded."""
        return list(reversed(list(self.lists.newest(BUCKET))))

    def receipt(self, key: str) -> dict[str, Any]:
        """The one receipt of a key's one upload."""
        (summary,) = self.lists.history(BUCKET, key, limit=10)
        return self.ledger.whole(summary)

    @property
    def ledger(self) -> DynamoLedger:
        """The ledger by a client of the test's own."""
        return DynamoLedger(self.dynamodb, LOCAL.table)

    @property
    def lists(self) -> DynamoLists:
        """Its lists."""
        return DynamoLists(self.dynamodb, LOCAL.table)

    @property
    def items(self) -> dict[tuple[str, int], dict[str, Any]]:
        """All items of the ledger by their keys, read where they are kept: far faster than any call of AWS."""
        found = (item.attrs for item in _kept("dynamodb")["us-east-1"].tables[LOCAL.table].all_items())
        items = (decoded({name: value.to_regular_json() for name, value in item.items()}) for item in found)
        return {(item["pk"], item["sk"]): item for item in items}

    def begin_anew(self) -> None:
        """Forget everything but the clients: an inbox with versioning, and a ledger, both empty."""
        for service in ("s3", "dynamodb"):
            for backend in _kept(service).values():
                backend.reset()
        _furnish(self, versioned=True)

    def remember(self) -> Callable[[], None]:
        """Bring back, as often as it is called, what is in the buckets and in the ledger now."""
        buckets, ledgers = _kept("s3")["aws"].buckets, _kept("dynamodb")["us-east-1"]
        versions = {
            name: {key: list(found) for key, found in bucket.keys.iterlists()} for name, bucket in buckets.items()
        }
        items = copy.deepcopy(ledgers.tables[LOCAL.table].items)

        def bring_back() -> None:
            ledgers.tables[LOCAL.table].items = copy.deepcopy(items)
            for name, bucket in buckets.items():
                bucket.keys.clear()
                for key, found in versions[name].items():
                    bucket.keys.setlist(key, list(found))

        return bring_back

    def answer(self, operation: str, wire: Callable[[Any], Any]) -> None:
        """Let `wire(request)` say what comes back over the wire for the app's calls; None lets AWS answer.

        AWS carries the call out all the same: this is an answer that is lost or changed on its way.
        """
        service, client = _app_client(operation)
        client.meta.events.register_first(f"before-send.{service}.{operation}", lambda request, **_: wire(request))

    def refuse(self, operation: str, status: int, code: str) -> None:
        """Let AWS refuse the app's calls of an operation, doing nothing."""
        service, client = _app_client(operation)
        refusal = (response(status), {"Error": {"Code": code, "Message": "told by a test"}})
        client.meta.events.register_first(f"before-call.{service}.{operation}", lambda **_: refusal)


def response(status: int, body: str = "") -> AWSResponse:
    """What comes over the wire."""
    headers: Any = {"content-type": "application/xml"}
    return AWSResponse("https://aws.test/", status, headers, _Raw(body.encode()))


class _Raw(io.BytesIO):
    def stream(self) -> Iterator[bytes]:
        yield self.read()


def _furnish(world: World, *, versioned: bool) -> None:
    world.s3.create_bucket(Bucket=BUCKET)
    if versioned:
        world.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    world.dynamodb.create_table(**table_definition())


def _kept(service: Any) -> Any:
    """What the simulated AWS has of a service in its one account, by region."""
    return get_backend(service)["123456789012"]


def _app_clients() -> dict[str, Any]:
    """By the one that holds each."""
    objects: Any = wiring.backfill().objects
    return {"inbox": wiring.inbox()._client, "objects": objects._client, "ledger": wiring.ledger()._client}


def _app_client(operation: str) -> tuple[str, Any]:
    client = _app_clients()[{"GetObject": "inbox", "HeadObject": "objects"}.get(operation, "ledger")]
    return client.meta.service_model.service_name, client


def _put_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let moto check a condition and write in one step, as DynamoDB does: its threads may come between the two."""
    put, one_at_a_time = DynamoDBBackend.put_item, threading.RLock()

    def locked(*arguments: Any, **named: Any) -> Any:
        with one_at_a_time:
            return put(*arguments, **named)

    monkeypatch.setattr(DynamoDBBackend, "put_item", locked)


@contextmanager
def simulated_aws(monkeypatch: pytest.MonkeyPatch, *, versioned: bool = True) -> Iterator[World]:
    """An AWS with the inbox and the ledger, for as long as the block lasts."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    for name, value in (("ACCESS_KEY_ID", "test"), ("SECRET_ACCESS_KEY", "test"), ("DEFAULT_REGION", "us-east-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    with mock_aws():
        _put_whole(monkeypatch)
        _forget_clients()
        world = World(s3=wiring.client("s3"), dynamodb=wiring.client("dynamodb"))
        _furnish(world, versioned=versioned)
        for client in _app_clients().values():
            client.meta.events.register("before-call", lambda model, **_: world.calls.update([model.name]))
        yield world
    _forget_clients()


def _forget_clients() -> None:
    wiring.inbox.cache_clear()
    wiring.backfill.cache_clear()
    wiring.ledger.cache_clear()
