"""What is looked at before a deployment: whose account and buckets, what the bucket already does, which Python."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, NoCredentialsError

import app as recibo
from infra import buckets, checks, target
from infra.buckets import FAMILIES, check_inbox, check_notifications, check_seals_bucket, overlapping
from infra.checks import check_account, refuse_runtime
from infra.guards import Guards
from infra.stack import stack_request
from infra.stages import ROOT, Stage, UsageError
from infra.target import Target
from infra.template import LOCAL, template
from tests.aws import World, simulated_aws

DEV = replace(LOCAL, name="dev", bucket="theirs-dev", anchor="")
ADOPTING = replace(DEV, is_adopted=True)


@dataclass
class Deploying:
    """A deployment to the simulated AWS; `said` is what a person reads."""

    world: World
    said: list[str] = field(default_factory=list)

    def of(self, stage: Stage) -> Target:
        return Target(stage=stage, project=ROOT, endpoint=None, say=self.said.append)

    def make_bucket(self, *, versioned: bool = True) -> None:
        self.world.s3.create_bucket(Bucket=DEV.bucket)
        if versioned:
            self.world.s3.put_bucket_versioning(Bucket=DEV.bucket, VersioningConfiguration={"Status": "Enabled"})


@pytest.fixture
def deploying(monkeypatch: pytest.MonkeyPatch) -> Iterator[Deploying]:
    stack_has(monkeypatch)
    with simulated_aws(monkeypatch) as world:
        yield Deploying(world=world)


def stack_has(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Let the stack have made these buckets: moto has no CloudFormation without more packages."""
    monkeypatch.setattr(buckets, "stack_buckets", lambda _: set(names))


def refused(monkeypatch: pytest.MonkeyPatch, service: Any, operation: str, error: Exception) -> None:
    """Let AWS answer an operation with an error."""
    client = boto3.client(service)

    def fail(**_: Any) -> None:
        raise error

    monkeypatch.setattr(client, operation, fail)
    made = target.Target.client
    monkeypatch.setattr(target.Target, "client", lambda self, name: client if name == service else made(self, name))


def told(status: int, code: str) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "operation")  # type: ignore[typeddict-item]


# -- whose account


def test_it_is_said_whose_account_and_which_region_before_anything_is_done(deploying: Deploying) -> None:
    check_account(deploying.of(DEV))
    assert deploying.said[0].startswith("stage dev: account 123456789012, region us-east-1, as arn:aws:sts::")


def test_without_a_region_it_is_asked_for(deploying: Deploying, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    with pytest.raises(UsageError, match="No region is chosen: set AWS_DEFAULT_REGION"):
        check_account(deploying.of(DEV))


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (NoCredentialsError(), "There are no credentials"),
        (told(403, "ExpiredToken"), r"do not work \(ExpiredToken\): sign in again"),
    ],
)
def test_credentials_that_do_not_work_are_told_in_a_sentence(
    deploying: Deploying, monkeypatch: pytest.MonkeyPatch, error: Exception, sentence: str
) -> None:
    refused(monkeypatch, "sts", "get_caller_identity", error)
    with pytest.raises(UsageError, match=sentence):
        check_account(deploying.of(DEV))


@pytest.mark.parametrize("version", [(3, 9), (3, 16), (4, 0)])
def test_a_python_that_lambda_or_chalice_does_not_know_is_refused(version: tuple[int, int]) -> None:
    with pytest.raises(UsageError, match=r"Lambda has no runtime python.*make setup PYTHON="):
        refuse_runtime(version)


@pytest.mark.parametrize("version", [(3, 11), (3, 13)])
def test_a_python_that_lambda_has_is_deployed_for(version: tuple[int, int]) -> None:
    refuse_runtime(version)


# -- whose bucket


def test_a_bucket_that_nobody_has_is_made(deploying: Deploying) -> None:
    check_inbox(deploying.of(DEV))


def test_a_bucket_of_ours_that_the_stack_did_not_make_is_not_taken_over_unasked(deploying: Deploying) -> None:
    deploying.make_bucket()
    with pytest.raises(UsageError, match=r"did not make it\. .*RECIBO_ADOPT_BUCKET"):
        check_inbox(deploying.of(DEV))


def test_the_bucket_of_the_stack_is_its_own_the_next_time(
    deploying: Deploying, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploying.make_bucket()
    stack_has(monkeypatch, DEV.bucket)
    check_inbox(deploying.of(DEV))


@pytest.mark.parametrize("stage", [DEV, ADOPTING], ids=["new", "adopted"])
def test_a_bucket_of_another_account_is_refused(
    deploying: Deploying, monkeypatch: pytest.MonkeyPatch, stage: Stage
) -> None:
    refused(monkeypatch, "s3", "head_bucket", told(403, "403"))
    with pytest.raises(UsageError, match="another account"):
        check_inbox(deploying.of(stage))


def test_the_bucket_of_the_seals_is_never_anothers(deploying: Deploying) -> None:
    deploying.make_bucket()
    with pytest.raises(UsageError, match=r"RECIBO_ANCHOR"):
        check_seals_bucket(deploying.of(replace(DEV, anchor=f"s3:{DEV.bucket}")))


# -- a bucket that is adopted


def test_a_bucket_to_adopt_has_to_be_there(deploying: Deploying) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        check_inbox(deploying.of(ADOPTING))


def test_a_guard_that_would_change_an_adopted_bucket_is_refused_and_not_forgotten(deploying: Deploying) -> None:
    deploying.make_bucket()
    with pytest.raises(UsageError, match="stays its owner's choice: leave RECIBO_ACCESS_LOGS out"):
        check_inbox(deploying.of(replace(ADOPTING, guards=Guards(access_logs="logs"))))


def test_a_bucket_with_versions_is_adopted_without_a_word(deploying: Deploying) -> None:
    deploying.make_bucket()
    check_inbox(deploying.of(ADOPTING))
    assert deploying.said == []


def test_what_a_bucket_without_versions_cannot_promise_is_said_and_how_to_have_it(deploying: Deploying) -> None:
    deploying.make_bucket(versioned=False)
    check_inbox(deploying.of(ADOPTING))
    (warning,) = deploying.said
    assert "neither reconcile nor verify can promise" in warning
    assert "put-bucket-versioning --bucket theirs-dev" in warning


def test_a_bucket_of_another_region_cannot_call_these_functions(
    deploying: Deploying, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploying.make_bucket()
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with pytest.raises(UsageError, match=r"is in us-east-1.*AWS_DEFAULT_REGION=us-east-1"):
        check_inbox(deploying.of(ADOPTING))


def test_the_stack_neither_makes_nor_changes_a_bucket_that_is_adopted(deploying: Deploying) -> None:
    parameters = {
        each["ParameterKey"]: each["ParameterValue"] for each in stack_request(deploying.of(ADOPTING))["Parameters"]
    }
    assert parameters["AdoptBucket"] == "true"
    conditions = template()["Conditions"]
    assert conditions["HasOwnInbox"] == {"Fn::Equals": [{"Ref": "AdoptBucket"}, "false"]}
    resources = template()["Resources"]
    on_it = {
        name for name, one in resources.items() if {"Ref": "BucketName"} in [*one.get("Properties", {}).values()]
    } | {name for name, one in resources.items() if {"Ref": "Inbox"} in [*one.get("Properties", {}).values()]}
    assert {name: resources[name]["Condition"] for name in on_it} == {
        "Inbox": "HasOwnInbox",
        "InboxPolicy": "HasInboxPolicy",
    }
    assert {"Condition": "HasOwnInbox"} in conditions["HasInboxPolicy"]["Fn::And"]


# -- what the bucket already tells others

OWN = ":function:recibo-dev-inspect"
THEIR_QUEUE = "arn:aws:sqs:us-east-1:123456789012:theirs"


def telling(kind: str, receiver: str, *events: str, prefix: str | None = None) -> dict[str, Any]:
    name = {"Lambda": "LambdaFunctionArn", "Queue": "QueueArn", "Topic": "TopicArn"}[kind.removesuffix("Function")]
    rules = [{"Name": "prefix", "Value": prefix}] if prefix is not None else []
    filtered = {"Filter": {"Key": {"FilterRules": rules}}} if rules else {}
    return {f"{kind}Configurations": [{name: receiver, "Events": list(events), **filtered}]}


@pytest.mark.parametrize(
    ("configuration", "prefix"),
    [
        (telling("Queue", THEIR_QUEUE, "s3:ObjectCreated:*"), ""),
        (telling("Queue", THEIR_QUEUE, "s3:ObjectCreated:Put", prefix="in/"), ""),
        (telling("Topic", THEIR_QUEUE, "s3:ObjectRemoved:*", prefix="in/a/"), "in/"),
        (telling("LambdaFunction", "arn:aws:lambda:::function:other", "s3:ObjectCreated:*", prefix="in/"), "in/a/"),
    ],
)
def test_s3_would_refuse_a_second_receiver_of_the_same_keys(configuration: dict[str, Any], prefix: str) -> None:
    assert list(overlapping(configuration, prefix, OWN))


@pytest.mark.parametrize(
    ("configuration", "prefix"),
    [
        ({"EventBridgeConfiguration": {}}, ""),
        (telling("Queue", THEIR_QUEUE, "s3:ObjectRestore:*"), ""),
        (telling("Queue", THEIR_QUEUE, "s3:ObjectCreated:*", prefix="out/"), "in/"),
        (telling("LambdaFunction", f"arn:aws:lambda:us-east-1:1{OWN}", "s3:ObjectCreated:*"), ""),
    ],
)
def test_another_receiver_of_other_keys_or_events_is_left_alone(configuration: dict[str, Any], prefix: str) -> None:
    assert list(overlapping(configuration, prefix, OWN)) == []


def test_a_receiver_that_is_in_the_way_is_named_with_what_to_do(deploying: Deploying) -> None:
    deploying.make_bucket()
    boto3.client("sqs").create_queue(QueueName="theirs")
    deploying.world.s3.put_bucket_notification_configuration(
        Bucket=DEV.bucket,
        NotificationConfiguration=telling("Queue", THEIR_QUEUE, "s3:ObjectCreated:*", prefix="in/"),
    )
    with pytest.raises(UsageError, match=rf"already tells {THEIR_QUEUE} .*'in/'.*RECIBO_PREFIX"):
        check_notifications(deploying.of(ADOPTING))
    check_notifications(deploying.of(replace(ADOPTING, prefix="other/")))


def test_the_events_that_are_compared_are_those_that_the_app_asks_for() -> None:
    inspect: Any
    (inspect,) = (one for one in recibo.app.event_sources if one.name == "inspect")
    assert {event.removesuffix(":*") for event in inspect.events} == FAMILIES


def test_every_check_is_made_with_each_deployment(deploying: Deploying, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    monkeypatch.setattr(checks, "CHECKS", [lambda _: made.append("one"), lambda _: made.append("two")])
    checks.check(deploying.of(DEV))
    assert made == ["one", "two"]
