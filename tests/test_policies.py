"""The policies: each function may do what its code does, and nothing else."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.policies import policies, policy_path, write_policies
from infra.stages import ROOT, load_config, load_stage
from infra.template import LOCAL

STAGES = sorted(load_config()["stages"])


def functions_of(stage: str) -> dict[str, Any]:
    found: dict[str, Any] = load_config()["stages"][stage]["lambda_functions"]
    return found


# -- the policies


@pytest.mark.parametrize("name", STAGES)
def test_the_policies_in_the_repository_are_those_the_code_makes(name: str) -> None:
    stage = load_stage(name)
    for function, document in policies(stage).items():
        assert json.loads(policy_path(stage, function).read_text()) == document, "run: python -m infra.policies"


@pytest.mark.parametrize("name", STAGES)
def test_chalice_finds_a_policy_for_every_function(name: str) -> None:
    named = {
        function: ROOT / ".chalice" / setting["iam_policy_file"] for function, setting in functions_of(name).items()
    }
    assert named == {function: policy_path(load_stage(name), function) for function in policies(load_stage(name))}
    assert all(path.exists() for path in named.values())
    assert named.keys() == load_config()["lambda_functions"].keys()


def test_policies_are_written_only_where_they_change(tmp_path: Path) -> None:
    (tmp_path / ".chalice").mkdir()
    assert len(write_policies(LOCAL, tmp_path)) == len(policies(LOCAL))
    assert write_policies(LOCAL, tmp_path) == []


def actions(function: str, effect: str = "Allow") -> set[str]:
    statements = policies(LOCAL)[function]["Statement"]
    return {action for statement in statements if statement["Effect"] == effect for action in statement["Action"]}


NEEDED = {
    "get_object": {
        "s3:GetObject",
        "s3:GetObjectVersion",
        "s3:ListBucket",
    },  # ListBucket: 404, not 403, for what is gone
    "put_item": {"dynamodb:PutItem"},
}
LOGS = {"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"}
OF_THE_EVENT_SOURCE = {
    "inspect": {"sqs:SendMessage"},  # Lambda sends the dead letters as the function
    "last_resort": {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"},
}
PORTS = {"inbox": ("S3Inbox", ["open"]), "ledger": ("DynamoLedger", ["record", "mark"])}
"""The methods of intake.py's ports, by the module that implements them: all that the functions can reach."""


def calls_of_aws(module: str) -> set[str]:
    """The client's methods that the module's port methods call, themselves or through others of the class."""
    name, entries = PORTS[module]
    tree = ast.parse((ROOT / "chalicelib" / "aws" / f"{module}.py").read_text())
    (found,) = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)
    methods = {node.name: node for node in found.body if isinstance(node, ast.FunctionDef)}
    reached, waiting = set[str](), list(entries)
    while waiting:
        mentioned = set(_mentioned(methods[waiting.pop()]))
        waiting += [name for name in mentioned & methods.keys() if name not in reached]
        reached |= mentioned
    return {name.removeprefix("_client.") for name in reached if name.startswith("_client.")}


def _mentioned(method: ast.FunctionDef) -> Iterator[str]:
    """What follows `self.` in a method."""
    return (found[1] for found in re.finditer(r"self\.((?:_client\.)?\w+)", ast.unparse(method)))


@pytest.mark.parametrize("function", ["inspect", "last_resort"])
def test_a_function_may_do_what_its_code_does_and_nothing_else(function: str) -> None:
    called = {call for module in PORTS for call in calls_of_aws(module)}
    needed = {action for call in called for action in NEEDED[call]}
    assert actions(function) == needed | LOGS | OF_THE_EVENT_SOURCE[function]


def test_the_api_may_do_nothing_but_log() -> None:
    assert actions("api_handler") == LOGS


@pytest.mark.parametrize("function", policies(LOCAL))
def test_no_function_may_delete_a_receipt_or_make_an_upload(function: str) -> None:
    """Laws 4 and 11."""
    denied = actions(function, "Deny")
    assert {"dynamodb:DeleteItem", "dynamodb:BatchWriteItem", "dynamodb:PartiQLDelete"} <= denied
    assert {"s3:PutObject", "s3:DeleteObject*"} <= denied


@pytest.mark.parametrize("name", STAGES)
def test_no_policy_reaches_beyond_its_stage(name: str) -> None:
    stage = load_stage(name)
    ours = (stage.bucket, stage.table, stage.dead_letters, f"{stage.app_name}-{stage.name}")
    for document in policies(stage).values():
        for statement in document["Statement"]:
            assert all(any(our in resource for our in ours) for resource in statement["Resource"])
            assert not any(action.endswith(":*") for action in statement["Action"])
