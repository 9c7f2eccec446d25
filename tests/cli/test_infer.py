"""`recibo.py contract infer`: what it proposes is right, and the samples pass it."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chalicelib.contracts import Contract
from chalicelib.inspection import inspect
from cli.inference import NoContractError, Sample, Wishes, glob_of, name_of, proposed
from tests.cli.test_check import recibo, write
from tests.inspection.profile.test_profile import ANY, CLOCKS, DATES, GROUPED, INTEGERS, NUMBERS
from tests.inspection.strategies import written

NAMES = st.sampled_from(["id", "day", "id", "", "a b", "é", '"', "x,y", "\n"])
CELLS = st.one_of(INTEGERS, NUMBERS, GROUPED, DATES, CLOCKS, ANY)
WISHES = st.builds(Wishes, bounds=st.booleans(), enums=st.booleans(), header=st.booleans())


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    """A table whose columns are mostly of one kind each."""
    kinds = draw(st.lists(st.sampled_from([INTEGERS, NUMBERS, GROUPED, DATES, CLOCKS, ANY]), min_size=1, max_size=4))
    rows = draw(st.integers(0, 8))
    columns = [draw(st.lists(kind, min_size=rows, max_size=rows)) for kind in kinds]
    return [draw(st.lists(NAMES, min_size=len(kinds), max_size=len(kinds))), *map(list, zip(*columns, strict=True))]


def sample(name: str, data: bytes) -> Sample:
    return Sample(name=name, read=lambda: iter([data]))


def as_csv(rows: Sequence[Sequence[str]], delimiter: str = ",") -> bytes:
    return written(rows, delimiter=delimiter, newline="\n", quoting=csv.QUOTE_ALL).encode("utf-8", "replace")


def fields_of(*tables: bytes, wishes: Wishes | None = None, name: str = "x.csv") -> list[dict[str, Any]]:
    samples = [sample(name, data) for data in tables]
    found: list[dict[str, Any]] = proposed(samples, wishes or Wishes())["schema"]["fields"]
    return found


@settings(max_examples=60)
@given(st.lists(tables(), min_size=1, max_size=2), WISHES, st.sampled_from([",", ";", "|"]))
@example([[["a"], ["1"], ["1.5"], ["\0"]]], Wishes(), ",")
@example([[["id"]], [["id", "id"]]], Wishes(header=False), ";")
def test_samples_pass_the_contract_that_is_proposed_from_them(
    tables: list[list[list[str]]], wishes: Wishes, delimiter: str
) -> None:
    samples = [sample(f"{at}.csv", as_csv(rows, delimiter)) for at, rows in enumerate(tables)]
    try:
        found = proposed(samples, wishes)
    except NoContractError:  # then a sample is wrong by itself: a NUL in it is an error, whatever is asked of it
        assert any("\0" in cell for rows in tables for row in rows for cell in row)
        return
    contract = Contract.of(json.dumps(found))
    for each in samples:
        report = inspect(each.read(), name=each.name, contract=contract)
        assert report.status == "succeeded", (found, report.findings)


MEMBERS = st.dictionaries(
    st.sampled_from(["id", "day", "n", "list"]),
    st.one_of(
        *(st.none(), st.booleans(), st.integers(-5, 5), st.floats(-5, 5), st.text(max_size=3)),
        *(DATES, st.lists(st.integers(), max_size=2), st.dictionaries(st.text(max_size=2), st.none(), max_size=2)),
    ),
    min_size=1,
)


@settings(max_examples=60)
@given(st.lists(st.lists(MEMBERS, min_size=1, max_size=6), min_size=1, max_size=2))
def test_samples_of_json_lines_pass_the_contract_that_is_proposed_from_them(files: list[list[dict[str, Any]]]) -> None:
    texts = ["".join(f"{json.dumps(record)}\n" for record in records) for records in files]
    samples = [sample(f"{at}.jsonl", text.encode()) for at, text in enumerate(texts)]
    contract = Contract.of(json.dumps(proposed(samples, Wishes())))
    for each in samples:
        assert inspect(each.read(), name=each.name, contract=contract).status == "succeeded"


@given(st.lists(st.text("ab1[*?-_.é", min_size=1, max_size=12), min_size=1, max_size=3))
def test_the_keys_of_the_samples_match_the_glob_that_is_proposed(names: list[str]) -> None:
    glob = glob_of(names)
    text = json.dumps({"name": name_of(glob), "match": glob})
    match = Contract.of(text).match
    assert all(match.matches(f"any/folder/{name}") for name in names)


def test_fields_have_the_narrowest_type_and_what_holds_of_all_rows() -> None:
    table = b"id,on,price,code,paid,note\nA,31/12/2026,1.234,007,sim,x\nB,01/02/2026,2,008,no,\n"
    id_, on, price, code, paid, note = fields_of(table)
    assert id_ == {"name": "id", "type": "string", "constraints": {"required": True, "unique": True}}
    assert on == {"name": "on", "type": "date", "format": "%d/%m/%Y", "constraints": {"required": True}}
    assert (price["type"], code["type"], paid["type"]) == ("number", "string", "string")
    assert note == {"name": "note", "type": "string"}


def test_a_day_that_could_be_a_month_is_a_question_to_the_reader() -> None:
    (on,) = fields_of(b"on\n01/02/2026\n03/04/2026\n")
    assert on["format"] == "%d/%m/%Y"
    assert "day first" in on["description"]


def test_bounds_and_lists_of_values_are_proposed_where_asked_for() -> None:
    table = b"n,kind\n1,in\n2.5,out\n10,in\n4,out\n"
    assert [field["constraints"] for field in fields_of(table)] == [{"required": True}, {"required": True}]
    number, kind = fields_of(table, wishes=Wishes(bounds=True, enums=True))
    assert number["constraints"] == {"required": True, "minimum": 1, "maximum": 10}
    assert kind["constraints"] == {"required": True, "enum": ["in", "out"]}


def test_several_samples_give_what_holds_of_all_of_them() -> None:
    found = proposed([sample("a-1.csv", b"id,n\n1,5\n"), sample("a-2.csv", b"n,id,more\n1.5,2,x\n")], Wishes())
    assert found["match"] == "**/a-*.csv"
    assert found["schema"]["fieldsMatch"] == "superset"
    assert [(field["name"], field["type"]) for field in found["schema"]["fields"]] == [
        ("id", "integer"),
        ("n", "number"),
        ("more", "string"),
    ]
    assert "constraints" not in found["schema"]["fields"][2]


def test_the_proposal_is_written_to_a_new_file_that_contract_check_accepts(tmp_path: Path) -> None:
    table, target = write(tmp_path, "orders-2026.csv", b"id\n1\n2\n"), tmp_path / "orders.json"
    done = recibo("contract", "infer", table, "-o", str(target), "--name", "orders", "--match", "acme/*.csv")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert (json.loads(target.read_text())["name"], json.loads(target.read_text())["match"]) == ("orders", "acme/*.csv")
    assert recibo("contract", "check", str(target)).returncode == 0
    assert recibo("check", "--contract", str(target), table).returncode == 0
    again = recibo("contract", "infer", table, "-o", str(target))
    assert (again.returncode, again.stderr.count(b"\n"), b"Traceback" in again.stderr) == (2, 1, False)


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [("a.csv", b"id,n\n1\n", 1), ("a.png", b"\x89PNG\r\n\x1a\n\0", 1), ("a.csv", b"", 1), ("a.jsonl", b"1\n2\n", 1)],
)
def test_a_sample_that_no_contract_can_let_pass_is_named_in_one_sentence(
    tmp_path: Path, name: str, content: bytes, status: int
) -> None:
    done = recibo("contract", "infer", write(tmp_path, name, content))
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (status, b"", 1)
    assert name.encode() in done.stderr


def test_what_cannot_be_read_exits_2_and_a_bad_name_as_well(tmp_path: Path) -> None:
    assert recibo("contract", "infer", "nowhere.csv").returncode == 2
    done = recibo("contract", "infer", write(tmp_path, "a.csv", b"id\n1\n"), "--name", "a b")
    assert (done.returncode, b"Traceback" in done.stderr) == (2, False)


def test_json_is_the_same_in_one_line(tmp_path: Path) -> None:
    table = write(tmp_path, "a.csv", b"id\n1\n")
    long, short = (recibo("contract", "infer", table, *options).stdout for options in ((), ("--json",)))
    assert (json.loads(long), short.count(b"\n")) == (json.loads(short), 1)
