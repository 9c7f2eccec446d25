"""Whether values that must be unique are, over all batches of a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from chalicelib.inspection.sql.batch import Batch
from chalicelib.inspection.sql.database import Database
from chalicelib.inspection.sql.predicates import UnknownError, is_date, is_plain, one_of
from chalicelib.tableschema import Field, Rows, Uniqueness

_LONGEST = 32
"""Longer keys, in bytes, are remembered by 128 bits of their SHA-256."""

Parts = Sequence[tuple[int, Field]]


class Repeated(NamedTuple):
    """How many rows of a batch have a key that a row before them has, and the numbers of the first of them."""

    rule: int
    times: int
    numbers: Sequence[int]


class Answer(NamedTuple):
    """The keys of a batch that were there before, and the first record and rule of which that is not known."""

    repeated: Sequence[Repeated]
    unknown: tuple[int, int] | None = None


class Keys(Protocol):
    """Remembers the keys of a table."""

    @property
    def reads_often(self) -> bool:
        """As that of a question."""

    def ask(self, database: Database, batch: Batch) -> Answer:
        """Which keys of a batch were there before."""


def keys_of(rows: Rows, budget: Uniqueness, most: int) -> Keys:
    """What remembers the keys of these rows, and of the repeated ones the first `most`: the engine if it can."""
    known = {rule: _key(parts) for rule, parts in enumerate(rows.compared) if parts is not None}
    expressions = {rule: expression for rule, expression in known.items() if expression is not None}
    if len(expressions) < len(known):
        return PythonKeys(rows, budget, most)
    return EngineKeys(expressions, budget.room, most)


class PythonKeys:
    """Reads each row again: there are types whose equality the engine does not know."""

    def __init__(self, rows: Rows, budget: Uniqueness, most: int) -> None:
        self._rows = rows
        self._seen = budget
        self._most = most

    @property
    def reads_often(self) -> bool:
        """The engine is not asked."""
        return False

    def ask(self, database: Database, batch: Batch) -> Answer:  # noqa: ARG002
        """Which keys of a batch were there before."""
        counts: dict[int, int] = {}
        first: dict[int, list[int]] = {}
        unknown: tuple[int, int] | None = None
        for record in batch.records(range(batch.count)):
            for rule, key in enumerate(self._rows.keys(record.cells)):
                seen = False if key is None else self._seen.seen(rule, key)
                if seen:
                    counts[rule] = counts.get(rule, 0) + 1
                    if counts[rule] <= self._most:
                        first.setdefault(rule, []).append(record.number)
                elif seen is None and unknown is None:
                    unknown = record.number, rule
        return Answer([Repeated(rule, count, first.get(rule, ())) for rule, count in counts.items()], unknown)


class EngineKeys:
    """Has the engine remember the keys, exactly as many as there is room for: in the order of rows, then of rules."""

    def __init__(self, expressions: dict[int, str], room: int, most: int) -> None:
        self._expressions = expressions
        self._room = room
        self._most = most

    @property
    def reads_often(self) -> bool:
        """Each rule takes several statements."""
        return bool(self._expressions)

    def ask(self, database: Database, batch: Batch) -> Answer:  # noqa: ARG002
        """Which keys of a batch were there before."""
        counts = {rule: self._find(database, rule) for rule in self._expressions}
        fresh = sum(new for _, new in counts.values())
        unknown = self._cut(database) if fresh > self._room else None
        self._room = max(0, self._room - fresh)
        for rule in counts:
            database.rows(f"INSERT INTO seen{rule} SELECT k FROM fresh{rule}")
        found = [self._repeated(database, rule) for rule, (every, new) in counts.items() if every > new or unknown]
        return Answer([repeated for repeated in found if repeated.times], unknown)

    def _keys_of(self, rule: int) -> str:
        short = f"CASE WHEN strlen(k) <= {_LONGEST} THEN k ELSE '#' || left(sha256(k), 32) END"
        return f"(SELECT n, {short} AS k FROM (SELECT n, {self._expressions[rule]} AS k FROM batch))"

    def _find(self, database: Database, rule: int) -> tuple[int, int]:
        """Find the batch's different keys, and those among them that are new: of how many rows there are these."""
        database.rows(f"CREATE TEMP TABLE IF NOT EXISTS seen{rule} (k VARCHAR)")
        database.rows(
            f"CREATE OR REPLACE TEMP TABLE keys{rule} AS SELECT k, min(n) AS n, count(*) AS times "
            f"FROM {self._keys_of(rule)} WHERE k IS NOT NULL GROUP BY k"
        )
        database.rows(
            f"CREATE OR REPLACE TEMP TABLE fresh{rule} AS SELECT k, n FROM keys{rule} ANTI JOIN seen{rule} USING (k)"
        )
        every, new = database.rows(
            f"SELECT (SELECT coalesce(sum(times), 0)::BIGINT FROM keys{rule}), (SELECT count(*) FROM fresh{rule})"
        )[0]
        return every, new

    def _cut(self, database: Database) -> tuple[int, int]:
        """Forget the new keys that there is no room for; which is the first of them."""
        every = " UNION ALL ".join(f"SELECT n, {rule} AS rule FROM fresh{rule}" for rule in self._expressions)
        number, at = database.rows(f"SELECT n, rule FROM ({every}) ORDER BY n, rule LIMIT 1 OFFSET {self._room}")[0]
        for rule in self._expressions:
            database.rows(f"DELETE FROM fresh{rule} WHERE n > {number} OR (n = {number} AND {rule} >= {at})")
        return number, at

    def _repeated(self, database: Database, rule: int) -> Repeated:
        count: int = database.rows(
            f"SELECT coalesce(sum(times), 0)::BIGINT - (SELECT count(*) FROM fresh{rule}) "
            f"FROM keys{rule} SEMI JOIN seen{rule} USING (k)"
        )[0][0]
        return Repeated(rule, count, self._first(database, rule) if count else ())

    def _first(self, database: Database, rule: int) -> Sequence[int]:
        found = database.rows(
            f"SELECT n FROM {self._keys_of(rule)} SEMI JOIN seen{rule} USING (k) "
            f"WHERE n NOT IN (SELECT n FROM fresh{rule}) ORDER BY n LIMIT {self._most}"
        )
        return [number for (number,) in found]


def _key(parts: Parts) -> str | None:
    """A text that is the same for the same key, NULL for what is not compared; None if there is no such expression."""
    texts = list(_texts(parts))
    if None in texts:
        return None
    # NULL makes all of it NULL. Lengths tell where a part ends.
    return " || ".join(f"strlen({text}) || ':' || {text}" for text in texts) if len(texts) > 1 else texts[0]


def _texts(parts: Parts) -> Iterator[str | None]:
    for index, field in parts:
        value = _value(field, f"c{index}")
        try:
            missing = one_of(f"c{index}", sorted(field.missing_values))
        except UnknownError:
            value = None
        yield None if value is None else f"(CASE WHEN NOT {missing} THEN {value} END)"


def _value(field: Field, column: str) -> str | None:
    """A text that is the same for the same value of a field, NULL for what is none."""
    if field.format != "default":
        return None
    if field.type in ("string", "any"):
        return column
    if field.type == "date":
        return f"CASE WHEN {is_date(column)} THEN {column} END"
    return _integer(column) if field.type == "integer" and is_plain(field) else None


def _integer(column: str) -> str:
    """How a whole number is written without plus and zeros before it, NULL for what is none."""
    digits = f"ltrim({column}, '+-0')"
    sign = f"CASE WHEN starts_with({column}, '-') AND {digits} <> '' THEN '-' ELSE '' END"
    plain = f"{sign} || CASE WHEN {digits} = '' THEN '0' ELSE {digits} END"
    return (
        f"CASE WHEN regexp_full_match({column}, '[1-9][0-9]*') THEN {column} "
        f"WHEN regexp_full_match({column}, '[+-]?[0-9]+') THEN {plain} END"
    )
