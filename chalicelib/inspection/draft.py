"""What is known of a file while it is read: findings, facts, and at the end the verdict."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from chalicelib.findings import Findings
from chalicelib.inspection.limits import Limits
from chalicelib.inspection.report import Report, Status

if TYPE_CHECKING:
    from chalicelib.contracts import Contract
    from chalicelib.inspection.contracted import Contracted


class Draft:
    """A report in the making, perhaps under a contract."""

    def __init__(
        self, contract: Contract | None, limits: Limits, out_of_time: Callable[[], bool] = lambda: False
    ) -> None:
        self._contract = contract
        self._limits = limits
        self._out_of_time = out_of_time
        self.contracted: Contracted | None = None
        self.forget()

    def forget(self) -> None:
        """Begin anew: what was learnt so far is not of this file."""
        self.close()
        self.findings = Findings(per_code=self._limits.findings_per_code)
        self.contracted = self._under(self._contract) if self._contract else None
        self._known: dict[str, Any] = {}

    def _under(self, contract: Contract) -> Contracted:
        """What judges a file by its contract; most files have none, and need not load it."""
        from chalicelib.inspection.contracted import Contracted, findings_under  # noqa: PLC0415

        self.findings = findings_under(contract, self._limits)
        return Contracted(contract, self.findings, self._limits, self._out_of_time)

    def close(self) -> None:
        """Give back what is shared with other inspections."""
        if self.contracted:
            self.contracted.close()

    def note(self, **values: object) -> None:
        """Set values of the report."""
        self._known |= values

    @property
    def compression(self) -> str | None:
        """How the file is compressed, as far as is known."""
        return self._known.get("compression")

    def verdict(self) -> Report:
        """The finished report; to be asked for once."""
        if self.contracted:
            self.note(contract=self.contracted.judged(Report(status=Status.SUCCEEDED, **self._known)))
        cause = None if self.contracted and self.contracted.is_tolerant else self.findings.cause
        return Report(
            status=Status.FAILED if cause else Status.SUCCEEDED,
            cause=cause,
            findings=tuple(self.findings),
            counts=self.findings.counts,
            **self._known,
        )
