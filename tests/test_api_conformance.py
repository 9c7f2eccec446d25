"""The served API keeps to its own description, whatever it is asked: schemathesis makes the requests."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

import app as recibo
from chalicelib.access import Scope
from chalicelib.problems import MEDIA_TYPE
from local.serving import served
from tests.api import BAD, DESCRIPTION, GOOD, api_world

SCHEMATHESIS = str(Path(sys.executable).with_name("schemathesis"))
MORE = ("--checks", "all", "--max-examples", "5", "--no-color")
SECONDS = 300

# What a description in JSON Schema cannot say of these three: day without from and to, a cursor that came of the same
# filters; a period that is not too long; a name without empty parts, and no more metadata than S3 takes in all.
SETTINGS = """
[generation]
deterministic = true
[auth.openapi.token]
bearer = "{token}"
[parameters]
"path.id" = "{id}"
[checks.positive_data_acceptance]
expected-statuses = ["2xx", 304]
[[operations]]
include-operation-id = ["listReceipts"]
checks.positive_data_acceptance.expected-statuses = ["2xx", 304, 400]
[[operations]]
include-operation-id = ["getSummary"]
checks.positive_data_acceptance.expected-statuses = ["2xx", 304, 400, 422]
[[operations]]
include-operation-id = ["createUpload"]
checks.positive_data_acceptance.expected-statuses = ["2xx", 422]
"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Where the API is served, and how schemathesis is set up for it."""
    with pytest.MonkeyPatch.context() as monkeypatch, api_world(monkeypatch) as world:
        world.upload("acme/a.csv", GOOD)
        text = SETTINGS.format(
            token=world.token(*Scope, name="conformance"), id=world.upload("globex/b.csv", BAD)["id"]
        )
        path = tmp_path_factory.mktemp("conformance") / "schemathesis.toml"
        path.write_text(text)
        with served(recibo.app) as address:
            yield address, path


def test_every_request_is_answered_as_the_description_says(settings: tuple[str, Path]) -> None:
    address, path = settings
    described = path.with_name("openapi.json")
    described.write_text(json.dumps(DESCRIPTION))
    done = subprocess.run(
        [SCHEMATHESIS, "--config-file", path.name, "run", described.name, "--url", address, *MORE],
        cwd=path.parent,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Tested: {len(DESCRIPTION['paths'])}" in done.stdout, done.stdout


@pytest.mark.parametrize("method", ["DELETE", "TRACE", "NONSENSE"])
def test_whatever_the_method_the_answer_names_those_that_are_taken(settings: tuple[str, Path], method: str) -> None:
    answer = requests.request(method, f"{settings[0]}/api/health", timeout=SECONDS)
    assert (answer.status_code, answer.headers["Content-Type"]) == (405, MEDIA_TYPE)
    assert answer.headers["Allow"] == "GET"


def test_an_address_that_is_too_long_is_a_problem_too(settings: tuple[str, Path]) -> None:
    answer = requests.get(f"{settings[0]}/api/receipts?search={'x' * 70_000}", timeout=SECONDS)
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, MEDIA_TYPE)
