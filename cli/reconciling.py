"""`reconcile`, `retry` and `recheck`: inspections that no event asks for, by the same function."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from chalicelib.receipts import entry_from
from chalicelib.reconcile import kept_since, next_inspection
from chalicelib.uploads import Entry, Kind
from chalicelib.wanted import Run, Scope, Step
from cli.asking import Asking, Work, dry_run_option, print_wanted, reconciliation, timeout_option
from cli.options import aws_options, json_option, quiet_option
from cli.surroundings import Surroundings
from cli.text import bound, printable
from cli.views import display, report
from infra.stages import UsageError

HISTORY_SEARCHED = 1_000
SHOWN_WHOLE = 10
SECOND = timedelta(seconds=1)  # S3 tells no less, so that a version of this second may be given its end
CONFORMS, FAILS = 0, 1

prefix_option = click.option("--prefix", default="", help="Only keys that begin with this.")
no_wait_option = click.option("--no-wait", is_flag=True, help="Ask for all inspections at once and await none.")


@click.command()
@prefix_option
@click.option("--since", help="Only what landed since then: 2026-11-23T08:00, or how long ago: 90m, 6h, 2d.")
@dry_run_option
@no_wait_option
@timeout_option
@json_option
@quiet_option
@aws_options
def reconcile(surroundings: Surroundings, *, prefix: str, since: str | None, **options: Any) -> None:
    """Compare the bucket with the ledger, and have inspected what lacks its receipt.

    That is: versions without any receipt, inspections that died, and failures of Recibo itself. Where receipts
    expire, only what is young enough to have its own is looked at.

    Exit status: 0 if every inspection asked for has its receipt, 2 if some did not come.
    """
    now = datetime.now(UTC)
    floors = (bound(since), kept_since(now, _retention(surroundings)))
    scope = _scope(surroundings, now, prefix=prefix, since=max(filter(None, floors), default=None))
    _work(surroundings, reconciliation(surroundings).steps(scope, now=now), **options)


@click.command()
@prefix_option
@dry_run_option
@no_wait_option
@timeout_option
@json_option
@quiet_option
@aws_options
def retry(surroundings: Surroundings, *, prefix: str, **options: Any) -> None:
    """Have inspected again what failed by Recibo's own fault or died, however often it did.

    Exit status: 0 if every inspection asked for has its receipt, 2 if some did not come.
    """
    now = datetime.now(UTC)
    scope = _scope(surroundings, now, prefix=prefix)
    _work(surroundings, reconciliation(surroundings).retries(scope, now=now), **options)


@click.command()
@click.argument("key", required=False)
@click.option("--version", help="A version of the key, by its id (default: its latest upload).")
@click.option("--prefix", help="Instead of KEY: the latest upload of every key that begins with this.")
@click.option("--all-versions", is_flag=True, help="With --prefix: every version.")
@dry_run_option
@timeout_option
@json_option
@quiet_option
@aws_options
def recheck(
    surroundings: Surroundings,
    *,
    key: str | None,
    version: str | None,
    prefix: str | None,
    all_versions: bool,
    dry_run: bool,
    timeout: int,
    as_json: bool,
) -> None:
    """Inspect an upload once more, whatever its receipt says; earlier receipts stay.

    Exit status: 0 if all conform, 1 if some do not, 2 if a receipt did not come.
    """
    _refuse_mixed(key, version, prefix, all_versions=all_versions)
    work, uploads = Work(), _uploads(surroundings, key, version, prefix, all_versions=all_versions)
    steps = (Step(listed=1, wanted=(next_inspection(surroundings.ledger, entry),)) for entry in uploads)
    with work.shown(is_printed=dry_run or as_json):
        if dry_run:
            print_wanted(work.wanted(steps), json_lines=as_json)
            return
        shown = _rechecked(Asking.of(surroundings, timeout=timeout), work, steps, as_json=as_json)
    _show_rechecked(work, shown, as_json=as_json)
    sys.exit(work.say_late(timeout) or (FAILS if work.statuses["failed"] else CONFORMS))


# -- reconcile and retry


def _scope(surroundings: Surroundings, now: datetime, *, prefix: str, since: datetime | None = None) -> Scope:
    return Scope(bucket=surroundings.stage.bucket, prefix=prefix, since=since, until=now + SECOND)


def _retention(surroundings: Surroundings) -> timedelta | None:
    days = surroundings.stage.retention_days
    return timedelta(days=days) if days else None


def _work(
    surroundings: Surroundings, steps: Iterable[Step], *, dry_run: bool, no_wait: bool, timeout: int, as_json: bool
) -> None:
    """Have done what the steps want; ends the program."""
    work, asking = Work(), Asking.of(surroundings, timeout=timeout)
    with work.shown(is_printed=dry_run):
        if dry_run:
            print_wanted(work.wanted(steps), json_lines=as_json)
        elif no_wait:
            asking.ask(work.wanted(steps))
        else:
            for wanted, receipt in asking.answers(work.wanted(steps)):
                work.take(wanted, receipt)
    if as_json and not dry_run:
        click.echo(json.dumps(work.as_json(), ensure_ascii=False))
    elif not as_json:
        outcome = "nothing was asked for" if dry_run else f"{work.asked:,} asked for" if no_wait else work.outcome()
        click.echo(_summary(work.run, outcome))
    sys.exit(work.say_late(timeout))


def _summary(run: Run, outcome: str) -> str:
    """What was found and what came of it, in words."""
    found = {
        f"{run.missing:,} had no receipt": run.missing,
        f"{run.died:,} inspection{'' if run.died == 1 else 's'} had died": run.died,
        f"{run.system:,} had failed by Recibo's own fault": run.system,
    }
    reasons = ", ".join(words for words, count in found.items() if count)
    looked = f"{run.listed:,} version{'' if run.listed == 1 else 's'} looked at: " if run.listed else ""
    return f"{looked}{reasons}; {outcome}." if reasons else f"{looked or 'Nothing to do: '}none lacks its receipt."


# -- recheck


def _refuse_mixed(key: str | None, version: str | None, prefix: str | None, *, all_versions: bool) -> None:
    if (key is None) == (prefix is None):
        raise UsageError(
            "Name one KEY, or many by --prefix: `recibo.py recheck KEY` or `recibo.py recheck --prefix P`."
        )
    if version and prefix is not None:
        raise UsageError("--version names one version of one KEY: leave --prefix out.")
    if all_versions and prefix is None:
        raise UsageError("--all-versions goes with --prefix; for one version of a KEY there is --version.")


def _uploads(
    surroundings: Surroundings, key: str | None, version: str | None, prefix: str | None, *, all_versions: bool
) -> Iterator[Entry]:
    if key is not None:
        yield _upload(surroundings, key, version)
        return
    last = None
    for entry in _listed(surroundings, prefix or ""):
        if all_versions or entry.key != last:
            yield entry
        last = entry.key


def _listed(surroundings: Surroundings, prefix: str) -> Iterator[Entry]:
    """The uploads of the bucket's listing: by key, then newest first."""
    scope = _scope(surroundings, datetime.now(UTC), prefix=prefix)
    pages = reconciliation(surroundings).listed(scope)
    return (entry for page in pages for entry in page.entries if entry.kind is Kind.UPLOAD)


def _upload(surroundings: Surroundings, key: str, version: str | None) -> Entry:
    """The key's upload of that version, or its latest: as the ledger has it, else as the bucket does."""
    for summary in surroundings.lists.history(surroundings.stage.bucket, key, limit=HISTORY_SEARCHED):
        if summary["kind"] == Kind.UPLOAD and version in (None, summary.get("version_id")):
            return entry_from(surroundings.ledger.whole(summary))
    for entry in _listed(surroundings, key):
        if entry.key != key:
            break
        if version in (None, entry.version_id):
            return entry
    which = f"the version {version} of {key}" if version else key
    raise UsageError(f"Neither the ledger nor the bucket has {printable(which)}: `recibo.py ls` lists what there is.")


def _rechecked(asking: Asking, work: Work, steps: Iterable[Step], *, as_json: bool) -> list[dict[str, Any]]:
    """The first of the new receipts; as JSON all are printed as they come."""
    shown: list[dict[str, Any]] = []
    for wanted, receipt in asking.answers(work.wanted(steps)):
        work.take(wanted, receipt)
        if receipt and as_json:
            click.echo(json.dumps(receipt, ensure_ascii=False))
        elif receipt and len(shown) <= SHOWN_WHOLE:
            shown.append(receipt)
    return shown


def _show_rechecked(work: Work, shown: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        return
    if work.done > SHOWN_WHOLE:
        click.echo(f"{work.outcome()}.")
        return
    for receipt in shown:
        display(report(receipt["key"], receipt))
    if not work.asked:
        click.echo("The bucket has no such upload.")
