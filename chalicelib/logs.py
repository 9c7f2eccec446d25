"""Structured logs: one JSON object a line, and never a byte of a file's content."""

from __future__ import annotations

import json
import logging
import sys
from datetime import timedelta

from chalicelib.intake import Outcome
from chalicelib.receipts import headline
from chalicelib.uploads import Entry

_logger = logging.getLogger("recibo.uploads")


def _configured() -> logging.Logger:
    if not _logger.handlers:
        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(logging.Formatter("%(message)s"))
        _logger.addHandler(handler)
        _logger.setLevel(logging.INFO)
        _logger.propagate = False  # Lambda's root logger would print every line a second time
    return _logger


def log_outcome(outcome: Outcome) -> None:
    """One line for an entry that has its receipt."""
    receipt, report = outcome.receipt, outcome.receipt.report
    line = {
        "level": "INFO",
        "event": _event(outcome),
        **_identity(receipt.entry),
        "inspection": receipt.inspection,
        "status": report and str(report.status),
        "cause": report and report.cause and str(report.cause),
        "format": report and report.format and str(report.format),
        "bytes": report and report.bytes,
        "lines": report and report.lines,
        "records": report and report.facts.records,
        "first_finding": (report and headline(report.findings)) or None,
        "findings": (report and dict(report.counts)) or None,
        "duration_ms": _milliseconds(receipt.finished_at - receipt.received_at),
        "latency_ms": _milliseconds(receipt.finished_at - receipt.entry.uploaded_at),
        "request_id": receipt.request_id,
    }
    _configured().info(_text(line))


def log_failure(entry: Entry, error: Exception, request_id: str | None) -> None:
    """One line for an entry that could not be handled this time and will be tried again."""
    line = {
        "level": "ERROR",
        "event": "not-handled",
        **_identity(entry),
        "error": type(error).__name__,
        "reason": reason_of(error),
        "request_id": request_id,
    }
    _configured().error(_text(line))


def reason_of(error: BaseException, limit: int = 300) -> str:
    """An exception in one short line; its text comes from libraries, not from files."""
    return " ".join(str(error).split())[:limit]


def _event(outcome: Outcome) -> str:
    if not outcome.is_new:
        return "duplicate"
    return "receipt" if outcome.receipt.report else "deletion"


def _identity(entry: Entry) -> dict[str, object]:
    return {"kind": str(entry.kind), "bucket": entry.bucket, "key": entry.key, "version_id": entry.version_id}


def _milliseconds(duration: timedelta) -> int:
    return duration // timedelta(milliseconds=1)


def _text(line: dict[str, object]) -> str:
    """One line whatever a key holds: JSON escapes its line breaks and control characters."""
    return json.dumps({name: value for name, value in line.items() if value is not None})
