"""How much memory an inspection holds, whatever the size of the file."""

from __future__ import annotations

from collections.abc import Callable

from bench.measure import run
from bench.scale import MB, Scale
from bench.tables import Goal, Section, Table

KINDS = ("export.csv", "quoted.csv", "flat.jsonl", "nested.jsonl", "array.json", "export.csv.gz")
LIMIT_MIB = 256
GROWTH = 1.10

NOTE = (
    "The most resident memory of a process that has loaded all that the Lambda function loads, and inspects a stream "
    "made in memory. Sizes are unpacked ones. Before the first byte it holds {base:.0f} MiB."
)


def hold(scale: Scale, progress: Callable[[str, float], None]) -> Section:
    """Inspect a short and a long stream of each kind."""
    rows, goals = [], []
    for kind in KINDS:
        progress(f"streaming {kind}", 0)
        short, long = (_mib(run("recibo-stream", kind, size).peak) for size in (scale.short_stream, scale.long_stream))
        progress(f"streaming {kind}", 1)
        rows.append((kind, f"{short:.0f}", f"{long:.0f}", f"{long / short:.2f} ×"))
        goals += _goals(kind, short, long)
    sizes = (f"peak MiB at {size // MB:,} MB" for size in (scale.short_stream, scale.long_stream))
    note = NOTE.format(base=_mib(run("footprint").peak))
    return Section(tables=[Table(title="Memory", columns=("", *sizes, "ratio"), rows=rows, note=note)], goals=goals)


def _goals(kind: str, short: float, long: float) -> list[Goal]:
    most, growth = max(short, long), long / short
    return [
        Goal(text=f"{kind}: {most:.0f} MiB at most, under {LIMIT_MIB}", met=most < LIMIT_MIB, floor=True),
        Goal(text=f"{kind}: {growth:.2f} × the memory on the long stream, within {GROWTH:.2f} ×", met=growth <= GROWTH),
    ]


def _mib(size: int) -> float:
    return size / (1 << 20)
