"""The API on a simulated AWS, asked as API Gateway asks it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import jsonschema
import pytest
from chalice.test import Client

import app as recibo
from chalicelib import wiring
from chalicelib.access import Scope, Token, hash_of, text_of
from chalicelib.aws.tokens import DynamoTokens
from chalicelib.openapi import description
from infra.stages import ROOT
from infra.template import LOCAL
from tests import events
from tests.aws import World, simulated_aws
from tests.fakes import NOON

DESCRIPTION = description()
SECRET = "s" * 43
GOOD = b"id,amount\n1,10\n2,20\n"
BAD = b"id,amount\n1,10\n2\n"


@dataclass(frozen=True, kw_only=True)
class Answered:
    """An answer as it comes over the wire."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class ApiWorld:
    """A stage with its API; `invoked` are the events that it sent to functions."""

    aws: World
    client: Client
    invoked: list[dict[str, Any]] = field(default_factory=list)
    _own: str = ""

    def token(self, *scopes: Scope, name: str = "tests", **more: Any) -> str:
        """The text of a new token."""
        made = Token(
            name=name,
            secret_hash=hash_of(SECRET),
            scopes=frozenset(scopes),
            prefix=f"{name}/",
            created_at=NOON,
            **more,
        )
        DynamoTokens(self.aws.dynamodb, LOCAL.table).add(made)
        return text_of(name, SECRET)

    def upload(self, key: str, content: bytes = GOOD) -> dict[str, Any]:
        """An upload and its receipt; what lists say of it."""
        self.client.lambda_.invoke("inspect", events.event(self.aws.upload(key, content)))
        return self.get(f"/api/history?key={key}").json["entries"][0]  # type: ignore[no-any-return]

    def ask(self, method: str, path: str, body: bytes = b"", /, **headers: str) -> Answered:
        self._own = self._own or self.token(*Scope)
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        given = {"Authorization": f"Bearer {self._own}", **more}
        answer = self.client.http.request(method, path, given, body)
        return Answered(status=answer.status_code, headers=answer.headers, body=answer.body)

    def get(self, path: str, **headers: str) -> Answered:
        return self.ask("GET", path, **headers)

    def post(self, path: str, content: Any = None, **headers: str) -> Answered:
        body = b"" if content is None else json.dumps(content).encode()
        given = {"Content_Type": "application/json"} | headers
        return self.ask("POST", path, body, **given)


@contextmanager
def api_world(monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiWorld]:
    """The API, for as long as the block lasts."""
    with simulated_aws(monkeypatch) as aws:
        monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", LOCAL.stack)
        wiring.api.cache_clear()
        wiring.tokens.cache_clear()
        with Client(recibo.app, stage_name="local", project_dir=str(ROOT)) as client:
            world = ApiWorld(aws=aws, client=client)
            lambdas: Any = wiring.api().inspections
            monkeypatch.setattr(lambdas._client, "invoke", lambda **call: world.invoked.append(call))
            yield world
    wiring.api.cache_clear()
    wiring.tokens.cache_clear()


def schema_of(answer: Answered, path: str, method: str) -> dict[str, Any]:
    """What the description says of such an answer."""
    responses = DESCRIPTION["paths"][path][method.lower()]["responses"]
    response = responses[str(answer.status)]
    if "$ref" in response:
        response = DESCRIPTION["components"]["responses"][response["$ref"].rpartition("/")[2]]
    found: dict[str, Any] = response["content"][answer.headers["Content-Type"]]["schema"]
    return found


def hold(answer: Answered, path: str, method: str = "GET") -> Any:
    """The answer's content, which is as described."""
    schema = {**schema_of(answer, path, method), "components": DESCRIPTION["components"]}
    jsonschema.Draft202012Validator(schema).validate(answer.json)
    return answer.json


def problem(answer: Answered) -> str:
    """The kind of a problem, which is complete."""
    schema = {"$ref": "#/components/schemas/Problem", "components": DESCRIPTION["components"]}
    jsonschema.Draft202012Validator(schema).validate(answer.json)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json["status"] == answer.status
    return str(answer.json["type"]).rpartition(":")[2]
