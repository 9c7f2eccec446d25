"""The values of records, judged by a schema: run by run, in the order of the file."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from chalicelib.findings import Findings
from chalicelib.inspection.limits import MIB, Limits
from chalicelib.inspection.report import BrokenRule
from chalicelib.tableschema import Rows, Schema, Uniqueness, json_number

# A record may be as long as the inspection's limit says, and so may a cell: the limit of `csv` is the process's.
csv.field_size_limit(sys.maxsize)

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
_MOST_DIGITS = 4_000
HEADER: Mapping[str, str] = {"missing": "missing-label", "extra": "extra-label", "order": "incorrect-label"}
"""The code of the finding for each rule of the header."""


def _integer(digits: str) -> int | Decimal:
    """A whole number of JSON, however long: Python converts no more than some thousand digits to an int."""
    return int(digits) if len(digits) <= _MOST_DIGITS else Decimal(digits)


class Values:
    """Reports what breaks a schema's rules, and counts it exactly for each rule."""

    def __init__(self, schema: Schema, findings: Findings, limits: Limits) -> None:
        self._findings = findings
        self._limit = limits.uniqueness_bytes
        self._schema = schema
        self._uniqueness = Uniqueness(limits.uniqueness_bytes)
        self._unique = tuple(_unique_rules(schema))
        self._counts: dict[tuple[str, str | None], int] = {}
        self._is_whole = True

    def broken(self) -> tuple[BrokenRule, ...]:
        """The rules that were broken, in the order in which they were first, and how often."""
        return tuple(BrokenRule(code=code, field=field, count=count) for (code, field), count in self._counts.items())

    def add(
        self, code: str, *, field: str | None, row: int | None, line: int | None, rule: str = "", fields: str = ""
    ) -> None:
        """Report a broken rule."""
        self._counts[code, field] = self._counts.get((code, field), 0) + 1
        if self._findings.full(code):
            self._findings.count(code, 1)
        else:
            self._findings.add(code, field=field, row=row, line=line, rule=rule, fields=fields)

    def judge(self, problems: Iterable[Any], keys: Sequence[Any], *, row: int, line: int | None) -> None:
        """Report a record's problems, and the keys that a record before it has."""
        for field, _, problem in problems:
            self.add(RULES[problem.rule], field=field.name, row=row, line=line, rule=problem.words)
        for index, key in enumerate(keys):
            if key is None:
                continue
            seen = self._uniqueness.seen(index, key)
            if seen:
                code, field, fields = self._unique[index]
                self.add(code, field=field, row=row, line=line, fields=fields)
            elif seen is None and self._is_whole:
                self._is_whole = False
                limit = f"{self._limit // MIB:,} MiB of memory"
                self._findings.add("uniqueness-not-checked", row=row, line=line, what="Values", limit=limit)


def _unique_rules(schema: Schema) -> Iterator[tuple[str, str | None, str]]:
    """What must be unique, in the order of `Rows.keys`: the code, the field if it is one, and all fields in words."""
    for field in schema.fields:
        if field.unique:
            yield "constraint-unique", field.name, field.name
    keys = [("constraint-primary-key", schema.primary_key)] if schema.primary_key else []
    keys += [("constraint-unique-key", key) for key in schema.unique_keys]
    for code, names in keys:
        yield code, names[0] if len(names) == 1 else None, ", ".join(names)


class DelimitedValues:
    """Takes the records of delimited text; without a header the schema's fields are the columns, in their order."""

    def __init__(self, values: Values, schema: Schema, findings: Findings, *, delimiter: str, header: bool) -> None:
        self._values = values
        self._schema = schema
        self._findings = findings
        self._delimiter = delimiter
        self._header = header
        self._rows: Rows | None = None

    def begin(self, names: Sequence[str], *, line: int) -> None:
        """Judge the header."""
        if not self._header:
            known = [field.name for field in self._schema.fields]
            names = [*known[: len(names)], *names[len(known) :]]
        self._rows = Rows(self._schema, names)
        for problem in self._rows.header_problems:
            self._values.add(HEADER[problem.rule], field=problem.name, row=0, line=line, rule=problem.words)

    def take(self, run: bytes, *, row: int, line: int) -> None:
        """Judge the records, unless they are cut off."""
        if self._rows is None or self._findings.is_closed:
            return
        reader = csv.reader(io.StringIO(run.decode(), newline=""), delimiter=self._delimiter)
        before = 0
        for number, cells in enumerate(reader, row):
            self._values.judge(self._rows.judge(cells), self._rows.keys(cells), row=number, line=line + before)
            before = reader.line_num

    def finish(self) -> None:
        """Judge the header that there is not."""
        if self._rows is None:
            self.begin((), line=1)


class JsonValues:
    """Takes the lines of JSON Lines."""

    def __init__(self, values: Values, schema: Schema, findings: Findings, limits: Limits) -> None:
        self._values = values
        self._findings = findings
        self._limits = limits
        self._rows = Rows(schema, [field.name for field in schema.fields])

    def begin(self, names: Sequence[str], *, line: int) -> None:
        """There is no header."""

    def take(self, run: bytes, *, row: int, line: int) -> None:
        """Judge the records, unless they are cut off."""
        if self._findings.is_closed:
            return
        for number, text in enumerate(run.removesuffix(b"\n").split(b"\n")):
            self._judge(text, row=row + number, line=line + number)

    def _judge(self, text: bytes, *, row: int, line: int) -> None:
        try:
            record = json.loads(text, parse_int=_integer, parse_float=json_number)
        except RecursionError:
            self._findings.add("json-too-deep", row=row, line=line, limit=self._limits.json_depth)
            return
        if isinstance(record, dict):
            problems, keys = self._rows.judge_native(record), self._rows.keys_native(record)
            self._values.judge(problems, keys, row=row, line=line)
        else:
            self._values.add("type-error", field=None, row=row, line=line, rule="must be an object")

    def finish(self) -> None:
        """There is nothing to judge at the end."""
