"""Every command that the documents tell a reader to run is run, and ends as they say."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from cli.surroundings import Surroundings
from docs.build import WALKTHROUGH
from docs.shell import Running, Shell, environment, processes_with, project_copy
from docs.walkthrough import IS_UP, PORT, Command, commands_of, session
from infra.stages import ROOT
from local.embedded import CREDENTIALS, free_port
from tests.api_page import BEGINNING, Part, part, parts

pytestmark = pytest.mark.e2e

README = commands_of((ROOT / "README.md").read_text())
STOP_SECONDS = 30
MARK = "RECIBO_DOCS_TEST"

# Commands of the README that are not run with the others, each with the reason.
EXCEPTIONS: Mapping[str, str] = {
    "make demo": "it has a test of its own",
    "make run": "the others are run while it is up",
}
# The tags of blocks that are for somewhere else.
ELSEWHERE: Mapping[str, str] = {
    "aws": "it needs an account, and costs",
    "docker": "it needs Docker",
}


def left_behind(variable: str) -> list[int]:
    """The processes that have the variable and do not end; they are ended then."""
    deadline = time.monotonic() + STOP_SECONDS
    while (left := processes_with(variable)) and time.monotonic() < deadline:
        time.sleep(0.2)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    return left


def failures(shell: Shell, commands: Iterable[Command], port: str) -> list[str]:
    """What does not end as declared, with what it printed."""
    found = []
    for command in commands:
        output, status = shell.run(command.text.replace(PORT, port))
        if status != command.status:
            found.append(f"{command.text}\nended with status {status}:\n{output}")
    return found


@pytest.fixture
def clone() -> Iterator[Path]:
    with project_copy() as copy:
        yield copy


@pytest.fixture
def shell(clone: Path) -> Iterator[Shell]:
    opened = Shell(clone, environment(clone))
    yield opened
    opened.close()


def test_every_command_of_the_walkthrough_ends_as_declared() -> None:
    with session() as opened:
        for command in commands_of(WALKTHROUGH.read_text()):
            done = opened.run(command)
            assert done.status == command.status, f"{command.text}\n{done.output}"
    assert left_behind(f"GATEWAY_PORT={opened.port}") == []


def test_make_demo_succeeds(shell: Shell) -> None:
    output, status = shell.run("make demo")
    assert status == 0, output
    assert "receipts are as declared" in output


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_every_command_of_the_readme_ends_as_declared_while_make_run_is_up(clone: Path, shell: Shell) -> None:
    port = str(free_port())
    running = Running(f"make run PORT={port}", clone, environment(clone) | {MARK: port}, until=IS_UP)
    try:
        commands = [each for each in README if each.tag not in ELSEWHERE and each.text not in EXCEPTIONS]
        failed = failures(shell, commands, port)
    finally:
        for pid in set(processes_with(f"{MARK}={port}")) - {running.pid}:  # make itself would die of it
            os.kill(pid, signal.SIGINT)
        status = running.wait()
    assert failed == []
    assert status == 0
    assert left_behind(f"GATEWAY_PORT={port}") == []
    assert not (clone / ".local" / "endpoint").exists()


def test_what_is_not_run_is_still_in_the_readme() -> None:
    assert set(EXCEPTIONS) <= {command.text for command in README}
    assert {command.tag for command in README} == {"", *ELSEWHERE}


# -- the examples of docs/api.md

THE_PAGES_ADDRESS = "http://127.0.0.1:8000"
STATUS = re.compile(r"^status (\d{3})$", re.MULTILINE)


@pytest.fixture
def asking(clone: Path, aws: Surroundings, link: str) -> Iterator[Shell]:
    """A terminal in which what comes before the first call is done; curl says the status of each answer."""
    (clone.parent / ".curlrc").write_text('write-out = "%{stderr}\\nstatus %{http_code}\\n"\n')
    opened = Shell(clone, {**environment(clone), **CREDENTIALS, "AWS_ENDPOINT_URL": str(aws.endpoint)})
    address = link.partition("?")[0].rstrip("/")
    for command in part(BEGINNING).commands:
        output, status = opened.run(command.text.replace(THE_PAGES_ADDRESS, address))
        assert status == 0, output
    (clone / "asking.py").write_text(part(BEGINNING).file("asking.py"))
    yield opened
    opened.close()


def test_every_example_of_the_api_answers_as_the_page_says(asking: Shell, clone: Path) -> None:
    failed = [line for each in parts() if each.title != BEGINNING for line in wrong_of(each, asking, clone)]
    assert failed == []


def wrong_of(section: Part, shell: Shell, clone: Path) -> Iterator[str]:
    """What does not do as a part of the page says: commands by their status, and an answer with its own each."""
    statuses = []
    for command in section.commands:
        output, status = shell.run(command.text)
        statuses += STATUS.findall(output)
        if status != command.status:
            yield f"{section.title}: {command.text}\nended with status {status}:\n{output}"
    if section.status and section.status not in statuses:
        yield f"{section.title}: curl was answered with {statuses}"
    for script in section.scripts:
        (clone / "example.py").write_text(script)
        output, status = shell.run("python example.py")
        if status or not output.startswith(section.status) or not output.strip():
            yield f"{section.title}: {script}\nended with status {status}:\n{output}"


# -- docs/operations.md


def test_every_command_of_the_page_on_operations_that_needs_no_account_ends_as_declared(
    clone: Path, aws: Surroundings
) -> None:
    commands = commands_of((ROOT / "docs" / "operations.md").read_text())
    shell = Shell(clone, {**environment(clone), **CREDENTIALS, "AWS_ENDPOINT_URL": str(aws.endpoint)})
    try:
        failed = failures(shell, (each for each in commands if each.tag not in ELSEWHERE), PORT)
    finally:
        shell.close()
    assert failed == []


# -- docs/localstack.md


def test_every_command_of_the_page_on_localstack_ends_as_declared(
    clone: Path, aws: Surroundings, emulator: str
) -> None:
    if emulator != "localstack":
        pytest.skip("the page is about LocalStack")
    commands = commands_of((ROOT / "docs" / "localstack.md").read_text())
    port = str(urlsplit(str(aws.endpoint)).port)
    shell = Shell(clone, environment(clone))
    try:
        failed = failures(shell, (each for each in commands if each.tag not in ELSEWHERE), port)
    finally:
        shell.close()
    assert failed == []


# -- docs/runbook.md


def test_every_command_of_the_runbook_ends_as_declared(clone: Path, aws: Surroundings, emulator: str) -> None:
    if emulator == "localstack":
        pytest.skip("recibo.py's commands are run there by the page on LocalStack")
    shell = Shell(clone, {**environment(clone), **CREDENTIALS, "AWS_ENDPOINT_URL": str(aws.endpoint)})
    commands = commands_of((ROOT / "docs" / "runbook.md").read_text())
    try:
        failed = failures(shell, (each for each in commands if each.tag not in ELSEWHERE), "")
    finally:
        shell.close()
    assert failed == []
