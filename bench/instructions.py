"""The instructions of a small upload: what it costs whoever else uses the processor and its caches.

valgrind counts them, those of the process and not of the system; so TLS counts, and what the kernel sends does not.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from bench.handlers import HANDLERS
from bench.measure import JobFailedError, python
from bench.small import FILES, SMALL
from bench.tables import Section, Table, tell

CALLS = (60, 160)
"""How often a handler is called in the two counts, whose difference has no start in it."""
VALGRIND = ("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--log-fd=1")
NOTE = "Of the process, counted by valgrind; AWS is answered as above."


def per_call(who: str, name: str, size: int) -> float:
    """The instructions of one call of a handler; raises JobFailedError if it crashes."""
    job = ("-m", "bench.jobs", "handler", who, name, str(size))
    python(*job, "1")  # compiles what is not compiled yet, which would be counted
    with ThreadPoolExecutor() as both:
        few, many = both.map(lambda calls: _counted(*job, str(calls)), CALLS)
    return (many - few) / (CALLS[1] - CALLS[0])


def _counted(*job: str) -> int:
    """What valgrind counts of a job, of which all but the calls is the same each time."""
    printed = python(*job, under=VALGRIND, PYTHONHASHSEED="0")
    return int(re.findall(r"Collected : (\d+)", printed)[-1])


def counted() -> Section:
    """A row for each small file."""
    rows = []
    for name, size in FILES:
        if size <= SMALL:
            recibo, bare = (per_call(who, name, size) for who in HANDLERS)
            million = (f"{each / 1e6:.2f}" for each in (recibo, bare))
            rows.append((f"{name}, {size:,} bytes", *million, f"{recibo / bare:.2f} ×"))
    columns = ("", "Recibo, millions", "bare, millions", "ratio")
    return Section(tables=[Table(title="Instructions of a small upload", columns=columns, rows=rows, note=NOTE)])


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table. 2: there is no valgrind, or a measured process crashed."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.instructions", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--markdown", action="store_true")
    asked = parser.parse_args(arguments)
    if not shutil.which("valgrind"):
        print("Instructions are counted by valgrind, which is not there: install it first.", file=sys.stderr)
        return 2
    try:
        section = counted()
    except JobFailedError as error:
        print(error, file=sys.stderr)
        return 2
    tell(section, as_markdown=asked.markdown)
    return 0


if __name__ == "__main__":
    sys.exit(main())
