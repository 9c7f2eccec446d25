"""Which files are read, and what reads them beside Recibo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Something that does a part of Recibo's work. `job` is one of `bench.jobs`.

    `goal` is how many times as fast Recibo is to be, by CPU time; `floor` how many times it must be.
    """

    label: str
    job: str
    needs: str | None = None
    on_sample: bool = False
    goal: float | None = None
    floor: float | None = None

    @property
    def is_here(self) -> bool:
        """Whether what it needs is installed."""
        return not self.needs or find_spec(self.needs) is not None


RECIBO = Peer(label="Recibo, inspect", job="recibo")


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """A file and who reads it beside Recibo. `size` names a size of the scale."""

    title: str
    name: str
    size: str
    peers: Sequence[Peer]
    recibo: Peer = RECIBO


def _csv(*, goal: float | None = 2, floor: float | None = 1) -> Peer:
    return Peer(label="csv.reader with a width check", job="csv", goal=goal, floor=floor)


READ = Peer(label="reading alone", job="read")
HASH = Peer(label="reading and SHA-256", job="sha256")
ORJSON = Peer(label="orjson, line by line", job="orjson-lines", needs="orjson", goal=2)
JSON = Peer(label="json, line by line", job="json-lines")
DUCKDB_JSON = Peer(label="DuckDB, the file itself, members as they are", job="duckdb-json-lines")
CONTRACTED = Peer(label="Recibo, inspect under the contract", job="recibo-contract")

RACES = (
    Race(
        title="CSV as in a real export",
        name="export.csv",
        size="table",
        peers=(
            _csv(),
            Peer(label="frictionless 5, validate", job="frictionless", needs="frictionless", on_sample=True, goal=40),
            Peer(label="DuckDB, the file itself, cells only", job="duckdb-csv"),
            Peer(label="wc -l", job="wc"),
            HASH,
            READ,
        ),
    ),
    Race(title="CSV without quotes", name="unquoted.csv", size="table", peers=(_csv(),)),
    Race(title="CSV with every cell quoted, CRLF", name="quoted.csv", size="table", peers=(_csv(),)),
    Race(
        title="CSV with a short row in every 10,000",
        name="ragged.csv",
        size="sample",
        peers=(_csv(goal=None, floor=None),),
    ),
    Race(
        title="The export gzipped (MB are unpacked ones)",
        name="export.csv.gz",
        size="table",
        peers=(
            Peer(label="gzip and csv.reader with a width check", job="csv"),
            Peer(label="gzip, unpacking alone", job="gunzip"),
        ),
    ),
    Race(
        title="CSV as in a real export, under a contract of 7 fields, with profile",
        name="export.csv",
        size="table",
        recibo=CONTRACTED,
        peers=(
            Peer(
                label="frictionless 5, validate with the same schema",
                job="frictionless-schema",
                needs="frictionless",
                on_sample=True,
                goal=20,
            ),
            Peer(label="DuckDB, the same checks by hand, the file itself", job="duckdb-checked", goal=0.5),
        ),
    ),
    Race(title="JSON Lines, flat records", name="flat.jsonl", size="lines", peers=(ORJSON, JSON, DUCKDB_JSON, HASH)),
    Race(title="JSON Lines, nested records that differ", name="nested.jsonl", size="lines", peers=(ORJSON, JSON)),
    Race(
        title="JSON Lines, flat records, under a contract of 7 fields",
        name="flat.jsonl",
        size="sample",
        recibo=CONTRACTED,
        peers=(Peer(label="the same checks, written by hand for json", job="json-lines-checked"),),
    ),
    Race(
        title="JSON, one array of flat records",
        name="array.json",
        size="document",
        peers=(
            Peer(label="orjson, all at once", job="orjson", needs="orjson"),
            Peer(label="json, all at once", job="json"),
        ),
    ),
    Race(
        title="XML, rows of seven elements",
        name="rows.xml",
        size="document",
        peers=(
            Peer(label="ElementTree, element by element", job="element-tree"),
            Peer(label="expat, counting elements", job="expat"),
        ),
    ),
    Race(
        title="Parquet, every value read",
        name="export.parquet",
        size="packed",
        peers=(Peer(label="pyarrow, every value, one thread", job="pyarrow", needs="pyarrow"),),
    ),
    Race(
        title="XLSX, one sheet",
        name="export.xlsx",
        size="packed",
        peers=(Peer(label="openpyxl, read-only", job="openpyxl", needs="openpyxl"),),
    ),
)
