"""What API Gateway answers by itself, once deployed. (The embedded AWS imports no routes: it knows no address.)"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import requests

from chalicelib.problems import MEDIA_TYPE, URN
from cli.surroundings import Surroundings
from infra.gateway import gateway_responses

pytestmark = pytest.mark.e2e

SECONDS = 60


@pytest.fixture(scope="module")
def api(aws: Surroundings, project: Path) -> str:
    """The id of the deployed API."""
    resources = json.loads((project / ".chalice" / "deployed" / f"{aws.stage.name}.json").read_text())["resources"]
    (found,) = (one["rest_api_id"] for one in resources if one["resource_type"] == "rest_api")
    return str(found)


def test_every_answer_of_the_gateways_own_is_ours(aws: Surroundings, api: str) -> None:
    found = aws.client("apigateway").get_gateway_responses(restApiId=api, limit=100)["items"]
    statuses = {one["responseType"]: one["statusCode"] for one in found if not one["defaultResponse"]}
    assert statuses == {name: one["statusCode"] for name, one in gateway_responses(is_iam=False).items()}


def test_an_address_that_the_gateway_does_not_know_is_a_problem(aws: Surroundings, api: str, emulator: str) -> None:
    if emulator != "embedded":
        pytest.skip("each emulator has addresses of its own")
    answer = requests.get(f"{aws.endpoint}/_aws/execute-api/{api}/api/api/nothing", timeout=SECONDS)
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, MEDIA_TYPE)
    assert (answer.json()["type"], answer.json()["status"]) == (f"{URN}not-found", 404)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
