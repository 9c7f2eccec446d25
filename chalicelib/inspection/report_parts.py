"""What only the reports of some files have: archives, workbooks, XML, and files under a contract.

A cold start does not wait for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """A value of a column, its first characters, and how often it is there."""

    value: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementCount:
    """How many elements of one name an XML document has."""

    name: str
    count: int


class Member(NamedTuple):
    """A member of an archive: its path in it, and its size, unpacked and packed."""

    name: str
    bytes: int
    packed_bytes: int


class Sheet(NamedTuple):
    """A sheet of a workbook: from which to which cell it has values, and in how many rows."""

    name: str
    used_range: str | None
    rows: int
    hidden: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenRule:
    """A rule of a contract that the file breaks: which, for which field of the schema, and exactly how many times."""

    code: str
    field: str | None
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The contract that a file was judged by, and its rules that the file breaks."""

    name: str
    sha256: str
    broken_rules: tuple[BrokenRule, ...] = ()
