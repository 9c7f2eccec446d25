"""The values of JSON Lines, judged by a schema."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from chalicelib.findings import Findings
from chalicelib.inspection.json_names import storable
from chalicelib.inspection.limits import Limits
from chalicelib.inspection.values import RULES, Values
from chalicelib.tableschema import Records, Schema, json_number

if TYPE_CHECKING:
    from chalicelib.inspection.sql import NativeChecks

_MOST_DIGITS = 4_000
_CODES: Mapping[str, str] = {**RULES, "missing": "missing-field", "extra": "extra-field"}


def _integer(digits: str) -> int | Decimal:
    """A whole number of JSON, however long: Python converts no more than some thousand digits to an int."""
    return int(digits) if len(digits) <= _MOST_DIGITS else Decimal(digits)


_decode_long = json.JSONDecoder(parse_int=_integer, parse_float=json_number).raw_decode
_decode_short = json.JSONDecoder(parse_float=json_number).raw_decode
"""For texts in which no number has too many digits: `int` itself is called without Python's help."""


class JsonValues:
    """Takes the lines of JSON Lines."""

    def __init__(
        self, values: Values, schema: Schema, findings: Findings, limits: Limits, *, checks: NativeChecks | None = None
    ) -> None:
        self._values = values
        self._checks = checks
        self._names = [field.name for field in schema.fields]
        self._findings = findings
        self._limits = limits
        self._records = Records(schema)
        self._is_keyed = bool(self._records.keys({}))

    def begin(self, names: Sequence[str], *, line: int) -> None:
        """There is no header."""

    def take(self, run: bytes, *, row: int, line: int) -> None:
        """Judge the records, unless they are cut off."""
        if self._findings.is_closed:
            return
        for number, text in enumerate(run.decode().removesuffix("\n").split("\n")):
            self._judge(text.lstrip(" \t\r"), row=row + number, line=line + number)

    def _judge(self, text: str, *, row: int, line: int) -> None:
        try:
            record = (_decode_short if len(text) <= _MOST_DIGITS else _decode_long)(text)[0]
        except RecursionError:
            self._findings.add("json-too-deep", row=row, line=line, limit=self._limits.json_depth)
            return
        if isinstance(record, dict):
            self._judge_record(record, row=row, line=line)
            if self._checks:
                self._checks.take([record.get(name) for name in self._names], row=row, line=line)
        else:
            self._values.add("type-error", field=None, row=row, line=line, rule="must be an object")

    def _judge_record(self, record: Mapping[str, Any], *, row: int, line: int) -> None:
        for name, (rule, words) in self._records.judge(record):
            if rule == "extra" and name is not None:
                # There may be any number of other names: they are counted together.
                member = storable(name[: self._limits.name_length])
                self._values.add("extra-field", field=None, member=member, row=row, line=line, rule=words)
            else:
                self._values.add(_CODES[rule], field=name, row=row, line=line, rule=words)
        if self._is_keyed:
            self._values.judge_keys(self._records.keys(record), row=row, line=line)

    def finish(self, *, is_whole: bool) -> None:
        """Judge what is of all records."""
        if self._checks:
            self._checks.finish(is_whole=is_whole)

    def close(self) -> None:
        """Give back the engine."""
        if self._checks:
            self._checks.close()
