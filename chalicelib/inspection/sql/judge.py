"""Has the engine find the rows that may break a schema's rules, and asks the exact judge of their values alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from chalicelib.inspection.sql.batch import Batch
from chalicelib.inspection.sql.database import Database
from chalicelib.inspection.sql.keys import Answer as OfKeys
from chalicelib.inspection.sql.keys import keys_of
from chalicelib.inspection.sql.predicates import predicate
from chalicelib.inspection.sql.tally import Broken, Tally
from chalicelib.inspection.values import RULES, Values
from chalicelib.tableschema import Field, Problem, Rows


class _Judged(NamedTuple):
    """A column whose texts are judged; `doubt` is an expression that is true unless one is surely right."""

    at: int
    column: int
    field: Field
    doubt: str


class Judge:
    """A question: which of a schema's rules the rows break. What it reports is what judging row by row does."""

    def __init__(self, rows: Rows, values: Values) -> None:
        self._rows = rows
        self._values = values
        self._most = max(1, values.kept)
        self._judged: Sequence[_Judged] | None = None
        self._keys = keys_of(rows, values.uniqueness, self._most)
        self._was_doubtful = False

    @property
    def reads_often(self) -> bool:
        """Where all is right and nothing must be unique, one look is enough."""
        return self._was_doubtful or self._keys.reads_often

    def ask(self, database: Database, batch: Batch) -> tuple[Sequence[Broken], OfKeys]:
        """Find what is broken."""
        if self._judged is None:
            self._judged = tuple(self._doubts(database, batch.width))
        broken = [found for judged in self._doubtful(database) for found in self._broken(database, judged)]
        return broken, self._keys.ask(database, batch)

    def _doubts(self, database: Database, width: int) -> Iterator[_Judged]:
        for at, (index, field) in enumerate(self._rows.judged):
            surely = predicate(field, f"c{index}")
            is_known = database.understands(surely, columns=width)
            yield _Judged(at, index, field, f"({surely}) IS NOT TRUE" if is_known else "true")

    def _doubtful(self, database: Database) -> Iterator[_Judged]:
        """The columns in which not all is surely right."""
        judged = self._judged or ()
        if judged:
            counts = ", ".join(f"count(*) FILTER (WHERE {column.doubt})" for column in judged)
            found = database.rows(f"SELECT {counts} FROM batch")[0]
            self._was_doubtful = any(found)
            yield from (column for column, count in zip(judged, found, strict=True) if count)

    def _broken(self, database: Database, judged: _Judged) -> Iterator[Broken]:
        """Judge each doubtful text of a column, once."""
        database.keep()
        tallies: dict[Problem, Tally] = {}
        cell = f"c{judged.column}"
        texts = f"SELECT {cell}, count(*), min(n, {self._most}) FROM batch WHERE {judged.doubt} GROUP BY {cell}"
        for text, count, numbers in database.each(texts):
            for order, problem in enumerate(judged.field.judge_cell(text)):
                places = [(number, 0, judged.at, order) for number in numbers]
                tallies.setdefault(problem, Tally(self._most)).add(count, places)
        for problem, tally in tallies.items():
            yield Broken(tally, RULES[problem.rule], judged.field.name, rule=problem.words)

    def take(self, answer: tuple[Sequence[Broken], OfKeys], batch: Batch) -> None:
        """Report it, in the order of the file."""
        broken, keys = answer
        every = [*broken, *(self._repeated(rule, count, numbers) for rule, count, numbers in keys.repeated)]
        if keys.unknown and self._values.is_whole:
            number, rule = keys.unknown
            every.append(Broken(Tally(1, 1, [(number, 1, rule, 0)])))
        events = sorted((place, at) for at, one in enumerate(every) for place in one.tally.places)
        wanted = sorted({place[0] for place, at in events if not self._values.is_full(every[at].code)})
        lines = {record.number: (record.row, record.line) for record in batch.records(wanted)}
        for place, at in events:
            row, line = lines.get(place[0], (0, 0))
            self._report(every[at], row, line)
        for one in every:
            if one.code:
                self._values.count(one.code, one.field, one.tally.count - len(one.tally.places))

    def _report(self, broken: Broken, row: int, line: int) -> None:
        if broken.code is None:
            self._values.note_unknown(row=row, line=line)
        else:
            self._values.add(
                broken.code, field=broken.field, row=row, line=line, rule=broken.rule, fields=broken.fields
            )

    def _repeated(self, rule: int, count: int, numbers: Sequence[int]) -> Broken:
        code, field, fields = self._values.unique[rule]
        return Broken(
            Tally(self._most, count, [(number, 1, rule, 0) for number in numbers]), code, field, fields=fields
        )

    def end(self, database: Database) -> None:
        """Nothing is left to be asked."""
