"""docs/from-other-tools.md is true: what frictionless calls one thing, Recibo calls what stands beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import frictionless
import pytest

from chalicelib.contracts import Contract
from chalicelib.findings import CATALOGUE
from chalicelib.inspection import inspect
from infra.stages import ROOT

PAGE = (ROOT / "docs" / "from-other-tools.md").read_text()
ROWS = re.findall(r"^\| `([a-z-]+)`[^|]*\| `([a-z-]+)`", PAGE, re.MULTILINE)

FIELDS = [{"name": "id", "type": "integer"}, {"name": "name", "type": "string"}]
REQUIRED = [{"name": "id", "type": "integer", "constraints": {"required": True}}, FIELDS[1]]
UNIQUE = [{"name": "id", "type": "integer", "constraints": {"unique": True}}, FIELDS[1]]
# For each error of frictionless a schema, if it needs one, and a table.
TABLES: Mapping[str, tuple[dict[str, Any] | None, str]] = {
    "blank-label": (None, "id,\n1,a\n2,b\n"),
    "duplicate-label": (None, "id,id\n1,a\n2,b\n"),
    "blank-row": (None, "id,name\n1,a\n\n2,b\n"),
    "extra-cell": (None, "id,name\n1,a,x\n2,b\n3,c\n"),
    "missing-cell": (None, "id,name\n1\n2,b\n3,c\n"),
    "missing-label": ({"fields": FIELDS}, "id\n1\n"),
    "extra-label": ({"fields": FIELDS}, "id,name,more\n1,a,b\n"),
    "incorrect-label": ({"fields": FIELDS}, "id,title\n1,a\n"),
    "type-error": ({"fields": FIELDS}, "id,name\nx,a\n"),
    "constraint-error": ({"fields": REQUIRED}, "id,name\n,a\n"),
    "unique-error": ({"fields": UNIQUE}, "id,name\n1,a\n1,b\n"),
    "primary-key": ({"fields": FIELDS, "primaryKey": ["id"]}, "id,name\n1,a\n1,b\n"),
    "source-error": (None, ""),
}


@pytest.mark.parametrize(("theirs", "ours"), ROWS)
def test_what_frictionless_reports_recibo_reports_by_the_name_that_is_told(
    theirs: str, ours: str, tmp_path: Path
) -> None:
    schema, table = TABLES[theirs]
    (tmp_path / "table.csv").write_text(table)
    known: dict[str, Any] = {"schema": frictionless.Schema.from_descriptor(schema)} if schema else {}
    report = frictionless.Resource(path="table.csv", basepath=str(tmp_path), **known).validate()
    assert theirs in {found for (found,) in report.flatten(["type"])}
    keywords = {"name": "example", "match": "**", "format": "csv"} | ({"schema": schema} if schema else {})
    contract = Contract.of(json.dumps(keywords))
    assert ours in inspect([table.encode()], name="table.csv", contract=contract).counts


def test_every_error_that_is_named_has_an_example_and_every_finding_is_one() -> None:
    assert {theirs for theirs, _ in ROWS} == set(TABLES)
    assert set(re.findall(r"`((?:constraint|too|missing|incorrect|type)-[a-z-]+)`", PAGE)) - set(TABLES) <= set(
        CATALOGUE
    )
