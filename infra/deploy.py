"""The one deploy step, the same for every stage: checks, stack, Chalice, then what Chalice cannot set.

    python -m infra.deploy --stage local

Running it again changes nothing and is quick: what is deployed carries the fingerprint of what it was made from.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from infra.checks import check
from infra.functions import deployed_fingerprint, fingerprint, leave_fingerprint, run_chalice
from infra.joins import JOINS
from infra.package import build_zip
from infra.policies import write_policies
from infra.stack import deploy_stack, lock_seals
from infra.stages import ROOT, UsageError, load_stage
from infra.target import Say, Target
from local.embedded import endpoint_for


def run(target: Target) -> bool:
    """Bring everything up to date; whether anything had to change."""
    check(target)
    with target.step("policies"):
        write_policies(target.stage, target.project)
    with target.step(f"stack {target.stage.stack}"):
        stack_changed = deploy_stack(target)
        lock_seals(target)
    if deployed_fingerprint(target) == fingerprint(target):
        target.say("functions: up to date")
        return stack_changed
    with target.step("zip"):
        build_zip(target.project, target.stage.name)
    with target.step("functions (chalice deploy)"):
        run_chalice(target)
    for join in JOINS:
        with target.step(join.name):
            join.run(target)
    leave_fingerprint(target)
    return True


def deploy(stage: str, project: Path = ROOT, endpoint: str | None = None, *, say: Say) -> bool:
    """Deploy the stage; whether anything changed. Raises UsageError for what a person can mend."""
    return run(Target(stage=load_stage(stage, project), project=project, endpoint=endpoint or None, say=say))


def main() -> int:
    """Deploy a stage; exit 2 with one sentence for what a person can mend."""
    parser = argparse.ArgumentParser(prog="python -m infra.deploy", description=__doc__.partition("\n")[0])
    parser.add_argument("--stage", default="local", help="a stage of .chalice/config.json (default: %(default)s)")
    parser.add_argument("--project", type=Path, default=ROOT, help="the project's folder (default: this one)")
    parser.add_argument("--endpoint-url", help="an emulator (default: AWS_ENDPOINT_URL; for local a running make run)")
    arguments = parser.parse_args()
    try:
        endpoint = endpoint_for(arguments.stage, arguments.endpoint_url)
        deploy(arguments.stage, arguments.project.resolve(), endpoint, say=print)
    except (UsageError, BotoCoreError, ClientError) as error:
        print(f"deploy: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
