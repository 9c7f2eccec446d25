"""The use case: what the journal has got is sealed, hour by hour, each seal chained to the one before."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain, groupby, islice
from typing import Any, Protocol, TypeVar

from chalicelib.receipts import content_hash
from chalicelib.seals import (
    HOUR,
    PAGE_LEAVES,
    PARTS,
    Page,
    PageLine,
    Seal,
    finished_hour,
    leaf_of,
    rollups_of,
    seal_number,
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

KEPT_LONGER = timedelta(days=30)
"""How much longer than its receipts a page is kept, so that none goes before them."""

Summary = Mapping[str, Any]
"""What the journal says of one entry."""

T = TypeVar("T")


class SealConflictError(Exception):
    """The ledger's chain is not the one its anchor knows: somebody removed or changed a seal. No retry helps."""


class _OvertakenError(Exception):
    """Another sealer put the next seal: start again from it."""


class SealStore(Protocol):
    """Where the journal is read, and where seals are kept. Malformed items raise MalformedSealError."""

    def last(self, bucket: str) -> Seal | None:
        """The last seal of the chain; strongly consistent."""

    def seals(self, bucket: str, *, since: datetime | None = None, until: datetime | None = None) -> Iterator[Seal]:
        """The chain, oldest first: from the hour that holds `since`, hours that begin before `until`."""

    def pages(self, roots: Sequence[str]) -> Iterator[Page | None]:
        """The pages of these roots, in order; None where there is none."""

    def rollups(self, hashes: Sequence[str]) -> Iterator[Mapping[str, Any] | None]:
        """The rollups of these hashes, in order; None where there is none."""

    def first_hour(self, bucket: str) -> datetime | None:
        """The hour of the journal's oldest entry."""

    def count(self, bucket: str, hour: datetime) -> int:
        """How many entries of the journal were finished in the hour."""

    def entries(self, bucket: str, hour: datetime, until: datetime | None = None) -> Iterator[dict[str, Any]]:
        """Summaries of the entries finished in the hour, and before `until`, in the order of `finished_at`."""

    def put_page(self, page: Page, *, expires_at: int | None = None) -> bool:
        """Write the page unless it is there; `expires_at` is in seconds since 1970."""

    def put_rollup(self, rollup: Mapping[str, Any]) -> bool:
        """Write the rollup unless it is there."""

    def put_seal(self, seal: Seal) -> bool:
        """Write the seal unless its place is taken; whether it was written."""


class Anchor(Protocol):
    """What holds seals where nobody who can change the ledger can change them."""

    def sign(self, seal: Seal) -> Mapping[str, str] | None:
        """A signature to be kept with the seal, if this anchor makes any."""

    def keep(self, seal: Seal, pages: Iterable[Page]) -> None:
        """Keep the seal once it is in the ledger; SealConflictError if another one is kept in its place."""

    def holds(self, bucket: str, number: int) -> Mapping[str, Any] | None:
        """What is kept in a seal's place: {"seal": …, "pages": […]}."""

    def kept(self, bucket: str, *, since: int | None = None) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """All that is kept of a bucket's chain, oldest first, from the seal number `since` on."""


class NoAnchor(Anchor):
    """Nothing but the chain itself."""

    def sign(self, seal: Seal) -> Mapping[str, str] | None:  # noqa: ARG002 - the port's
        return None

    def keep(self, seal: Seal, pages: Iterable[Page]) -> None:
        pass

    def holds(self, bucket: str, number: int) -> Mapping[str, Any] | None:  # noqa: ARG002 - the port's
        return None

    def kept(self, bucket: str, *, since: int | None = None) -> Iterator[tuple[int, Mapping[str, Any]]]:  # noqa: ARG002
        return iter(())


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealer:
    """Seals what is due. `retention_days` is how long the stage keeps receipts, None for ever."""

    store: SealStore
    anchor: Anchor
    retention_days: int | None = None

    def seal_due(
        self, bucket: str, *, now: datetime, out_of_time: Callable[[], bool], early: bool = False
    ) -> Iterator[Seal]:
        """Make every seal that is due, and yield each; what is out of time is left for the next run.

        `early` seals what there is up to now: hours that have ended are closed at once, the open one is not.
        """
        while not out_of_time():
            run = _Run(sealer=self, bucket=bucket, now=now, out_of_time=out_of_time, early=early)
            try:
                yield from run.seals()
                return
            except _OvertakenError:
                continue


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """From the last seal in the ledger on, until nothing is due or another sealer was faster."""

    sealer: Sealer
    bucket: str
    now: datetime
    out_of_time: Callable[[], bool]
    early: bool

    def seals(self) -> Iterator[Seal]:
        last = self._last_kept()
        place = last.next_place if last else self._beginning()
        if place is None:
            return
        sealed = self._sealed_since(place[0] - LOOK_BACK)
        late = self._late(place[0], sealed)
        while self._is_due(*place):
            waiting = chain(late, self._uncovered(place[0], sealed))
            for batch, is_all in _batches(waiting, SEAL_LEAVES):
                closes = is_all and self._has_ended(place[0])
                if self.out_of_time() or not (batch or closes):
                    return
                last = self._seal(batch, last=last, place=place, closes=closes)
                place = last.next_place
                yield last
            if not last or not last.closes:
                return

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

    def _sealed_since(self, hour: datetime) -> Mapping[datetime, Sequence[PageLine]]:
        """By hour, what the chain says was sealed of it; the entries of an hour are in no seal of an earlier one."""
        lines: defaultdict[datetime, list[PageLine]] = defaultdict(list)
        for seal in self.sealer.store.seals(self.bucket, since=hour):
            for line in seal.pages:
                lines[line.hour].append(line)
        return lines

    def _late(self, before: datetime, sealed: Mapping[datetime, Sequence[PageLine]]) -> Iterator[Summary]:
        """Entries that came into the journal after their hour was sealed, the oldest hour first.

        Once a run is enough: of the hours that it seals itself, the next run looks back on the young ones.
        """
        for ago in range(LOOK_BACK // HOUR, 0, -1):
            hour = before - ago * HOUR
            if self.sealer.store.count(self.bucket, hour) != sum(line.receipts for line in sealed.get(hour, ())):
                yield from self._uncovered(hour, sealed)

    def _uncovered(self, hour: datetime, sealed: Mapping[datetime, Sequence[PageLine]]) -> Iterator[Summary]:
        covered = self._covered(sealed.get(hour, ()))
        for entry in _in_order(self.sealer.store.entries(self.bucket, hour, until=self.now)):
            if _name(entry) not in covered:
                yield entry

    def _covered(self, lines: Sequence[PageLine]) -> set[tuple[str, int]]:
        # A page that is gone covers nothing. If it expired, its receipts went before it; if somebody removed it,
        # verification tells, and its receipts are sealed anew.
        pages = self.sealer.store.pages([line.root for line in lines])
        return {(leaf.identity, leaf.inspection) for page in pages if page for leaf in page.leaves}

    # -- one seal: pages, rollups, seal, anchor, so that a crash leaves only what the next run can build on

    def _seal(self, batch: Sequence[Summary], *, last: Seal | None, place: tuple[datetime, int], closes: bool) -> Seal:
        self._refuse_if_kept(place, last)
        pages = tuple(_pages(self.bucket, batch))
        tallies = _tallies(batch)
        self._put_pages(pages)
        seal = Seal(
            bucket=self.bucket,
            hour=place[0],
            part=place[1],
            closes=closes,
            sealed_at=_whole_milliseconds(self.now),
            pages=tuple(PageLine(page.root, page.hour, len(page.leaves)) for page in pages),
            tallies=_by_hour(tallies),
            rollups=tuple(self._put_rollups(tallies)),
            previous=last.seal_hash if last else None,
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
        # An answer that was lost on its way makes a client's second try find the place taken: by this very seal.
        if not self.sealer.store.put_seal(seal) and not _same(self.sealer.store.last(self.bucket), seal):
            raise _OvertakenError
        self.sealer.anchor.keep(seal, pages)
        return seal

    def _expiry(self, hour: datetime) -> int | None:
        if self.sealer.retention_days is None:
            return None
        return int((hour + timedelta(days=self.sealer.retention_days) + KEPT_LONGER).timestamp())

    # -- the ledger's chain beside the anchor's

    def _last_kept(self) -> Seal | None:
        """The last seal, kept by the anchor: a crash between ledger and anchor is mended here."""
        store, anchor = self.sealer.store, self.sealer.anchor
        last = store.last(self.bucket)
        if last is None:
            self._refuse_if(next(anchor.kept(self.bucket), None), last)
        elif (held := anchor.holds(self.bucket, last.number)) is None:
            anchor.keep(last, (page for page in store.pages([line.root for line in last.pages]) if page))
        elif held.get("seal") != last.as_json():
            raise SealConflictError(f"the ledger's seal {last.number} of {self.bucket} is not the one its anchor holds")
        return last

    def _refuse_if_kept(self, place: tuple[datetime, int], last: Seal | None) -> None:
        self._refuse_if(self.sealer.anchor.holds(self.bucket, seal_number(*place)), last)

    def _refuse_if(self, ahead: object, last: Seal | None) -> None:
        """Stop if the anchor holds a seal after the ledger's last, unless another sealer made it meanwhile."""
        if ahead is None:
            return
        if not _same(self.sealer.store.last(self.bucket), last):
            raise _OvertakenError
        after = f"after {last.number}" if last else "at all"
        raise SealConflictError(f"the anchor holds a seal of {self.bucket} where the ledger has none {after}")


Tallies = Mapping[tuple[datetime, str], Mapping[str, int]]
"""Counts by hour and source."""


def _same(one: Seal | None, other: Seal | None) -> bool:
    return (one and one.seal_hash) == (other and other.seal_hash)


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
