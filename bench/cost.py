"""What inspecting costs on AWS, worked out from the CPU time that was measured: `python -m bench.cost`.

    python -m bench.cost --small 0.0026 --per-gb "CSV=2.4"    # a TB, and a million small files
    python -m bench.cost --small 0.0026 --monthly             # everything that a stage costs, from ten files a day on

Prices are assumptions, each named here, and can be given on the command line.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, fields

from bench.tables import Section, Table, tell

MEMORY_OF_ONE_CPU = 1_769
"""The MB of memory at which Lambda gives one whole virtual CPU; less memory has that much less of it."""
MEMORIES = (512, 1_024, 1_769, 3_538)
GB_PER_TB = 1_000
MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """Prices in US dollars (us-east-1, on demand), and what a file takes."""

    gb_second: float = 0.0000166667
    """Of Lambda, x86."""
    invocation: float = 0.0000002
    get: float = 0.0000004
    """Of S3: one a file."""
    write_unit: float = 0.000000625
    """Of DynamoDB on demand: one for each KB begun, in the table and in each index that takes part of it."""
    write_units: float = 7
    """Of a good file's receipt: 3 for its two to three KB, and 1 for each of the four indexes that it is in."""
    waiting: float = 0.03
    """Seconds for which a function waits for S3 and DynamoDB with each file."""
    cpu_speed: float = 1.0
    """How fast one virtual CPU of Lambda is beside the machine on which the CPU time was measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """What a stage costs beside inspecting, in US dollars (us-east-1), and how much of it a file of 2 kB takes."""

    event: float = 0.000001
    """Of EventBridge: one for each receipt."""
    announce_seconds: float = 0.05
    """Of an invocation of `announce`, at 512 MB, for up to a hundred receipts of one second."""
    log_gb: float = 0.50
    log_bytes: float = 1_200
    """Recibo's line, 0.8 KB, and Lambda's three."""
    sealed_units: float = 0.15
    """Write units of a receipt's share of its seal."""
    read_unit: float = 0.000000125
    verified_units: float = 2.0
    """Read units of verifying a receipt, twice within its first day."""
    list_request: float = 0.000005
    """Of S3, for 1,000 versions."""
    lists_an_hour: float = 6_000
    """Pages of the bucket's list that an hour's run of `reconcile` gets through, at 0.15 s each."""
    table_gb: float = 0.25
    """A month of a GB in the table; backups for point-in-time recovery add 0.20."""
    receipt_bytes: float = 4_500
    """Of a receipt in the table and its indexes."""
    alarm: float = 0.10
    alarms: float = 22
    dashboard: float = 3.00
    metric: float = 0.30
    metrics: float = 30
    """Of those in the log, and failures by cause and code: each costs a month if it was written in it."""
    key: float = 1.00
    """The key that signs the seals."""
    polling: float = 0.26
    """Of the dead letters' queue, which is asked without a pause."""
    batch_job: float = 0.25
    """Of S3 Batch Operations."""
    batch_task: float = 0.000001
    schedules: float = 0.60
    """An hourly `reconcile` and `seal`, and `verify` twice a day, of a few seconds each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """CPU seconds: of a GB of each kind of file, and of a small upload."""

    per_gb: dict[str, float]
    small: float


def seconds(cpu: float, memory: int, assumed: Assumptions) -> float:
    """How long that much work takes with that much memory; Recibo uses one CPU, so more memory than its is no gain."""
    return cpu / assumed.cpu_speed / min(1.0, memory / MEMORY_OF_ONE_CPU)


def compute(duration: float, memory: int, assumed: Assumptions) -> float:
    """What Lambda asks for so many seconds with so many MB."""
    return duration * memory / 1024 * assumed.gb_second


def per_terabyte(cpu_per_gb: float, memory: int, assumed: Assumptions) -> float:
    """Dollars for a TB of large files, whose requests cost nothing beside it."""
    return compute(seconds(cpu_per_gb, memory, assumed), memory, assumed) * GB_PER_TB


def per_million(cpu: float, memory: int, assumed: Assumptions) -> float:
    """Dollars for a million small files: Lambda, and the requests to S3 and DynamoDB."""
    requests = assumed.invocation + assumed.get + assumed.write_units * assumed.write_unit
    return (compute(seconds(cpu, memory, assumed) + assumed.waiting, memory, assumed) + requests) * MILLION


RATES = (
    ("10 a day", 10 / 86_400),
    ("1,000 a day", 1_000 / 86_400),
    ("1 a second", 1.0),
    ("100 a second", 100.0),
    ("1,000 a second", 1_000.0),
)
BACKFILLS = (1_000_000, 100_000_000)
RESERVED = 60
"""How many environments keep small files below what a new table takes (bench/simulation.py)."""
MONTH = 30 * 86_400
MEMORY = 1_769
"""What .chalice/config.json gives to `inspect`."""
ANNOUNCE_MEMORY, ANNOUNCED_AT_ONCE = 512, 100


def monthly(cpu: float, assumed: Assumptions, prices: Prices) -> Section:
    """A row for each thing that is paid, a column for each rate of files; and what was there before."""
    bills = [_bill(rate, cpu, assumed, prices) for _, rate in RATES]
    rows = [(name, *(_dollars(bill[name]) for bill in bills)) for name in bills[0]]
    totals = [sum(bill.values()) for bill in bills]
    rows.append(("a month", *map(_dollars, totals)))
    a_million = (total / (rate * MONTH) * MILLION for total, (_, rate) in zip(totals, RATES, strict=True))
    rows.append(("a million files", *map(_dollars, a_million)))
    took = seconds(cpu, MEMORY, assumed) + assumed.waiting
    rows.append(("environments at once", *(f"{rate * took:,.4g}" for _, rate in RATES)))
    rows.append(("write units a second", *(f"{rate * assumed.write_units:,.4g}" for _, rate in RATES)))
    said = ", ".join(f"{field.name} {getattr(prices, field.name):.10g}" for field in fields(prices))
    columns = ("files of 2 kB", *(name for name, _ in RATES))
    month = Table(title="A month", columns=columns, rows=rows, note=f"Assumed beside the above: {said}.")
    return Section(tables=[month, backfill(cpu, assumed, prices)])


def backfill(cpu: float, assumed: Assumptions, prices: Prices) -> Table:
    """What it costs to bring what was there before to its receipts, by a job of S3 Batch Operations."""
    looked_up = assumed.get + 0.5 * 2 * prices.read_unit  # a HEAD, and a consistent read that finds nothing
    a_file = per_million(cpu, MEMORY, assumed) / MILLION + prices.sealed_units * assumed.write_unit + prices.event
    rows = []
    for count in BACKFILLS:
        job = prices.batch_job + count * prices.batch_task
        again = job + count * (looked_up + compute(assumed.waiting, MEMORY, assumed) + assumed.invocation)
        hours = count * (seconds(cpu, MEMORY, assumed) + assumed.waiting) / RESERVED / 3_600
        rows.append(
            (
                f"{count:,}",
                _dollars(job),
                _dollars(job + count * (a_file + looked_up)),
                f"{hours:,.1f}",
                _dollars(again),
            )
        )
    columns = ("files of 2 kB", "the job itself", "all of it", f"hours, {RESERVED} environments", "the same job again")
    return Table(title="A backfill", columns=columns, rows=rows)


def _bill(rate: float, cpu: float, assumed: Assumptions, prices: Prices) -> dict[str, float]:
    """Dollars for a month of so many files a second, each kept for good: of the table, the first month's average."""
    files = rate * MONTH
    announced = files / min(ANNOUNCED_AT_ONCE, max(1.0, rate))
    announcing = compute(prices.announce_seconds, ANNOUNCE_MEMORY, assumed) + assumed.invocation
    lists = min(prices.lists_an_hour * MONTH / 3_600, files / 2 / 1_000 * MONTH / 3_600)
    fixed = prices.alarm * prices.alarms + prices.dashboard + prices.metric * prices.metrics
    return {
        "Lambda, inspecting": files
        * (compute(seconds(cpu, MEMORY, assumed) + assumed.waiting, MEMORY, assumed) + assumed.invocation),
        "S3, reading": files * assumed.get,
        "DynamoDB, writing": files * (assumed.write_units + prices.sealed_units) * assumed.write_unit,
        "DynamoDB, verifying": files * prices.verified_units * prices.read_unit,
        "DynamoDB, keeping": files / 2 * prices.receipt_bytes / 1e9 * prices.table_gb,
        "announcing": files * prices.event + announced * announcing,
        "logs": files * prices.log_bytes / 1e9 * prices.log_gb,
        "S3, reconciling": lists * prices.list_request,
        "alarms, dashboard, metrics": fixed,
        "key, polling, schedules": prices.key + prices.polling + prices.schedules,
    }


def _dollars(amount: float) -> str:
    return f"${amount:,.2f}" if amount < 100 else f"${amount:,.0f}"


def costs(measured: Measured, assumed: Assumptions) -> Section:
    """The table: a row for each kind of file, a column for each size of memory."""
    rows = [
        (f"a TB of {kind}", *(f"${per_terabyte(cpu, memory, assumed):.2f}" for memory in MEMORIES))
        for kind, cpu in measured.per_gb.items()
    ]
    small = (f"${per_million(measured.small, memory, assumed):.2f}" for memory in MEMORIES)
    rows.append(("a million files of 2 kB", *small))
    columns = ("", *(f"{memory:,} MB" for memory in MEMORIES))
    said = ", ".join(f"{field.name} {getattr(assumed, field.name):.10g}" for field in fields(assumed))
    return Section(tables=[Table(title="Cost", columns=columns, rows=rows, note=f"Assumed: {said}.")])


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table for the CPU time given."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.cost", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--per-gb", action="append", default=[], metavar="KIND=SECONDS", help="CPU seconds of a GB")
    parser.add_argument("--small", type=float, required=True, metavar="SECONDS", help="CPU seconds of a small upload")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--monthly", action="store_true", help="what a stage costs a month, at several rates of files")
    for field in (*fields(Assumptions), *fields(Prices)):
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=float, default=field.default)
    asked = parser.parse_args(arguments)
    kinds = (kind.partition("=") for kind in asked.per_gb)
    measured = Measured(per_gb={name: float(cpu) for name, _, cpu in kinds}, small=asked.small)
    assumed = Assumptions(**{field.name: getattr(asked, field.name) for field in fields(Assumptions)})
    prices = Prices(**{field.name: getattr(asked, field.name) for field in fields(Prices)})
    section = monthly(asked.small, assumed, prices) if asked.monthly else costs(measured, assumed)
    tell(section, as_markdown=asked.markdown)


if __name__ == "__main__":
    main()
