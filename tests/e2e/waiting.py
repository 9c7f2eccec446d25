"""Waiting for what an emulator does in its own time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

from cli.surroundings import Surroundings

T = TypeVar("T")
SECONDS = 120
POLL_SECONDS = 0.2


def until(condition: Callable[[], T | None], *, what: str, seconds: float = SECONDS) -> T:
    """The first result that is true; fails, saying what was waited for, if there is none in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        result = condition()
        if result:
            return result
        time.sleep(POLL_SECONDS)
    raise AssertionError(f"after {seconds} s there was still no {what}")


def history(aws: Surroundings, key: str, *, entries: int) -> list[dict[str, Any]]:
    """The key's final entries, newest first, once there are that many."""

    def complete() -> list[dict[str, Any]] | None:
        found = aws.lists.history(aws.stage.bucket, key, limit=1000)
        final = [entry for entry in found if "finished_at" in entry]
        return final if len(final) >= entries else None

    return until(complete, what=f"{entries} entries of {key!r}")


def receipt(aws: Surroundings, key: str) -> dict[str, Any]:
    """The receipt of a key's only upload, in full."""
    summaries = [entry for entry in history(aws, key, entries=1) if entry["kind"] == "upload"]
    assert len(summaries) == 1
    return aws.ledger.whole(summaries[0])
