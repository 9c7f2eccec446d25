"""The checks of rows whose values are not texts, such as those of JSON Lines."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, time
from decimal import Decimal

from chalicelib.inspection.limits import Limits
from chalicelib.inspection.sql.batches import Batches
from chalicelib.inspection.sql.checks import Checks
from chalicelib.inspection.values import Values
from chalicelib.tableschema import Field, Rows, Schema

_NOTHING = "\x01no value\x01"
"""Stands for no value, which no text does that is one."""
_FARTHEST = 1_000


class NativeChecks:
    """Takes a row's values in the order of the schema's fields, and writes them as the texts that checks read."""

    def __init__(
        self,
        checks: Mapping[str, str],
        schema: Schema,
        values: Values,
        limits: Limits,
        *,
        out_of_time: Callable[[], bool],
    ) -> None:
        self._fields = [replace(field, missing_values=field.missing_values | {_NOTHING}) for field in schema.fields]
        rows = Rows(replace(schema, fields=tuple(self._fields)), names := [field.name for field in self._fields])
        self._checks = Checks(checks, rows, self._fields, values, seconds=limits.check_seconds)
        size = limits.engine_batch_bytes
        self._batches = Batches([self._checks], delimiter=",", out_of_time=out_of_time, batch_bytes=size)
        self._batches.begin(names, line=1)

    def take(self, values: Sequence[object], *, row: int, line: int) -> None:
        """Take a row."""
        target = io.StringIO(newline="")
        texts = [written(field, value) for field, value in zip(self._fields, values, strict=True)]
        csv.writer(target, lineterminator="\n", quoting=csv.QUOTE_ALL).writerow(texts)
        self._batches.take(target.getvalue().encode("utf-8", "replace"), row=row, line=line)

    def finish(self, *, is_whole: bool) -> None:
        """There are no more."""
        self._batches.finish()
        if not is_whole:
            self._checks.give_up("the file is not whole", all_rows_only=True)
        self._checks.report()

    def close(self) -> None:
        """Give back the engine."""
        self._batches.close()


def written(field: Field, value: object) -> str:
    """A value as a table of texts would have it."""
    if field.is_missing(value):
        return _NOTHING
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        said = ("trueValues", "true") if value else ("falseValues", "false")
        return str(field.descriptor.get(said[0], [said[1]])[0])
    if isinstance(value, int | float | Decimal):
        return _number(Decimal(repr(value)) if isinstance(value, float) else Decimal(value), field)
    if isinstance(value, date | time):
        return value.isoformat() if field.format in ("default", "any") else value.strftime(field.format)
    return json.dumps(value, ensure_ascii=False, default=str)


def _number(value: Decimal, field: Field) -> str:
    is_near = value.is_finite() and abs(value.adjusted()) < _FARTHEST
    text = format(value, "f") if is_near else str(value)
    if field.type in ("integer", "year") and "." in text:
        text = text.rstrip("0").removesuffix(".")
    return text.replace(".", field.descriptor.get("decimalChar", "."))
