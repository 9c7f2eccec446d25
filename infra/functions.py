"""The functions: what they are made from, and Chalice, which makes them."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

from botocore.exceptions import ClientError

from infra.joins import JOINS
from infra.lock import LOCK
from infra.stack import FINGERPRINT_TAG
from infra.stages import ROOT, UsageError
from infra.target import Target

EMULATOR_WAITERS = ROOT / "infra" / "emulator"


def fingerprint(target: Target) -> str:
    """A hash over everything that `chalice deploy` and the joins make the functions from."""
    project, stage = target.project, target.stage
    files = [project / name for name in ("app.py", "requirements.txt", LOCK, ".chalice/config.json")]
    files += sorted((project / "chalicelib").rglob("*"))
    files += sorted((project / ".chalice").glob(f"policy-*-{stage.name}.json"))
    joins = json.dumps({join.name: join.settings(target) for join in JOINS})
    digest = hashlib.sha256(f"{sys.version_info[:2]} {joins}".encode())
    for path in files:
        if path.is_file() and path.suffix != ".pyc":
            digest.update(f"{path.relative_to(project)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def deployed_fingerprint(target: Target) -> str | None:
    """The fingerprint of what is deployed; None if nothing is, or its deployment did not end."""
    try:
        function = target.client("lambda").get_function(FunctionName=target.stage.function("inspect"))
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return None
        raise
    tags: dict[str, str] = function.get("Tags", {})
    return tags.get(FINGERPRINT_TAG)


def leave_fingerprint(target: Target) -> None:
    """Tag what is deployed, last of all, with what it was made from."""
    functions = target.client("lambda")
    arn = functions.get_function(FunctionName=target.stage.function("inspect"))["Configuration"]["FunctionArn"]
    functions.tag_resource(Resource=arn, Tags={FINGERPRINT_TAG: fingerprint(target)})


def run_chalice(target: Target, command: str = "deploy") -> None:
    """Let Chalice, or chalice-local for an emulator, deploy or delete the functions; UsageError with its last line."""
    program = script("chalice-local" if target.endpoint else "chalice")
    arguments = [program, command, "--stage", target.stage.name]
    environment = _environment(target)
    done = subprocess.run(arguments, cwd=target.project, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip() or done.stdout.strip() or "it gave no reason").splitlines()[-1]
        raise UsageError(f"chalice {command} failed: {reason} (to see all of it: {' '.join(arguments)})")


def _environment(target: Target) -> dict[str, str]:
    # Without bytecode beside the sources, Chalice finds them as `build_zip` left them, and so uses its zip. If it did
    # not, it would build one of packages that nobody checked: so pip gives it none.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PIP_REQUIRE_HASHES": "1"}
    if target.endpoint:
        environment["AWS_ENDPOINT_URL"] = target.endpoint
        # Chalice looks every 5 s whether a function is ready, which an emulator's is in less than one: botocore
        # merges this folder's settings into its own, for as long a wait in steps of 0.5 s.
        data_paths = [str(EMULATOR_WAITERS), os.environ.get("AWS_DATA_PATH", "")]
        environment["AWS_DATA_PATH"] = os.pathsep.join(filter(None, data_paths))
    return environment


def script(name: str) -> str:
    """A command of the environment that runs this one, wherever the shell's PATH points."""
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.exists() else name
