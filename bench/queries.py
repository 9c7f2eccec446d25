"""What a page of the ledger costs to read, however large the ledger: `python -m bench.queries`.

The ledgers and the table that counts are those of tests/test_query_scale.py, which holds the table to moto's answers.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from rich.console import Console

from bench.scale import FULL, Scale
from bench.tables import Goal, Section, Table, show
from tests.counting_table import Reading
from tests.query_scale import PATTERNS, Large

SIZES = (1_000, 100_000, 1_000_000)
QUICK_SIZES = (1_000, 10_000, 20_000)
RUNS = 5
NOTE = "By receipts in the ledger. Units are DynamoDB's for reading; ms are the code's own, over a table in memory."
WIDTH = 160


def read(scale: Scale, progress: Callable[[str, float], None]) -> Section:
    """Read every way there is, in a ledger of each size."""
    sizes = SIZES if scale.enforced else QUICK_SIZES
    measured = [_measured(size, progress) for size in sizes]
    rows = [_row(pattern, [taken[pattern] for taken in measured]) for pattern in PATTERNS]
    columns = ("", "calls", *(f"items, {size:,}" for size in sizes), "units", *(f"ms, {size:,}" for size in sizes))
    grown = [pattern for pattern in PATTERNS if _has_grown(*(taken[pattern][0] for taken in measured[-2:]))]
    text = f"no query reads more of {sizes[-1]:,} receipts than of {sizes[-2]:,}" + "".join(f"; {one}" for one in grown)
    table = Table(title="Queries", columns=columns, rows=rows, note=NOTE)
    return Section(tables=[table], goals=[Goal(text=text, met=not grown, floor=scale.enforced)])


def _measured(size: int, progress: Callable[[str, float], None]) -> dict[str, tuple[Reading, float]]:
    """What each pattern of access reads, and its milliseconds; the ledger is gone afterwards."""
    progress(f"making a ledger of {size:,}", 0)
    large = Large.of(size)
    taken = {}
    for number, pattern in enumerate(PATTERNS):
        progress(f"reading {pattern}", number / len(PATTERNS))
        taken[pattern] = large.read_by(pattern), statistics.median(_seconds(large, pattern) for _ in range(RUNS)) * 1000
    return taken


def _seconds(large: Large, pattern: str) -> float:
    start = time.perf_counter()
    large.read_by(pattern)
    return time.perf_counter() - start


def _has_grown(before: Reading, after: Reading) -> bool:
    # A ledger of a thousand does not fill every page; from there on nothing may be more.
    return after.calls > before.calls or after.items > before.items


def _row(pattern: str, taken: list[tuple[Reading, float]]) -> tuple[str, ...]:
    last = taken[-1][0]
    items, milliseconds = [f"{reading.items:,}" for reading, _ in taken], [f"{spent:.1f}" for _, spent in taken]
    return (pattern, f"{last.calls}", *items, f"{last.units:g}", *milliseconds)


if __name__ == "__main__":
    show([read(FULL, lambda _what, _done: None)], Console(width=WIDTH))
