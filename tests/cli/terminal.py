"""A command in a pseudo-terminal, as a person has it: what it shows is read, keys are pressed, nothing is slept for."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import IO, Self

PATIENCE_SECONDS = 60.0
CTRL_C = b"\x03"
_TAKE_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(2, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)
"""Makes the terminal that standard error is the session's own, so that its keys reach the command."""

_COMMAND = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]")


class Terminal:
    """Runs a command in a terminal of so many columns; standard input or output may be a pipe instead."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        columns: int = 100,
        stdin: int | None = None,
        stdout: int | IO[bytes] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._ours, its = pty.openpty()
        fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        self.shown = b""
        self.process = subprocess.Popen(
            [sys.executable, "-c", _TAKE_TERMINAL, *command],
            stdin=its if stdin is None else stdin,
            stdout=its if stdout is None else stdout,
            stderr=its,
            env={**plain_environment(), "TERM": "xterm-256color", **(environment or {})},
            start_new_session=True,
        )
        os.close(its)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()
        os.close(self._ours)

    def until(self, text: bytes) -> bytes:
        """Everything shown so far, once that is in it."""
        while text not in self.shown:
            assert self._reads(), f"it ended without showing {text!r}: {self.shown!r}"
        return self.shown

    def press(self, keys: bytes) -> None:
        """Type them."""
        os.write(self._ours, keys)

    def ended(self) -> int:
        """The exit status, once it has ended and all it showed is read."""
        began = time.monotonic()
        while self._reads():
            assert time.monotonic() - began < PATIENCE_SECONDS, f"it goes on: {self.shown[-200:]!r}"
        return self.process.wait(PATIENCE_SECONDS)

    def lines(self) -> list[str]:
        """What was shown, as lines without what commands the terminal."""
        return _COMMAND.sub(b"", self.shown).decode().replace("\r\n", "\n").replace("\r", "\n").split("\n")

    def _reads(self) -> bool:
        """Read more; False at its end."""
        ready, _, _ = select.select([self._ours], [], [], PATIENCE_SECONDS)
        assert ready, f"nothing was shown for {PATIENCE_SECONDS} s: {self.shown!r}"
        try:
            chunk = os.read(self._ours, 65536)
        except OSError:  # Linux's way to say that the other end is closed
            return False
        self.shown += chunk
        return bool(chunk)


def plain_environment() -> dict[str, str]:
    """The test's environment without what would choose colours, a width or an AWS."""
    chosen = ("AWS_", "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TTY_", "TERM")
    return {name: value for name, value in os.environ.items() if not name.startswith(chosen)}
