"""The ledger's contract (tests/test_ledger.py), held by the table of a deployed stage."""

from __future__ import annotations

import itertools
import secrets

import pytest

from chalicelib.aws.ledger import DynamoLedger
from cli.surroundings import Surroundings
from tests import events, test_ledger

pytestmark = pytest.mark.e2e

# Every test of the contract, those of the future included; they take the fixture of this module.
globals().update({name: test for name, test in vars(test_ledger).items() if name.startswith("test_")})


@pytest.fixture
def ledger(faulty_aws: Surroundings, monkeypatch: pytest.MonkeyPatch) -> DynamoLedger:
    """That of the stage `faulty`, where nobody looks for uploads of the stage `local`; each test has its own."""
    monkeypatch.setattr(events, "_numbers", itertools.count(secrets.randbelow(1_000_000_000)))
    return faulty_aws.ledger
