"""Stages of a test's own: a copy of the project under another name, deployed, with faults if it is to have any."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.surroundings import Surroundings
from docs.shell import project_copy
from infra.deploy import deploy
from infra.stages import load_stage
from local.embedded import CREDENTIALS

TICK = {
    "version": "0",
    "id": "1",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "000000000000",
    "time": "2026-11-23T10:00:00Z",
    "region": "us-east-1",
    "resources": [],
    "detail": {},
}
"""The event of a schedule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """A deployed stage, and the project it was deployed from, whose command line knows it."""

    aws: Surroundings
    project: Path

    def recibo(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of recibo.py as an operator of the stage would."""
        called = [str(self.project / "recibo.py"), command, "--stage", self.aws.stage.name, *arguments]
        return subprocess.run(
            [sys.executable, *called],
            cwd=self.project,
            env={**os.environ, **CREDENTIALS, "AWS_ENDPOINT_URL": str(self.aws.endpoint)},
            capture_output=True,
            text=True,
            check=False,
        )

    def lines(self, command: str, *arguments: str, status: int = 0) -> list[dict[str, Any]]:
        """The JSON that a command prints, which must end with the status."""
        done = self.recibo(command, "--json", *arguments)
        assert done.returncode == status, done.stderr + done.stdout
        return [json.loads(line) for line in done.stdout.splitlines()]

    def invoke(self, function: str, event: dict[str, Any]) -> Any:
        """Call a function of the stage; its answer."""
        name = self.aws.stage.function(function)
        answer = self.aws.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
        said = answer["Payload"].read().decode()
        assert "FunctionError" not in answer, said
        return json.loads(said)


@contextmanager
def staged(name: str, endpoint: str, *, faults: str = "", anchor: str = "") -> Iterator[Staged]:
    """The stage `local` under another name; `faults` is Python appended to its app, `anchor` its RECIBO_ANCHOR."""
    os.environ.update(CREDENTIALS)
    with project_copy() as project:
        with (project / "app.py").open("a") as app:
            app.write(faults)
        shutil.copy(Path(__file__).with_name("faults.py"), project / "chalicelib")
        _add_stage(project, name, anchor)
        deploy(name, project, endpoint, say=_say)
        yield Staged(aws=Surroundings(stage=load_stage(name, project), endpoint=endpoint), project=project)


def _add_stage(project: Path, name: str, anchor: str) -> None:
    path = project / ".chalice" / "config.json"
    config = json.loads(path.read_text())
    stage = json.loads(json.dumps(config["stages"]["local"]).replace("-local", f"-{name}"))
    stage["environment_variables"].update({"RECIBO_ANCHOR": anchor} if anchor else {})
    config["stages"][name] = stage
    path.write_text(json.dumps(config))


def _say(line: str) -> None:
    print(line, file=sys.stderr)
