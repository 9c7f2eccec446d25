"""The policies: each function may do what its code does, and nothing else."""

from __future__ import annotations

import ast
import inspect
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chalicelib.aws.anchors import KmsAnchor, LockedBucketAnchor
from chalicelib.aws.folders import S3Folders
from chalicelib.aws.forms import S3Forms
from chalicelib.aws.inbox import S3Inbox
from chalicelib.aws.inspections import LambdaInspections
from chalicelib.aws.ledger import DynamoLedger
from chalicelib.aws.lists import DynamoLists
from chalicelib.aws.notes import DynamoNotes
from chalicelib.aws.pages import DynamoPages
from chalicelib.aws.seals import DynamoSeals
from chalicelib.aws.signatures import KmsSignatures
from chalicelib.aws.tokens import DynamoTokens
from chalicelib.aws.versions import S3Versions
from chalicelib.sealing import SealStore
from infra.policies import policies, policy_path, write_policies
from infra.stages import ROOT, Stage, load_config, load_stage
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


def actions(function: str, effect: str = "Allow", stage: Stage = LOCAL) -> set[str]:
    statements = policies(stage)[function]["Statement"]
    return {action for statement in statements if statement["Effect"] == effect for action in statement["Action"]}


NEEDED = {
    "s3.get_object": {"s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket"},  # ListBucket: 404, not 403, if gone
    "s3.put_object": {"s3:PutObject"},
    "s3.list_objects_v2": {"s3:ListBucket"},
    "s3.list_object_versions": {"s3:ListBucketVersions"},
    "s3.get_bucket_versioning": {"s3:GetBucketVersioning"},
    "dynamodb.put_item": {"dynamodb:PutItem"},
    "dynamodb.transact_write_items": {"dynamodb:PutItem", "dynamodb:UpdateItem"},
    "dynamodb.get_item": {"dynamodb:GetItem"},
    "dynamodb.batch_get_item": {"dynamodb:BatchGetItem"},
    "dynamodb.query": {"dynamodb:Query"},
    "lambda.invoke": {"lambda:InvokeFunction"},
    "kms.sign": {"kms:Sign"},
    "kms.verify": {"kms:Verify"},
    "s3.generate_presigned_post": {"s3:PutObject"},  # who sends the form may do what its signer may
}
LOGS = {"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"}
OF_THE_EVENT_SOURCE = {
    "inspect": {"sqs:SendMessage"},  # Lambda sends the dead letters as the function
    "last_resort": {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"},
}
TAKING_IN = {S3Inbox: ("s3", ["open"]), DynamoLedger: ("dynamodb", ["record", "mark"])}
SEALING = {
    DynamoSeals: ("dynamodb", [name for name in vars(SealStore) if not name.startswith("_") and name != "rollups"])
}
ANCHORING = ("sign", "keep", "vouches_for", "holds", "kept")
READING = {
    DynamoPages: ("dynamodb", ["entries", "details"]),
    DynamoLists: ("dynamodb", ["history", "due", "newest"]),
    DynamoLedger: ("dynamodb", ["current", "found"]),
    DynamoSeals: ("dynamodb", ["last", "seals", "rollups"]),
    DynamoNotes: ("dynamodb", ["read"]),
    DynamoTokens: ("dynamodb", ["get"]),
    LambdaInspections: ("lambda", ["request"]),
    S3Forms: ("s3", ["form", "origin"]),
    S3Folders: ("s3", ["below"]),
}
REACHED: dict[tuple[str, str], dict[type, tuple[str, list[str]]]] = {
    ("inspect", "local"): TAKING_IN,
    ("last_resort", "local"): TAKING_IN,
    ("reconcile", "local"): {
        S3Versions: ("s3", ["pages", "is_versioned"]),
        DynamoLedger: ("dynamodb", ["known", "current"]),
        DynamoLists: ("dynamodb", ["due"]),
        LambdaInspections: ("lambda", ["request"]),
        DynamoNotes: ("dynamodb", ["read", "write"]),
    },
    ("seal", "local"): SEALING | {LockedBucketAnchor: ("s3", [*ANCHORING])},
    ("seal", "dev"): SEALING | {KmsAnchor: ("kms", [*ANCHORING]), KmsSignatures: ("kms", ["signer"])},
    ("api_handler", "local"): READING,
    ("authorize", "local"): {DynamoTokens: ("dynamodb", ["get"])},
}
"""The methods of its ports that each function can reach, by the class that implements them and its service."""


def calls_of(implementation: type, service: str, entries: list[str]) -> set[str]:
    """The client's methods that these methods call, themselves or through others of the class."""
    tree = ast.parse(inspect.getsource(sys.modules[implementation.__module__]))
    (found,) = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == implementation.__name__)
    methods = {node.name: node for node in found.body if isinstance(node, ast.FunctionDef)}
    reached, waiting = set[str](), [name for name in entries if name in methods]
    while waiting:
        mentioned = set(_mentioned(methods[waiting.pop()]))
        waiting += [name for name in mentioned & methods.keys() if name not in reached]
        reached |= mentioned
    return {f"{service}.{name.removeprefix('_client.')}" for name in reached if name.startswith("_client.")}


def _mentioned(method: ast.FunctionDef) -> Iterator[str]:
    """What follows `self.` in a method; a paginator counts as the call it makes."""
    code = re.sub(r"self\._client\.get_paginator\('(\w+)'\)", r"self._client.\1", ast.unparse(method))
    return (found[1] for found in re.finditer(r"self\.((?:_client\.)?\w+)", code))


@pytest.mark.parametrize(("function", "stage"), REACHED)
def test_a_function_may_do_what_its_code_does_and_nothing_else(function: str, stage: str) -> None:
    reached = REACHED[function, stage]
    called = {
        call
        for implementation, (service, entries) in reached.items()
        for call in calls_of(implementation, service, entries)
    }
    needed = {action for call in called for action in NEEDED[call]}
    assert actions(function, stage=load_stage(stage)) == needed | LOGS | OF_THE_EVENT_SOURCE.get(function, set())


def test_every_function_is_compared_with_its_code() -> None:
    assert {function for function, _ in REACHED} == policies(LOCAL).keys()


def test_each_function_writes_only_its_own_kind_of_items() -> None:
    """The partition keys of receipts begin with the bucket, all others with a `#`, which no bucket's name has."""
    written = {}
    for function, document in policies(LOCAL).items():
        puts = [
            one for one in document["Statement"] if one["Effect"] == "Allow" and "dynamodb:PutItem" in one["Action"]
        ]
        written[function] = {
            key for put in puts for key in put["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
        }
    assert written == {
        "inspect": {f"{LOCAL.bucket}/*"},
        "last_resort": {f"{LOCAL.bucket}/*"},
        "reconcile": {"#reconcile/*"},
        "seal": {"#seals/*", "#page/*", "#rollup/*"},
        "api_handler": set(),
        "authorize": set(),
    }


def test_the_api_may_make_uploads_only_by_the_forms_that_others_send() -> None:
    """Law 11: the function's own calls are signed in a header, and for these PutObject is denied."""
    statements = {one["Sid"]: one for one in policies(LOCAL)["api_handler"]["Statement"]}
    assert statements["SignForms"]["Condition"] == {"StringEquals": {"s3:authType": "POST"}}
    assert statements["NeverUpload"]["Condition"] == {"StringNotEquals": {"s3:authType": "POST"}}
    assert statements["SignForms"]["Resource"] == statements["NeverUpload"]["Resource"]


def test_the_api_reads_no_kind_of_item_that_it_has_no_use_for() -> None:
    (reading,) = (one for one in policies(LOCAL)["api_handler"]["Statement"] if one["Sid"] == "ReadTheLedger")
    keys = reading["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
    assert keys == [f"{LOCAL.bucket}/*", "#seals/*", "#rollup/*", "#reconcile/*", "#tokens"]


@pytest.mark.parametrize("function", policies(LOCAL))
def test_no_function_may_delete_a_receipt_or_make_an_upload(function: str) -> None:
    """Laws 4 and 11."""
    denied = actions(function, "Deny")
    assert {"dynamodb:DeleteItem", "dynamodb:BatchWriteItem", "dynamodb:PartiQLDelete"} <= denied
    assert {"s3:PutObject", "s3:DeleteObject*"} <= denied


@pytest.mark.parametrize("name", STAGES)
def test_no_policy_reaches_beyond_its_stage(name: str) -> None:
    stage = load_stage(name)
    ours = (stage.bucket, stage.table, stage.dead_letters, f"{stage.app_name}-{stage.name}", stage.seals_bucket or "-")
    for document in policies(stage).values():
        for statement in document["Statement"]:
            by_alias = statement.get("Condition", {}).get("ForAnyValue:StringEquals", {}).get("kms:ResourceAliases")
            assert by_alias == [stage.seals_key] or all(
                any(our in resource for our in ours) for resource in statement["Resource"]
            )
            assert not any(action.endswith(":*") for action in statement["Action"])
