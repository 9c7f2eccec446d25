"""Has the engine find the rows that may break a schema's rules, and asks the exact judge of their values alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from chalicelib.inspection.sql.batch import Batch, Cells
from chalicelib.inspection.sql.database import Database
from chalicelib.inspection.sql.keys import Answer as KeysAnswer
from chalicelib.inspection.sql.keys import Keys, keys_of
from chalicelib.inspection.sql.predicates import predicate
from chalicelib.inspection.values import Values
from chalicelib.tableschema import Field, Problem, Rows

Place = tuple[int, int, int, int]
"""Where a rule is broken, in the order in which rows are judged: row, values or keys, which of them, which rule of it."""


@dataclass(slots=True)
class Tally:
    """How often a batch breaks a rule, and where first."""

    count: int = 0
    places: list[Place] = field(default_factory=list)

    def add(self, count: int, places: list[Place], most: int) -> None:
        """Count more of them; `places` are in order."""
        self.count += count
        if len(self.places) < most or places[0] < self.places[-1]:
            self.places = sorted(self.places + places)[:most]


class Answer(NamedTuple):
    """The rules that a batch breaks: those of fields, and those of keys."""

    tallies: dict[tuple[Field, Problem], Tally]
    keys: KeysAnswer


class Judge:
    """A question: which of a schema's rules the rows break. Its findings are those of judging row by row."""

    def __init__(self, rows: Rows, values: Values) -> None:
        self._rows = rows
        self._values = values
        self._most = max(1, values.kept)
        self._suspicions: Sequence[tuple[int, Field, str]] | None = None
        self._keys: Keys = keys_of(rows, values.uniqueness, self._most)

    def ask(self, database: Database, batch: Batch) -> Answer:
        """Find what is broken."""
        if self._suspicions is None:
            self._suspicions = [*self._suspected(database, batch.width)]
        tallies: dict[tuple[int, Problem], Tally] = {}
        for at in self._doubtful(database, self._suspicions):
            self._judge(database, at, tallies)
        named = {(self._suspicions[at][1], problem): tally for (at, problem), tally in tallies.items()}
        return Answer(named, self._keys.ask(database, batch))

    def _suspected(self, database: Database, width: int) -> Iterator[tuple[int, Field, str]]:
        """Of each judged cell, what is true unless it is surely right."""
        for index, judged in self._rows.judged:
            surely = predicate(judged, f"c{index}")
            yield index, judged, f"({surely}) IS NOT TRUE" if database.understands(surely, columns=width) else "true"

    def _doubtful(self, database: Database, suspicions: Sequence[tuple[int, Field, str]]) -> Iterator[int]:
        """Which judged cells are not right in all rows."""
        if suspicions:
            counts = ", ".join(f"count(*) FILTER (WHERE {suspicion})" for _, _, suspicion in suspicions)
            found = database.rows(f"SELECT {counts} FROM batch")[0]
            yield from (at for at, count in enumerate(found) if count)

    def _judge(self, database: Database, at: int, tallies: dict[tuple[int, Problem], Tally]) -> None:
        """Judge each of a column's doubtful texts once."""
        assert self._suspicions is not None  # noqa: S101 - they are made first
        index, judged, suspicion = self._suspicions[at]
        texts = database.each(
            f"SELECT c{index}, count(*), min(n, {self._most}) FROM batch WHERE {suspicion} GROUP BY c{index}"
        )
        for text, count, numbers in texts:
            for order, problem in enumerate(judged.judge_cell(text)):
                places = [(number, 0, at, order) for number in numbers]
                tallies.setdefault((at, problem), Tally()).add(count, places, self._most)

    def take(self, answer: Answer, batch: Batch) -> None:
        """Report what is broken, in the order of the file."""

    def end(self, database: Database) -> None:
        """Nothing is left to be asked."""
