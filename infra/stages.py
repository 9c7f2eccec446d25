"""The stages of .chalice/config.json: the one place that names a stage's bucket, table and queue."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.guards import Guards, guards_of

ROOT = Path(__file__).resolve().parents[1]


class UsageError(Exception):
    """Something a person can mend; its text is one clear sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A stage's names and settings."""

    name: str
    app_name: str
    api_stage: str = "api"
    """What the path of the API's address begins with."""
    bucket: str
    table: str
    dead_letters: str
    anchor: str = ""
    prefix: str = ""
    """What keys begin with that are this stage's, in a bucket that holds others' too; empty for all."""
    is_adopted: bool = False
    """Whether the bucket was there before Recibo and stays its owner's."""
    retention_days: int | None = None
    alarm_topic: str = ""
    """The ARN of the SNS topic that alarms tell, or nothing."""
    is_traced: bool = False
    """Whether X-Ray is told of invocations: `"xray": true`, of the stage or of all."""
    is_iam: bool = False
    """Whether the API's callers sign their requests instead of showing tokens."""
    guards: Guards = field(default_factory=Guards)

    @property
    def uploads(self) -> str:
        """The ARN of the objects that are inspected."""
        return f"arn:aws:s3:::{self.bucket}/{self.prefix}*"

    @property
    def seals_bucket(self) -> str:
        """The object-locked bucket that anchors the seals, or nothing."""
        return self.anchor.removeprefix("s3:") if self.anchor.startswith("s3:") else ""

    @property
    def seals_key(self) -> str:
        """The alias of the key that signs the seals, or nothing."""
        return self.anchor.removeprefix("kms:") if self.anchor.startswith("kms:") else ""

    @property
    def stack(self) -> str:
        """The CloudFormation stack that makes the bucket, the table and the queue."""
        return f"{self.app_name}-{self.name}"

    @property
    def unannounced(self) -> str:
        """The queue that is told which records of the ledger's stream were given up by `announce`."""
        return f"{self.stack}-unannounced"

    def function(self, name: str) -> str:
        """The full name Chalice gives a function."""
        return f"{self.app_name}-{self.name}-{name}"


def load_stage(name: str, project: Path = ROOT) -> Stage:
    """The stage of that name; raises UsageError if the configuration has none or it is incomplete."""
    config = load_config(project)
    stage = config.get("stages", {}).get(name)
    if stage is None:
        known = ", ".join(sorted(config.get("stages", {})))
        raise UsageError(f"There is no stage {name!r} in .chalice/config.json; it has {known}.")
    variables = stage.get("environment_variables", {})
    missing = [variable for variable in VARIABLES.values() if not variables.get(variable)]
    if missing:
        raise UsageError(f"The stage {name!r} in .chalice/config.json does not set {', '.join(missing)}.")
    if "app_name" not in config:
        raise UsageError(".chalice/config.json does not set app_name.")
    names = {field: variables[variable] for field, variable in VARIABLES.items()}
    return Stage(
        name=name,
        app_name=config["app_name"],
        api_stage=stage.get("api_gateway_stage", config.get("api_gateway_stage", "api")),
        anchor=_anchor(name, variables.get("RECIBO_ANCHOR", "")),
        prefix=_prefix(name, variables.get("RECIBO_PREFIX", "")),
        is_adopted=_is_adopted(name, variables.get("RECIBO_ADOPT_BUCKET", "")),
        retention_days=_retention(name, variables.get("RECIBO_RETENTION_DAYS", "")),
        alarm_topic=_alarm_topic(name, variables.get("RECIBO_ALARM_TOPIC", "")),
        is_traced=bool(stage.get("xray", config.get("xray"))),
        is_iam=variables.get("RECIBO_API_ACCESS") == "iam",
        guards=_guards(name, variables),
        **names,
    )


def _anchor(stage: str, setting: str) -> str:
    if setting and not re.fullmatch(r"s3:[a-z0-9][a-z0-9.-]+|kms:alias/[A-Za-z0-9/_-]+", setting):
        raise UsageError(
            f"The stage {stage!r} sets RECIBO_ANCHOR to {setting!r}: write s3:BUCKET for an object-locked bucket, "
            "kms:alias/NAME for a signing key, or leave it out."
        )
    return setting


def _prefix(stage: str, setting: str) -> str:
    if setting and not PREFIX.fullmatch(setting):
        raise UsageError(
            f"The stage {stage!r} sets RECIBO_PREFIX to {setting!r}: write one or more folders, as in incoming/, "
            "or leave it out to take the whole bucket."
        )
    return setting


def _is_adopted(stage: str, setting: str) -> bool:
    if setting not in {"", "true", "false"}:
        raise UsageError(
            f"The stage {stage!r} sets RECIBO_ADOPT_BUCKET to {setting!r}: write true if the bucket exists already and "
            "is not Recibo's, or leave it out."
        )
    return setting == "true"


def _alarm_topic(stage: str, setting: str) -> str:
    if setting and not re.fullmatch(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+", setting):
        raise UsageError(
            f"The stage {stage!r} sets RECIBO_ALARM_TOPIC to {setting!r}: write the ARN of an SNS topic, as in "
            "arn:aws:sns:eu-west-1:123456789012:alarms, or leave it out to be told nothing."
        )
    return setting


def _guards(stage: str, variables: Mapping[str, str]) -> Guards:
    try:
        guards = guards_of(variables)
    except ValueError as error:
        raise UsageError(f"The stage {stage!r}: {error}") from error
    if guards.uploaders and variables.get("RECIBO_ADOPT_BUCKET") == "true":
        raise UsageError(
            f"The stage {stage!r} sets RECIBO_UPLOADERS, but adopts its bucket, whose policy stays its owner's: leave "
            "one of the two out."
        )
    if guards.access_logs == variables.get("RECIBO_BUCKET"):
        raise UsageError(
            f"The stage {stage!r} sets RECIBO_ACCESS_LOGS to its own inbox, where each log would be an upload and be "
            "logged: name another bucket."
        )
    return guards


def _retention(stage: str, setting: str) -> int | None:
    if not setting:
        return None
    if not setting.isdecimal() or int(setting) < MIN_RETENTION_DAYS:
        raise UsageError(
            f"The stage {stage!r} sets RECIBO_RETENTION_DAYS to {setting!r}: write a number of days, at least "
            f"{MIN_RETENTION_DAYS}, or leave it out to keep receipts for ever. (An event may come again for up to 15 "
            "days; its receipt must still be there then.)"
        )
    return int(setting)


PREFIX = re.compile(r"(?:[A-Za-z0-9!_.'()=-]+/)+")
"""Folders whose names are the same in a key, in an S3 notification's filter and in a policy's ARN."""

MIN_RETENTION_DAYS = 30
"""Lambda keeps an event for 6 hours and the dead-letter queue for 14 days: only then can it not come again."""


VARIABLES: Mapping[str, str] = {
    "bucket": "RECIBO_BUCKET",
    "table": "RECIBO_TABLE",
    "dead_letters": "RECIBO_DEAD_LETTERS",
}


def load_config(project: Path = ROOT) -> dict[str, Any]:
    """.chalice/config.json, decoded."""
    path = project / ".chalice" / "config.json"
    try:
        config = json.loads(path.read_text())
    except FileNotFoundError as error:
        raise UsageError(f"There is no {path}.") from error
    except ValueError as error:
        raise UsageError(f"{path} is not JSON: {error}.") from error
    if not isinstance(config, dict):
        raise UsageError(f"{path} is not a JSON object.")
    return config
