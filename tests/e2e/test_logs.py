"""The functions' log groups, once deployed."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.surroundings import Surroundings
from infra.logs import retentions
from infra.stages import load_config
from infra.target import Target

pytestmark = pytest.mark.e2e


def test_no_functions_log_is_kept_for_ever(aws: Surroundings, project: Path) -> None:
    """The API's included, whose group Chalice names wrong."""
    prefix = f"/aws/lambda/{aws.stage.stack}"
    groups = aws.client("logs").describe_log_groups(logGroupNamePrefix=prefix)["logGroups"]
    own = {group["logGroupName"]: group.get("retentionInDays") for group in groups}
    expected = retentions(Target(stage=aws.stage, project=project, endpoint=aws.endpoint, say=print))
    assert len(expected) == len(load_config()["lambda_functions"])
    assert {name: own.get(name) for name in expected} == dict.fromkeys(expected, load_config()["log_retention_in_days"])
