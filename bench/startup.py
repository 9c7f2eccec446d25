"""What a cold start pays: importing the application, and the size of its deployment zip."""

from __future__ import annotations

import shutil
import statistics
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from bench.measure import ROOT, python
from bench.scale import MB, Scale
from bench.tables import Goal, Section, Table
from infra.package import build_zip

IMPORTS = ("app", "chalice, boto3")
POWERTOOLS = "aws_lambda_powertools"
"""What writing metrics with it would cost is measured where it is installed: docs/decisions.md."""

IMPORT_GOAL = 1.15
ZIP_GOAL_MB = 40


def start(scale: Scale, progress: Callable[[str, float], None]) -> Section:
    """Import each in fresh interpreters that take turns, the first turn unmeasured: it writes the bytecode."""
    progress("importing", 0)
    peers = [f"app, {POWERTOOLS}.metrics"] if find_spec(POWERTOOLS) else []
    rounds = [[_seconds(modules) for modules in (*IMPORTS, *peers)] for _ in range(scale.imports + 1)]
    app, bare, *others = (statistics.median(seconds) for seconds in zip(*rounds[1:], strict=True))
    progress("importing", 1)
    rows = [(f"import {IMPORTS[0]}", f"{app * 1000:.0f}", f"{app / bare:.2f} ×")]
    rows.append((f"import {IMPORTS[1]}", f"{bare * 1000:.0f}", ""))
    rows += [
        (f"import {peer}", f"{cpu * 1000:.0f}", f"{cpu / bare:.2f} ×") for peer, cpu in zip(peers, others, strict=True)
    ]
    return Section(
        tables=[Table(title="Cold start", columns=("", "ms", "ratio"), rows=rows)],
        goals=[
            Goal(
                text=f"importing app takes {app / bare:.2f} × as long as chalice and boto3, at most {IMPORT_GOAL} ×",
                met=app <= bare * IMPORT_GOAL,
            )
        ],
    )


def _seconds(modules: str) -> float:
    """CPU time: that on the clock is mostly what else the machine does."""
    code = f"import time; began = time.process_time(); import {modules}; print(time.process_time() - began)"
    return float(python("-c", code))


def package(_scale: Scale, progress: Callable[[str, float], None]) -> Section:
    """Build the zip, in a copy: building empties the project's own folder of deployments."""
    progress("building the zip", 0)
    with tempfile.TemporaryDirectory() as folder:
        size = build_zip(_copied(Path(folder) / "project"), "local").stat().st_size / MB
    progress("building the zip", 1)
    return Section(
        tables=[Table(title="Deployment zip", columns=("", "MB"), rows=[("zip", f"{size:.2f}")])],
        goals=[Goal(text=f"the zip has {size:.2f} MB, under {ZIP_GOAL_MB}", met=size < ZIP_GOAL_MB)],
    )


def _copied(project: Path) -> Path:
    """What Chalice packs, and its configuration."""
    unwanted = shutil.ignore_patterns("__pycache__", "deployments", "deployed")
    for folder in ("chalicelib", ".chalice", "vendor"):
        if (ROOT / folder).exists():
            shutil.copytree(ROOT / folder, project / folder, ignore=unwanted)
    for name in ("app.py", "requirements.txt", "requirements.lock"):
        shutil.copy(ROOT / name, project / name)
    return project
