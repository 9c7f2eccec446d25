"""Sealing: every entry of the journal in exactly one seal, the chain unbroken, whatever happens on the way."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol, cast
from unittest.mock import patch

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chalicelib.aws.seals import DynamoSeals
from chalicelib.receipts import Receipt, as_json, content_hash
from chalicelib.sealing import GRACE, LOOK_BACK, Anchor, NoAnchor, SealConflictError, Sealer, SealStore, sealer
from chalicelib.seals import (
    HOUR,
    PAGE_LEAVES,
    Leaf,
    MalformedSealError,
    Page,
    Seal,
    finished_hour,
    hour_of,
    rollups_of,
)
from chalicelib.uploads import entry_of
from infra.template import LOCAL
from tests import events
from tests.aws import World, simulated_aws
from tests.events import BUCKET
from tests.fakes import NOON
from tests.receipts import failure, mark, receipt

DUE = NOON + HOUR + GRACE
"""When the hour from noon on is due."""
MINUTE = timedelta(minutes=1)
LONG = timedelta(days=3)


class CrashError(Exception):
    """The process died."""


def nothing(_: str) -> None:
    pass


@dataclass
class FakeSeals(SealStore):
    """A journal and seals in memory; `step` is told of every call before it is carried out, and after a write."""

    journal: list[dict[str, Any]] = field(default_factory=list)
    chain: dict[tuple[str, int], Seal] = field(default_factory=dict)
    by_root: dict[str, Page] = field(default_factory=dict)
    by_hash: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    expiries: dict[str, int | None] = field(default_factory=dict)
    step: Callable[[str], None] = nothing

    def record(self, made: Receipt) -> None:
        self.journal.append(as_json(made) | {"identity": made.entry.identity})

    def last(self, bucket: str) -> Seal | None:
        self.step("last")
        return max((seal for (name, _), seal in self.chain.items() if name == bucket), key=_number, default=None)

    def seals(self, bucket: str, *, since: datetime | None = None, until: datetime | None = None) -> Iterator[Seal]:
        self.step("seals")
        found = (seal for (name, _), seal in self.chain.items() if name == bucket)
        wanted = [seal for seal in found if not since or seal.hour >= hour_of(since)]
        return iter(sorted((seal for seal in wanted if not until or seal.hour < until), key=_number))

    def pages(self, roots: Sequence[str]) -> Iterator[Page | None]:
        self.step("pages")
        return iter([self.by_root.get(root) for root in roots])

    def rollups(self, hashes: Sequence[str]) -> Iterator[Mapping[str, Any] | None]:
        return iter([self.by_hash.get(hash_) for hash_ in hashes])

    def first_hour(self, bucket: str) -> datetime | None:
        self.step("first_hour")
        return min((finished_hour(entry) for entry in self._of(bucket)), default=None)

    def count(self, bucket: str, hour: datetime) -> int:
        self.step("count")
        return sum(finished_hour(entry) == hour for entry in self._of(bucket))

    def entries(self, bucket: str, hour: datetime, until: datetime | None = None) -> Iterator[dict[str, Any]]:
        self.step("entries")
        end = min(until or hour + HOUR, hour + HOUR)
        found = (entry for entry in self._of(bucket) if finished_hour(entry) == hour)
        wanted = [entry for entry in found if datetime.fromisoformat(entry["finished_at"]) < end]
        return iter(sorted(wanted, key=lambda entry: str(entry["finished_at"])))

    def put_page(self, page: Page, *, expires_at: int | None = None) -> bool:
        self.expiries.setdefault(page.root, expires_at)
        return self._put(self.by_root, page.root, page)

    def put_rollup(self, rollup: Mapping[str, Any]) -> bool:
        return self._put(self.by_hash, content_hash(rollup), rollup)

    def put_seal(self, seal: Seal) -> bool:
        return self._put(self.chain, (seal.bucket, seal.number), seal)

    def _of(self, bucket: str) -> list[dict[str, Any]]:
        return [entry for entry in self.journal if entry["bucket"] == bucket]

    def _put(self, items: dict[Any, Any], key: object, value: object) -> bool:
        self.step("put")
        is_new = key not in items
        items.setdefault(key, value)
        self.step("written")
        return is_new


@dataclass
class FakeAnchor(Anchor):
    """Keeps copies in memory."""

    copies: dict[tuple[str, int], Mapping[str, Any]] = field(default_factory=dict)
    step: Callable[[str], None] = nothing

    def sign(self, seal: Seal) -> Mapping[str, str]:
        self.step("sign")
        return {"kind": "fake", "signature": seal.seal_hash[::-1]}

    def keep(self, seal: Seal, pages: Iterable[Page]) -> None:
        copy = {"seal": seal.as_json(), "pages": [page.as_json() for page in pages]}
        self.step("keep")
        if self.copies.setdefault((seal.bucket, seal.number), copy) != copy:
            raise SealConflictError("another one is kept")
        self.step("kept")

    def vouches_for(self, seal: Seal) -> bool:
        held = self.holds(seal.bucket, seal.number)
        if held and held["seal"] != seal.as_json():
            raise SealConflictError("the ledger's seal is not the one its anchor holds")
        return held is not None

    def holds(self, bucket: str, number: int) -> Mapping[str, Any] | None:
        self.step("holds")
        return self.copies.get((bucket, number))

    def kept(self, bucket: str, *, since: int | None = None) -> Iterator[tuple[int, Mapping[str, Any]]]:
        self.step("kept")
        found = sorted((number, copy) for (name, number), copy in self.copies.items() if name == bucket)
        return iter([(number, copy) for number, copy in found if since is None or number >= since])


class Ledger(Protocol):
    """A store of seals, and how receipts come into its journal."""

    def record(self, made: Receipt) -> object: ...


@dataclass
class Case:
    """A store, its journal, and sealing them in few words."""

    store: SealStore
    ledger: Ledger
    anchor: Anchor = field(default_factory=FakeAnchor)
    retention_days: int | None = None
    adopt: str | None = None

    def record(self, *moments: datetime, **more: Any) -> list[str]:
        """Receipts finished at these moments; their identities."""
        made = [receipt(entry_of(events.record(**more)), at=moment) for moment in moments]
        for one in made:
            self.ledger.record(one)
        return [one.entry.identity for one in made]

    def seal(
        self, now: datetime = DUE, *, early: bool = False, most: int | None = None, adopt: str | None = None
    ) -> list[Seal]:
        """What one run makes; one with `most` runs out of time after so many."""
        made: list[Seal] = []
        mine = Sealer(store=self.store, anchor=self.anchor, retention_days=self.retention_days)
        is_over, adopt = lambda: len(made) == most, adopt or self.adopt
        for seal in mine.seal_due(BUCKET, now=now, out_of_time=is_over, early=early, adopt=adopt):
            made.append(seal)
        return made

    def sealed(self) -> list[str]:
        """The identities that the chain covers, in its order."""
        return [leaf.identity for leaf in leaves_of(self.store)]

    def check(self) -> None:
        check(self.store, self.anchor)


def _number(seal: Seal) -> int:
    return seal.number


def leaves_of(store: SealStore) -> list[Leaf]:
    lines = [line for seal in store.seals(BUCKET) for line in seal.pages]
    pages = store.pages([line.root for line in lines])
    return [leaf for page in pages if page for leaf in page.leaves]


def check(store: SealStore, anchor: Anchor) -> None:
    """The chain is unbroken, everything it speaks of is there, counted and kept, and nothing is sealed twice."""
    seals = list(store.seals(BUCKET))
    assert [seal.previous for seal in seals] == [None, *(seal.seal_hash for seal in seals)][: len(seals)]
    assert [(seal.hour, seal.part) for seal in seals[1:]] == [seal.next_place for seal in seals[:-1]]
    begun_at = next((seal.number for seal in seals if seal.adopts), 0)
    for seal in seals:
        pages = list(store.pages([line.root for line in seal.pages]))
        assert [page.line for page in pages if page] == list(seal.pages)
        assert all(page and 1 <= len(page.leaves) <= PAGE_LEAVES for page in pages)
        assert seal.receipts <= sealer.SEAL_LEAVES
        check_tallies(store, seal)
        if isinstance(anchor, FakeAnchor) and seal.number >= begun_at:
            expected = {"seal": seal.as_json(), "pages": [page.as_json() for page in pages if page]}
            assert anchor.holds(BUCKET, seal.number) == expected
    names = [(leaf.identity, leaf.inspection) for leaf in leaves_of(store)]
    assert len(set(names)) == len(names)


def check_tallies(store: SealStore, seal: Seal) -> None:
    rows = [row for rollup in store.rollups(seal.rollups) if rollup for row in rollup["tallies"]]
    for hour, tally in seal.tallies.items():
        of_hour = [row for row in rows if datetime.fromisoformat(row["hour"]) == hour]
        assert sum((Counter(_counts(row)) for row in of_hour), Counter[str]()) == Counter(tally)
    entries = {hour: tally["succeeded"] for hour, tally in seal.tallies.items()}
    lines = Counter[datetime]()
    for line in seal.pages:
        lines[line.hour] += line.receipts
    assert entries == lines


def _counts(row: Mapping[str, Any]) -> dict[str, int]:
    return {name: count for name, count in row.items() if name not in {"hour", "source"}}


@pytest.fixture(params=["fake", "dynamodb"])
def case(request: pytest.FixtureRequest) -> Case:
    if request.param == "fake":
        return fake_case()
    world: World = request.getfixturevalue("world")
    return Case(store=DynamoSeals(world.dynamodb, LOCAL.table), ledger=world.ledger)


def fake_case() -> Case:
    store = FakeSeals()
    return Case(store=store, ledger=store)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with simulated_aws(monkeypatch) as made:
        yield made


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five receipts in a seal, two in a page."""
    monkeypatch.setattr(sealer, "SEAL_LEAVES", 5)
    monkeypatch.setattr(sealer, "PAGE_LEAVES", 2)


# -- the store's contract


def a_seal(hour: datetime = NOON, part: int = 0, **more: Any) -> Seal:
    members: dict[str, Any] = {"bucket": BUCKET, "hour": hour, "part": part, "closes": True, "sealed_at": DUE}
    return Seal(**members | {"pages": (), "tallies": {}, "rollups": ()} | more)


def a_page(number: int) -> Page:
    return Page(bucket=BUCKET, hour=NOON, leaves=(Leaf(f"identity {number}", 1, f"{number:064x}"),))


def test_a_seals_place_is_taken_once(case: Case) -> None:
    first = a_seal(anchor={"kind": "kms", "signature": "x"})
    assert case.store.put_seal(first)
    assert not case.store.put_seal(replace(first, closes=False))
    assert case.store.last(BUCKET) == first


def test_what_is_named_by_its_content_can_be_written_again(case: Case) -> None:
    (rollup,) = rollups_of(BUCKET, {(NOON, "sales"): {"succeeded": 1}})
    assert [case.store.put_page(a_page(1)) for _ in range(2)] == [True, False]
    assert [case.store.put_rollup(rollup) for _ in range(2)] == [True, False]


def test_the_last_seal_is_that_of_the_last_hour_and_part(case: Case) -> None:
    assert case.store.last(BUCKET) is None
    for hour, part in ((NOON + HOUR, 0), (NOON, 9), (NOON + HOUR, 10), (NOON + HOUR, 2)):
        case.store.put_seal(a_seal(hour, part))
    case.store.put_seal(a_seal(NOON + 9 * HOUR, bucket="another"))
    assert case.store.last(BUCKET) == a_seal(NOON + HOUR, 10)


def test_a_chain_is_read_in_order_between_two_moments(case: Case) -> None:
    chain = [a_seal(NOON + ago * HOUR, part) for ago in range(4) for part in range(2)]
    for seal in reversed(chain):
        case.store.put_seal(seal)
    half_past_one = NOON + 90 * MINUTE
    assert list(case.store.seals(BUCKET)) == chain
    assert list(case.store.seals(BUCKET, since=half_past_one)) == chain[2:]
    assert list(case.store.seals(BUCKET, until=half_past_one)) == chain[:4]
    assert list(case.store.seals(BUCKET, since=NOON + HOUR, until=NOON + 3 * HOUR)) == chain[2:6]


def test_pages_and_rollups_come_in_the_order_they_are_asked_for(case: Case) -> None:
    made = [a_page(number) for number in range(130)]
    tallies = [{(NOON, f"source {number}"): {"succeeded": 1}} for number in range(3)]
    rollups = [rollup for tally in tallies for rollup in rollups_of(BUCKET, tally)]
    for page in made[1:]:
        case.store.put_page(page)
    for rollup in rollups[1:]:
        case.store.put_rollup(rollup)
    asked = [*reversed(made), made[5]]
    assert list(case.store.pages([page.root for page in asked])) == [*reversed(made[1:]), None, made[5]]
    hashes = [content_hash(rollup) for rollup in [*rollups, rollups[1]]]
    assert list(case.store.rollups(hashes)) == [None, rollups[1], rollups[2], rollups[1]]


def test_the_journals_first_hour_is_that_of_its_oldest_entry(case: Case) -> None:
    assert case.store.first_hour(BUCKET) is None
    case.record(NOON + 30 * MINUTE, NOON - MINUTE, NOON + LONG)
    case.record(NOON - LONG, bucket="another")
    assert case.store.first_hour(BUCKET) == NOON - HOUR


def test_an_hours_entries_are_those_finished_in_it_by_time(case: Case) -> None:
    instant = timedelta(milliseconds=1)
    case.record(NOON - instant, NOON + HOUR)
    case.record(NOON, bucket="another")
    second, last, first = case.record(NOON + 30 * MINUTE, NOON + HOUR - instant, NOON)
    found = list(case.store.entries(BUCKET, NOON))
    assert [entry["identity"] for entry in found] == [first, second, last]
    assert case.store.count(BUCKET, NOON) == 3
    assert [entry["identity"] for entry in case.store.entries(BUCKET, NOON, NOON + 30 * MINUTE)] == [first]
    assert list(case.store.entries(BUCKET, NOON, NOON)) == []


def test_an_entry_of_the_journal_has_what_a_seal_and_its_counts_need(case: Case) -> None:
    made = receipt()
    failed = receipt(report=failure(), inspection=2)
    case.ledger.record(made)
    case.ledger.record(failed._replace(inspection=1))
    known = {entry["identity"]: entry for entry in case.store.entries(BUCKET, NOON)}
    for one in (made, failed._replace(inspection=1)):
        entry, content = known[one.entry.identity], as_json(one)
        for name in ("inspection", "content_hash", "kind", "status", "cause", "bytes", "records", "key", "finished_at"):
            assert entry.get(name) == content.get(name)


# -- what is sealed, and when


def test_nothing_is_sealed_of_an_empty_ledger(case: Case) -> None:
    assert case.seal() == []
    assert case.seal(early=True) == []


def test_an_hour_is_sealed_once_its_time_of_grace_is_over(case: Case) -> None:
    expected = case.record(NOON, NOON + 10 * MINUTE, NOON + 59 * MINUTE)
    assert case.seal(DUE - MINUTE) == []
    (seal,) = case.seal()
    assert (seal.hour, seal.part, seal.closes, seal.receipts, seal.late) == (NOON, 0, True, 3, 0)
    assert seal.tallies == {NOON: {"succeeded": 3, "bytes": 24, "records": 3}}
    assert case.sealed() == expected
    assert case.seal() == []
    case.check()


def test_hours_without_entries_are_sealed_too(case: Case) -> None:
    case.record(NOON)
    case.seal(DUE)
    case.record(NOON + 3 * HOUR)
    made = case.seal(DUE + 3 * HOUR)
    assert [(seal.hour, seal.receipts, seal.closes) for seal in made] == [
        (NOON + HOUR, 0, True),
        (NOON + 2 * HOUR, 0, True),
        (NOON + 3 * HOUR, 1, True),
    ]
    case.check()


@pytest.mark.usefixtures("small")
def test_a_full_hour_takes_several_parts_and_the_last_one_closes(case: Case) -> None:
    expected = case.record(*(NOON + number * MINUTE for number in range(12)))
    made = case.seal()
    assert [(seal.part, seal.closes, seal.receipts, len(seal.pages)) for seal in made] == [
        (0, False, 5, 3),
        (1, False, 5, 3),
        (2, True, 2, 1),
    ]
    assert case.sealed() == expected
    case.check()


@pytest.mark.usefixtures("small")
def test_a_part_that_is_full_and_leaves_nothing_closes(case: Case) -> None:
    case.record(*(NOON + number * MINUTE for number in range(10)))
    assert [(seal.part, seal.closes) for seal in case.seal()] == [(0, False), (1, True)]


@pytest.mark.usefixtures("small")
def test_what_a_run_leaves_out_of_time_the_next_takes_up(case: Case) -> None:
    expected = case.record(*(NOON + number * MINUTE for number in range(12)))
    assert [seal.part for seal in case.seal(most=1)] == [0]
    assert case.seal(most=0) == []
    assert [seal.part for seal in case.seal(most=1)] == [1]
    assert [seal.part for seal in case.seal()] == [2]
    assert case.sealed() == expected
    case.check()


def test_entries_of_one_moment_are_in_the_order_of_their_names(case: Case) -> None:
    made = case.record(*[NOON] * 20)
    case.seal()
    assert case.sealed() == sorted(made)


def test_later_inspections_and_deletions_are_sealed_as_well(case: Case) -> None:
    upload = receipt(report=failure())
    again = upload._replace(inspection=2, finished_at=NOON + MINUTE)
    gone = receipt(entry_of(events.deletion(version_id=upload.entry.version_id)), report=None, at=NOON + 2 * MINUTE)
    for one in (upload, again, gone):
        case.ledger.record(one)
    (seal,) = case.seal()
    assert seal.tallies == {NOON: {"failed-unavailable": 1, "again-failed-unavailable": 1, "deleted": 1}}
    assert [(leaf.identity, leaf.inspection) for leaf in leaves_of(case.store)] == [
        (upload.entry.identity, 1),
        (upload.entry.identity, 2),
        (gone.entry.identity, 1),
    ]


def test_counts_are_kept_by_hour_and_source(case: Case) -> None:
    case.record(NOON, NOON + MINUTE, key="sales/a.csv")
    case.record(NOON, key="top.csv")
    (seal,) = case.seal()
    (rollup,) = case.store.rollups(seal.rollups)
    assert rollup == {
        "kind": "rollup",
        "bucket": BUCKET,
        "tallies": [
            {"hour": "2026-11-23T12:00:00.000Z", "source": "/", "succeeded": 1, "bytes": 8, "records": 1},
            {"hour": "2026-11-23T12:00:00.000Z", "source": "sales", "succeeded": 2, "bytes": 16, "records": 2},
        ],
    }


def test_another_buckets_chain_is_its_own(case: Case) -> None:
    case.record(NOON)
    (theirs,) = case.record(NOON, bucket="another")
    case.seal()
    theirs_too = Sealer(store=case.store, anchor=case.anchor)
    (seal,) = theirs_too.seal_due("another", now=DUE, out_of_time=lambda: False)
    assert (seal.previous, seal.receipts) == (None, 1)
    assert theirs not in case.sealed()


# -- late entries


def test_an_entry_that_came_late_is_in_the_next_hours_seal_before_its_own(case: Case) -> None:
    case.record(NOON)
    case.seal()
    (late,) = case.record(NOON + MINUTE)
    (punctual,) = case.record(NOON + HOUR)
    (seal,) = case.seal(DUE + HOUR)
    assert (seal.receipts, seal.late) == (2, 1)
    assert [line.hour for line in seal.pages] == [NOON, NOON + HOUR]
    assert set(seal.tallies) == {NOON, NOON + HOUR}
    assert case.sealed()[1:] == [late, punctual]
    case.check()


@pytest.mark.usefixtures("small")
def test_late_entries_are_sealed_by_hour_and_fill_parts_like_others(case: Case) -> None:
    case.record(NOON)
    case.seal(DUE + 3 * HOUR)
    late = [case.record(*(NOON + ago * HOUR + MINUTE for _ in range(4))) for ago in (2, 0)]
    made = case.seal(DUE + 4 * HOUR)
    assert [(seal.part, seal.receipts, seal.late, seal.closes) for seal in made] == [(0, 5, 5, False), (1, 3, 3, True)]
    assert case.sealed()[1:] == sorted(late[1]) + sorted(late[0])
    case.check()


def test_late_entries_are_looked_for_in_all_of_the_day_before(case: Case) -> None:
    case.record(NOON)
    case.seal(DUE + LOOK_BACK)
    late = case.record(*(NOON + ago * HOUR for ago in (1, 24)))
    assert case.seal(DUE + LOOK_BACK) == []
    case.seal(DUE + LOOK_BACK + HOUR)
    assert case.sealed()[1:] == late
    case.check()


def test_a_removed_entry_makes_nothing_late(world: World) -> None:
    case = Case(store=DynamoSeals(world.dynamodb, LOCAL.table), ledger=world.ledger)
    gone, _ = case.record(NOON, NOON + MINUTE)
    case.seal()
    world.dynamodb.delete_item(TableName=LOCAL.table, Key={"pk": {"S": gone}, "sk": {"N": "1"}})
    (seal,) = case.seal(DUE + HOUR)
    assert (seal.receipts, seal.late) == (0, 0)


def test_a_page_that_was_removed_stops_sealing_until_it_is_back() -> None:
    """What it covers would be sealed a second time, and counted as often once the page is put back."""
    case = fake_case()
    expected = case.record(NOON, NOON + MINUTE)
    case.seal()
    expected += case.record(NOON + 2 * MINUTE)
    store = cast(FakeSeals, case.store)
    pages = dict(store.by_root)
    store.by_root.clear()
    with pytest.raises(SealConflictError, match=rf"^the page {next(iter(pages))}, .* is gone: nothing is sealed until"):
        case.seal(DUE + HOUR)
    store.by_root.update(pages)
    case.seal(DUE + HOUR)
    assert case.sealed() == expected
    case.check()


def test_a_page_whose_receipts_are_called_otherwise_stops_sealing() -> None:
    """It has the right root."""
    case = fake_case()
    case.record(NOON)
    case.seal()
    case.record(NOON + 2 * MINUTE)
    store = cast(FakeSeals, case.store)
    ((root, page),) = store.by_root.items()
    store.by_root[root] = replace(page, leaves=(replace(page.leaves[0], identity="another"),))
    with pytest.raises(SealConflictError, match="is not as it was sealed"):
        case.seal(DUE + HOUR)


def test_a_page_whose_time_is_over_is_not_missed() -> None:
    """Sealing has stood still for longer than receipts are kept."""
    case = fake_case()
    case.retention_days = 30
    case.record(NOON)
    case.seal()
    cast(FakeSeals, case.store).by_root.clear()
    (late,) = case.record(NOON + MINUTE)
    case.seal(NOON + timedelta(days=60), most=1)
    assert late in case.sealed()


@pytest.mark.parametrize("gone", [0, 1, 2])
def test_a_seal_that_was_removed_from_the_chain_stops_sealing(gone: int) -> None:
    """What it covers would be taken for late."""
    case = fake_case()
    case.record(NOON)
    made = case.seal(DUE + 3 * HOUR)
    chain = cast(FakeSeals, case.store).chain
    del chain[BUCKET, made[gone].number]
    with pytest.raises(SealConflictError, match="is gone or was changed"):
        case.seal(DUE + 4 * HOUR)
    chain[BUCKET, made[gone].number] = made[gone]
    assert len(case.seal(DUE + 4 * HOUR)) == 1


# -- early seals


def test_an_early_seal_covers_the_open_hour_so_far_and_leaves_it_open(case: Case) -> None:
    first = case.record(NOON, NOON + 5 * MINUTE)
    (early,) = case.seal(NOON + 10 * MINUTE, early=True)
    assert (early.hour, early.part, early.closes, early.receipts) == (NOON, 0, False, 2)
    assert case.seal(NOON + 20 * MINUTE, early=True) == []
    second = case.record(NOON + 15 * MINUTE)
    (again,) = case.seal(NOON + 20 * MINUTE, early=True)
    assert (again.part, again.closes) == (1, False)
    third = case.record(NOON + 30 * MINUTE)
    (last,) = case.seal()
    assert (last.hour, last.part, last.closes, last.late) == (NOON, 2, True, 0)
    assert case.sealed() == first + second + third
    case.check()


def test_an_early_seal_covers_nothing_that_another_clock_puts_after_it(case: Case) -> None:
    before, _ = case.record(NOON, NOON + 10 * MINUTE)
    case.seal(NOON + 10 * MINUTE, early=True)
    assert case.sealed() == [before]


def test_an_early_seal_closes_the_hours_that_have_ended(case: Case) -> None:
    """Their time of grace is not over: what comes late is covered later, as ever."""
    first = case.record(NOON, NOON + HOUR)
    made = case.seal(NOON + HOUR + 5 * MINUTE, early=True)
    assert [(seal.hour, seal.closes) for seal in made] == [(NOON, True), (NOON + HOUR, False)]
    late = case.record(NOON + 59 * MINUTE)
    (seal,) = case.seal(DUE + HOUR)
    assert (seal.hour, seal.part, seal.late) == (NOON + HOUR, 1, 1)
    assert case.sealed() == first + late
    case.check()


def test_an_hour_sealed_early_is_closed_though_nothing_came_since(case: Case) -> None:
    case.record(NOON)
    case.seal(NOON + MINUTE, early=True)
    (seal,) = case.seal()
    assert (seal.part, seal.closes, seal.receipts) == (1, True, 0)


def test_early_seals_leave_parts_of_the_hour_for_those_that_are_due(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealer, "EARLY_PARTS", 3)
    case = fake_case()
    made = []
    for minute in range(6):
        case.record(NOON + minute * MINUTE)
        made += case.seal(NOON + (minute + 1) * MINUTE, early=True)
    assert [seal.part for seal in made] == [0, 1, 2]
    (last,) = case.seal()
    assert (last.part, last.receipts) == (3, 3)
    case.check()


# -- expiry


def test_pages_outlive_the_receipts_they_name_and_seals_never_expire(world: World) -> None:
    store = DynamoSeals(world.dynamodb, LOCAL.table)
    case = Case(store=store, ledger=world.ledger, retention_days=365)
    case.record(NOON)
    (seal,) = case.seal()
    assert seal.retention_days == 365
    items = world.dynamodb.scan(TableName=LOCAL.table)["Items"]
    expiries = {item["kind"]["S"]: item.get("expires_at", {}).get("N") for item in items}
    expected = int((NOON + timedelta(days=365 + 30)).timestamp())
    assert expiries == {"upload": None, "page": str(expected), "rollup": None, "seal": None}


def test_without_a_retention_nothing_expires() -> None:
    case = fake_case()
    case.record(NOON)
    (seal,) = case.seal()
    assert seal.retention_days is None
    assert list(cast(FakeSeals, case.store).expiries.values()) == [None]


# -- the anchor


def test_a_seal_bears_its_signature_and_is_kept_with_its_pages(case: Case) -> None:
    case.record(NOON)
    (seal,) = case.seal()
    assert seal.anchor == {"kind": "fake", "signature": seal.seal_hash[::-1]}
    assert case.store.last(BUCKET) == seal
    case.check()


def test_without_an_anchor_there_is_the_chain(case: Case) -> None:
    case.anchor = NoAnchor()
    case.record(NOON, NOON + HOUR)
    first, second = case.seal(DUE + HOUR)
    assert (first.anchor, second.previous) == (None, first.seal_hash)


@pytest.mark.parametrize("left", [0, 1])
def test_a_removed_end_of_the_chain_stops_sealing(left: int) -> None:
    case = fake_case()
    case.record(NOON, NOON + HOUR, NOON + 2 * HOUR)
    case.seal(DUE + 2 * HOUR)
    store = cast(FakeSeals, case.store)
    for name in sorted(store.chain)[left:]:
        del store.chain[name]
    with pytest.raises(SealConflictError, match="the anchor holds seals of"):
        case.seal(DUE + 3 * HOUR)


def test_a_last_seal_that_only_the_anchor_holds_is_put_into_the_ledger() -> None:
    """A sealing that was cut off leaves it so; whoever removes it has it back."""
    case = fake_case()
    case.record(NOON, NOON + HOUR)
    made = case.seal(DUE + HOUR)
    del cast(FakeSeals, case.store).chain[BUCKET, made[-1].number]
    assert case.seal(DUE + HOUR) == made[-1:]
    case.check()


def test_a_first_seal_that_only_the_anchor_holds_is_put_into_the_ledger() -> None:
    case = fake_case()
    case.record(NOON)
    made = case.seal()
    cast(FakeSeals, case.store).chain.clear()
    assert case.seal() == made
    case.check()


def test_an_emptied_ledger_stops_sealing() -> None:
    case = fake_case()
    case.record(NOON)
    case.seal()
    case.store = case.ledger = FakeSeals()
    with pytest.raises(SealConflictError, match=r"^the page \w+, .* is gone"):
        case.seal()


@pytest.mark.parametrize("other", [{"bucket": "another"}, {"previous": "0" * 64}, {"part": 1}])
def test_what_the_anchor_holds_in_the_next_seals_place_stops_sealing_if_it_does_not_follow(other: Any) -> None:
    case = fake_case()
    case.record(NOON)
    (seal,) = case.seal()
    following = a_seal(NOON + HOUR, previous=seal.seal_hash)
    copy = {"seal": replace(following, **other).as_json(), "pages": []}
    cast(FakeAnchor, case.anchor).copies[BUCKET, following.number] = copy
    with pytest.raises(SealConflictError, match=f"where the ledger has none after {seal.number}"):
        case.seal(DUE + HOUR)


@pytest.mark.parametrize("early", [False, True])
def test_a_last_seal_that_the_anchor_does_not_know_stops_sealing_and_is_never_anchored(early: bool) -> None:
    case = fake_case()
    case.record(NOON)
    (seal,) = case.seal()
    forged = a_seal(NOON + HOUR, previous=seal.seal_hash)
    case.store.put_seal(forged)
    sentence = (
        f"^the anchor does not know the last seal of {BUCKET}: .*run `recibo.py seal --adopt {forged.seal_hash}`; .*"
    )
    with pytest.raises(SealConflictError, match=sentence):
        case.seal(DUE + 2 * HOUR, early=early)
    assert list(cast(FakeAnchor, case.anchor).copies) == [(BUCKET, seal.number)]


# -- adopting


def test_a_chain_from_before_its_anchor_is_adopted_by_its_next_seal_alone(case: Case) -> None:
    case.record(NOON)
    anchor, case.anchor = case.anchor, NoAnchor()
    (before,) = case.seal()
    case.anchor = anchor
    with pytest.raises(SealConflictError, match=before.seal_hash):
        case.seal(DUE + 20 * MINUTE, early=True, adopt="0" * 64)
    made = case.seal(DUE + 20 * MINUTE, early=True, adopt=before.seal_hash)
    assert [(seal.adopts, seal.receipts) for seal in made] == [(before.seal_hash, 0)], "or nobody adopts it"
    assert [seal.adopts for seal in case.seal(DUE + 2 * HOUR)] == [None, None]
    assert case.seal(DUE + 2 * HOUR, adopt=before.seal_hash) == []


def test_a_chain_that_was_cut_off_before_its_anchor_began_is_not_adopted_again() -> None:
    case = fake_case()
    case.record(NOON)
    anchor, case.anchor = case.anchor, NoAnchor()
    first, before = case.seal(DUE + HOUR)
    case.anchor = anchor
    case.seal(DUE + 2 * HOUR, adopt=before.seal_hash)
    chain = cast(FakeSeals, case.store).chain
    for seal in [seal for seal in chain.values() if seal.number > first.number]:
        del chain[BUCKET, seal.number]
    with pytest.raises(SealConflictError, match="the anchor holds seals of"):
        case.seal(DUE + 3 * HOUR, adopt=first.seal_hash)


def test_a_replaced_last_seal_stops_sealing() -> None:
    case = fake_case()
    case.record(NOON)
    (seal,) = case.seal()
    cast(FakeSeals, case.store).chain[BUCKET, seal.number] = replace(seal, sealed_at=DUE + MINUTE)
    with pytest.raises(SealConflictError, match="is not the one its anchor holds"):
        case.seal(DUE + HOUR)


def test_a_seal_whose_answer_was_lost_is_taken_for_what_it_is() -> None:
    """The client tries again by itself, and finds the place taken by its own first try."""
    case = fake_case()
    case.record(NOON)
    store = cast(FakeSeals, case.store)
    put = store.put_seal
    with patch.object(store, "put_seal", lambda seal: put(seal) and False):
        made = case.seal()
    assert [seal.receipts for seal in made] == [1]
    case.check()


# -- whatever happens on the way


def shrunk() -> ExitStack:
    """As the fixture `small`, for as long as the block lasts."""
    stack = ExitStack()
    stack.enter_context(patch.object(sealer, "SEAL_LEAVES", 5))
    stack.enter_context(patch.object(sealer, "PAGE_LEAVES", 2))
    return stack


MINUTES = st.lists(st.integers(0, 4 * 60), min_size=1, max_size=25)
"""When entries are finished, in minutes after noon."""


@dataclass
class Fuse:
    """Lets the process die at one of its steps."""

    left: int

    def step(self, _: str) -> None:
        self.left -= 1
        if self.left == 0:
            raise CrashError


def adopting_case() -> Case:
    """A case whose anchor begins after a first seal, which is to be adopted."""
    case = fake_case()
    case.record(NOON - HOUR)
    anchor, case.anchor = case.anchor, NoAnchor()
    (before,) = case.seal(NOON + GRACE)
    case.anchor, case.adopt = anchor, before.seal_hash
    return case


CASES = pytest.mark.parametrize("new_case", [fake_case, adopting_case])


def finished_run(case: Case, now: datetime, *, early: bool = False) -> None:
    case.seal(now, early=early)
    case.check()
    assert sorted(case.sealed()) == sorted(entry["identity"] for entry in cast(FakeSeals, case.store).journal)


@given(MINUTES, st.lists(st.integers(1, 60), max_size=4))
def test_a_crash_at_any_step_changes_nothing_that_the_next_run_does_not_mend(
    minutes: list[int], fuses: list[int]
) -> None:
    with shrunk():
        case = fake_case()
        case.record(*(NOON + minute * MINUTE for minute in minutes))
        store, anchor = cast(FakeSeals, case.store), cast(FakeAnchor, case.anchor)
        for left in fuses:
            fuse = Fuse(left)
            store.step = anchor.step = fuse.step
            with suppress(CrashError):
                case.seal(NOON + 6 * HOUR)
        store.step = anchor.step = nothing
        finished_run(case, NOON + 6 * HOUR)


@CASES
def test_a_crash_after_each_single_step_is_mended(new_case: Callable[[], Case]) -> None:
    """Every step of one run, one after the other, none left to chance."""
    crashes = 0
    with shrunk():
        while True:
            case = new_case()
            case.record(*(NOON + number * 20 * MINUTE for number in range(9)))
            store, anchor = cast(FakeSeals, case.store), cast(FakeAnchor, case.anchor)
            store.step = anchor.step = Fuse(crashes + 1).step
            try:
                case.seal(DUE + 2 * HOUR)
                break
            except CrashError:
                crashes += 1
            store.step = anchor.step = nothing
            finished_run(case, DUE + 2 * HOUR)
    assert crashes > 40


@given(st.integers(1, 200), st.booleans())
def test_a_sealing_that_was_cut_off_anywhere_leaves_its_anchor_one_seal_ahead_at_most(left: int, is_new: bool) -> None:
    with shrunk():
        case = adopting_case() if is_new else fake_case()
        case.record(*(NOON + number * 20 * MINUTE for number in range(9)))
        store, anchor = cast(FakeSeals, case.store), cast(FakeAnchor, case.anchor)
        store.step = anchor.step = Fuse(left).step
        with suppress(CrashError):
            case.seal(DUE + 2 * HOUR)
        store.step = anchor.step = nothing
        begun_at = min(anchor.copies, default=(BUCKET, 1 << 60))
        known = {place for place in store.chain if place >= begun_at}
        assert known <= anchor.copies.keys()
        assert len(anchor.copies.keys() - known) <= 1


STEPS = st.lists(
    st.tuples(
        st.integers(0, 130),  # minutes that go by
        st.lists(st.integers(0, 20 * 60), max_size=4),  # entries that appear, and how many minutes after they finished
        st.sampled_from(["due", "early", None]),
        st.booleans(),  # whether the run is cut short
    ),
    max_size=12,
)


@given(STEPS)
def test_whenever_entries_appear_each_is_sealed_once(
    steps: list[tuple[int, list[int], str | None, bool]],
) -> None:
    with shrunk():
        case, now = fake_case(), NOON
        for minutes, ages, run, is_short in steps:
            now += minutes * MINUTE
            case.record(*(max(NOON, now - age * MINUTE) for age in ages))
            if run:
                case.seal(now, early=run == "early", most=1 if is_short else None)
                case.check()
        finished_run(case, now + 2 * HOUR)


@given(MINUTES, st.data())
def test_an_entry_that_comes_twice_while_paging_is_sealed_once(minutes: list[int], data: st.DataObject) -> None:
    with shrunk():
        case = fake_case()
        expected = case.record(*(NOON + minute * MINUTE for minute in minutes))
        store = cast(FakeSeals, case.store)
        twice = data.draw(st.lists(st.sampled_from(store.journal)))
        with patch.object(store, "journal", store.journal + twice):
            case.seal(NOON + 6 * HOUR)
        case.check()
        assert sorted(case.sealed()) == sorted(expected)


@dataclass
class Baton:
    """Lets one of two threads run at a time; at each step it goes to whom the schedule says."""

    schedule: Iterator[int]
    holder: int = 0
    done: set[int] = field(default_factory=set)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def step(self, me: int) -> None:
        with self.changed:
            following = next(self.schedule, me)
            self.holder = me if following in self.done else following
            self.changed.notify_all()
            self._wait(me)

    def start(self, me: int) -> None:
        with self.changed:
            self._wait(me)

    def finish(self, me: int) -> None:
        with self.changed:
            self.done.add(me)
            self.holder = 1 - me
            self.changed.notify_all()

    def _wait(self, me: int) -> None:
        assert self.changed.wait_for(lambda: self.holder == me, timeout=30)


def run_together(case: Case, schedule: list[int], now: Sequence[datetime]) -> list[Any]:
    """Two sealers at once, taking steps as the schedule says; what each made or raised."""
    baton, outcomes = Baton(iter(schedule)), list[Any]([None, None])
    store, anchor = cast(FakeSeals, case.store), cast(FakeAnchor, case.anchor)

    def run(me: int) -> None:
        baton.start(me)
        mine = replace(store, step=lambda _: baton.step(me)), replace(anchor, step=lambda _: baton.step(me))
        try:
            outcomes[me] = list(
                Sealer(store=mine[0], anchor=mine[1]).seal_due(
                    BUCKET, now=now[me], out_of_time=lambda: False, adopt=case.adopt
                )
            )
        except Exception as error:
            outcomes[me] = error
        finally:
            baton.finish(me)

    threads = [threading.Thread(target=run, args=(me,)) for me in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def overtaking(turns: Iterable[int]) -> list[int]:
    """The schedule of two that take turns, of so many steps each."""
    return [number % 2 for number, steps in enumerate(turns) for _ in range(steps)]


def check_two_at_once(
    minutes: Sequence[int], schedule: list[int], apart: timedelta, new_case: Callable[[], Case] = fake_case
) -> None:
    with shrunk():
        case = new_case()
        case.record(*(NOON + minute * MINUTE for minute in minutes))
        now = [NOON + 6 * HOUR, NOON + 6 * HOUR + apart]
        outcomes = run_together(case, schedule, now)
        made = [seal for outcome in outcomes for seal in outcome]
        hashes = {seal.seal_hash for seal in cast(FakeSeals, case.store).chain.values()}
        assert {seal.seal_hash for seal in made} | ({case.adopt} if case.adopt else set()) == hashes
        finished_run(case, now[1])


@settings(max_examples=200)
@given(MINUTES, st.lists(st.integers(1, 60), max_size=20), st.sampled_from([0, 1, 60]), st.booleans())
@example(minutes=[0], turns=[2, 39, 1], apart=0, is_new=True)
def test_two_sealers_at_once_make_one_chain(minutes: list[int], turns: list[int], apart: int, is_new: bool) -> None:
    check_two_at_once(minutes, overtaking(turns), apart * MINUTE, adopting_case if is_new else fake_case)


@pytest.mark.parametrize("ahead", [1, 12, 10_000])
def test_a_sealer_overtaken_at_any_step_goes_on_from_the_others_seal(ahead: int) -> None:
    """It is overtaken after each of its steps: by a step, by a seal, by a whole run."""
    for steps in range(1, 120):
        check_two_at_once(range(0, 120, 10), overtaking([steps, ahead, 3, ahead]), MINUTE)


# -- what only DynamoDB's store does


def small_answers(world: World, operation: str = "Query", limit: int = 2) -> None:
    """Let DynamoDB answer with two items at a time, as it does after each megabyte."""
    name = f"provide-client-params.dynamodb.{operation}"
    world.dynamodb.meta.events.register(name, lambda params, **_: {**params, "Limit": limit})


@pytest.mark.usefixtures("small")
def test_every_list_is_read_to_its_end(world: World) -> None:
    case = Case(store=DynamoSeals(world.dynamodb, LOCAL.table), ledger=world.ledger)
    expected = case.record(*(NOON + number * MINUTE for number in range(59)))
    small_answers(world)
    assert case.store.count(BUCKET, NOON) == 59
    assert len(case.seal(most=4)) == 4
    case.seal()
    assert case.sealed() == expected
    case.check()


def test_what_a_batch_leaves_unprocessed_is_asked_for_again(world: World) -> None:
    store = DynamoSeals(world.dynamodb, LOCAL.table)
    made = [a_page(number) for number in range(7)]
    for page in made:
        store.put_page(page)

    def answer_in_part(parsed: dict[str, Any], **_: Any) -> None:
        found = parsed["Responses"][LOCAL.table]
        left = [{"pk": item["pk"], "sk": item["sk"]} for item in found[2:]]
        del found[2:]
        parsed["UnprocessedKeys"] = {LOCAL.table: {"Keys": left, "ConsistentRead": True}} if left else {}

    world.dynamodb.meta.events.register("after-call.dynamodb.BatchGetItem", answer_in_part)
    assert list(store.pages([page.root for page in made])) == made


def test_a_mark_is_not_sealed(world: World) -> None:
    case = Case(store=DynamoSeals(world.dynamodb, LOCAL.table), ledger=world.ledger)
    mark(world.ledger, entry_of(events.record()))
    assert case.store.first_hour(BUCKET) is None
    expected = case.record(NOON)
    case.seal()
    assert case.sealed() == expected


def test_after_a_malformed_seal_or_page_the_next_can_be_read(world: World) -> None:
    store = DynamoSeals(world.dynamodb, LOCAL.table)
    for number in range(3):
        store.put_seal(a_seal(part=number))
        store.put_page(a_page(number))
    roots = [a_page(number).root for number in range(3)]
    alter(world, f"#seals/{BUCKET}", a_seal(part=1).number)
    alter(world, f"#page/{roots[1]}", 0)
    readings: list[tuple[Iterator[Seal | Page | None], list[Seal | Page]]] = [
        (store.seals(BUCKET), [a_seal(part=0), a_seal(part=2)]),
        (store.pages(roots), [a_page(0), a_page(2)]),
    ]
    for found, expected in readings:
        first = next(found)
        with pytest.raises(MalformedSealError):
            next(found)
        assert [first, *found] == expected


def alter(world: World, pk: str, sk: int) -> None:
    world.dynamodb.update_item(
        TableName=LOCAL.table,
        Key={"pk": {"S": pk}, "sk": {"N": str(sk)}},
        UpdateExpression="SET note = :note",
        ExpressionAttributeValues={":note": {"S": "x"}},
    )


def test_a_refusal_of_aws_that_says_nothing_of_the_place_is_raised(world: World) -> None:
    store = DynamoSeals(world.dynamodb, "no-such-table")
    with pytest.raises(world.dynamodb.exceptions.ResourceNotFoundException):
        store.put_seal(a_seal())
