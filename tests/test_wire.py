"""Whatever happens to any call of AWS on its way, there or back: what is kept in the end is the same."""

from __future__ import annotations

import ast
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)
from urllib3.exceptions import HTTPError, ProtocolError
from urllib3.exceptions import ReadTimeoutError as BodyTimeoutError

from chalicelib import handling
from chalicelib.access import Scope, Token
from chalicelib.announcing import Announcer
from chalicelib.aws.anchors import KmsAnchor
from chalicelib.aws.evidence import DynamoEvidence
from chalicelib.aws.folders import S3Folders
from chalicelib.aws.items import decoded, encoded
from chalicelib.aws.locks import caveat_of_lock
from chalicelib.aws.notices import EventBridgeNotices
from chalicelib.aws.objects import S3Objects
from chalicelib.aws.pages import DynamoPages
from chalicelib.aws.patience import Pace
from chalicelib.aws.signatures import KmsSignatures
from chalicelib.aws.tokens import DynamoTokens
from chalicelib.backfill import Backfill
from chalicelib.browsing import Filters
from chalicelib.failures import NotHandledError
from chalicelib.intake import Intake
from chalicelib.queries import Browser
from chalicelib.receipts import as_item
from chalicelib.seals import MalformedSealError, Seal, seal_number, seals_key
from chalicelib.uploads import entry_of, iso
from infra.template import LOCAL
from tests import events
from tests.aws import response
from tests.events import BUCKET, stream_record
from tests.fakes import LOG, NOON, FakeClock
from tests.receipts import SUCCESS, crash, receipt
from tests.wire import ADAPTERS, Call, Wired, break_off, let_pass, refusal, throttled, wired_aws

MINUTE = timedelta(minutes=1)
LATER = NOON + 145 * MINUTE
"""When the hours from noon and from one on are to be sealed, and all uploads are old enough to be missed."""
TRIES = 3
"""How often Lambda tries an invocation."""

TOKEN = Token(
    name="acme",
    secret_hash="0" * 64,
    scopes=frozenset({Scope.READ}),
    prefix="acme/",
    created_at=NOON,
)
GOOD = b"id,amount\n1,10\n2,20\n"
LARGE = GOOD * 3
URL = "https://aws.test"
LOCKED = "recibo-seals"

Site = tuple[str, str]
"""A class and the method of boto3's client that it calls."""
Fault = Callable[[Call], AWSResponse]
Work = Callable[[], object]
Scenario = Callable[[Wired], Work]


@pytest.fixture(scope="module")
def wired() -> Iterator[Wired]:
    with pytest.MonkeyPatch.context() as monkeypatch, wired_aws(monkeypatch) as made:
        seconds = itertools.count()
        noon = NOON.replace(tzinfo=None)
        monkeypatch.setattr("moto.s3.models.utcnow", lambda: noon + timedelta(seconds=next(seconds) % 3600))
        yield made


# -- which calls there are, read from the code


SENDS_NOTHING = {"generate_presigned_post"}


def sites() -> list[Site]:
    """Every call of AWS in the adapters."""
    found = set()
    for path in ADAPTERS.glob("*.py"):
        for made in ast.parse(path.read_text()).body:
            if isinstance(made, ast.ClassDef | ast.FunctionDef):
                found |= {(made.name, called) for called in _called(made) if called not in SENDS_NOTHING}
    return sorted(found)


def _called(tree: ast.AST) -> Iterator[str]:
    """What of a client is used: a method of its own, or what the paginator of one calls."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(value=value, attr="get_paginator"), args=[ast.Constant(value=str(method))]
            ):
                assert _is_client(value)
                yield method
            case ast.Attribute(value=value, attr=method) if _is_client(value) and method != "get_paginator":
                yield method


def _is_client(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute | ast.Name) and getattr(node, "attr", getattr(node, "id", "")).endswith(
        "client"
    )


def test_a_client_is_used_for_nothing_but_its_calls() -> None:
    """So that reading the code finds them all: nowhere does a client get another name, but that of its owner's.

    It may be handed on to another adapter, whose calls are found like all others.
    """
    adapters = {made for made, _ in sites()}
    for path in ADAPTERS.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            values = [child for child in ast.iter_child_nodes(node) if _is_client(child)]
            is_kept = isinstance(node, ast.Assign) and ast.unparse(node) == "self._client = client"
            is_made = isinstance(node, ast.Call) and ast.unparse(node.func) in {"client", *adapters}
            assert not values or is_kept or is_made or isinstance(node, ast.Attribute), ast.unparse(node)


# -- what may happen to a call


def raising(error: Exception, *, is_carried_out: bool) -> Fault:
    """The connection fails, before the request came through or after it was carried out."""

    def fail(call: Call) -> AWSResponse:
        if is_carried_out:
            call.carry_out()
        raise error

    return fail


def refusing(status: int, code: str, *, is_carried_out: bool = False) -> Fault:
    """The service refuses, though it may have done what it was asked for."""

    def refuse(call: Call) -> AWSResponse:
        if is_carried_out:
            call.carry_out()
        return refusal(call.service, status, code)

    return refuse


def canceling(code: str) -> Fault:
    """DynamoDB cancels a transaction for a reason that passes."""
    told = {
        "__type": "TransactionCanceledException",
        "Message": f"Transaction cancelled, please refer cancellation reasons for specific reasons [None, {code}]",
        "CancellationReasons": [{"Code": "None"}, {"Code": code, "Message": "told by a test"}],
    }
    return lambda _: response(400, json.dumps(told))


def breaking(error: Exception | None = None, *, after: int = 7, step: int = 1 << 20) -> Fault:
    """The body ends too soon, or comes slowly."""
    return lambda call: break_off(call.carry_out(), after=after, end=error, step=step)


def in_part(call: Call) -> AWSResponse:
    """DynamoDB answers for none of the keys of a batch but the first that it found."""
    answer = call.carry_out()
    told = json.loads(answer.content)
    ((table, items),) = told["Responses"].items()
    keys = [{name: item[name] for name in ("pk", "sk") if name in item} for item in items[1:]]
    told["Responses"] = {table: items[:1]}
    if keys and all("sk" in key for key in keys):
        told["UnprocessedKeys"] = {table: {"Keys": keys}}
        return response(200, json.dumps(told))
    return answer


def refused_in_part(call: Call) -> AWSResponse:
    """EventBridge takes all entries of a call but the last."""
    told = json.loads(call.carry_out().content)
    told["Entries"][-1] = {"ErrorCode": "ThrottlingException", "ErrorMessage": "told by a test"}
    return response(200, json.dumps({**told, "FailedEntryCount": 1}))


FAULTS: dict[str, Fault] = {
    "500": refusing(500, "InternalError"),
    "503": refusing(503, "ServiceUnavailable"),
    "a proxy's 502": lambda _: response(502, "<html><h1>502 Bad Gateway</h1>"),
    "throttling": throttled,
    "no connection": raising(EndpointConnectionError(endpoint_url=URL), is_carried_out=False),
    "no connection in time": raising(ConnectTimeoutError(endpoint_url=URL), is_carried_out=False),
    "reset": raising(ConnectionClosedError(endpoint_url=URL), is_carried_out=False),
    "no answer in time": raising(ReadTimeoutError(endpoint_url=URL), is_carried_out=False),
    "done, and 500": refusing(500, "InternalError", is_carried_out=True),
    "done, and reset": raising(ConnectionClosedError(endpoint_url=URL), is_carried_out=True),
    "done, and no answer in time": raising(ReadTimeoutError(endpoint_url=URL), is_carried_out=True),
}
MORE: dict[str, dict[str, Fault]] = {
    "get_object": {
        "truncated body": breaking(),
        "empty body": breaking(after=0),
        "body reset": breaking(ProtocolError("Connection broken", ConnectionResetError(104, "reset by peer"))),
        "body stalled": breaking(BodyTimeoutError(None, URL, "Read timed out.")),  # type: ignore[arg-type]
        "slow body": breaking(after=1 << 20, step=1),
    },
    "batch_get_item": {"answered in part": in_part},
    "put_item": {
        "no capacity": refusing(400, "ProvisionedThroughputExceededException"),
        "conflict with a transaction": refusing(400, "TransactionConflictException"),
    },
    "transact_write_items": {
        "conflict": canceling("TransactionConflict"),
        "no capacity": canceling("ProvisionedThroughputExceeded"),
        "in progress": refusing(400, "TransactionInProgressException"),
    },
    "put_events": {"refused in part": refused_in_part},
    "put_object": {"conflict": refusing(409, "ConditionalRequestConflict")},
}
LASTING = ("500", "throttling", "reset", "done, and reset")
"""What may also happen to every try of an invocation."""


@dataclass
class Injection:
    """A fault of one site's calls: of the `at`-th, or of that and all that follow in the same invocation."""

    site: Site
    fault: Fault = let_pass
    at: int = 0
    is_lasting: bool = False
    calls: int = 0
    struck: int = 0
    is_over: bool = False

    def __call__(self, call: Call) -> AWSResponse:
        if (call.caller, call.operation) != (self.site[0], _operation(self.site[1])):
            return call.carry_out()
        is_here, self.calls = self.calls == self.at or (self.is_lasting and self.struck > 0), self.calls + 1
        if self.is_over or not is_here:
            return call.carry_out()
        self.struck += 1
        return self.fault(call)


def _operation(method: str) -> str:
    return "".join(word.capitalize() for word in method.split("_"))


# -- what is done, and needs each call


@dataclass
class Uploads:
    """Uploads whose events are the same in every run."""

    wired: Wired
    count: int = 0

    def upload(self, key: str, content: bytes) -> dict[str, Any]:
        return self._told(self.wired.world.upload(key, content))

    def deletion(self, key: str) -> dict[str, Any]:
        return self._told(events.deletion(key, version_id="v1"))

    def _told(self, record: dict[str, Any]) -> dict[str, Any]:
        self.count += 1
        record["eventTime"] = iso(NOON + self.count * MINUTE)
        record["s3"]["object"]["sequencer"] = f"{self.count:018X}"
        return record


def intake(wired: Wired) -> Intake:
    return Intake(inbox=wired.inbox, ledger=wired.ledger, clock=FakeClock(time=LATER))


def fail(wired: Wired, record: dict[str, Any], *, minute: int = 10) -> None:
    """Record that its first inspection crashed."""
    wired.ledger.record(receipt(entry_of(record), report=crash(), at=NOON + minute * MINUTE))


def inspect_uploads(wired: Wired) -> Work:
    made = Uploads(wired)
    sent = [made.upload("a.csv", GOOD), made.upload("b/large.csv", LARGE), made.upload("c.csv", b"a,b\n1\n")]
    event = events.event(*sent, made.deletion("d.csv"))
    return lambda: handling.take_event(intake(wired), event, LOG)


def inspect_again(wired: Wired) -> Work:
    record = Uploads(wired).upload("large.csv", LARGE)
    fail(wired, record)
    event = events.event({**record, "recibo": {"inspection": 2}})
    return lambda: handling.take_event(intake(wired), event, LOG)


def reconcile(wired: Wired) -> Work:
    """What is asked for is done at once, and undisturbed."""
    made = Uploads(wired)
    for number in range(3):
        fail(wired, made.upload(f"failed-{number}.csv", GOOD))
    handling.take_event(intake(wired), events.event(made.upload("known.csv", GOOD)), LOG)
    made.upload("lost.csv", GOOD)
    made.upload("lost.csv", LARGE)

    def inspect(event: dict[str, Any]) -> None:
        disturbance, wired.wire.meddle = wired.wire.meddle, let_pass
        handling.take_event(intake(wired), event, LOG)
        wired.wire.meddle = disturbance

    wired.wire.invoked = inspect
    return lambda: _nothing_of(handling.reconcile(wired.scheduled, BUCKET, FakeClock(time=LATER), LOG))


def _nothing_of(_: object) -> None:
    """An answer that tells only of its own invocation: what the one before had done is not in it."""


def _record(wired: Wired, *minutes: int) -> None:
    """Receipts of uploads in the bucket, finished so many minutes after noon."""
    made = Uploads(wired, count=10 * minutes[0])
    for minute in minutes:
        wired.ledger.record(receipt(entry_of(made.upload(f"k{minute}", GOOD)), at=NOON + minute * MINUTE))


def _sealed(wired: Wired, anchor: Any) -> Any:
    """A sealed hour, something late in it, and another that is due."""
    _record(wired, 10, 20, 50)
    _seal(wired, anchor, at=NOON + 81 * MINUTE)
    _record(wired, 30)
    _record(wired, 70)
    return anchor


def seal_into_a_locked_bucket(wired: Wired) -> Work:
    anchor = _sealed(wired, wired.locked(LOCKED))
    return lambda: _nothing_of(_seal(wired, anchor))


def seal_with_a_key(wired: Wired) -> Work:
    anchor = _sealed(wired, KmsAnchor(wired.clients["kms"], _key(wired)))
    return lambda: _nothing_of(_seal(wired, anchor))


def _seal(wired: Wired, anchor: Any, *, at: datetime = LATER) -> object:
    return handling.seal(wired.sealer(anchor), BUCKET, FakeClock(time=at), {}, LOG)


def _key(wired: Wired) -> str:
    made = wired.clients["kms"].create_key(KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256")
    return str(made["KeyMetadata"]["KeyId"])


def verify_all(wired: Wired) -> Work:
    anchor = _sealed(wired, wired.locked(LOCKED))
    _seal(wired, anchor)
    verification = wired.verification(copies=anchor, anchor=LOCKED)
    return lambda: verification.verdict(BUCKET, now=LATER).as_json()


def verify_what_is_recent(wired: Wired) -> Work:
    anchor = _sealed(wired, wired.locked(LOCKED))
    _seal(wired, anchor)
    verification = wired.verification(copies=anchor, anchor=LOCKED)
    return lambda: verification.verdict(BUCKET, now=LATER, since=NOON + 60 * MINUTE).as_json()


def ask_for_the_size(wired: Wired) -> Work:
    _record(wired, 10)
    return DynamoEvidence(wired.clients["dynamodb"], LOCAL.table).size


def _signed(wired: Wired, key: str) -> Seal:
    _sealed(wired, KmsAnchor(wired.clients["kms"], key))
    return Seal.from_item(wired.world.items[seals_key(BUCKET), seal_number(NOON, 0)])


def ask_whose_a_signature_is(wired: Wired) -> Work:
    key = _key(wired)
    seal = _signed(wired, key)
    return lambda: KmsSignatures(wired.clients["kms"], key).signer(seal.seal_hash, seal.anchor or {})


def show_a_receipt(wired: Wired) -> Work:
    _record(wired, 10)
    (summary,) = wired.lists.newest(BUCKET)
    return lambda: wired.ledger.whole(summary)


def ask_about_the_lock(wired: Wired) -> Work:
    wired.locked(LOCKED)

    def ask() -> object:
        caveat = caveat_of_lock(wired.clients["s3"], LOCKED)
        if caveat and "could not be seen" in caveat:
            raise NotHandledError(caveat)  # it says so: who reads it asks again
        return caveat

    return ask


def list_receipts(wired: Wired) -> Work:
    _record(wired, 10, 20, 30)
    browser = Browser(pages=DynamoPages(wired.clients["dynamodb"], LOCAL.table), bucket=BUCKET)
    return lambda: [browser.page(filters, limit=2) for filters in (Filters(), Filters(sha256=SUCCESS.sha256))]


def _tokens(wired: Wired) -> DynamoTokens:
    return DynamoTokens(wired.clients["dynamodb"], LOCAL.table)


def show_a_token(wired: Wired) -> Work:
    _tokens(wired).add(TOKEN)
    return lambda: (_tokens(wired).get(TOKEN.number), list(_tokens(wired).all()))


def make_a_token_and_revoke_it(wired: Wired) -> Work:
    revoked = TOKEN._replace(revoked_at=LATER)
    return lambda: (_tokens(wired).add(TOKEN) or True, _tokens(wired).revoke(revoked))


def list_folders(wired: Wired) -> Work:
    wired.clients["s3"].put_object(Bucket=BUCKET, Key="acme/a.csv", Body=b"a")
    return lambda: S3Folders(wired.clients["s3"]).below(BUCKET, "")


def inspect_tasks(wired: Wired) -> Work:
    """A task that is to be done again is: the job tries until all is well."""
    wired.world.upload("a.csv", GOOD)
    tasks = events.batch_event(events.task("a.csv"), events.task("never.csv"))
    backfill = Backfill(objects=S3Objects(wired.clients["s3"]), receipts=wired.ledger, bucket=BUCKET)

    def inspect() -> object:
        answer = handling.take_tasks(backfill, intake(wired), tasks, LOG)
        if any(one["resultCode"] == "TemporaryFailure" for one in answer["results"]):
            raise NotHandledError(str(answer))
        return answer["results"][1], "a.csv" in {item.get("key") for item in wired.world.items.values()}

    return inspect


def announce_receipts(wired: Wired) -> Work:
    """Whatever happened, the invocation that ends well has told of all that it says it has told of."""
    made = [receipt(entry_of(events.record(f"{number}.csv")), at=NOON) for number in range(12)]
    stream = {"Records": [stream_record(encoded(as_item(one)), number) for number, one in enumerate(made)]}
    notices = EventBridgeNotices(wired.clients["events"], pace=Pace(sleep=lambda _: None))

    def announce() -> object:
        wired.wire.told.clear()
        clock = FakeClock(time=LATER)
        answer = handling.announce(Announcer(notices=notices, decoded=decoded), stream, clock, LOG)
        return answer, sorted(wired.wire.told)

    return announce


SCENARIOS: dict[Site, Scenario] = {
    ("EventBridgeNotices", "put_events"): announce_receipts,
    ("S3Objects", "head_object"): inspect_tasks,
    ("S3Folders", "list_objects_v2"): list_folders,
    ("DynamoPages", "query"): list_receipts,
    ("DynamoPages", "batch_get_item"): list_receipts,
    ("DynamoTokens", "get_item"): show_a_token,
    ("DynamoTokens", "query"): show_a_token,
    ("DynamoTokens", "put_item"): make_a_token_and_revoke_it,
    ("S3Inbox", "get_object"): inspect_uploads,
    ("DynamoLedger", "put_item"): inspect_uploads,
    ("DynamoLedger", "transact_write_items"): inspect_again,
    ("DynamoLedger", "get_item"): show_a_receipt,
    ("DynamoLedger", "query"): reconcile,
    ("DynamoLedger", "batch_get_item"): reconcile,
    ("DynamoLists", "query"): reconcile,
    ("DynamoNotes", "get_item"): reconcile,
    ("DynamoNotes", "put_item"): reconcile,
    ("S3Versions", "get_bucket_versioning"): reconcile,
    ("S3Versions", "list_object_versions"): reconcile,
    ("LambdaInspections", "invoke"): reconcile,
    ("DynamoSeals", "query"): seal_into_a_locked_bucket,
    ("DynamoSeals", "put_item"): seal_into_a_locked_bucket,
    ("DynamoSeals", "batch_get_item"): seal_into_a_locked_bucket,
    ("LockedBucketAnchor", "put_object"): seal_into_a_locked_bucket,
    ("LockedBucketAnchor", "list_object_versions"): seal_into_a_locked_bucket,
    ("LockedBucketAnchor", "get_object"): seal_into_a_locked_bucket,
    ("KmsAnchor", "sign"): seal_with_a_key,
    ("DynamoEvidence", "scan"): verify_all,
    ("DynamoEvidence", "query"): verify_what_is_recent,
    ("DynamoEvidence", "batch_get_item"): verify_what_is_recent,
    ("DynamoEvidence", "describe_table"): ask_for_the_size,
    ("caveat_of_lock", "get_object_lock_configuration"): ask_about_the_lock,
    ("KmsSignatures", "verify"): ask_whose_a_signature_is,
}


def test_every_call_has_its_scenario_and_every_scenario_its_call() -> None:
    assert sites() == sorted(SCENARIOS)


# -- what is kept in the end


@dataclass
class Played:
    """What came of a scenario: its answer, what is kept, and what failed on the way."""

    answer: object
    kept: object
    failures: list[Exception] = field(default_factory=list)


def play(work: Work, injection: Injection, wired: Wired) -> Played:
    """Try until it ends well, as Lambda does, or whoever calls the command line."""
    failures: list[Exception] = []
    wired.wire.meddle = injection
    try:
        for _ in range(TRIES):
            try:
                answer = work()
                break
            except (NotHandledError, ClientError, BotoCoreError, HTTPError, MalformedSealError) as error:
                failures.append(error)
                injection.is_over = True
        else:
            raise failures[-1]
    finally:
        wired.wire.meddle = let_pass
    return Played(answer=answer, kept=_kept(wired), failures=failures)


def _kept(wired: Wired) -> object:
    """The ledger, but for signatures, which are never the same twice, and the bucket of copies."""
    items = {
        key: {name: value for name, value in item.items() if name != "anchor"}
        for key, item in wired.world.items.items()
    }
    listed = wired.world.s3.list_buckets()["Buckets"]
    return items, list(_copies(wired)) if LOCKED in {bucket["Name"] for bucket in listed} else []


def _copies(wired: Wired) -> Iterator[tuple[str, bytes]]:
    for version in wired.world.s3.list_object_versions(Bucket=LOCKED).get("Versions", []):
        found = wired.world.s3.get_object(Bucket=LOCKED, Key=version["Key"], VersionId=version["VersionId"])
        yield version["Key"], found["Body"].read()


def faults(method: str) -> Iterator[tuple[str, Fault, bool]]:
    """Each fault of a call: its name, what it does, and whether it lasts."""
    yield from ((name, fault, False) for name, fault in (FAULTS | MORE.get(method, {})).items())
    yield from ((name, FAULTS[name], True) for name in LASTING)


@pytest.mark.parametrize("site", sites(), ids=".".join)
def test_what_happens_to_a_call_changes_nothing_of_what_is_kept(site: Site, wired: Wired) -> None:
    """Each upload has its receipt, no inspection two, and nothing is caught and forgotten.

    The faults strike the first call of a scenario, its last, and one between, in turn."""
    wired.world.begin_anew()
    work = SCENARIOS[site](wired)
    begin_again = wired.world.remember()
    undisturbed = play(work, counted := Injection(site), wired)
    assert counted.calls, "the scenario does not use the call"
    places = sorted({0, counted.calls // 2, counted.calls - 1})
    for number, (name, fault, is_lasting) in enumerate(faults(site[1])):
        begin_again()
        at = 0 if is_lasting else places[number % len(places)]
        disturbed = play(work, injection := Injection(site, fault, at, is_lasting), wired)
        assert injection.struck, name
        assert disturbed.answer == undisturbed.answer, name
        assert disturbed.kept == undisturbed.kept, name
        # What happens once, boto3 mends by itself, but for what DynamoDB calls a conflict; what lasts is the caller's.
        assert bool(disturbed.failures) == is_lasting or name not in FAULTS, name
