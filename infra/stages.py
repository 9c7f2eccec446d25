"""The stages of .chalice/config.json: the one place that names a stage's bucket, table and queue."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


class UsageError(Exception):
    """Something a person can mend; its text is one clear sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A stage's names."""

    name: str
    app_name: str
    bucket: str
    table: str
    dead_letters: str

    @property
    def stack(self) -> str:
        """The CloudFormation stack that makes the bucket, the table and the queue."""
        return f"{self.app_name}-{self.name}"

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
    return Stage(name=name, app_name=config["app_name"], **names)


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
