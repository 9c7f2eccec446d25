"""What is known of a file while it is read: findings, facts, and at the end the verdict."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.contracts import Contract
from chalicelib.inspection.contracted import Contracted, findings_under
from chalicelib.inspection.limits import Limits
from chalicelib.inspection.report import Report, Status


class Draft:
    """A report in the making, perhaps under a contract."""

    def __init__(self, contract: Contract | None, limits: Limits) -> None:
        self._contract = contract
        self._limits = limits
        self.forget()

    def forget(self) -> None:
        """Begin anew: what was learnt so far is not of this file."""
        self.findings = findings_under(self._contract, self._limits)
        self.contracted = Contracted(self._contract, self.findings, self._limits) if self._contract else None
        self.report = Report(status=Status.SUCCEEDED)

    def note(self, **values: object) -> None:
        """Set values of the report."""
        self.report = replace(self.report, **values)  # type: ignore[arg-type]

    def verdict(self) -> Report:
        """The finished report; to be asked for once."""
        if self.contracted:
            self.note(contract=self.contracted.judged(self.report))
        cause = None if self.contracted and self.contracted.is_tolerant else self.findings.cause
        return replace(
            self.report,
            status=Status.FAILED if cause else Status.SUCCEEDED,
            cause=cause,
            findings=tuple(self.findings),
            counts=self.findings.counts,
        )
