"""The simulated AWS that the command line of this process talks to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cli import surroundings
from tests.aws import World, simulated_aws


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(surroundings, "endpoint_for", lambda _stage, _endpoint: None)
    with simulated_aws(monkeypatch) as made:
        surroundings._client.cache_clear()
        yield made
    surroundings._client.cache_clear()
