"""Recibo's side: what is measured of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

from bench.corpus import repeated
from bench.rows import CATEGORIES
from chalicelib.inspection import Report, inspect

CONTRACT = {
    "name": "export",
    "match": "**",
    "schema": {
        "fields": [
            {"name": "id", "type": "integer", "constraints": {"required": True, "minimum": 1}},
            {"name": "date", "type": "date"},
            {"name": "name", "type": "string", "constraints": {"maxLength": 100}},
            {"name": "amount", "type": "number", "constraints": {"minimum": 0}},
            {"name": "category", "type": "string", "constraints": {"enum": list(CATEGORIES)}},
            {"name": "country", "type": "string", "constraints": {"pattern": "[A-Z]{2}"}},
            {"name": "note", "type": "string"},
        ]
    },
}
CHUNK = 1 << 20
"""What Recibo asks S3 for at a time."""


def inspect_file(path: str) -> Callable[[], object]:
    """A whole inspection of a file."""
    return lambda: _records(inspect(_chunks(path), name=path))


def inspect_under_contract(path: str) -> Callable[[], object]:
    """A whole inspection of a file under a contract of its seven fields, which it fulfils."""
    contract = import_module("chalicelib.contracts").Contract.of(json.dumps(CONTRACT))
    return lambda: _records(inspect(_chunks(path), name=path, contract=contract))


def inspect_stream(name: str, size: str) -> Callable[[], object]:
    """An inspection of a stream, in a process that has loaded all that the Lambda function loads."""
    import_module("app")
    return lambda: _records(inspect(repeated(name, int(size)), name=name))


def footprint() -> Callable[[], object]:
    """Nothing, in such a process."""
    import_module("app")
    return lambda: None


def _chunks(path: str) -> Iterator[bytes]:
    with Path(path).open("rb", buffering=0) as file:
        while chunk := file.read(CHUNK):
            yield chunk


def _records(report: Report) -> int:
    """How many records, of XML elements; raises RuntimeError if nothing was inspected, for that would be quick."""
    facts = report.facts
    found = facts.records if facts.elements is None else facts.elements
    if report.sha256 is None or found is None:
        raise RuntimeError(f"The file was not inspected to its end: {dict(report.counts)}")
    return found
