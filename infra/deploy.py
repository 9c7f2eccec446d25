"""The one deploy step, the same for every stage: checks, stack, Chalice, what Chalice cannot set, a canary.

    python -m infra.deploy --stage local

Running it again changes nothing and is quick: what is deployed carries the fingerprint of what it was made from.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from infra.canary import sing
from infra.checks import check
from infra.command import command
from infra.functions import deployed_fingerprint, fingerprint, leave_fingerprint, run_chalice
from infra.joins import JOINS
from infra.package import build_zip
from infra.policies import write_policies
from infra.stack import deploy_stack, lock_seals
from infra.stages import ROOT, load_stage
from infra.state import restore_state
from infra.target import Say, Target


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
    deploy_functions(target)
    return True


def deploy_functions(target: Target) -> None:
    """Bring the functions up to date with the project, and what Chalice cannot set; the stack stays as it is."""
    with target.step("zip"):
        build_zip(target.project, target.stage.name)
    with target.step("functions (chalice deploy)"):
        restore_state(target)
        run_chalice(target)
    for join in JOINS:
        with target.step(join.name):
            join.run(target)
    leave_fingerprint(target)


def deploy(stage: str, project: Path = ROOT, endpoint: str | None = None, *, say: Say) -> bool:
    """Deploy the stage; whether anything changed. Raises UsageError for what a person can mend."""
    return run(Target(stage=load_stage(stage, project), project=project, endpoint=endpoint or None, say=say))


def main(given: Sequence[str] | None = None) -> int:
    """Deploy a stage; exit 2 with one sentence for what a person can mend, 1 if what was deployed does not work."""
    option = {"action": "store_true", "help": "upload no canary to see that it works"}
    return command("deploy", __doc__.partition("\n")[0], _work, ("--no-canary", option), given=given)


def _work(target: Target, arguments: Namespace) -> int:
    is_changed = run(target)
    return sing(target) if is_changed and not arguments.no_canary else 0


if __name__ == "__main__":
    sys.exit(main())
