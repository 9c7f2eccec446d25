"""docs/api.md is complete, and says what the description says. That its examples work: tests/e2e/test_docs.py."""

from __future__ import annotations

import re
from typing import Any

import jsonschema
import pytest

from chalicelib.access import Scope
from chalicelib.problems import KINDS, URN
from tests.api import DESCRIPTION
from tests.api_page import ROUTES, Part, part

IDS = [one.title.strip("`") for one in ROUTES]
WITHOUT_EXAMPLE_OF_ANSWER = {"/api/openapi.json", "/api/contracts", "/api/receipts/{id}/history"}
"""The first is long, the second is what the contracts' files say, the last is that of another route."""


def operation(section: Part) -> Any:
    assert section.route
    method, path = section.route
    return DESCRIPTION["paths"][path][method.lower()]


def test_every_route_has_its_part_and_a_row_in_the_table() -> None:
    described = {(method.upper(), path) for path, methods in DESCRIPTION["paths"].items() for method in methods}
    assert {one.route for one in ROUTES} == described
    assert set(re.findall(r"^\| \[`([A-Z]+) (\S+)`\]", part("The API").text, re.MULTILINE)) == described


def test_the_table_names_each_routes_scope() -> None:
    rows = re.findall(r"^\| \[`(.*?)`\]\S* \| (\w+) \|", part("The API").text, re.MULTILINE)
    for section in ROUTES:
        said, found = dict(rows)[section.title.strip("`")], operation(section)
        if found.get("security") == []:
            assert said == "none", section.title
        else:
            scopes = [str(scope) for scope in Scope if found.get("description") == f"For tokens that may {scope}."]
            assert [said] == (scopes or ["any"]), section.title


@pytest.mark.parametrize("section", ROUTES, ids=IDS)
def test_every_route_has_an_example_with_curl_and_one_in_python(section: Part) -> None:
    assert any("curl" in command.text for command in section.commands)
    assert len(section.scripts) == 1
    assert section.status in operation(section)["responses"]
    assert bool(section.answers) == (str((section.route or ("", ""))[1]) not in WITHOUT_EXAMPLE_OF_ANSWER)


@pytest.mark.parametrize("section", ROUTES, ids=IDS)
def test_every_parameter_and_member_is_named(section: Part) -> None:
    wanted = {one["name"] for one in operation(section).get("parameters", []) if one["in"] == "query"}
    if "requestBody" in operation(section):
        wanted |= set(DESCRIPTION["components"]["schemas"]["UploadWish"]["properties"])
    rows = re.findall(r"^\| ([^|]+) \|", section.text, re.MULTILINE)
    assert wanted == {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


@pytest.mark.parametrize("section", ROUTES, ids=IDS)
def test_every_example_of_an_answer_is_as_described(section: Part) -> None:
    schema = operation(section)["responses"][section.status]["content"]["application/json"]["schema"]
    for answer in section.answers:
        jsonschema.Draft202012Validator({**schema, "components": DESCRIPTION["components"]}).validate(answer)


def test_every_kind_of_problem_is_listed_with_its_status() -> None:
    problems = part("Problems")
    rows = re.findall(r"^\| `([\w-]+)` \| (\d{3}) \|", problems.text, re.MULTILINE)
    assert {kind: int(status) for kind, status in rows} == KINDS
    (shown,) = problems.answers
    assert KINDS[shown["type"].removeprefix(URN)] == shown["status"]
