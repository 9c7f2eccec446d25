"""The page on a simulated AWS: what it makes of receipts that an inspection really made, and of many at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

import app as recibo
from chalicelib.access import Scope
from local.serving import served
from tests.api import GOOD, ApiWorld, api_world
from tests.web.browser import browser, needs_chromium, visit

pytestmark = [pytest.mark.e2e, needs_chromium]

PRICES = "sku,price,since,note\n" + "".join(
    f"A{row:03},{'n/a' if row == 0 else f'{row}.50'},2026-11-{row % 28 + 1:02},{'' if row % 2 else 'x' * row}\n"
    for row in range(40)
)
RECORDS = [{"sku": "a", "price": 1.5}, {"sku": "b", "price": None}, {"sku": 7}, {"sku": "d"}]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as made:
        yield made


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiWorld]:
    with api_world(monkeypatch) as made:
        yield made


@pytest.fixture
def link(world: ApiWorld) -> Iterator[str]:
    with served(recibo.app) as address:
        yield f"{address}/?token={world.token(*Scope, name='page')}"


def shown(page: Page, key: str) -> Locator:
    """The rows of the open receipt's columns."""
    page.get_by_role("button", name=key).click()
    return page.locator("dialog table.columns tbody tr")


def share(bar: Locator) -> float:
    """How much of a bar is full."""
    return float(bar.locator("rect").last.get_attribute("width") or "nan")


def test_a_tables_columns_are_shown_with_their_profile(chromium: Browser, world: ApiWorld, link: str) -> None:
    world.upload("acme/prices.csv", PRICES.encode())
    profile = {one["name"]: one for one in world.aws.receipt("acme/prices.csv")["columns"]}
    assert (profile["price"]["type"], profile["price"]["share"], profile["note"]["nulls"]) == ("number", 9750, 21)
    with visit(chromium, link) as visited:
        rows = shown(visited.page, "acme/prices.csv")
        expect(rows).to_have_count(4)
        price, since, note = rows.nth(1), rows.nth(2), rows.nth(3)
        expect(price).to_contain_text("97.5% of the values")
        expect(price).to_contain_text("1.5 … 39.5")
        expect(price).to_contain_text("mean 20.5")
        histogram = profile["price"]["histogram"]
        expect(
            price.get_by_role("img", name=f"{len(histogram['counts'])} bars, 5 wide each, from 0 on")
        ).to_be_visible()
        assert price.locator(".histogram rect title").all_text_contents()[:2] == ["0 (5): 4", "5 (5): 5"]
        expect(since).to_contain_text("date %Y-%m-%d")
        expect(since).to_contain_text("Nov 1, 2026 … Nov 28, 2026")
        expect(since.get_by_role("img", name="28 bars, a day wide each, from 2026-11-01 on")).to_be_visible()
        assert since.locator(".histogram rect title").first.text_content() == "Nov 1, 2026 (a day): 2"
        expect(note).to_contain_text("47.5% · 21 empty")
        expect(note).to_contain_text("up to 38 characters")
        assert share(note.locator("td").nth(2).locator(".bar")) == 47.5
        assert visited.violations() == []
        assert visited.complaints == []


def test_numbers_of_a_profile_are_written_in_the_readers_language(
    chromium: Browser, world: ApiWorld, link: str
) -> None:
    world.upload("acme/prices.csv", PRICES.encode())
    with visit(chromium, link, language="pt-BR", scheme="dark") as visited:
        rows = shown(visited.page, "acme/prices.csv")
        expect(rows.nth(1)).to_contain_text("1,5 … 39,5")
        expect(rows.nth(3)).to_contain_text("21 vazios")
        assert visited.violations() == []


def test_the_types_of_jsons_members_stand_side_by_side(chromium: Browser, world: ApiWorld, link: str) -> None:
    world.upload("acme/records.json", json.dumps(RECORDS).encode())
    with visit(chromium, link) as visited:
        rows = shown(visited.page, "acme/records.json")
        sku, price = rows.nth(0), rows.nth(1)
        expect(sku).to_contain_text("string 3, integer 1")
        assert [
            float(rect.get_attribute("width") or 0) for rect in sku.locator(".bar").first.locator("rect").all()
        ] == [
            75,
            25,
        ]
        expect(price).to_contain_text("25% · 3 empty")
        assert visited.violations() == []


def test_json_lines_have_both_their_types_and_a_profile(chromium: Browser, world: ApiWorld, link: str) -> None:
    lines = [b'{"value": null}\n', *(b'{"value": %d.5}\n' % number for number in range(4))]
    world.upload("acme/values.jsonl", b"".join(lines))
    with visit(chromium, link) as visited:
        value = shown(visited.page, "acme/values.jsonl")
        expect(value).to_have_count(1)
        expect(value).to_contain_text("number 4, null 1")
        expect(value).to_contain_text("80% · 1 empty")
        expect(value).to_contain_text("0.5 … 3.5")
        expect(value.locator(".spread")).to_be_visible()


def test_a_long_table_says_of_how_many_records_its_profile_speaks(
    chromium: Browser, world: ApiWorld, link: str
) -> None:
    world.upload("acme/long.csv", b"a,b\n" + b"1234567890123,x\n" * 150_000)
    receipt = world.aws.receipt("acme/long.csv")
    assert receipt["profiled_records"] < receipt["records"] == 150_000
    with visit(chromium, link) as visited:
        expect(shown(visited.page, "acme/long.csv")).to_have_count(2)
        expect(visited.page.locator("dialog")).to_contain_text(f"Of {receipt['profiled_records']:,} of the 150,000")


# -- many at once


def test_all_that_arrived_while_nobody_looked_is_there(chromium: Browser, world: ApiWorld, link: str) -> None:
    """More than one page of the API has."""
    world.upload("first.csv", GOOD)
    with visit(chromium, link) as visited:
        page = visited.page
        expect(page.locator(".list tbody tr")).to_have_count(1)
        page.route("**/api/receipts?*", lambda route: route.abort())
        for number in range(70):
            world.upload(f"many/{number}.csv", GOOD)
        page.unroute("**/api/receipts?*")
        expect(page.locator(".list tbody tr")).to_have_count(71)
        expect(page.locator(".list tbody tr").last).to_contain_text("first.csv")
        expect(page.locator(".list tbody tr").first).to_contain_text("many/69.csv")


def test_where_too_many_arrive_to_be_shown_as_they_come_the_list_is_offered_anew(
    chromium: Browser, world: ApiWorld, link: str
) -> None:
    entry, ids = world.upload("first.csv", GOOD), count()

    def endless(route: Route) -> None:
        limit = int(parse_qs(urlsplit(route.request.url).query)["limit"][0])
        receipts = [{**entry, "id": f"MS{next(ids)}", "key": "flood.csv"} for _ in range(limit)]
        route.fulfill(json={"receipts": receipts, "cursor": "next"})

    with visit(chromium, link) as visited:
        page = visited.page
        expect(page.locator(".list tbody tr")).to_have_count(1)
        page.route("**/api/receipts?*", endless)
        anew = page.get_by_role("button", name="Show them all")
        expect(anew).to_be_visible()
        page.unroute("**/api/receipts?*")
        anew.click()
        expect(page.locator(".list tbody tr")).to_have_count(1)
        expect(anew).to_be_hidden()
