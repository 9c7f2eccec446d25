"""What an answer of the API costs at 100,000 receipts: `python -m bench --sections routes`.

The app is called as API Gateway calls its function, behind our authorizer, so no server's time is in it. The ledger is
that of the queries' section: it counts what is read of it, in memory.
"""

from __future__ import annotations

import importlib
import json
import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch
from urllib.parse import quote

from chalice.local import LambdaEventConverter, RouteMatcher

from bench.scale import Scale
from bench.tables import Goal, Section, Table
from chalicelib import wiring
from chalicelib.access import Caller, Scope, as_context
from infra.stages import load_config
from infra.template import LOCAL
from tests.counting_table import Reading
from tests.query_scale import DAY, HOT_KEY, START, STEP, Large

SIZES, QUICK_SIZES = (20_000, 100_000), (1_000, 2_000)
RUNS = 15
CALLER = Caller(name="bench", scopes=frozenset(Scope), prefix="bench/")
MOST_MS = 500
SLACK = 1.1
"""How much more a filter without an index may read of one ledger than of another: it stops between two pages."""

NOTE = (
    "At 100,000 receipts: DynamoDB's calls, items and units; the function's own processor ms (median), without "
    "DynamoDB's; KB of the answer. The authorizer's one read comes before."
)


class Timed:
    """A ledger's table that tells how long its own answers took: DynamoDB's part, not the function's."""

    def __init__(self, table: Any) -> None:
        self._table = table
        self.seconds = 0.0

    def __getattr__(self, name: str) -> Any:
        answer = getattr(self._table, name)

        def timed(**call: Any) -> Any:
            start = time.process_time()
            try:
                return answer(**call)
            finally:
                self.seconds += time.process_time() - start

        return timed


class Asked:
    """The API over one ledger, asked as API Gateway asks it."""

    def __init__(self, large: Large, table: Timed) -> None:
        self.large = large
        self._table = table
        self._app = importlib.import_module("app").app
        self._events = LambdaEventConverter(RouteMatcher(list(self._app.routes)))
        self.first = self.get("/api/receipts")

    def get(self, address: str) -> Any:
        """The answer to a GET, decoded."""
        return json.loads(self.raw(address))

    def raw(self, address: str) -> str:
        """Its text."""
        event = self._events.create_lambda_event("GET", address, {"host": "localhost"}, None)
        event["requestContext"]["authorizer"] = as_context(CALLER)
        answer = self._app(event, None)
        if answer["statusCode"] != 200:
            raise ValueError(f"{address} answers {answer['statusCode']}: {answer['body']}")
        return str(answer["body"])

    def reading(self, address: str) -> Reading:
        """What it reads of the table."""
        before = self.large.table.read
        self.raw(address)
        return self.large.table.read - before

    def seconds(self, address: str) -> float:
        """The function's own time for it."""
        start, elsewhere = time.process_time(), self._table.seconds
        self.raw(address)
        return time.process_time() - start - (self._table.seconds - elsewhere)


def addresses(asked: Asked) -> Mapping[str, str]:
    """What is asked for, by what a person would call it."""
    end = START + asked.large.items.size * STEP
    id_ = quote(asked.first["receipts"][0]["id"], safe="")
    return {
        "the newest receipts": "/api/receipts",
        "the next page of them": f"/api/receipts?cursor={quote(asked.first['cursor'])}",
        "receipts that failed": "/api/receipts?status=failed",
        "receipts of a source": "/api/receipts?source=acme",
        "receipts that have a finding": "/api/receipts?finding=missing-cells",
        "receipts of a day": f"/api/receipts?from={START:%Y-%m-%d}&to={START + DAY:%Y-%m-%d}",
        "one receipt": f"/api/receipts/{id_}",
        "a key's history": f"/api/history?key={quote(HOT_KEY)}",
        "24 hours in figures": f"/api/summary?from={_of(end - DAY)}&to={_of(end)}",
        "30 days in figures": f"/api/summary?from={_of(end - 30 * DAY)}&to={_of(end)}&by=day",
        "the state of the ledger": "/api/verification",
    }


def _of(moment: Any) -> str:
    return quote(f"{moment:%Y-%m-%dT%H:%M:%SZ}")


def ask(scale: Scale, progress: Callable[[str, float], None]) -> Section:
    """Ask for everything, of a small ledger and of a large one."""
    sizes = SIZES if scale.enforced else QUICK_SIZES
    (small, _), (large, rows) = (_measured(size, progress) for size in sizes)
    grown = [name for name in large if large[name].items > SLACK * small[name].items]
    slowest = max(float(row[4]) for row in rows)
    columns = ("", "calls", "items", "units", "ms", "KB")
    goals = [
        Goal(text="no route reads more of a larger ledger" + "".join(f"; {name}" for name in grown), met=not grown),
        Goal(text=f"every route's own time is below {MOST_MS} ms: {slowest:.0f} ms at most", met=slowest < MOST_MS),
    ]
    return Section(tables=[Table(title="The API's routes", columns=columns, rows=rows, note=NOTE)], goals=goals)


def _measured(size: int, progress: Callable[[str, float], None]) -> tuple[dict[str, Reading], list[tuple[str, ...]]]:
    progress(f"making a ledger of {size:,}", 0)
    read: dict[str, Reading] = {}
    rows: list[tuple[str, ...]] = []
    with _api_over(Large.of(size)) as asked:
        wanted = addresses(asked)
        for name, address in wanted.items():
            progress(f"asking for {name}", len(rows) / len(wanted))
            read[name] = reading = asked.reading(address)
            milliseconds = statistics.median(asked.seconds(address) for _ in range(RUNS)) * 1000
            kilobytes = len(asked.raw(address).encode()) / 1000
            figures = (f"{reading.items:,}", f"{reading.units:g}", f"{milliseconds:.1f}", f"{kilobytes:.1f}")
            rows.append((name, f"{reading.calls}", *figures))
    return read, rows


@contextmanager
def _api_over(large: Large) -> Iterator[Asked]:
    """The API for as long as the block lasts; it is always the end of the ledger's last hour."""
    variables: Mapping[str, str] = load_config()["stages"][LOCAL.name]["environment_variables"]
    own = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    environment = {**variables, **own, "AWS_LAMBDA_FUNCTION_NAME": LOCAL.stack}
    real, table = wiring.client, Timed(large.table)

    def client(service: str) -> Any:
        return table if service == "dynamodb" else real(service)

    now = START + large.items.size * STEP
    with patch.dict(os.environ, environment), patch.multiple(wiring, client=client, now=lambda: now):
        wiring.api.cache_clear()
        yield Asked(large, table)
    wiring.api.cache_clear()
