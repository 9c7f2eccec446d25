"""Whatever is killed, refused, repeated, late or lost: every upload ends with its one receipt."""

from __future__ import annotations

import sys

import pytest

from tests.e2e.chaos import chaos, run

pytestmark = pytest.mark.e2e

UPLOADS = 300
FEWER = 30


def say(line: str) -> None:
    print(line, file=sys.stderr)


@pytest.mark.timeout(1800)  # a shared machine may be slow: this is for what hangs
def test_whatever_fails_every_upload_has_its_one_receipt(endpoint: str, emulator: str) -> None:
    count = UPLOADS if emulator == "embedded" else FEWER
    with chaos(endpoint, count, kills=emulator == "embedded", say=say) as made:
        run(made)
        tally, verdict = made.tally(), made.verdict()
    assert tally.is_well, tally
    assert tally.uploads >= count, "an AWS that was given may have those of an earlier run"
    assert (made.killed > 0) == made.kills
    assert tally.later > 0, "nothing was inspected again"
    assert verdict["is_well"], verdict
    assert verdict["chain"]["standing"] == "anchored"
    assert verdict["chain"]["seals"] >= 2
    assert (verdict["uploads"], verdict["receipts"]) == (tally.uploads, tally.receipts + tally.later)
