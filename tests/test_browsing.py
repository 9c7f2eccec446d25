"""Lists of receipts: whatever is asked for, each receipt is on exactly one page, whatever comes in meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from string import ascii_letters, digits
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.aws.pages import DynamoPages
from chalicelib.browsing import (
    STATUSES,
    Filters,
    Place,
    cursor_of,
    id_of,
    place_of,
    receipt_of,
)
from chalicelib.inspection import inspect
from chalicelib.inspection.report_parts import BrokenRule, Judged
from chalicelib.queries import Browser
from chalicelib.receipts import MARK_KEPT, SHARDS, Receipt, as_item, mark_item
from chalicelib.uploads import Entry, Kind, iso
from infra.template import LOCAL, table_definition
from tests.counting_table import CountingTable
from tests.events import BUCKET
from tests.fakes import NOON
from tests.receipts import SUCCESS, crash, failure
from tests.strategies import KEYS, VERSIONS

BROKEN = BrokenRule(code="x", field=None, count=1)
JUDGED = SUCCESS._replace(contract=Judged(name="orders", sha256="0" * 64, broken_rules=(BROKEN,)))
REPORTS = [SUCCESS, inspect([b"a,b\n1\n"], name="x.csv"), failure("object-missing"), crash(), JUDGED, None]
"""Of an upload, but for the last: that is of a deletion."""
MARK = len(REPORTS)
MOMENTS = [NOON + timedelta(milliseconds=ms) for ms in (0, 0, 1, 2, 3_600_000)]
DEFINITION = table_definition()

Item = dict[str, Any]


def item_of(number: int, key: str, what: int, at: datetime, *, replaced: bool) -> Item:
    """An item of the ledger; a replaced one is not in the lists of current failures."""
    report = REPORTS[what] if what < MARK else None
    entry = Entry(
        kind=Kind.DELETED if what == MARK - 1 else Kind.UPLOAD,
        bucket=BUCKET,
        key=key,
        version_id=f"v{number}",
        etag="e",
        sequencer=f"{number:04X}",
        size=1,
        uploaded_at=at,
        event="ObjectCreated:Put",
    )
    if what == MARK:
        return mark_item(entry, 1, started_at=at, deadline=at)
    receipt = Receipt(entry=entry, received_at=at, finished_at=at, report=report, inspector="1")
    return {
        name: value for name, value in as_item(receipt).items() if not replaced or name not in ("failed_at", "due_at")
    }


ITEMS = st.lists(
    st.tuples(
        st.sampled_from(["acme/a.csv", "acme/2026/B.csv", "globex/a.json", "plain", "/odd"]),
        st.integers(0, MARK),
        st.sampled_from(MOMENTS),
        st.booleans(),
    ),
    max_size=25,
).map(
    lambda drawn: [
        item_of(number, key, what, at, replaced=replaced) for number, (key, what, at, replaced) in enumerate(drawn)
    ]
)
FILTERS = st.builds(
    Filters,
    kind=st.sampled_from(["upload", "upload", None, "deleted"]),
    status=st.none() | st.sampled_from(STATUSES),
    cause=st.none() | st.sampled_from(["content", "system"]),
    source=st.none() | st.sampled_from(["acme", "globex", "/", "", "nobody"]),
    since=st.none() | st.sampled_from([iso(NOON + timedelta(milliseconds=1)), iso(NOON)]),
    until=st.none() | st.sampled_from([iso(NOON + timedelta(milliseconds=1)), iso(NOON + timedelta(hours=9))]),
    contract=st.none() | st.sampled_from(["orders", "others"]),
    format=st.none() | st.sampled_from(["csv", "json"]),
    finding=st.none() | st.sampled_from(["missing-cells", "inspection-crashed"]),
    prefix=st.none() | st.sampled_from(["acme/", "acme/2026", "a", "/", "zz"]),
    search=st.none() | st.sampled_from(["b.CSV", "a", "zz"]),
    sha256=st.none() | st.sampled_from([SUCCESS.sha256 or "", "0" * 64]),
).filter(lambda filters: not (filters.since and filters.until) or filters.since < filters.until)


def browser(items: list[Item], **limits: int) -> Browser:
    table: Any = CountingTable(items, DEFINITION)
    return Browser(pages=DynamoPages(table, LOCAL.table), bucket=BUCKET, **limits)


def is_held(filters: Filters, item: Item) -> bool:
    """By the words of docs/api.md, for one item at a time: what a list must show."""
    is_mark = item.get("status") == "inspecting"
    if is_mark != (filters.status == "inspecting"):
        return False
    at = item["due_at"] if is_mark else item["finished_at"]
    is_failure = filters.status == "failed" or filters.cause is not None
    head, slash, _ = item["key"].partition("/")
    return all(
        (
            filters.kind in (None, item["kind"]),
            filters.status in (None, item.get("status")),
            filters.cause in (None, item.get("cause")),
            not is_failure or "failed_at" in item,
            filters.source in (None, head if slash else "/"),
            (filters.since or "") <= at < (filters.until or "Z"),
            filters.contract in (None, item.get("contract", {}).get("name")),
            filters.format in (None, item.get("format")),
            filters.finding is None or filters.finding in item.get("finding_counts", {}),
            item["key"].startswith(filters.prefix or ""),
            (filters.search or "").lower() in item["key"].lower(),
            filters.sha256 in (None, item.get("sha256")),
        )
    )


def names(items: list[Item]) -> list[tuple[str, int]]:
    return sorted((item["pk"], item["sk"]) for item in items)


def paged(reader: Browser, filters: Filters, limit: int) -> Iterator[list[Item]]:
    cursor = None
    while True:
        page = reader.page(filters, limit=limit, after=place_of(filters, cursor) if cursor else None)
        yield list(page.entries)
        if page.cursor is None:
            return
        cursor = page.cursor


@given(ITEMS, FILTERS, st.integers(1, 30), st.integers(1, 30))
def test_any_filters_and_page_size_show_each_receipt_exactly_once(
    items: list[Item], filters: Filters, limit: int, budget: int
) -> None:
    pages = list(paged(browser(items, examined=budget, examined_whole=budget), filters, limit))
    shown = [entry for page in pages for entry in page]
    assert sorted((one["identity"], one["inspection"]) for one in shown) == names(
        [item for item in items if is_held(filters, item)]
    )
    assert all(len(page) <= limit for page in pages)


@given(ITEMS, FILTERS, st.integers(1, 5))
def test_lists_are_newest_first(items: list[Item], filters: Filters, limit: int) -> None:
    shown = [entry for page in paged(browser(items), filters, limit) for entry in page]
    order = [one.get("deadline") or one["finished_at"] for one in shown]
    assert order == sorted(order, reverse=True)


@given(ITEMS, ITEMS, FILTERS, st.integers(1, 5))
def test_a_cursor_goes_on_where_it_was_whatever_came_in_since(
    items: list[Item], later: list[Item], filters: Filters, limit: int
) -> None:
    """What comes in may be older than what was shown: an index lags. What was there is shown all the same, once."""
    new = [{**item, **_renamed(item, "later")} for item in later]
    first = browser(items).page(filters, limit=limit)
    shown = list(first.entries)
    if first.cursor:
        rest = browser(items + new)
        cursor: str | None = first.cursor
        while cursor:
            page = rest.page(filters, limit=limit, after=place_of(filters, cursor))
            shown += page.entries
            cursor = page.cursor
    seen = [(one["identity"], one["inspection"]) for one in shown]
    assert len(seen) == len(set(seen))
    assert set(names([item for item in items if is_held(filters, item)])) <= set(seen)


def _renamed(item: Item, version: str) -> Item:
    """The same under another identity, in the same shards: they are of no matter here."""
    return {"pk": f"{item['pk']}{version}", "version_id": f"{item['version_id']}{version}"}


@given(ITEMS, FILTERS, st.integers(1, 200))
def test_a_request_reads_no_more_than_its_budget(items: list[Item], filters: Filters, limit: int) -> None:
    many = items * 40
    table: Any = CountingTable(many, DEFINITION)
    reader = Browser(pages=DynamoPages(table, LOCAL.table), bucket=BUCKET, examined=100, examined_whole=100)
    reader.page(filters, limit=limit)
    assert table.read.calls <= SHARDS + 100


# -- cursors and names

PLACES = st.builds(
    Place,
    st.sampled_from(MOMENTS).map(iso),
    st.integers(0, SHARDS - 1),
    st.text(min_size=1, max_size=99).filter(lambda text: text.isprintable()),
    st.integers(1, 10**6),
)


@given(PLACES)
def test_a_cursor_is_the_place_it_was_made_of(place: Place) -> None:
    filters = Filters()
    cursor = cursor_of(filters, place)
    assert place_of(filters, cursor) == place
    assert cursor.isascii()
    assert not set(cursor) - {*ascii_letters, *digits, "-", "_"}


@given(PLACES, FILTERS)
def test_a_cursor_goes_on_in_no_other_list(place: Place, filters: Filters) -> None:
    if filters != Filters():
        with pytest.raises(ValueError, match=r"no cursor of this list"):
            place_of(filters, cursor_of(Filters(), place))


@given(st.text(max_size=200))
@example("bm8")
@example("e30")
@example("WzFd")
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises((ValueError, TypeError)):
        place_of(Filters(), text)


def test_a_forged_cursor_leaves_no_period_and_no_index() -> None:
    filters = Filters(until=iso(NOON))
    for place in (
        Place(iso(NOON), 0, "x", 1),
        Place("2026-11-23", 0, "x", 1),
        Place(iso(NOON - MARK_KEPT), SHARDS, "x", 1),
        Place(iso(NOON - MARK_KEPT), 0, "", 1),
        Place(iso(NOON - MARK_KEPT), 0, "x", 0),
        Place(iso(NOON - MARK_KEPT), 0, "x" * 3000, 1),
    ):
        with pytest.raises(ValueError, match=r"cursor|place"):
            place_of(filters, cursor_of(filters, place))


@given(KEYS, VERSIONS, st.integers(1, 999_999))
def test_a_receipts_name_in_an_address_is_its_identity_and_needs_no_encoding(
    key: str, version: str, number: int
) -> None:
    entry = ENTRY._replace(key=key, version_id=version)
    id_ = id_of(BUCKET, entry.identity, number)
    assert receipt_of(BUCKET, id_) == (entry.identity, number)
    assert id_.isascii()
    assert id_.replace("-", "").replace("_", "").isalnum()


@given(st.text(max_size=100))
def test_what_names_no_receipt_is_refused(text: str) -> None:
    try:
        identity, inspection = receipt_of(BUCKET, text)
    except ValueError:
        return
    assert id_of(BUCKET, identity, inspection) == text
    assert identity.startswith(f"{BUCKET}/"), "never another kind of item"


ENTRY = Entry(
    kind=Kind.UPLOAD,
    bucket=BUCKET,
    key="k",
    version_id="v",
    etag=None,
    sequencer=None,
    size=None,
    uploaded_at=NOON,
    event="ObjectCreated:Put",
)
