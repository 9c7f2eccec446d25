"""What the commands of operations have in common: stage, profile and endpoint, and how a mistake is told."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.stages import ROOT, UsageError, load_stage
from infra.target import Target
from local.embedded import endpoint_for

Work = Callable[[Target, argparse.Namespace], int]


def command(
    name: str, description: str, work: Work, *options: tuple[str, dict[str, Any]], given: Sequence[str] | None = None
) -> int:
    """Do the work on the stage that was asked for; its exit status, or 2 after one sentence that a person can use."""
    parser = argparse.ArgumentParser(prog=f"python -m infra.{name}", description=description)
    parser.add_argument("--stage", default="local", help="a stage of .chalice/config.json (default: %(default)s)")
    parser.add_argument("--profile", help="a profile of the AWS CLI's configuration (default: AWS_PROFILE)")
    parser.add_argument("--project", type=Path, default=ROOT, help="the project's folder (default: this one)")
    parser.add_argument("--endpoint-url", help="an emulator (default: AWS_ENDPOINT_URL; for local a running make run)")
    for option, settings in options:
        parser.add_argument(option, **settings)
    arguments = parser.parse_args(given)
    if arguments.profile:
        os.environ["AWS_PROFILE"] = arguments.profile  # for Chalice too
    try:
        return work(_target(arguments), arguments)
    except (UsageError, BotoCoreError, ClientError) as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 2


def _target(arguments: argparse.Namespace) -> Target:
    project = arguments.project.resolve()
    return Target(
        stage=load_stage(arguments.stage, project),
        project=project,
        endpoint=endpoint_for(arguments.stage, arguments.endpoint_url),
        say=lambda line: print(line, flush=True),
    )
