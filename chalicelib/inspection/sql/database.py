"""The engine itself: locked, in memory, and reused by a function that is warm."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from threading import Timer
from typing import TYPE_CHECKING, Any

from chalicelib.inspection.limits import MIB

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEMORY_BYTES = 512 * MIB
"""The most memory that the engine may take for one inspection; it never spills to a disk."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SETTINGS = (
    "autoinstall_known_extensions = false",
    "autoload_known_extensions = false",
    "allow_community_extensions = false",
    "enable_external_file_cache = false",  # the batch is another one each time, under the same name
    "python_enable_replacements = false",  # else a table's name could be that of a variable
    "threads = 1",  # the pass has the other core; two take twice as long together, for a batch is too small to share
    "temp_directory = ''",
    "max_temp_directory_size = '0MiB'",
    f"memory_limit = '{MEMORY_BYTES // MIB}MiB'",
    "TimeZone = 'UTC'",  # else a check could hold here and not there
    "allowed_paths = ['{path}']",
    "enable_external_access = false",
    "lock_configuration = true",
)
_ROWS_AT_A_TIME = 10_000
_free: list[Database] = []


class Database:
    """An engine without network, extensions and files but its own: the batch, which is in memory.

    What an inspection makes in it is temporary and its session's alone.
    """

    def __init__(self) -> None:
        self._batch = os.memfd_create("batch")
        self._path = f"/proc/self/fd/{self._batch}"
        engine = import_module("duckdb")
        self._refusal: type[Exception] = engine.Error
        self._too_long: type[Exception] = engine.InterruptException
        self._too_large: type[Exception] = engine.OutOfMemoryException
        self._root: DuckDBPyConnection = engine.connect(":memory:")
        for setting in _SETTINGS:
            self._root.execute(f"SET GLOBAL {setting.replace('{path}', self._path)}")
        self._session = self._root.cursor()
        self._is_kept = False

    @classmethod
    @contextmanager
    def lent(cls) -> Iterator[Database]:
        """One for an inspection; none has what another one left."""
        database = _free.pop() if _free else cls()
        try:
            yield database
        finally:
            if database.forget():
                _free.append(database)

    def forget(self) -> bool:
        """Drop all that was made; whether the engine can be used again: after a fault of its own it never answers."""
        os.ftruncate(self._batch, 0)
        try:
            self._session.close()
            self._session = self._root.cursor()
            self._session.execute("SELECT 1")
        except self._refusal:
            os.close(self._batch)
            return False
        return True

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """What a statement answers; `values` stand for its question marks."""
        answer: list[tuple[Any, ...]] = self._session.execute(sql, values or None).fetchall()
        return answer

    def each(self, sql: str) -> Iterator[tuple[Any, ...]]:
        """The same, row by row; no other statement may run meanwhile."""
        found = self._session.execute(sql)
        while rows := found.fetchmany(_ROWS_AT_A_TIME):
            yield from rows

    def told(self, sql: str) -> tuple[str | None, list[tuple[Any, ...]]]:
        """What a statement answers, or the first line of why it is refused; only for one that sees no file."""
        try:
            return None, self.rows(sql)
        except self._refusal as error:
            return str(error).splitlines()[0], []

    def tried(self, sql: str, *, seconds: float) -> tuple[str | None, list[tuple[Any, ...]]]:
        """What a statement answers, or why it does not, in words that say nothing of what it was run on."""
        timer = Timer(seconds, self.interrupt)
        timer.start()
        try:
            return None, self.rows(sql)
        except self._too_long:
            return f"it took longer than {seconds:g} seconds", []
        except self._too_large:
            return f"it took more than {MEMORY_BYTES // MIB} MiB of memory", []
        except self._refusal:
            return "it ended with an error, such as an overflow or a text that cannot be converted", []
        finally:
            timer.cancel()

    def understands(self, expression: str, *, columns: int) -> bool:
        """Whether an expression over the cells of a batch is one that the engine takes."""
        cells = ", ".join(f"'' AS c{index}" for index in range(columns))
        try:
            self.rows(f"SELECT {expression} FROM (SELECT 0 AS n, {cells})")
        except self._refusal:
            return False
        return True

    def interrupt(self) -> None:
        """Stop the statement that runs, if one does: it raises. May be called from any thread."""
        self._session.interrupt()

    def load(self, records: Iterable[bytes], *, columns: int, delimiter: str) -> None:
        """Make these records, which end in LF, the view `batch`: their cells are `c0`, `c1`, …; none is NULL.

        Each statement reads them again, which for one or two takes less time than to keep them.
        """
        size = self._write(records)
        names = [f"'c{index}': 'VARCHAR'" for index in range(columns)]
        # Nothing is detected. NULL would be a line end without quotes, which no cell can be.
        source = (
            f"read_csv('{self._path}', columns = {{{', '.join(names)}}}, auto_detect = false, header = false, "
            f"delim = '{delimiter}', quote = '\"', escape = '\"', comment = '', new_line = '\\n', strict_mode = true, "
            f"nullstr = '\n', allow_quoted_nulls = false, max_line_size = {size + 1}, buffer_size = {size + 1})"
        )
        self.rows(f"CREATE OR REPLACE TEMP VIEW batch AS SELECT * FROM {source}")
        self._is_kept = False

    def keep(self) -> None:
        """Keep the batch as a table, with the number `n` of each record: from 0 on, in their order."""
        if self._is_kept:
            return
        self.rows("CREATE OR REPLACE TEMP TABLE cells AS SELECT * FROM batch")
        self.rows("CREATE OR REPLACE TEMP VIEW batch AS SELECT rowid AS n, * FROM cells")
        os.ftruncate(self._batch, 0)
        self._is_kept = True

    def _write(self, records: Iterable[bytes]) -> int:
        os.ftruncate(self._batch, 0)
        os.lseek(self._batch, 0, os.SEEK_SET)
        # One mark is taken for that of the file: what begins with a mark itself needs another before it.
        os.write(self._batch, _BYTE_ORDER_MARK)
        with open(self._batch, "wb", closefd=False) as file:
            return len(_BYTE_ORDER_MARK) + sum(map(file.write, records))
