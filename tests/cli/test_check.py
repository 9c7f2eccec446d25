"""`recibo.py check`, run as a user runs it."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from chalicelib.inspection import Report, inspect
from cli import checking
from cli.checking import _size
from cli.main import recibo as command_line
from infra.stages import ROOT

GOOD = b"id,name\n1,Ana\n2,Bia\n"
BAD = b"id,name\n1,Ana\n2\n"


def recibo(*arguments: str, stdin: bytes = b"", cwd: Path = ROOT) -> subprocess.CompletedProcess[bytes]:
    """Run the command line with nothing of AWS in its environment."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return subprocess.run(
        [sys.executable, str(ROOT / "recibo.py"), *arguments],
        input=stdin,
        capture_output=True,
        check=False,
        cwd=cwd,
        env=environment,
    )


def write(folder: Path, name: str, content: bytes) -> str:
    (folder / name).write_bytes(content)
    return str(folder / name)


def lines_of(done: subprocess.CompletedProcess[bytes]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_files_that_conform_exit_0(tmp_path: Path) -> None:
    done = recibo("check", write(tmp_path, "a.csv", GOOD), write(tmp_path, "b.csv", GOOD))
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.count("✓ succeeded".encode()) == 2


def test_one_file_that_does_not_conform_exits_1_and_says_where(tmp_path: Path) -> None:
    done = recibo("check", write(tmp_path, "a.csv", GOOD), write(tmp_path, "b.csv", BAD))
    assert done.returncode == 1
    assert b"row 2, line 3, column 2" in done.stdout


@pytest.mark.parametrize("name", ["missing.csv", "."])
def test_what_cannot_be_read_exits_2_with_one_sentence_and_the_others_are_checked(tmp_path: Path, name: str) -> None:
    done = recibo("check", name, write(tmp_path, "b.csv", BAD), cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1
    assert b"Traceback" not in done.stderr
    assert "✗ failed".encode() in done.stdout


@pytest.mark.parametrize("arguments", [[], ["--as", "parquet", "x"], ["--nonsense", "x"]])
def test_wrong_usage_exits_2_without_a_traceback(arguments: list[str]) -> None:
    done = recibo("check", *arguments)
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr


def test_json_prints_one_object_a_line_with_what_scripts_need(tmp_path: Path) -> None:
    names = [write(tmp_path, "a.csv", GOOD), write(tmp_path, "b.csv", BAD)]
    first, second = lines_of(recibo("check", "--json", *names))
    assert {
        "file": names[0],
        "status": "succeeded",
        "cause": None,
        "format": "csv",
        "bytes": len(GOOD),
        "lines": 3,
        "records": 2,
        "sha256": hashlib.sha256(GOOD).hexdigest(),
        "encoding": "utf-8",
        "profiled_records": 2,
        "findings": [],
    }.items() <= first.items()
    assert [column["name"] for column in first["columns"]] == ["id", "name"]
    assert (second["status"], second["cause"]) == ("failed", "content")
    assert {"code", "severity", "message", "row", "line", "column"} <= set(second["findings"][0])


def test_json_has_the_same_members_for_every_file_even_one_that_is_missing_its_text(tmp_path: Path) -> None:
    names = [write(tmp_path, "a.csv", GOOD), write(tmp_path, "b.bin", b"\0\1\2"), write(tmp_path, "c.json", b"{")]
    members = [set(line) for line in lines_of(recibo("check", "--json", *names))]
    assert members[0] == members[1] == members[2]


def test_json_says_of_a_missing_file_that_it_was_not_inspected() -> None:
    done = recibo("check", "--json", "nowhere.csv")
    assert done.returncode == 2
    assert lines_of(done)[0]["status"] is None
    assert "error" in lines_of(done)[0]


def test_standard_input_is_read_for_a_dash() -> None:
    done = recibo("check", "--json", "--as", "csv", "-", stdin=BAD)
    assert done.returncode == 1
    assert lines_of(done)[0]["file"] == "-"


def test_standard_input_that_is_closed_could_not_be_inspected() -> None:
    """Not: it does not conform."""
    command = f'exec "{sys.executable}" "{ROOT / "recibo.py"}" check - <&-'
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, check=False)
    told = b"recibo: standard input could not be inspected: it is closed.\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, b"", told)


def test_as_forces_the_format_whatever_name_and_content_say(tmp_path: Path) -> None:
    name = write(tmp_path, "prose.txt", b"Hello, Ana.\nBye.\n")
    assert lines_of(recibo("check", "--json", name))[0]["format"] == "text"
    assert lines_of(recibo("check", "--json", "--as", "csv", name))[0]["finding_counts"] == {"missing-cells": 1}


def test_no_header_counts_the_first_record() -> None:
    done = recibo("check", "--json", "--as", "csv", "--no-header", "-", stdin=b"1,2\n3,4\n")
    assert lines_of(done)[0]["records"] == 2


def test_a_gzip_file_is_judged_by_what_is_in_it(tmp_path: Path) -> None:
    found = lines_of(recibo("check", "--json", write(tmp_path, "a.csv.gz", gzip.compress(GOOD))))[0]
    assert (found["status"], found["compression"], found["records"]) == ("succeeded", "gzip", 2)


def test_control_characters_in_names_reach_no_terminal(tmp_path: Path) -> None:
    done = recibo("check", write(tmp_path, "a\x1b[31m.csv", b"x\x1b[2J,y\n1\n"))
    assert b"\x1b" not in done.stdout


def test_output_that_goes_to_a_file_has_no_colour_and_one_on_a_terminal_has(tmp_path: Path) -> None:
    name = write(tmp_path, "a.csv", GOOD)
    assert b"\x1b[" not in recibo("check", name).stdout
    assert b"\x1b[" in on_a_terminal("check", name)


def on_a_terminal(*arguments: str) -> bytes:
    """What the command prints when its output is a terminal."""
    ours, its = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "120"}
    environment.pop("NO_COLOR", None)
    done = subprocess.Popen(
        [sys.executable, str(ROOT / "recibo.py"), *arguments], stdin=its, stdout=its, stderr=its, env=environment
    )
    done.wait()
    os.close(its)
    printed = b""
    try:
        while chunk := os.read(ours, 65536):
            printed += chunk
    except OSError:  # Linux's way to say that the other end is closed
        pass
    os.close(ours)
    return printed


def check_where(prepared: str, name: str) -> subprocess.CompletedProcess[bytes]:
    """Check a file in a process that was prepared by this statement."""
    code = (
        "import sys; sys.argv = ['recibo.py', 'check', sys.argv[1]]\n"
        f"{prepared}\n"
        "import runpy; runpy.run_path('recibo.py', run_name='__main__')"
    )
    return subprocess.run([sys.executable, "-c", code, name], cwd=ROOT, capture_output=True, check=False)


def test_a_fault_of_our_own_is_no_verdict(tmp_path: Path) -> None:
    done = check_where("import cli.checking; cli.checking.inspect = None", write(tmp_path, "a.csv", GOOD))
    assert done.returncode == 2
    assert b"TypeError" in done.stderr.splitlines()[-1]


def test_it_runs_without_an_aws_or_its_libraries_being_asked(tmp_path: Path) -> None:
    done = check_where("import socket; socket.socket.connect = None", write(tmp_path, "a.csv", GOOD))
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_profile_of_a_table_is_shown_only_if_asked_for(tmp_path: Path) -> None:
    name = write(tmp_path, "a.csv", b"day,paid\n31/12/2026,1.5\n01/12/2026,\n")
    assert "profile of" not in recibo("check", name).stdout.decode()
    shown = recibo("check", "--profile", name, write(tmp_path, "b.txt", b"text")).stdout.decode()
    assert "profile of 2 records" in shown
    assert "date %d/%m/%Y   all      0  2026-12-01  2026-12-31" in shown
    assert shown.count("profile of") == 1


def test_names_in_a_profile_cannot_command_a_terminal(tmp_path: Path) -> None:
    name = write(tmp_path, "a.csv", b"\x1b[31mred,b\n1,2\n")
    assert b"\x1b" not in recibo("check", "--profile", name).stdout


def test_standard_input_that_is_named_twice_is_refused_with_a_sentence() -> None:
    done = recibo("check", "-", "-", stdin=GOOD)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)


def test_a_dash_before_a_name_is_a_part_of_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    names: list[str] = []

    def spied(chunks: Iterator[bytes], *, name: str, **options: Any) -> Report:
        names.append(name)
        return inspect(chunks, name=name, **options)

    monkeypatch.setattr(checking, "inspect", spied)
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "-a.csv", GOOD)
    assert CliRunner().invoke(command_line, ["check", "--", "-a.csv", "-"], input=GOOD).exit_code == 0
    assert names == ["-a.csv", ""]


def test_a_file_without_a_name_is_told_readably() -> None:
    done = recibo("check", "")
    told = b"recibo: a file without a name could not be inspected: there is no such file.\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, b"", told)


def test_how_much_a_pipe_has_is_not_known(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(writer)
    with open(reader, "rb") as pipe, open(write(tmp_path, "a.csv", GOOD), "rb") as file:
        assert (_size(pipe), _size(file)) == (None, len(GOOD))
