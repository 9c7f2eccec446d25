"""`recibo.py contract check` and `check` under a contract, run as a user runs them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from chalicelib.contracts import Contract, load
from infra.stages import ROOT
from tests.cli.test_check import lines_of, recibo, write

RIGHT = b'{"name": "orders", "match": "acme/*.csv", "rows": {"atLeast": 1}}'
WRONG = b'{"name": "orders", "match": "acme/*", "rows": {"atleast": 1}}'
SAMPLE = "samples/umbrella/payments-2026-11-24.csv"
CONTRACT = "chalicelib/contracts/umbrella-payments.json"


def test_a_contract_that_is_right_exits_0_and_shows_its_hash(tmp_path: Path) -> None:
    done = recibo("contract", "check", write(tmp_path, "a.json", RIGHT))
    assert (done.returncode, done.stderr) == (0, b"")
    assert Contract.of(RIGHT.decode()).sha256.encode() in done.stdout


def test_a_mistake_exits_1_with_its_file_place_and_reason(tmp_path: Path) -> None:
    name = write(tmp_path, "a.json", WRONG)
    done = recibo("contract", "check", name)
    assert done.returncode == 1
    assert done.stdout.decode() == f'{name}: rows.atleast: there is no keyword "atleast"; did you mean "atLeast"?\n'


@pytest.mark.parametrize("name", ["nowhere.json", "."])
def test_what_cannot_be_read_exits_2_and_the_others_are_checked(tmp_path: Path, name: str) -> None:
    done = recibo("contract", "check", name, write(tmp_path, "a.json", RIGHT))
    assert done.returncode == 2
    assert (b"could not be read" in done.stderr, b"Traceback" in done.stderr) == (True, False)
    assert b"orders is right" in done.stdout


def test_contracts_that_tie_are_wrong_together(tmp_path: Path) -> None:
    other = RIGHT.replace(b"orders", b"prices")
    names = [write(tmp_path, "a.json", RIGHT), write(tmp_path, "b.json", other)]
    assert recibo("contract", "check", names[0]).returncode == 0
    first, second = lines_of(recibo("contract", "check", "--json", *names))
    assert (first["name"], first["mistakes"]) == ("orders", [])
    assert [mistake["place"] for mistake in second["mistakes"]] == ["match"]


def test_json_has_the_same_members_for_a_contract_that_is_none(tmp_path: Path) -> None:
    names = [write(tmp_path, "a.json", RIGHT), write(tmp_path, "b.json", b"\xff"), write(tmp_path, "c.json", WRONG)]
    lines = lines_of(recibo("contract", "check", "--json", *names))
    assert {frozenset(line) for line in lines} == {frozenset({"file", "name", "match", "sha256", "mistakes"})}
    assert [len(line["mistakes"]) for line in lines] == [0, 1, 1]


def test_the_contracts_that_ship_are_right_and_a_person_can_see_it() -> None:
    done = recibo("contract", "check", *map(str, sorted((ROOT / "chalicelib" / "contracts").glob("*.json"))))
    assert (done.returncode, done.stdout.count(b"\n")) == (0, len(load().all))


@pytest.mark.parametrize("chosen", [("--contract", CONTRACT), ("--key", "umbrella/payments-2026-11-24.csv")])
def test_a_file_is_checked_by_the_contract_that_is_named_or_is_its_keys(chosen: tuple[str, str]) -> None:
    done = recibo("check", "--json", *chosen, SAMPLE)
    (found,) = lines_of(done)
    assert done.returncode == 1
    assert found["contract"]["name"] == "umbrella-payments"
    assert {rule["code"]: rule["count"] for rule in found["contract"]["broken_rules"]} == {
        "type-error": 1,
        "constraint-minimum": 1,
        "constraint-enum": 1,
        "constraint-primary-key": 1,
    }


def test_a_key_without_a_contract_is_checked_without_one() -> None:
    (found,) = lines_of(recibo("check", "--json", "--key", "elsewhere/payments.csv", SAMPLE))
    assert (found["status"], found["contract"]) == ("succeeded", None)


def test_a_key_says_what_the_name_would(tmp_path: Path) -> None:
    name = write(tmp_path, "a", b"[1]\n[2]\n")
    (found,) = lines_of(recibo("check", "--json", "--key", "x/a.json", name))
    assert (found["file"], found["format"]) == (name, "json")


@pytest.mark.parametrize(
    ("content", "reason"), [(WRONG, b"rows.atleast"), (b"{", b"line 1"), (None, b"could not be read")]
)
def test_a_contract_that_is_not_right_exits_2_with_one_sentence(tmp_path: Path, content: bytes, reason: bytes) -> None:
    name = write(tmp_path, "c.json", content) if content else str(tmp_path / "none.json")
    done = recibo("check", "--contract", name, SAMPLE)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)
    assert reason in done.stderr
    assert name.encode() in done.stderr
    assert b"?." not in done.stderr


def test_how_to_read_a_file_is_said_by_the_contract_or_by_options_not_both() -> None:
    done = recibo("check", "--contract", CONTRACT, "--no-header", SAMPLE)
    assert (done.returncode, b"leave out" in done.stderr) == (2, True)


def test_the_rules_that_are_broken_are_shown_in_words_and_never_a_value() -> None:
    done = recibo("check", "--contract", CONTRACT, SAMPLE)
    assert b"row 2, line 3, field paid_on" in done.stdout
    assert b"umbrella-payments" in done.stdout
    assert not any(value in done.stdout for value in (b"24/11/2026", b"-7.00", b"GBP", b"P-0006"))
    assert json.loads((ROOT / "samples" / "expected.json").read_text())[SAMPLE.removeprefix("samples/")]


def test_a_sample_whose_name_no_contract_can_have_is_named_with_the_way_out(tmp_path: Path) -> None:
    sample = os.fsdecode(os.fsencode(tmp_path) + b"/a\xff.csv")
    Path(sample).write_bytes(b"id\n1\n")
    done = recibo("contract", "infer", sample)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)
    assert b"udcff.csv: add --name and --match" in done.stderr
    assert recibo("contract", "infer", "--name", "a", "--match", "a*.csv", sample).returncode == 0


def test_a_contract_without_a_name_is_not_taken_for_none() -> None:
    done = recibo("check", "--contract", "", SAMPLE)
    told = b"recibo: The contract a file without a name could not be read: there is no such file.\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, b"", told)


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("--name", b"The contract would not be right: name: must be a text"),
        ("--match", b"The contract would not be right: match: must be a text"),
        ("--output", b"a file without a name could not be read or written"),
    ],
)
def test_an_option_that_is_given_as_nothing_is_not_taken_for_left_out(option: str, told: bytes) -> None:
    done = recibo("contract", "infer", option, "", SAMPLE)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)
    assert told in done.stderr


def test_a_sample_that_can_be_read_only_once_is_refused_with_a_sentence() -> None:
    done = recibo("contract", "infer", "/dev/stdin", stdin=b"id\n1\n")
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)
    assert b"/dev/stdin is no regular file" in done.stderr
