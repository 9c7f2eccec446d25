"""Seals, pages and rollups: their forms, their counts, and that nothing altered is taken for one."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import merkle
from chalicelib.aws.items import decoded, encoded
from chalicelib.receipts import as_json, canonical, content_hash
from chalicelib.seals import (
    HOUR,
    PAGE_LEAVES,
    PARTS,
    ROLLUP_BYTES,
    ROLLUP_ROWS,
    Leaf,
    MalformedSealError,
    Page,
    PageLine,
    Seal,
    finished_hour,
    hour_of,
    leaf_of,
    rollup_from_item,
    rollup_item,
    rollups_of,
    seal_number,
    source_of,
    tally_of,
)
from chalicelib.uploads import entry_of
from tests import events
from tests.fakes import NOON
from tests.receipts import failure, receipt
from tests.strategies import KEYS, TEXT, entries

ITEM_LIMIT = 400_000
"""Bytes of an item in DynamoDB; its own notation in JSON is longer than what it counts."""

HOURS = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)).map(hour_of)  # noqa: DTZ001
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
)
HASHES = st.binary(min_size=32, max_size=32).map(bytes.hex)
LEAVES = st.builds(Leaf, TEXT, st.integers(1, 99), HASHES)
PAGES = st.builds(Page, bucket=TEXT, hour=HOURS, leaves=st.lists(LEAVES, min_size=1, max_size=5).map(tuple))
TALLIES = st.dictionaries(st.sampled_from(["succeeded", "failed-content", "bytes"]), st.integers(1, 1 << 50))
SEALS = st.builds(
    Seal,
    bucket=TEXT,
    hour=HOURS,
    part=st.integers(0, PARTS - 1),
    closes=st.booleans(),
    sealed_at=MOMENTS,
    pages=st.lists(st.builds(PageLine, HASHES, HOURS, st.integers(1, PAGE_LEAVES), HASHES), max_size=5).map(tuple),
    tallies=st.dictionaries(HOURS, TALLIES, max_size=3),
    rollups=st.lists(HASHES, max_size=3).map(tuple),
    previous=st.none() | HASHES,
    retention_days=st.none() | st.integers(1, 5000),
    anchor=st.none() | st.dictionaries(TEXT, TEXT, min_size=1, max_size=3),
).flatmap(lambda seal: st.sampled_from([seal, replace(seal, adopts=seal.previous)]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)


def through_dynamodb(item: dict[str, Any]) -> dict[str, Any]:
    return decoded(encoded(item))


def hash_of(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def a_seal(**more: Any) -> Seal:
    members: dict[str, Any] = {
        "bucket": "inbox",
        "hour": NOON,
        "part": 0,
        "closes": True,
        "sealed_at": NOON + 2 * HOUR,
        "pages": (PageLine(hash_of(1), NOON, 2, hash_of(5)), PageLine(hash_of(2), NOON - HOUR, 3, hash_of(6))),
        "tallies": {NOON: {"succeeded": 2}, NOON - HOUR: {"succeeded": 3}},
        "rollups": (hash_of(3),),
        "previous": hash_of(4),
        "retention_days": 30,
    }
    return Seal(**members | more)


A_PAGE = Page(bucket="inbox", hour=NOON, leaves=(Leaf("inbox/a#v1", 1, hash_of(1)), Leaf("inbox/b#v1", 2, hash_of(2))))


# -- round trips


@given(PAGES)
def test_a_page_is_the_same_after_json(page: Page) -> None:
    assert Page.from_json(json.loads(canonical(page.as_json()))) == page


@given(PAGES, st.none() | st.integers(0, 1 << 40))
def test_a_page_is_the_same_after_the_ledger(page: Page, expires_at: int | None) -> None:
    item = page.as_item(expires_at=expires_at)
    assert item.get("expires_at") == expires_at
    assert Page.from_item(through_dynamodb(item)) == page


@given(SEALS)
def test_a_seal_is_the_same_after_json(seal: Seal) -> None:
    assert Seal.from_json(json.loads(canonical(seal.as_json())), anchor=seal.anchor) == seal


@given(SEALS)
def test_a_seal_is_the_same_after_the_ledger(seal: Seal) -> None:
    assert Seal.from_item(through_dynamodb(seal.as_item())) == seal


def test_what_a_seal_does_not_know_is_absent() -> None:
    known = a_seal(previous=None, retention_days=None, anchor=None).as_item()
    assert not {"previous", "retention_days", "anchor"} & known.keys()


# -- hashes and roots


@given(SEALS)
def test_a_seals_hash_is_that_of_all_but_itself_and_the_anchor(seal: Seal) -> None:
    content = seal.as_json()
    stated = content.pop("seal_hash")
    assert stated == seal.seal_hash == content_hash(content) == hashlib.sha256(canonical(content)).hexdigest()


def test_a_signature_does_not_change_the_hash_it_signs() -> None:
    assert a_seal(anchor={"kind": "kms"}).seal_hash == a_seal().seal_hash


@pytest.mark.parametrize(
    "change",
    [
        {"bucket": "other"},
        {"hour": NOON + HOUR},
        {"part": 1},
        {"closes": False},
        {"sealed_at": NOON + 3 * HOUR},
        {"pages": ()},
        {"tallies": {}},
        {"rollups": ()},
        {"previous": None},
        {"adopts": hash_of(4)},
        {"retention_days": 31},
    ],
    ids=lambda change: next(iter(change)),
)
def test_everything_that_a_seal_says_is_in_its_hash(change: dict[str, Any]) -> None:
    assert a_seal(**change).seal_hash != a_seal().seal_hash


@given(PAGES)
def test_a_pages_name_is_the_merkle_root_over_content_hashes(page: Page) -> None:
    assert page.root == merkle.root([bytes.fromhex(leaf.content_hash) for leaf in page.leaves]).hex()
    assert page.as_item()["pk"] == f"#page/{page.root}"


@given(SEALS)
def test_a_seals_root_is_the_merkle_root_over_its_pages_roots(seal: Seal) -> None:
    assert seal.as_json()["root"] == merkle.root([bytes.fromhex(page.root) for page in seal.pages]).hex()


def test_a_seal_counts_its_receipts_and_the_late_ones_among_them() -> None:
    content = a_seal().as_json()
    assert (content["receipts"], content["late"]) == (5, 3)


# -- places in the chain


def test_numbers_are_hours_since_1970_and_parts() -> None:
    assert seal_number(datetime(1970, 1, 2, 3, tzinfo=UTC), 7) == 27_007
    with pytest.raises(ValueError, match="no part"):
        seal_number(NOON, PARTS)


@given(SEALS)
def test_a_seals_successor_comes_after_it(seal: Seal) -> None:
    hour, part = seal.next_place
    assert (hour, part) > (seal.hour, seal.part)
    assert part == 0 or not seal.closes


@given(MOMENTS)
def test_an_hour_holds_its_moments(moment: datetime) -> None:
    hour = hour_of(moment)
    assert hour <= moment < hour + HOUR
    assert hour == moment.replace(minute=0, second=0, microsecond=0)
    assert finished_hour({"finished_at": moment.isoformat()}) == hour


# -- nothing altered is taken for a seal


@given(JSON)
def test_no_json_makes_anything_but_the_one_exception(content: Any) -> None:
    readings: list[Callable[[Any], object]] = [Page.from_json, Seal.from_json]
    if isinstance(content, dict):
        readings += [Page.from_item, Seal.from_item, rollup_from_item]
    for read in readings:
        with pytest.raises(MalformedSealError):
            read(content)


@given(st.data(), JSON)
def test_a_page_whose_member_was_altered_is_malformed_or_still_names_the_same_contents(
    data: st.DataObject, value: Any
) -> None:
    """Its name is the root over content hashes alone: bucket, hour and names are for verification to compare."""
    item = A_PAGE.as_item()
    name = data.draw(st.sampled_from(sorted(item)))
    try:
        page = Page.from_item(item | {name: value})
    except MalformedSealError:
        return
    assert value == item[name] or name in {"bucket", "hour"}
    assert [leaf.data for leaf in page.leaves] == [leaf.data for leaf in A_PAGE.leaves]


@given(st.data(), JSON)
def test_a_seal_whose_member_was_altered_is_malformed(data: st.DataObject, value: Any) -> None:
    item = a_seal().as_item()
    name = data.draw(st.sampled_from(sorted(item)))
    if value != item[name]:
        with pytest.raises(MalformedSealError):
            Seal.from_item(item | {name: value})


@given(st.data())
def test_a_seal_or_page_without_one_of_its_members_is_malformed(data: st.DataObject) -> None:
    for item, read in ((A_PAGE.as_item(), Page.from_item), (a_seal().as_item(), Seal.from_item)):
        name = data.draw(st.sampled_from(sorted(item)))
        with pytest.raises(MalformedSealError):
            read({other: value for other, value in item.items() if other != name})


def test_a_member_too_many_is_malformed() -> None:
    with pytest.raises(MalformedSealError, match="not as it was written: note"):
        Page.from_item(A_PAGE.as_item() | {"note": "x"})
    with pytest.raises(MalformedSealError, match="not as it was written: note"):
        Seal.from_item(a_seal().as_item() | {"note": "x"})


@given(SEALS, HASHES)
def test_a_seal_adopts_the_one_before_it_or_none(seal: Seal, other: str) -> None:
    if other != seal.previous:
        with pytest.raises(MalformedSealError, match="it adopts another seal than the one before it"):
            Seal.from_json(replace(seal, adopts=other).as_json())


@given(PAGES, st.data())
def test_a_pages_line_covers_what_its_receipts_are_called(page: Page, data: st.DataObject) -> None:
    """Its root does not: two pages that differ in names alone have one root."""
    place = data.draw(st.integers(0, len(page.leaves) - 1))
    leaves = list(page.leaves)
    leaves[place] = replace(leaves[place], identity=leaves[place].identity + "x")
    renamed = replace(page, leaves=tuple(leaves))
    assert renamed.root == page.root
    assert renamed.line != page.line
    assert page.line == PageLine(page.root, page.hour, len(page.leaves), content_hash(page.as_json()))


def test_an_altered_seal_is_named_and_told_from_a_broken_one() -> None:
    item = a_seal().as_item() | {"closes": False}
    with pytest.raises(MalformedSealError, match=rf"^#seals/inbox {item['sk']} .*its hash is not that of its content"):
        Seal.from_item(item)


def test_a_page_with_another_content_hash_is_not_the_page_of_its_name() -> None:
    item = A_PAGE.as_item()
    item["leaves"] = [["inbox/a#v1", 1, hash_of(9)], item["leaves"][1]]
    with pytest.raises(MalformedSealError, match=rf"^#page/{A_PAGE.root} .*its root is not that of its leaves"):
        Page.from_item(item)


def test_a_seal_in_another_seals_place_is_malformed() -> None:
    item = a_seal().as_item()
    for elsewhere in ({"sk": item["sk"] + 1}, {"pk": "#seals/other"}):
        with pytest.raises(MalformedSealError, match="another place's seal"):
            Seal.from_item(item | elsewhere)


@pytest.mark.parametrize("bad", ["0" * 63, "0" * 62 + " 0", "G" * 64, "A" * 64, None, 7, ["0"] * 64])
def test_a_receipt_without_a_proper_content_hash_is_not_sealed(bad: Any) -> None:
    with pytest.raises(MalformedSealError, match=r"^the receipt inbox/a#v1 is malformed"):
        leaf_of({"identity": "inbox/a#v1", "inspection": 1, "content_hash": bad})


# -- counts


def summary(**more: Any) -> dict[str, Any]:
    first = {"identity": "i", "inspection": 1, "kind": "upload", "status": "succeeded"}
    return first | more


FAILED = {"status": "failed"}


@pytest.mark.parametrize(
    ("entry", "tally"),
    [
        (summary(bytes=7, records=2), {"succeeded": 1, "bytes": 7, "records": 2}),
        (summary(**FAILED, cause="content", bytes=7), {"failed-content": 1, "bytes": 7}),
        (summary(**FAILED, cause="unavailable"), {"failed-unavailable": 1}),
        (summary(**FAILED, cause="system"), {"failed-system": 1}),
        (summary(inspection=2, bytes=7, records=2), {"again-succeeded": 1}),
        (summary(**FAILED, inspection=3, cause="system"), {"again-failed-system": 1}),
        ({"identity": "i", "inspection": 1, "kind": "deleted"}, {"deleted": 1}),
        ({"identity": "i", "inspection": 1, "kind": "delete-marker"}, {"delete-marker": 1}),
    ],
)
def test_every_entry_is_counted_as_what_happened(entry: dict[str, Any], tally: dict[str, int]) -> None:
    assert tally_of([entry]) == tally


@pytest.mark.parametrize(
    "entry",
    [
        {"identity": "i", "inspection": 1},
        summary(kind="other"),
        summary(status="failed"),
        {name: value for name, value in summary().items() if name != "status"},
        summary(inspection="1"),
        summary(bytes="7"),
        summary(records=2**64),
    ],
)
def test_what_is_no_entry_is_not_counted_but_refused(entry: dict[str, Any]) -> None:
    with pytest.raises(MalformedSealError, match="the receipt i is malformed"):
        tally_of([entry])


def test_nothing_has_an_empty_tally() -> None:
    assert tally_of([]) == {}


@given(
    st.lists(
        st.builds(
            summary,
            inspection=st.integers(1, 2),
            bytes=st.integers(0, 9),
            status=st.sampled_from(["succeeded", "failed"]),
            cause=st.sampled_from(["content", "system"]),
        )
    ),
    st.integers(0, 10),
)
def test_tallies_add_up(things: list[dict[str, Any]], cut: int) -> None:
    apart = Counter(tally_of(things[:cut]))
    apart.update(tally_of(things[cut:]))
    assert tally_of(things) == apart


def test_a_real_receipts_summary_can_be_sealed_and_counted() -> None:
    for made in (receipt(), receipt(report=failure()), receipt(entry_of(events.delete_marker()), report=None)):
        real = as_json(made) | {"identity": made.entry.identity}
        assert leaf_of(real) == Leaf(made.entry.identity, 1, real["content_hash"])
        assert sum(count for name, count in tally_of([real]).items() if name not in {"bytes", "records"}) == 1


@given(entries())
def test_a_source_is_the_one_of_the_entry(entry: Any) -> None:
    assert source_of(entry.key) == entry.source


# -- rollups


@given(st.dictionaries(st.tuples(HOURS, TEXT), TALLIES, max_size=20))
def test_rollups_hold_every_count_once_in_order(tallies: dict[tuple[datetime, str], dict[str, int]]) -> None:
    rollups = list(rollups_of("inbox", tallies))
    rows = [row for rollup in rollups for row in rollup["tallies"]]
    assert [(datetime.fromisoformat(row.pop("hour")), row.pop("source")) for row in rows] == sorted(tallies)
    assert rows == [tallies[place] for place in sorted(tallies)]
    for rollup in rollups:
        assert rollup_from_item(through_dynamodb(rollup_item(rollup))) == rollup


def test_an_altered_rollup_is_malformed() -> None:
    (rollup,) = rollups_of("inbox", {(NOON, "sales"): {"succeeded": 1}})
    item = rollup_item(rollup)
    item["tallies"] = [{"hour": "2026-11-23T12:00:00.000Z", "source": "sales", "succeeded": 2}]
    with pytest.raises(MalformedSealError, match=f"^{item['pk']} is malformed"):
        rollup_from_item(item)


def test_no_rollup_has_more_rows_than_it_may() -> None:
    tallies = {(NOON, f"source-{number:05}"): {"succeeded": 1} for number in range(2 * ROLLUP_ROWS + 1)}
    assert [len(rollup["tallies"]) for rollup in rollups_of("inbox", tallies)] == [ROLLUP_ROWS, ROLLUP_ROWS, 1]


# -- the worst items fit


def size_of(item: dict[str, Any]) -> int:
    return len(json.dumps(encoded(item), ensure_ascii=False).encode())


def test_the_worst_page_fits_into_an_item() -> None:
    identity = f"{'b' * 63}/{'𝒳' * 256}#etag={'0' * 40}&sequencer={'0' * 40}"
    leaves = tuple(Leaf(identity, 999, hash_of(number)) for number in range(PAGE_LEAVES))
    assert size_of(Page(bucket="b" * 63, hour=NOON, leaves=leaves).as_item(expires_at=1 << 33)) < ITEM_LIMIT


def test_the_worst_rollup_fits_into_an_item() -> None:
    counts = dict.fromkeys(("succeeded", "failed-content", "failed-unavailable", "failed-system", "bytes"), 1 << 50)
    tallies = {(NOON, "𝒳" * 250 + str(number)): counts for number in range(ROLLUP_ROWS)}
    rollups = list(rollups_of("b" * 63, tallies))
    assert len(rollups) > 1
    assert all(len(canonical(rollup["tallies"])) <= ROLLUP_BYTES + ROLLUP_ROWS for rollup in rollups)
    assert all(size_of(rollup_item(rollup)) < ITEM_LIMIT for rollup in rollups)


def test_the_worst_seal_fits_into_an_item() -> None:
    """65,536 receipts of as many sources, from each of the 25 hours that a seal may cover."""
    hours = [NOON - timedelta(hours=ago) for ago in range(25)]
    counts = {f"again-failed-{number}": 1 << 50 for number in range(20)}
    seal = a_seal(
        pages=tuple(PageLine(hash_of(number), NOON, PAGE_LEAVES, hash_of(number)) for number in range(256 + 25)),
        rollups=tuple(map(hash_of, range(300))),
        tallies=dict.fromkeys(hours, counts),
        anchor={"key_id": "k" * 2048, "signature": "s" * 100},
    )
    assert size_of(seal.as_item()) < ITEM_LIMIT


@given(KEYS)
def test_no_receipts_key_is_taken_for_a_seals(key: str) -> None:
    assert not entry_of(events.record(key)).identity.startswith("#")
