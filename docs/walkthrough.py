"""The commands of a Markdown page, read and run in order.

The fenced blocks tagged `sh` are commands for one shell. A block tagged `sh other-terminal` holds one command that
stays up until the end. Blocks with another second word (`sh aws`) are for elsewhere. `# exit status 1` at a
command's end declares its status; without it, 0. A picture belongs to the commands before it.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from docs.shell import COLUMNS, Running, Shell, environment, project_copy
from local.embedded import free_port

PORT = "4566"
"""The port that the pages name; a free one takes its place."""
OTHER_TERMINAL = "other-terminal"
IS_UP = "Ctrl-C stops"
"""What a command for another terminal prints once it is up."""

PART = re.compile(
    r"^```sh(?P<tag>[^\n]*)\n(?P<body>.*?)^```$|!\[[^\]]*\]\((?:docs/)?pictures/(?P<picture>[\w-]+)\.svg\)",
    re.MULTILINE | re.DOTALL,
)
STATUS = re.compile(r"\s*# exit status (\d+)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command as it is written, the second word of its block's tag, and the exit status it should have."""

    text: str
    tag: str = ""
    status: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Commands up to the next picture, and that picture's name."""

    commands: tuple[Command, ...]
    picture: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A command that was run."""

    command: Command
    output: str
    status: int


def steps_of(markdown: str) -> list[Step]:
    """A page's steps."""
    steps, commands = [], list[Command]()
    for part in PART.finditer(markdown):
        if part["picture"] is None:
            commands += _commands(part["body"], part["tag"].strip())
        elif commands:
            steps.append(Step(commands=tuple(commands), picture=part["picture"]))
            commands = []
    return [*steps, Step(commands=tuple(commands), picture=None)] if commands else steps


def commands_of(markdown: str) -> list[Command]:
    """A page's commands."""
    return [command for step in steps_of(markdown) for command in step.commands]


def _commands(body: str, tag: str) -> Iterator[Command]:
    """A command ends with its line, unless a backslash continues it."""
    for text in re.split(r"(?<!\\)\n", body):
        if text.strip() and not text.startswith("#"):
            declared = STATUS.search(text)
            status = int(declared[1]) if declared else 0
            yield Command(text=STATUS.sub("", text), tag=tag, status=status)


class Session:
    """A reader's terminals, in a copy of the project."""

    def __init__(self, project: Path, columns: int) -> None:
        self.port = free_port()
        self._project = project
        self._variables = environment(project, columns)
        self._shell = Shell(project, self._variables)
        self._others: list[Running] = []

    def run(self, command: Command) -> Done:
        """Run one command; one for another terminal is done when it is up."""
        text = command.text.replace(PORT, str(self.port))
        if command.tag == OTHER_TERMINAL:
            other = Running(text, self._project, self._variables, until=IS_UP)
            self._others.append(other)
            return Done(command=command, output=other.output, status=0)
        output, status = self._shell.run(text)
        return Done(command=command, output=output, status=status)

    def close(self) -> None:
        """Close every terminal."""
        self._shell.close()
        for other in self._others:
            other.stop()


@contextlib.contextmanager
def session(columns: int = COLUMNS) -> Iterator[Session]:
    """A session for the length of the block, in a copy of the project of its own."""
    with project_copy() as project:
        opened = Session(project, columns)
        try:
            yield opened
        finally:
            opened.close()


def run_steps(steps: Sequence[Step], columns: int = COLUMNS) -> Iterator[tuple[Step, list[Done]]]:
    """Run the steps in order; each with what came of its commands."""
    with session(columns) as opened:
        for step in steps:
            yield step, [opened.run(command) for command in step.commands]
