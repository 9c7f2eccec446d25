"""The dialect of delimited text, worked out from its beginning."""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

CANDIDATES = (",", ";", "\t", "|")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """The delimiter, and how many percent of the sampled rows are as wide as the first one."""

    delimiter: str
    confidence: int
    columns: int
    rows: int


def detect_dialect(sample: str, *, whole: bool) -> Dialect:
    """The delimiter under which most rows of the sample are as wide as the first.

    A sample that is not the `whole` file may be cut in a row: its last one does not count. Where no delimiter
    is in the first row the table has one column, and the delimiter is RFC 4180's comma.
    """
    candidates = [_try(sample, delimiter, whole=whole) for delimiter in CANDIDATES]
    split = [dialect for dialect in candidates if dialect.columns > 1]
    if not split:
        return candidates[0]
    return max(split, key=lambda dialect: (dialect.confidence, dialect.columns))


def is_convincing(dialect: Dialect) -> bool:
    """Whether text whose name promises no table is one: every row as wide as the first, and not by chance.

    Two lines of prose with a comma each are no table, so a comma needs more rows than the rarer delimiters.
    """
    rows_needed = 3 if dialect.delimiter == "," else 2
    return dialect.columns > 1 and dialect.confidence == 100 and dialect.rows >= rows_needed


def _try(sample: str, delimiter: str, *, whole: bool) -> Dialect:
    rows = _rows(sample, delimiter)
    if not whole and len(rows) > 1:
        rows.pop()
    widths = [len(row) for row in rows if row]
    columns = widths[0] if widths else 1
    confidence = 100 * widths.count(columns) // len(widths) if widths else 0
    return Dialect(delimiter=delimiter, confidence=confidence, columns=columns, rows=len(widths))


def _rows(sample: str, delimiter: str) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = []
    with contextlib.suppress(csv.Error):  # a cell beyond csv's own limit: judge by the rows before it
        rows.extend(csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter))
    return rows
