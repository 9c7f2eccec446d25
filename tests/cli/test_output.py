"""What the encoding of the output lacks is escaped as JSON does it, and what cannot be written has its exit status."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli import surroundings
from cli.main import CUT_OFF, recibo
from tests.aws import simulated_aws
from tests.cli.test_terminal import RECIBO, piped


@pytest.fixture
def no_utf_8(tmp_path: Path) -> str:
    """A file with one é in its name as UTF-8 has it, one as Latin-1, and a character that only UTF-8 has."""
    name = os.fsdecode(os.fsencode(tmp_path) + "/é€😀".encode() + b"\xe9.csv")
    Path(name).write_text("é\n1\n")
    return name


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "ascii"])
def test_json_is_json_whatever_the_output_can_hold(no_utf_8: str, encoding: str) -> None:
    done = piped([*RECIBO, "check", "--json", no_utf_8], PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    found = json.loads(done.stdout.decode("latin-1" if encoding == "latin-1" else "utf-8"))
    assert (found["file"], found["columns"][0]["name"]) == (no_utf_8, "é")


def test_a_table_has_escapes_for_what_its_output_cannot_hold(no_utf_8: str) -> None:
    done = piped([*RECIBO, "check", no_utf_8], PYTHONIOENCODING="latin-1")
    assert (done.returncode, done.stderr) == (0, b"")
    assert "é\\u20ac" in done.stdout.decode("latin-1")


def test_a_name_that_is_not_utf_8_does_not_disturb_the_quiet(no_utf_8: str) -> None:
    done = piped([*RECIBO, "check", "--quiet", "--json", no_utf_8])
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.parametrize("arguments", [("recheck", "a\udcff"), ("reconcile", "--prefix", "a\udcff")])
def test_a_name_that_aws_cannot_have_is_told_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setattr(surroundings, "endpoint_for", lambda _stage, _endpoint: None)
    with simulated_aws(monkeypatch):
        surroundings._client.cache_clear()
        done = CliRunner().invoke(recibo, [*arguments, "--dry-run"])
    surroundings._client.cache_clear()
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "which a\\udcff is not" in done.stderr


FULL = "/dev/full"  # Linux's file that takes nothing


@pytest.mark.parametrize("arguments", [["--help"], ["check", "--help"], ["completion", "bash"]])
def test_output_that_cannot_be_written_is_told_in_one_sentence(arguments: list[str]) -> None:
    with open(FULL, "w", encoding="utf-8") as full:
        done = subprocess.run([*RECIBO, *arguments], stdout=full, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)
    assert b"No space left" in done.stderr


@pytest.mark.parametrize("arguments", [["nonsense"], ["ls", "--stage", "nowhere"], ["check", "nowhere"]])
def test_where_nothing_can_be_told_the_exit_status_does(arguments: list[str]) -> None:
    with open(FULL, "w", encoding="utf-8") as full:
        done = subprocess.run([*RECIBO, *arguments], stdout=subprocess.PIPE, stderr=full, check=False)
    assert (done.returncode, done.stdout) == (2, b"")


def test_help_whose_reader_left_ends_as_any_output_does() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([*RECIBO, "--help"], stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (CUT_OFF, b"")
