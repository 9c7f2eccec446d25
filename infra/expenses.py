"""What a stage costs, in the few lines that a plan has room for; bench/cost.py and docs/performance.md say more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

MONTHLY: Mapping[str, tuple[str, float]] = {
    "AWS::KMS::Key": ("key", 1.0),
    "AWS::CloudWatch::Alarm": ("alarm", 0.1),
    "AWS::CloudWatch::Dashboard": ("dashboard", 3.0),
}
"""Dollars a month for what costs even if no file comes: list prices of us-east-1."""

SMALL_CPU_SECONDS = 0.00153
"""Of one small upload (docs/performance.md, "A small upload")."""


def costs(types: Mapping[str, int], config: Mapping[str, Any]) -> Iterator[str]:
    """What is paid with no file at all, and for a million."""
    from bench.cost import Assumptions, per_million  # noqa: PLC0415 (only a plan needs it)

    fixed = {name: (types.get(kind, 0), price) for kind, (name, price) in MONTHLY.items()}
    parts = [_part(name, count, price) for name, (count, price) in fixed.items() if count]
    total = sum(count * price for count, price in fixed.values())
    yield f"${total:.2f} a month with no file at all" + (f" ({', '.join(parts)})" if parts else "")
    memory = config["lambda_functions"]["inspect"]["lambda_memory_size"]
    million = per_million(SMALL_CPU_SECONDS, memory, Assumptions())
    yield f"${million:.2f} for a million files of 2 kB, and cents for each TB of large ones (docs/performance.md)"
    yield "and what S3, DynamoDB and the logs store; list prices of us-east-1, without the free tier"


def _part(name: str, count: int, price: float) -> str:
    return f"{count} {name}{'' if count == 1 else 's'} at ${price:.2f}"
