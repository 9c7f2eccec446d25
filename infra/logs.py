"""For how long the functions' logs are kept.

Chalice sets `log_retention_in_days` too, but of the API it names the log group as it names no function: what the API
logs would be kept, and paid, for ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from infra.stages import load_config
from infra.target import Target


def retentions(target: Target) -> Mapping[str, int]:
    """The days for which each function's log group is kept, by its name."""
    config, stage = load_config(target.project), target.stage
    settings = {**config, **config["stages"][stage.name]}
    days = settings.get("log_retention_in_days")
    names = {name: stage.function(name) for name in config["lambda_functions"]}
    names["api_handler"] = stage.function("").rstrip("-")  # the API's function is named for the stage alone
    return {f"/aws/lambda/{name}": days for name in names.values()} if days else {}


def set_retentions(target: Target) -> None:
    """Set them, whoever has made the groups; what Lambda has not made yet is made."""
    logs = target.client("logs")
    for group, days in retentions(target).items():
        _make(logs, group)
        logs.put_retention_policy(logGroupName=group, retentionInDays=days)


def _make(logs: Any, group: str) -> None:
    try:
        logs.create_log_group(logGroupName=group)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
            raise
