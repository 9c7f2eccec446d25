"""Ledgers of any size, every way in which they are read, and what that reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count, groupby, islice
from typing import Any, overload

from chalicelib.aws.ledger import DynamoLedger
from chalicelib.aws.lists import PAGE, DynamoLists, Period
from chalicelib.aws.pages import DynamoPages
from chalicelib.aws.seals import DynamoSeals
from chalicelib.browsing import Filters, Place
from chalicelib.counts import by_source, by_time
from chalicelib.inspection import inspect
from chalicelib.queries import Browser
from chalicelib.receipts import as_json, content_hash, derived, entry_from, index_attributes, mark_item
from chalicelib.seals import HOUR, Page, Seal, hour_of, leaf_of, rollup_item, rollups_of, source_of, tally_of
from chalicelib.uploads import entry_of, iso
from infra.template import LOCAL
from tests import events
from tests.counting_table import CountingTable, Item, Reading
from tests.events import BUCKET
from tests.receipts import SUCCESS, crash, failure, receipt

START = datetime(2026, 1, 1, tzinfo=UTC)
AN_HOUR = 20
"""How many items an hour adds: a thousand are two days, a million are almost six years."""

HOT_KEY = "acme/hot.csv"
STEP = HOUR / AN_HOUR

TEMPLATES: Sequence[Item] = [
    as_json(receipt()),
    as_json(receipt(report=failure("object-missing"))),
    as_json(receipt(report=crash())),
    as_json(receipt(report=inspect([b"a,b\n1\n"], name="x.csv"))),
    as_json(receipt(entry_of(events.deletion(version_id="v")), report=None)),
    mark_item(entry_of(events.record()), 1, started_at=START, deadline=START),
]
SUCCEEDED, GONE, CRASHED, BAD, DELETED, MARKED = range(len(TEMPLATES))
AGAIN = 19
"""The place in the cycle of an hour at which the upload before is inspected again."""

CYCLE = {3: BAD, 7: GONE, 11: CRASHED, 13: DELETED, 17: MARKED}
"""What the items of an hour are, by place; the others succeeded, all with the same bytes."""


class Items(Sequence[Item]):
    """The items of a ledger, each made when it is asked for: receipts, marks and deletions, one every three minutes.

    A fourth of them is of each of four sources; a tenth has the one hot key. Then come seals of all hours but the
    last, their rollups, and the page of the last seal.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.sealed = list(_sealed(size))

    def __len__(self) -> int:
        return self.size + len(self.sealed)

    @overload
    def __getitem__(self, number: int) -> Item: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[Item]: ...
    def __getitem__(self, number: int | slice) -> Item | Sequence[Item]:
        if isinstance(number, slice):
            return [self[one] for one in range(*number.indices(len(self)))]
        if number >= len(self):
            raise IndexError(number)
        return item(number) if number < self.size else self.sealed[number - self.size]


def item(number: int) -> Item:
    """One of the endless ledger's items."""
    place = number % AN_HOUR
    template = TEMPLATES[CYCLE.get(place, SUCCEEDED)]
    upload, inspection = (number - 1, 2) if place == AGAIN else (number, 1)
    at = iso(START + number * STEP)
    source = ("acme", "globex", "initech", "umbrella")[upload % 4]
    content = {
        **template,
        "key": HOT_KEY if upload % 10 == 0 else f"{source}/{upload // 7 % 100}/report-{upload:09}.csv",
        "version_id": f"{upload:032}",
        "sequencer": f"{upload:018X}",
        "uploaded_at": iso(START + upload * STEP - timedelta(seconds=2)),
        "inspection": inspection,
    }
    if template is TEMPLATES[MARKED]:
        return {**content, **index_attributes(entry_from(content), inspection), "due_at": at, "deadline": at}
    content |= {"finished_at": at, "content_hash": f"{number:064x}"}
    return {**content, **derived(content)}


def _sealed(size: int) -> Iterator[Item]:
    """Seals of all full hours but the last, one each, with their rollups, and the page of the last of them."""
    tallies = _tallies(map(summary, recorded(range(AN_HOUR))))
    tally, previous = dict(sum(map(Counter, tallies.values()), Counter[str]())), None
    for number in range(size // AN_HOUR - 1):
        hour, page = START + number * HOUR, _page(number)
        (rollup,) = rollups_of(BUCKET, {(hour, source): tallies[source] for source in tallies})
        seal = Seal(
            bucket=BUCKET,
            hour=hour,
            part=0,
            closes=True,
            sealed_at=hour + HOUR,
            pages=(page.line,),
            tallies={hour: tally},
            rollups=(content_hash(rollup),),
            previous=previous,
        )
        yield from (seal.as_item(), rollup_item(rollup))
        previous = seal.seal_hash
    yield page.as_item()


def _page(hour: int) -> Page:
    leaves = map(leaf_of, map(summary, recorded(range(hour * AN_HOUR, (hour + 1) * AN_HOUR))))
    return Page(bucket=BUCKET, hour=START + hour * HOUR, leaves=tuple(leaves))


def _tallies(summaries: Iterable[Item]) -> dict[str, dict[str, int]]:
    ordered = sorted(summaries, key=lambda one: source_of(one["key"]))
    return {source: tally_of(some) for source, some in groupby(ordered, key=lambda one: source_of(one["key"]))}


def recorded(numbers: Iterable[int]) -> Iterator[Item]:
    """Those items of the endless ledger that are in its journal."""
    return (made for made in map(item, numbers) if "finished_at" in made)


def summary(made: Item) -> Item:
    """An item as the journal's reader tells it."""
    return {"identity": made["pk"], "inspection": made["sk"], **made}


# -- reading them


@dataclass(frozen=True, slots=True, kw_only=True)
class Large:
    """A ledger of a size, and its readers."""

    items: Items
    table: CountingTable
    ledger: DynamoLedger
    lists: DynamoLists
    pages: DynamoPages
    seals: DynamoSeals

    @classmethod
    def of(cls, size: int) -> Large:
        """A ledger with so many receipts, marks and deletions, and with their seals."""
        items = Items(size)
        table: Any = CountingTable(items)
        name = LOCAL.table
        return cls(
            items=items,
            table=table,
            ledger=DynamoLedger(table, name),
            lists=DynamoLists(table, name),
            pages=DynamoPages(table, name),
            seals=DynamoSeals(table, name),
        )

    @property
    def open_hour(self) -> datetime:
        """The last hour, which is not sealed."""
        return START + (self.items.size // AN_HOUR - 1) * HOUR

    def journal(self, since: datetime, until: datetime) -> Iterator[dict[str, Any]]:
        """The journal of a span, for counts."""
        return self.lists.newest(BUCKET, Period(since=since, until=until))

    def hours(self, since: datetime, until: datetime) -> dict[datetime, Mapping[str, int]]:
        """Counts by hour."""
        return by_time(self.seals, self.journal, BUCKET, since=since, until=until, group=hour_of)

    def sources(self, since: datetime, until: datetime) -> dict[str, Mapping[str, int]]:
        """Counts by source."""
        return by_source(self.seals, self.journal, BUCKET, since=since, until=until)

    def browse(self, filters: Filters, *, after: str | None = None) -> list[Any]:
        """A page of the API's list; `after` is when the list goes on."""
        place = Place(after, 0, item(0)["pk"], 1) if after else None
        return some(Browser(pages=self.pages, bucket=BUCKET).page(filters, limit=PAGE, after=place).entries)

    def read_by(self, pattern: str) -> Reading:
        """What a pattern of access reads."""
        before = self.table.read
        PATTERNS[pattern](self)
        return self.table.read - before

    def last_sealed(self, family: str) -> str:
        """The name of the last page or rollup."""
        names = (str(made["pk"]) for made in reversed(self.items.sealed))
        return next(name for name in names if name.startswith(family)).removeprefix(family)


def page(entries: Iterator[Any]) -> list[Any]:
    """What a screen shows; a page less would be a pattern that reads nothing."""
    found = list(islice(entries, PAGE))
    assert len(found) == PAGE
    return found


def of_day(read: Callable[[str, Period], Iterator[Any]]) -> list[Any]:
    """A page of the ledger's first day: the oldest there is."""
    return page(read(BUCKET, Period(since=START, until=START + DAY)))


def some(entries: Iterable[Any]) -> list[Any]:
    """All of them, and that there is one."""
    found = list(entries)
    assert found
    return found


DAY = 24 * HOUR
VERSIONS = 1_000
TWICE = 18
"""The number of an upload that was inspected twice."""

PATTERNS: Mapping[str, Callable[[Large], object]] = {
    "the current receipt of an upload": lambda large: some(large.ledger.current(item(TWICE)["pk"]) or {}),
    "a whole receipt": lambda large: large.ledger.whole(summary(item(TWICE))),
    "which of 1,000 versions have a receipt": lambda large: some(
        large.ledger.known(
            islice((entry_from(item(number)) for number in count() if number % AN_HOUR != AGAIN), VERSIONS)
        )
    ),
    "a page of a key's history": lambda large: some(large.lists.history(BUCKET, HOT_KEY, limit=PAGE)),
    "the newest page": lambda large: page(large.lists.newest(BUCKET)),
    "a page of a day": lambda large: of_day(large.lists.newest),
    "a page of failures": lambda large: page(large.lists.failures(BUCKET)),
    "a page of a day's failures": lambda large: of_day(large.lists.failures),
    "a page of a source": lambda large: page(large.lists.of_source(BUCKET, "acme")),
    "a page of the same content": lambda large: page(large.lists.same_content(SUCCESS.sha256 or "")),
    "the API's newest page": lambda large: large.browse(Filters()),
    "the API's page in the middle": lambda large: large.browse(Filters(), after=iso(START + 40 * STEP)),
    "the API's page of failures of a source": lambda large: large.browse(Filters(status="failed", source="umbrella")),
    "the API's page of the same content": lambda large: large.browse(Filters(sha256=SUCCESS.sha256)),
    "a receipt by its inspection": lambda large: some(large.ledger.found(item(TWICE)["pk"], 1) or {}),
    "a page of what is due": lambda large: page(large.lists.due(BUCKET, large.open_hour)),
    "the counts of the open hour": lambda large: some(large.hours(large.open_hour, large.open_hour + HOUR)),
    "the counts of the last closed hour": lambda large: some(large.hours(large.open_hour - HOUR, large.open_hour)),
    "the counts of the first hour": lambda large: some(large.hours(START, START + HOUR)),
    "the counts of the first day by source": lambda large: some(large.sources(START, START + DAY)),
    "the last seal": lambda large: some([large.seals.last(BUCKET)]),
    "the seals of a day": lambda large: some(large.seals.seals(BUCKET, since=START, until=START + DAY)),
    "the pages of a seal": lambda large: some(large.seals.pages([large.last_sealed("#page/")])),
    "the roll-ups of a seal": lambda large: some(large.seals.rollups([large.last_sealed("#rollup/")])),
    "an hour's entries, counted by the journal": lambda large: some([large.seals.count(BUCKET, START)]),
    "an hour's entries, to be sealed": lambda large: some(large.seals.entries(BUCKET, large.open_hour)),
    "the journal's first hour": lambda large: some([large.seals.first_hour(BUCKET)]),
}
