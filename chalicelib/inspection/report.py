"""What an inspection found: a plain value, the same for the same bytes wherever it is made."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from chalicelib.findings import Cause, Finding

if TYPE_CHECKING:
    from chalicelib.inspection.report_parts import Common, ElementCount, Judged, Member, Sheet


class Status(StrEnum):
    """The verdict of a final receipt."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"


JSON_TYPES = ("string", "integer", "number", "boolean", "null", "object", "array")
"""The types of JSON values as they are counted: a number that has neither fraction nor exponent is an integer."""


class Histogram(NamedTuple):
    """How many values are in each of some bins of one width, the first of which begins there (docs/profile.md)."""

    begin: str
    width: str
    """A number, or hour, day, month, year, decade or century."""
    counts: tuple[int, ...]


class Profile(NamedTuple):
    """What the cells of a column are like, of the records that were profiled (docs/profile.md).

    `share` is how many of 10,000 cells that are not empty are of the type; bounds and mean are theirs.
    """

    nulls: int
    longest: int
    """In characters."""
    distinct: int
    type: str | None = None
    format: str | None = None
    share: int | None = None
    minimum: str | None = None
    maximum: str | None = None
    mean: str | None = None
    histogram: Histogram | None = None
    common: tuple[Common, ...] = ()


class Column(NamedTuple):
    """A column of a table, or a member that the records of a JSON file have.

    `types` has, for JSON, how many records have the member with a value of each type (`JSON_TYPES`).
    `physical_type` and `logical_type` are those of a Parquet file's schema.
    """

    name: str
    types: Mapping[str, int] | None = None
    physical_type: str | None = None
    logical_type: str | None = None
    profile: Profile | None = None


class Facts(NamedTuple):
    """What a format's inspector learnt; None is unknown, never a guess.

    `records` is exact or None: None when the format has none, or when an error ended the check early.
    """

    records: int | None = None
    columns: tuple[Column, ...] = ()
    """The first columns (`Limits.named_columns`); `column_count` counts them all."""
    column_count: int | None = None
    profiled_records: int | None = None
    """Of how many records the columns' profiles speak."""
    delimiter: str | None = None
    header: bool | None = None
    dialect_confidence: int | None = None
    """Percent."""
    top_level: str | None = None
    """The type of a JSON file's one value: object, array, string, number, boolean or null."""
    record_types: Mapping[str, int] | None = None
    """How many of a JSON file's whole records are of each type (`JSON_TYPES`)."""
    root: str | None = None
    """The name of an XML document's outermost element."""
    elements: int | None = None
    """How many elements an XML document has, the outermost included."""
    element_counts: tuple[ElementCount, ...] = ()
    """How many of each name, by first appearance, for the first names (`Limits.named_columns`)."""
    row_groups: int | None = None
    """Of a Parquet file, like the codecs of its values and what wrote it."""
    codecs: tuple[str, ...] = ()
    created_by: str | None = None
    sheets: tuple[Sheet, ...] = ()
    """The first sheets of a workbook (`Limits.named_sheets`); `sheet_count` counts them all."""
    sheet_count: int | None = None


class Report(NamedTuple):
    """The verdict on a file and everything it rests on. Sizes are bytes; None is unknown.

    `newline` is lf, crlf, cr or mixed. `counts` has the exact number of findings of each code, `findings` the
    first of them.
    """

    status: Status
    cause: Cause | None = None
    format: str | None = None
    media_type: str | None = None
    compression: str | None = None
    encoding: str | None = None
    encoding_confidence: int | None = None
    """How sure a guessed encoding is, in percent."""
    newline: str | None = None
    sha256: str | None = None
    bytes: int | None = None
    unpacked_bytes: int | None = None
    members: tuple[Member, ...] = ()
    """The first members of an archive (`Limits.named_members`); `member_count` counts them all."""
    member_count: int | None = None
    lines: int | None = None
    facts: Facts = Facts()
    findings: tuple[Finding, ...] = ()
    counts: Mapping[str, int] = MappingProxyType({})
    contract: Judged | None = None
