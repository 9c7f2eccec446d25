"""The policies, evaluated with their conditions for the calls that the functions make; and nothing in them is unused.

Each function of the app runs as Lambda calls it, on a simulated AWS that enforces nothing; what its calls ask of IAM is
put to its policy by the evaluator of the embedded AWS.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib import intake, receipts, routes, sealing, wiring
from chalicelib.access import Scope
from chalicelib.announcements import DETAIL_TYPE
from chalicelib.aws import evidence, lists, pages, seals
from chalicelib.aws.items import encoded
from chalicelib.receipts import as_item
from chalicelib.uploads import entry_of
from infra.policies import policies
from infra.template import LOCAL
from tests import events
from tests.api import ApiWorld, api_world
from tests.asked import ACCOUNT, REGION, Asked, is_allowed, recorded
from tests.events import BUCKET
from tests.lambdas import Lambda, replace_lambda
from tests.receipts import crash, receipt

GOOD = b"id,amount\n1,10\n2,20\n"
TICK = {
    "version": "0",
    "id": "1",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": ACCOUNT,
    "time": "2026-11-23T10:00:00Z",
    "region": REGION,
    "resources": [],
    "detail": {},
}


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch) -> Lambda:
    return replace_lambda(monkeypatch)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, functions: Lambda) -> Iterator[ApiWorld]:
    """A stage with an upload that was inspected, one that crashed, and one of which no event came.

    Every inspection leaves a mark.
    """
    assert not functions.functions, "what is asked for is not inspected"
    monkeypatch.setattr(intake, "MARK_FROM", 1)
    monkeypatch.setattr(sealing, "LOOK_BACK", timedelta(hours=3))
    monkeypatch.setattr("chalice.local.LambdaContext.get_remaining_time_in_millis", lambda _: 900_000)
    for module in (receipts, lists, pages, seals, evidence):  # the same calls, but fewer
        monkeypatch.setattr(module, "SHARDS", 2)
    _forget()
    with api_world(monkeypatch) as made:
        made.aws.s3.create_bucket(Bucket=LOCAL.seals_bucket, ObjectLockEnabledForBucket=True)
        monkeypatch.setattr(wiring.api().inspections, "_client", wiring.client("lambda"))
        monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", LOCAL.function("any"))
        made.upload("acme/first.csv")
        made.aws.upload("acme/lost.csv", GOOD)
        crashed, earlier = entry_of(made.aws.upload("acme/crashed.csv", GOOD)), datetime.now(UTC) - timedelta(hours=3)
        made.aws.ledger.record(receipt(crashed, report=crash(), at=earlier))
        yield made
    _forget()


def _forget() -> None:
    """Clients of an AWS that is no more."""
    for each in vars(wiring).values():
        if isinstance(each, functools._lru_cache_wrapper):
            each.cache_clear()


def form_of(key: str) -> Asked:
    """What the sender of a form asks for, as its signer; AWS asks then, and not when it is signed."""
    return Asked(action="s3:PutObject", resource=f"arn:aws:s3:::{BUCKET}/{key}", keys={"s3:authType": "POST"})


# -- each function, by what makes it call AWS in all its ways

Watched = Callable[[], AbstractContextManager[list[Asked]]]


def inspect(world: ApiWorld, watched: Watched) -> None:
    new = world.aws.upload("acme/new.csv", GOOD)
    again = {**new, "recibo": {"inspection": 2}}
    with watched():
        for records in ([new, events.deletion(version_id="v1")], [new], [again], [events.record(version_id=None)]):
            world.client.lambda_.invoke("inspect", events.event(*records))


def last_resort(world: ApiWorld, watched: Watched) -> None:
    for condition, count in (("RetriesExhausted", 3), ("EventAgeExceeded", 0)):
        upload = world.aws.upload(f"acme/{condition}.csv", GOOD)
        again = {**upload, "recibo": {"inspection": 2}}
        for record in (upload, again, events.record(version_id=None)):
            context = {"condition": condition, "approximateInvokeCount": count}
            letter = {"requestContext": context, "requestPayload": events.event(record)}
            with watched():
                world.client.lambda_.invoke("last_resort", events.sqs_event(letter))


def batch(world: ApiWorld, watched: Watched) -> None:
    found = world.aws.s3.list_object_versions(Bucket=BUCKET)["Versions"]
    tasks = [events.task(each["Key"], each["VersionId"]) for each in found]
    (crashed,) = [entry for entry in world.aws.receipts if entry["key"] == "acme/crashed.csv"]
    again = entry_of(events.record("acme/crashed.csv", version_id=crashed["version_id"], etag=None))
    now = datetime.now(UTC)
    world.aws.ledger.mark(again, inspection=2, started_at=now, deadline=now)
    with watched():
        world.client.lambda_.invoke("batch", events.batch_event(*tasks, events.task("acme/none.csv")))


def reconcile(world: ApiWorld, watched: Watched) -> None:
    with watched():
        for _ in range(2):
            world.client.lambda_.invoke("reconcile", TICK)


def seal(world: ApiWorld, watched: Watched) -> None:
    for key in ("acme/second.csv", "acme/third.csv"):
        with watched():
            world.client.lambda_.invoke("seal", {**TICK, "detail": {"early": True}})
        world.upload(key)


def verify(world: ApiWorld, watched: Watched) -> None:
    world.client.lambda_.invoke("seal", {**TICK, "detail": {"early": True}})
    with watched():
        world.client.lambda_.invoke("verify", TICK)


def announce(world: ApiWorld, watched: Watched) -> None:
    item = encoded(as_item(receipt(entry_of(events.record()))))
    with watched():
        world.client.lambda_.invoke("announce", {"Records": [events.stream_record(item, 1)]})


def authorize(world: ApiWorld, watched: Watched) -> None:
    arn = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:any/api/GET/api/receipts"
    event = {"type": "TOKEN", "authorizationToken": f"Bearer {world.token(Scope.READ)}", "methodArn": arn}
    with watched():
        said = routes.authorize(event, None)
    assert said["policyDocument"]["Statement"][0]["Effect"] == "Allow"


def api_handler(world: ApiWorld, watched: Watched) -> None:
    world.client.lambda_.invoke("seal", {**TICK, "detail": {"early": True}})
    entry, receipt_of = world.upload("acme/fourth.csv"), "/api/receipts/"
    lists = ("", "?status=failed", "?source=acme", f"?sha256={'a' * 64}", "?prefix=acme/")
    with watched() as asked:
        for path in (
            *(f"/api/receipts{query}" for query in lists),
            *(f"{receipt_of}{entry['id']}{more}" for more in ("", "/history")),
            "/api/history?key=acme/first.csv",
            *("/api/summary", "/api/folders", "/api/contracts", "/api/verification", "/api/me"),
        ):
            assert world.get(path).status == 200, path
        assert world.post(f"{receipt_of}{entry['id']}/recheck").status == 202
        form = world.post("/api/uploads", {"name": "a.csv", "size": 3})
        assert form.status == 201
    asked.append(form_of(form.json["key"]))


FLOWS: Mapping[str, Callable[[ApiWorld, Watched], None]] = {
    each.__name__: each
    for each in (inspect, last_resort, batch, reconcile, seal, verify, announce, authorize, api_handler)
}


OF_MISSING = {("ReadUploads", "s3:ListBucket"), ("ReadUploads", f"arn:aws:s3:::{BUCKET}")}
"""No call, but what makes S3 answer 404 and not 403 for an object that is gone."""
UNCALLED = {"inspect": OF_MISSING, "last_resort": OF_MISSING, "batch": OF_MISSING}
OF_LAMBDA = {"WriteLogs", "WriteTraces", "SendDeadLetters", "TakeDeadLetters", "ReadTheStream", "TellWhatWasGivenUp"}
"""Statements for what Lambda itself does as the function."""


def asked_in(function: str, world: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> list[Asked]:
    """What the function's calls ask for, each question once."""
    found: list[Asked] = []
    FLOWS[function](world, lambda: recorded(found, monkeypatch))
    return list({str(each): each for each in found}.values())


def test_every_function_has_a_flow() -> None:
    assert FLOWS.keys() == policies(LOCAL).keys()


@pytest.mark.parametrize("function", FLOWS)
def test_a_policy_allows_each_call_of_its_function_and_every_part_of_it_is_needed_for_one(
    function: str, world: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold(policies(LOCAL)[function], function, world, monkeypatch)


@pytest.mark.parametrize("function", ["seal", "verify"])
def test_the_same_is_true_of_a_stage_whose_seals_are_signed(
    function: str, world: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed = replace(LOCAL, anchor="kms:alias/recibo-seals-local")
    kms = wiring.client("kms")
    key = kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256")["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName=signed.seals_key, TargetKeyId=key)
    settings = wiring.Settings.from_environment()._replace(anchor=signed.anchor)
    monkeypatch.setattr(wiring.Settings, "from_environment", lambda: settings)
    _forget()
    hold(policies(signed)[function], function, world, monkeypatch)


def hold(policy: Mapping[str, Any], function: str, world: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the function: what it asks for is what its policy allows, no more and no less."""
    asked = asked_in(function, world, monkeypatch)
    assert asked
    assert [str(each) for each in asked if not is_allowed(each, policy)] == []
    unused = {part for part, less in without_each_part(policy) if all(is_allowed(each, less) for each in asked)}
    assert unused == UNCALLED.get(function, set())


def without_each_part(policy: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], dict[str, Any]]]:
    """The policy without one action, resource or value of a condition of what it allows; first its statement's name."""
    for number, statement in enumerate(policy["Statement"]):
        if statement["Effect"] == "Allow" and statement["Sid"] not in OF_LAMBDA:
            for part, less in _without_each_part(statement):
                others = [*policy["Statement"][:number], less, *policy["Statement"][number + 1 :]]
                yield (statement["Sid"], part), {"Statement": others}


def _without_each_part(statement: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for member in ("Action", "Resource"):
        for value in statement[member]:
            yield value, {**statement, member: [other for other in statement[member] if other != value] or ["none"]}
    for operator, keys in statement.get("Condition", {}).items():
        for key, values in keys.items():
            for value in values if isinstance(values, list) else [values]:
                rest = [other for other in values if other != value] if isinstance(values, list) else []
                condition = {**statement["Condition"], operator: {**keys, key: rest or ["none"]}}
                yield value, {**statement, "Condition": condition}


# -- what the conditions refuse


def of_table(action: str, *keys: str, **more: Any) -> Asked:
    table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{LOCAL.table}"
    return Asked(action=f"dynamodb:{action}", resource=table, keys={"dynamodb:LeadingKeys": list(keys), **more})


A_RECEIPT = f"{BUCKET}/acme/day.csv#v1"
OF_A_BUS = Asked(
    action="events:PutEvents",
    resource=f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default",
    keys={"events:source": ["another"], "events:detail-type": [DETAIL_TYPE]},
)


@pytest.mark.parametrize(
    ("function", "asked"),
    [
        ("inspect", of_table("PutItem", f"#seals/{BUCKET}")),
        ("inspect", of_table("PutItem", "another-bucket/acme/day.csv#v1")),
        ("inspect", of_table("UpdateItem", A_RECEIPT, **{"dynamodb:Attributes": ["pk", "sk", "content_hash"]})),
        ("inspect", of_table("DeleteItem", A_RECEIPT)),
        ("reconcile", of_table("PutItem", A_RECEIPT)),
        ("seal", of_table("PutItem", A_RECEIPT)),
        ("seal", of_table("BatchGetItem", f"#page/{'a' * 64}", A_RECEIPT)),
        ("authorize", of_table("GetItem", A_RECEIPT)),
        ("api_handler", of_table("PutItem", "#tokens")),
        ("api_handler", of_table("GetItem", f"#page/{'a' * 64}")),
        ("api_handler", replace(form_of("any"), keys={"s3:authType": "REST-HEADER"})),
        ("api_handler", replace(form_of("any"), keys={"s3:authType": "REST-QUERY-STRING"})),
        ("announce", OF_A_BUS),
    ],
    ids=str,
)
def test_what_differs_from_a_functions_own_calls_is_refused(function: str, asked: Asked) -> None:
    assert not is_allowed(asked, policies(LOCAL)[function])
