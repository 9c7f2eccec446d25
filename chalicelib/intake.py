"""The use case: one entry of the bucket's history becomes one entry of the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from chalicelib.findings import Findings
from chalicelib.inspection import VERSION, Report, inspect
from chalicelib.inspection.media_types import Format
from chalicelib.inspection.report import Status
from chalicelib.receipts import Receipt, system_failure
from chalicelib.uploads import Entry, Kind

if TYPE_CHECKING:
    from chalicelib.contracts import Contracts
    from chalicelib.ports import Clock, Inbox, Ledger

MARK_FROM = 64 << 20
"""From which size, in bytes, an inspection leaves a mark before it starts: it may take more than a second."""


class UnavailableError(Exception):
    """The announced bytes cannot be had, now or later: give up; the receipt says so.

    `code` is the finding, `values` fill its message.
    """

    def __init__(self, code: str, **values: Any) -> None:
        super().__init__(code)
        self.code = code
        self.values = values


class StillInspectingError(Exception):
    """Another inspection of the upload is going on: look again when its time is over, unless it ends in a receipt."""


class OpenedUpload(NamedTuple):
    """An upload being read: its bytes in chunks, and what it was uploaded with."""

    chunks: Iterator[bytes]
    declared_type: str | None
    metadata: Mapping[str, str]


class Outcome(NamedTuple):
    """What came of an entry: its receipt, and whether this delivery was the one that wrote it."""

    receipt: Receipt
    is_new: bool


class _Begun(NamedTuple):
    """An inspection that has begun."""

    entry: Entry
    inspection: int
    tries: int
    received_at: datetime


class Intake(NamedTuple):
    """Takes entries in: inspects uploads, records deletions, always ends with a receipt or an exception."""

    inbox: Inbox
    ledger: Ledger
    clock: Clock
    contracts: Contracts | None = None
    request_id: str | None = None

    def take(self, entry: Entry, *, inspection: int = 1, tries: int = 1) -> Outcome:
        """Inspect an upload, or record a deletion. Raises only when the world is broken, for Lambda to retry."""
        begun = _Begun(entry=entry, inspection=inspection, tries=tries, received_at=self.clock.now())
        if not _has_content(entry):
            return self._record(begun, report=_report_unread(entry))
        self._mark_if_long(begun)
        try:
            with self.inbox.open(entry, out_of_time=self._is_out_of_time) as opened:
                report = inspect(
                    opened.chunks,
                    name=entry.key,
                    declared_type=opened.declared_type,
                    contract=self.contracts.choose(entry.key) if self.contracts else None,
                    out_of_time=self._is_out_of_time,
                )
        except UnavailableError as reason:
            return self._record(begun, report=_failure(reason.code, **reason.values))
        return self._record(begun, report=report, opened=opened)

    def give_up(
        self, entry: Entry, *, inspection: int = 1, tries: int = 1, reason: str, request_id: str | None
    ) -> Outcome:
        """Record an upload whose every inspection crashed; what has no content to inspect is simply recorded.

        `request_id` is that of those inspections; raises StillInspectingError while another's goes on.
        """
        if not _has_content(entry):
            return self.take(entry, inspection=inspection)
        begun = _Begun(entry=entry, inspection=inspection, tries=tries, received_at=self.clock.now())
        report = _failure("inspection-crashed", reason=reason, request_id=request_id or "unknown")
        receipt = self._receipt(begun, report=report)
        return Outcome(receipt=receipt, is_new=self.ledger.give_up(receipt, request_id=request_id))

    def _is_out_of_time(self) -> bool:
        return self.clock.remaining() <= timedelta()

    def _mark_if_long(self, begun: _Begun) -> None:
        if (begun.entry.size or 0) >= MARK_FROM:
            self.ledger.mark(
                begun.entry,
                inspection=begun.inspection,
                tries=begun.tries,
                started_at=begun.received_at,
                deadline=begun.received_at + self.clock.remaining(),
                request_id=self.request_id,
            )

    def _record(self, begun: _Begun, *, report: Report | None, opened: OpenedUpload | None = None) -> Outcome:
        receipt = self._receipt(begun, report=report, opened=opened)
        return Outcome(receipt=receipt, is_new=self.ledger.record(receipt))

    def _receipt(self, begun: _Begun, *, report: Report | None, opened: OpenedUpload | None = None) -> Receipt:
        return Receipt(
            entry=begun.entry,
            inspection=begun.inspection,
            tries=begun.tries,
            received_at=begun.received_at,
            finished_at=self.clock.now(),
            report=report,
            declared_type=opened.declared_type if opened else None,
            metadata=opened.metadata if opened else {},
            request_id=self.request_id,
            inspector=VERSION,
        )


def _failure(code: str, **values: Any) -> Report:
    findings = Findings()
    findings.add(code, **values)
    return system_failure(findings)


def _has_content(entry: Entry) -> bool:
    return entry.kind is Kind.UPLOAD and not entry.is_folder_marker


def _report_unread(entry: Entry) -> Report | None:
    """What is known without reading: a folder marker is empty; a deletion is not judged."""
    return Report(status=Status.SUCCEEDED, format=Format.FOLDER, bytes=0) if entry.kind is Kind.UPLOAD else None
