"""The use case: how much of what happened in a period, exactly: from the seals, and from what they do not cover yet.

There is no counter that could drift. A closed hour is counted by the seals, whose tallies never change; the rest of
the period by the journal: open hours, and the edges of a period that begins or ends within an hour. Which hours are
closed is decided once, before either is read, so that no receipt is counted by both.

What may be missing: an entry that came into the journal after its hour was closed, until the next seal covers it
(which it does up to LOOK_BACK after that hour); at an edge within a closed hour, entries whose time to live is over;
and the entries of the index's lag, about a second.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from itertools import chain, islice
from typing import Any, Protocol, TypeVar

from chalicelib.sealing import LOOK_BACK
from chalicelib.seals import HOUR, MalformedSealError, Seal, hour_of, source_of, tally_of
from chalicelib.uploads import iso

Tally = Mapping[str, int]
"""How often what happened, as `seals.tally_of` names it; what did not is absent."""

Summary = Mapping[str, Any]
Journal = Callable[[datetime, datetime], Iterable[Summary]]
"""Summaries of the entries finished from one moment to before another."""

Group = TypeVar("Group", datetime, date, str)

ROLLUPS = 100
"""How many roll-ups are read at a time: what a BatchGetItem takes."""

INSTANT = timedelta(milliseconds=1)


class Seals(Protocol):
    """Where seals are read, as `sealing.SealStore` says."""

    def last(self, bucket: str) -> Seal | None: ...

    def seals(self, bucket: str, *, since: datetime | None = None, until: datetime | None = None) -> Iterator[Seal]: ...

    def rollups(self, hashes: Sequence[str]) -> Iterator[Mapping[str, Any] | None]: ...


class ReadOnce:
    """Seals that are read once and counted in several ways, all of which so count the same."""

    def __init__(self, store: Seals) -> None:
        self.last = cache(store.last)
        self.rollups = store.rollups
        self._seals = cache(lambda bucket, since, until: tuple(store.seals(bucket, since=since, until=until)))

    def seals(self, bucket: str, *, since: datetime | None = None, until: datetime | None = None) -> Iterator[Seal]:
        """The chain, as it was when it was first read."""
        return iter(self._seals(bucket, since, until))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A period in parts: whole hours for the seals, and spans, none of them empty, for the journal."""

    hours: frozenset[datetime]
    spans: tuple[tuple[datetime, datetime], ...]


def by_time(
    store: Seals,
    journal: Journal,
    bucket: str,
    *,
    since: datetime,
    until: datetime,
    group: Callable[[datetime], Group],
) -> dict[Group, Tally]:
    """What happened from `since` to before `until`, by `group`, in order; groups in which nothing did are absent.

    Groups follow each other in time, as hours and days do. Raises MalformedSealError if the chain has a hole.
    """

    def is_whole(hour: datetime) -> bool:
        return group(hour) == group(hour + HOUR - INSTANT)

    plan = planned(since, until, closed=_closed(store, bucket), is_whole=is_whole)
    sealed = ((group(hour), tally) for hour, tally in _sealed_hours(store, bucket, plan))
    return summed(chain(sealed, _open(journal, plan, lambda entry: group(_finished(entry)))))


def by_source(store: Seals, journal: Journal, bucket: str, *, since: datetime, until: datetime) -> dict[str, Tally]:
    """What happened from `since` to before `until`, by source, in order; MalformedSealError also without a roll-up."""
    plan = planned(since, until, closed=_closed(store, bucket))
    return summed(
        chain(_sealed_sources(store, bucket, plan), _open(journal, plan, lambda entry: source_of(entry["key"])))
    )


def total(tallies: Iterable[Tally]) -> dict[str, int]:
    """All of them in one."""
    return dict(sum(map(Counter, tallies), Counter[str]()))


# -- pure


def planned(
    since: datetime,
    until: datetime,
    *,
    closed: datetime | None,
    is_whole: Callable[[datetime], bool] = lambda _: True,
) -> Plan:
    """The period's parts, each of its moments in one of them. `closed` is the end of the last closed hour.

    An hour that is not whole, since its parts are to be told apart, is left to the journal.
    """
    hours: set[datetime] = set()
    spans: list[tuple[datetime, datetime]] = []
    for start, end in _pieces(_whole_milliseconds(since), _whole_milliseconds(until)):
        if closed and end <= closed and end - start == HOUR and is_whole(start):
            hours.add(start)
        elif spans and spans[-1][1] == start:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return Plan(hours=frozenset(hours), spans=tuple(spans))


def summed(rows: Iterable[tuple[Group, Tally]]) -> dict[Group, Tally]:
    """One tally for each group, in the groups' order."""
    sums: defaultdict[Group, Counter[str]] = defaultdict(Counter)
    for group, tally in rows:
        sums[group].update(tally)
    return {group: dict(sums[group]) for group in sorted(sums)}


def _pieces(since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    while since < until:
        end = min(hour_of(since) + HOUR, until)
        yield since, end
        since = end


def _whole_milliseconds(moment: datetime) -> datetime:
    """As the journal's times are; a span within one would be empty, which DynamoDB refuses to look for."""
    return datetime.fromisoformat(iso(moment))


def _finished(entry: Summary) -> datetime:
    return datetime.fromisoformat(entry["finished_at"])


# -- read


def _closed(store: Seals, bucket: str) -> datetime | None:
    """Until when nothing is left to be sealed but what is late."""
    last = store.last(bucket)
    return last.next_place[0] if last else None


def _sealed_hours(store: Seals, bucket: str, plan: Plan) -> Iterator[tuple[datetime, Tally]]:
    for seal in _chain(store, bucket, plan):
        yield from ((hour, tally) for hour, tally in seal.tallies.items() if hour in plan.hours)


def _sealed_sources(store: Seals, bucket: str, plan: Plan) -> Iterator[tuple[str, Tally]]:
    hashes = (hash_ for seal in _chain(store, bucket, plan) for hash_ in seal.rollups)
    while some := tuple(islice(hashes, ROLLUPS)):
        for hash_, rollup in zip(some, store.rollups(some), strict=True):
            if rollup is None:
                raise MalformedSealError(f"the roll-up {hash_} is missing")
            yield from _of_sources(rollup, plan)


def _of_sources(rollup: Summary, plan: Plan) -> Iterator[tuple[str, Tally]]:
    for row in rollup["tallies"]:
        if datetime.fromisoformat(row["hour"]) in plan.hours:
            yield row["source"], {name: count for name, count in row.items() if name not in ("hour", "source")}


def _chain(store: Seals, bucket: str, plan: Plan) -> Iterator[Seal]:
    """All seals that may cover entries of the plan's hours: those of later hours cover what came late.

    Late entries are looked for so far back and no further, so an old period costs no more than a young one.
    """
    if not plan.hours:
        return
    first, last = min(plan.hours), max(plan.hours)
    place = beginning = (first, 0)
    for seal in store.seals(bucket, since=first, until=last + HOUR + LOOK_BACK):
        if (seal.hour, seal.part) != place and seal.previous is not None:
            raise _missing(place)
        place = seal.next_place
        yield seal
    if place != beginning and place[0] <= last:
        raise _missing(place)


def _missing(place: tuple[datetime, int]) -> MalformedSealError:
    return MalformedSealError(f"the seal of {iso(place[0])}, part {place[1]}, is missing")


def _open(journal: Journal, plan: Plan, group: Callable[[Summary], Group]) -> Iterator[tuple[Group, Tally]]:
    for span in plan.spans:
        yield from ((group(entry), tally_of([entry])) for entry in journal(*span))
