"""Progress: for a person at a terminal, on standard error, once something has lasted; and quiet, which has none."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from threading import Timer
from typing import Any, TextIO

import click
from rich.progress import Progress, ProgressColumn, SpinnerColumn, TextColumn, TimeElapsedColumn

from cli.views import console

DELAY_SECONDS = 0.5
"""How long something takes before a person wonders."""

_QUIET = "recibo.quiet"


def progress(*columns: str | ProgressColumn, is_alone: bool = False, **options: Any) -> Progress:
    """A progress for `with`, shown if standard error is a terminal.

    `is_alone`: what is printed meanwhile would run into it, so it is left out where that is a terminal as well.
    """
    screen = console(stderr=True)
    is_hidden = _is_quiet() or not (_is_terminal(sys.stderr) and screen.is_interactive)
    return _Patient(
        *columns,
        console=screen,
        transient=True,
        redirect_stdout=False,  # rich would send what is for a pipe to the terminal
        disable=is_hidden or (is_alone and _is_terminal(sys.stdout)),
        **options,
    )


@contextlib.contextmanager
def waiting(words: str) -> Iterator[None]:
    """Say what is waited for, and how long it has been."""
    with progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()) as shown:
        shown.add_task(words)
        yield


class _Patient(Progress):
    """Shows itself only once it has lasted: what is done at once does not flicker."""

    def __enter__(self) -> _Patient:
        self._timer = Timer(DELAY_SECONDS, self.start)
        self._timer.daemon = True
        if not self.disable:
            with _without_ctrl_c():
                self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        if not self.disable:
            self._timer.join()
        self.stop()


@contextlib.contextmanager
def _without_ctrl_c() -> Iterator[None]:
    """Threads begun here, and those they begin, leave Ctrl-C to the main thread.

    A signal that another thread gets does not wake the main thread from a read; half of the time it is another.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# -- quiet


def be_quiet(context: click.Context, _: click.Parameter, is_quiet: bool) -> None:
    """Let nothing reach standard output until the command ends, and show no progress."""
    be_unwatched(context, _, is_quiet)
    if is_quiet:
        nowhere = context.with_resource(open(os.devnull, "w", encoding="utf-8", errors="replace"))  # noqa: SIM115 (click closes it)
        context.with_resource(contextlib.redirect_stdout(nowhere))


def be_unwatched(context: click.Context, _: click.Parameter, is_quiet: bool) -> None:
    """Show no progress: for commands that print what was asked for."""
    context.meta[_QUIET] = is_quiet


def _is_quiet() -> bool:
    context = click.get_current_context(silent=True)
    return bool(context and context.meta.get(_QUIET))


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()
