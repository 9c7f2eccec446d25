"""One measured piece of work in a process of its own: `python -m bench.jobs NAME ARGUMENTS` prints its usage."""

from __future__ import annotations

import json
import re
import resource
import sys
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path

JOBS: Mapping[str, str] = {
    "recibo": "bench.recibo:inspect_file",
    "recibo-contract": "bench.recibo:inspect_under_contract",
    "recibo-stream": "bench.recibo:inspect_stream",
    "footprint": "bench.recibo:footprint",
    "handlers": "bench.handlers:side_by_side",
    "handler": "bench.handlers:alone",
    "read": "bench.peers:read",
    "sha256": "bench.peers:sha256",
    "wc": "bench.peers:wc",
    "gunzip": "bench.peers:gunzip",
    "csv": "bench.peers:csv_reader",
    "frictionless": "bench.peers:frictionless",
    "frictionless-schema": "bench.peers:frictionless_schema",
    "duckdb-csv": "bench.peers:duckdb_csv",
    "duckdb-json-lines": "bench.peers:duckdb_json_lines",
    "duckdb-checked": "bench.peers:duckdb_checked",
    "json-lines": "bench.peers:json_lines",
    "json-lines-checked": "bench.peers:json_lines_checked",
    "orjson-lines": "bench.peers:orjson_lines",
    "expat": "bench.peers:expat",
    "element-tree": "bench.peers:element_tree",
    "pyarrow": "bench.peers:pyarrow",
    "openpyxl": "bench.peers:openpyxl",
    "json": "bench.peers:json_document",
    "orjson": "bench.peers:orjson_document",
}
"""Each prepares its work, which is not measured (imports, for instance), and returns it.

They are named, not imported: a peer's memory is not to hold what another one needs.
"""


def main(name: str, *arguments: str) -> None:
    """Do the work and print, as the last line, what it took: seconds, CPU seconds, peak bytes, and its result."""
    module, _, function = JOBS[name].partition(":")
    work: Callable[[], object] = getattr(import_module(module), function)(*arguments)
    cpu, began = _cpu(), time.perf_counter()
    result = work()
    usage = {"seconds": time.perf_counter() - began, "cpu": _cpu() - cpu, "peak": peak(), "result": result}
    print(json.dumps(usage))


def _cpu() -> float:
    """User and system time of this process and of the children it has waited for."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def peak() -> int:
    """The most memory that this process has had resident, in bytes.

    Linux's ru_maxrss starts at what the parent had when it forked; VmHWM is of this program alone.
    """
    status = Path("/proc/self/status")
    if status.exists() and (found := re.search(r"VmHWM:\s+(\d+) kB", status.read_text())):
        return int(found[1]) << 10
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most << 10


if __name__ == "__main__":
    main(*sys.argv[1:])
