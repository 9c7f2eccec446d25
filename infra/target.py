"""Where a deployment goes: which project, as which stage, to which AWS."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from infra.stages import Stage

PATIENT = Config(retries={"mode": "standard", "max_attempts": 8})  # API Gateway deploys once in five seconds

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """`project` as `stage`, on AWS or on the emulator at `endpoint`."""

    stage: Stage
    project: Path
    endpoint: str | None
    say: Say

    def client(self, service: Any) -> Any:
        """A client of that AWS."""
        return boto3.client(service, endpoint_url=self.endpoint, config=PATIENT)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Say how long the block took."""
        began = time.monotonic()
        yield
        self.say(f"{name}: done in {time.monotonic() - began:.1f} s")
