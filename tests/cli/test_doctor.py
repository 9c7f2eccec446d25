"""`doctor`: what is right is said so, what is not says what to do, and what rests on it is not looked at."""

from __future__ import annotations

import json
from importlib import metadata

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner

from cli import doctor, surroundings
from cli.main import recibo
from infra.stages import UsageError, load_config
from tests.aws import World
from tests.events import BUCKET


@pytest.fixture
def world(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(doctor, "endpoint_for", lambda _stage, _endpoint: "http://emulator")
    return world


def examined(*options: str) -> tuple[int, dict[str, tuple[bool, str]]]:
    """The exit status, and by name what was looked at: whether it is right, and the words."""
    result = CliRunner().invoke(recibo, ["doctor", "--json", *options])
    lines = [json.loads(line) for line in result.output.splitlines()]
    return result.exit_code, {line["check"]: (line["ok"], line["detail"]) for line in lines}


def test_what_is_deployed_is_right_and_what_is_missing_says_what_to_run(world: World) -> None:
    world.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    status, found = examined()
    assert status == 1
    assert [name for name, (is_right, _) in found.items() if is_right] == [
        *("python", "packages", "contracts", "stage", "aws", "bucket", "ledger", "seals"),
    ]
    assert "make deploy STAGE=local" in found["functions"][1]


def test_a_bucket_without_versioning_is_not_right(world: World) -> None:
    world.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"})
    status, found = examined()
    assert (status, found["bucket"][0]) == (1, False)
    assert "no versioning" in found["bucket"][1]
    assert "functions" not in found


def test_without_an_aws_nothing_of_it_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing_answers(_stage: str, _endpoint: str | None) -> str | None:
        raise UsageError("No AWS is running: start one with `make run`.")

    monkeypatch.setattr(doctor, "endpoint_for", nothing_answers)
    status, found = examined()
    assert (status, list(found)[-1]) == (1, "aws")
    assert "make run" in found["aws"][1]


def test_an_unknown_stage_and_a_bad_contract_are_told_by_their_own_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "texts", lambda: {"a.json": '{"name": "a", "match": "*.csv", "rows": 1}'})
    status, found = examined("--stage", "nowhere")
    assert (status, list(found)[-1]) == (1, "stage")
    assert "a.json: rows" in found["contracts"][1]
    assert "There is no stage 'nowhere'" in found["stage"][1]


def test_a_package_of_another_version_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "version", lambda _name: "0.0.1")
    found = examined()[1]["packages"]
    assert not found[0]
    assert "chalice (0.0.1)" in found[1]


def test_a_package_of_the_functions_own_is_looked_at_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = metadata.version
    monkeypatch.setattr(doctor, "version", lambda name: "0.0.1" if name == "orjson" else installed(name))
    assert "orjson (0.0.1)" in examined()[1]["packages"][1]


def test_a_check_that_no_deployment_would_take_is_not_right(monkeypatch: pytest.MonkeyPatch) -> None:
    schema = {"fields": [{"name": "id", "type": "integer"}]}
    wrong = {
        "name": "a",
        "match": "*.csv",
        "format": "csv",
        "schema": schema,
        "checks": {"total": "sum(no_column) > 0"},
    }
    monkeypatch.setattr(doctor, "texts", lambda: {"a.json": json.dumps(wrong)})
    is_right, words = examined()[1]["contracts"]
    assert (is_right, words.startswith("a.json: checks.total: ")) == (False, True)


@pytest.mark.parametrize("missing", [*load_config()["lambda_functions"], None])
def test_a_function_that_is_missing_is_named(
    world: World, monkeypatch: pytest.MonkeyPatch, missing: str | None
) -> None:
    def runtime(FunctionName: str) -> dict[str, str]:
        if FunctionName == absent:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetFunctionConfiguration")
        return {"Runtime": "python3.13"}

    absent = "recibo-local" if missing == "api_handler" else f"recibo-local-{missing}"
    monkeypatch.setattr(surroundings._client("lambda", None), "get_function_configuration", runtime)
    world.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    is_right, words = examined()[1]["functions"]
    assert is_right == (missing is None)
    assert missing is None or f"There is no function {absent}: run `make deploy STAGE=local`" in words
