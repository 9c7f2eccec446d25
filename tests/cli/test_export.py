"""`export`: every receipt once, and nothing in it that a spreadsheet would obey."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from pathlib import Path

from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.inspection import inspect
from chalicelib.uploads import entry_of
from cli.exporting import COLUMNS, write_csv, write_json
from cli.main import recibo
from infra.template import LOCAL
from tests import events
from tests.aws import World
from tests.fakes import NOON
from tests.receipts import receipt

HOSTILE = st.sampled_from(
    ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "a,b\n", '"', "ok"]
)
TEXTS = HOSTILE | st.text(st.characters(exclude_categories=["Cs"]))


def record(world: World, key: str, content: bytes, *, minutes: int = 0) -> None:
    made = inspect([content], name=key)
    world.ledger.record(receipt(entry_of(events.record(key)), report=made, at=NOON + timedelta(minutes=minutes)))


def export(*options: str) -> Result:
    result = CliRunner().invoke(recibo, ["export", *options])
    assert result.exit_code == 0, result.output
    return result


@given(TEXTS, TEXTS)
def test_no_cell_is_taken_for_a_formula_and_none_is_lost(key: str, message: str) -> None:
    finding = {"code": "blank-row", "severity": "warning", "message": message}
    out = io.StringIO(newline="")
    write_csv([{"key": key, "bytes": 3, "findings": [finding], "finding_counts": {"blank-row": 2}}], out)
    header, row = csv.reader(io.StringIO(out.getvalue(), newline=""))
    cells = dict(zip(header, row, strict=True))
    assert not any(cell.startswith(tuple("=+-@\t\r\n")) for cell in row)
    assert cells["key"].removeprefix("'") == key.removeprefix("'")
    assert cells["first_finding"].removeprefix("'") == message.removeprefix("'")
    assert (cells["errors"], cells["findings"], cells["bytes"]) == ("0", "blank-row:2", "3")


@given(st.lists(st.dictionaries(TEXTS, TEXTS)))
def test_json_lines_are_one_receipt_each_whatever_is_in_them(receipts: list[dict[str, str]]) -> None:
    out = io.StringIO(newline="")
    write_json(receipts, out)
    assert [json.loads(line) for line in out.getvalue().split("\n")[:-1]] == receipts


def test_every_receipt_is_exported_once_newest_first(world: World) -> None:
    for minutes in range(30):
        record(world, f"{minutes}.csv", b"a,b\n1,2\n" if minutes % 2 else b"a,b\n1\n", minutes=minutes)
    rows = list(csv.DictReader(io.StringIO(export().output)))
    assert [row["key"] for row in rows] == [f"{minutes}.csv" for minutes in reversed(range(30))]
    assert tuple(rows[0]) == COLUMNS
    assert {row["status"]: row["errors"] for row in rows} == {"succeeded": "0", "failed": "1"}


def test_the_failed_of_a_period_are_exported_whole_into_a_file(world: World, tmp_path: Path) -> None:
    for minutes in range(6):
        record(world, f"{minutes}.csv", b"a,b\n1\n", minutes=minutes)
    until = (NOON + timedelta(minutes=2)).isoformat()
    path = tmp_path / "receipts.jsonl"
    assert export("--failed", "--until", until, "--json", "-o", str(path)).output == ""
    found = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert [one["key"] for one in found] == ["1.csv", "0.csv"]
    assert found[0] == world.receipt("1.csv")


def test_a_file_that_cannot_be_written_is_one_clear_sentence(world: World, tmp_path: Path) -> None:
    result = CliRunner().invoke(recibo, ["export", "-o", str(tmp_path / "no folder" / "x.csv")])
    assert (result.exit_code, world.receipts) == (2, [])
    assert "cannot be written" in result.output


def test_a_file_stays_as_it_was_if_the_ledger_cannot_be_read(world: World, tmp_path: Path) -> None:
    world.dynamodb.delete_table(TableName=LOCAL.table)
    path = tmp_path / "receipts.csv"
    path.write_text("of yesterday\n")
    result = CliRunner().invoke(recibo, ["export", "-o", str(path)])
    assert (result.exit_code, path.read_text(), list(tmp_path.iterdir())) == (2, "of yesterday\n", [path])


def test_a_file_that_is_replaced_keeps_its_permissions_and_the_link_to_it(world: World, tmp_path: Path) -> None:
    record(world, "a.csv", b"a\n1\n")
    path, link = tmp_path / "receipts.csv", tmp_path / "latest.csv"
    path.write_text("of yesterday\n")
    path.chmod(0o600)
    link.symlink_to(path)
    export("-o", str(link))
    assert (link.is_symlink(), path.stat().st_mode & 0o777) == (True, 0o600)
    assert path.read_text().splitlines()[0] == ",".join(COLUMNS)
    assert sorted(tmp_path.iterdir()) == [link, path]


def test_an_output_without_a_name_is_one_clear_sentence(world: World) -> None:
    record(world, "a.csv", b"a\n1\n")
    result = CliRunner().invoke(recibo, ["export", "-o", ""])
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
