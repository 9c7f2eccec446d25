"""Asking for inspections and waiting for their receipts: what `reconcile`, `retry` and `recheck` share."""

from __future__ import annotations

import itertools
import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import click
from rich.progress import Progress, SpinnerColumn, TextColumn

from chalicelib.aws.inspections import LambdaInspections
from chalicelib.reconcile import Receipts, Reconciliation
from chalicelib.scheduled import Inspections
from chalicelib.wanted import NotVersionedError, Run, Step, Wanted
from cli.progress import progress
from cli.surroundings import Surroundings
from cli.text import printable
from infra.stages import UsageError

OUTSTANDING = 100
"""How many inspections are asked for before a receipt comes: they share the function with the uploads of the hour."""

POLL_SECONDS = 0.5
THREADS = 8  # below botocore's ten connections
NAMED = 10
NOT_COME = 2

timeout_option = click.option(
    "--timeout", default=300, show_default=True, metavar="SECONDS", help="Stop when no receipt has come for so long."
)
dry_run_option = click.option("--dry-run", is_flag=True, help="Only list what would be asked for.")


def reconciliation(surroundings: Surroundings) -> Reconciliation:
    """The comparison of the stage's bucket with its ledger."""
    return Reconciliation(versions=surroundings.versions, receipts=surroundings.ledger, unfinished=surroundings.lists)


@dataclass(frozen=True, kw_only=True)
class Asking:
    """Asks for inspections, at most a hundred ahead of their receipts."""

    inspections: Inspections
    receipts: Receipts
    timeout: float

    @classmethod
    def of(cls, surroundings: Surroundings, *, timeout: float) -> Asking:
        """Asking the stage's function."""
        inspections = LambdaInspections(surroundings.client("lambda"), surroundings.stage.function("inspect"))
        return cls(inspections=inspections, receipts=surroundings.ledger, timeout=timeout)

    def ask(self, wanted: Iterable[Wanted]) -> None:
        """Ask for all of them at once."""
        for one in wanted:
            self._request(one)

    def answers(self, wanted: Iterable[Wanted]) -> Iterator[tuple[Wanted, dict[str, Any] | None]]:
        """Each with its receipt as that comes; with None, at last, those whose receipt did not come.

        Once none has come for the time-out, nothing more is asked for.
        """
        left, outstanding, heard = iter(wanted), list[Wanted](), time.monotonic()
        with ThreadPoolExecutor(THREADS) as pool:
            while True:
                new = list(itertools.islice(left, OUTSTANDING - len(outstanding)))
                list(pool.map(self._request, new))
                answers = list(zip(outstanding + new, pool.map(self._receipt, outstanding + new), strict=True))
                came = [(one, receipt) for one, receipt in answers if receipt]
                yield from came
                outstanding = [one for one, receipt in answers if not receipt]
                heard = time.monotonic() if new or came else heard
                if not answers or time.monotonic() - heard >= self.timeout:
                    break
                if outstanding:
                    time.sleep(POLL_SECONDS)
        yield from ((one, None) for one in outstanding)

    def _request(self, wanted: Wanted) -> None:
        self.inspections.request(wanted.entry, wanted.inspection, tries=wanted.tries)

    def _receipt(self, wanted: Wanted) -> dict[str, Any] | None:
        """The final receipt of the inspection, or of a later one."""
        item = self.receipts.current(wanted.entry.identity)
        is_there = item and item["inspection"] >= wanted.inspection and "finished_at" in item
        return item if is_there else None


@dataclass(kw_only=True)
class Work:
    """How far a command has come: what was found, what was asked for and what came of it; shown on a terminal."""

    run: Run = field(default_factory=Run)
    asked: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    late: list[Wanted] = field(default_factory=list)
    is_through: bool = False
    _progress: Progress | None = None

    @contextmanager
    def shown(self, *, is_printed: bool = False) -> Iterator[None]:
        """Show the counts on a terminal, unless lines are printed there; say of an unversioned bucket what to do."""
        self._progress = progress(SpinnerColumn(), TextColumn("{task.description}"), is_alone=is_printed)
        self._progress.add_task("")
        with self._progress:
            try:
                yield
            except NotVersionedError as error:
                raise UsageError(str(error)) from error

    def wanted(self, steps: Iterable[Step]) -> Iterator[Wanted]:
        """What the steps want, each counted as asked for when it is taken."""
        for step in steps:
            self.run = self.run.with_step(step)
            self._show()
            for one in step.wanted:
                self.asked += 1
                yield one
        self.is_through = True

    def take(self, wanted: Wanted, receipt: Mapping[str, Any] | None) -> None:
        """Count what came of an inspection."""
        if receipt is None:
            self.late.append(wanted)
        else:
            self.statuses[receipt.get("status", "recorded")] += 1
        self._show()

    @property
    def done(self) -> int:
        """How many inspections have their receipt."""
        return self.statuses.total()

    def _show(self) -> None:
        if self._progress:
            words = f"{self.run.listed:,} versions looked at, {self.asked:,} inspections asked for, {self.done:,} done"
            self._progress.update(self._progress.task_ids[0], description=words)

    def outcome(self) -> str:
        """What came of the inspections, in words."""
        counts = [f"{count:,} {status}" for status, count in sorted(self.statuses.items(), reverse=True)]
        return ", ".join([f"{_counted(self.done, 'inspection')} done", *counts])

    def as_json(self) -> dict[str, Any]:
        """All counts, and which receipts did not come."""
        run = self.run
        found = {"listed": run.listed, "missing": run.missing, "died": run.died, "system": run.system}
        late = [as_json(one) for one in self.late]
        made = {status: self.statuses[status] for status in ("succeeded", "failed", "recorded")}
        return {**found, "asked": self.asked, **made, "late": late}

    def say_late(self, timeout: float) -> int:
        """Name on standard error what did not come; the exit status."""
        if not self.late:
            return 0
        names = [*map(named, self.late[:NAMED]), *([f"{len(self.late) - NAMED:,} more"] if self.late[NAMED:] else [])]
        rest = "" if self.is_through else " Nothing more was asked for: run this again for the rest."
        click.echo(
            f"recibo: {_counted(len(self.late), 'receipt')} did not come, after {timeout} s without any; what was "
            f"asked for goes on, and is tried again if it fails: {', '.join(names)}.{rest}",
            err=True,
        )
        return NOT_COME


def print_wanted(wanted: Iterable[Wanted], *, json_lines: bool) -> None:
    """A line for each inspection that would be asked for."""
    for one in wanted:
        if json_lines:
            click.echo(json.dumps(as_json(one), ensure_ascii=False))
        else:
            click.echo(f"{one.reason:<7}  inspection {one.inspection} of {named(one)}")


def named(wanted: Wanted) -> str:
    """The version of the key, for people."""
    return f"{printable(wanted.entry.key)} ({printable(wanted.entry.version_id or 'no version')})"


def as_json(wanted: Wanted) -> dict[str, Any]:
    """What is wanted, for programs."""
    entry = wanted.entry
    names = {"key": entry.key, "version_id": entry.version_id, "kind": str(entry.kind)}
    return {**names, "inspection": wanted.inspection, "reason": str(wanted.reason)}


def _counted(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"
