"""Controls of docs/security.md that no other test holds: what an uploader's names and archives can never do."""

from __future__ import annotations

import ast
import io
import re
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chalicelib.inspection import inspect
from infra.stages import ROOT

SHIPPED = sorted((ROOT / "chalicelib").rglob("*.py"))
PAGE = (ROOT / "docs" / "security.md").read_text()

THREATS = (
    "hostile uploader",
    "curious reader",
    "stolen token",
    "compromised dependency",
    "poisoned archive",
    "log injection",
    "formula injection",
    "names across tenants",
)

ELSEWHERE = ("../../outside.csv", "/outside.csv", "..\\..\\outside.csv", "C:\\outside.csv", "a/../../outside.csv")
OPENS_A_PATH = {"open", "extract", "extractall", "write_text", "write_bytes", "mkdir", "makedirs", "rename", "symlink"}
WITHOUT_A_NAME = {"open(self._batch, 'wb', closefd=False)"}
"""A file that has no path: the engine's memory, by its descriptor."""


def test_every_threat_that_was_thought_of_has_its_place_on_the_page() -> None:
    assert [threat for threat in THREATS if threat not in PAGE.lower()] == []


def test_every_threat_has_a_control_and_a_test() -> None:
    for line in PAGE.partition("## To guard")[0].splitlines():
        if line.startswith("| ") and not line.startswith(("| tries", "| |")):
            tries, control, held = (cell.strip() for cell in line.strip("|").split(" | "))
            assert tries, line
            assert control, line
            assert re.search(r"`tests/[\w/]+\.py", held), line


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_member_of_an_archive_is_never_written_to_where_its_name_leads(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is opened, read or made on the way is seen by the interpreter's own audit."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16  # a symbolic link, as Unix marks it
        made.writestr(link, "/etc/passwd")
        made.writestr(name, "a,b\n1,2\n")
    inside = tmp_path / "a" / "b"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)
    with watched() as touched:
        report = inspect([archive.getvalue()], name="acme/poisoned.zip")
    assert report.member_count == 2
    assert [path for path in touched if "outside" in path or "passwd" in path] == []
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "b"]
    with watched() as touched, zipfile.ZipFile(archive) as opened:
        opened.extractall(tmp_path / "elsewhere")
    assert [path for path in touched if "outside" in path], "what unpacks is seen"


@contextmanager
def watched() -> Iterator[list[str]]:
    """The paths that are opened or made within the block."""
    touched: list[str] = []
    watching = [True]
    sys.addaudithook(lambda event, about: _note(event, about, touched) if watching else None)
    try:
        yield touched
    finally:
        watching.clear()  # a hook stays for as long as the process


def _note(event: str, about: tuple[object, ...], into: list[str]) -> None:
    if event in ("open", "os.mkdir", "os.rename", "os.link", "os.symlink", "os.remove"):
        into.extend(str(each) for each in about[:2])


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_that_ships_opens_a_file_by_a_path(path: Path) -> None:
    """But the dashboard's own files and the deployed contracts, read by names that the code or a folder has."""
    found = {
        ast.unparse(node)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and _name_of(node.func) in OPENS_A_PATH
    }
    assert found - WITHOUT_A_NAME == set()


def _name_of(called: ast.expr) -> str:
    """`open` is a builtin or a module's; a method of that name is the inbox's."""
    if isinstance(called, ast.Name):
        return called.id
    if not isinstance(called, ast.Attribute):
        return ""
    return called.attr if called.attr != "open" or ast.unparse(called.value) in ("os", "io", "Path") else ""
