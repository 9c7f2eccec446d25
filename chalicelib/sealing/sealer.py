"""The sealing itself: from the last seal on, batch by batch, until nothing is due."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain, groupby, islice
from typing import Any, TypeVar

from chalicelib.receipts import content_hash
from chalicelib.sealing.ending import Ending, OvertakenError
from chalicelib.sealing.ports import Anchor, SealConflictError, SealStore
from chalicelib.sealing.sealed import KEPT_LONGER, Line, lines_since, pages_of
from chalicelib.seals import (
    HOUR,
    PAGE_LEAVES,
    PARTS,
    Page,
    Seal,
    finished_hour,
    leaf_of,
    rollups_of,
    source_of,
    tally_of,
)
from chalicelib.uploads import iso

SEAL_LEAVES = 65_536
"""How many receipts a seal covers at most: what is held in memory at once, 256 full pages."""

GRACE = timedelta(minutes=20)
"""How long after its end an hour is sealed: 15 minutes a function may last, and the index's lag."""

LOOK_BACK = timedelta(hours=24)
"""How far before the sealed hour late entries are looked for."""

EARLY_PARTS = PARTS // 2
"""How many parts of an hour early seals may take, so that some are left for those that are due."""

Summary = Mapping[str, Any]
"""What the journal says of one entry."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealer:
    """Seals what is due. `retention_days` is how long the stage keeps receipts, None for ever."""

    store: SealStore
    anchor: Anchor
    retention_days: int | None = None

    def seal_due(
        self,
        bucket: str,
        *,
        now: datetime,
        out_of_time: Callable[[], bool],
        early: bool = False,
        adopt: str | None = None,
    ) -> Iterator[Seal]:
        """Make every seal that is due, and yield each; what is out of time is left for the next run.

        `early` seals what there is up to now: hours that have ended are closed at once, the open one is not.
        `adopt` is the hash of the last seal, if that is to be gone on from though the anchor does not know it.
        """
        while not out_of_time():
            run = _Run(sealer=self, bucket=bucket, now=now, out_of_time=out_of_time, early=early, adopt=adopt)
            try:
                yield from run.seals()
                return
            except OvertakenError:
                continue


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """From the last seal in the ledger on, until nothing is due or another sealer was faster."""

    sealer: Sealer
    bucket: str
    now: datetime
    out_of_time: Callable[[], bool]
    early: bool
    adopt: str | None

    def seals(self) -> Iterator[Seal]:
        ending, adopts = self._ending, None
        last = self.sealer.store.last(self.bucket)
        if mended := ending.mended(last):
            last = mended
            yield mended
        elif last:
            adopts = ending.adopted(last, self.adopt)
        place = last.next_place if last else self._beginning()
        if place is None:
            return
        sealed = lines_since(self.sealer.store, self.bucket, place[0] - LOOK_BACK)
        late = self._late(place[0], sealed)
        while self._is_due(*place):
            waiting = chain(late, self._uncovered(place[0], sealed))
            for batch, is_all in _batches(waiting, SEAL_LEAVES):
                closes = is_all and self._has_ended(place[0])
                if self.out_of_time() or not (batch or closes or adopts):
                    return
                last = self._seal(batch, last=last, place=place, closes=closes, adopts=adopts)
                place, adopts = last.next_place, None
                yield last
            if not last or not last.closes:
                return

    @property
    def _ending(self) -> Ending:
        sealer = self.sealer
        return Ending(store=sealer.store, anchor=sealer.anchor, bucket=self.bucket, now=self.now)

    # -- what is due

    def _beginning(self) -> tuple[datetime, int] | None:
        first = self.sealer.store.first_hour(self.bucket)
        return (first, 0) if first else None

    def _has_ended(self, hour: datetime) -> bool:
        return hour + HOUR <= self.now

    def _is_due(self, hour: datetime, part: int) -> bool:
        asked_for = self.early and iso(hour) < iso(self.now) and part < EARLY_PARTS
        return asked_for or self._has_ended(hour + GRACE)

    # -- what is not sealed yet

    def _late(self, before: datetime, sealed: Mapping[datetime, Sequence[Line]]) -> Iterator[Summary]:
        """Entries that came into the journal after their hour was sealed, the oldest hour first.

        Once a run is enough: of the hours that it seals itself, the next run looks back on the young ones.
        """
        for ago in range(LOOK_BACK // HOUR, 0, -1):
            hour = before - ago * HOUR
            if self.sealer.store.count(self.bucket, hour) != sum(line.receipts for _, line in sealed.get(hour, ())):
                yield from self._uncovered(hour, sealed)

    def _uncovered(self, hour: datetime, sealed: Mapping[datetime, Sequence[Line]]) -> Iterator[Summary]:
        covered = self._covered(sealed.get(hour, ()))
        for entry in _in_order(self.sealer.store.entries(self.bucket, hour, until=self.now)):
            if _name(entry) not in covered:
                yield entry

    def _covered(self, lines: Sequence[Line]) -> set[tuple[str, int]]:
        pages = pages_of(self.sealer.store, lines, now=self.now)
        return {(leaf.identity, leaf.inspection) for page in pages for leaf in page.leaves}

    # -- one seal: pages, rollups, anchor, seal, so that a crash leaves only what the next run can build on

    def _seal(
        self,
        batch: Sequence[Summary],
        *,
        last: Seal | None,
        place: tuple[datetime, int],
        closes: bool,
        adopts: str | None,
    ) -> Seal:
        pages = tuple(_pages(self.bucket, batch))
        tallies = _tallies(batch)
        self._put_pages(pages)
        seal = Seal(
            bucket=self.bucket,
            hour=place[0],
            part=place[1],
            closes=closes,
            sealed_at=_whole_milliseconds(self.now),
            pages=tuple(page.line for page in pages),
            tallies=_by_hour(tallies),
            rollups=tuple(self._put_rollups(tallies)),
            previous=last.seal_hash if last else None,
            adopts=adopts,
            retention_days=self.sealer.retention_days,
        )
        return self._put(replace(seal, anchor=self.sealer.anchor.sign(seal)), pages)

    def _put_pages(self, pages: Iterable[Page]) -> None:
        for page in pages:
            self.sealer.store.put_page(page, expires_at=self._expiry(page.hour))

    def _put_rollups(self, tallies: Tallies) -> Iterator[str]:
        for rollup in rollups_of(self.bucket, tallies):
            self.sealer.store.put_rollup(rollup)
            yield content_hash(rollup)

    def _put(self, seal: Seal, pages: Iterable[Page]) -> Seal:
        self._keep(seal, pages)
        # An answer that was lost on its way makes a client's second try find the place taken: by this very seal.
        if not self.sealer.store.put_seal(seal) and not self._ending.is_last(seal):
            raise OvertakenError
        return seal

    def _keep(self, seal: Seal, pages: Iterable[Page]) -> None:
        """Into the anchor; if that holds another one, the next try finds it ahead of the ledger, or stops."""
        # Looked up as well as put on condition: something hidden by a delete marker counts, and S3 would put over it.
        if self.sealer.anchor.holds(self.bucket, seal.number) is not None:
            raise OvertakenError
        try:
            self.sealer.anchor.keep(seal, pages)
        except SealConflictError as error:
            raise OvertakenError from error

    def _expiry(self, hour: datetime) -> int | None:
        if self.sealer.retention_days is None:
            return None
        return int((hour + timedelta(days=self.sealer.retention_days) + KEPT_LONGER).timestamp())


Tallies = Mapping[tuple[datetime, str], Mapping[str, int]]
"""Counts by hour and source."""


def _name(entry: Summary) -> tuple[str, int]:
    return entry["identity"], entry["inspection"]


def _in_order(entries: Iterable[Summary]) -> Iterator[Summary]:
    """Entries that come by `finished_at`, each once, those of one moment by their names."""
    for _, moment in groupby(entries, key=lambda entry: str(entry["finished_at"])):
        for _, entry in sorted({_name(entry): entry for entry in moment}.items(), key=lambda named: named[0]):
            yield entry


def _batches(things: Iterator[T], size: int) -> Iterator[tuple[list[T], bool]]:
    """At most `size` at a time, and whether they are the last; a single empty one if there are none."""
    following = list(islice(things, 1))
    is_all = False
    while not is_all:
        batch = following + list(islice(things, size - len(following)))
        following = list(islice(things, 1))
        is_all = not following
        yield batch, is_all


def _pages(bucket: str, batch: Iterable[Summary]) -> Iterator[Page]:
    for hour, entries in groupby(batch, key=finished_hour):
        leaves = map(leaf_of, entries)
        while some := tuple(islice(leaves, PAGE_LEAVES)):
            yield Page(bucket=bucket, hour=hour, leaves=some)


def _tallies(batch: Iterable[Summary]) -> Tallies:
    tallies: defaultdict[tuple[datetime, str], Counter[str]] = defaultdict(Counter)
    for entry in batch:
        tallies[finished_hour(entry), source_of(entry["key"])].update(tally_of([entry]))
    return tallies


def _by_hour(tallies: Tallies) -> dict[datetime, Mapping[str, int]]:
    hours: defaultdict[datetime, Counter[str]] = defaultdict(Counter)
    for hour, source in sorted(tallies):
        hours[hour].update(tallies[hour, source])
    return dict(hours)


def _whole_milliseconds(moment: datetime) -> datetime:
    return datetime.fromisoformat(iso(moment))
