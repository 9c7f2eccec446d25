"""A batch in the engine has exactly the cells that Python's csv reads, and each record's place in the file."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.findings import Findings
from chalicelib.inspection import Limits
from chalicelib.inspection.delimited import Delimited
from chalicelib.inspection.limits import OutOfTimeError
from chalicelib.inspection.many import Many
from chalicelib.inspection.sql import Batch, Batches, Database
from chalicelib.inspection.sql.batch import Cells, count_records, with_lf
from tests.inspection import rfc4180
from tests.inspection.strategies import AWKWARD_TEXT, BLOCK_SIZES, CELLS, DELIMITERS, cut, tables, written

NEWLINES = st.sampled_from(["\n", "\r\n", "\r"])


class Everything:
    """Asks for all cells, and for each record's place."""

    reads_often = True

    def __init__(self) -> None:
        self.rows: list[tuple[int, int, Sequence[str]]] = []
        self.batches = 0
        self.total: list[Any] = []

    def ask(self, database: Database, batch: Batch) -> list[tuple[Any, ...]]:
        database.rows("CREATE TEMP TABLE IF NOT EXISTS seen (count BIGINT)")
        database.rows("INSERT INTO seen SELECT count(*) FROM batch HAVING count(*) = ?", [batch.count])
        return database.rows("SELECT * FROM batch ORDER BY n")

    def take(self, answer: list[tuple[Any, ...]], batch: Batch) -> None:
        assert [number for number, *_ in answer] == list(range(batch.count))
        records = list(batch.records(range(batch.count)))
        assert [list(cells) for _, *cells in answer] == [list(record.cells) for record in records]
        self.rows += [(record.row, record.line, record.cells) for record in records]
        self.batches += 1

    def end(self, database: Database) -> None:
        self.total = database.rows("SELECT sum(count)::BIGINT FROM seen") if self.batches else []


class Once(Everything):
    """Asks for all cells, of a batch that is not kept."""

    reads_often = False

    def ask(self, database: Database, batch: Batch) -> list[tuple[Any, ...]]:  # noqa: ARG002
        rows = database.rows("SELECT * FROM batch")
        assert database.rows("SELECT table_name FROM duckdb_tables()") == []
        return [(number, *cells) for number, cells in enumerate(rows)]

    def end(self, database: Database) -> None:
        """Nothing was kept."""


@contextmanager
def asking(question: Any, **options: Any) -> Iterator[Batches]:
    batches = Batches([question], **{"delimiter": ",", **options})
    try:
        yield batches
    finally:
        batches.close()


def loaded(
    text: str,
    delimiter: str,
    *,
    size: int = 1 << 20,
    batch_bytes: int = 1 << 20,
    question: type[Everything] = Everything,
) -> Everything:
    """What the engine has of a file."""
    everything = question()
    with asking(everything, delimiter=delimiter, batch_bytes=batch_bytes) as batches:
        table = Delimited(Findings(), Limits(), delimiter=delimiter, sink=batches)
        for block in cut(text.encode(), size):
            table.feed(block)
        table.finish()
        batches.finish()
    return everything


def right_rows(text: str, delimiter: str) -> list[tuple[int, int, Sequence[str]]]:
    """The records that are right by RFC 4180, each with its row and line."""
    rows = rfc4180.read(text, delimiter).rows
    width = len(rows[0].cells) if rows else 0
    return [
        (number, row.cells[0][0], row.text)
        for number, row in enumerate(rows)
        if number and len(row.cells) == width and not row.stray and row.unclosed is None
    ]


@given(tables(), DELIMITERS, NEWLINES, st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]), BLOCK_SIZES)
def test_a_batch_has_the_cells_that_csv_reads(
    rows: list[list[str]], delimiter: str, newline: str, quoting: int, size: int
) -> None:
    text = written(rows, delimiter=delimiter, newline=newline, quoting=quoting)
    assert loaded(text, delimiter, batch_bytes=size).rows == right_rows(text, delimiter)


@given(AWKWARD_TEXT, DELIMITERS, BLOCK_SIZES)
@example('a,b\n\ufeffx,y\n"\ufeff",\ufeff\n', ",", 1)
@example('a\n""\n" "\nx\r""\r\n', ",", 40)
@example('a,b\n"1\r\n2","\r"\r\n3,"\n"\r4,"""\r"""\n', ",", 40)
def test_a_batch_has_every_right_record_of_any_text(text: str, delimiter: str, size: int) -> None:
    for batch_bytes in (1, 1 << 20):
        for question in (Everything, Once):
            found = loaded(text, delimiter, size=size, batch_bytes=batch_bytes, question=question)
            assert found.rows == right_rows(text, delimiter)


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), min_size=1), NEWLINES)
def test_records_of_a_run_are_counted_and_ended_by_lf(rows: list[list[str]], newline: str) -> None:
    run = written(rows, delimiter=",", newline=newline, quoting=csv.QUOTE_ALL).encode()
    for text in (run, run.removesuffix(newline.encode())):
        assert count_records(text) == len(rows)
        assert with_lf(text) == written(rows, delimiter=",", newline="\n", quoting=csv.QUOTE_ALL).encode()


def test_a_long_table_is_numbered_in_the_order_of_the_file() -> None:
    """More records than one of the engine's row groups has."""
    text = "id,text\n" + "".join(f'{number},"a\nb"\n' if number % 7 else f"{number},é\n" for number in range(150_000))
    found = loaded(text, ",", size=1 << 16, batch_bytes=1 << 20)
    assert [cells[0] for _, _, cells in found.rows] == [str(number) for number in range(150_000)]
    assert found.batches == 2
    assert found.total == [(150_000,)]
    assert found.rows[-1][:2] == (150_000, text.count("\n", 0, text.rindex("149999")) + 1)


def test_only_the_records_asked_for_are_read_again() -> None:
    batch = Batch(width=2, delimiter=",")
    batch.add(b'a,b\n"c\n",d\n', row=1, line=2)
    batch.add(b"e,f", row=5, line=9)
    assert list(batch.records([1, 2])) == [Cells(1, 2, 3, ["c\n", "d"]), Cells(2, 5, 9, ["e", "f"])]
    assert list(batch.records([])) == []


# -- the engine


def test_nothing_is_left_to_the_next_inspection() -> None:
    for _ in range(2):
        with Database.lent() as database:
            assert database.rows("SELECT table_name FROM duckdb_tables()") == []
            database.load([b"1\n"], columns=1, delimiter=",")
            database.rows("SET VARIABLE secret = 1")


def test_an_engine_that_has_failed_for_good_is_not_lent_again() -> None:
    with Database.lent() as database:
        database._root.close()
    with Database.lent() as another:
        assert another is not database
        assert another.rows("SELECT 1") == [(1,)]


def test_two_inspections_at_once_have_an_engine_each() -> None:
    with Database.lent() as one, Database.lent() as two:
        one.load([b"1\n"], columns=1, delimiter=",")
        two.load([b"2\n"], columns=1, delimiter=",")
        assert one.rows("SELECT c0 FROM batch") + two.rows("SELECT c0 FROM batch") == [("1",), ("2",)]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/proc/self/environ')",
        "SELECT * FROM glob('/*')",
        "COPY (SELECT 1) TO '/tmp/out.csv'",
        "ATTACH '/tmp/out.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET memory_limit = '1GB'",
        "SET enable_external_access = true",
        "SELECT getenv('HOME')",
    ],
)
def test_the_engine_reaches_nothing(statement: str) -> None:
    with Database.lent() as database, pytest.raises(Exception, match=r"disabled|locked|Cannot|does not exist"):
        database.rows(statement)


class Statement(Everything):
    """Asks something else."""

    def __init__(self, statement: str) -> None:
        super().__init__()
        self._statement = statement

    def ask(self, database: Database, batch: Batch) -> list[tuple[Any, ...]]:
        assert batch.count
        return database.rows(self._statement)


BROKEN = Statement("SELECT * FROM nothing")
SLOW = Statement("SELECT sum(hash(a.range + b.range)) FROM range(1000000) a, range(1000000) b")


def test_what_goes_wrong_in_the_engine_goes_wrong_here() -> None:
    with asking(BROKEN) as batches:
        batches.begin(["a"], line=1)
        batches.take(b"1\n", row=1, line=2)
        with pytest.raises(Exception, match="nothing"):
            batches.finish()


def test_a_question_that_takes_too_long_is_stopped() -> None:
    began = time.monotonic()
    with asking(SLOW, out_of_time=lambda: True) as batches:
        batches.begin(["a"], line=1)
        batches.take(b"1\n", row=1, line=2)
        with pytest.raises(OutOfTimeError):
            batches.finish()
    with asking(SLOW, batch_bytes=1) as batches:
        batches.begin(["a"], line=1)
        batches.take(b"1\n", row=1, line=2)
    assert time.monotonic() - began < 20


# -- few or many


class Log:
    """A sink that keeps what it gets."""

    def __init__(self) -> None:
        self.taken: list[Any] = []

    def begin(self, names: Sequence[str], *, line: int) -> None:
        self.taken.append((names, line))

    def take(self, run: bytes, *, row: int, line: int) -> None:
        self.taken.append((run, row, line))


@pytest.mark.parametrize("runs", [[b"abc\n", b"de"], [b"abc\nde"]])
@pytest.mark.parametrize(("limit", "is_many"), [(5, True), (6, False)])
def test_many_records_go_to_one_sink_and_few_to_the_other(runs: list[bytes], limit: int, is_many: bool) -> None:
    few, many = Log(), Log()
    chosen = Many(few=few, many=lambda: many, more_than=limit, columns=2)
    chosen.begin(["x", "y"], line=1)
    for row, run in enumerate(runs):
        chosen.take(run, row=row, line=row)
    chosen.finish()
    expected = [(["x", "y"], 1), *((run, row, row) for row, run in enumerate(runs))]
    assert (few.taken, many.taken) == (([], expected) if is_many else (expected, []))


def test_a_table_that_is_too_wide_for_the_engine_is_never_many() -> None:
    few, many = Log(), Log()
    chosen = Many(few=few, many=lambda: many, more_than=0, columns=1)
    chosen.begin(["x", "y"], line=1)
    chosen.take(b"1,2\n", row=1, line=2)
    assert few.taken == [(["x", "y"], 1), (b"1,2\n", 1, 2)]
    chosen.finish()
    assert many.taken == []
