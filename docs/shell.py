"""Terminals for the documents: commands run as a reader would, in a copy of the project, and all is stopped after."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

from infra.stages import ROOT

COLUMNS = 100
COMMAND_SECONDS = 180
STOP_SECONDS = 30
LEFT_BEHIND = (".*_cache", ".git", ".hypothesis", ".local", ".venv", "__pycache__", "data", "deployed", "deployments")


@contextlib.contextmanager
def project_copy() -> Iterator[Path]:
    """A copy of the project that uses this one's .venv, so that no command touches what the clone has made."""
    folder = Path(tempfile.mkdtemp(prefix="recibo-docs-"))
    copy = folder / "recibo"
    try:
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*LEFT_BEHIND))
        (copy / ".venv").symlink_to((ROOT / ".venv").resolve())
        for requirements in copy.glob("requirements*.txt"):
            os.utime(requirements, (0, 0))  # .venv is taken as it is: `make setup` has nothing to do
        _add_python(folder / "bin")
        yield copy
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _add_python(folder: Path) -> None:
    """A `python` without the project's packages: what a reader has who did not activate .venv."""
    folder.mkdir()
    (folder / "python").symlink_to(Path(sys.executable).resolve())


def environment(project: Path, columns: int = COLUMNS) -> dict[str, str]:
    """A reader's: no AWS, no .venv; and coloured, of a fixed width and in UTC, for the pictures."""
    return {
        "PATH": os.pathsep.join([str(project.parent / "bin"), os.environ.get("PATH", os.defpath)]),
        "HOME": str(project.parent),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "TERM": "xterm-256color",
        "FORCE_COLOR": "1",
        "COLUMNS": str(columns),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


class Shell:
    """One bash session: what a command exports or sources is there for the next."""

    def __init__(self, project: Path, variables: Mapping[str, str]) -> None:
        self._process = _start(["bash", "--noprofile", "--norc"], project, variables, stdin=subprocess.PIPE)

    def run(self, command: str) -> tuple[str, int]:
        """Run it; what it printed, on both streams, and its exit status."""
        assert self._process.stdin is not None  # noqa: S101 (a pipe was asked for)
        mark = uuid.uuid4().hex
        self._process.stdin.write(f"{{\n{command}\n}} </dev/null\nprintf '\\n%s %d\\n' {mark} $?\n".encode())
        self._process.stdin.flush()
        output, last = _read_until(self._process, mark)
        return output.removesuffix("\n"), int(last.split()[-1])

    def close(self) -> None:
        """End the session and whatever it still runs."""
        _end(self._process, signal.SIGTERM)


class Running:
    """A command that stays up in a terminal of its own, until Ctrl-C."""

    def __init__(self, command: str, project: Path, variables: Mapping[str, str], *, until: str) -> None:
        self._process = _start(["bash", "-c", command], project, variables, stdin=subprocess.DEVNULL)
        output, last = _read_until(self._process, until)
        self.output = output + last

    @property
    def pid(self) -> int:
        """The process that was started."""
        return self._process.pid

    def wait(self) -> int:
        """Wait for it to end by itself; the exit status."""
        return _end(self._process, 0)

    def stop(self) -> int:
        """Ctrl-C, which reaches every process of the terminal; the exit status."""
        return _end(self._process, signal.SIGINT)


def _start(command: list[str], project: Path, variables: Mapping[str, str], *, stdin: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        cwd=project,
        env=variables,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def _read_until(process: subprocess.Popen[bytes], mark: str) -> tuple[str, str]:
    """What a process prints before the line that has the mark, and that line; kills it if that takes too long."""
    assert process.stdout is not None  # noqa: S101 (the same)
    timer = threading.Timer(COMMAND_SECONDS, os.killpg, (process.pid, signal.SIGKILL))
    timer.start()
    lines: list[str] = []
    try:
        for line in map(bytes.decode, process.stdout):
            if mark in line:
                return "".join(lines), line
            lines.append(line)
    finally:
        timer.cancel()
    raise RuntimeError(f"the command ended or took over {COMMAND_SECONDS} s, after printing:\n{''.join(lines)}")


def _end(process: subprocess.Popen[bytes], signal_number: int) -> int:
    """Ask the process and its children to end (0 only waits), and make them if they do not; the exit status."""
    for number in (signal_number, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=STOP_SECONDS)
            break
    return process.wait()


def processes_with(variable: str) -> list[int]:
    """Running processes that have `NAME=value` in their environment; none where there is no /proc."""
    found = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if variable.encode() in environ.read_bytes().split(b"\0"):
                found.append(int(environ.parent.name))
    return found
