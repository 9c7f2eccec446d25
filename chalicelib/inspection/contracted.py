"""A file under a contract: what that asks for beyond the format's own rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from chalicelib.contracts import Contract
from chalicelib.contracts.contract import DELIMITED, TABLES
from chalicelib.findings import CATALOGUE, Findings, Severity
from chalicelib.inspection.delimited_values import DelimitedValues
from chalicelib.inspection.json_values import JsonValues
from chalicelib.inspection.limits import Limits
from chalicelib.inspection.native_values import NativeValues
from chalicelib.inspection.report import Report
from chalicelib.inspection.report_parts import Judged
from chalicelib.inspection.sinks import RecordSink
from chalicelib.inspection.values import Values
from chalicelib.tableschema import Schema

if TYPE_CHECKING:
    from chalicelib.inspection.sql import NativeChecks


def findings_under(contract: Contract, limits: Limits) -> Findings:
    """The collector of a file's findings, with what its contract ignores and moves."""
    severity = {"value-outside-table": Severity.ERROR, **contract.severity} if contract.schema else contract.severity
    return Findings(per_code=limits.findings_per_code, severity=severity, ignored=contract.ignored)


class Contracted:
    """Judges a file's values as they pass, and the whole of it at the end."""

    def __init__(
        self, contract: Contract, findings: Findings, limits: Limits, out_of_time: Callable[[], bool] = lambda: False
    ) -> None:
        self._contract = contract
        self._findings = findings
        self._limits = limits
        self._out_of_time = out_of_time
        self._values = Values(contract.schema, findings, limits) if contract.schema else None
        self._records: DelimitedValues | JsonValues | NativeValues | None = None
        self.is_tolerant = False
        """Whether the errors are no more than the contract tolerates; known once it is judged."""

    def sink(self, found: str, delimiter: str | None) -> RecordSink | None:
        """What is to take the records of a file of that format, if anything."""
        schema = self._contract.schema
        if schema is None or self._values is None:
            return None
        if found in DELIMITED and delimiter:
            self._records = DelimitedValues(
                self._values,
                schema,
                self._findings,
                self._limits,
                delimiter=delimiter,
                header=self._contract.header,
                checks=self._contract.checks,
                out_of_time=self._out_of_time,
            )
            return self._records
        if found == "jsonl":
            checks = self._native_checks(schema, self._values)
            self._records = JsonValues(self._values, schema, self._findings, self._limits, checks=checks)
            return self._records
        return None

    def _native_checks(self, schema: Schema, values: Values) -> NativeChecks | None:
        if not self._contract.checks:
            return None
        from chalicelib.inspection.sql import NativeChecks  # noqa: PLC0415 - few contracts have checks

        return NativeChecks(self._contract.checks, schema, values, self._limits, out_of_time=self._out_of_time)

    @property
    def sheet(self) -> str | None:
        """Which sheet of a workbook is the table."""
        return self._contract.sheet

    def native_sink(self) -> NativeValues | None:
        """What is to take the rows of a file whose values are no texts, if anything."""
        schema = self._contract.schema
        if schema is None or self._values is None:
            return None
        self._records = NativeValues(self._values, schema, checks=self._native_checks(schema, self._values))
        return self._records

    def finish(self, *, is_whole: bool) -> None:
        """Judge the values that wait to be; the file is not whole if its end is not its own."""
        if self._records:
            self._records.finish(is_whole=is_whole)

    def close(self) -> None:
        """Give back what is shared with other inspections."""
        if self._records:
            self._records.close()

    def judged(self, report: Report) -> Judged:
        """Judge the whole file by what was learnt of it, and tell which rules it breaks."""
        is_allowed = report.lines == 0 and self._contract.empty_file
        if report.bytes is not None and not is_allowed:
            self._judge_whole(report)
        if self._values and not self._records:
            for name in self._contract.checks:
                reason = "the file has no rows that could be read as a table"
                self._values.add("check-not-evaluated", field=name, row=None, line=None, rule=reason, fields=name)
        self._tolerate(report.facts.records)
        broken = self._values.broken() if self._values else ()
        return Judged(name=self._contract.name, sha256=self._contract.sha256, broken_rules=broken)

    def _judge_whole(self, report: Report) -> None:
        contract, add = self._contract, self._findings.add
        wanted = self._wanted()
        if wanted and report.lines != 0 and report.format not in wanted:
            add("unexpected-format", found=report.format, expected=" or ".join(sorted(wanted)))
        for name, bounds, found in (
            ("bytes", contract.bytes, report.bytes),
            ("rows", contract.rows, 0 if report.lines == 0 else report.facts.records),
        ):
            if found is None:
                continue
            if bounds.at_least is not None and found < bounds.at_least:
                add(TOO_FEW[name], found=found, limit=bounds.at_least)
            if bounds.at_most is not None and found > bounds.at_most:
                add(TOO_MANY[name], found=found, limit=bounds.at_most)

    def _wanted(self) -> frozenset[str]:
        """The formats of which the file must be; none for any."""
        contract = self._contract
        if contract.format:
            return frozenset({contract.format})
        if contract.schema:
            return TABLES
        return TABLES | {"json"} if contract.rows.is_any else frozenset()

    def _tolerate(self, records: int | None) -> None:
        errors, tolerance = self._findings.errors, self._contract.tolerance
        if not (errors and tolerance and all(CATALOGUE[code].is_tolerable for code in errors)):
            return
        found, limit = sum(errors.values()), tolerance.allowed(records)
        self.is_tolerant = found <= limit
        if self.is_tolerant:
            self._findings.add("errors-tolerated", found=found, limit=limit)


TOO_FEW: Mapping[str, str] = {"bytes": "too-few-bytes", "rows": "too-few-rows"}
TOO_MANY: Mapping[str, str] = {"bytes": "too-many-bytes", "rows": "too-many-rows"}
