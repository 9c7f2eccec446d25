"""The checks of rows whose values are not texts: those of JSON Lines, Parquet and XLSX."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, time
from decimal import Decimal
from fractions import Fraction

from chalicelib.inspection.limits import KIB, Limits
from chalicelib.inspection.sql.batch import Cells
from chalicelib.inspection.sql.batches import Batches
from chalicelib.inspection.sql.checks import WRONG, Checks, Place
from chalicelib.inspection.values import Values
from chalicelib.tableschema import Field, Rows, Schema
from chalicelib.tableschema.moments import Duration

_NOTHING = "\x01no value\x01"
"""Stands for no value, which no text does that is one."""
_FARTHEST = 1_000
_RUN_CHARACTERS = 64 * KIB


class NativeChecks:
    """Takes a row's values in the order of the schema's fields, and writes them as the texts that checks read.

    Behind them stand the row's number and its line, so that many rows are one run of the batch.
    """

    def __init__(
        self,
        checks: Mapping[str, str],
        schema: Schema,
        values: Values,
        limits: Limits,
        *,
        out_of_time: Callable[[], bool],
    ) -> None:
        self._most = limits.engine_columns
        marks = {_NOTHING, WRONG}
        self._fields = [replace(field, missing_values=field.missing_values | marks) for field in schema.fields]
        rows = Rows(replace(schema, fields=tuple(self._fields)), names := [field.name for field in self._fields])
        seconds = limits.check_seconds
        self._checks = Checks(checks, rows, self._fields, values, seconds=seconds, place=_place)
        size = limits.engine_batch_bytes
        self._run_characters = min(size, _RUN_CHARACTERS)
        self._batches = Batches([self._checks], delimiter=",", out_of_time=out_of_time, batch_bytes=size)
        self._batches.begin([*names, "row", "line"], line=1)
        self._run = io.StringIO(newline="")
        self._write = csv.writer(self._run, lineterminator="\n", quoting=csv.QUOTE_ALL).writerow
        self._has_rows = False

    @property
    def _is_wide(self) -> bool:
        return len(self._fields) > self._most

    def take(self, values: Sequence[object], *, row: int, line: int | None) -> None:
        """Take a row."""
        self._has_rows = True
        if self._is_wide:
            return
        texts = [written(field, value) for field, value in zip(self._fields, values, strict=True)]
        self._write((*texts, row, line))
        if self._run.tell() >= self._run_characters:
            self._send()

    def _send(self) -> None:
        self._batches.take(self._run.getvalue().encode("utf-8", "replace"), row=0, line=0)
        self._run.seek(0)
        self._run.truncate()

    def finish(self, *, is_whole: bool) -> None:
        """There are no more; what is not whole and has no row at all could not be read."""
        self._send()
        self._batches.finish()
        if self._is_wide:
            self._checks.give_up(f"the schema has more than {self._most:,} fields")
        if not is_whole:
            self._checks.give_up("the file is not whole", all_rows_only=self._has_rows)
        self._checks.report()

    def close(self) -> None:
        """Give back the engine."""
        self._batches.close()


def _place(record: Cells) -> Place:
    row, line = record.cells[-2:]
    return int(row), int(line) if line else None


def written(field: Field, value: object) -> str:
    """A value as a table of texts would have it."""
    if field.is_missing(value):
        return _NOTHING
    if isinstance(value, str):
        return value
    try:
        return _text(field, field.kind.take(value))
    except (ValueError, RecursionError):
        return WRONG


def _text(field: Field, value: object) -> str:
    """The text of a value of the field's type."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) and field.type == "boolean":
        said = ("trueValues", "true") if value else ("falseValues", "false")
        return str(field.descriptor.get(said[0], [said[1]])[0])
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return _number(Decimal(repr(value)) if isinstance(value, float) else Decimal(value), field)
    if isinstance(value, date | time):
        return value.isoformat() if field.format in ("default", "any") else value.strftime(field.format)
    if isinstance(value, Duration):
        return _duration(value)
    return json.dumps(value, ensure_ascii=False, default=str)


def _number(value: Decimal, field: Field) -> str:
    is_near = value.is_finite() and abs(value.adjusted()) < _FARTHEST
    text = format(value, "f") if is_near else str(value)
    if field.type in ("integer", "year") and "." in text:
        text = text.rstrip("0").removesuffix(".")
    return text.replace(".", field.descriptor.get("decimalChar", "."))


def _duration(value: Duration) -> str:
    """One that a format has natively, which has no months."""
    seconds = abs(Fraction(value.seconds))
    return f"{'-' if value.seconds < 0 else ''}PT{Decimal(seconds.numerator) / seconds.denominator:f}S"
