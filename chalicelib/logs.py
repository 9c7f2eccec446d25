"""Structured logs: one JSON object a line, and never a byte of a file's content. Metrics are members of these lines."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from chalicelib.findings import Severity
from chalicelib.inspection import Status
from chalicelib.intake import Outcome
from chalicelib.metrics import embedded
from chalicelib.receipts import finding_as_json, headline
from chalicelib.uploads import Entry


class Log(NamedTuple):
    """The log of one invocation: every line has its request id and its stage."""

    stage: str
    request_id: str | None = None

    def outcome(self, outcome: Outcome) -> None:
        """One line for an entry that has its receipt."""
        receipt, report = outcome.receipt, outcome.receipt.report
        line = {
            "event": _event(outcome),
            **_identity(receipt.entry),
            "inspection": receipt.inspection,
            "status": report and str(report.status),
            "cause": report and report.cause and str(report.cause),
            "format": report and report.format and str(report.format),
            "bytes": report and report.bytes,
            "lines": report and report.lines,
            "records": report and report.facts.records,
            "first_finding": (report and headline([finding_as_json(each) for each in report.findings[:1]])) or None,
            "findings": (report and dict(report.counts)) or None,
            "duration_ms": _milliseconds(receipt.finished_at - receipt.received_at),
            # A duplicate's says nothing of Recibo: the event may be delivered again after any time.
            "latency_ms": _milliseconds(receipt.finished_at - receipt.entry.uploaded_at) if outcome.is_new else None,
        }
        self._tell("INFO", line | _counted(outcome), at=receipt.finished_at)

    def failure(self, entry: Entry | None, *, reason: str, trace: list[str], at: datetime) -> None:
        """One line for what could not be handled this time; `entry` is None for a record that cannot be read."""
        event = {"event": "not-handled" if entry else "unreadable", **(_identity(entry) if entry else {})}
        self._tell("ERROR", event | {"reason": reason, "trace": trace, "retries": 1}, at=at)

    def work(self, event: str, done: Mapping[str, object], *, at: datetime, is_well: bool = True) -> None:
        """One line for what a function did beside taking uploads in."""
        self._tell("INFO" if is_well else "ERROR", {"event": event, **done}, at=at)

    def _tell(self, level: str, line: Mapping[str, Any], *, at: datetime) -> None:
        full = {"level": level, **line, "stage": self.stage, "request_id": self.request_id}
        _write({**full, **embedded(full, at)})


def log_denial(
    reason: str, *, name: str | None, address: str, request_id: str | None, source: str | None = None
) -> None:
    """One line for a call that was denied: by whose token, if it is known, and never with the token."""
    line = {"level": "WARNING", "event": "denied", "reason": reason, "token": name, "call": address}
    _write({**line, "source_address": source, "request_id": request_id})


def log_unanswered(address: str, *, reason: str, trace: list[str], request_id: str | None) -> None:
    """One line for a call of the API that could not be answered."""
    line = {"level": "ERROR", "event": "not-answered", "call": address, "reason": reason}
    _write({**line, "trace": trace, "request_id": request_id})


def _event(outcome: Outcome) -> str:
    if not outcome.is_new:
        return "duplicate"
    return "receipt" if outcome.receipt.report else "deletion"


def _counted(outcome: Outcome) -> dict[str, Any]:
    """What an outcome adds to the counts. A failure is counted once, under the first error that it has."""
    report = outcome.receipt.report
    if not outcome.is_new:
        return {"duplicates": 1}
    if report is None:
        return {}
    code = next((finding.code for finding in report.findings if finding.severity is Severity.ERROR), None)
    return {"uploads": 1, "failed": int(report.status is Status.FAILED), "code": code}


def _identity(entry: Entry) -> dict[str, object]:
    return {"kind": str(entry.kind), "bucket": entry.bucket, "key": entry.key, "version_id": entry.version_id}


def _milliseconds(duration: timedelta) -> int:
    return duration // timedelta(milliseconds=1)


def _write(line: Mapping[str, object]) -> None:
    """One line whatever a key holds: JSON escapes its line breaks and control characters.

    Standard output is a Lambda function's log. It is written to without the logging module, whose root logger
    Lambda's runtime sets up to print every line a second time.
    """
    text = json.dumps({name: value for name, value in line.items() if value is not None})
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
