"""What every test needs in place before it imports the app: the `local` stage's names, as Lambda would have them."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).resolve().parents[1]

_config = json.loads((ROOT / ".chalice" / "config.json").read_text())
os.environ.update(_config["stages"]["local"]["environment_variables"])
os.environ["AWS_LAMBDA_FUNCTION_NAME"] = "recibo-local-inspect"

settings.register_profile(
    "recibo",
    deadline=None,  # two shared cores: time says nothing about the code
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],  # the same reason
)
settings.load_profile("recibo")


class ByEmulator(LoadScopeScheduling):  # type: ignore[misc] # it has no types
    """All tests on one emulator are of one worker, which starts it and deploys to it once.

    Marks of groups (`--dist loadgroup`) have no effect on pytest 9.2: pytest-dev/pytest-xdist#1386.
    """

    def _split_scope(self, nodeid: str) -> str:
        emulator = re.search(r"\[(embedded|localstack|given)\b", nodeid)
        return emulator[1] if emulator else "alone"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling | None:
    """The scheduler above for `--dist loadscope`, pytest-xdist's own for all else."""
    return ByEmulator(config, log) if config.getvalue("dist") == "loadscope" else None
