"""docs/scale.md: its tables are what its commands print, and its commands and settings are understood."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from chalice.config import Config

from bench.cost import RESERVED, Prices
from bench.simulation import NEW_TABLE, SMALL, VISIBILITY, Account
from docs.walkthrough import Command, commands_of
from infra.stages import ROOT, load_stage
from infra.template import template

PAGE = (ROOT / "docs" / "scale.md").read_text()
COMMANDS = commands_of(PAGE)
BIN = Path(sys.executable).parent


def run(command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", **variables}
    return subprocess.run(
        ["bash", "-c", command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.mark.parametrize("command", [each for each in COMMANDS if not each.tag], ids=lambda each: each.text[:40])
def test_the_document_shows_what_its_command_prints(command: Command) -> None:
    done = run(command.text)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() in PAGE, f"put in what `{command.text}` prints now:\n{done.stdout}"


def test_what_is_not_run_says_why() -> None:
    assert {each.tag for each in COMMANDS} == {"", "aws", "by-hand"}
    assert [each.text for each in COMMANDS if each.tag == "by-hand"] == ["python -m bench.burst --markdown"]


def test_the_job_that_the_document_creates_is_one_that_s3_knows() -> None:
    """The AWS CLI checks every argument against S3's model, and sends nothing."""
    (command,) = [each.text for each in COMMANDS if each.text.startswith("aws s3control create-job")]
    etag = "60e460c9d1046e73f7dde5043ac3ae85"
    named = {"ACCOUNT": "123456789012", "REGION": "us-east-1", "JOBS": "jobs", "ETAG": etag}
    role = "arn:aws:iam::123456789012:role/a-job"
    done = run(f"{command} --generate-cli-skeleton output", ROLE=role, AWS_DEFAULT_REGION="us-east-1", **named)
    assert done.returncode == 0, done.stderr
    assert "JobId" in done.stdout
    assert f":function:{load_stage('prod').function('batch')}\\" in command


def test_the_reservation_that_the_document_shows_is_one_that_chalice_makes() -> None:
    (shown,) = re.findall(r"```json\n(.*?)\n```", PAGE, re.DOTALL)
    config = Config(
        chalice_stage="prod", function_name="inspect", config_from_disk={"stages": {"prod": json.loads(shown)}}
    )
    assert config.reserved_concurrency == RESERVED


def test_the_model_has_what_the_stack_sets() -> None:
    assert template()["Resources"]["DeadLetters"]["Properties"]["VisibilityTimeout"] == VISIBILITY


def test_what_is_reserved_stays_below_what_a_new_table_takes() -> None:
    assert RESERVED / SMALL.seconds * Account().units_of_receipt <= NEW_TABLE


def test_the_bill_has_every_alarm() -> None:
    watch = (ROOT / "infra" / "watch.yaml").read_text()
    assert Prices().alarms == watch.count("Type: AWS::CloudWatch::Alarm")
