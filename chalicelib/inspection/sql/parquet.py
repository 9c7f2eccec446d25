"""Reads the values of a Parquet file with the engine, which proves that they can be read."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from uuid import UUID

from chalicelib.inspection.limits import MIB

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from chalicelib.inspection.profile.sampling import Parts

T = TypeVar("T")
Tick = Callable[[], None]
MEMORY_BYTES = 384 * MIB
"""The most memory that the engine may take for one file; it never spills to a disk. A row group may be as large."""
_ROWS = 2_000
_WAIT_SECONDS = 0.05
_ZONE = " WITH TIME ZONE"
_INSTANT = "TIMESTAMP" + _ZONE
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SETTINGS = (
    "autoinstall_known_extensions = false",
    "autoload_known_extensions = false",
    "allow_community_extensions = false",
    "enable_external_file_cache = false",  # the file is another one each time, under the same name
    "python_enable_replacements = false",
    "enable_geoparquet_conversion = false",  # what is said of geometries beside the format is no damage if it is wrong
    "temp_directory = ''",
    "max_temp_directory_size = '0MiB'",
    f"memory_limit = '{MEMORY_BYTES // MIB}MiB'",
    "threads = 1",  # each more would hold a row group of its own
    "TimeZone = 'UTC'",
    "allowed_paths = ['{path}']",
    "enable_external_access = false",
    "lock_configuration = true",
)
_UNSUPPORTED = (
    *("support", "implement", "unknown encoding", "pytz"),
    "map_key_value requires two children",  # the values of a map may be omitted
    *("the variant column must have", "getchildstats"),  # shredded, without the column for what does not fit
)
"""What the engine says of files that are right, and that it cannot read."""
_DAMAGED_GZIP = "invalid/unsupported gzip"
_NOT_READ = "they are stored in a way that is not read here"
_free: list[ParquetReader] = []


class UnreadableError(Exception):
    """The values cannot be read. `reason` says what keeps the engine from it; None if it is the file."""

    def __init__(self, reason: str | None) -> None:
        super().__init__(reason)
        self.reason = reason


class ParquetReader:
    """An engine without network, extensions and files but the one that it is lent for."""

    def __init__(self) -> None:
        self._nothing = os.memfd_create("nothing")
        self._file = os.dup(self._nothing)
        path = f"/proc/self/fd/{self._file}"
        self._engine = import_module("duckdb")
        self._root: DuckDBPyConnection = self._engine.connect(":memory:")
        for setting in _SETTINGS:
            self._root.execute(f"SET GLOBAL {setting.replace('{path}', path)}")
        options = f"'{path}', hive_partitioning = false, binary_as_string = false"
        self._source = f"read_parquet({options})"
        self._numbered = f"read_parquet({options}, file_row_number = true)"
        self._session = self._root.cursor()

    @classmethod
    @contextmanager
    def lent(cls, descriptor: int) -> Iterator[ParquetReader]:
        """One for a file that is open; one that failed is not lent again."""
        reader = _free.pop() if _free else cls()
        try:
            reader.open(descriptor)
            yield reader
        except BaseException:
            reader.close()
            raise
        reader.open(None)
        _free.append(reader)

    def open(self, descriptor: int | None) -> None:
        """Let the engine see this file; with None it sees an empty one."""
        self._session.close()
        self._session = self._root.cursor()
        os.dup2(self._nothing if descriptor is None else descriptor, self._file)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Of what the engine says only this is kept: it may tell values."""
        try:
            yield
        except self._engine.OutOfMemoryException:
            raise UnreadableError(f"they take more than {MEMORY_BYTES // MIB} MiB of memory") from None
        except self._engine.Error as error:
            said = str(error).lower().replace(_DAMAGED_GZIP, "")
            is_unsupported = any(word in said for word in _UNSUPPORTED)
            raise UnreadableError(_NOT_READ if is_unsupported else None) from None
        except (ValueError, OverflowError):
            raise UnreadableError("a date or a time is beyond the year 9999") from None

    def close(self) -> None:
        """End it."""
        self._session.close()
        self._root.close()
        os.close(self._file)
        os.close(self._nothing)

    def read_all(self, tick: Tick) -> None:
        """Read every value; raises UnreadableError, and what `tick` raises."""
        # Only what needs every value keeps the engine from answering out of the footer.
        self._patiently(
            lambda: self._session.execute(f"SELECT bit_xor(hash(COLUMNS(*))) FROM {self._source}").fetchall(), tick
        )

    def _patiently(self, work: Callable[[], T], tick: Tick) -> T:
        """Do what may take long in a thread of its own, and ask for the time meanwhile."""
        with ThreadPoolExecutor(max_workers=1) as thread:
            doing = thread.submit(work)
            try:
                while not wait([doing], timeout=_WAIT_SECONDS).done:
                    tick()
            except BaseException:
                while not wait([doing], timeout=_WAIT_SECONDS).done:
                    self._session.interrupt()
                raise
        with self._translated():
            return doing.result()

    def rows(self, columns: int, tick: Tick, *, first: int | None = None) -> Iterator[Sequence[object]]:
        """Every row, a native value for each of so many columns; raises UnreadableError, and what `tick` raises.

        Of those columns only the `first` are read, if so told.
        """
        with self._translated():
            wanted = self._wanted(columns, first or columns)
            answer = self._session.execute(f"SELECT {', '.join(wanted.expressions)} FROM {self._source}")
        while True:
            tick()
            with self._translated():
                rows = answer.fetchmany(_ROWS)
            if not rows:
                return
            yield from self._native(rows, wanted)

    def parts(self, parts: Parts, columns: int, tick: Tick, *, first: int) -> Iterator[tuple[int, Sequence[object]]]:
        """The rows of those parts, each behind its number; what else is in the file is hardly read."""
        with self._translated():
            wanted = self._wanted(columns, first)
        behind = f"file_row_number - {parts.first - 1}"
        where = f"{behind} >= 0 AND ({behind}) % {parts.each} >= {parts.each - parts.part}"
        sql = f"SELECT {', '.join(wanted.expressions)}, file_row_number FROM {self._numbered} WHERE {where}"
        answer = self._patiently(lambda: self._session.execute(sql), tick)
        while rows := self._patiently(lambda: answer.fetchmany(_ROWS), tick):
            for row in self._native(rows, wanted):
                yield int(str(row[-1])) + 1, row[:-1]

    def _wanted(self, columns: int, first: int) -> _Wanted:
        self._session.execute(f"SELECT * FROM {self._source} LIMIT 0")
        types = [str(column[1]) for column in self._session.description or ()]
        if len(types) != columns:
            raise UnreadableError(_NOT_READ)
        types = types[:first]
        return _Wanted(
            [_expression(number, type_) for number, type_ in enumerate(types, start=1)],
            [(index, convert) for index, type_ in enumerate(types) if (convert := _converter(type_))],
        )

    def _native(self, rows: Sequence[Sequence[object]], wanted: _Wanted) -> Sequence[Sequence[object]]:
        with self._translated():
            return [_converted(row, wanted.converters) for row in rows] if wanted.converters else rows


class _Wanted(NamedTuple):
    """How columns are asked for, and what makes native values of those that come as something else."""

    expressions: Sequence[str]
    converters: Sequence[tuple[int, Callable[[Any], object]]]


def _expression(number: int, type_: str) -> str:
    """How a column is asked for: without a zone, which Python's side of the engine has no names for."""
    if type_ == _INSTANT:
        return f"epoch_us(#{number})"
    return f"CAST(#{number} AS {type_.replace(_ZONE, '')})" if _ZONE in type_ else f"#{number}"


def _converter(type_: str) -> Callable[[Any], object] | None:
    if type_ == _INSTANT:
        return _instant
    if type_ == "UUID":
        return str
    is_nested = type_.endswith("]") or type_.startswith(("STRUCT", "MAP", "UNION"))
    return _json_like if is_nested else None


def _converted(row: Sequence[object], converted: Sequence[tuple[int, Callable[[Any], object]]]) -> Sequence[object]:
    values = list(row)
    for index, convert in converted:
        if values[index] is not None:
            values[index] = convert(values[index])
    return values


def _instant(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)


def _json_like(value: object) -> object:
    """A nested value as one of JSON, but for its scalars."""
    if isinstance(value, dict):
        return {str(name): _json_like(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_json_like(inner) for inner in value]
    return str(value) if isinstance(value, UUID) else value
