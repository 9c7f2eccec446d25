"""The values of records, judged by a schema: run by run, in the order of the file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from chalicelib.findings import Findings
from chalicelib.inspection.limits import MIB, Limits
from chalicelib.inspection.report_parts import BrokenRule
from chalicelib.tableschema import Schema, Uniqueness

RULES: Mapping[str, str] = {
    "type": "type-error",
    "required": "constraint-required",
    "minimum": "constraint-minimum",
    "maximum": "constraint-maximum",
    "exclusiveMinimum": "constraint-exclusive-minimum",
    "exclusiveMaximum": "constraint-exclusive-maximum",
    "minLength": "constraint-min-length",
    "maxLength": "constraint-max-length",
    "pattern": "constraint-pattern",
    "enum": "constraint-enum",
}
"""The code of the finding for each rule of a field."""
HEADER: Mapping[str, str] = {"missing": "missing-label", "extra": "extra-label", "order": "incorrect-label"}
"""The code of the finding for each rule of the header."""

Cell = tuple[int, str]
"""The number of a cell's column, and what the cell is called in its workbook."""


class Values:
    """Reports what breaks a schema's rules, and counts it exactly for each rule."""

    def __init__(self, schema: Schema, findings: Findings, limits: Limits) -> None:
        self._findings = findings
        self._limit = limits.uniqueness_bytes
        self._counts: dict[tuple[str, str | None], int] = {}
        self.kept = limits.findings_per_code
        """How many findings of a code are kept."""
        self.uniqueness = Uniqueness(limits.uniqueness_bytes)
        self.unique = tuple(_unique_rules(schema))
        """What must be unique, in the order of `Rows.keys`: the code, the field if it is one, all fields in words."""
        self.is_whole = True
        """Whether there was room for all values that must be unique."""

    def broken(self) -> tuple[BrokenRule, ...]:
        """The rules that were broken, in the order in which they were first, and how often."""
        return tuple(BrokenRule(code=code, field=field, count=count) for (code, field), count in self._counts.items())

    def add(
        self,
        code: str,
        *,
        field: str | None,
        row: int | None,
        line: int | None,
        rule: str = "",
        fields: str = "",
        member: str | None = None,
        cell: Callable[[], Cell] | None = None,
    ) -> None:
        """Report a broken rule, of a field or of a member that is none; `cell` tells where in a workbook."""
        self._counts[code, field] = self._counts.get((code, field), 0) + 1
        if self._findings.full(code):
            self._findings.count(code, 1)
            return
        column, reference = cell() if cell else (None, None)
        self._findings.add(
            code,
            field=member or field,
            row=row,
            line=line,
            column=column,
            reference=reference,
            rule=rule,
            fields=fields,
        )

    def count(self, code: str, field: str | None, more: int) -> None:
        """Count a rule that is broken more often, like findings that are kept."""
        if more:
            self._counts[code, field] = self._counts.get((code, field), 0) + more
            self._findings.count(code, more)

    def is_full(self, code: str | None) -> bool:
        """Whether findings of the code are only counted."""
        return code is not None and self._findings.full(code)

    def note_unknown(self, *, row: int, line: int | None) -> None:
        """Report that from this row on it is not known whether all values are unique; once."""
        if self.is_whole:
            self.is_whole = False
            limit = f"{self._limit // MIB:,} MiB of memory"
            self._findings.add("uniqueness-not-checked", row=row, line=line, what="Values", limit=limit)

    def judge(
        self,
        problems: Iterable[Any],
        keys: Sequence[Any],
        *,
        row: int,
        line: int | None,
        cell: Callable[[int], Cell] | None = None,
    ) -> None:
        """Report a record's problems, and the keys that a record before it has; `cell` tells where in a workbook."""
        for field, index, problem in problems:
            place = partial(cell, index) if cell else None
            self.add(RULES[problem.rule], field=field.name, row=row, line=line, rule=problem.words, cell=place)
        self.judge_keys(keys, row=row, line=line)

    def judge_keys(self, keys: Sequence[Any], *, row: int, line: int | None) -> None:
        """Report the keys that a record before it has."""
        for index, key in enumerate(keys):
            if key is None:
                continue
            seen = self.uniqueness.seen(index, key)
            if seen:
                code, field, fields = self.unique[index]
                self.add(code, field=field, row=row, line=line, fields=fields)
            elif seen is None:
                self.note_unknown(row=row, line=line)


def _unique_rules(schema: Schema) -> Iterator[tuple[str, str | None, str]]:
    for field in schema.fields:
        if field.unique:
            yield "constraint-unique", field.name, field.name
    keys = [("constraint-primary-key", schema.primary_key)] if schema.primary_key else []
    keys += [("constraint-unique-key", key) for key in schema.unique_keys]
    for code, names in keys:
        yield code, names[0] if len(names) == 1 else None, ", ".join(names)
