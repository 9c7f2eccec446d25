"""The benchmark runs: figures are for people to judge, but a section that crashes is found here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench.tables import Goal, Section, Table, markdown

ROOT = Path(__file__).resolve().parents[1]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """`python -m bench`, briefly."""
    command = [sys.executable, "-m", "bench", "--quick", "--markdown", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize(
    ("section", "title"),
    [
        ("speed", "CSV as in a real export"),
        ("memory", "Memory"),
        ("start", "Cold start"),
        ("small", "A small upload"),
        ("routes", "The API's routes"),
    ],
)
def test_every_section_runs_to_its_table(section: str, title: str) -> None:
    done = run("--sections", section)

    assert done.returncode == 0, done.stderr
    assert f"**{title}" in done.stdout


def test_an_unknown_section_is_refused_with_those_there_are() -> None:
    done = run("--sections", "sped")

    assert done.returncode == 2
    assert (
        "there is no section 'sped': choose from speed, memory, start, package, small, queries, routes" in done.stderr
    )


def test_markdown_has_a_row_for_each_row_and_a_line_for_each_goal() -> None:
    table = Table(title="Speed", columns=("", "MB/s"), rows=[("Recibo", "7")])
    goals = [Goal(text="fast", met=True), Goal(text="small", met=False, floor=True), Goal(text="neat", met=False)]

    assert markdown([Section(tables=[table], goals=goals)]).splitlines() == [
        "**Speed**",
        "",
        "|  | MB/s |",
        "| --- | ---: |",
        "| Recibo | 7 |",
        "",
        "- pass  fast",
        "- FAIL  small",
        "- miss  neat",
    ]
