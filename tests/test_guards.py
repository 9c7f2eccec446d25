"""What a stage can add to its guard, and that nothing in the template is open, in plain text or for ever."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.guards import Guards, guards_of
from infra.logs import set_retentions
from infra.policies import policies
from infra.stages import ROOT, Stage, UsageError, load_config, load_stage
from infra.target import Target
from infra.template import template

RESOURCES: dict[str, Any] = template()["Resources"]
ROLE = "arn:aws:iam::123456789012:role/partner"
USER = "arn:aws:iam::123456789012:user/feeds/acme"


def of_type(kind: str) -> dict[str, Any]:
    found = {name: resource for name, resource in RESOURCES.items() if resource["Type"] == kind}
    assert found
    return found


# -- a stage's choices


def test_a_stage_that_chooses_nothing_has_no_guards_of_its_own() -> None:
    assert guards_of({}) == Guards()
    assert set(guards_of({}).parameters.values()) == {""}


def test_a_stages_choices_are_the_stacks_parameters() -> None:
    variables = {
        "RECIBO_UPLOADERS": f"{ROLE}, {USER}",
        "RECIBO_DATA_KEY": "kms:alias/recibo-data",
        "RECIBO_ACCESS_LOGS": "acme-access-logs",
    }
    parameters = guards_of(variables).parameters
    assert parameters == {
        "UploaderPrincipals": f"{ROLE},{USER}",
        "DataKeyAlias": "alias/recibo-data",
        "AccessLogBucketName": "acme-access-logs",
    }
    assert parameters.keys() <= template()["Parameters"].keys()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("RECIBO_UPLOADERS", "*"),
        ("RECIBO_UPLOADERS", "arn:aws:iam::123456789012:root"),
        ("RECIBO_UPLOADERS", f"{ROLE}, partner"),
        ("RECIBO_UPLOADERS", "arn:aws:iam::123456789012:role/*"),
        ("RECIBO_DATA_KEY", "alias/recibo-data"),
        ("RECIBO_DATA_KEY", "kms:1234abcd"),
        ("RECIBO_ACCESS_LOGS", "s3://logs"),
        ("RECIBO_ACCESS_LOGS", "Logs"),
    ],
)
def test_a_choice_that_is_not_right_is_told_by_its_name(variable: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"^{variable} .*(write|leave)"):
        guards_of({variable: value})


def test_a_bucket_that_is_adopted_keeps_its_own_policy(tmp_path: Path) -> None:
    """To say beside it that only some may upload would be a promise that nothing keeps."""
    with pytest.raises(UsageError, match="leave one of the two out"):
        stage_with(tmp_path, RECIBO_ADOPT_BUCKET="true", RECIBO_UPLOADERS=ROLE)


def test_the_inbox_does_not_take_its_own_logs(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="name another bucket"):
        stage_with(tmp_path, RECIBO_ACCESS_LOGS=load_stage("local").bucket)


def stage_with(tmp_path: Path, **variables: str) -> Stage:
    config = load_config()
    config["stages"]["local"]["environment_variables"] |= variables
    (tmp_path / ".chalice").mkdir()
    (tmp_path / ".chalice" / "config.json").write_text(json.dumps(config))
    return load_stage("local", tmp_path)


# -- encryption


def test_everything_that_is_kept_is_encrypted_by_the_stages_key_or_one_of_awss() -> None:
    """`!If [HasDataKey, …]`: the first is with a key of the stage's own."""
    own = {"Fn::GetAtt": ["DataKey", "Arn"]}
    (ledger,) = of_type("AWS::DynamoDB::Table").values()
    condition, with_key, without = ledger["Properties"]["SSESpecification"]["Fn::If"]
    assert (condition, without) == ("HasDataKey", {"SSEEnabled": True})
    assert with_key == {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": own}
    for name, queue in of_type("AWS::SQS::Queue").items():
        assert queue["Properties"]["KmsMasterKeyId"]["Fn::If"][:2] == ["HasDataKey", own], name
        assert queue["Properties"]["SqsManagedSseEnabled"]["Fn::If"][2] is True, name
    inbox = RESOURCES["Inbox"]["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]["Fn::If"]
    assert inbox[1]["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": own}
    for name, bucket in of_type("AWS::S3::Bucket").items():
        (rule,) = bucket["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert "SSEAlgorithm" in json.dumps(rule), name


def test_a_key_that_encrypts_is_rotated_and_never_goes_with_its_stack() -> None:
    for name, key in of_type("AWS::KMS::Key").items():
        assert key["DeletionPolicy"] == key["UpdateReplacePolicy"] == "Retain", name
        assert key["Properties"].get("EnableKeyRotation") or key["Properties"]["KeyUsage"] == "SIGN_VERIFY", name


# -- what policies of resources say


def statements() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each statement of a resource's policy, those of a stage's choice included."""
    for name, resource in RESOURCES.items():
        document = resource["Properties"].get("PolicyDocument") or resource["Properties"].get("KeyPolicy")
        for statement in (document or {}).get("Statement", ()):
            yield name, statement["Fn::If"][1] if "Fn::If" in statement else statement


def test_every_bucket_refuses_what_is_not_encrypted_on_its_way() -> None:
    refusing = {name for name, each in statements() if each["Sid"] == "TlsOnly" and each["Effect"] == "Deny"}
    policies = {name for name, each in of_type("AWS::S3::BucketPolicy").items()}
    assert refusing == policies
    guarded = {each["Properties"]["Bucket"]["Ref"] for each in of_type("AWS::S3::BucketPolicy").values()}
    assert guarded == of_type("AWS::S3::Bucket").keys()


def test_nothing_is_allowed_to_everybody() -> None:
    """But the use of a key, through services that know who is asking, within the account."""
    for name, each in statements():
        everybody = each["Principal"] in ("*", {"AWS": "*"})
        conditions = each.get("Condition", {}).get("StringEquals", {})
        assert (
            each["Effect"] == "Deny" or not everybody or {"kms:CallerAccount", "kms:ViaService"} <= conditions.keys()
        ), name


def test_no_resource_is_a_wildcard_but_a_key_in_its_own_policy() -> None:
    for name, each in statements():
        assert each["Resource"] != "*" or RESOURCES[name]["Type"] == "AWS::KMS::Key", name


def test_who_is_denied_uploads_is_everybody_but_the_uploaders_and_the_signer_of_forms() -> None:
    (denied,) = (each for _, each in statements() if each["Sid"] == "NobodyElseUploads")
    (allowed,) = (each for _, each in statements() if each["Sid"] == "TheseMayUpload")
    uploaders = {"Ref": "UploaderPrincipals"}
    assert allowed["Principal"] == {"AWS": uploaders}
    assert denied["Condition"]["ArnNotLike"] == {"aws:PrincipalArn": uploaders}
    signer = denied["Condition"]["ArnNotEquals"]["aws:PrincipalArn"]["Fn::Sub"]
    assert signer.endswith("role/${AWS::StackName}-api_handler"), "as Chalice names the role"


# -- logs


def test_no_functions_name_begins_with_anothers() -> None:
    """Chalice looks for a log group by how its name begins: it would take the other's for it, and fail."""
    names = sorted(load_config()["lambda_functions"])
    assert [(one, other) for one, other in itertools.pairwise(names) if other.startswith(one)] == []


class Logs:
    """CloudWatch, where Lambda has made the group of the API already."""

    def __init__(self, *groups: str) -> None:
        self.kept: dict[str, int | None] = dict.fromkeys(groups)

    def create_log_group(self, *, logGroupName: str) -> None:
        if logGroupName in self.kept:
            raise ClientError({"Error": {"Code": "ResourceAlreadyExistsException"}}, "CreateLogGroup")
        self.kept[logGroupName] = None

    def put_retention_policy(self, *, logGroupName: str, retentionInDays: int) -> None:
        self.kept[logGroupName] = retentionInDays


@pytest.mark.parametrize("stage", sorted(load_config()["stages"]))
def test_every_functions_log_has_an_end_whoever_made_its_group(stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    target, logs = (
        Target(stage=load_stage(stage), project=ROOT, endpoint=None, say=print),
        Logs(f"/aws/lambda/recibo-{stage}"),
    )
    monkeypatch.setattr(Target, "client", lambda *_: logs)
    set_retentions(target)
    named = {
        resource.removesuffix(":*") for each in policies(target.stage).values() for resource in log_resources(each)
    }
    assert {f"arn:aws:logs:*:*:log-group:{name}" for name in logs.kept} == named, "the groups that the policies name"
    assert set(logs.kept.values()) == {load_config()["log_retention_in_days"]}


def log_resources(policy: dict[str, Any]) -> list[str]:
    (found,) = (each["Resource"] for each in policy["Statement"] if each["Sid"] == "WriteLogs")
    return list(found)
