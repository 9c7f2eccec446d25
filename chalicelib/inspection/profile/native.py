"""Profiles tables whose values are no texts: of Parquet, XLSX and JSON Lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from decimal import Decimal, localcontext
from itertools import zip_longest
from typing import NamedTuple

from chalicelib.inspection.limits import KIB, Limits
from chalicelib.inspection.profile.column import EXACT, ColumnProfile
from chalicelib.inspection.profile.forms import Number
from chalicelib.inspection.profile.natives import NESTED, ODD, TEXT, ZONE, by_kind, texts_of
from chalicelib.inspection.profile.sampling import Parts, Sampling
from chalicelib.inspection.report import Facts, Profile

_BATCH_CHARACTERS = 64 * KIB
_BATCH_ROWS = 500
"""Fewer than are skipped behind the shortest beginning, so that none that waits when it ends is of a part."""
_NUMBERS: Mapping[str, Callable[[str], Number]] = {"integer": int, "point": Decimal}
_NO_TYPE = type(None)


class NativeColumn(ColumnProfile):
    """A column of values that have types of their own; only a date or a time is looked for in a text."""

    def __init__(self, *, samples: bool, kept: int, common: int) -> None:
        super().__init__(samples=samples, kept=kept, common=common)
        self._is_nested = True
        """Whether no value is anything else."""

    def add_values(self, values: Sequence[object], texts: Sequence[str]) -> None:
        """Take values and the texts that stand for them, an empty one for no value."""
        types = {*map(type, values)} - {_NO_TYPE}
        for type_ in types:
            counts = Counter(texts if len(types) == 1 else _of_type(type_, values, texts))
            counts.pop("", None)
            if counts:
                self._add_of_type(type_, counts)

    def _add_of_type(self, type_: type, counts: Mapping[str, int]) -> None:
        self._add_cells(counts, 0)
        kinds = by_kind(type_, counts)
        self._is_nested = self._is_nested and kinds.keys() == {NESTED}
        for kind, found in kinds.items():
            self._add_kind(kind, found)

    def _add_kind(self, kind: str, found: Mapping[str, int]) -> None:
        if kind == TEXT:
            self._add_forms(found)
        elif read := _NUMBERS.get(kind):
            with localcontext(EXACT):
                self._add_slot(kind, [*map(read, found)], [*found.values()])
        elif kind not in (ODD, NESTED):
            # Behind a part of a second the mark of the zone is not in the order of time.
            self._add_values(kind, [text.removesuffix(ZONE) for text in found], [*found.values()])

    def _add_numbers(self, form: str, cells: Collection[str], counts: Mapping[str, int]) -> None:
        """A text is no number, where numbers have a type of their own."""

    def profile_of(self, records: int) -> Profile:
        """What all of it comes to; a record that did not come has no value."""
        self._nulls = records - self._cells
        found = self.profile()
        return found._replace(type=None, share=None) if self._is_nested and self._cells else found


def _of_type(type_: type, values: Sequence[object], texts: Sequence[str]) -> Iterable[str]:
    return (text for value, text in zip(values, texts, strict=True) if type(value) is type_)


class Row(NamedTuple):
    """A row by its number; `size` is how many characters it counts for, None for those of its texts."""

    number: int
    values: Sequence[object]
    size: int | None


class NativeProfile:
    """Takes the rows that are to be profiled; which these are follows from what is in them alone."""

    def __init__(self, limits: Limits, *, samples: bool) -> None:
        self._limits = limits
        self._samples = samples
        self._sampling = Sampling(limits.profiled_characters)
        self._columns: list[NativeColumn] = []
        self._rows: list[Row] = []
        self._held = 0

    def begin(self, names: Sequence[str]) -> None:
        """Learn how wide the table is; what is beyond the columns that a report names is not profiled."""
        for _ in range(width := min(len(names), self._limits.named_columns)):
            self._add_column(self._limits.profiled_values // width)

    def _add_column(self, kept: int) -> None:
        self._columns.append(NativeColumn(samples=self._samples, kept=kept, common=self._limits.common_values))

    @property
    def parts(self) -> Parts | None:
        """Which rows are wanted besides, once the beginning has ended."""
        return self._sampling.parts

    def wants(self, row: int) -> bool:
        """Whether a row may have to be profiled."""
        return not self._sampling.skipped(row)

    def take(self, values: Sequence[object], *, row: int) -> None:
        """Profile a row, if it is to be."""
        held = sum([len(value) for value in values if isinstance(value, str)])
        self._hold(Row(row, values, None), held + len(values))

    def _hold(self, row: Row, size: int) -> None:
        self._rows.append(row)
        self._held += size
        if len(self._rows) == _BATCH_ROWS or self._held >= _BATCH_CHARACTERS:
            self._count()

    def _count(self) -> None:
        rows, self._rows, self._held = self._rows, [], 0
        values = self._values(rows)
        texts = [*map(texts_of, values)]
        sizes = _sizes(rows, texts)
        chosen = [row for row, size in zip(rows, sizes, strict=True) if self._sampling.take(row.number, size)]
        if len(chosen) < len(rows):
            values = self._values(chosen)
            texts = [*map(texts_of, values)]
        for column, each, said in zip(self._columns, values, texts, strict=False):
            column.add_values(each, said)

    def _values(self, rows: Sequence[Row]) -> Sequence[Sequence[object]]:
        """The values of each column that is profiled."""
        columns = zip_longest(*(row.values for row in rows))
        return [values for _, values in zip(self._columns, columns, strict=False)]

    def facts(self, facts: Facts) -> Facts:
        """The facts of the table with the profile of its columns; as they are if there is no row."""
        self._count()
        records = self._sampling.records
        if not records:
            return facts
        profiles = self._profiles([column.name for column in facts.columns], records)
        columns = [column._replace(profile=found) for column, found in zip(facts.columns, profiles, strict=True)]
        return facts._replace(columns=tuple(columns), profiled_records=records)

    def _profiles(self, names: Sequence[str], records: int) -> Iterable[Profile | None]:  # noqa: ARG002 - in order
        return (column.profile_of(records) for column in self._columns)


def _sizes(rows: Sequence[Row], texts: Sequence[Sequence[str]]) -> Sequence[int]:
    """How many characters each row counts for; what is empty counts for one, for it takes time too."""
    if any(row.size is not None for row in rows):
        return [row.size or 0 for row in rows]
    lengths = zip(*(map(len, each) for each in texts), strict=True)
    return [max(sum(each), len(each)) for each in lengths]
