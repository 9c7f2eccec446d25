"""What Recibo is measured beside. Each returns the work to measure; its result is the number of records it found."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import re
import subprocess
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

from bench.recibo import CONTRACT
from bench.rows import CATEGORIES, COLUMNS

CHUNK = 1 << 20
_NAMES = frozenset(COLUMNS)
_COUNTRY = re.compile(r"[A-Z]{2}")

Work = Callable[[], object]


def read(path: str) -> Work:
    """Nothing but reading."""
    return lambda: _each_chunk(path, lambda _: None)


def sha256(path: str) -> Work:
    """Reading and hashing: the least that any receipt takes."""
    return lambda: _each_chunk(path, hashlib.sha256().update)


def _each_chunk(path: str, use: Callable[[bytes], None]) -> None:
    with Path(path).open("rb", buffering=0) as file:
        while chunk := file.read(CHUNK):
            use(chunk)


def wc(path: str) -> Work:
    """`wc -l`."""
    return lambda: subprocess.run(["wc", "-l", path], check=True, stdout=subprocess.DEVNULL).returncode or None


def gunzip(path: str) -> Work:
    """Unpacking with Python's gzip, and nothing else."""

    def work() -> None:
        with gzip.open(path) as file:
            while file.read(CHUNK):
                pass

    return work


def csv_reader(path: str) -> Work:
    """Counting the rows and those of another width than the header."""
    return lambda: _count_rows(path)


def _count_rows(path: str) -> int:
    rows = wrong = 0
    opened: Any = gzip.open if path.endswith(".gz") else open
    with opened(path, "rt", encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        width = len(next(reader))
        for row in reader:
            rows += 1
            if len(row) != width:
                wrong += 1
    return rows


def frictionless(path: str) -> Work:
    """Its `validate` with nothing set: structure, and the types it infers."""
    library = import_module("frictionless")
    library.system.trusted = True  # for an absolute path

    def work() -> int:
        report = library.validate(path)
        rows: int = report.tasks[0].stats["rows"]
        return rows

    return work


def frictionless_schema(path: str) -> Work:
    """Its `validate` with the Table Schema of `bench.recibo.CONTRACT`, which the file fulfils."""
    library = import_module("frictionless")
    library.system.trusted = True
    schema = library.Schema.from_descriptor(CONTRACT["schema"])

    def work() -> int:
        report = library.validate(path, schema=schema)
        if not report.valid:
            raise RuntimeError(f"{path} is said to break its schema")
        rows: int = report.tasks[0].stats["rows"]
        return rows

    return work


def duckdb_csv(path: str) -> Work:
    """The embedded engine alone, on the file itself: cells and rows, and nothing about what is in them."""
    return _asked(f"SELECT count(*) FROM {_csv_of(path, dict.fromkeys(COLUMNS, 'VARCHAR'))}")


def duckdb_json_lines(path: str) -> Work:
    """The same for JSON Lines, each member as the text it is."""
    columns = _columns(dict.fromkeys(COLUMNS, "JSON"))
    return _asked(f"SELECT count(*) FROM read_json('{path}', format='newline_delimited', columns={columns})")


def duckdb_checked(path: str) -> Work:
    """The checks of `bench.recibo.CONTRACT` and a profile as one would write them for the engine, by hand."""
    types = {"id": "BIGINT", "date": "DATE", "amount": "DOUBLE"}
    source = _csv_of(path, {name: types.get(name, "VARCHAR") for name in COLUMNS})
    wrong = (
        "id IS NULL OR id < 1",
        "length(name) > 100",
        "amount < 0",
        f"category NOT IN {CATEGORIES}",
        "NOT regexp_full_match(country, '[A-Z]{2}')",
    )
    checks = [f"count(*) FILTER ({condition})" for condition in wrong]
    profile = [
        f"count({name}), min({name}), max({name}), approx_count_distinct({name})" for name in COLUMNS
    ]  # fmt: skip
    return _asked(f"SELECT count(*), {', '.join(checks + profile)} FROM {source}")


def _csv_of(path: str, types: Mapping[str, str]) -> str:
    dialect = "auto_detect=false, header=true, delim=',', quote='\"', escape='\"', strict_mode=true"
    return f"read_csv('{path}', {dialect}, columns={_columns(types)})"


def _columns(types: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"'{name}': '{kind}'" for name, kind in types.items()) + "}"


def _asked(statement: str) -> Work:
    """The first number that the engine answers, on one thread."""
    database = import_module("duckdb").connect(config={"threads": 1})
    return lambda: database.execute(statement).fetchone()[0]


def json_lines(path: str) -> Work:
    """Decoding each line with Python's json."""
    return lambda: _count_lines(path, json.loads)


def json_lines_checked(path: str) -> Work:
    """Decoding each line with Python's json, and the checks of `bench.recibo.CONTRACT` as one would write them."""
    right = 0

    def check(line: bytes) -> None:
        nonlocal right
        record = json.loads(line)
        right += (
            record.keys() == _NAMES
            and type(record["id"]) is int
            and record["id"] >= 1
            and date.fromisoformat(record["date"]) is not None
            and len(record["name"]) <= 100
            and record["amount"] >= 0
            and record["category"] in CATEGORIES
            and _COUNTRY.fullmatch(record["country"]) is not None
            and isinstance(record["note"], str | None)
        )

    def work() -> int:
        _count_lines(path, check)
        return right

    return work


def orjson_lines(path: str) -> Work:
    """Decoding each line with orjson."""
    loads = import_module("orjson").loads
    return lambda: _count_lines(path, loads)


def _count_lines(path: str, loads: Callable[[bytes], object]) -> int:
    with Path(path).open("rb") as file:
        return _count(loads(line) for line in file)


def _count(values: Iterable[object]) -> int:
    total = 0
    for _ in values:
        total += 1
    return total


def expat(path: str) -> Work:
    """Python's expat, counting elements: it neither hashes nor tells lines."""
    parsers = import_module("xml.parsers.expat")

    def work() -> int:
        total = 0

        def begin(_name: str, _attributes: object) -> None:
            nonlocal total
            total += 1

        parser = parsers.ParserCreate()
        parser.StartElementHandler = begin
        with Path(path).open("rb") as file:
            parser.ParseFile(file)
        return total

    return work


def element_tree(path: str) -> Work:
    """Python's ElementTree, element by element, each forgotten once it ends."""
    trees = import_module("xml.etree.ElementTree")

    def work() -> int:
        total = 0
        for _, element in trees.iterparse(path):
            element.clear()
            total += 1
        return total

    return work


def pyarrow(path: str) -> Work:
    """Every value of a Parquet file, a row group at a time, on one thread."""
    parquet = import_module("pyarrow.parquet")

    def work() -> int:
        with parquet.ParquetFile(path) as file:
            groups = (file.read_row_group(at, use_threads=False) for at in range(file.num_row_groups))
            return sum(group.num_rows for group in groups)

    return work


def openpyxl(path: str) -> Work:
    """Every row of a workbook's sheet, as it streams."""
    library = import_module("openpyxl")

    def work() -> int:
        book = library.load_workbook(path, read_only=True)
        return _count(book.active.iter_rows(values_only=True)) - 1

    return work


def json_document(path: str) -> Work:
    """Decoding the whole file at once with Python's json."""
    return lambda: len(json.loads(Path(path).read_bytes()))


def orjson_document(path: str) -> Work:
    """Decoding the whole file at once with orjson."""
    loads = import_module("orjson").loads
    return lambda: len(loads(Path(path).read_bytes()))
