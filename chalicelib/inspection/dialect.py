"""The dialect of delimited text, worked out from its beginning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from chalicelib.findings import Findings
from chalicelib.inspection.delimited import Delimited
from chalicelib.inspection.limits import Limits

DELIMITERS = (",", ";", "\t", "|")
_LIMITS = Limits()
_ROWS_BELOW, _COLUMNS_BELOW = 3, 3
"""What a table below a title has at least."""


class Dialect(NamedTuple):
    """The delimiter, and how many percent of the sampled rows are as wide as the first one."""

    delimiter: str
    confidence: int
    columns: int
    rows: int
    stray_quotes: int


def detect_dialect(
    sample: str, *, whole: bool, delimiters: Sequence[str] = DELIMITERS, may_have_title: bool = True
) -> Dialect:
    """The delimiter under which quotes are where they belong, and most rows are as wide as the first.

    A sample that is not the `whole` file may be cut in a row, which then does not count. Where no delimiter is in the
    first row the table has one column, and its delimiter is the first: RFC 4180's comma. But if it `may_have_title`,
    a first row without a delimiter may be one, and the delimiter is that of the table below.
    """
    present = [delimiter for delimiter in delimiters if delimiter in sample]
    pieces = between_quotes(sample)
    candidates = [at_once(pieces, each, whole=whole) or row_by_row(sample, each, whole=whole) for each in present]
    split = [dialect for dialect in candidates if dialect.columns > 1]
    if split:
        return max(split, key=lambda found: (not found.stray_quotes, found.confidence, found.columns))
    below = [each for each in present if may_have_title and _is_table_below(sample, each, whole=whole)]
    found = (*below, *delimiters)[0]
    known = next((dialect for dialect in candidates if dialect.delimiter == found), None)
    return known or row_by_row(sample, found, whole=whole)


def _is_table_below(sample: str, delimiter: str, *, whole: bool) -> bool:
    """Whether what follows the first line is one; a delimiter in each of a few cells makes none of a column."""
    table = at_once(between_quotes(sample.partition("\n")[2]), delimiter, whole=whole)
    return table is not None and table.rows >= _ROWS_BELOW and table.columns >= _COLUMNS_BELOW


def is_convincing(dialect: Dialect) -> bool:
    """Whether text whose name promises no table is one: every row as wide as the first, and not by chance.

    Two lines of prose with a comma each are no table, so a comma needs more rows than the rarer delimiters.
    """
    rows_needed = 3 if dialect.delimiter == "," else 2
    return dialect.columns > 1 and dialect.confidence == 100 and dialect.rows >= rows_needed


def between_quotes(sample: str) -> Sequence[str]:
    """What is between the quotes of a sample: where all are in place, every second piece is within a cell."""
    return sample.replace("\r\n", "\n").split('"')


def at_once(pieces: Sequence[str], delimiter: str, *, whole: bool) -> Dialect | None:
    """The same as `row_by_row` says of rows of one width that have all their quotes in place; None of others."""
    outside, apart = pieces[::2], f"{delimiter}\n"
    if len(pieces) == 2 * len(outside) or not all(_stand_apart(outside, apart)):
        return None
    text = "".join(outside)
    rows = text.split("\n")
    if not whole or outside[-1].endswith("\n"):
        rows.pop()
    widths = {row.count(delimiter) for row in rows}
    delimiters = widths.pop() if len(widths) == 1 else 0
    if not 0 < delimiters < _LIMITS.columns or "\r" in text:
        return None
    return Dialect(delimiter=delimiter, confidence=100, columns=delimiters + 1, rows=len(rows), stray_quotes=0)


def _stand_apart(outside: Sequence[str], apart: str) -> Iterator[bool]:
    """Whether each piece outside of quotes does from those around it; the quotes around none are an escaped one."""
    yield from (piece[0] in apart for piece in outside[1:] if piece)
    yield from (piece[-1] in apart for piece in outside[:-1] if piece)


def row_by_row(sample: str, delimiter: str, *, whole: bool) -> Dialect:
    """What the sample is like if that is its delimiter."""
    findings = Findings(per_code=0)
    table = Delimited(findings, _LIMITS, delimiter=delimiter, header=False)
    table.feed(sample.encode())
    facts = table.facts()
    if whole or not facts.records:
        facts = table.finish()
    rows, counts = facts.records or 0, findings.counts
    right = rows - counts.get("missing-cells", 0) - counts.get("extra-cells", 0)
    return Dialect(
        delimiter=delimiter,
        confidence=100 * right // rows if rows else 0,
        columns=facts.column_count or 1,
        rows=rows,
        stray_quotes=counts.get("stray-quote", 0) + counts.get("unclosed-quote", 0),
    )
