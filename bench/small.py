"""What a small upload costs."""

from __future__ import annotations

from collections.abc import Callable

from bench.measure import run
from bench.scale import Scale
from bench.tables import Goal, Section, Table

FILES = (("export.csv", 2_000), ("export.csv", 100_000), ("flat.jsonl", 2_000))
GOAL = 1.3
SMALL = 2_000
"""Bytes of the files that the goal is for; what a longer one takes is mostly its inspection."""
NOTE = (
    "CPU of a call; AWS is answered at the wire, by another process and over TLS. The bare handler gets the file, "
    "counts its lines and puts an item."
)


def handle(scale: Scale, progress: Callable[[str, float], None]) -> Section:
    """Call both handlers on each file."""
    rows, goals = [], []
    for name, size in FILES:
        progress(f"handling {name}", 0)
        spent = run("handlers", name, size, scale.calls).result
        progress(f"handling {name}", 1)
        recibo, bare = (spent[who] * 1000 for who in ("recibo", "bare"))
        rows.append((f"{name}, {size:,} bytes", f"{recibo:.2f}", f"{bare:.2f}", f"{recibo / bare:.2f} ×"))
        if size <= SMALL:
            told = f"{name} of {size:,} bytes: {recibo / bare:.2f} × the CPU of a bare handler"
            goals.append(Goal(text=f"{told}, the aim is {GOAL} ×", met=recibo <= bare * GOAL))
    table = Table(title="A small upload", columns=("", "Recibo ms", "bare ms", "ratio"), rows=rows, note=NOTE)
    return Section(tables=[table], goals=goals)
