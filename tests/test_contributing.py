"""CONTRIBUTING.md: what it tells to run can be run, and changes nothing where nothing is due."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs.shell import project_copy
from infra.stages import ROOT

TEXT = (ROOT / "CONTRIBUTING.md").read_text()
MODULES = sorted(set(re.findall(r"`python -m ([\w.]+)`", TEXT)))
ASKS_THE_INDEX = {"infra.lock"}  # tests/test_lock.py holds what it writes
WRITTEN = (".chalice", "docs/architecture.md", "sbom.json")


def test_every_target_that_it_names_is_one_of_the_makefile() -> None:
    named = set(re.findall(r"`make (\w+)`", TEXT))
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert named
    assert named <= targets


def test_every_file_that_it_names_is_there() -> None:
    named = re.findall(r"`([\w./]+\.(?:py|md|txt|json))`", TEXT)
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("module", [name for name in MODULES if name not in ASKS_THE_INDEX])
def test_what_is_made_from_the_code_is_as_its_command_makes_it(module: str) -> None:
    with project_copy() as copy:
        before = contents(copy)
        done = subprocess.run([sys.executable, "-m", module], cwd=copy, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert contents(copy) == before, f"run: python -m {module}"


def contents(project: Path) -> dict[str, str]:
    paths = [path for name in WRITTEN for path in [project / name, *(project / name).glob("*")] if path.is_file()]
    return {str(path.relative_to(project)): path.read_text() for path in paths}
