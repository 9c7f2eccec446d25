"""The sample files and what is declared of their receipts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.stages import ROOT

FOLDER = ROOT / "samples"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A file of samples/, the key it is uploaded under, and what its receipt must say."""

    key: str
    status: str
    cause: str | None
    findings: tuple[str, ...]

    @property
    def path(self) -> Path:
        """Where the file is."""
        return FOLDER / self.key

    def differences(self, receipt: Mapping[str, Any] | None) -> list[str]:
        """What a receipt says otherwise than declared, each in a sentence; all of it if there is none."""
        if receipt is None:
            return [f"{self.key}: there is no receipt"]
        said = {
            "status": (receipt["status"], self.status),
            "cause": (receipt.get("cause"), self.cause),
            "findings": (sorted(receipt["finding_counts"]), sorted(self.findings)),
            "bytes": (receipt.get("bytes"), self.path.stat().st_size),
        }
        return [
            f"{self.key}: {name} is {found}, declared is {declared}"
            for name, (found, declared) in said.items()
            if found != declared
        ]


def samples() -> list[Sample]:
    """Every sample, as samples/expected.json declares it."""
    declared = json.loads((FOLDER / "expected.json").read_text())
    return [
        Sample(key=key, status=said["status"], cause=said.get("cause"), findings=tuple(said["findings"]))
        for key, said in declared.items()
    ]
