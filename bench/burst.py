"""Bursts of uploads on the embedded AWS, beside what the model says of them: `python -m bench.burst`.

Each inspection waits a second, as for a slow bucket: so the machine's processors are not what is measured, and a queue
forms. One burst calibrates the one figure of the model, for how long an upload holds its environment; of the others the
model is told when their files were uploaded, and nothing else. Takes about two minutes.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from rich.console import Console

from bench.__main__ import machine
from bench.simulation import Account, Kind, Load, Run, State, mixed, simulate
from bench.tables import Section, Table, markdown, show
from cli.surroundings import Surroundings
from local.embedded import embedded_aws
from local.emulator import MOST_WORKERS
from tests.e2e.staging import staged

SLOW = """

def _make_slow() -> None:
    import time

    from chalicelib.intake import Intake

    take = Intake.take

    def slow(self, entry, **more):
        time.sleep(1)
        if entry.key.endswith(".bad"):
            raise RuntimeError("this inspection always raises")
        return take(self, entry, **more)

    Intake.take = slow


_make_slow()
"""
RETRY_AFTER = (1.0, 2.0)
"""The embedded AWS's: a minute and two would be AWS's own."""

WARMING, CALIBRATED_BY = 64, 100
BURSTS = ((100, 0), (300, 0), (500, 0), (300, 10))
"""How many files, and of how many one crashes on every try."""
THREADS = 8
BODY = b"id,name,amount\n" + b"1,Ana,10\n" * 200
SECONDS = 600
POLL_SECONDS = 0.5
NOTE = (
    "Seconds since the first upload, by the receipts' own times; {workers} environments, already started. A burst of "
    "{calibrated:,} files, not shown, gave the model its one figure: an upload takes {service:.2f} s. Half and all of "
    "those that have a verdict."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """What was measured, in order, from the first upload on. `finished` is of those that have a verdict."""

    uploaded: Sequence[float]
    finished: Sequence[float]
    crashed: int


def measure(aws: Surroundings, folder: str, count: int, one_in: int) -> Burst:
    """Upload so many files, of which one in so many is bad, and wait for their receipts."""
    s3, bucket = aws.client("s3"), aws.stage.bucket
    names = (f"{number}.{'bad' if one_in and number % one_in == one_in - 1 else 'csv'}" for number in range(count))
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda name: s3.put_object(Bucket=bucket, Key=f"{folder}/{name}", Body=BODY), names))
    made = _receipts(aws, folder, count)
    first = min(_time(one["uploaded_at"]) for one in made)
    return Burst(
        uploaded=sorted(_time(one["uploaded_at"]) - first for one in made),
        finished=sorted(_time(one["finished_at"]) - first for one in made if one.get("cause") != "system"),
        crashed=sum(one.get("cause") == "system" for one in made),
    )


def _receipts(aws: Surroundings, folder: str, count: int) -> list[dict[str, str]]:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        found = [one for one in aws.lists.newest(aws.stage.bucket) if one["key"].startswith(f"{folder}/")]
        if len(found) == count:
            return found
        time.sleep(POLL_SECONDS)
    raise SystemExit(f"burst: after {SECONDS} s {count - len(found)} of {count} uploads had no receipt")


def _time(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def predicted(uploaded: Sequence[float], service: float, one_in: int = 0) -> Run:
    """What the model makes of a burst, of which it knows when its files were uploaded."""
    account = Account(limit=MOST_WORKERS, start=0, retry_after=RETRY_AFTER)
    good, bad = Kind(name="good", seconds=service), Kind(name="bad", seconds=service, crashes=True)
    kinds = mixed(good, bad, one_in=one_in) if one_in else (good,)
    return simulate(Load(times=tuple(uploaded), kinds=kinds), account)


def calibrated(burst: Burst) -> float:
    """For how long an upload must hold its environment, for the model to end when the burst did."""
    least, most = 0.0, burst.finished[-1]
    while most - least > 0.001:
        middle = (least + most) / 2
        least, most = (
            (middle, most) if predicted(burst.uploaded, middle).drained < burst.finished[-1] else (least, middle)
        )
    return most


def compare(bursts: Sequence[tuple[int, int]], *, by: int) -> Section:
    """A row for each burst: measured, and what the model says."""
    with embedded_aws() as endpoint, staged("burst", endpoint, faults=SLOW) as stage:
        measure(stage.aws, "warming", WARMING, 0)
        service = calibrated(measure(stage.aws, "calibrating", by, 0))
        rows = [
            row
            for number, (count, one_in) in enumerate(bursts)
            for row in _row(measure(stage.aws, f"burst-{number}", count, one_in), service, one_in)
        ]
    columns = ("", "uploaded", "half done", "the model", "all done", "the model", "off by", "say crashed", "the model")
    note = NOTE.format(calibrated=by, service=service, workers=MOST_WORKERS)
    return Section(tables=[Table(title="Bursts on the embedded AWS", columns=columns, rows=rows, note=note)])


def _row(burst: Burst, service: float, one_in: int) -> Iterator[Sequence[str]]:
    run = predicted(burst.uploaded, service, one_in)
    said = sorted(one.finished for one in run.uploads if one.state is State.VERDICT and one.finished is not None)
    done, model = burst.finished[-1], said[-1]
    figures = (burst.uploaded[-1], statistics.median(burst.finished), statistics.median(said), done, model)
    name = f"{len(burst.uploaded):,} files" + (f", one in {one_in} crashes" if one_in else "")
    crashed = (f"{burst.crashed:,}", f"{run.states[State.CRASHED]:,}")
    yield (name, *(f"{figure:.1f}" for figure in figures), f"{model / done - 1:+.0%}", *crashed)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.burst", description=__doc__)
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    is_markdown = parser.parse_args().markdown
    section = compare(BURSTS, by=CALIBRATED_BY)
    if is_markdown:
        print(machine(), markdown([section]), sep="\n\n")
    else:
        show([section], Console(width=160))
    return 0


if __name__ == "__main__":
    sys.exit(main())
