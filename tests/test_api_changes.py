"""What the API changes, or has changed: forms, inspections that are asked for, and tokens."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from chalicelib import wiring
from chalicelib.access import Scope
from chalicelib.receipts import entry_from
from infra.template import LOCAL
from tests.api import BAD, ApiWorld, api_world, hold, problem
from tests.events import BUCKET
from tests.fakes import NOON


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiWorld]:
    with api_world(monkeypatch) as made:
        yield made


def policy_of(form: dict[str, Any]) -> Any:
    return json.loads(base64.b64decode(form["fields"]["policy"]))


def test_a_form_is_for_one_key_its_fields_and_its_size_and_ends_soon(world: ApiWorld) -> None:
    wish = {"name": "orders/a.csv.gz", "content_type": "text/csv", "metadata": {"batch": "7"}, "size": 99}
    made = world.post("/api/uploads", wish)
    form, policy = hold(made, "/api/uploads", "POST"), policy_of(made.json)
    assert made.status == 201
    assert form["key"].startswith("tests/orders/a-")
    assert form["key"].endswith(".csv.gz")
    assert ["content-length-range", 99, 99] in policy["conditions"]
    for exact in ({"key": form["key"]}, {"bucket": BUCKET}, {"Content-Type": "text/csv"}, {"x-amz-meta-batch": "7"}):
        assert exact in policy["conditions"]
    assert form["fields"]["x-amz-algorithm"] == "AWS4-HMAC-SHA256"


def test_two_uploads_of_a_name_have_two_keys(world: ApiWorld) -> None:
    keys = [world.post("/api/uploads", {"name": "a.csv"}).json["key"] for _ in range(2)]
    assert keys[0] != keys[1]


def test_a_recheck_asks_for_the_next_inspection(world: ApiWorld) -> None:
    id_ = world.upload("a.csv", BAD)["id"]
    answer = world.post(f"/api/receipts/{id_}/recheck")
    assert hold(answer, "/api/receipts/{id}/recheck", "POST")["inspection"] == 2
    (call,) = world.invoked
    assert (call["FunctionName"], call["InvocationType"]) == (LOCAL.function("inspect"), "Event")
    world.client.lambda_.invoke("inspect", json.loads(call["Payload"]))
    second = hold(world.get(f"/api/receipts/{answer.json['id']}"), "/api/receipts/{id}")
    assert (second["receipt"]["inspection"], second["is_current"]) == (2, True)
    first = world.get(f"/api/receipts/{id_}").json
    assert (first["is_current"], first["current_id"]) == (False, answer.json["id"])


def test_what_is_being_inspected_is_not_inspected_again(world: ApiWorld) -> None:
    id_ = world.upload("a.csv")["id"]
    entry = next(iter(world.aws.lists.newest(BUCKET)))
    item = world.aws.items[entry["identity"], 1]
    later = wiring.now() + timedelta(minutes=9)
    world.aws.ledger.mark(entry_from(item), inspection=2, started_at=wiring.now(), deadline=later)
    answer = world.post(f"/api/receipts/{id_}/recheck")
    assert (answer.status, problem(answer)) == (409, "still-inspecting")
    assert world.get("/api/receipts?status=inspecting").json["receipts"][0]["inspection"] == 2
    assert world.invoked == []


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/api/receipts", Scope.READ),
        ("GET", "/api/summary", Scope.READ),
        ("POST", "/api/uploads", Scope.UPLOAD),
        ("POST", "/api/receipts/MS94I3Y/recheck", Scope.OPERATE),
    ],
)
def test_a_route_takes_its_own_scope(
    world: ApiWorld, capsys: pytest.CaptureFixture[str], method: str, path: str, scope: Scope
) -> None:
    right, wrong = world.token(scope, name="right"), world.token(*(set(Scope) - {scope}), name="wrong")
    more = {"Content_Type": "application/json"}
    assert world.ask(method, path, b'{"name":"a"}', Authorization=f"Bearer {right}", **more).status in (200, 201, 404)
    capsys.readouterr()
    answer = world.ask(method, path, b"", Authorization=f"Bearer {wrong}", **more)
    assert (answer.status, answer.json["scope"]) == (403, scope)
    assert problem(answer) == "not-allowed"
    (line,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert (line["event"], line["token"], line["reason"]) == ("denied", "wrong", "scope")
    assert wrong not in json.dumps(line)


def test_a_revoked_token_is_refused_for_the_very_next_call(world: ApiWorld) -> None:
    text = world.token(Scope.READ, name="gone")
    assert world.get("/api/me", Authorization=f"Bearer {text}").json["name"] == "gone"
    tokens = wiring.tokens()
    (token,) = (one for one in tokens.all() if one.name == "gone")
    tokens.revoke(token._replace(revoked_at=NOON))
    assert world.get("/api/me", Authorization=f"Bearer {text}").status == 403
