"""Inspects Parquet: that the footer is whole and sane, and that the file holds what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from chalicelib.findings import Findings
from chalicelib.inspection.headers import judge_names
from chalicelib.inspection.limits import Limits
from chalicelib.inspection.parquet.compact import CompactError
from chalicelib.inspection.parquet.metadata import Chunk, Footer, RowGroup, TooManyColumnsError
from chalicelib.inspection.parquet.schema import Element, Leaf, Tree
from chalicelib.inspection.profile import NativeProfile
from chalicelib.inspection.report import Column, Facts
from chalicelib.inspection.spool import Spool

if TYPE_CHECKING:
    from chalicelib.inspection.contracted import Contracted
    from chalicelib.inspection.native_values import NativeValues
    from chalicelib.inspection.sql.parquet import ParquetReader

MAGIC, ENCRYPTED = b"PAR1", b"PARE"
_TAIL = 8
"""The length of the footer, and the magic."""
CODECS: Mapping[int, str] = {
    0: "UNCOMPRESSED",
    1: "SNAPPY",
    2: "GZIP",
    3: "LZO",
    4: "BROTLI",
    5: "LZ4",
    6: "ZSTD",
    7: "LZ4_RAW",
}
_NUMBER_OF_ROW = "file_row_number"
"""Where a column is called that, the engine does not tell the numbers of rows."""
_UNREADABLE = frozenset({3})
"""LZO is in the standard, and in hardly any reader."""


class _ValuesError(Exception):
    """The values are not there, or not right."""


class Parquet:
    """Judges a file by its footer, whose statements about rows, columns and places must fit each other and the file."""

    def __init__(
        self,
        findings: Findings,
        limits: Limits,
        tick: Callable[[], None],
        contracted: Contracted | None,
        *,
        samples: bool,
    ) -> None:
        self._samples = samples
        self._profile: NativeProfile | None = None
        self._contracted = contracted
        self._findings = findings
        self._limits = limits
        self._tick = tick
        self._codecs: dict[str, None] = {}
        self._tree: Tree
        self._end = 0
        self._groups = 0
        self._rows = 0
        self._is_encrypted = False
        self._is_unreadable = False
        self._obstacle: str | None = None

    def inspect(self, spool: Spool) -> Facts:
        """Tell what was learnt."""
        footer = self._footer(spool)
        if footer is None:
            return Facts()
        self._end = spool.size - _TAIL - len(footer)
        try:
            facts = self._judge(Footer(footer, columns=self._limits.columns, take_groups=self._judge_groups))
            self._judge_values(spool, facts)
        except TooManyColumnsError:
            self._findings.add("too-many-columns", limit=self._limits.columns)
        except CompactError as error:
            self._damaged(f"its footer {error}")
        else:
            return self._profile.facts(facts) if self._profile else facts
        return Facts()

    def _damaged(self, reason: str) -> None:
        self._findings.add("damaged-parquet", reason=reason)

    def _footer(self, spool: Spool) -> bytes | None:
        """The bytes of the footer, None if there are none to read."""
        size, most = spool.size, self._limits.parquet_footer_bytes
        tail = spool.read(size - _TAIL, _TAIL) if size >= len(MAGIC) + _TAIL else b""
        if tail[4:] not in (MAGIC, ENCRYPTED):
            self._findings.add("truncated-parquet")
            return None
        length = int.from_bytes(tail[:4], "little")
        if not 0 < length <= size - len(MAGIC) - _TAIL:
            self._damaged("its footer cannot be as long as it says")
        elif tail[4:] == ENCRYPTED:
            self._findings.add("encrypted-file", format="Parquet")
        elif length > min(most, spool.limit - _TAIL):
            self._findings.add("too-large-to-check", what="footer of the Parquet file", limit=most)
        else:
            return spool.read(size - _TAIL - length, length)
        return None

    def _judge_groups(self, elements: Sequence[Element], groups: Iterator[RowGroup]) -> None:
        self._tree = tree = Tree(elements)
        if len(tree.leaves) > self._limits.columns:
            raise TooManyColumnsError
        for group in groups:
            self._tick()
            self._groups, self._rows = self._groups + 1, self._rows + group.rows
            self._judge_group(group, tree.leaves)

    def _judge(self, footer: Footer) -> Facts:
        if self._rows != footer.rows:
            raise CompactError("counts other rows than its row groups do")
        if self._is_encrypted or footer.is_encrypted:
            self._findings.add("encrypted-file", format="Parquet")
            self._is_unreadable = True
        judge_names([each.name for each in self._tree.columns], self._findings, longest=self._limits.name_length)
        if not footer.rows:
            self._findings.add("no-records")
        return self._facts(footer)

    def _facts(self, footer: Footer) -> Facts:
        tree, longest = self._tree, self._limits.name_length
        columns = [
            Column(name=each.name[:longest], physical_type=each.physical_name, logical_type=each.logical_name)
            for each in tree.columns[: self._limits.named_columns]
        ]
        return Facts(
            records=footer.rows,
            columns=tuple(columns),
            column_count=len(tree.columns),
            row_groups=self._groups,
            codecs=tuple(self._codecs),
            created_by=(footer.created_by or "")[:longest] or None,
        )

    def _judge_group(self, group: RowGroup, leaves: Sequence[Leaf]) -> None:
        if group.rows < 0 or len(group.chunks) != len(leaves):
            raise CompactError("has a row group with other columns than its schema")
        for chunk, leaf in zip(group.chunks, leaves, strict=True):
            self._is_encrypted |= chunk.is_encrypted
            if chunk.codec is None:
                continue
            self._judge_chunk(chunk, leaf, group.rows)
            if chunk.file:
                self._obstacle = "they are in other files"
            elif chunk.values and not (len(MAGIC) <= chunk.start and 0 < chunk.size <= self._end - chunk.start):
                raise CompactError("places a column chunk where the file has none")

    def _judge_values(self, spool: Spool, facts: Facts) -> None:
        """Read all values, for the contract's schema if it has one, and tell if that cannot be."""
        sink = self._contracted.native_sink() if self._contracted else None
        if sink:
            sink.begin([each.name for each in self._tree.columns], line=None)
            if not facts.records:
                sink.end()
        if self._is_unreadable or not (facts.records and facts.column_count):
            return
        if self._obstacle is None and not spool.is_whole:
            self._obstacle = f"the file is larger than {spool.limit:,} bytes"
        if self._obstacle is None:
            try:
                self._obstacle = self._read_values(spool, sink, facts.records)
            except _ValuesError:
                self._damaged("its values cannot be read")
        if self._obstacle:
            self._findings.add("contract-not-checked" if sink else "values-not-checked", reason=self._obstacle)

    def _read_values(self, spool: Spool, sink: NativeValues | None, records: int) -> str | None:
        """What keeps the values from being read, if it is not the file."""
        from chalicelib.inspection.sql.parquet import ParquetReader, UnreadableError  # noqa: PLC0415 (on first use)

        try:
            with ParquetReader.lent(spool.descriptor) as reader:
                if sink is None:
                    reader.read_all(self._tick)
                    self._profile_values(reader)
                else:
                    self._judge_rows(reader, sink, records)
        except UnreadableError as error:
            if error.reason:
                return error.reason
            raise _ValuesError from None
        return None

    def _profile_values(self, reader: ParquetReader) -> None:
        """Profile the first columns; that a value of theirs cannot be told is no fault of the file."""
        from chalicelib.inspection.sql.parquet import UnreadableError  # noqa: PLC0415 (on first use)

        names = [each.name for each in self._tree.columns]
        profile, first = NativeProfile(self._limits, samples=self._samples), self._limits.named_columns
        profile.begin(names)
        try:
            for row, values in enumerate(reader.rows(len(names), self._tick, first=first), start=1):
                profile.take(values, row=row)
                if profile.parts:
                    break
            if profile.parts and _NUMBER_OF_ROW not in map(str.lower, names):
                for row, values in reader.parts(profile.parts, len(names), self._tick, first=first):
                    profile.take(values, row=row)
        except UnreadableError:
            return
        self._profile = profile

    def _judge_rows(self, reader: ParquetReader, sink: NativeValues, records: int) -> None:
        profile, row = NativeProfile(self._limits, samples=self._samples), 0
        profile.begin([each.name for each in self._tree.columns])
        for row, values in enumerate(reader.rows(len(self._tree.columns), self._tick), start=1):
            if profile.wants(row):
                profile.take(values, row=row)
            sink.take(values, row=row, line=None)
        if row != records:
            raise _ValuesError
        sink.end()
        self._profile = profile

    def _judge_chunk(self, chunk: Chunk, leaf: Leaf, rows: int) -> None:
        if chunk.physical != leaf.physical or tuple(chunk.path) != leaf.path:
            raise CompactError("has a row group with other columns than its schema")
        # A row without an item of a repeated column has a place for it all the same.
        if chunk.values < rows or (chunk.values > rows and not leaf.is_repeated):
            raise CompactError("has a column chunk with other rows than its row group")
        codec = CODECS.get(chunk.codec or 0)
        name = codec or f"codec {chunk.codec}"
        if name in self._codecs:
            return
        if len(self._codecs) < _MOST_CODECS:
            self._codecs[name] = None
        if codec is None or chunk.codec in _UNREADABLE:
            reason = f"a column chunk is packed with {name}"
            self._is_unreadable = True
            self._findings.add("unsupported-compression", compression="Parquet", reason=reason)


_MOST_CODECS = 20
