"""Runs jobs, each in a fresh process, taking turns; says what they took."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

SETTINGS: Mapping[str, str] = {
    "AWS_LAMBDA_FUNCTION_NAME": "recibo-bench-inspect",
    "RECIBO_BUCKET": "recibo-inbox-bench",
    "RECIBO_TABLE": "recibo-ledger-bench",
    "RECIBO_DEAD_LETTERS": "recibo-dead-letters-bench",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


class JobFailedError(Exception):
    """A measured process crashed; the text is what it printed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a job took: wall and CPU seconds, the most bytes resident, and its result."""

    seconds: float
    cpu: float
    peak: int
    result: Any


BYTECODE = Path(tempfile.gettempdir()) / "recibo-bench-bytecode"
"""Where the bytecode is kept of what is measured, packages included, so that all are imported from it alike."""


def environment() -> dict[str, str]:
    """That of every measured process: the stage's settings, no AWS to talk to, and no proxy to ask for it."""
    kept = {name: value for name, value in os.environ.items() if not _is_left_out(name)}
    return {**kept, **SETTINGS, "PYTHONPYCACHEPREFIX": str(BYTECODE)}


def _is_left_out(name: str) -> bool:
    return name.startswith(("AWS_", "RECIBO_", "PYTHON")) or name.lower().endswith("_proxy")


def python(*arguments: str, under: Sequence[str] = (), **variables: str) -> str:
    """What a fresh interpreter prints, perhaps under a tool; raises JobFailedError if it crashes."""
    command, environ = [*under, sys.executable, *arguments], {**environment(), **variables}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        raise JobFailedError(f"{' '.join(arguments)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout


def run(job: str, *arguments: object) -> Usage:
    """Do one job of `bench.jobs` once."""
    printed = python("-m", "bench.jobs", job, *map(str, arguments))
    return Usage(**json.loads(printed.splitlines()[-1]))


def interleaved(jobs: Sequence[tuple[object, ...]], runs: int) -> list[Usage]:
    """The usage of each job: median times, highest peak.

    All are run once before any is run again, so that noise meets them alike.
    """
    rounds = [[run(str(job), *arguments) for job, *arguments in jobs] for _ in range(runs)]
    return [_typical(usages) for usages in zip(*rounds, strict=True)]


def _typical(usages: Sequence[Usage]) -> Usage:
    return Usage(
        seconds=statistics.median(usage.seconds for usage in usages),
        cpu=statistics.median(usage.cpu for usage in usages),
        peak=max(usage.peak for usage in usages),
        result=usages[0].result,
    )
