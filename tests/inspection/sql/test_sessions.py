"""What the engines are locked to holds for whoever is lent one, wherever the process runs."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

from chalicelib.inspection.sql import database, parquet

ELSEWHERE = """
import io, json
from datetime import UTC, datetime
import pyarrow as pa
import pyarrow.parquet as pq
from chalicelib.contracts import Contract
from chalicelib.inspection import inspect

file, noon = io.BytesIO(), datetime(2026, 1, 1, 12, tzinfo=UTC)
pq.write_table(pa.table({"a": pa.array([[noon]], pa.list_(pa.timestamp("us", tz="UTC")))}), file)
for content, name, check in (
    (file.getvalue(), "a.parquet", "a LIKE '%12:00:00%'"),
    (b"a\\n2026-01-01T12:00:00Z\\n", "a.csv", "hour(a::TIMESTAMPTZ) = 12"),
):
    said = {"name": "c", "match": "**", "schema": {"fields": [{"name": "a"}]}, "checks": {"noon": check}}
    print(dict(inspect([content], name=name, contract=Contract.of(json.dumps(said))).counts))
"""


@pytest.mark.parametrize("module", [database, parquet])
def test_every_setting_holds_in_the_session_that_works(module: Any) -> None:
    engine = database.Database() if module is database else parquet.ParquetReader()
    session = engine._session
    for setting in module._SETTINGS:
        name, _, value = setting.partition(" = ")
        if name in ("allowed_paths", "memory_limit", "max_temp_directory_size"):  # told in other words
            continue
        told = session.execute(f"SELECT current_setting('{name}')").fetchall()[0][0]
        assert str(told).lower() == value.strip("'").lower(), name


def test_a_check_holds_in_any_time_zone() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", ELSEWHERE],
        env={**os.environ, "TZ": "America/Sao_Paulo"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == "{}\n{}\n"
