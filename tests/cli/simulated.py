"""The command line in a process of its own, on a simulated AWS: python -m tests.cli.simulated HOW_MANY_RECEIPTS ls"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.inspection import inspect
from chalicelib.uploads import entry_of
from cli import surroundings
from cli.main import recibo
from tests import events
from tests.aws import simulated_aws
from tests.receipts import receipt

NAME = "partner/a folder with a long name/orders of November, second part.csv"
REPORTS = (inspect([b"id,name\n1,Ana\n"], name="a.csv"), inspect([b"id,name\n1,Ana\n2\n"], name="a.csv"))


def main() -> None:
    """Record the receipts, then do what the command line does."""
    count, *arguments = sys.argv[1:]
    with pytest.MonkeyPatch.context() as patch, simulated_aws(patch) as world:
        patch.setattr(surroundings, "endpoint_for", lambda _stage, _endpoint: None)
        for number in range(int(count)):
            entry = entry_of(events.record(f"{number} {NAME}"))
            at = datetime.now(UTC) - timedelta(seconds=int(count) - number)
            world.ledger.record(receipt(entry, report=REPORTS[number % 2], at=at))
        recibo(arguments, prog_name="recibo.py")


if __name__ == "__main__":
    main()
