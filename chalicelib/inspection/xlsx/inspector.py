"""Inspects XLSX: that the archive and its parts are whole, and the cells of every sheet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from chalicelib.findings import Findings
from chalicelib.inspection.compression import PackedError
from chalicelib.inspection.limits import Limits
from chalicelib.inspection.profile import NativeProfile
from chalicelib.inspection.report import Column, Facts
from chalicelib.inspection.report_parts import Sheet
from chalicelib.inspection.spool import Spool
from chalicelib.inspection.xlsx.cells import CellValues
from chalicelib.inspection.xlsx.dates import Shown, Styles
from chalicelib.inspection.xlsx.package import DamagedError, Package
from chalicelib.inspection.xlsx.parts import SheetEntry, Workbook
from chalicelib.inspection.xlsx.sheet import RowTooLongError, SheetReader
from chalicelib.inspection.xlsx.strings import Strings, TooManyTextsError
from chalicelib.inspection.xlsx.table import MainTable, SheetTable
from chalicelib.inspection.xlsx.xml import Handler, read_raw, read_xml

if TYPE_CHECKING:
    from chalicelib.inspection.contracted import Contracted

WORKSHEET, MACROS = "worksheet", frozenset({"xlMacrosheet", "xlIntlMacrosheet"})


class Xlsx:
    """Judges every sheet; the first that is not hidden is the table of the receipt."""

    def __init__(
        self,
        findings: Findings,
        limits: Limits,
        tick: Callable[[], None],
        contracted: Contracted | None,
        *,
        samples: bool,
    ) -> None:
        self._sheet = contracted.sheet if contracted else None
        self._sink = contracted.native_sink() if contracted else None
        self._profile = NativeProfile(limits, samples=samples)
        self._findings = findings
        self._limits = limits
        self._tick = tick

    def inspect(self, spool: Spool) -> Facts:
        """Tell what was learnt."""
        add = self._findings.add
        if not spool.is_whole:
            add("too-large-to-check", what="workbook", limit=spool.limit)
            return Facts()
        package = Package(spool, self._limits)
        try:
            if package.check(self._tick):
                return self._read(package)
            package.archive.report(self._findings)
        except (DamagedError, PackedError) as error:
            add("damaged-xlsx", reason=str(error))
        except TooManyTextsError:
            add("too-large-to-check", what="list of the workbook's texts", limit=self._limits.shared_text_bytes)
        except RowTooLongError as error:
            add("line-too-long", line=error.line, limit=self._limits.record_bytes)
        return Facts()

    def _read(self, package: Package) -> Facts:
        book = Workbook(package, self._tick)
        if book.is_binary:
            reason = "it is a binary workbook (.xlsb)"
            self._findings.add("unsupported-xlsx", reason=reason)
            return Facts()
        self._judge_book(book)
        values = CellValues(self._strings(package, book), self._shown(package, book), is_1904=book.is_1904)
        main = self._main(book)
        table: MainTable | None = None
        sheets: list[Sheet] = []
        for entry in book.sheets:
            found = SheetTable(entry, values, self._findings, self._limits)
            if entry is main:
                found = table = MainTable(
                    entry, values, self._findings, self._limits, profile=self._profile, sink=self._sink
                )
            if entry.kind == WORKSHEET:
                reader = SheetReader(found.take, row_bytes=self._limits.record_bytes)
                read_raw(package.read(entry.part, "a sheet"), reader.handlers, "a sheet", self._tick)
            sheets.append(found.sheet())
        return self._facts(table, sheets)

    def _main(self, book: Workbook) -> SheetEntry | None:
        """The sheet that is the table: that of the contract, or the first that is seen."""
        tables = [entry for entry in book.sheets if entry.kind == WORKSHEET]
        if self._sheet is None:
            return next((entry for entry in tables if not entry.is_hidden), None)
        found = next((entry for entry in tables if entry.name == self._sheet), None)
        if found is None:
            self._findings.add("missing-sheet", sheet=self._sheet)
        return found

    def _judge_book(self, book: Workbook) -> None:
        hidden = sum(entry.is_hidden for entry in book.sheets)
        if hidden:
            self._findings.add("hidden-sheets", found=hidden, count=len(book.sheets))
        if book.has_macros or any(entry.kind in MACROS for entry in book.sheets):
            self._findings.add("macros-present")

    def _facts(self, table: MainTable | None, sheets: Sequence[Sheet]) -> Facts:
        named = tuple(sheets[: self._limits.named_sheets])
        if table is None:
            return Facts(sheets=named, sheet_count=len(sheets))
        table.finish()
        if not table.records:
            self._findings.add("no-records")
        longest = self._limits.name_length
        names = table.names[: self._limits.named_columns]
        facts = Facts(
            records=table.records,
            columns=tuple(Column(name=name[:longest]) for name in names),
            column_count=len(table.names),
            header=bool(table.rows) or None,
            sheets=named,
            sheet_count=len(sheets),
        )
        return self._profile.facts(facts)

    def _strings(self, package: Package, book: Workbook) -> Strings:
        strings = Strings(self._limits.shared_text_bytes)
        if book.strings:
            self._parse(package, book.strings, strings, "the list of its texts")
        return strings

    def _shown(self, package: Package, book: Workbook) -> Sequence[Shown | None]:
        styles = Styles()
        if book.styles:
            self._parse(package, book.styles, styles, "the list of its styles")
        return styles.shown()

    def _parse(self, package: Package, part: str, handler: Handler, what: str) -> None:
        pieces: Iterator[bytes] = package.read(part, what)
        read_xml(pieces, handler, what, self._tick)
