"""Receipts for the tests of what keeps them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from chalicelib.findings import Findings
from chalicelib.inspection import Report, inspect
from chalicelib.ports import Ledger
from chalicelib.receipts import Receipt, system_failure
from chalicelib.uploads import Entry, entry_of
from tests import events
from tests.fakes import NOON

SUCCESS = inspect([b"a,b\n1,2\n"], name="x.csv")


def failure(code: str = "object-missing", **values: Any) -> Report:
    findings = Findings()
    findings.add(code, **values)
    return system_failure(findings)


def crash() -> Report:
    return failure("inspection-crashed", reason="a bug", request_id="r")


def receipt(
    entry: Entry | None = None,
    *,
    report: Report | None = SUCCESS,
    at: datetime = NOON,
    inspection: int = 1,
    tries: int = 1,
) -> Receipt:
    found = entry or entry_of(events.record())
    return Receipt(
        entry=found,
        inspection=inspection,
        tries=tries,
        received_at=at,
        finished_at=at,
        report=report,
        inspector="1",
        request_id="r",
    )


def mark(ledger: Ledger, upload: Entry) -> None:
    ledger.mark(upload, started_at=NOON, deadline=NOON + timedelta(minutes=14))
