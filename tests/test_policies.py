"""The policies: each function may do what its code does, and nothing else."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.policies import policies, policy_path, write_policies
from infra.stages import ROOT, Stage, load_config, load_stage
from infra.template import LOCAL
from tests.reached import CLIENT, decorated, reach_of

STAGES = sorted(load_config()["stages"])
FUNCTIONS = sorted(load_config()["lambda_functions"])


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
    "get_object": {"s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket"},  # ListBucket: 404, not 403, if gone
    "head_object": {"s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket"},
    "put_object": {"s3:PutObject"},
    "list_objects_v2": {"s3:ListBucket"},
    "list_object_versions": {"s3:ListBucketVersions"},
    "get_bucket_versioning": {"s3:GetBucketVersioning"},
    "put_item": {"dynamodb:PutItem"},
    "transact_write_items": {"dynamodb:PutItem", "dynamodb:UpdateItem"},
    "get_item": {"dynamodb:GetItem"},
    "batch_get_item": {"dynamodb:BatchGetItem"},
    "query": {"dynamodb:Query"},
    "invoke": {"lambda:InvokeFunction"},
    "put_events": {"events:PutEvents"},
    "sign": {"kms:Sign"},
    "verify": {"kms:Verify"},
    "generate_presigned_post": {"s3:PutObject"},  # who sends the form may do what its signer may
}
"""What a client's method needs."""
LOGS = {"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"}
OF_THE_EVENT_SOURCE = {
    "inspect": {"sqs:SendMessage"},  # Lambda sends the dead letters as the function
    "last_resort": {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"},
    "announce": {
        "sqs:SendMessage",  # what it gave up, as above
        *("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"),
    },
}
TAKING_IN = {"DynamoLedger.found", "DynamoLedger.known"}
NAMESAKES: Mapping[str, set[str]] = {
    "inspect": TAKING_IN,  # a budget's and a hypothesis's own
    "last_resort": TAKING_IN,
    # Everything is read where there is no `since`, which this function always gives; the size is a file's own.
    "verify": {"DynamoEvidence.everything", "DynamoEvidence.size"},
    "batch": TAKING_IN,
    "api_handler": {"DynamoNotes.write", "DynamoTokens.add"},  # a stream's and a set's own
}
"""Methods that a function does not call, though it calls others of the same name."""
BY_NAME = {"s3:GetObject", "s3:ListBucket"}
OF_LISTED_VERSIONS = {"seal", "verify"}
"""They read objects by their versions, which a list has named, and by nothing else."""
ANCHORS = {"LockedBucketAnchor": "s3", "KmsAnchor": "kms", "KmsSignatures": "kms"}
"""Which of them a stage has is its own choice, which code does not show."""


def handlers_of(function: str) -> list[tuple[str, str]]:
    """What Lambda calls: a function of app.py's, the API's authorizer, or any of its routes."""
    if function == "api_handler":
        return [("chalicelib.routes", name) for name in decorated("chalicelib.routes", "route", "middleware")]
    return [("chalicelib.routes" if function in decorated("chalicelib.routes", "authorizer") else "app", function)]


def needed_by(function: str, stage: Stage) -> set[str]:
    """The actions that the code of a function can ask for."""
    kind = stage.anchor.partition(":")[0]
    others = {name for name, anchor in ANCHORS.items() if anchor != kind}
    reached = reach_of(handlers_of(function), without=NAMESAKES.get(function, set()) | others)
    needed = {action for call in reached.calls for action in NEEDED[call]}
    return needed - (BY_NAME if function in OF_LISTED_VERSIONS else set())


@pytest.mark.parametrize("name", STAGES)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_may_do_what_its_code_does_and_nothing_else(function: str, name: str) -> None:
    stage = load_stage(name)
    expected = needed_by(function, stage) | LOGS | OF_THE_EVENT_SOURCE.get(function, set())
    allowed = actions(function, stage=stage)
    assert allowed - expected == set(), "the policy allows what no code asks for"
    assert expected - allowed == set(), "the code asks for what the policy does not allow"


@pytest.mark.parametrize(
    ("function", "method"), [(name, each) for name, found in NAMESAKES.items() for each in sorted(found)]
)
def test_a_namesake_is_still_one(function: str, method: str) -> None:
    """Else its exception hides nothing but what is to come."""
    assert method in {place.name for place in reach_of(handlers_of(function)).seen}


def adapters() -> list[str]:
    """The modules that call AWS for any function."""
    places = {place.module for function in FUNCTIONS for place in reach_of(handlers_of(function)).seen}
    return sorted(module for module in places if module.startswith("chalicelib.aws."))


@pytest.mark.parametrize("module", [*adapters(), "chalicelib.wiring"])
def test_a_client_of_aws_is_called_under_the_one_name_that_is_looked_for(module: str) -> None:
    """What makes or takes a client only passes it on, or keeps it as `self._client`."""
    path = ROOT.joinpath(*module.split(".")).with_suffix(".py")
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and node.attr == CLIENT:
            assert ast.unparse(node) == f"self.{CLIENT}"
        elif isinstance(node, ast.Attribute):
            of = node.value.func if isinstance(node.value, ast.Call) else node.value
            assert ast.unparse(of) not in ("client", "boto3.client"), ast.unparse(node)
    assert "getattr" not in path.read_text().replace("getattr(context", "")


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
        "batch": {f"{LOCAL.bucket}/*"},
        "reconcile": {"#reconcile/*"},
        "seal": {"#seals/*", "#page/*", "#rollup/*"},
        "verify": set(),
        "announce": set(),
        "api_handler": set(),
        "authorize": set(),
    }


def test_the_api_may_make_uploads_only_by_the_forms_that_others_send() -> None:
    """The function's own calls are signed in a header, and for these PutObject is denied."""
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
    """A receipt never changes, and no function creates objects in the inbox."""
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
            assert (
                by_alias == [stage.seals_key]
                or statement["Action"] == ["events:PutEvents"]
                or all(any(our in resource for our in ours) for resource in statement["Resource"])
            )
            assert not any(action.endswith(":*") for action in statement["Action"])


def test_announce_may_put_recibos_own_events_and_no_others_on_the_bus_that_stages_share() -> None:
    (putting,) = (one for one in policies(LOCAL)["announce"]["Statement"] if one["Action"] == ["events:PutEvents"])
    assert putting["Condition"]["ForAllValues:StringEquals"]["events:source"] == ["recibo"]
    assert all(resource.endswith(":event-bus/default") for resource in putting["Resource"])


def test_where_a_bucket_is_shared_no_function_reads_or_signs_for_keys_of_others() -> None:
    shared = policies(replace(LOCAL, prefix="incoming/"))
    of_objects = {"s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"}
    allowed = [
        resource
        for document in shared.values()
        for statement in document["Statement"]
        if statement["Effect"] == "Allow" and of_objects & set(statement["Action"])
        for resource in statement["Resource"]
        if "/" in resource and LOCAL.bucket in resource
    ]
    assert set(allowed) == {f"arn:aws:s3:::{LOCAL.bucket}/incoming/*"}


def test_where_a_bucket_is_shared_no_function_lists_the_keys_of_others() -> None:
    listing = {"ListFolders", "ListVersions"}
    shared = [
        statement
        for document in policies(replace(LOCAL, prefix="incoming/")).values()
        for statement in document["Statement"]
        if statement["Sid"] in listing
    ]
    assert len(shared) == 3
    assert all(statement["Condition"] == {"StringLike": {"s3:prefix": "incoming/*"}} for statement in shared)


def test_only_a_stage_that_is_traced_may_write_traces() -> None:
    tracing = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
    for function in FUNCTIONS:
        assert actions(function, stage=replace(LOCAL, is_traced=True)) == actions(function) | tracing
        assert not tracing & actions(function)
