"""What a fuzzer's bytes stand for: a file's content, its name, how it is packed, and what is expected of it."""

from __future__ import annotations

import bz2
import json
import lzma
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from chalicelib.contracts import Contract
from chalicelib.inspection import Expectation
from chalicelib.inspection.media_types import Format
from tests.inspection.packing import wide, zipped, zst
from tests.inspection.strategies import gz
from tests.inspection.workbooks import changed, workbook

HEAD = 3
"""How many bytes say what is done with the rest."""

NAMES = (
    *("", "a.csv", "a.tsv", "a.json", "a.jsonl", "a.xml", "a.txt", "a.parquet", "a.xlsx", "a.zip", "a.csv.gz"),
    *("a.json.bz2", "a.xml.xz", "a.jsonl.zst", "a.png", "a/b"),
)
CUTS = (1, 2, 3, 5, 7, 16, 61, 255)
"""In pieces of how many bytes the content arrives the second time."""


def contract(**keywords: Any) -> Contract:
    """A contract for whatever the content is."""
    return Contract.of(json.dumps({"name": "c", "match": "**"} | keywords))


def _table(*fields: dict[str, Any], **more: Any) -> Contract:
    return contract(schema={"fields": list(fields), "fieldsMatch": "subset", "missingValues": ["", "-"]}, **more)


CONTRACTS = {
    "numbers": _table(
        {"name": "a", "type": "integer", "constraints": {"required": True, "minimum": 0, "unique": True}},
        {"name": "b", "type": "number", "bareNumber": False, "groupChar": ",", "constraints": {"maximum": 100}},
        {"name": "c", "type": "boolean"},
    ),
    "texts": _table(
        {"name": "a", "type": "string", "constraints": {"pattern": "[a-z]+[0-9]*", "maxLength": 5}},
        {"name": "b", "type": "string", "format": "email"},
        {"name": "c", "type": "string", "constraints": {"enum": ["x", "y"], "required": True}},
    ),
    "times": _table(
        {"name": "a", "type": "date"},
        {"name": "b", "type": "datetime", "format": "any"},
        {"name": "c", "type": "time", "format": "%H:%M"},
    ),
    "others": _table(
        {"name": "a", "type": "duration"},
        {"name": "b", "type": "array"},
        {"name": "c", "type": "yearmonth"},
        samples=True,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How content is packed, and what is expected of it."""

    name: str
    packed: Callable[[bytes], bytes] = bytes
    options: Mapping[str, Any] = field(default_factory=dict)
    is_by_engine: bool = False
    """Whether the embedded engine judges it as well: that takes ten times as long as all the rest."""


def _footed(footer: bytes) -> bytes:
    """A Parquet file of this footer and nothing else."""
    return b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1"


def _packing(name: str, packed: Callable[[bytes], bytes]) -> Way:
    return Way(name=name, packed=packed)


WAYS = (
    Way(name="as it is"),
    *(
        Way(name=f"as {form}", options={"expectation": Expectation(format=form)})
        for form in (Format.CSV, Format.TSV, Format.JSON, Format.JSONL, Format.XML, Format.TEXT)
    ),
    Way(name="without a header", options={"expectation": Expectation(format=Format.CSV, header=False)}),
    *(Way(name=f"under {name}", options={"contract": made}) for name, made in CONTRACTS.items()),
    *(
        Way(name=f"under {name}, by the engine", options={"contract": made}, is_by_engine=True)
        for name, made in CONTRACTS.items()
    ),
    _packing("in gzip", gz),
    _packing("in bzip2", bz2.compress),
    _packing("in xz", lzma.compress),
    _packing("in zstd", zst),
    _packing("in a zip", lambda content: zipped([("a", content)])),
    _packing("in a zip64 that is streamed", lambda content: wide(content, streamed=True)),
    _packing("as a sheet", lambda content: changed(sheet=content)),
    _packing("as a workbook", lambda content: changed(book=content)),
    _packing("as relationships", lambda content: changed(related=content)),
    _packing("as shared texts", lambda content: workbook(_SHARED, strings=content)),  # type: ignore[arg-type] # parts may be bytes
    _packing("as styles", lambda content: workbook(_STYLED, styles=content)),  # type: ignore[arg-type] # the same
    _packing("as a footer of Parquet", _footed),
)
_SHARED = '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>'
_STYLED = '<row r="1"><c r="A1" s="1"><v>41000.5</v></c><c r="B1" s="2"><v>0.5</v></c></row>'


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A file, and how it is inspected."""

    name: str
    way: Way
    cut: int
    content: bytes

    @classmethod
    def of(cls, data: bytes) -> Case:
        """The case that a fuzzer's bytes stand for."""
        head = data[:HEAD].ljust(HEAD, b"\0")
        return cls(
            name=NAMES[head[0] % len(NAMES)],
            way=WAYS[head[1] % len(WAYS)],
            cut=CUTS[head[2] % len(CUTS)],
            content=data[HEAD:],
        )


def written(content: bytes, *, name: str = "", way: str = "as it is", cut: int = 7) -> bytes:
    """The bytes that stand for a case."""
    ways = [each.name for each in WAYS]
    return bytes([NAMES.index(name), ways.index(way), CUTS.index(cut)]) + content
