"""The test of chaos at length: python -m tests.e2e.soak [--uploads 10000]. It fails unless all is well in the end."""

from __future__ import annotations

import argparse
import sys
import time

from local.embedded import embedded_aws
from tests.e2e.chaos import chaos, run


def main() -> int:
    """Run it on an embedded AWS of its own; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.soak", description=__doc__)
    parser.add_argument("--uploads", type=int, default=10_000, help="how many (default: %(default)s)")
    uploads, began = parser.parse_args().uploads, time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - began:7.1f} s  {line}", file=sys.stderr, flush=True)

    with embedded_aws() as endpoint, chaos(endpoint, uploads, kills=True, say=say) as made:
        run(made)
        verdict = made.verdict()
        tally = made.tally().beside(verdict)
    say(f"{made.killed} workers killed, {tally.later} inspected again; verify: {verdict}")
    print(tally)
    return 0 if tally.is_well and verdict["is_well"] else 1


if __name__ == "__main__":
    sys.exit(main())
