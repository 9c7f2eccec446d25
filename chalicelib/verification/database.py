"""The temporary database in which everything is joined, so that memory stays constant whatever the ledger's size."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from chalicelib.seals import PARTS, page_key, rollup_key, seals_key
from chalicelib.verification.items import Found, FoundMark
from chalicelib.verification.verdict import Defect, Problem, hour_numbered, number_of

T = TypeVar("T")

ROWS = 1_000
"""How many rows are inserted at once."""

# Hours are numbers, since 1970; other times are the ledger's text.
TABLES = """
CREATE TABLE versions (identity TEXT PRIMARY KEY, landed TEXT) WITHOUT ROWID;
CREATE TABLE receipts (
    pk TEXT, sk INTEGER, hash TEXT, named_pk TEXT, named_sk INTEGER, is_ours INTEGER, kind TEXT, uploaded_at TEXT,
    finished_at TEXT, hour INTEGER, deletion TEXT, failure TEXT, source TEXT, happened TEXT, bytes INTEGER,
    records INTEGER, PRIMARY KEY (pk, sk)
) WITHOUT ROWID;
CREATE TABLE marks (pk TEXT, sk INTEGER, deadline TEXT, PRIMARY KEY (pk, sk)) WITHOUT ROWID;
CREATE TABLE seals (
    number INTEGER PRIMARY KEY, hash TEXT, previous TEXT, hour INTEGER, is_held INTEGER, content TEXT, anchor TEXT
);
CREATE TABLE held_pages (seal INTEGER, root TEXT, PRIMARY KEY (seal, root)) WITHOUT ROWID;
CREATE TABLE leaves (
    seal INTEGER, hour INTEGER, identity TEXT, inspection INTEGER, hash TEXT
);
CREATE TABLE kept (seal INTEGER PRIMARY KEY, days INTEGER, is_lowered INTEGER);
CREATE TABLE supports (pk TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE named (pk TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE damaged (hour INTEGER PRIMARY KEY);
CREATE TABLE problems (
    number INTEGER PRIMARY KEY, defect TEXT, pk TEXT, sk TEXT, why TEXT, hour INTEGER, UNIQUE (pk, sk)
);
"""

RECEIPTS = "INSERT OR REPLACE INTO receipts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
KEPT = "SELECT days FROM kept WHERE seal >= min(?, (SELECT max(seal) FROM kept)) ORDER BY seal LIMIT 1"
LEAVES = "INSERT INTO leaves VALUES (?, ?, ?, ?, ?)"


@contextmanager
def database(bucket: str) -> Iterator[Database]:
    """An empty database on disk that is gone at the end."""
    # The empty name is SQLite's for a file of its own, which no one else sees and which nobody need delete.
    connection = sqlite3.connect("", isolation_level=None)
    try:
        connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536;")
        connection.executescript(TABLES)
        yield Database(connection, bucket)
    finally:
        connection.close()


class Database:
    """What was found so far, and the problems. An item has one problem: the first that is told of it."""

    def __init__(self, connection: sqlite3.Connection, bucket: str) -> None:
        self._connection = connection
        self.bucket = bucket

    # -- questions

    def rows(self, question: str, *values: Any) -> Iterator[tuple[Any, ...]]:
        """The answers to a question, read as far as the caller goes."""
        return iter(self._connection.execute(question, values))

    def number(self, question: str, *values: Any) -> int:
        """The answer to a question whose answer is a number."""
        return int(next(self.rows(question, *values))[0] or 0)

    def do(self, order: str, *values: Any) -> None:
        """Change what is there."""
        self._connection.execute(order, values)

    def days_kept(self, hour: int) -> int | None:
        """For how many days at least receipts of an hour are kept, by what the seals say."""
        days: int | None = next(self.rows(KEPT, hour * PARTS), (None,))[0]
        return days

    # -- what was found

    def add(self, insert: str, rows: Iterable[Sequence[Any]]) -> None:
        """Insert rows, in batches."""
        for some in batches(rows, ROWS):
            with self._connection:
                self._connection.execute("BEGIN")
                self._connection.executemany(insert, some)

    def add_versions(self, rows: Iterable[tuple[str, str]]) -> None:
        """Add versions of the bucket: identity, and when they landed."""
        self.add("INSERT OR IGNORE INTO versions VALUES (?, ?)", rows)

    def add_receipts(self, found: Iterable[Found]) -> None:
        """Add what stands in receipts' places."""
        self.add(RECEIPTS, map(self._row, found))

    def add_marks(self, marks: Iterable[FoundMark]) -> None:
        """Add marks of the bucket's uploads."""
        rows = ((mark.pk, mark.sk, mark.deadline) for mark in marks)
        self.add("INSERT OR REPLACE INTO marks VALUES (?, ?, ?)", rows)

    def _row(self, found: Found) -> tuple[Any, ...]:
        tally = dict(found.tally or {})
        bytes_, records = tally.pop("bytes", 0), tally.pop("records", 0)
        is_misplaced = found.named not in (None, (found.pk, found.sk))
        return (
            *(found.pk, found.sk, found.hash),
            *((found.named or (None, None)) if is_misplaced else (None, None)),
            found.bucket in (None, self.bucket),
            *(found.kind, found.uploaded_at, found.finished_at, _hour_in(found.finished_at)),
            *(found.deletion, found.failure, found.source, next(iter(tally), None), bytes_, records),
        )

    # -- problems

    def tell(self, defect: Defect, pk: str, sk: object, why: str, *, hour: int | None = None) -> None:
        """Note what is wrong with an item, unless something was said of it already."""
        values = (str(defect), pk, str(sk), why, hour)
        self.do("INSERT OR IGNORE INTO problems (defect, pk, sk, why, hour) VALUES (?, ?, ?, ?, ?)", *values)

    def tell_of_seal(self, defect: Defect, number: int, why: str) -> None:
        """Note what is wrong with a seal."""
        self.tell(defect, seals_key(self.bucket), number, why, hour=number // PARTS)

    def tell_of_page(self, defect: Defect, root: str, why: str, *, hour: int) -> None:
        """Note what is wrong with a page of a seal of that hour."""
        self.tell(defect, page_key(root), 0, why, hour=hour)

    def tell_of_rollup(self, defect: Defect, hash_: str, why: str, *, hour: int) -> None:
        """Note what is wrong with a rollup of a seal of that hour."""
        self.tell(defect, rollup_key(hash_), 0, why, hour=hour)

    def damage(self, hour: int) -> None:
        """Note that what was sealed of an hour is not known as a whole."""
        self.do("INSERT OR IGNORE INTO damaged VALUES (?)", hour)

    def problems(self, most: int) -> Iterator[Problem]:
        """The first problems: those of seals before the others, then as they were found."""
        question = "SELECT defect, pk, sk, why, hour FROM problems ORDER BY hour IS NULL, number LIMIT ?"
        for defect, pk, sk, why, hour in self.rows(question, most):
            at = None if hour is None else hour_numbered(hour)
            yield Problem(defect=Defect(defect), pk=pk, sk=sk, why=why, hour=at)

    def defects(self) -> dict[str, int]:
        """How many items have which defect."""
        counted = dict(self.rows("SELECT defect, count(*) FROM problems GROUP BY defect"))
        return {str(defect): counted.get(str(defect), 0) for defect in Defect}


def batches(things: Iterable[T], size: int) -> Iterator[list[T]]:
    """The things, so many at a time."""
    left = iter(things)
    while some := list(islice(left, size)):
        yield some


def _hour_in(text: str | None) -> int | None:
    return None if text is None else number_of(datetime.fromisoformat(text))
