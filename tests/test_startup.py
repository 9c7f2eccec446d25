"""What every cold start pays for: the modules that importing the application loads, counted and not timed."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache

import pytest

from infra.stages import ROOT

SHOW = "import sys, boto3, chalice.app; before = set(sys.modules); import app; print(*set(sys.modules) - before)"

ON_FIRST_USE = (
    "chalicelib.contracts",
    "chalicelib.tableschema",
    "chalicelib.verification",
    "chalicelib.reconcile",
    "chalicelib.wanted",
    "chalicelib.listing",
    "chalicelib.scheduled",
    "chalicelib.seal",
    "chalicelib.aws.seals",
    "chalicelib.dead_letters",
    "chalicelib.announc",
    "chalicelib.aws.notices",
    "chalicelib.aws.evidence",
    "chalicelib.backfill",
    "chalicelib.tasks",
    "chalicelib.access",
    "chalicelib.answer",
    "chalicelib.problems",
    "chalicelib.inspection.report_parts",
    "chalicelib.aws.objects",
    "chalicelib.inspection.contracted",
    "chalicelib.inspection.values",
    "chalicelib.inspection.json_",
    "chalicelib.inspection.xml_",
    "chalicelib.inspection.zip_",
    "chalicelib.inspection.gunzip",
    "chalicelib.inspection.streams",
    "chalicelib.inspection.unzip",
    "chalicelib.inspection.decompressors",
    "chalicelib.inspection.parquet",
    "chalicelib.inspection.sql",
    "duckdb",
    "wasmtime",
    "difflib",
    "fractions",
    "pyexpat",
    "unicodedata",
)
"""What an upload of plain CSV without a contract does not need, by how its names begin."""

MOST_MODULES = 43
"""Each costs a cold start about half a millisecond, whatever is in it."""


@cache
def loaded() -> list[str]:
    """What `import app` loads beyond Chalice and boto3, in a process of its own."""
    settings = dict.fromkeys(("RECIBO_BUCKET", "RECIBO_TABLE", "RECIBO_DEAD_LETTERS"), "any")
    environment = {**os.environ, **settings}
    done = subprocess.run(
        [sys.executable, "-c", SHOW], cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.split()


@pytest.mark.parametrize("beginning", ON_FIRST_USE)
def test_what_few_uploads_need_is_not_loaded_before_one_does(beginning: str) -> None:
    assert not [name for name in loaded() if name.startswith(beginning)]


def test_a_cold_start_loads_no_more_modules_of_ours_than_it_did() -> None:
    ours = [name for name in loaded() if name.partition(".")[0] in ("app", "chalicelib")]
    assert "chalicelib.inspection.delimited" in ours, "CSV is read by the first uploads: that is loaded at the start"
    assert len(ours) <= MOST_MODULES, ours
