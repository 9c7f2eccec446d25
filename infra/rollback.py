"""Bring back the functions of an earlier commit. Bucket, table, queues and their contents are not touched.

python -m infra.rollback --stage prod --to v1.2.0
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from infra.canary import sing
from infra.checks import check_account, check_runtime
from infra.command import command
from infra.deploy import deploy_functions
from infra.stages import Stage, UsageError, load_config, load_stage
from infra.target import Target


def roll_back(target: Target, commit: str) -> None:
    """Deploy the functions, with their settings and policies, as they were at the commit."""
    if not commit:
        raise UsageError(f"Say where to go back to, as in `make rollback STAGE={target.stage.name} TO=v0.1.0`.")
    check_runtime(target)
    check_account(target)
    with _checked_out(target.project, commit) as project:
        stage = load_stage(target.stage.name, project)
        _refuse_others(target.stage, stage, commit)
        _refuse_other_functions(target.project, project, commit)
        deploy_functions(replace(target, stage=stage, project=project))
    target.say(f"functions: as at {commit}; `make deploy STAGE={stage.name}` brings back what is checked out here")


@contextmanager
def _checked_out(project: Path, commit: str) -> Iterator[Path]:
    """The files of a commit, in a folder of their own."""
    with tempfile.TemporaryDirectory(prefix="recibo-rollback-") as folder:
        packed = Path(folder) / "files.tar"
        _git(project, "archive", "--format=tar", f"--output={packed}", f"{commit}^{{commit}}")
        made = Path(folder) / "project"
        made.mkdir()
        subprocess.run(["tar", "-xf", str(packed), "-C", str(made)], check=True)
        for template in (project / "infra").glob("*.yaml"):  # the stacks stay as they are
            shutil.copy(template, made / "infra")
        yield made


def _git(project: Path, *arguments: str) -> None:
    done = subprocess.run(["git", "-C", str(project), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise UsageError(f"git does not have that commit: {(done.stderr.strip() or 'no reason').splitlines()[0]}")


def _refuse_others(now: Stage, then: Stage, commit: str) -> None:
    """A stage whose names were others then would leave what is there now without its functions."""
    names = ("bucket", "table", "dead_letters", "prefix")
    if changed := [name for name in names if getattr(now, name) != getattr(then, name)]:
        was = ", ".join(f"{name} {getattr(then, name)!r}" for name in changed)
        raise UsageError(f"At {commit} the stage {now.name} had other names ({was}): its functions would not fit.")


def _refuse_other_functions(now: Path, then: Path, commit: str) -> None:
    """What joins and watches them is today's, and does not fit functions that are not there."""
    ours, theirs = (set(load_config(project)["lambda_functions"]) for project in (now, then))
    if ours != theirs:
        raise UsageError(
            f"At {commit} there were other functions ({', '.join(sorted(ours ^ theirs))}): check it out, and deploy it "
            "whole (docs/operations.md)."
        )


def main(given: Sequence[str] | None = None) -> int:
    """Roll a stage back; exit 2 with one sentence for what a person can mend."""
    option = {"required": True, "metavar": "COMMIT", "help": "a commit, a tag or a branch"}
    return command("rollback", __doc__.partition("\n")[0], _work, ("--to", option), given=given)


def _work(target: Target, arguments: Namespace) -> int:
    roll_back(target, arguments.to)
    return sing(target)


if __name__ == "__main__":
    sys.exit(main())
