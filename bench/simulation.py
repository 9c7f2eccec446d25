"""What becomes of a load of uploads: a model of S3's events, Lambda's queue, its environments and the ledger's table.

    python -m bench.simulation [--markdown]

Every upload is followed from its event to its receipt, by what AWS documents: an asynchronous event waits for a free
environment; environments are added at most so fast; a try that fails comes again after one and after two minutes, and
then goes to the dead letters; an event older than six hours goes there untried; `last_resort` ends it in a receipt. The
table takes so many write units a second. Nothing is random but the wait before a write that was refused is repeated,
and that follows the seed. bench/burst.py compares the model with what is measured.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import random
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum, auto

from bench.tables import Section, Table, tell

MINUTE, HOUR = 60.0, 3600.0
INFINITE = float("inf")

RETRY_AFTER = (1 * MINUTE, 2 * MINUTE)
"""How long Lambda waits before the second and the third try of an event whose function failed."""
EVENT_AGE = 6 * HOUR
"""infra/joins.py sets it: the longest there is."""
FIRST_BACKOFF, LONGEST_BACKOFF = 1.0, 5 * MINUTE
"""How long an event that found no environment waits, at least at first and at most, doubled each time."""
CLIENT_TRIES = 4
"""How often boto3 writes, as chalicelib/wiring.py sets it; up to 1, 2 and 4 seconds in between."""
LAST_RESORTS = 10
"""How many of `last_resort` run at once: the queue's pollers begin with five, and add more each minute."""
GIVING_UP = 0.05
"""Seconds to write that an upload's every try crashed."""
VISIBILITY = 5400.0
"""Seconds after which a dead letter that failed comes again (infra/template.yaml)."""


class State(StrEnum):
    """Where an upload is. Every upload is in exactly one of these, from its event on."""

    WAITING = auto()
    """In Lambda's queue: for a free environment, or for its next try."""
    RUNNING = auto()
    DEAD_LETTER = auto()
    VERDICT = auto()
    """It has its receipt, which judges it."""
    CRASHED = auto()
    """It has its receipt, which says that its every inspection crashed; reconcile tries again, by the hour."""


FINAL = {State.VERDICT, State.CRASHED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of upload: how long an inspection holds its environment, and whether it ends in a crash."""

    name: str
    seconds: float
    crashes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Uploads by the time of their events, in order; their kinds come in turn."""

    times: Sequence[float]
    kinds: Sequence[Kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What AWS allows. Rates are per second; `start` is what a new environment costs its first upload."""

    limit: int = 1_000
    burst: int = 1_000
    added: float = 100
    start: float = 0.6
    is_polite: bool = False
    """Whether an event that found no environment backs off by itself, as documented, or is taken as soon as can be."""
    units: float = INFINITE
    """Write units of the table; it doubles them after so long at its limit."""
    doubling: float = 30 * MINUTE
    units_of_receipt: float = 2
    retry_after: tuple[float, ...] = RETRY_AFTER


@dataclass(slots=True, kw_only=True)
class Upload:
    """An upload on its way."""

    kind: Kind
    at: float
    state: State = State.WAITING
    tries: int = 0
    refusals: int = 0
    backoffs: int = 0
    was_tried: bool = False
    finished: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What became of a load."""

    uploads: Sequence[Upload]
    states: Counter[State]
    environments: int
    throttled: int
    """Writes that the table refused."""
    letters: int

    @property
    def finished(self) -> list[float]:
        """When each upload that has its receipt had it, in order."""
        return sorted(one.finished for one in self.uploads if one.finished is not None)

    @property
    def drained(self) -> float:
        """When the last one had it."""
        return self.finished[-1] if self.finished else 0.0

    def latency(self, share: float, *, kind: str | None = None) -> float:
        """Seconds from an upload to its receipt, which this share of a kind's did not exceed."""
        took = sorted(
            one.finished - one.at for one in self.uploads if one.finished is not None and kind in (None, one.kind.name)
        )
        return took[min(len(took) - 1, int(share * len(took)))]


def simulate(load: Load, account: Account, *, until: float = INFINITE, seed: int = 1) -> Run:
    """Follow a load to its end, or to a moment."""
    return _World(load=load, account=account, dice=random.Random(seed)).run(until)


@dataclass(slots=True)
class _Table:
    """The table's write units: those of a second at most are there at once."""

    account: Account
    rate: float = field(init=False)
    left: float = field(init=False)
    at: float = 0.0
    saturated: float | None = None
    """Since when it has refused."""

    def __post_init__(self) -> None:
        self.rate = self.left = self.account.units

    def takes(self, now: float) -> bool:
        """Whether it takes a receipt."""
        units = self.account.units_of_receipt
        if self.rate == INFINITE:
            return True
        self.left = min(self.rate, self.left + (now - self.at) * self.rate)
        self.at = now
        if self.left >= units:
            self.left -= units
            return True
        self.saturated = now if self.saturated is None else self.saturated
        if now - self.saturated >= self.account.doubling:
            self.rate, self.saturated = 2 * self.rate, now
        return False


_Step = Callable[[Upload], None]


@dataclass(slots=True, kw_only=True)
class _World:
    """Everything at one moment. `heap` is what is to come."""

    load: Load
    account: Account
    dice: random.Random
    now: float = 0.0
    heap: list[tuple[float, int, _Step, Upload]] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=itertools.count)
    queue: deque[Upload] = field(default_factory=deque)
    letters: deque[Upload] = field(default_factory=deque)
    table: _Table = field(init=False)
    idle: int = 0
    environments: int = 0
    startable: float = field(init=False)
    started_at: float = 0.0
    is_growing: bool = False
    last_resorts: int = 0
    throttled: int = 0
    dead: int = 0

    def __post_init__(self) -> None:
        self.table = _Table(self.account)
        self.startable = self.account.burst

    def run(self, until: float) -> Run:
        """Until nothing is to come, or to a moment."""
        come = []
        for upload in self._uploads():
            if upload.at > until:
                break
            self._go_on(upload.at)
            self.now = upload.at
            come.append(upload)
            self._arrive(upload)
        self._go_on(until)
        return Run(
            uploads=come,
            states=Counter(upload.state for upload in come),
            environments=self.environments,
            throttled=self.throttled,
            letters=self.dead,
        )

    def _uploads(self) -> Iterator[Upload]:
        kinds = itertools.cycle(self.load.kinds)
        return (Upload(kind=kind, at=at) for at, kind in zip(self.load.times, kinds, strict=False))

    def _go_on(self, until: float) -> None:
        """Do what is to come up to then."""
        while self.heap and self.heap[0][0] <= until:
            self.now, _, step, upload = heapq.heappop(self.heap)
            step(upload)

    def _after(self, seconds: float, step: _Step, upload: Upload) -> None:
        heapq.heappush(self.heap, (self.now + seconds, next(self.numbers), step, upload))

    # -- Lambda's queue

    def _arrive(self, upload: Upload) -> None:
        upload.state = State.WAITING
        self.queue.append(upload)
        self._dispatch()

    def _dispatch(self) -> None:
        """Give every free environment an event; what finds none waits, or comes again later."""
        while self.queue:
            if self.now - self.queue[0].at > EVENT_AGE:
                self._bury(self.queue.popleft())
            elif (start := self._environment()) is not None:
                self._begin(self.queue.popleft(), start)
            elif self.account.is_polite:
                self._back_off(self.queue.popleft())
            else:
                return

    def _environment(self) -> float | None:
        """What it takes to start one: nothing if one is idle; None if there is none to be had."""
        if self.idle:
            self.idle -= 1
            return 0.0
        if self.environments >= self.account.limit:
            return None
        added = (self.now - self.started_at) * self.account.added
        self.startable = min(self.account.burst, self.startable + added)
        self.started_at = self.now
        if self.startable < 1:
            self._grow_later()
            return None
        self.startable -= 1
        self.environments += 1
        return self.account.start

    def _grow_later(self) -> None:
        if not self.is_growing:
            self.is_growing = True
            self._after(1.001 / self.account.added, self._grown, self.queue[0])

    def _grown(self, _: Upload) -> None:
        self.is_growing = False
        self._dispatch()

    def _back_off(self, upload: Upload) -> None:
        wait = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2.0 ** min(upload.backoffs, 10))
        upload.backoffs += 1
        self._after(wait, self._arrive, upload)

    # -- an inspection

    def _begin(self, upload: Upload, start: float) -> None:
        upload.state = State.RUNNING
        upload.tries += 1
        upload.was_tried = True
        upload.refusals = 0
        self._after(start + upload.kind.seconds, self._fail if upload.kind.crashes else self._write, upload)

    def _write(self, upload: Upload) -> None:
        if self.table.takes(self.now):
            self._end(upload, State.VERDICT)
            self._free()
        elif self._may_repeat(upload):
            self._after(self._patience(upload), self._write, upload)
        else:
            self._fail(upload)

    def _may_repeat(self, upload: Upload) -> bool:
        self.throttled += 1
        upload.refusals += 1
        return upload.refusals < CLIENT_TRIES

    def _patience(self, upload: Upload) -> float:
        return self.dice.random() * 2.0 ** (upload.refusals - 1)

    def _fail(self, upload: Upload) -> None:
        upload.state = State.WAITING
        if upload.tries <= len(self.account.retry_after):
            self._after(self.account.retry_after[upload.tries - 1], self._arrive, upload)
        else:
            self._bury(upload)
        self._free()

    def _free(self) -> None:
        self.idle += 1
        self._dispatch()

    def _end(self, upload: Upload, state: State) -> None:
        upload.state, upload.finished = state, self.now

    # -- the dead letters

    def _bury(self, upload: Upload) -> None:
        upload.state = State.DEAD_LETTER
        self.dead += 1
        self._deliver(upload)

    def _deliver(self, upload: Upload) -> None:
        self.letters.append(upload)
        self._resort()

    def _resort(self) -> None:
        while self.letters and self.last_resorts < LAST_RESORTS:
            upload = self.letters.popleft()
            self.last_resorts += 1
            upload.refusals = 0
            # What was never tried is inspected here; a crash ends this function too, and the queue brings it again.
            self._after(GIVING_UP if upload.was_tried else upload.kind.seconds, self._give_up, upload)

    def _give_up(self, upload: Upload) -> None:
        if upload.kind.crashes and not upload.was_tried:
            upload.was_tried = True
            self._put_back(upload)
        elif self.table.takes(self.now):
            self._end(upload, State.CRASHED if upload.was_tried else State.VERDICT)
            self._done()
        elif self._may_repeat(upload):
            self._after(self._patience(upload), self._give_up, upload)
        else:
            self._put_back(upload)

    def _put_back(self, upload: Upload) -> None:
        self._after(VISIBILITY, self._deliver, upload)
        self._done()

    def _done(self) -> None:
        self.last_resorts -= 1
        self._resort()


# -- loads


def burst(count: int, *, over: float = 0.0) -> tuple[float, ...]:
    """So many events within so many seconds, evenly."""
    return tuple(over * number / count for number in range(count))


def mixed(common: Kind, rare: Kind, *, one_in: int) -> tuple[Kind, ...]:
    """One in so many is rare: the last of each."""
    return (*(common for _ in range(one_in - 1)), rare)


# -- what docs/scale.md shows

COUNT, OVER = 100_000, 30.0
SMALL = Kind(name="small", seconds=0.031)
"""2 kB: the time that bench/cost.py assumes for a small file, nearly all of it waiting for S3 and DynamoDB."""
LARGE = Kind(name="large", seconds=300)
"""20 GB: read at 80 MB/s, of which inspecting takes a fifth of the CPU."""
BAD = Kind(name="bad", seconds=2, crashes=True)
HANGING = Kind(name="bad", seconds=900, crashes=True)
HANGING_A_MINUTE = Kind(name="bad", seconds=60, crashes=True)
NEW_TABLE, GROWN_TABLE = 4_000.0, 40_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A load, and the account that it meets."""

    name: str
    account: Account
    kinds: tuple[Kind, ...] = (SMALL,)
    count: int = COUNT


def _account(limit: int, units: float = NEW_TABLE, *, is_polite: bool = False) -> Account:
    return Account(limit=limit, units=units, is_polite=is_polite)


CASES = (
    Case(name="10,000 files, limit 10, taken at once", account=_account(10), count=10_000),
    Case(name="10,000 files, limit 10, each backing off", account=_account(10, is_polite=True), count=10_000),
    Case(name="limit 10", account=_account(10)),
    Case(name="limit 100", account=_account(100)),
    Case(name="limit 1,000, a table that had such a peak", account=_account(1_000, GROWN_TABLE)),
    Case(name="limit 1,000, a new table", account=_account(1_000)),
    Case(name="the same, 60 reserved", account=_account(60)),
    Case(name="1 % crash at once, limit 100", account=_account(100), kinds=mixed(SMALL, BAD, one_in=100)),
    Case(name="0.1 % hang for 900 s, limit 100", account=_account(100), kinds=mixed(SMALL, HANGING, one_in=1_000)),
    Case(
        name="0.1 % hang for 900 s, limit 1,000",
        account=_account(1_000, GROWN_TABLE),
        kinds=mixed(SMALL, HANGING, one_in=1_000),
    ),
    Case(name="1 % hang for 900 s, limit 100", account=_account(100), kinds=mixed(SMALL, HANGING, one_in=100)),
    Case(name="the same, lambda_timeout 60", account=_account(100), kinds=mixed(SMALL, HANGING_A_MINUTE, one_in=100)),
    Case(name="0.1 % are of 20 GB, limit 100", account=_account(100), kinds=mixed(SMALL, LARGE, one_in=1_000)),
    Case(
        name="0.1 % are of 20 GB, limit 1,000",
        account=_account(1_000, GROWN_TABLE),
        kinds=mixed(SMALL, LARGE, one_in=1_000),
    ),
)
COLUMNS = ("", "last receipt", "small: half", "small: 99 %", "refused writes", "dead letters", "say crashed", "lost")
NOTE = (
    f"{COUNT:,} files of 2 kB ({SMALL.seconds} s each) that land within {OVER:.0f} s, unless it says otherwise. Times "
    f"are from upload to receipt. Limit: environments at once. A new table takes {NEW_TABLE:,.0f} write units a "
    f"second. Starting an environment: {Account().start} s."
)


def tables(cases: Sequence[Case] = CASES) -> Section:
    """A row for each case."""
    return Section(
        tables=[Table(title="Bursts, simulated", columns=COLUMNS, rows=[_row(one) for one in cases], note=NOTE)]
    )


def _row(case: Case) -> Sequence[str]:
    run = simulate(Load(times=burst(case.count, over=OVER), kinds=case.kinds), case.account)
    shares = (run.latency(share, kind=SMALL.name) for share in (0.5, 0.99))
    lost = case.count - sum(run.states[state] for state in FINAL)
    counts = (run.throttled, run.letters, run.states[State.CRASHED], lost)
    return (case.name, said(run.drained), *map(said, shares), *(f"{count:,}" for count in counts))


def said(seconds: float) -> str:
    """A duration in the unit that suits it."""
    if seconds < 2 * MINUTE:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / MINUTE:.0f} min" if seconds < 2 * HOUR else f"{seconds / HOUR:.1f} h"


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.simulation", description=__doc__)
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    tell(tables(), as_markdown=parser.parse_args().markdown, width=160)
    return 0


if __name__ == "__main__":
    sys.exit(main())
