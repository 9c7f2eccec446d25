"""The API: what it answers, to whom, and what it says when it does not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import app as recibo
from chalicelib import wiring
from chalicelib.answers import HEADERS, is_known
from chalicelib.api import named_once
from chalicelib.parameters import FILTERS, METADATA_NAME
from chalicelib.problems import KINDS, OF_STATUS
from infra.template import LOCAL
from tests.api import BAD, DESCRIPTION, GOOD, ApiWorld, api_world, hold, problem
from tests.fakes import NOON
from tests.strategies import TEXT


@pytest.fixture(scope="module")
def shared() -> Iterator[ApiWorld]:
    """One with three receipts that no test changes."""
    with pytest.MonkeyPatch.context() as monkeypatch, api_world(monkeypatch) as made:
        made.upload("acme/a.csv", GOOD)
        made.upload("globex/b.csv", BAD)
        made.upload("globex/c.csv", GOOD)
        yield made


# -- what is answered


def test_receipts_are_listed_newest_first_and_go_on_by_their_cursor(shared: ApiWorld) -> None:
    first = hold(shared.get("/api/receipts?limit=2"), "/api/receipts")
    rest = hold(shared.get(f"/api/receipts?limit=2&cursor={first['cursor']}"), "/api/receipts")
    assert [one["key"] for one in first["receipts"] + rest["receipts"]] == [
        "globex/c.csv",
        "globex/b.csv",
        "acme/a.csv",
    ]
    assert rest["cursor"] is None


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("status=failed", ["globex/b.csv"]),
        ("cause=content&source=acme", []),
        ("source=acme", ["acme/a.csv"]),
        ("finding=missing-cells", ["globex/b.csv"]),
        ("format=csv&search=A.CSV", ["acme/a.csv"]),
        ("prefix=globex/c", ["globex/c.csv"]),
        ("kind=deleted", []),
        ("to=2026-01-01", []),
    ],
)
def test_filters_narrow_the_list(shared: ApiWorld, query: str, keys: list[str]) -> None:
    found = hold(shared.get(f"/api/receipts?{query}"), "/api/receipts")
    assert [one["key"] for one in found["receipts"]] == keys


def test_the_same_content_is_found_by_its_hash(shared: ApiWorld) -> None:
    one = shared.get(f"/api/receipts/{shared.get('/api/receipts').json['receipts'][0]['id']}").json["receipt"]
    found = hold(shared.get(f"/api/receipts?sha256={one['sha256']}"), "/api/receipts")
    assert [each["key"] for each in found["receipts"]] == ["globex/c.csv", "acme/a.csv"]


def test_a_receipt_is_the_ledgers_and_its_key_has_a_history(shared: ApiWorld) -> None:
    id_ = shared.get("/api/receipts?status=failed").json["receipts"][0]["id"]
    found = hold(shared.get(f"/api/receipts/{id_}"), "/api/receipts/{id}")
    assert found["receipt"] == shared.aws.receipt("globex/b.csv")
    assert found["is_current"]
    history = hold(shared.get(f"/api/receipts/{id_}/history"), "/api/receipts/{id}/history")
    assert [one["id"] for one in history["entries"]] == [id_]
    assert history == hold(shared.get("/api/history?key=globex%2Fb.csv"), "/api/history")


def test_an_encoded_id_is_the_same_id(shared: ApiWorld) -> None:
    id_ = shared.get("/api/receipts").json["receipts"][0]["id"]
    assert shared.get("/api/receipts/" + "".join(f"%{ord(mark):02X}" for mark in id_)).json["id"] == id_


@pytest.mark.parametrize("by", ["hour", "day"])
def test_a_summary_counts_exactly(shared: ApiWorld, by: str) -> None:
    found = hold(shared.get(f"/api/summary?by={by}"), "/api/summary")
    assert (found["total"]["uploads"], found["total"]["failed_content"], found["total"]["records"]) == (3, 1, 6)
    assert sum(group["uploads"] for group in found["groups"]) == 3
    assert [(one["source"], one["uploads"]) for one in found["sources"]] == [("globex", 2), ("acme", 1)]
    assert found["newest"]["first_findings"] == [{"code": "missing-cells", "receipts": 1}]
    assert found["newest"]["complete"]
    assert found["newest"]["latency_ms"]["median"] <= found["newest"]["latency_ms"]["max"]


def test_the_groups_of_a_summary_follow_each_other_in_the_readers_own_days(shared: ApiWorld) -> None:
    found = shared.get("/api/summary?from=2026-11-01&to=2026-11-04T12:00:00Z&by=day&utc_offset_minutes=-180").json
    assert [group["at"] for group in found["groups"]] == [
        f"2026-{day}T03:00:00.000Z" for day in ("10-31", "11-01", "11-02", "11-03", "11-04")
    ]


def test_the_state_of_the_ledger_and_the_contracts_are_told(shared: ApiWorld) -> None:
    state = hold(shared.get("/api/verification"), "/api/verification")
    assert (state["last_seal"], state["due"], state["anchor"]) == (None, 0, LOCAL.anchor)
    contracts = hold(shared.get("/api/contracts"), "/api/contracts")["contracts"]
    assert [one["name"] for one in contracts] == [one.name for one in wiring.contracts().all]


def test_anybody_may_ask_for_health_and_the_description(shared: ApiWorld) -> None:
    for path in ("/api/health", "/api/openapi.json"):
        assert hold(shared.get(path, Authorization=""), path)
    assert shared.get("/api/openapi.json").json == DESCRIPTION


# -- uploads


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("a.csv", "a-20261123T120000Z-00.csv"),
        ("x/a.csv.gz", "x/a-20261123T120000Z-00.csv.gz"),
        ("README", "README-20261123T120000Z-00"),
        (".env", ".env-20261123T120000Z-00"),
        ("é 1.json", "é 1-20261123T120000Z-00.json"),
    ],
)
def test_a_key_keeps_the_endings_by_which_a_format_is_told(name: str, key: str) -> None:
    assert named_once(name, NOON, "00") == key


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "/a"},
        {"name": "a/../b"},
        {"name": "a\nb"},
        {"name": "\ud800"},
        {"name": "x" * 513},
        {"name": 7},
        {"name": "a", "size": -1},
        {"name": "a", "size": True},
        {"name": "a", "size": 6 << 30},
        {"name": "a", "content_type": "text/csv\r\nx: y"},
        {"name": "a", "metadata": {"A": "b"}},
        {"name": "a", "metadata": {"a": "é"}},
        {"name": "a", "metadata": {"a": "b" * 3000}},
        {"name": "a", "metadata": []},
        {"name": "a", "bucket": "another"},
    ],
)
def test_a_wish_that_cannot_be_granted_is_refused_with_a_sentence(shared: ApiWorld, body: Any) -> None:
    answer = shared.post("/api/uploads", body)
    assert problem(answer) == "unprocessable"
    assert answer.json["detail"].endswith((".", ")"))


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b'{"name": NaN}', b"[" * 60_000, b"null"])
def test_a_body_that_is_no_object_is_refused(shared: ApiWorld, body: bytes) -> None:
    answer = shared.ask("POST", "/api/uploads", body, Content_Type="application/json")
    assert problem(answer) == "invalid-body"


def test_a_body_that_is_too_large_or_no_json_is_refused(shared: ApiWorld) -> None:
    large = shared.post("/api/uploads", {"name": "x" * 70_000})
    assert (large.status, problem(large)) == (413, "body-too-large")
    form = shared.ask("POST", "/api/uploads", b"name=a", Content_Type="application/x-www-form-urlencoded")
    assert (form.status, problem(form)) == (415, "unsupported-media-type")


# -- who may ask


@pytest.mark.parametrize("path", [path for path in DESCRIPTION["paths"] if not path.endswith((".json", "health"))])
def test_every_other_route_is_closed(shared: ApiWorld, path: str) -> None:
    (method,) = DESCRIPTION["paths"][path]
    address = path.replace("{id}", "MS94I3Y")
    for shown in ("Bearer recibo_000000000000_" + "x" * 43, "Basic abc", "Bearer", "Bearer \u00e9"):
        answer = shared.ask(method.upper(), address, Authorization=shown, Content_Type="application/json")
        assert answer.status in (401, 403), "the local gateway's authorizer answers with 403"


def test_api_gateway_keeps_no_answer_of_the_authorizer() -> None:
    (authorizer,) = recibo.app.builtin_auth_handlers
    assert authorizer.ttl_seconds == 0


# -- what is kept


@pytest.mark.parametrize(
    "path", ["/api/receipts", "/api/openapi.json", "/api/contracts", "/api/history?key=acme/a.csv"]
)
def test_what_has_not_changed_is_not_sent_again(shared: ApiWorld, path: str) -> None:
    first = shared.get(path)
    again = shared.get(path, If_None_Match=first.headers["ETag"])
    assert (again.status, again.body, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    assert shared.get(path, If_None_Match='"another"').status == 200


@given(st.lists(st.sampled_from(['"a"', 'W/"a"', '"b"', 'W/"b,c"', "*"]), min_size=1))
def test_a_mark_is_known_by_whoever_names_it(names: list[str]) -> None:
    listed = ", ".join(names)
    assert is_known('W/"a"', listed) == ('"a"' in listed or listed == "*")


# -- whatever is asked


def test_security_headers_are_on_everything(shared: ApiWorld) -> None:
    for path in ("/api/receipts", "/api/health", "/api/receipts/x", "/api/receipts?x=1", "/api/openapi.json"):
        headers = shared.get(path).headers
        assert HEADERS.items() <= dict(headers).items(), path
        assert "Cache-Control" in headers


@pytest.mark.parametrize(("method", "path"), [("DELETE", "/api/receipts"), ("PUT", "/api/me"), ("GET", "/api/uploads")])
def test_a_method_that_an_address_does_not_take_is_a_problem(shared: ApiWorld, method: str, path: str) -> None:
    answer = shared.ask(method, path)
    assert (answer.status, problem(answer)) == (405, "method-not-allowed")
    assert answer.headers["Allow"]


def test_what_goes_wrong_inside_stays_inside(
    shared: ApiWorld, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An exception's text may quote a file: it reaches neither who asks nor the log."""

    def fail(*_: object, **__: object) -> None:
        raise ValueError("canary-4711")

    monkeypatch.setattr(wiring, "call", fail)
    answer = shared.get("/api/receipts")
    assert (answer.status, problem(answer)) == (500, "internal")
    logged = capsys.readouterr().out
    assert b"canary" not in answer.body
    assert "canary" not in logged
    assert json.loads(logged)["request_id"] == answer.json["request_id"]


NAMES = st.sampled_from([*FILTERS, "key", "by", "utc_offset_minutes"]) | TEXT
VALUES = st.sampled_from(
    ["failed", "content", "2026-11-23", "2026-11-23T25:00", "1", "-1", "0", "9" * 40, "hour", "any", "null", "e30", "/"]
)
PARAMETERS = st.lists(st.tuples(NAMES, TEXT | VALUES), max_size=4)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["/api/receipts", "/api/summary", "/api/history", "/api/me", "/api/contracts"]), PARAMETERS)
@example("/api/summary", [("from", "0001-01-01"), ("to", "9999-12-31")])
@example("/api/summary", [("from", "2026-11-23T00:00:00+00:00")])
@example("/api/history", [("key", "\x00")])
def test_any_query_is_answered_or_is_a_problem_and_never_fails(
    shared: ApiWorld, path: str, parameters: list[tuple[str, str]]
) -> None:
    answer = shared.get(f"{path}?{urlencode(parameters)}")
    assert answer.status in (200, 400, 422)
    if answer.status != 200:
        assert problem(answer) in KINDS


@settings(max_examples=50)
@given(TEXT.filter(lambda text: text.strip(".") and "/" not in text))
def test_any_id_is_found_or_is_not(shared: ApiWorld, id_: str) -> None:
    assert problem(shared.get(f"/api/receipts/{quote(id_, safe='')}")) == "no-such-receipt"


def test_every_status_has_a_sentence_that_helps() -> None:
    assert {kind for kind, _ in OF_STATUS.values()} <= KINDS.keys()
    assert all(KINDS[kind] == status for status, (kind, _) in OF_STATUS.items())
    assert METADATA_NAME.fullmatch("batch-7")


# -- the description is of these routes


API_ROUTES = {path: methods for path, methods in recibo.app.routes.items() if path.startswith("/api/")}
"""What the description is of. The rest is the page, which a browser reads."""


def test_every_route_is_described_and_every_described_one_exists() -> None:
    routes = {(path, method.lower()) for path, methods in API_ROUTES.items() for method in methods}
    described = {(path, method) for path, methods in DESCRIPTION["paths"].items() for method in methods}
    assert described == routes


def test_every_public_route_is_described_as_such_and_no_other() -> None:
    for path, methods in API_ROUTES.items():
        for method, entry in methods.items():
            is_public = DESCRIPTION["paths"][path][method.lower()].get("security") == []
            assert is_public == (entry.authorizer is None), path


def test_beside_the_api_stands_the_page_and_nothing_else() -> None:
    page = {
        (path, method) for path, methods in recibo.app.routes.items() for method in methods if path not in API_ROUTES
    }
    assert page == {("/", "GET"), ("/assets/{name}", "GET"), ("/assets/{folder}/{name}", "GET")}


def test_every_parameter_is_described_and_taken() -> None:
    described = {one["name"] for one in DESCRIPTION["paths"]["/api/receipts"]["get"]["parameters"]}
    assert described - {"If-None-Match"} == set(FILTERS)
