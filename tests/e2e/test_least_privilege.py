"""The functions' policies, enforced: here the embedded AWS evaluates them for every call that a function makes.

So on it all other end-to-end tests show that the policies allow enough. These show that it does enforce them, and what
they refuse. It knows actions and resources, but no conditions on items' keys or attributes, and none on how a call is
signed, so it would refuse the form that the API signs: tests/test_recorded_calls.py evaluates those.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from chalicelib.access import Scope
from cli.surroundings import Surroundings
from cli.token import made
from infra.guards import Guards
from infra.policies import policies
from infra.stack import deploy_stack
from infra.stages import ROOT, Stage, load_config, load_stage
from infra.target import Target

pytestmark = pytest.mark.e2e

FUNCTIONS = sorted(load_config()["lambda_functions"])
ANYBODY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
}
PARTNER = "arn:aws:iam::000000000000:user/partner"
ANOTHER = "somebody-elses-bucket"
REFUSED = {"AccessDenied", "AccessDeniedException"}

Client = Callable[[Any], Any]


def full_name(aws: Surroundings, function: str) -> str:
    """As Chalice names it: the API's function has the stage's name alone."""
    return aws.stage.function(function).removesuffix("-api_handler")


@pytest.fixture(autouse=True)
def where_policies_are_enforced(emulator: str) -> None:
    if emulator != "embedded":
        pytest.skip("LocalStack enforces policies only where it is paid for")


@pytest.fixture(params=FUNCTIONS)
def as_function(request: pytest.FixtureRequest, aws: Surroundings) -> Iterator[Client]:
    """Clients that call as a function does: with a session of its role, which lets nobody but Lambda have one else."""
    iam, role = aws.client("iam"), _role_of(aws, request.param)
    trusted = iam.get_role(RoleName=role.rpartition("/")[2])["Role"]["AssumeRolePolicyDocument"]
    iam.update_assume_role_policy(RoleName=role.rpartition("/")[2], PolicyDocument=json.dumps(ANYBODY))
    try:
        session = aws.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
        yield lambda service: _client(aws, service, session)
    finally:
        iam.update_assume_role_policy(RoleName=role.rpartition("/")[2], PolicyDocument=json.dumps(trusted))


def _role_of(aws: Surroundings, function: str) -> str:
    found = aws.client("lambda").get_function(FunctionName=full_name(aws, function))
    return str(found["Configuration"]["Role"])


def _client(aws: Surroundings, service: Any, session: Any) -> Any:
    return boto3.client(
        service,
        endpoint_url=aws.endpoint,
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session.get("SessionToken"),
        config=Config(s3={"addressing_style": "path"}),
    )


def answer_of(call: Callable[..., Any], **arguments: Any) -> str:
    """The code of the error; nothing if it was done."""
    try:
        call(**arguments)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def test_no_function_can_delete_a_receipt_make_an_upload_or_look_elsewhere(
    as_function: Client, aws: Surroundings
) -> None:
    table, bucket, key = aws.stage.table, aws.stage.bucket, {"pk": {"S": "any"}, "sk": {"N": "1"}}
    aws.client("s3").create_bucket(Bucket=ANOTHER)
    dynamodb, s3 = as_function("dynamodb"), as_function("s3")
    answers = {
        "delete a receipt": answer_of(dynamodb.delete_item, TableName=table, Key=key),
        "delete one by a batch": answer_of(
            dynamodb.batch_write_item, RequestItems={table: [{"DeleteRequest": {"Key": key}}]}
        ),
        "delete the ledger": answer_of(dynamodb.delete_table, TableName=table),
        "read all of it": answer_of(dynamodb.scan, TableName=table),
        "make an upload": answer_of(s3.put_object, Bucket=bucket, Key="any", Body=b"any"),
        "delete an upload": answer_of(s3.delete_object, Bucket=bucket, Key="any"),
        "open the bucket": answer_of(s3.delete_bucket_policy, Bucket=bucket),
        "read another bucket": answer_of(s3.get_object, Bucket=ANOTHER, Key="any"),
        "give itself more": answer_of(as_function("iam").list_roles),
        "call another function": answer_of(
            as_function("lambda").invoke, FunctionName=aws.stage.function("seal"), InvocationType="Event"
        ),
        "send messages": answer_of(as_function("sqs").create_queue, QueueName="another"),
    }
    assert {tried: code for tried, code in answers.items() if code not in REFUSED} == {}


def test_who_may_sign_with_the_key_behind_an_alias_cannot_sign_with_another(aws: Surroundings) -> None:
    iam, kms, name = aws.client("iam"), aws.client("kms"), f"signer-{uuid.uuid4()}"
    stage = replace(load_stage("dev"), anchor=f"kms:alias/{name}")
    for alias in (stage.seals_key, f"{stage.seals_key}-other"):
        key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
        kms.create_alias(AliasName=alias, TargetKeyId=key)
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(ANYBODY))
    iam.put_role_policy(RoleName=name, PolicyName=name, PolicyDocument=json.dumps(policies(stage)["seal"]))
    role = iam.get_role(RoleName=name)["Role"]["Arn"]
    session = aws.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    sign, how = _client(aws, "kms", session).sign, {"Message": b"seal", "SigningAlgorithm": "ECDSA_SHA_256"}
    assert answer_of(sign, KeyId=stage.seals_key, **how) == ""
    assert answer_of(sign, KeyId=f"{stage.seals_key}-other", **how) in REFUSED


# -- the API, as API Gateway calls it


def asked(path: str, token: str, method: str = "GET", body: str | None = None) -> dict[str, Any]:
    """A request as API Gateway hands it on."""
    route, _, query = path.partition("?")
    return {
        "requestContext": {
            "httpMethod": method,
            "resourcePath": route,
            "path": route,
            "identity": {"sourceIp": "127.0.0.1"},
        },
        "headers": {"authorization": f"Bearer {token}", "content-type": "application/json"},
        "multiValueQueryStringParameters": parse_qs(query) or None,
        "pathParameters": {},
        "stageVariables": None,
        "body": body,
        "isBase64Encoded": False,
    }


@pytest.fixture
def invoke(aws: Surroundings) -> Callable[..., Any]:
    def invoked(function: str, event: dict[str, Any]) -> Any:
        answer = aws.client("lambda").invoke(FunctionName=full_name(aws, function), Payload=json.dumps(event))
        said = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, said
        return said

    return invoked


READ_BY_GET = ("receipts", "summary", "folders", "contracts", "verification", "me", "history?key=any")


def test_the_api_and_its_authorizer_may_do_all_that_they_are_asked_for(
    aws: Surroundings, invoke: Callable[..., Any]
) -> None:
    token = made(aws, f"enforced-{uuid.uuid4().hex[:8]}", [str(scope) for scope in Scope])
    upload = invoke("api_handler", asked("/api/uploads", token, "POST", json.dumps({"name": "a.csv", "size": 8})))
    assert upload["statusCode"] == 201
    form = json.loads(upload["body"])
    assert form["fields"]["x-amz-credential"].startswith("ASIA"), "the role of the function has signed it"
    statuses = {path: invoke("api_handler", asked(f"/api/{path}", token))["statusCode"] for path in READ_BY_GET}
    assert statuses == dict.fromkeys(READ_BY_GET, 200)
    method = "arn:aws:execute-api:us-east-1:000000000000:any/api/GET/api/receipts"
    asking = {"type": "TOKEN", "authorizationToken": f"Bearer {token}", "methodArn": method}
    (said,) = invoke("authorize", asking)["policyDocument"]["Statement"]
    assert said["Effect"] == "Allow"


# -- the inbox's own policy


@pytest.fixture
def guarded(endpoint: str, emulator: str) -> Stage:
    """The stack of a stage where only one user may upload, with a key of its own; it has no functions.

    (The embedded AWS makes the key, but its stacks encrypt nothing with it: tests/test_guards.py reads the template.)
    """
    if emulator != "embedded":
        pytest.skip("LocalStack enforces policies only where it is paid for")
    guards = Guards(uploaders=(PARTNER,), data_key="alias/recibo-data-guarded")
    stage = Stage(
        name="guarded", app_name="recibo", bucket="b-guarded", table="t-guarded", dead_letters="d", guards=guards
    )
    deploy_stack(Target(stage=stage, project=ROOT, endpoint=endpoint, say=print))
    return stage


def test_only_the_uploaders_of_a_stage_may_upload_whatever_else_others_are_allowed(
    guarded: Stage, aws: Surroundings
) -> None:
    iam, answers = aws.client("iam"), {}
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    for user in ("partner", "another"):  # of a role the embedded AWS takes its session for the principal
        iam.create_user(UserName=user)
        iam.put_user_policy(UserName=user, PolicyName="all-of-s3", PolicyDocument=json.dumps(policy))
        put = _client(aws, "s3", iam.create_access_key(UserName=user)["AccessKey"]).put_object
        answers[user] = answer_of(put, Bucket=guarded.bucket, Key="any.csv", Body=b"a,b\n1,2\n")
    assert answers == {"partner": "", "another": "AccessDenied"}
