"""The benchmark runs: figures are for people to judge, but a section that crashes is found here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.handlers import WARM_UP
from bench.measure import environment
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


def with_valgrind(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    """`python -m bench.instructions` where a script is all the valgrind there is."""
    if script:
        (folder / "valgrind").write_text(f"#!{sys.executable}\n{script}")
        (folder / "valgrind").chmod(0o755)
    command = [sys.executable, "-m", "bench.instructions", "--markdown"]
    environment = {**os.environ, "PATH": str(folder)}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120)


def test_instructions_of_a_call_have_no_start_in_them(tmp_path: Path) -> None:
    script = """import sys
who, name, size, calls = sys.argv[-4:]
print(f"Collected : {7_000_000_000 + int(calls) * (2_600_000 if who == 'recibo' else 2_000_000)}")
"""
    done = with_valgrind(tmp_path, script)
    assert (done.returncode, done.stderr) == (0, "")
    rows = [line for line in done.stdout.splitlines() if "bytes" in line]
    assert rows == [f"| {name}, 2,000 bytes | 2.60 | 2.00 | 1.30 × |" for name in ("export.csv", "flat.jsonl")]


def test_without_valgrind_instructions_are_not_counted_and_it_is_said(tmp_path: Path) -> None:
    done = with_valgrind(tmp_path, "")
    assert done.returncode == 2
    assert done.stderr.startswith("Instructions are counted by valgrind, which is not there")
    done = with_valgrind(tmp_path, "raise SystemExit('no such option')")
    assert done.returncode == 2
    assert "no such option" in done.stderr


def test_the_handler_that_is_counted_is_called_as_often_as_is_asked() -> None:
    done = run_job("handler", "recibo", "flat.jsonl", "2000", "3")
    assert done.stdout.count('"event": "receipt"') == WARM_UP + 3


def run_job(*arguments: str) -> subprocess.CompletedProcess[str]:
    """`python -m bench.jobs`."""
    command = [sys.executable, "-m", "bench.jobs", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=True, timeout=120)


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
