"""The commands of operations: what they refuse, what they say, and what a plan works out. On emulators: tests/e2e."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from chalicelib.findings import Cause
from infra import canary, plan
from infra.canary import BODY, CanaryError, send_canary, sing
from infra.command import command
from infra.deploy import main as deploy_main
from infra.destroy import destroy
from infra.expenses import costs
from infra.plan import function_changes, policy_changes
from infra.policies import policies
from infra.rollback import roll_back
from infra.stages import ROOT, Stage, UsageError, load_config
from infra.state import functions_of
from infra.target import Target
from infra.template import LOCAL
from tests.aws import World, simulated_aws

DEV = replace(LOCAL, name="dev", anchor="")


@dataclass
class Operating:
    """An operator at the simulated AWS; `said` is what was read."""

    world: World
    said: list[str] = field(default_factory=list)
    project: Path = ROOT

    def of(self, stage: Stage = LOCAL) -> Target:
        return Target(stage=stage, project=self.project, endpoint=None, say=self.said.append)


@pytest.fixture
def operating(monkeypatch: pytest.MonkeyPatch) -> Iterator[Operating]:
    with simulated_aws(monkeypatch) as world:
        yield Operating(world=world)


# -- how a mistake is told


def told(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line on the error stream."""
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_a_stage_that_does_not_exist_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert deploy_main(["--stage", "none"]) == 2
    assert told(capsys).startswith("deploy: There is no stage 'none'")


def test_a_profile_that_does_not_exist_is_told_in_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "restored after the test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    work = lambda target, _: len(str(target.client("sts")))  # noqa: E731
    assert command("plan", "a test", work, given=["--stage", "dev", "--profile", "nobodys"]) == 2
    assert told(capsys) == "plan: The config profile (nobodys) could not be found"


# -- the canary


def test_a_canary_that_nobody_inspects_is_told_and_its_file_is_deleted_all_the_same(
    operating: Operating,
) -> None:
    with pytest.raises(CanaryError, match=r"recibo-canary/.* has no receipt of its upload after 0 s: `make logs"):
        send_canary(operating.of(), seconds=0)
    assert "Versions" not in operating.world.s3.list_object_versions(Bucket=LOCAL.bucket)


def test_a_stage_that_does_not_work_ends_the_deployment_with_status_1(
    operating: Operating, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: Target) -> None:
        raise CanaryError("it was heard of no more")

    monkeypatch.setattr(canary, "send_canary", fail)
    assert sing(operating.of()) == 1
    assert told(capsys) == "canary: it was heard of no more."


SUNG = {"status": "succeeded", "sha256": hashlib.sha256(BODY).hexdigest()}


@pytest.mark.parametrize("wrong", [{"sha256": "0" * 64}, {"cause": Cause.SYSTEM, "status": "failed"}])
def test_a_receipt_that_is_not_of_the_canarys_bytes_is_told(wrong: dict[str, Any]) -> None:
    with pytest.raises(CanaryError, match="is not of what was uploaded"):
        canary._check(SUNG | wrong, "a key")


@pytest.mark.parametrize("right", [{}, {"cause": Cause.CONTENT, "status": "failed"}])
def test_a_contract_may_find_fault_with_the_canary(right: dict[str, Any]) -> None:
    canary._check(SUNG | right, "a key")


def test_a_bucket_that_takes_no_upload_of_the_operators_is_told(operating: Operating) -> None:
    with pytest.raises(CanaryError, match=r"could not be uploaded to gone: .*NoSuchBucket"):
        send_canary(operating.of(replace(LOCAL, bucket="gone")))


# -- destroy and rollback


@pytest.mark.parametrize("given", ["prod", "DEV", "yes"])
def test_data_is_deleted_only_if_the_stages_own_name_is_repeated(given: str) -> None:
    target = Target(stage=DEV, project=ROOT, endpoint="http://nobody.invalid", say=print)
    with pytest.raises(UsageError, match=f"Nothing was destroyed: .*'{given}' was given"):
        destroy(target, delete_data=given)


@pytest.fixture
def repository(operating: Operating, tmp_path: Path) -> Path:
    """A project with one commit, in which its stages had another bucket."""
    config = json.loads((ROOT / ".chalice" / "config.json").read_text())
    config["stages"]["local"]["environment_variables"]["RECIBO_BUCKET"] = "earlier"
    (tmp_path / ".chalice").mkdir()
    (tmp_path / "infra").mkdir()
    (tmp_path / "infra" / "template.yaml").write_text("")
    (tmp_path / ".chalice" / "config.json").write_text(json.dumps(config))
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    _commit(tmp_path)
    operating.project = tmp_path
    return tmp_path


def _commit(project: Path) -> None:
    who = ["-c", "user.name=tests", "-c", "user.email=tests@example.com"]
    for arguments in (["add", "--all"], [*who, "commit", "--quiet", "--message", "one"]):
        subprocess.run(["git", *arguments], cwd=project, check=True)


@pytest.mark.usefixtures("repository")
def test_a_commit_that_there_is_not_is_told_in_a_sentence(operating: Operating) -> None:
    with pytest.raises(UsageError, match=r"git does not have that commit: .*v9"):
        roll_back(operating.of(), "v9")


def test_a_rollback_to_nowhere_is_asked_where_to(operating: Operating) -> None:
    with pytest.raises(UsageError, match="make rollback STAGE=local TO="):
        roll_back(operating.of(), "")


@pytest.mark.usefixtures("repository")
def test_functions_of_another_bucket_are_not_brought_back(operating: Operating) -> None:
    with pytest.raises(UsageError, match=r"At HEAD the stage local had other names \(bucket 'earlier'\)"):
        roll_back(operating.of(), "HEAD")


def test_a_commit_with_other_functions_is_not_brought_back_in_part(operating: Operating, repository: Path) -> None:
    path = repository / ".chalice" / "config.json"
    now = json.loads((ROOT / ".chalice" / "config.json").read_text())
    path.write_text(json.dumps(now | {"lambda_functions": {"inspect": {}}}))
    _commit(repository)
    path.write_text(json.dumps(now))
    with pytest.raises(UsageError, match=r"At HEAD there were other functions \(.*seal.*\): check it out"):
        roll_back(operating.of(), "HEAD")


# -- the plan


def deployed(name: str, **more: Any) -> dict[str, Any]:
    """A function as Lambda describes it, deployed as the configuration says."""
    config = load_config()
    wanted, stage = config["lambda_functions"][name], config["stages"]["local"]
    return {
        "CodeSha256": "same",
        "Runtime": "python{}.{}".format(*sys.version_info),
        "MemorySize": wanted["lambda_memory_size"],
        "Timeout": wanted["lambda_timeout"],
        "Architectures": ["x86_64"],
        "Environment": {"Variables": stage["environment_variables"]},
    } | more


def planned(monkeypatch: pytest.MonkeyPatch, functions: dict[str, dict[str, Any]]) -> list[str]:
    monkeypatch.setattr(plan, "deployed_fingerprint", lambda _: None)
    monkeypatch.setattr(plan, "functions_of", lambda _: functions)
    monkeypatch.setattr(plan, "_sha256", lambda _: "same")
    return list(function_changes(Target(stage=LOCAL, project=ROOT, endpoint=None, say=print)))


def test_functions_as_they_are_wanted_are_not_in_the_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    assert planned(monkeypatch, {name: deployed(name) for name in policies(LOCAL)}) == []


def test_the_plan_says_what_changes_of_which_function(monkeypatch: pytest.MonkeyPatch) -> None:
    functions = {name: deployed(name) for name in policies(LOCAL)}
    functions["inspect"] = deployed("inspect", CodeSha256="other", MemorySize=128, Environment={})
    functions["old"] = deployed("seal")
    del functions["seal"]
    lines = planned(monkeypatch, functions)
    (modified,) = (line for line in lines if line.startswith("modify"))
    assert modified.startswith("modify  inspect: code, memory 128 → 1769, environment (RECIBO_ANCHOR, RECIBO_BUCKET")
    assert "add     seal" in lines
    assert "remove  old" in lines


def test_the_plan_shows_the_lines_by_which_a_policy_differs(operating: Operating) -> None:
    iam = boto3.client("iam")
    for name, document in policies(LOCAL).items():
        role = LOCAL.function(name)
        iam.create_role(RoleName=role, AssumeRolePolicyDocument="{}")
        iam.put_role_policy(RoleName=role, PolicyName=role, PolicyDocument=json.dumps(document))
    assert list(policy_changes(operating.of())) == []
    lines = list(policy_changes(operating.of(replace(LOCAL, prefix="incoming/"))))
    assert "modify  inspect" in lines
    assert f'  -    "arn:aws:s3:::{LOCAL.bucket}/*"' in lines
    assert f'  +    "arn:aws:s3:::{LOCAL.bucket}/incoming/*"' in lines


def test_the_plan_of_a_new_stage_adds_a_policy_for_every_function(operating: Operating) -> None:
    lines = list(policy_changes(operating.of(DEV)))
    assert [line.split()[1].rstrip(":") for line in lines] == list(policies(DEV))


def test_a_replacement_is_not_overlooked() -> None:
    resource = {"Action": "Modify", "ResourceType": "AWS::SQS::Queue", "LogicalResourceId": "Q", "Replacement": "True"}
    assert plan._change(resource).endswith("Q (REPLACED: another one takes its place)")


def test_the_costs_are_of_what_the_stack_has_and_of_a_million_files() -> None:
    fixed, files, _ = costs({"AWS::KMS::Key": 1, "AWS::CloudWatch::Alarm": 10, "AWS::S3::Bucket": 1}, load_config())
    assert fixed == "$2.00 a month with no file at all (1 key at $1.00, 10 alarms at $0.10)"
    assert files.startswith("$5.")
    assert next(costs({}, load_config())) == "$0.00 a month with no file at all"


# -- what is deployed


def test_the_functions_of_a_stage_whose_name_begins_alike_are_not_its_own(
    operating: Operating, monkeypatch: pytest.MonkeyPatch
) -> None:
    tags = {f"recibo-{stage}-inspect": f"version=1:stage={stage}:app=recibo" for stage in ("dev", "dev-2")}

    class Functions:
        def get_paginator(self, _: str) -> Functions:
            return self

        def paginate(self) -> list[dict[str, Any]]:
            return [{"Functions": [{"FunctionName": name, "FunctionArn": name} for name in tags]}]

        def list_tags(self, Resource: str) -> dict[str, Any]:
            return {"Tags": {"aws-chalice": tags[Resource]}}

    monkeypatch.setattr(Target, "client", lambda *_: Functions())
    assert list(functions_of(operating.of(DEV))) == ["inspect"]
    assert list(functions_of(operating.of(replace(DEV, name="dev-2")))) == ["inspect"]
