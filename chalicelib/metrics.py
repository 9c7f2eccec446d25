"""What is measured, in CloudWatch's embedded metric format: members of a log line that name others. Pure.

No call is made and nothing waits: CloudWatch reads the metrics out of the log.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

NAMESPACE = "Recibo"
COUNT, BYTES, MILLISECONDS, SECONDS = "Count", "Bytes", "Milliseconds", "Seconds"

METRICS: Mapping[str, str] = {
    "uploads": COUNT,  # that have their receipt, with this inspection
    "failed": COUNT,  # of these, 0 or 1 each: the average is the share of failures
    "bytes": BYTES,
    "records": COUNT,
    "latency_ms": MILLISECONDS,  # from the upload, by S3's clock, to the receipt
    "duration_ms": MILLISECONDS,  # of the inspection
    "duplicates": COUNT,  # deliveries whose receipt was there
    "retries": COUNT,  # entries that could not be handled this time: Lambda or the queue brings them again
    "dead_letters": COUNT,  # that last_resort dealt with
    "reconcile_missing": COUNT,  # uploads of which the ledger knew nothing
    "reconcile_died": COUNT,  # marks whose time was over
    "reconcile_system": COUNT,  # system failures that are inspected again
    "reconcile_lag_s": SECONDS,  # since the last complete pass over the bucket began
    "oldest_unfinished_s": SECONDS,  # age of the oldest upload without a verdict; 0 if there is none
    "seals": COUNT,
    "sealed_receipts": COUNT,
    "sealed_late": COUNT,  # receipts that came after their hour's seal
    "verify_problems": COUNT,
    "verify_receipts": COUNT,  # that were recomputed
    "announced": COUNT,
    "not_announced": COUNT,  # items that look like receipts and are none
    "refused": COUNT,  # batches of which the event bus did not take all
}
"""Every metric there is, with its unit."""

OF_UPLOADS = frozenset({"failed", "bytes", "records", "latency_ms", "duration_ms"})
"""What is measured of a line that counts an upload, and of no other: a duplicate's bytes were counted before."""

DIMENSIONS: tuple[str, ...] = ("stage",)
OF_FAILURES: tuple[tuple[str, ...], ...] = (("stage", "cause"), ("stage", "code"))
"""What metrics are told apart by: few values each. Never a key or a source, of which there may be any number."""


def embedded(line: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """The member that makes metrics of a line's other members, for those among them that are any; else nothing."""
    measured = [
        name for name in METRICS if line.get(name) is not None and (name not in OF_UPLOADS or "uploads" in line)
    ]
    if not measured:
        return {}
    directives = [_directive([DIMENSIONS], measured)]
    if line.get("failed"):
        known = [names for names in OF_FAILURES if all(line.get(name) is not None for name in names)]
        directives += [_directive(known, ["failed"])] if known else []
    return {"_aws": {"Timestamp": int(at.timestamp() * 1000), "CloudWatchMetrics": directives}}


def _directive(dimensions: list[tuple[str, ...]], names: list[str]) -> dict[str, Any]:
    metrics = [{"Name": name, "Unit": METRICS[name]} for name in names]
    return {"Namespace": NAMESPACE, "Dimensions": [list(names) for names in dimensions], "Metrics": metrics}
