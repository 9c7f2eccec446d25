"""`put`: what it refuses before anything is sent, and what AWS refuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner

from cli import surroundings
from cli.main import recibo
from cli.surroundings import Surroundings
from infra.template import LOCAL
from tests.aws import World
from tests.events import BUCKET


@pytest.mark.parametrize(("name", "reason"), [("nowhere", "there is no such file"), ("", "it is a folder")])
def test_what_cannot_be_read_is_told_in_one_sentence_before_aws_is_looked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, reason: str
) -> None:
    monkeypatch.setattr(Surroundings, "find", lambda *_: pytest.fail("AWS was looked for"))
    (tmp_path / "a.csv").write_text("a\n1\n")
    done = CliRunner().invoke(recibo, ["put", str(tmp_path / "a.csv"), str(tmp_path / name)])
    assert done.exit_code == 2
    assert done.stderr.startswith(f"recibo: {tmp_path / name} could not be uploaded: {reason}")
    assert done.stderr.count("\n") == 1


def test_a_file_that_nobody_would_inspect_is_not_uploaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stage = replace(LOCAL, prefix="incoming/")
    monkeypatch.setattr(Surroundings, "find", lambda *_: Surroundings(stage=stage, endpoint=None))
    monkeypatch.setattr(Surroundings, "client", lambda *_: pytest.fail("AWS was asked"))
    (tmp_path / "a.csv").write_text("a\n1\n")
    done = CliRunner().invoke(recibo, ["put", str(tmp_path / "a.csv")])
    assert done.exit_code == 2
    assert "a.csv would get no receipt" in done.stderr
    assert "--prefix incoming/" in done.stderr


def test_a_bucket_that_does_not_exist_is_told_in_one_sentence(world: World, tmp_path: Path) -> None:
    world.s3.delete_bucket(Bucket=BUCKET)
    (tmp_path / "a.csv").write_text("a\n1\n")
    done = CliRunner().invoke(recibo, ["put", str(tmp_path / "a.csv")])
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "The stage is not deployed there" in done.stderr
    assert done.stderr.endswith(": run `make deploy`.\n")


def test_another_stage_that_is_not_deployed_is_named(world: World) -> None:
    done = CliRunner().invoke(recibo, ["ls", "--stage", "dev"])
    assert (done.exit_code, world.receipts) == (2, [])
    assert done.stderr.endswith("): run `make deploy STAGE=dev`.\n")


def test_a_bucket_that_refuses_the_upload_is_told_in_one_sentence(world: World, tmp_path: Path) -> None:
    surroundings._client("s3", None).meta.events.register("before-call.s3.PutObject", _forbidden)
    (tmp_path / "a.csv").write_text("a\n1\n")
    done = CliRunner().invoke(recibo, ["put", str(tmp_path / "a.csv")])
    assert (done.exit_code, world.receipts) == (2, [])
    assert done.stderr == "recibo: AWS refused PutObject: Access Denied (AccessDenied).\n"


def _forbidden(**_: object) -> None:
    raise ClientError({"Error": {"Code": "AccessDenied", "Message": "Access Denied"}}, "PutObject")
