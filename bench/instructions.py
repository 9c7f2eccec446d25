"""The instructions of a small upload: what it costs whoever else uses the processor and its caches.

valgrind counts them, those of the process and not of the system; so TLS counts, and what the kernel sends does not.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from rich.console import Console

from bench.handlers import HANDLERS
from bench.measure import ROOT, JobFailedError, environment
from bench.small import FILES, SMALL
from bench.tables import Section, Table, markdown, show

CALLS = (60, 160)
"""How often a handler is called in the two counts, whose difference has no start in it."""
NOTE = "Of the process, counted by valgrind; AWS is answered as above."


def per_call(who: str, name: str, size: int) -> float:
    """The instructions of one call of a handler; raises JobFailedError if it crashes."""
    with ThreadPoolExecutor() as both:
        few, many = both.map(lambda calls: _counted(who, name, size, calls), CALLS)
    return (many - few) / (CALLS[1] - CALLS[0])


def _counted(*job: object) -> int:
    """What valgrind counts of a job, of which all but the calls is the same each time."""
    valgrind = ("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null")
    command = [*valgrind, sys.executable, "-m", "bench.jobs", "handler", *map(str, job)]
    environ = {**environment(), "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or not found:
        raise JobFailedError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return int(found[1])


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
        print(
            "Instructions are counted by valgrind, which is not there: install it first.",
            file=sys.stderr,
        )
        return 2
    try:
        section = counted()
    except JobFailedError as error:
        print(error, file=sys.stderr)
        return 2
    if asked.markdown:
        print(markdown([section]))
    else:
        show([section], Console())
    return 0


if __name__ == "__main__":
    sys.exit(main())
