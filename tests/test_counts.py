"""Counts equal counting: whatever was recorded, whenever it was sealed, for any period."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, timezone
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import seals
from chalicelib.counts import ReadOnce, by_source, by_time, planned, summed, total
from chalicelib.receipts import content_hash
from chalicelib.sealing import GRACE, LOOK_BACK, NoAnchor, Sealer, SealStore, sealer
from chalicelib.seals import HOUR, MalformedSealError, Page, Seal, finished_hour, hour_of, source_of, tally_of
from chalicelib.uploads import iso
from tests.fakes import NOON

Group = TypeVar("Group", datetime, date, str)
Summary = dict[str, Any]

BUCKET = "inbox"
INSTANT = timedelta(milliseconds=1)
NEPAL = timezone(timedelta(hours=5, minutes=45))
"""Where days begin within an hour of UTC."""


@dataclass
class Books(SealStore):
    """A journal and its seals in memory."""

    journal: list[Summary] = field(default_factory=list)
    chain: list[Seal] = field(default_factory=list)
    kept_pages: dict[str, Page] = field(default_factory=dict)
    kept_rollups: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    asked: list[tuple[datetime, datetime]] = field(default_factory=list)

    def last(self, bucket: str) -> Seal | None:  # noqa: ARG002 - the port's
        return self.chain[-1] if self.chain else None

    def seals(self, bucket: str, *, since: datetime | None = None, until: datetime | None = None) -> Iterator[Seal]:  # noqa: ARG002
        first = hour_of(since) if since else seals.EPOCH
        return (seal for seal in self.chain if first <= seal.hour and (not until or seal.hour < until))

    def pages(self, roots: Sequence[str]) -> Iterator[Page | None]:
        return map(self.kept_pages.get, roots)

    def rollups(self, hashes: Sequence[str]) -> Iterator[Mapping[str, Any] | None]:
        return map(self.kept_rollups.get, hashes)

    def first_hour(self, bucket: str) -> datetime | None:  # noqa: ARG002
        return min(map(finished_hour, self.journal), default=None)

    def count(self, bucket: str, hour: datetime) -> int:
        return len(list(self.entries(bucket, hour)))

    def entries(self, bucket: str, hour: datetime, until: datetime | None = None) -> Iterator[Summary]:  # noqa: ARG002
        return iter(self._within(hour, min(until or hour + HOUR, hour + HOUR)))

    def put_page(self, page: Page, *, expires_at: int | None = None) -> bool:  # noqa: ARG002
        self.kept_pages[page.root] = page
        return True

    def put_rollup(self, rollup: Mapping[str, Any]) -> bool:
        self.kept_rollups[content_hash(rollup)] = rollup
        return True

    def put_seal(self, seal: Seal) -> bool:
        self.chain.append(seal)
        return True

    # -- what the tests do

    def between(self, since: datetime, until: datetime) -> list[Summary]:
        """The journal of a span; DynamoDB refuses to look for an empty one."""
        assert since < until
        self.asked.append((since, until))
        return self._within(since, until)

    def _within(self, since: datetime, until: datetime) -> list[Summary]:
        found = [entry for entry in self.journal if iso(since) <= entry["finished_at"] < iso(until)]
        return sorted(found, key=lambda entry: str(entry["finished_at"]))

    def seal(self, now: datetime, *, early: bool = False) -> None:
        """One run of the sealing function."""
        sealer = Sealer(store=self, anchor=NoAnchor())
        list(sealer.seal_due(BUCKET, now=now, out_of_time=lambda: False, early=early))

    @property
    def closed(self) -> datetime:
        """The end of the last closed hour."""
        return self.chain[-1].next_place[0] if self.chain else seals.EPOCH

    @property
    def sealed(self) -> set[tuple[str, int]]:
        """What some seal covers."""
        pages = (self.kept_pages[line.root] for seal in self.chain for line in seal.pages)
        return {(leaf.identity, leaf.inspection) for page in pages for leaf in page.leaves}

    def hours(self, since: datetime, until: datetime) -> dict[datetime, Mapping[str, int]]:
        self.asked.clear()
        return by_time(self, self.between, BUCKET, since=since, until=until, group=hour_of)


_made = 0


def entry(finished_at: datetime, **more: Any) -> Summary:
    """A summary of the journal."""
    global _made  # noqa: PLW0603 - a name for each
    _made += 1
    identity = f"{BUCKET}/k#{_made}"
    return {
        "identity": identity,
        "inspection": 1,
        "kind": "upload",
        "key": "acme/day.csv",
        "status": "succeeded",
        "bytes": 10,
        "records": 2,
        "finished_at": iso(finished_at),
        "content_hash": content_hash({"identity": identity}),
        **more,
    }


OUTCOMES: Sequence[dict[str, Any]] = (
    {},
    {"key": "top.csv", "bytes": 0},
    {"key": "globex/x.json", "inspection": 2},
    {"status": "failed", "cause": "content", "records": 7},
    {"key": "globex/y.json", "status": "failed", "cause": "system", "bytes": None},
    {"status": "failed", "cause": "unavailable", "inspection": 3},
    {"kind": "deleted"},
    {"kind": "delete-marker", "key": "top.csv"},
)


@dataclass(frozen=True)
class Schedule:
    """What came into the journal when, and when it was sealed; in minutes after NOON."""

    arrivals: Sequence[tuple[int, int, int]]
    """When an entry came, how many milliseconds before that it was finished, and which of OUTCOMES it is."""
    runs: Sequence[tuple[int, bool]]
    """When the sealing function ran, and whether it was asked to seal early."""

    def without_early_runs(self) -> Schedule:
        return replace(self, runs=[(at, False) for at, _ in self.runs])

    def play(self) -> Books:
        books = Books()
        steps: list[tuple[int, Callable[[], None]]] = []
        for at, ago, outcome in self.arrivals:
            made = entry(NOON + timedelta(minutes=at, milliseconds=-ago), **OUTCOMES[outcome])
            steps.append((at, lambda made=made: books.journal.append(without_nothing(made))))  # type: ignore[misc]
        for at, early in self.runs:
            steps.append((at, lambda at=at, early=early: books.seal(NOON + timedelta(minutes=at), early=early)))  # type: ignore[misc]
        for _, step in sorted(steps, key=lambda step: step[0]):
            step()
        return books


def without_nothing(summary: Summary) -> Summary:
    return {name: value for name, value in summary.items() if value is not None}


def schedules(*, latest: timedelta) -> st.SearchStrategy[Schedule]:
    """Seven hours, with midnight in Nepal; entries come into the journal up to `latest` after they were finished."""
    ago = st.integers(0, latest // INSTANT) | st.sampled_from([0, min(1, latest // INSTANT)])
    arrival = st.tuples(st.integers(0, 420), ago, st.integers(0, len(OUTCOMES) - 1))
    run = st.tuples(st.integers(0, 480), st.booleans())
    return st.builds(Schedule, st.lists(arrival, max_size=25), st.lists(run, max_size=6))


MOMENTS = st.builds(
    lambda minutes, instants: NOON + timedelta(minutes=minutes) + instants * INSTANT,
    st.integers(-200, 500) | st.integers(-4, 9).map(lambda hours: hours * 60),
    st.integers(-2, 2) | st.just(0),
)
PERIODS = st.tuples(MOMENTS, MOMENTS)


def naive(
    entries: Iterable[Summary], since: datetime, until: datetime, group: Callable[[Summary], Group]
) -> dict[Group, Mapping[str, int]]:
    """Counting one by one."""
    within = [entry for entry in entries if iso(since) <= entry["finished_at"] < iso(until)]
    groups = sorted({group(entry) for entry in within})
    return {name: tally_of(entry for entry in within if group(entry) == name) for name in groups}


def day_of(moment: datetime) -> date:
    return moment.astimezone(NEPAL).date()


def finished(summary: Summary) -> datetime:
    return datetime.fromisoformat(summary["finished_at"])


def is_one_day(hour: datetime) -> bool:
    return day_of(hour) == day_of(hour + HOUR - INSTANT)


def countable(
    books: Books, since: datetime, until: datetime, is_whole: Callable[[datetime], bool] = lambda _: True
) -> list[Summary]:
    """All but the one kind that may be missing: late, not sealed yet, of a closed hour that the period holds whole."""
    return [
        entry
        for entry in books.journal
        if (entry["identity"], entry["inspection"]) in books.sealed
        or (hour := finished_hour(entry)) >= books.closed
        or not (since <= hour and hour + HOUR <= until and is_whole(hour))
    ]


def assert_counted(
    books: Books,
    since: datetime,
    until: datetime,
    entries: Callable[..., list[Summary]] = lambda books, *_: books.journal,
) -> None:
    """Hours, days and sources are those of counting the entries."""
    assert books.hours(since, until) == naive(entries(books, since, until), since, until, finished_hour)
    days = by_time(books, books.between, BUCKET, since=since, until=until, group=day_of)
    of_days = entries(books, since, until, is_one_day)
    assert days == naive(of_days, since, until, lambda entry: day_of(finished(entry)))
    sources = by_source(books, books.between, BUCKET, since=since, until=until)
    of_sources = naive(entries(books, since, until), since, until, lambda entry: source_of(entry["key"]))
    assert list(sources.items()) == list(of_sources.items())


@pytest.fixture(autouse=True, scope="module")
def small_seals() -> Iterator[None]:
    """So that an hour has many of them."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(sealer, "SEAL_LEAVES", 3)
        monkeypatch.setattr(sealer, "PAGE_LEAVES", 2)
        monkeypatch.setattr(seals, "ROLLUP_ROWS", 2)
        yield


# -- laws


@given(schedules(latest=timedelta(hours=5)), PERIODS)
def test_only_what_is_late_and_not_sealed_is_missing(schedule: Schedule, period: tuple[datetime, datetime]) -> None:
    assert_counted(schedule.play(), *period, countable)


@given(schedules(latest=timedelta(0)) | schedules(latest=GRACE).map(Schedule.without_early_runs), PERIODS)
def test_what_comes_in_time_is_counted_once_at_any_moment(
    schedule: Schedule, period: tuple[datetime, datetime]
) -> None:
    assert_counted(schedule.play(), *period)


@given(schedules(latest=timedelta(hours=5)), PERIODS)
def test_what_came_late_is_counted_once_the_next_seal_is_made(
    schedule: Schedule, period: tuple[datetime, datetime]
) -> None:
    books = schedule.play()
    books.seal(NOON + timedelta(hours=12))
    assert_counted(books, *period)


@given(schedules(latest=timedelta(hours=5)), MOMENTS, MOMENTS, MOMENTS)
def test_the_counts_of_a_period_are_those_of_its_parts(
    schedule: Schedule, one: datetime, other: datetime, third: datetime
) -> None:
    since, between, until = sorted([one, other, third])
    books = schedule.play()
    books.seal(NOON + timedelta(hours=12))
    parts = [*books.hours(since, between).values(), *books.hours(between, until).values()]
    assert total(books.hours(since, until).values()) == total(parts)


@given(*[MOMENTS] * 3, st.sets(st.integers(-4, 9)))
def test_every_moment_of_a_period_is_in_one_part_of_its_plan(
    since: datetime, until: datetime, closed: datetime, cut: set[int]
) -> None:
    parted = {NOON + timedelta(hours=hour) for hour in cut}
    plan = planned(since, until, closed=hour_of(closed), is_whole=lambda hour: hour not in parted)
    parts = sorted([*((hour, hour + HOUR) for hour in plan.hours), *plan.spans])
    assert all(start < end for start, end in parts)
    assert [start for start, _ in parts[1:]] == [end for _, end in parts[:-1]]
    assert (parts[0][0], parts[-1][1]) == (since, until) if since < until else not parts
    assert all(hour == hour_of(hour) and hour < closed and hour not in parted for hour in plan.hours)


@given(MOMENTS, st.integers(0, 999), st.integers(0, 999))
def test_no_span_is_shorter_than_the_journals_times(moment: datetime, one: int, other: int) -> None:
    since, until = (moment + timedelta(microseconds=count) for count in (one, other))
    assert planned(since, until, closed=None).spans == ()


# -- what is read for them


def day_of_books() -> Books:
    """An entry every ten minutes from NOON on for six hours, five of which are sealed."""
    books = Schedule(arrivals=[(minute, 0, 0) for minute in range(0, 360, 10)], runs=[(320, False)]).play()
    assert books.closed == NOON + timedelta(hours=5)
    return books


def test_closed_hours_are_not_read_in_the_journal() -> None:
    books = day_of_books()
    counted = books.hours(NOON, NOON + timedelta(hours=5))
    assert counted == {NOON + hour * HOUR: {"succeeded": 6, "bytes": 60, "records": 12} for hour in range(5)}
    assert books.asked == []


def test_the_journal_is_read_for_the_edges_and_the_open_hour() -> None:
    books = day_of_books()
    since, until = NOON + timedelta(minutes=15), NOON + timedelta(minutes=345)
    books.hours(since, until)
    assert books.asked == [(since, NOON + HOUR), (NOON + 5 * HOUR, until)]


def test_without_a_seal_the_whole_period_is_read_at_once() -> None:
    books = Schedule(arrivals=[(0, 0, 0), (200, 0, 0)], runs=[]).play()
    since, until = NOON, NOON + timedelta(minutes=230)
    assert [tally["succeeded"] for tally in books.hours(since, until).values()] == [1, 1]
    assert books.asked == [(since, until)]


def test_an_hour_that_was_sealed_early_is_counted_once() -> None:
    books = Schedule(arrivals=[(10, 0, 0), (40, 0, 0)], runs=[(30, True)]).play()
    assert [seal.closes for seal in books.chain] == [False]
    assert books.hours(NOON, NOON + HOUR)[NOON]["succeeded"] == 2
    books.seal(NOON + 2 * HOUR)
    assert [seal.closes for seal in books.chain] == [False, True]
    assert books.hours(NOON, NOON + HOUR)[NOON]["succeeded"] == 2


def test_a_late_entry_is_missing_until_it_is_sealed() -> None:
    books = day_of_books()
    books.journal.append(entry(NOON + timedelta(minutes=59)))
    assert books.hours(NOON, NOON + HOUR)[NOON]["succeeded"] == 6
    books.seal(NOON + 7 * HOUR)
    assert books.hours(NOON, NOON + HOUR)[NOON]["succeeded"] == 7


def test_an_old_period_is_counted_by_the_seals_of_a_day_and_no_more() -> None:
    books = Schedule(arrivals=[(0, 0, 0)], runs=[(60 * 24 * 90, False)]).play()
    read: list[Seal] = []

    class Watched(Books):
        def seals(self, bucket: str, **bounds: Any) -> Iterator[Seal]:
            for seal in super().seals(bucket, **bounds):
                read.append(seal)
                yield seal

    watched = Watched(**{name: getattr(books, name) for name in ("journal", "chain", "kept_pages", "kept_rollups")})
    assert watched.hours(NOON, NOON + HOUR)[NOON]["succeeded"] == 1
    assert len(books.chain) > 2_000
    assert len(read) == 1 + LOOK_BACK // HOUR


# -- a chain that cannot be counted on


@pytest.mark.parametrize("gone", range(10))
def test_counts_over_a_hole_in_the_chain_are_refused(gone: int) -> None:
    books = day_of_books()
    assert len(books.chain) == 10
    last = books.chain[-1]
    del books.chain[gone]
    books.last = lambda bucket: last  # type: ignore[method-assign] # noqa: ARG005 - the port's
    with pytest.raises(MalformedSealError, match=r"the seal of 2026-11-23T1\d:00:00.000Z, part [01], is missing"):
        books.hours(NOON, NOON + 5 * HOUR)


def test_counts_by_source_without_a_rollup_are_refused() -> None:
    books = day_of_books()
    books.kept_rollups.popitem()
    with pytest.raises(MalformedSealError, match=r"the roll-up [0-9a-f]{64} is missing"):
        by_source(books, books.between, BUCKET, since=NOON, until=NOON + 5 * HOUR)


def test_more_rollups_than_a_batch_are_all_read() -> None:
    books = Schedule(arrivals=[(hour * 60, 0, 0) for hour in range(250)], runs=[(60 * 251, False)]).play()
    counted = by_source(books, books.between, BUCKET, since=NOON, until=NOON + 250 * HOUR)
    assert counted == {"acme": {"succeeded": 250, "bytes": 2500, "records": 500}}


def test_groups_come_in_order() -> None:
    assert list(summed([("b", {"x": 1}), ("a", {"x": 2}), ("b", {"y": 3})]).items()) == [
        ("a", {"x": 2}),
        ("b", {"x": 1, "y": 3}),
    ]


def test_what_is_counted_by_time_and_by_source_is_one_reading_of_the_seals() -> None:
    books = Books()
    books.journal = [entry(NOON), entry(NOON + HOUR, key="globex/b.csv")]
    books.seal(NOON + 3 * HOUR)
    once = ReadOnce(books)
    since, until = NOON - HOUR, NOON + 2 * HOUR
    hours = by_time(once, books.between, BUCKET, since=since, until=until, group=hour_of)
    books.chain.clear()
    sources = by_source(once, books.between, BUCKET, since=since, until=until)
    assert total(sources.values()) == total(hours.values()) == {"succeeded": 2, "bytes": 20, "records": 4}
    assert books.asked == []
