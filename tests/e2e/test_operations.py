"""A stage in an operator's hands: a bucket of somebody else's adopted, a plan, a canary, a rollback, its end."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from cli.surroundings import Surroundings
from docs.shell import project_copy
from infra import watch
from infra.canary import FOLDER, MARK, send_canary
from infra.deploy import run
from infra.destroy import destroy
from infra.package import build_zip
from infra.plan import plan
from infra.policies import write_policies
from infra.rollback import roll_back
from infra.stack import deploy_stack, find_stack
from infra.stages import UsageError, load_stage
from infra.state import deployed_resources, functions_of, state_path
from infra.target import Target
from tests.e2e.staging import TICK, Staged
from tests.e2e.waiting import history, receipt
from tests.test_watch import ALARMS

pytestmark = pytest.mark.e2e

STAGE = "adopting"
STEADY = (f"stack recibo-{STAGE}", f"stack recibo-{STAGE}-watch", "functions", "policies")
EARLIER = "# a line of an earlier commit\n"
CSV = b"id,name\n1,Ana\n"
VARIABLES = {"RECIBO_PREFIX": "incoming/", "RECIBO_ADOPT_BUCKET": "true", "RECIBO_ANCHOR": ""}


@dataclass
class Operated:
    """The stage; what was in the bucket before it, and what the operator has read."""

    staged: Staged
    target: Target
    before: dict[str, str]
    said: list[str] = field(default_factory=list)

    @property
    def aws(self) -> Surroundings:
        return self.staged.aws

    @property
    def code(self) -> str:
        """What Lambda says of the code that inspects."""
        name = self.aws.stage.function("inspect")
        return str(self.aws.client("lambda").get_function_configuration(FunctionName=name)["CodeSha256"])

    def heard(self) -> str:
        """What was said since this was asked the last time."""
        said = "\n".join(self.said)
        self.said.clear()
        return said


@pytest.fixture(scope="module")
def operated(aws: Surroundings) -> Iterator[Operated]:
    """Beside the stage `local`: the stage that adopts a bucket in which there are files, and a queue that is told."""
    with project_copy() as project:
        _add_stage(project)
        stage = load_stage(STAGE, project)
        write_policies(stage, project)
        with _with_line(project / "app.py", EARLIER):
            _commit(project)
        _commit(project)
        adopting = Surroundings(stage=stage, endpoint=aws.endpoint)
        before = _bucket_of_others(adopting)
        said: list[str] = []
        target = Target(stage=stage, project=project, endpoint=aws.endpoint, say=said.append)
        run(target)
        yield Operated(staged=Staged(aws=adopting, project=project), target=target, before=before, said=said)


def _add_stage(project: Path) -> None:
    path = project / ".chalice" / "config.json"
    config = json.loads(path.read_text())
    stage = json.loads(json.dumps(config["stages"]["local"]).replace("-local", f"-{STAGE}"))
    stage["environment_variables"].update(VARIABLES)
    config["stages"][STAGE] = stage
    path.write_text(json.dumps(config))


@contextmanager
def _with_line(path: Path, line: str) -> Iterator[None]:
    """The file has one line more, for as long as the block lasts."""
    text = path.read_text()
    path.write_text(text + line)
    yield
    path.write_text(text)


def _commit(project: Path) -> None:
    who = ["-c", "user.name=tests", "-c", "user.email=tests@example.com"]
    for arguments in (["init", "--quiet"], ["add", "--all"], [*who, "commit", "--quiet", "--message", "one more"]):
        subprocess.run(["git", *arguments], cwd=project, check=True)


def _bucket_of_others(aws: Surroundings) -> dict[str, str]:
    """The versions in it, by their keys."""
    s3, bucket = aws.client("s3"), aws.stage.bucket
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    arn = _queue_of_others(aws)
    rule = {"Key": {"FilterRules": [{"Name": "prefix", "Value": "theirs/"}]}}
    told = {"Id": "theirs", "QueueArn": arn, "Events": ["s3:ObjectCreated:*"], "Filter": rule}
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [told]})
    keys = ("incoming/old.csv", "theirs/old.csv")
    return {key: s3.put_object(Bucket=bucket, Key=key, Body=CSV)["VersionId"] for key in keys}


def _queue_of_others(aws: Surroundings) -> str:
    """A queue that S3 may send to; its ARN."""
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName="theirs")["QueueUrl"]
    arn: str = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sending = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = {"Version": "2012-10-17", "Statement": [sending | {"Resource": arn}]}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    return arn


def notifications(aws: Surroundings) -> dict[str, Any]:
    found = aws.client("s3").get_bucket_notification_configuration(Bucket=aws.stage.bucket)
    return {name: told for name, told in found.items() if name.endswith("Configurations")}


def versions(aws: Surroundings) -> dict[str, str]:
    found = aws.client("s3").list_object_versions(Bucket=aws.stage.bucket).get("Versions", [])
    return {one["Key"]: one["VersionId"] for one in found}


# -- adopting


def test_an_adopted_bucket_goes_on_telling_whom_it_told(operated: Operated) -> None:
    told = notifications(operated.aws)
    (theirs,), (ours,) = told["QueueConfigurations"], told["LambdaFunctionConfigurations"]
    assert theirs["QueueArn"].endswith(":theirs")
    assert ours["LambdaFunctionArn"].endswith(operated.aws.stage.function("inspect"))
    assert [rule["Value"] for rule in ours["Filter"]["Key"]["FilterRules"]] == ["incoming/"]
    resources = operated.aws.client("cloudformation").describe_stack_resources(StackName=operated.aws.stage.stack)
    assert "AWS::S3::Bucket" not in {one["ResourceType"] for one in resources["StackResources"]}


def test_only_keys_of_its_own_are_inspected_in_an_adopted_bucket(operated: Operated, aws: Surroundings) -> None:
    s3, bucket = operated.aws.client("s3"), operated.aws.stage.bucket
    s3.put_object(Bucket=bucket, Key="theirs/new.csv", Body=CSV)
    s3.put_object(Bucket=bucket, Key="incoming/new.csv", Body=CSV)
    assert receipt(operated.aws, "incoming/new.csv")["status"] == "succeeded"
    assert operated.aws.lists.history(bucket, "theirs/new.csv", limit=10) == []
    assert list(aws.lists.history(bucket, "incoming/new.csv", limit=10)) == [], "the stage beside it has recorded it"


def test_what_was_there_before_is_inspected_by_one_command_and_nothing_of_others(operated: Operated) -> None:
    operated.staged.invoke("reconcile", TICK)  # its policy lets it list what is below the prefix
    (done,) = operated.staged.lines("reconcile")
    assert done["missing"] >= 1
    assert receipt(operated.aws, "incoming/old.csv")["status"] == "succeeded"
    assert operated.aws.lists.history(operated.aws.stage.bucket, "theirs/old.csv", limit=10) == []
    assert operated.before.items() <= versions(operated.aws).items()


# -- before and after


def test_the_canary_is_recorded_and_known_by_its_key_and_its_metadata_and_its_file_is_gone(
    operated: Operated,
) -> None:
    send_canary(operated.target)
    key = operated.heard().rpartition("canary: ")[2].split()[0]
    assert key.startswith(f"incoming/{FOLDER}")
    upload = next(one for one in history(operated.aws, key, entries=2) if one["kind"] == "upload")
    assert operated.aws.ledger.whole(upload)["metadata"] == {MARK: "true"}
    assert key not in versions(operated.aws)


def test_a_plan_says_what_would_change_and_changes_nothing(operated: Operated) -> None:
    functions = functions_of(operated.target)
    plan(operated.target)
    said = operated.heard()
    assert all(f"{what}: no change" in said for what in STEADY)
    assert "for a million files" in said
    assert f"{len(ALARMS)} alarms at $0.10" in said
    assert functions_of(operated.target) == functions
    assert operated.aws.client("cloudformation").list_change_sets(StackName=f"recibo-{STAGE}")["Summaries"] == []


def test_what_chalice_remembers_is_found_out_where_it_was_not_deployed_from(operated: Operated) -> None:
    path = state_path(operated.target)
    remembered = {one["name"]: one for one in json.loads(path.read_text())["resources"]}
    assert {one["name"]: one for one in deployed_resources(operated.target)} == remembered


def test_an_update_that_fails_leaves_stack_and_functions_as_they_were(
    operated: Operated, aws: Surroundings, emulator: str
) -> None:
    """It would make a bucket whose name is taken."""
    _skip_unless_it_rolls_back(emulator)
    taken = f"  More:\n    Type: AWS::S3::Bucket\n    Properties:\n      BucketName: {aws.stage.bucket}\n"
    template, functions = operated.target.project / "infra" / "template.yaml", functions_of(operated.target)
    text = template.read_text()
    template.write_text(text.replace("Resources:\n", f"Resources:\n{taken}", 1))
    with pytest.raises(UsageError, match=f"The stack recibo-{STAGE} ended as UPDATE_ROLLBACK_COMPLETE"):
        run(operated.target)
    template.write_text(text)
    assert functions_of(operated.target) == functions
    operated.said.clear()
    run(operated.target)
    assert "functions: up to date" in operated.heard()


def test_a_stack_that_could_not_be_made_is_not_in_the_way_of_the_next(
    operated: Operated, aws: Surroundings, emulator: str
) -> None:
    _skip_unless_it_rolls_back(emulator)
    names: dict[str, Any] = {"name": "failing", "table": "failing-table", "dead_letters": "failing-letters"}
    failing = replace(operated.aws.stage, **names, is_adopted=False, bucket=aws.stage.bucket)
    with pytest.raises(UsageError, match="The stack recibo-failing ended as ROLLBACK_COMPLETE"):
        deploy_stack(replace(operated.target, stage=failing))
    made = replace(operated.target, stage=replace(failing, bucket="failing-bucket"))
    deploy_stack(made)
    destroy(made, delete_data="failing")


def _skip_unless_it_rolls_back(emulator: str) -> None:
    if emulator != "embedded":
        pytest.skip("LocalStack makes a bucket again that is there, and leaves a stack that fails as it is")


def test_a_rollback_brings_back_the_code_and_touches_neither_bucket_nor_table(operated: Operated) -> None:
    """From a clone that has not deployed it: the code is that of the commit, byte for byte."""
    project = operated.target.project
    with _with_line(project / "app.py", EARLIER):
        earlier = base64.b64encode(hashlib.sha256(build_zip(project, STAGE).read_bytes()).digest()).decode()
    shutil.rmtree(state_path(operated.target).parent)
    kept = versions(operated.aws), list(operated.aws.lists.newest(operated.aws.stage.bucket))
    assert operated.code != earlier
    roll_back(operated.target, "HEAD~1")
    assert operated.code == earlier
    assert (versions(operated.aws), list(operated.aws.lists.newest(operated.aws.stage.bucket))) == kept
    send_canary(operated.target)


# -- its end


def test_a_stage_that_is_destroyed_leaves_data_of_its_own_and_everything_of_others(
    operated: Operated, aws: Surroundings
) -> None:
    """Of whoever else uses the bucket, and of the stage beside it."""
    beside = Target(stage=aws.stage, project=operated.target.project, endpoint=aws.endpoint, say=print)
    others, told = functions_of(beside), notifications(aws)
    kept = versions(operated.aws), list(operated.aws.lists.newest(operated.aws.stage.bucket))
    destroy(operated.target)
    assert functions_of(operated.target) == {}
    assert find_stack(watch.beside(operated.target)) is None, "alarms would tell of functions that are gone"
    assert list(notifications(operated.aws)) == ["QueueConfigurations"]
    assert (versions(operated.aws), list(operated.aws.lists.newest(operated.aws.stage.bucket))) == kept
    destroy(operated.target, delete_data=STAGE)
    assert operated.aws.stage.table not in operated.aws.client("dynamodb").list_tables()["TableNames"]
    assert versions(operated.aws) == kept[0]
    assert (functions_of(beside), notifications(aws)) == (others, told)
