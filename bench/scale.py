"""How large a run is."""

from __future__ import annotations

from dataclasses import dataclass

MB = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Sizes in bytes. Floors are enforced at full scale only: a short run measures little but start-up."""

    name: str
    table: int
    lines: int
    document: int
    packed: int
    sample: int
    """For frictionless, which is slow, and for the files on which Recibo leaves its fast path."""
    short_stream: int
    long_stream: int
    runs: int
    imports: int
    calls: int
    enforced: bool


FULL = Scale(
    name="full",
    table=250 * MB,
    lines=250 * MB,
    document=100 * MB,
    packed=10 * MB,
    sample=10 * MB,
    short_stream=50 * MB,
    long_stream=2_000 * MB,
    runs=5,
    imports=10,
    calls=1_000,
    enforced=True,
)
QUICK = Scale(
    name="quick",
    table=1 * MB,
    lines=1 * MB,
    document=1 * MB,
    packed=MB // 10,
    sample=MB // 10,
    short_stream=2 * MB,
    long_stream=4 * MB,
    runs=1,
    imports=1,
    calls=20,
    enforced=False,
)
