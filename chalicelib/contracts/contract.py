"""What a file must be like to be accepted: a contract, as its JSON file says it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from chalicelib.contracts.matching import Glob
from chalicelib.contracts.mistakes import ContractError, Mistake, unknown
from chalicelib.contracts.reading import Members, parsed
from chalicelib.findings import CATALOGUE, Cause, Severity
from chalicelib.tableschema import DescriptorError, Schema

DELIMITED = frozenset({"csv", "tsv"})
WITHOUT_TEXT = frozenset({"parquet", "xlsx"})
"""Tables that are no text: they have neither dialect nor encoding."""
TABLES = DELIMITED | WITHOUT_TEXT | {"jsonl"}
FORMATS = TABLES | {"json", "text"}
ENCODINGS = (
    *("utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"),
    *("windows-1250", "windows-1251", "windows-1252", "windows-1253", "windows-1254", "windows-1255"),
    *("windows-1256", "iso-8859-1", "iso-8859-2", "iso-8859-5", "iso-8859-7", "iso-8859-15"),
    *("mac-roman", "cp437", "cp850", "cp866", "koi8-r", "tis-620"),
    *("shift_jis", "euc-jp", "gb18030", "big5", "euc-kr"),
)
FIXED_DIALECT: Mapping[str, Sequence[object]] = {
    "quoteChar": ['"'],
    "doubleQuote": [True],
    "skipInitialSpace": [False],
    "headerRows": [[1]],
    "lineTerminator": ["\r\n", "\n"],
}
"""What RFC 4180 fixes, or needs no saying: it may be said, and not changed."""
MOVABLE = frozenset(code for code, known in CATALOGUE.items() if known.cause is Cause.CONTENT)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How few and how many there may be; None for no bound."""

    at_least: int | None = None
    at_most: int | None = None

    @property
    def is_any(self) -> bool:
        """Whether there is a bound."""
        return self != Bounds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """How many errors a file may have and still be accepted: a number, or a share of its records."""

    errors: int | None = None
    share: float | None = None

    def allowed(self, records: int | None) -> int:
        """That many; none if it is a share and the records could not be counted."""
        if self.share is None:
            return self.errors or 0
        return int(Decimal(repr(self.share)) * (records or 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """A contract that was checked as a whole. None is what it does not say.

    `ignored` are codes of findings that are none under it, `severity` those whose severity it moves.
    """

    name: str
    sha256: str
    match: Glob
    title: str | None = None
    description: str | None = None
    format: str | None = None
    delimiter: str | None = None
    header: bool = True
    encoding: str | None = None
    sheet: str | None = None
    schema: Schema | None = None
    rows: Bounds = Bounds()
    bytes: Bounds = Bounds()
    empty_file: bool = False
    ignored: frozenset[str] = frozenset()
    severity: Mapping[str, Severity] = field(default_factory=lambda: MappingProxyType({}))
    tolerance: Tolerance | None = None
    checks: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Expressions of SQL over the typed rows, by the names of the checks."""
    samples: bool = False

    @classmethod
    def of(cls, text: str) -> Contract:
        """The contract that a JSON text is; raises ContractError with every mistake and its place."""
        content = parsed(text)
        if not isinstance(content, dict):
            raise ContractError(Mistake(reason="must be an object"))
        mistakes: list[Mistake] = []
        values = _Keywords(Members(content, mistakes)).values()
        if mistakes:
            raise ContractError(*mistakes)
        return cls(sha256=canonical_hash(content), **values)


def canonical_hash(content: Any) -> str:
    """SHA-256, in hexadecimal, of the canonical JSON: names sorted, no space, UTF-8, numbers as Python writes them.

    A number that no float is, is a text.
    """
    canonical = json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True, default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()


def keywords() -> frozenset[str]:
    """All that a contract can say."""
    members = Members({}, [])
    _Keywords(members).values()
    return members.known


class _Keywords:
    """Reads the keywords, and refuses those that contradict each other."""

    def __init__(self, members: Members) -> None:
        self._members = members

    def values(self) -> dict[str, Any]:
        """The values of a Contract, but for its hash; of no use if a mistake was noted."""
        members = self._members
        said_format = members.choice("format", FORMATS, kind="format")
        delimiter, header = self._dialect(said_format)
        empty_file = members.flag("emptyFile") or False
        values: dict[str, Any] = {
            "name": self._name(),
            "match": self._match(),
            "title": members.text("title"),
            "description": members.text("description"),
            "format": said_format or ("csv" if "dialect" in members else None),
            "delimiter": delimiter,
            "header": header,
            "encoding": self._encoding(said_format),
            "sheet": self._sheet(said_format),
            "schema": self._schema(said_format),
            "rows": self._bounds("rows"),
            "bytes": self._bounds("bytes"),
            "empty_file": empty_file,
            "tolerance": self._tolerance(),
            "checks": self._checks(),
            "samples": members.flag("samples") or False,
            **self._weights(empty_file=empty_file),
        }
        if "rows" in members and said_format == "text":
            members.refuse("rows", 'there are none in a "text"')
        members.end()
        return values

    def _name(self) -> str | None:
        name = self._members.text("name")
        if name is None and "name" not in self._members:
            self._members.refuse("name", "is missing")
        elif name and not _NAME.fullmatch(name):
            self._members.refuse("name", "must be up to 100 letters of ASCII, digits, dots, dashes and underscores")
        return name

    def _checks(self) -> Mapping[str, str]:
        """The checks by their names; whether their expressions are right, the engine alone can tell."""
        members = self._members.members("checks")
        if members is None:
            return MappingProxyType({})
        if "schema" not in self._members:
            self._members.refuse("checks", "say nothing without a schema, which gives the columns their types")
        for name in members.names():
            if not _NAME.fullmatch(name):
                members.refuse(
                    name, "the name must be up to 100 letters of ASCII, digits, dots, dashes and underscores"
                )
        found = {name: members.text(name) for name in members.names()}
        return MappingProxyType({name: sql for name, sql in found.items() if sql})

    def _match(self) -> Glob | None:
        text = self._members.text("match")
        if text is None:
            if "match" not in self._members:
                self._members.refuse("match", "is missing: it says which keys the contract is for")
            return None
        try:
            return Glob(text)
        except ValueError as error:
            self._members.refuse("match", str(error))
            return None

    def _dialect(self, said_format: str | None) -> tuple[str | None, bool]:
        members = self._members.members("dialect")
        if members is None:
            return None, True
        if said_format not in DELIMITED | {None}:
            self._members.refuse("dialect", f'"{said_format}" has none: it is for csv and tsv')
        delimiter, header = members.text("delimiter"), members.flag("header")
        if delimiter and (len(delimiter) > 1 or not delimiter.isascii() or delimiter in '"\r\n\0'):
            members.refuse("delimiter", "must be one character of ASCII, and no quote, line end or NUL")
        elif delimiter and said_format == "tsv" and delimiter != "\t":
            members.refuse("delimiter", 'is a tab in "tsv": say "csv" for any other')
        members.text("$schema")
        for name, values in FIXED_DIALECT.items():
            if members.given(name) not in (None, *values):
                known = " or ".join(map(json.dumps, values))
                members.refuse(name, f"can only be {known}: files are judged by RFC 4180")
        members.end()
        return delimiter or (None if said_format == "tsv" else ","), header is not False

    def _encoding(self, said_format: str | None) -> str | None:
        encoding = self._members.choice("encoding", ENCODINGS, kind="encoding")
        if encoding not in (None, "utf-8") and said_format in ("json", "jsonl"):
            self._members.refuse("encoding", "JSON is always utf-8 (RFC 8259, section 8.1)")
        if encoding and said_format in WITHOUT_TEXT:
            self._members.refuse("encoding", f'"{said_format}" is no text')
        return encoding

    def _sheet(self, said_format: str | None) -> str | None:
        sheet = self._members.text("sheet")
        if sheet and said_format not in ("xlsx", None):
            self._members.refuse("sheet", f'"{said_format}" has none: it is for xlsx')
        return sheet

    def _schema(self, said_format: str | None) -> Schema | None:
        descriptor, extra = self._members.mapping("schema"), self._members.flag("extraColumns")
        if descriptor is None:
            if extra is not None:
                self._members.refuse("extraColumns", "says nothing without a schema")
            return None
        if said_format not in TABLES | {None}:
            known = ", ".join(sorted(TABLES))
            self._members.refuse("schema", f'"{said_format}" has no columns: a schema is for {known}')
        if extra is not None and "fieldsMatch" in descriptor:
            self._members.refuse("extraColumns", "the schema's fieldsMatch already says what columns there may be")
        try:
            return Schema.of({**descriptor, "fieldsMatch": "subset"} if extra else descriptor)
        except DescriptorError as error:
            self._members.refuse(f"schema.{error.place}" if error.place else "schema", error.reason)
            return None

    def _bounds(self, name: str) -> Bounds:
        members = self._members.members(name)
        if members is None:
            return Bounds()
        bounds = Bounds(at_least=members.count("atLeast"), at_most=members.count("atMost"))
        if None not in (bounds.at_least, bounds.at_most) and bounds.at_least > bounds.at_most:  # type: ignore[operator]
            members.refuse("atLeast", "is more than atMost")
        members.end()
        return bounds

    def _tolerance(self) -> Tolerance | None:
        members = self._members.members("tolerance")
        if members is None:
            return None
        tolerance = Tolerance(errors=members.count("errors"), share=members.share("share"))
        if ("errors" in members) is ("share" in members):
            members.refuse("", "must have either errors or share")
        members.end()
        return tolerance

    def _weights(self, *, empty_file: bool) -> dict[str, Any]:
        """What is no finding under the contract, and whose severity it moves."""
        blank_rows = self._members.flag("blankRows")
        severity = self._severity(has_blank_rows=blank_rows is not None)
        if blank_rows is False:
            severity["blank-row"] = Severity.ERROR
        ignored = {code for code, is_allowed in (("blank-row", blank_rows), ("empty-file", empty_file)) if is_allowed}
        return {"ignored": frozenset(ignored), "severity": MappingProxyType(severity)}

    def _severity(self, *, has_blank_rows: bool) -> dict[str, Severity]:
        moved: dict[str, Severity] = {}
        said = self._members.members("severity")
        if said is None:
            return moved
        for code in said.names():
            if code not in MOVABLE:
                said.refuse(code, unknown(code, MOVABLE, kind="finding of a file's content"))
            elif code == "blank-row" and has_blank_rows:
                said.refuse(code, "blankRows already says whether they are allowed")
            elif level := said.choice(code, ("error", "warning"), kind="severity that a contract can give"):
                moved[code] = Severity(level)
        return moved
