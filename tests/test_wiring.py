"""How the collaborators are built from a stage's environment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from chalicelib import wiring
from chalicelib.contracts import load
from chalicelib.logs import Log
from chalicelib.wiring import LambdaClock, Settings
from infra.stages import load_config
from infra.template import LOCAL
from tests.aws import World, simulated_aws


@dataclass
class Context:
    milliseconds: int
    aws_request_id: str = "r-1"

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with simulated_aws(monkeypatch) as made:
        yield made


def test_the_settings_are_those_of_the_stage() -> None:
    assert Settings.from_environment() == Settings(
        bucket=LOCAL.bucket, table=LOCAL.table, dead_letters=LOCAL.dead_letters, anchor=LOCAL.anchor
    )


def test_a_retention_is_read_in_days(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings.from_environment().retention is None
    monkeypatch.setenv("RECIBO_RETENTION_DAYS", "400")
    assert Settings.from_environment().retention == timedelta(days=400)


def test_uploads_are_judged_by_the_contracts_that_ship(world: World) -> None:  # noqa: ARG001 (its AWS)
    judged_by = wiring.intake(Context(milliseconds=1000)).contracts
    assert judged_by is not None
    assert [contract.sha256 for contract in judged_by.all] == [contract.sha256 for contract in load().all] != []


def test_a_function_knows_the_name_of_another_of_its_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "recibo-dev-reconcile")
    assert wiring.sibling("inspect") == "recibo-dev-inspect"


def test_keys_of_a_bucket_that_is_shared_are_those_with_the_stages_prefix(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For the hourly reconcile, for the folders that the API lists and for the forms that it signs."""
    monkeypatch.setenv("RECIBO_PREFIX", "incoming/")
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", LOCAL.stack)
    for key in ("incoming/a/1", "others/a/1"):
        world.s3.put_object(Bucket=LOCAL.bucket, Key=key, Body=b"")
    for build in (wiring.reconcile, wiring.api):
        build.cache_clear()
    listed = wiring.reconcile().reconciliation.versions.pages(LOCAL.bucket)
    assert [version.key for page in listed for version in page.versions] == ["incoming/a/1"]
    assert wiring.api().folders.below(LOCAL.bucket, "") == (["incoming/a/"], False)
    assert wiring.api().prefix == "incoming/"
    for build in (wiring.reconcile, wiring.api):
        build.cache_clear()


@pytest.mark.parametrize("function", sorted(load_config()["lambda_functions"].keys() - {"api_handler"}))
def test_a_functions_log_and_metrics_have_the_stages_name_and_the_request(
    function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", LOCAL.function(function))
    assert wiring.log(Context(milliseconds=1000)) == Log(stage=LOCAL.stack, request_id="r-1")


@pytest.mark.parametrize(("anchor", "copies", "signatures"), [("s3:seals", True, False), ("kms:alias/x", False, True)])
@pytest.mark.usefixtures("world")
def test_a_verification_has_the_stages_anchor(
    anchor: str, copies: bool, signatures: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECIBO_ANCHOR", anchor)
    wiring.verification.cache_clear()
    made = wiring.verification()
    wiring.verification.cache_clear()
    assert (made.copies is not None, made.signatures is not None) == (copies, signatures)


def test_a_missing_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RECIBO_TABLE")
    with pytest.raises(KeyError, match="RECIBO_TABLE"):
        Settings.from_environment()


@pytest.mark.parametrize(("milliseconds", "most"), [(900_000, 860), (60_000, 54), (100, 0.09), (0, 0)])
def test_an_inspection_keeps_time_back_to_write_its_verdict(milliseconds: int, most: float) -> None:
    assert LambdaClock(Context(milliseconds)).remaining() <= timedelta(seconds=most)


def test_the_clock_is_utc() -> None:
    assert LambdaClock(Context(1000)).now().utcoffset() == timedelta()


def test_connections_are_kept_between_invocations(world: World) -> None:
    first, second = (wiring.intake(Context(1000)) for _ in range(2))
    assert first.inbox is second.inbox
    assert first.ledger is second.ledger
    assert first.request_id == "r-1"
    assert world.calls == {}


def test_an_emulator_is_asked_for_a_bucket_by_path_and_not_by_host_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    client = wiring.client("s3")
    assert client.meta.config.s3["addressing_style"] == "path"
    assert client.meta.endpoint_url == "http://127.0.0.1:4566"
