"""What is deployed: the template, the policies, the stages, the zip."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from chalicelib.problems import KINDS, URN
from chalicelib.receipts import INDEX_ATTRIBUTES
from infra import package
from infra.deploy import run
from infra.functions import fingerprint, run_chalice
from infra.gateway import gateway_responses, set_responses
from infra.package import _warned_of, build_zip, check_size, missing_packages
from infra.stages import ROOT, Stage, UsageError, load_config, load_stage
from infra.target import Target
from infra.template import LOCAL, table_definition, template

STAGES = sorted(load_config()["stages"])


# -- the template


@pytest.mark.parametrize(
    "template", ["infra/template.yaml", "infra/watch.yaml", "examples/notices.yaml", "examples/backfill.yaml"]
)
def test_cloudformation_has_nothing_to_say_against_a_template(template: str) -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "cfn-lint", ROOT / template],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_the_inbox_is_versioned_private_and_kept() -> None:
    inbox = template()["Resources"]["Inbox"]
    assert inbox["Properties"]["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(inbox["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
    assert inbox["DeletionPolicy"] == inbox["UpdateReplacePolicy"] == "Retain"


def test_the_ledger_is_kept_whatever_happens_to_its_stack() -> None:
    ledger = template()["Resources"]["Ledger"]
    assert ledger["DeletionPolicy"] == ledger["UpdateReplacePolicy"] == "Retain"
    assert ledger["Properties"]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_every_index_is_on_attributes_that_items_have() -> None:
    others = {"finished_at", "deadline"}
    keys = {
        key["AttributeName"] for index in table_definition()["GlobalSecondaryIndexes"] for key in index["KeySchema"]
    }
    assert keys <= INDEX_ATTRIBUTES | others
    assert keys | {"pk", "sk"} == {each["AttributeName"] for each in table_definition()["AttributeDefinitions"]}


def test_the_indexes_project_no_more_attributes_than_dynamodb_allows() -> None:
    """At most 20 for an index, and 100 for all of a table's together."""
    counts = [
        len(index["Projection"].get("NonKeyAttributes", [])) for index in table_definition()["GlobalSecondaryIndexes"]
    ]
    assert max(counts) <= 20
    assert sum(counts) <= 100


def test_a_dead_letter_is_hidden_longer_than_a_function_can_work_on_it() -> None:
    queue = template()["Resources"]["DeadLetters"]["Properties"]
    timeout = load_config()["lambda_functions"]["last_resort"]["lambda_timeout"]
    assert queue["VisibilityTimeout"] >= 6 * timeout


# -- the stages


@pytest.mark.parametrize("name", STAGES)
def test_every_stage_names_its_own_bucket_table_and_queue(name: str) -> None:
    stage = load_stage(name)
    assert all(value.endswith(f"-{name}") for value in (stage.bucket, stage.table, stage.dead_letters))


def project(tmp_path: Path, config: str) -> Path:
    (tmp_path / ".chalice").mkdir()
    (tmp_path / ".chalice" / "config.json").write_text(config)
    return tmp_path


def test_a_stage_that_does_not_exist_is_answered_with_those_that_do() -> None:
    with pytest.raises(UsageError, match=r"no stage 'none' in \.chalice/config\.json; it has dev, local, prod\."):
        load_stage("none")


def test_a_stage_that_lacks_a_name_is_told_which(tmp_path: Path) -> None:
    config: dict[str, Any] = {"app_name": "recibo", "stages": {"x": {"environment_variables": {"RECIBO_BUCKET": "b"}}}}
    with pytest.raises(UsageError, match="does not set RECIBO_TABLE, RECIBO_DEAD_LETTERS"):
        load_stage("x", project(tmp_path, json.dumps(config)))


@pytest.mark.parametrize("config", ["{", "[]", '"text"', "{}", '{"stages": {"x": {}}}'])
def test_a_configuration_that_is_none_is_told_in_a_sentence(config: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as told:
        load_stage("x", project(tmp_path, config))
    assert str(told.value).endswith(".")


def test_a_project_without_a_configuration_is_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"There is no .*config\.json\."):
        load_stage("local", tmp_path)


# -- the zip


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip of a copy of the project that has everything a working directory has."""
    copy = tmp_path_factory.mktemp("project")
    for name in ("chalicelib", ".chalice", "infra", "cli", "tests"):
        shutil.copytree(ROOT / name, copy / name)
    for name in ("app.py", "requirements.txt", "requirements.lock"):
        shutil.copy(ROOT / name, copy / name)
    (copy / "chalicelib" / "__pycache__").mkdir(exist_ok=True)
    (copy / "chalicelib" / "__pycache__" / "stale.cpython-311.pyc").write_bytes(b"stale")
    return build_zip(copy, "local")


@pytest.fixture(scope="module")
def zipped(archive: Path) -> set[str]:
    """The names in it."""
    with zipfile.ZipFile(archive) as made:
        return set(made.namelist())


def test_the_zip_is_the_same_bytes_from_another_clone_at_another_time(archive: Path, tmp_path: Path) -> None:
    """Whose files come in another order, with other times and permissions."""
    for path in sorted(ROOT.glob("chalicelib/**/*"), reverse=True):
        if path.is_file() and "__pycache__" not in path.parts:
            (made := tmp_path / path.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
            made.write_bytes(path.read_bytes())
            made.chmod(0o600)
            os.utime(made, (0, 0))
    shutil.copytree(ROOT / ".chalice", tmp_path / ".chalice", ignore=shutil.ignore_patterns("deploy*"))
    for name in ("requirements.lock", "requirements.txt", "app.py"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    assert build_zip(tmp_path, "local").read_bytes() == archive.read_bytes()


def test_a_zip_that_could_not_be_written_whole_is_not_left_to_be_deployed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(ROOT / "chalicelib", tmp_path / "chalicelib")
    shutil.copytree(ROOT / ".chalice", tmp_path / ".chalice", ignore=shutil.ignore_patterns("deploy*"))
    for name in ("requirements.lock", "requirements.txt", "app.py"):
        shutil.copyfile(ROOT / name, tmp_path / name)

    def full(_zip: zipfile.ZipFile, about: zipfile.ZipInfo, _: bytes) -> None:
        assert list(tmp_path.glob(".chalice/deployments/*.zip"))
        raise OSError(errno.ENOSPC, about.filename)

    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    with pytest.raises(OSError, match="28"):
        build_zip(tmp_path, "local")
    assert not (tmp_path / ".chalice" / "deployments").exists()


def test_the_zip_for_arm64_has_the_wheels_of_arm64(tmp_path: Path) -> None:
    (tmp_path / "chalicelib").mkdir()
    for name in ("requirements.lock", "requirements.txt", "app.py"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    config = json.loads((ROOT / ".chalice" / "config.json").read_text())
    config["stages"]["local"]["lambda_architecture"] = "arm64"
    with zipfile.ZipFile(build_zip(project(tmp_path, json.dumps(config)), "local")) as made:
        compiled = [name for name in made.namelist() if name.endswith(".so")]
    assert compiled
    assert [name for name in compiled if "aarch64" not in name] == []


def test_the_zip_can_be_read_by_whoever_runs_it(archive: Path) -> None:
    with zipfile.ZipFile(archive) as made:
        assert {each.external_attr >> 16 for each in made.infolist()} == {0o100644}


def test_a_zip_that_lambda_would_not_take_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "made.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("zeros", bytes(3 << 20))
    check_size(path)
    monkeypatch.setattr(package, "MAX_UNZIPPED_BYTES", 2 << 20)
    with pytest.raises(UsageError, match="has 3 MB unzipped, and Lambda takes 2 MB at most"):
        check_size(path)
    monkeypatch.setattr(package, "MAX_ZIP_BYTES", 10)
    with pytest.raises(UsageError, match="and Lambda takes 0 MB at most"):
        check_size(path)


def test_the_zip_holds_the_app_and_its_runtime(zipped: set[str]) -> None:
    shipped = {str(path.relative_to(ROOT)) for path in (ROOT / "chalicelib").rglob("*.py")}
    assert shipped | {"app.py", "chalice/app.py", "chalice/__init__.py"} <= zipped


def test_the_zip_holds_nothing_else_of_the_project(zipped: set[str]) -> None:
    tops = {name.partition("/")[0] for name in zipped}
    assert not tops & {"tests", "cli", "infra", "local", "bench", "docs", ".venv", ".chalice", "requirements.txt"}


def test_the_zip_holds_nothing_that_only_development_needs(zipped: set[str]) -> None:
    """Nor anything that was compiled on this machine."""
    assert not [name for name in zipped if "__pycache__" in name or name.endswith((".pyc", ".pyi", "py.typed"))]
    assert not [name for name in zipped if {"test", "tests"} & set(name.split("/"))]


def zip_with(tmp_path: Path, *distributions: str) -> Path:
    path = tmp_path / "made.zip"
    with zipfile.ZipFile(path, "w") as made:
        for name in distributions:
            made.writestr(f"{name}.dist-info/METADATA", "")
    return path


def test_the_zip_holds_the_contracts_that_ship(zipped: set[str]) -> None:
    ships = {f"chalicelib/contracts/{path.name}" for path in (ROOT / "chalicelib/contracts").glob("*.json")}
    assert ships
    assert ships <= zipped


def test_a_package_that_was_left_out_of_the_zip_is_found(tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(
        "# comment\nMsgSpec==0.20\n\nduckdb==1.5.5 # wheels\naws_lambda.powertools[all]>=3\n-r other.txt\n"
    )
    path = zip_with(tmp_path, "msgspec-0.20.0", "aws_lambda_powertools-3.1")
    assert missing_packages(path, requirements) == ["duckdb"]


def test_a_zip_with_every_package_lacks_none(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text('msgspec\nold; python_version < "3"\n')
    assert missing_packages(zip_with(tmp_path, "msgspec-0.20.0"), tmp_path / "requirements.txt") == []


def test_a_warning_of_chalice_is_taken_for_an_error() -> None:
    told = "\nCould not install dependencies:\nduckdb==2.0.0\nYou will have to build these yourself\n"
    assert _warned_of(told) == ["duckdb==2.0.0"]
    assert _warned_of("Could not install dependencies:\nin some other form") == ["a package"]
    assert _warned_of("Creating deployment package.\n") == []


def test_a_functions_name_is_chalices() -> None:
    stage = Stage(name="dev", app_name="recibo", bucket="b", table="t", dead_letters="d")
    assert (stage.function("inspect"), stage.stack) == ("recibo-dev-inspect", "recibo-dev")


# -- what Chalice is run with

ENDPOINT = "http://127.0.0.1:4566"
THEIRS = "/the/users/own"


def environment_of_chalice(endpoint: str | None, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment in which a deployment would run `chalice deploy`."""
    environments: list[dict[str, str]] = []

    def ran(command: list[str], *, env: dict[str, str], **_: object) -> subprocess.CompletedProcess[str]:
        environments.append(env)
        return subprocess.CompletedProcess(command, 0, "", "")

    with monkeypatch.context() as patched:
        patched.setattr(subprocess, "run", ran)
        run_chalice(Target(stage=load_stage("local"), project=ROOT, endpoint=endpoint, say=print))
    return environments[0]


def polling(waiter: str, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> tuple[float, float]:
    """How many seconds botocore, in that environment, waits between two looks at a function, and in all."""
    with monkeypatch.context() as patched:
        patched.setenv("AWS_DATA_PATH", environment.get("AWS_DATA_PATH", ""))
        functions = botocore.session.Session().create_client(
            "lambda", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
        )
        config: Any = functions.get_waiter(waiter).config
    return config.delay, config.delay * config.max_attempts


@pytest.mark.parametrize("waiter", ["function_active", "function_updated"])
def test_chalice_polls_an_emulator_every_half_second_and_aws_as_it_would(
    waiter: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_DATA_PATH", raising=False)
    on_aws = polling(waiter, environment_of_chalice(None, monkeypatch), monkeypatch)
    on_emulator = polling(waiter, environment_of_chalice(ENDPOINT, monkeypatch), monkeypatch)
    assert (on_aws, on_emulator) == ((5, 300), (0.5, 300))


def test_a_data_path_of_the_users_own_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DATA_PATH", THEIRS)
    assert environment_of_chalice(None, monkeypatch)["AWS_DATA_PATH"] == THEIRS
    assert environment_of_chalice(ENDPOINT, monkeypatch)["AWS_DATA_PATH"].split(os.pathsep)[1:] == [THEIRS]


def test_contracts_that_are_not_right_are_not_deployed_and_nothing_else_is(tmp_path: Path) -> None:
    folder = tmp_path / "chalicelib" / "contracts"
    folder.mkdir(parents=True)
    for name in ("a", "b"):
        (folder / f"{name}.json").write_text(json.dumps({"name": name, "match": "acme/*.csv"}))
    target = Target(stage=load_stage("local"), project=tmp_path, endpoint=ENDPOINT, say=print)
    with pytest.raises(UsageError, match=r"^The contracts are not right: b.json: match: some keys match both"):
        run(target)


def test_a_check_that_the_engine_refuses_is_told_of_by_its_contracts_file(tmp_path: Path) -> None:
    folder = tmp_path / "chalicelib" / "contracts"
    folder.mkdir(parents=True)
    schema = {"fields": [{"name": "debit", "type": "number"}]}
    wrong = {"name": "payments", "match": "acme/*.csv", "schema": schema, "checks": {"positive": "debitt > 0"}}
    (folder / "a-file.json").write_text(json.dumps(wrong))
    target = Target(stage=load_stage("local"), project=tmp_path, endpoint=ENDPOINT, say=print)
    with pytest.raises(UsageError, match=r"^The contracts are not right: a-file\.json: checks\.positive: .*debitt"):
        run(target)


# -- settings of a stage


def stage_with(tmp_path: Path, **variables: str) -> Stage:
    config = json.loads((ROOT / ".chalice" / "config.json").read_text())
    config["stages"]["local"]["environment_variables"].update(variables)
    (tmp_path / ".chalice").mkdir()
    (tmp_path / ".chalice" / "config.json").write_text(json.dumps(config))
    return load_stage("local", tmp_path)


def test_nothing_expires_unless_the_stage_says_so(tmp_path: Path) -> None:
    assert stage_with(tmp_path).retention_days is None


def test_a_stage_may_keep_receipts_for_a_number_of_days(tmp_path: Path) -> None:
    assert stage_with(tmp_path, RECIBO_RETENTION_DAYS="400").retention_days == 400


@pytest.mark.parametrize("days", ["29", "0", "-1", "a year", "30.5"])
def test_a_retention_that_would_weaken_the_once_only_rule_is_refused(tmp_path: Path, days: str) -> None:
    with pytest.raises(UsageError, match="at least 30"):
        stage_with(tmp_path, RECIBO_RETENTION_DAYS=days)


@pytest.mark.parametrize(
    ("anchor", "bucket", "key"), [("s3:seals", "seals", ""), ("kms:alias/x", "", "alias/x"), ("", "", "")]
)
def test_a_stage_chooses_the_anchor_of_its_seals(tmp_path: Path, anchor: str, bucket: str, key: str) -> None:
    stage = stage_with(tmp_path, RECIBO_ANCHOR=anchor)
    assert (stage.seals_bucket, stage.seals_key) == (bucket, key)


@pytest.mark.parametrize("prefix", ["/", "in", "/in/", "a//b/", "a b/", "a*/", "é/"])
def test_a_prefix_that_a_policy_or_s3_would_read_otherwise_is_refused(tmp_path: Path, prefix: str) -> None:
    with pytest.raises(UsageError, match=r"RECIBO_PREFIX.*incoming/"):
        stage_with(tmp_path, RECIBO_PREFIX=prefix)


def test_a_stage_takes_the_whole_bucket_or_the_keys_with_its_prefix(tmp_path: Path) -> None:
    assert LOCAL.uploads == f"arn:aws:s3:::{LOCAL.bucket}/*"
    assert stage_with(tmp_path, RECIBO_PREFIX="in/a/").uploads == f"arn:aws:s3:::{LOCAL.bucket}/in/a/*"


@pytest.mark.parametrize(("setting", "is_adopted"), [("true", True), ("false", False), ("", False)])
def test_a_stage_adopts_a_bucket_only_where_it_says_so(tmp_path: Path, setting: str, is_adopted: bool) -> None:
    assert stage_with(tmp_path, RECIBO_ADOPT_BUCKET=setting).is_adopted is is_adopted


def test_adopting_is_asked_for_by_the_word_true(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="RECIBO_ADOPT_BUCKET"):
        stage_with(tmp_path, RECIBO_ADOPT_BUCKET="yes")


@pytest.mark.parametrize(("of_all", "of_stage", "is_traced"), [({}, {}, False), ({"xray": True}, {}, True),
    ({"xray": True}, {"xray": False}, False), ({}, {"xray": True}, True)])  # fmt: skip
def test_traces_are_a_choice_of_the_stage_as_chalice_has_it(
    tmp_path: Path, of_all: dict[str, bool], of_stage: dict[str, bool], is_traced: bool
) -> None:
    config = json.loads((ROOT / ".chalice" / "config.json").read_text()) | of_all
    config["stages"]["local"] |= of_stage
    assert load_stage("local", project(tmp_path, json.dumps(config))).is_traced is is_traced


def test_a_stage_may_name_the_topic_that_its_alarms_tell(tmp_path: Path) -> None:
    topic = "arn:aws:sns:eu-west-1:123456789012:alarms"
    assert stage_with(tmp_path, RECIBO_ALARM_TOPIC=topic).alarm_topic == topic


@pytest.mark.parametrize(
    "topic", ["alarms", "arn:aws:sqs:eu-west-1:123456789012:alarms", "arn:aws:sns:eu-west-1:1:a b"]
)
def test_a_topic_that_is_none_is_refused(tmp_path: Path, topic: str) -> None:
    with pytest.raises(UsageError, match="write the ARN of an SNS topic"):
        stage_with(tmp_path, RECIBO_ALARM_TOPIC=topic)


@pytest.mark.parametrize("anchor", ["s3", "s3:", "kms:x", "S3:Bucket", "file:x"])
def test_an_anchor_that_is_none_is_refused(tmp_path: Path, anchor: str) -> None:
    with pytest.raises(UsageError, match="RECIBO_ANCHOR"):
        stage_with(tmp_path, RECIBO_ANCHOR=anchor)


# -- what API Gateway answers by itself


GATEWAY: Any = botocore.session.Session().get_service_model("apigateway")
REFUSALS = GATEWAY.shape_for("GatewayResponseType").enum


@pytest.mark.parametrize("is_iam", [False, True], ids=["tokens", "iam"])
def test_whatever_api_gateway_refuses_is_a_complete_problem(is_iam: bool) -> None:
    """Every type that the service's own model lists; its templates know variables ($), so there are none."""
    made = gateway_responses(is_iam=is_iam)
    assert set(made) == set(REFUSALS)
    for name, response in made.items():
        (text,) = response["responseTemplates"].values()
        problem = json.loads(text)
        assert "$" not in text
        assert KINDS[problem["type"].removeprefix(URN)] == problem["status"] == int(response["statusCode"])
        assert problem["detail"].endswith((".", ")")), name
        headers = response["responseParameters"]
        assert headers["gatewayresponse.header.Content-Type"] == "'application/problem+json'"
        assert all(re.fullmatch(r"'[^']+'", value) for value in headers.values())


def test_a_token_that_is_refused_asks_for_another_and_iam_for_a_policy() -> None:
    """The page leads whoever gets a 401 to its door."""
    tokens, iam = gateway_responses(is_iam=False), gateway_responses(is_iam=True)
    assert [made["ACCESS_DENIED"]["statusCode"] for made in (tokens, iam)] == ["401", "403"]
    assert [made["MISSING_AUTHENTICATION_TOKEN"]["statusCode"] for made in (tokens, iam)] == ["404", "401"]


class Gateway:
    """The calls that are made of it."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda **arguments: self.calls.append((name, arguments))


def test_the_answers_are_set_for_the_api_that_chalice_deployed_and_then_hold(tmp_path: Path) -> None:
    gateway, stage = Gateway(), stage_with(tmp_path, RECIBO_API_ACCESS="iam")
    deployed = tmp_path / ".chalice" / "deployed"
    deployed.mkdir()
    resources = [{"resource_type": "lambda_function"}, {"resource_type": "rest_api", "rest_api_id": "abc"}]
    (deployed / "local.json").write_text(json.dumps({"resources": resources}))
    set_responses(gateway, stage, tmp_path)
    *put, last = gateway.calls
    assert {arguments["responseType"]: arguments["statusCode"] for _, arguments in put} == {
        name: response["statusCode"] for name, response in gateway_responses(is_iam=True).items()
    }
    assert last == ("create_deployment", {"restApiId": "abc", "stageName": "api"})


def test_a_stage_without_an_api_is_told_in_a_sentence(tmp_path: Path) -> None:
    stage = stage_with(tmp_path)
    (tmp_path / ".chalice" / "deployed").mkdir()
    (tmp_path / ".chalice" / "deployed" / "local.json").write_text('{"resources": []}')
    with pytest.raises(UsageError, match=r"deployed no REST API for the stage local"):
        set_responses(Gateway(), stage, tmp_path)


def test_other_answers_are_another_deployment(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("")
    (tmp_path / "requirements.txt").write_text("")
    (tmp_path / "infra").mkdir()
    (tmp_path / "infra" / "watch.yaml").write_text("")
    of_tokens, of_iam = (
        fingerprint(Target(stage=stage, project=tmp_path, endpoint=ENDPOINT, say=print))
        for stage in (stage_with(tmp_path), replace(load_stage("local"), is_iam=True))
    )
    assert of_tokens != of_iam
