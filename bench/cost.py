"""What inspecting costs on AWS, worked out from the CPU time that was measured: `python -m bench.cost`.

Prices are assumptions, each named here, and can be given on the command line.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, fields

from rich.console import Console

from bench.tables import Section, Table, markdown, show

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
    parser = argparse.ArgumentParser(prog="python -m bench.cost", description=__doc__)
    parser.add_argument("--per-gb", action="append", default=[], metavar="KIND=SECONDS", help="CPU seconds of a GB")
    parser.add_argument("--small", type=float, required=True, metavar="SECONDS", help="CPU seconds of a small upload")
    parser.add_argument("--markdown", action="store_true")
    for field in fields(Assumptions):
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=float, default=field.default)
    asked = parser.parse_args(arguments)
    kinds = (kind.partition("=") for kind in asked.per_gb)
    measured = Measured(per_gb={name: float(cpu) for name, _, cpu in kinds}, small=asked.small)
    assumed = Assumptions(**{field.name: getattr(asked, field.name) for field in fields(Assumptions)})
    section = costs(measured, assumed)
    if asked.markdown:
        print(markdown([section]))
    else:
        show([section], Console())


if __name__ == "__main__":
    main()
