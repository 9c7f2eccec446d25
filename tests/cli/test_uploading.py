"""`put`: what it refuses before anything is sent."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.main import recibo
from cli.surroundings import Surroundings
from infra.template import LOCAL


@pytest.mark.parametrize(("name", "reason"), [("nowhere", "there is no such file"), ("", "it is a folder")])
def test_what_cannot_be_read_is_told_in_one_sentence_before_aws_is_looked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, reason: str
) -> None:
    monkeypatch.setattr(Surroundings, "find", lambda *_: pytest.fail("AWS was looked for"))
    (tmp_path / "a.csv").write_text("a\n1\n")
    done = CliRunner().invoke(recibo, ["put", str(tmp_path / "a.csv"), str(tmp_path / name)])
    assert done.exit_code == 2
    assert done.stderr.startswith(f"recibo: {tmp_path / name} could not be uploaded: {reason}")
    assert done.stderr.count("\n") == 1


def test_a_file_that_nobody_would_inspect_is_not_uploaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stage = replace(LOCAL, prefix="incoming/")
    monkeypatch.setattr(Surroundings, "find", lambda *_: Surroundings(stage=stage, endpoint=None))
    monkeypatch.setattr(Surroundings, "client", lambda *_: pytest.fail("AWS was asked"))
    (tmp_path / "a.csv").write_text("a\n1\n")
    done = CliRunner().invoke(recibo, ["put", str(tmp_path / "a.csv")])
    assert done.exit_code == 2
    assert "a.csv would get no receipt" in done.stderr
    assert "--prefix incoming/" in done.stderr
