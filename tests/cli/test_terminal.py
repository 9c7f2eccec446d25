"""The real command in a pseudo-terminal and in pipes: colour, progress, quiet, Ctrl-C, width, readers that leave."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import pytest

from cli.main import CUT_OFF, INTERRUPTED, recibo
from infra.stages import ROOT
from tests.cli.simulated import NAME
from tests.cli.terminal import CTRL_C, Terminal, plain_environment

RECIBO = (sys.executable, str(ROOT / "recibo.py"))
SIMULATED = (sys.executable, "-m", "tests.cli.simulated", "3")
IMPATIENT = (
    *(sys.executable, "-c"),
    "import sys; sys.path.insert(0, '.'); from cli import main, progress; progress.DELAY_SECONDS = 0.0; main.recibo()",
)
"""Shows progress at once, if it shows any."""

GOOD, BAD = b"id,name\n1,Ana\n", b"id,name\n1,Ana\n2\n"
COLOUR = re.compile(rb"\x1b\[(?:\d+;)*(?:3[0-8]|9[0-7])[;m]")
CURSOR_SHOWN, CURSOR_HIDDEN = b"\x1b[?25h", b"\x1b[?25l"

CONTRACT = {"name": "people", "match": "**", "format": "csv", "schema": {"fields": [{"name": "id", "type": "integer"}]}}


@pytest.fixture
def good(tmp_path: Path) -> str:
    (tmp_path / "good.csv").write_bytes(GOOD)
    return str(tmp_path / "good.csv")


@pytest.fixture
def bad(tmp_path: Path) -> str:
    (tmp_path / "bad.csv").write_bytes(BAD)
    return str(tmp_path / "bad.csv")


@pytest.fixture
def contract(tmp_path: Path) -> str:
    (tmp_path / "people.json").write_text(json.dumps(CONTRACT))
    return str(tmp_path / "people.json")


def piped(command: Sequence[str], *, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        command, input=stdin, capture_output=True, check=False, cwd=ROOT, env={**plain_environment(), **environment}
    )


def shown(command: Sequence[str], *, columns: int = 100, **environment: str) -> bytes:
    with Terminal(command, columns=columns, environment=environment) as terminal:
        terminal.ended()
        return terminal.shown


# -- colour


def test_a_terminal_has_colour(good: str) -> None:
    assert COLOUR.search(shown([*RECIBO, "check", good]))


def test_a_pipe_has_neither_colour_nor_any_other_command(good: str, bad: str) -> None:
    done = piped([*RECIBO, "check", "--profile", good, bad], TERM="xterm-256color")
    assert b"\x1b" not in done.stdout + done.stderr
    assert done.stdout


def test_no_colour_is_shown_to_those_who_want_none(good: str, bad: str) -> None:
    assert not COLOUR.search(shown([*RECIBO, "check", good, bad], NO_COLOR="1"))


def test_a_terminal_that_understands_no_commands_gets_none(good: str, bad: str) -> None:
    printed = shown([*IMPATIENT, "check", good, bad], TERM="dumb")
    assert b"\x1b" not in printed
    assert b"succeeded" in printed


# -- progress and Ctrl-C


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe that is closed at last, whatever of it was closed before."""
    ends = os.pipe()
    yield ends
    for end in ends:
        try:
            os.close(end)
        except OSError:
            continue


def test_progress_is_on_the_terminal_and_not_in_the_pipe(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    with Terminal([*RECIBO, "check", "-"], stdin=reading, stdout=subprocess.PIPE) as terminal:
        os.close(reading)
        terminal.until(b"standard input")
        os.write(writing, GOOD)
        os.close(writing)
        assert terminal.ended() == 0
        assert terminal.process.stdout
        assert terminal.process.stdout.read().decode().startswith("✓ succeeded  standard input  text")
        assert terminal.shown.rindex(CURSOR_SHOWN) > terminal.shown.rindex(CURSOR_HIDDEN)


def test_nothing_of_progress_is_in_a_pipe(good: str) -> None:
    assert piped([*IMPATIENT, "check", good]).stderr == b""
    assert piped([*IMPATIENT, "check", good], TERM="xterm").stderr == b""


@pytest.mark.parametrize("more", [[], ["--contract", "CONTRACT"]], ids=["alone", "under a contract"])
def test_ctrl_c_ends_a_long_check_at_once_and_leaves_the_terminal_as_it_was(
    pipe: tuple[int, int], contract: str, more: list[str]
) -> None:
    reading, writing = pipe
    arguments = [contract if each == "CONTRACT" else each for each in more]
    with Terminal([*RECIBO, "check", *arguments, "-"], stdin=reading) as terminal:
        os.close(reading)
        os.write(writing, GOOD)
        terminal.until(b"standard input")
        terminal.press(CTRL_C)
        assert terminal.ended() == INTERRUPTED
        assert b"Traceback" not in terminal.shown
        assert terminal.shown.rindex(CURSOR_SHOWN) > terminal.shown.rindex(CURSOR_HIDDEN)


def test_ctrl_c_is_the_way_to_end_watch() -> None:
    with Terminal([*SIMULATED, "watch", "--since", "1h"]) as terminal:
        terminal.until(b"missing-cells")
        terminal.press(CTRL_C)
        assert terminal.ended() == 0
        assert b"Traceback" not in terminal.shown


# -- quiet


@pytest.mark.parametrize(("names", "status"), [(["good"], 0), (["good", "bad"], 1), (["bad", "missing"], 2)])
def test_quiet_says_nothing_but_errors_and_the_exit_status(good: str, bad: str, names: list[str], status: int) -> None:
    files = [{"good": good, "bad": bad}.get(name, name) for name in names]
    done = piped([*IMPATIENT, "check", "--quiet", *files])
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (status, b"", names.count("missing"))


def test_quiet_has_no_progress_on_a_terminal(good: str) -> None:
    assert shown([*IMPATIENT, "check", "-q", good]) == b""


@pytest.mark.parametrize("command", [["show", f"1 {NAME}"], ["reconcile"], ["retry"], ["recheck", "--prefix", "x"]])
def test_quiet_is_for_the_ledger_too(command: list[str]) -> None:
    done = piped([*SIMULATED, *command, "-q"])
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


ANSWERS_ARE_THE_POINT = {"completion", "contract infer", "ls", "open", "stats", "token create", "token ls", "watch"}
"""What would be the use of asking for a list, and for silence?"""


def commands(group: click.Group, prefix: str = "") -> Iterator[tuple[str, set[str]]]:
    """Every command, and its options."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{name} ")
        else:
            yield f"{prefix}{name}", {option for each in command.params for option in each.opts}


def test_every_command_that_judges_or_does_something_can_be_quiet() -> None:
    assert {name for name, options in commands(recibo) if "-q" not in options} == ANSWERS_ARE_THE_POINT
    assert all("--quiet" in options for _, options in commands(recibo) if "-q" in options)


def test_every_command_speaks_json() -> None:
    assert [name for name, options in commands(recibo) if "--json" not in options] == []


# -- readers that leave


@pytest.mark.parametrize(
    "command",
    [
        [*RECIBO, "check", "samples/acme/orders-ragged.csv"],
        [*RECIBO, "check", "--json", "samples/acme/orders-ragged.csv"],
        [*RECIBO, "contract", "infer", "samples/globex/inventory.tsv"],
        [*RECIBO, "completion", "bash"],
        [*SIMULATED, "ls"],
        [*SIMULATED, "stats", "--json"],
        [*SIMULATED, "export"],
        [*SIMULATED, "export", "--json"],
        [*SIMULATED, "watch", "--since", "1h"],
    ],
    ids=lambda command: " ".join(command[2:]),
)
def test_a_reader_that_leaves_is_no_error_that_is_told(pipe: tuple[int, int], command: list[str]) -> None:
    reading, writing = pipe
    os.close(reading)
    done = subprocess.run(
        command, stdout=writing, stderr=subprocess.PIPE, check=False, cwd=ROOT, env=plain_environment()
    )
    assert (done.returncode, done.stderr) == (CUT_OFF, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is full")
@pytest.mark.parametrize("command", [[*RECIBO, "check", "samples/acme/orders-ragged.csv"], [*SIMULATED, "export"]])
def test_a_disk_that_is_full_is_one_sentence(command: list[str]) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, check=False, cwd=ROOT, env=plain_environment()
        )
    assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)
    assert b"No space left on device" in done.stderr


# -- narrow terminals


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ([*SIMULATED, "ls"], [NAME, "missing-cells: row 2, line 3"]),
        ([*SIMULATED, "watch", "--since", "1h", "--count", "2"], [NAME, "succeeded", "size 14 B"]),
        ([*SIMULATED, "show", f"1 {NAME}"], [NAME, "latency_ms"]),
        ([*SIMULATED, "show", "--history", f"1 {NAME}"], [NAME, "failed"]),
        ([*SIMULATED, "stats"], ["uploads 3", "failed 1"]),
        ([*RECIBO, "check", "--profile", "samples/acme/orders-ragged.csv"], ["mean 1003.167", "distinct 6"]),
    ],
    ids=lambda each: " ".join(each[2:]) if each[0] == sys.executable else "",
)
def test_forty_columns_lose_nothing(command: list[str], told: list[str]) -> None:
    with Terminal(command, columns=40) as terminal:
        terminal.ended()
        lines = terminal.lines()
    assert max(map(len, lines)) <= 40
    words = re.sub(r"\s+", " ", " ".join(lines))
    assert [each for each in told if each not in words] == []


# -- completion


@pytest.mark.parametrize(
    ("words", "completed"),
    [("recibo.py ch", "check"), ("recibo.py check --qu", "--quiet"), ("recibo.py token re", "revoke")],
)
def test_a_shell_completes_commands_and_options(words: str, completed: str) -> None:
    count = str(len(words.split()) - 1)
    done = piped(RECIBO, _RECIBO_PY_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=count)
    assert done.stdout.decode().split() == [f"plain,{completed}"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_what_completion_prints_names_the_program(shell: str) -> None:
    done = piped([*RECIBO, "completion", shell])
    assert done.returncode == 0
    assert b"recibo.py" in done.stdout
    assert b"_RECIBO_PY_COMPLETE" in done.stdout
    assert json.loads(piped([*RECIBO, "completion", shell, "--json"]).stdout) == done.stdout.decode().removesuffix("\n")
