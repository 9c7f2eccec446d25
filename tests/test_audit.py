"""What `make audit` makes of what its tools say. (The tools are not in the environment of the tests.)"""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any

import pytest

from infra import audit
from infra.audit import NO_SECRETS, NotAuditedError, materials, packages, run, secrets
from infra.stages import ROOT


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the next tool prints, on which stream."""
    said = {"stdout": "", "stderr": ""}
    monkeypatch.setattr(audit, "_run", lambda command: subprocess.CompletedProcess(command, 0, **said))
    return said


def dependency(**more: Any) -> str:
    return json.dumps({"dependencies": [{"name": "duckdb", "version": "1.5.5", **more}]})


def test_what_is_known_against_a_package_is_named(told: dict[str, Any]) -> None:
    told["stdout"] = dependency(vulns=[{"id": "CVE-2026-1"}])
    assert list(packages()) == ["duckdb 1.5.5: CVE-2026-1"]


def test_a_package_that_nobody_looked_at_is_never_taken_for_a_good_one(told: dict[str, Any]) -> None:
    told["stdout"] = dependency(skip_reason="Dependency not found")
    with pytest.raises(NotAuditedError, match="Dependency not found"):
        list(packages())
    told.update(stdout="", stderr="WARNING\nERROR: no network")
    with pytest.raises(NotAuditedError, match="ERROR: no network"):
        list(packages())


def test_what_looks_like_a_secret_is_told_by_its_place_and_not_by_its_text(told: dict[str, Any]) -> None:
    told["stdout"] = json.dumps({"results": {"app.py": [{"type": "AWS Access Key", "line_number": 7}]}})
    assert list(secrets()) == ["app.py:7: AWS Access Key"]


def test_a_bill_that_is_none_is_told(told: dict[str, Any]) -> None:
    told["stderr"] = "'bomFormat' is a required property\n"
    assert list(materials()) == ["'bomFormat' is a required property"]


@pytest.mark.parametrize(
    ("audits", "strict", "status"),
    [
        ({"good": lambda: iter(())}, True, 0),
        ({"bad": lambda: iter(["a fault"]), "good": lambda: iter(())}, False, 1),
        ({"none": packages}, False, 0),
        ({"none": packages}, True, 1),
    ],
)
def test_a_fault_fails_and_what_was_not_looked_at_does_where_it_must(
    audits: dict[str, Any], strict: bool, status: int, told: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    told["stderr"] = "no network"
    monkeypatch.setattr(audit, "AUDITS", audits)
    assert run(strict=strict) == status


def test_every_tool_is_pinned_with_its_licence_and_every_exception_has_its_reason() -> None:
    lines = [line for line in (ROOT / "requirements-audit.txt").read_text().splitlines() if not line.startswith("#")]
    assert lines
    assert all(re.fullmatch(r"\S+==\S+  # [\w.-]+: .+", line) for line in lines)
    source = (ROOT / "infra" / "audit.py").read_text()
    assert all(re.search(rf'"{option}",  # \w+', source) for option in NO_SECRETS)


def test_every_exception_of_a_template_has_its_reason() -> None:
    for path in [*(ROOT / "infra").glob("*.yaml"), *(ROOT / "examples").glob("*.yaml")]:
        skipped = re.findall(r"- id: CKV\w+\n(\s+comment: .{30,})?", path.read_text())
        assert all(skipped), path
