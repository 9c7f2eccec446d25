"""What a verification says of ledgers that are well, and of those that are not."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib import wiring
from chalicelib.access import TOKENS_KEY, Scope, Token, hash_of
from chalicelib.aws.anchors import KmsAnchor, LockedBucketAnchor
from chalicelib.aws.evidence import BATCH, DynamoEvidence
from chalicelib.aws.items import encoded
from chalicelib.aws.signatures import KmsSignatures
from chalicelib.aws.versions import S3Versions
from chalicelib.receipts import content_hash, from_item, mark_item
from chalicelib.sealing import NoAnchor
from chalicelib.seals import HOUR, Page, Seal, page_key, seals_key
from chalicelib.uploads import Entry, entry_of, iso
from chalicelib.verification import Defect, Problem, Signer, Standing, Verdict, Verification
from chalicelib.verification.anchoring import AHEAD, NOT_SIGNED, UNKNOWN
from infra.template import LOCAL
from tests import events
from tests.aws import World, simulated_aws
from tests.events import BUCKET
from tests.evidence import MINUTE, Evidence, FakeCopies, FakeEvidence, FakeSignatures, Item
from tests.fakes import NOON
from tests.receipts import crash, failure, receipt
from tests.strategies import KEYS

DUE = 85
"""Minutes after noon: the hour from noon on is due."""


def only(verdict: Verdict, defect: Defect) -> Problem:
    """The one problem, and its number."""
    assert {name: verdict.counts[name] for name in Defect if verdict.counts[name]} == {defect: 1}, verdict.problems
    (problem,) = verdict.problems
    assert problem.defect is defect
    return problem


def keys(*entries: Entry) -> set[tuple[str, str]]:
    return {(entry.identity, "1") for entry in entries}


def named(verdict: Verdict) -> set[tuple[str, str]]:
    return {(problem.pk, problem.sk) for problem in verdict.problems}


# -- all is well


def test_an_empty_stage_is_well_and_has_no_chain() -> None:
    verdict = Evidence().verify(0)
    assert verdict.is_well
    assert verdict.chain.standing is Standing.ABSENT


def test_everything_is_counted() -> None:
    made = Evidence(anchor=FakeCopies())
    first = made.upload(1)
    made.upload(2, report=failure())
    crashed = made.upload(3, report=crash())
    made.upload(4, of=crashed, inspection=2)
    made.delete(first, 5)
    marker = entry_of(events.delete_marker("k", at=NOON))
    made.record(marker, 6)
    made.land(marker)
    made.seal(DUE)
    made.upload(70)
    verdict = made.verify(DUE)
    assert verdict.is_well, verdict.problems
    wanted = {"uploads": 3, "delete_markers": 1, "receipts": 5, "later_inspections": 1, "deletions": 2, "not_due": 1}
    assert {name: count for name, count in verdict.counts.items() if count} == wanted
    assert (verdict.chain.standing, verdict.chain.seals, verdict.chain.first) == (Standing.ANCHORED, 1, NOON)
    assert verdict.remarks == ()


@pytest.mark.parametrize(
    ("anchor", "standing"),
    [(FakeCopies(), "anchored"), (FakeSignatures(), "anchored"), (Evidence().anchor, "consistent")],
)
def test_only_an_anchor_makes_a_chain_more_than_consistent(anchor: Any, standing: str) -> None:
    made = Evidence(anchor=anchor)
    made.upload(0)
    made.seal(DUE)
    assert made.verify(DUE).is_well
    assert made.verify(DUE).chain.standing == standing


@given(key=KEYS, version=st.text("abc#&= %é", min_size=1, max_size=8))
@settings(max_examples=50, deadline=None)
def test_odd_names_are_joined_like_any_other(key: str, version: str) -> None:
    made = Evidence(anchor=FakeCopies())
    upload = made.entry(0, key="plain")
    upload = upload._replace(key=key, version_id=version)
    made.upload(0, of=upload)
    made.land(upload)
    made.seal(DUE)
    verdict = made.verify(DUE)
    assert verdict.is_well, verdict.problems
    assert (verdict.counts["uploads"], verdict.counts["receipts"]) == (1, 1)


def test_early_seals_are_part_of_the_chain() -> None:
    made = Evidence(anchor=FakeCopies())
    for minute in (5, 15, 25):
        made.upload(minute)
        made.seal(minute + 1, early=True)
    made.upload(27)
    verdict = made.verify(30)
    assert (verdict.is_well, verdict.chain.seals, verdict.counts["not_due"]) == (True, 3, 1)
    made.seal(DUE)
    assert made.verify(DUE).is_well


# -- the bucket


def test_a_version_without_a_receipt_is_missing_once_it_is_old_enough() -> None:
    made = Evidence()
    upload = made.entry(0)
    made.land(upload)
    assert made.verify(19).counts["waiting"] == 1
    assert made.verify(19).is_well
    assert (only(made.verify(21), Defect.MISSING).pk) == upload.identity
    assert not made.verify(19, strict=True).is_well


def test_a_delete_marker_needs_its_entry_as_well() -> None:
    made = Evidence()
    marker = entry_of(events.delete_marker("k", at=NOON))
    made.land(marker)
    assert only(made.verify(30), Defect.MISSING).pk == marker.identity


def test_a_marker_that_its_listing_does_not_name_is_not_asked_for() -> None:
    """Where versioning is suspended, a delete marker's identity is its sequencer, which S3 does not list."""
    made = Evidence()
    made.land(entry_of(events.delete_marker("k", version_id="null", at=NOON)))
    assert made.verify(30).is_well


def test_a_mark_waits_until_its_inspection_has_died() -> None:
    made = Evidence()
    upload = made.entry(0)
    made.land(upload)
    made.table.put(mark_item(upload, 1, started_at=NOON, deadline=NOON + 15 * MINUTE))
    assert (made.verify(34).is_well, made.verify(34).counts["waiting"]) == (True, 1)
    assert not made.verify(34, strict=True).is_well
    problem = only(made.verify(36), Defect.MISSING)
    assert (problem.pk, problem.sk) == (upload.identity, "1")


def test_a_receipt_outlives_its_version() -> None:
    made = Evidence()
    deleted, _ = made.upload(0), made.upload(1)
    made.delete(deleted, 2)
    assert made.verify(3).remarks == ()
    made.versions.versions.clear()
    verdict = made.verify(3)
    assert verdict.is_well
    assert verdict.remarks == ("Receipts of versions that are gone without a recorded deletion: 1.",)


def test_what_is_older_than_receipts_are_kept_needs_none() -> None:
    made = Evidence(retention_days=30)
    made.land(made.entry(0))
    assert only(made.verify(29 * 1440), Defect.MISSING)
    verdict = made.verify(31 * 1440)
    assert (verdict.is_well, verdict.counts["expired"]) == (True, 1)


# -- the ledger's items among each other


def test_two_items_about_the_same_inspection_are_double() -> None:
    made = Evidence()
    upload = made.upload(0)
    made.table.put({**made.table.things[upload.identity, 1], "pk": f"{upload.identity}x"})
    problem = only(made.verify(1), Defect.DOUBLE)
    assert problem.pk == f"{upload.identity}x"


def test_an_inspection_that_is_gone_between_others_is_removed_though_it_was_never_sealed() -> None:
    made = Evidence()
    upload = made.upload(0)
    for number in (2, 3):
        made.upload(number, of=upload, inspection=number)
    made.table.remove((upload.identity, 2))
    problem = only(made.verify(5), Defect.REMOVED)
    assert (problem.pk, problem.sk) == (upload.identity, "2")


def test_a_mark_cannot_stand_after_a_gap() -> None:
    made = Evidence()
    upload = made.upload(0)
    made.table.put(mark_item(upload, 3, started_at=NOON, deadline=NOON + 15 * MINUTE))
    assert only(made.verify(5), Defect.REMOVED).sk == "2"


def test_an_early_inspection_may_have_expired_before_a_later_one() -> None:
    made = Evidence(retention_days=30)
    upload = made.upload(0)
    made.upload(1440, of=upload, inspection=2)
    made.table.remove((upload.identity, 1))
    assert not made.verify(1440 + 1).is_well
    made.versions.versions.clear()
    assert Defect.REMOVED not in {problem.defect for problem in made.verify(30 * 1440 + 1).problems}


@pytest.mark.parametrize("report", [failure(), crash()])
def test_what_shows_only_the_current_failure_is_checked(report: Any) -> None:
    made = Evidence()
    upload = made.upload(0, report=report)
    shown = copy.deepcopy(made.table.things[upload.identity, 1])
    assert made.verify(60).is_well
    made.upload(1, of=upload, inspection=2)
    assert made.verify(60).is_well
    made.table.put(shown)
    assert (only(made.verify(60), Defect.ALTERED).sk) == "1"
    hidden = made.table.things[upload.identity, 1]
    made.table.remove((upload.identity, 2))
    hidden.pop("failed_at")
    hidden.pop("due_at", None)
    assert (only(made.verify(60), Defect.ALTERED).sk) == "1"


def test_an_inspection_that_was_just_superseded_may_be_read_before_or_after() -> None:
    made = Evidence()
    upload = made.upload(0, report=failure())
    before = copy.deepcopy(made.table.things[upload.identity, 1])
    made.upload(30, of=upload, inspection=2)
    made.table.put(before)
    assert made.verify(31).is_well


@pytest.mark.parametrize("days", [31, 365])
def test_a_time_to_live_that_was_not_the_stages_is_an_alteration(days: int) -> None:
    made = Evidence(retention_days=30)
    upload = made.upload(0)
    assert made.verify(1).is_well
    made.table.things[upload.identity, 1]["expires_at"] = int((NOON + timedelta(days=days)).timestamp())
    assert "expires_at" in only(made.verify(1), Defect.ALTERED).why


def test_a_time_to_live_that_was_the_stages_when_it_sealed_stays_right() -> None:
    made = Evidence(retention_days=30)
    made.upload(0)
    made.seal(DUE)
    made.retention_days = None
    assert made.verify(DUE).is_well


@pytest.mark.parametrize(
    "item",
    [
        {"pk": "#what/ever", "sk": 0},
        {"pk": "anything", "sk": 1},
        {"pk": "anything", "sk": 1, "status": "inspecting"},
        {"pk": f"{BUCKET}/k#v", "sk": 10**30, "kind": "upload"},
        {"pk": f"{BUCKET}/k#v", "sk": Decimal("1.5")},
        {"pk": "#reconcile/b", "sk": 7},
        {"pk": "#page/x", "sk": 1},
        {"pk": "", "sk": 1, "kind": [], "bucket": {}, "key": None, "finished_at": 7},
    ],
)
def test_what_recibo_makes_no_items_like_was_inserted(item: dict[str, Any]) -> None:
    made = Evidence()
    made.upload(0)
    made.table.put(item)
    assert only(made.verify(1), Defect.INSERTED).pk == item["pk"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.binary(max_size=3) | st.decimals(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_nothing_in_an_item_makes_it_fail(data: Any) -> None:
    """Whatever stands in the ledger is named, and stops nothing."""
    made = Evidence(anchor=FakeCopies())
    made.upload(0, report=failure())
    made.seal(DUE)
    key = data.draw(st.sampled_from(sorted(made.table.things)))
    item = made.table.things[key]
    name = data.draw(st.sampled_from(sorted({*item} - {"pk", "sk"})))
    value = data.draw(JSON)
    is_same = type(item[name]) is type(value) and item[name] == value
    item[name] = value
    assert made.verify(DUE).is_well == is_same


@pytest.mark.parametrize(
    "note", [{}, {"through": iso(NOON)}, {"begun_at": iso(NOON), "through": iso(NOON), "after": {"key": "k"}}]
)
def test_the_note_of_reconcile_is_well_as_it_is_left(note: dict[str, Any]) -> None:
    made = Evidence()
    made.table.put({"pk": f"#reconcile/{BUCKET}", "sk": 0, **note})
    assert made.verify(1).is_well


NO_NOTES: list[dict[str, Any]] = [
    {"through": "x"},
    {"through": 7},
    {"through": "9999-01-01T00:00:00.000Z"},
    {"begun_at": "9999-01-01T00:00:00.000Z", "after": {"key": "k"}},
    {"after": {"key": "k"}},
    {"begun_at": iso(NOON), "after": {"key": 7}},
    {"begun_at": iso(NOON), "after": None},
    {"through": iso(NOON), "more": 1},
]


@pytest.mark.parametrize("note", NO_NOTES)
def test_a_note_that_would_blind_reconcile_is_an_alteration(note: dict[str, Any]) -> None:
    made = Evidence()
    made.table.put({"pk": f"#reconcile/{BUCKET}", "sk": 0, **note})
    assert only(made.verify(1), Defect.ALTERED).pk == f"#reconcile/{BUCKET}"


TOKEN = Token(
    name="ana",
    secret_hash=hash_of("secret"),
    scopes=frozenset({Scope.READ, Scope.UPLOAD}),
    prefix="ana/",
    created_at=NOON,
)


@pytest.mark.parametrize("more", [{}, {"expires_at": NOON + timedelta(days=9)}, {"revoked_at": NOON}])
def test_a_token_of_the_api_is_well_as_it_is_kept(more: dict[str, Any]) -> None:
    made = Evidence()
    made.table.put(TOKEN._replace(**more).as_item())
    assert made.verify(1).is_well


@pytest.mark.parametrize(
    "more",
    [
        {"name": "eve"},  # the number is another name's
        {"secret_hash": "0"},
        {"scopes": ["everything"]},
        {"scopes": ["upload", "read"]},
        {"prefix": ""},
        {"created_at": "today"},
        {"expires_at": 10**30},
        {"is_admin": True},
    ],
)
def test_a_token_that_recibo_could_not_have_made_is_an_alteration(more: dict[str, Any]) -> None:
    made = Evidence()
    made.table.put({**TOKEN.as_item(), **more})
    assert only(made.verify(1), Defect.ALTERED).pk == TOKENS_KEY


def of_no_bucket(upload: Entry, **more: Any) -> Entry:
    """An entry of the same identity, in the journal of a bucket that cannot be: the key's first segment is in it."""
    head, _, tail = upload.key.partition("/")
    return upload._replace(bucket=f"{upload.bucket}/{head}", key=tail, **more)


def test_a_verdict_of_a_bucket_that_cannot_be_supersedes_nothing() -> None:
    made = Evidence(anchor=FakeCopies())
    upload = made.upload(0, report=failure())
    made.seal(DUE)
    forged = of_no_bucket(upload)
    assert forged.identity == upload.identity
    made.record(forged, 10, inspection=2)
    for since in (None, NOON):
        told = {(problem.defect, problem.sk) for problem in made.verify(DUE, since=since).problems}
        assert told == {(Defect.INSERTED, "2"), (Defect.ALTERED, "1")}


def test_a_receipt_of_a_bucket_that_cannot_be_stands_for_no_upload() -> None:
    made = Evidence()
    upload = made.entry(0)
    made.land(upload)
    made.record(of_no_bucket(upload), 1)
    assert only(made.verify(30), Defect.INSERTED).pk == upload.identity


@pytest.mark.parametrize("bucket", [b"x", 7, None, "", "#", "a/b"])
def test_what_is_no_name_of_a_bucket_is_named(bucket: Any) -> None:
    made = Evidence()
    upload = made.upload(0)
    made.table.things[upload.identity, 1]["bucket"] = bucket
    assert not made.verify(1).is_well


MARKS: dict[str, tuple[int, int]] = {"endless": (0, 9_999_999), "ended": (0, -1), "to come": (2_000, 2_010)}
"""Minutes after noon at which an inspection began, and until which it may last."""


@pytest.mark.parametrize("name", MARKS)
def test_a_mark_that_no_inspection_makes_hides_no_missing_receipt(name: str) -> None:
    made = Evidence()
    upload = made.entry(0)
    made.land(upload)
    began, ends = (NOON + minute * MINUTE for minute in MARKS[name])
    made.table.put(mark_item(upload, 1, started_at=began, deadline=ends))
    assert only(made.verify(30), Defect.INSERTED).pk == upload.identity


def test_a_mark_of_a_bucket_that_cannot_be_is_inserted_and_one_of_another_bucket_is_a_remark() -> None:
    made = Evidence()
    upload = made.upload(0)
    made.table.put(mark_item(of_no_bucket(upload), 2, started_at=NOON, deadline=NOON))
    assert only(made.verify(1), Defect.INSERTED).sk == "2"
    made.table.put(mark_item(upload, 2, started_at=NOON, deadline=NOON + 15 * MINUTE))
    made.table.put(mark_item(upload._replace(bucket="another"), 1, started_at=NOON, deadline=NOON))
    verdict = made.verify(1)
    assert verdict.is_well
    assert verdict.remarks == ("Items about other buckets, each looked at by itself: 1.",)


def test_other_buckets_items_are_looked_at_by_themselves() -> None:
    made = Evidence()
    made.upload(0, bucket="another")
    made.versions.versions.clear()
    verdict = made.verify(300)
    assert verdict.is_well
    assert verdict.remarks == ("Items about other buckets, each looked at by itself: 1.",)


# -- seals


def test_a_receipt_of_a_sealed_hour_that_is_in_no_seal_is_told() -> None:
    made = Evidence(anchor=FakeCopies())
    made.upload(0)
    made.seal(DUE)
    late = made.upload(30)
    problem = only(made.verify(DUE), Defect.UNSEALED)
    assert (problem.pk, problem.why) == (late.identity, "made in a sealed hour, but in no seal: late, or inserted")
    made.seal(145)
    assert made.verify(145).is_well


def sealed_again(made: Evidence, last: Seal) -> Seal:
    """A next seal over what the last one covers: as of pages taken away while the sealing ran, and put back."""
    place = {"hour": last.hour + HOUR, "sealed_at": last.sealed_at + HOUR, "previous": last.seal_hash}
    again = replace(last, **place, anchor=None)  # type: ignore[arg-type]
    again = replace(again, anchor=made.anchor.sign(again))
    made.table.put(again.as_item())
    made.anchor.keep(again, [page for page in made.table.pages([line.root for line in again.pages]) if page])
    return again


@pytest.mark.parametrize("anchor", [FakeCopies, FakeSignatures, NoAnchor])
def test_receipts_that_were_sealed_twice_are_double_and_counted_twice_by_no_chain_that_is_well(anchor: Any) -> None:
    made = Evidence(anchor=anchor())
    uploads = [made.upload(0), made.upload(1)]
    sealed_again(made, made.seal(DUE)[-1])
    verdict = made.verify(DUE + 60)
    assert {problem.defect for problem in verdict.problems} == {Defect.DOUBLE}
    assert named(verdict) == keys(*uploads)


def test_what_came_after_an_early_seal_waits_for_the_next() -> None:
    made = Evidence()
    made.upload(0)
    made.seal(60, early=True)
    late = made.upload(59)
    verdict = made.verify(61)
    assert (verdict.is_well, verdict.counts["not_due"]) == (True, 1)
    item = made.table.things.pop((late.identity, 1))
    made.seal(145)
    made.table.put(item)
    assert only(made.verify(145), Defect.UNSEALED).pk == late.identity


@pytest.mark.parametrize("number", [10**11, 10**12, 10**13, 10**25, -1])
def test_a_seal_of_a_time_to_come_is_inserted(number: int) -> None:
    made = Evidence()
    made.upload(0)
    (seal,) = made.seal(DUE)
    made.table.put({**seal.as_item(), "sk": number})
    assert only(made.verify(DUE), Defect.INSERTED).sk == str(number)


@pytest.mark.parametrize("expires_at", [[1], {}, None, "x", True])
def test_a_page_with_no_time_to_live_that_is_a_time_is_altered(expires_at: Any) -> None:
    made = Evidence()
    made.upload(0)
    (seal,) = made.seal(DUE)
    made.table.things[page_key(seal.pages[0].root), 0]["expires_at"] = expires_at
    assert only(made.verify(DUE), Defect.ALTERED).pk == page_key(seal.pages[0].root)


@pytest.mark.parametrize("inspection", [0, -1, 10**30])
def test_a_page_that_names_an_impossible_inspection_is_altered(inspection: int) -> None:
    made = Evidence()
    made.upload(0)
    (seal,) = made.seal(DUE)
    made.table.things[page_key(seal.pages[0].root), 0]["leaves"][0][1] = inspection
    assert only(made.verify(DUE), Defect.ALTERED).pk == page_key(seal.pages[0].root)


@pytest.mark.parametrize(("name", "value"), [("late", False), ("anchor", None), ("anchor", {}), ("more", None)])
def test_no_seal_is_well_of_which_only_a_type_was_changed_or_a_null_was_added(name: str, value: Any) -> None:
    made = Evidence(anchor=FakeCopies())
    made.upload(0)
    (seal,) = made.seal(DUE)
    made.table.things[seals_key(BUCKET), seal.number][name] = value
    verdict = made.verify(DUE)
    assert {(problem.defect, problem.hour) for problem in verdict.problems} <= {
        (Defect.ALTERED, NOON),
        (Defect.REMOVED, NOON),
    }
    assert not verdict.is_well


# -- receipts that are not kept for ever


DAY = 1440


def test_an_upload_may_be_inspected_again_once_its_receipt_has_expired() -> None:
    made = Evidence(anchor=FakeCopies(), retention_days=30)
    upload = made.upload(0)
    made.seal(31 * DAY)
    made.table.remove((upload.identity, 1))
    made.record(upload, 31 * DAY + 2)
    verdict = made.verify(31 * DAY + 3)
    assert (verdict.is_well, verdict.counts["expired"], verdict.counts["not_due"]) == (True, 1, 1), verdict.problems
    made.seal(31 * DAY + 200)
    assert made.verify(31 * DAY + 200).is_well
    made.table.remove((upload.identity, 1))
    assert only(made.verify(31 * DAY + 200), Defect.REMOVED).pk == upload.identity


def test_a_sealed_receipt_with_another_in_its_place_is_altered_while_its_time_is_not_over() -> None:
    made = Evidence(retention_days=30)
    upload = made.upload(0)
    made.seal(DUE)
    made.record(upload, 90)
    assert only(made.verify(95), Defect.ALTERED).pk == upload.identity
    made.seal(31 * DAY)
    assert made.verify(31 * DAY).counts[Defect.ALTERED] == 1


def test_what_was_made_before_receipts_were_kept_for_ever_may_expire() -> None:
    made = Evidence(retention_days=30)
    made.upload(0)
    made.seal(DUE)
    upload = made.upload(70)
    made.retention_days = None
    made.seal(31 * DAY)
    made.table.remove((upload.identity, 1))
    made.versions.versions.clear()
    verdict = made.verify(31 * DAY)
    assert (verdict.is_well, verdict.counts["expired"]) == (True, 1), verdict.problems


@pytest.mark.parametrize("days", [90, None])
def test_what_expired_before_receipts_were_kept_longer_is_not_missing(days: int | None) -> None:
    made = Evidence(retention_days=30)
    upload = made.upload(0)
    made.seal(40 * DAY)
    made.table.remove((upload.identity, 1))
    made.retention_days = days
    verdict = made.verify(40 * DAY)
    assert (verdict.is_well, verdict.counts["expired"]) == (True, 2), verdict.problems


@pytest.mark.parametrize("days", [90, None])
def test_what_was_made_before_receipts_were_kept_for_less_outlives_its_page(days: int | None) -> None:
    made = Evidence(retention_days=days)
    made.upload(0)
    made.seal(DUE)
    upload = made.upload(70)
    made.retention_days = 30
    seals = made.seal(62 * DAY)
    made.table.remove((page_key(seals[0].pages[0].root), 0))
    verdict = made.verify(62 * DAY)
    assert (verdict.is_well, verdict.counts["uncompared"]) == (True, 1), (upload, verdict.problems)


def test_in_whatever_order_receipts_expire_the_rest_is_well() -> None:
    made = Evidence(retention_days=30)
    upload = made.upload(0, report=failure())
    made.upload(2, of=upload, inspection=2)
    made.seal(31 * DAY)
    made.table.remove((upload.identity, 2))
    assert made.verify(31 * DAY).is_well


# -- the sealing's time


def test_an_hour_that_nobody_seals_is_told_once_its_time_is_over() -> None:
    made = Evidence()
    made.upload(0)
    made.upload(1)
    assert made.verify(150).is_well
    assert made.verify(150).counts["not_due"] == 2
    verdict = made.verify(151)
    problem = only(verdict, Defect.UNSEALED)
    assert (problem.hour, verdict.counts["overdue"]) == (NOON, 2)


def test_a_chain_that_stops_is_told_even_if_nothing_was_uploaded_since() -> None:
    made = Evidence(anchor=FakeCopies())
    made.upload(0)
    made.seal(DUE)
    assert made.verify(210).is_well
    assert only(made.verify(211), Defect.UNSEALED).hour == NOON + HOUR


def test_what_was_sealed_and_is_gone_was_removed_unless_its_time_was_over() -> None:
    made = Evidence(anchor=FakeCopies(), retention_days=30)
    upload = made.upload(0)
    made.seal(DUE)
    made.versions.versions.clear()
    made.table.remove((upload.identity, 1))
    assert only(made.verify(DUE), Defect.REMOVED).pk == upload.identity
    made.seal(30 * 1440 + DUE)
    verdict = made.verify(30 * 1440 + DUE)
    assert (verdict.is_well, verdict.counts["expired"]) == (True, 1)


def test_pages_go_after_their_receipts() -> None:
    made = Evidence(retention_days=30)
    made.upload(0)
    made.seal(61 * 1440)
    made.versions.versions.clear()
    for key in [key for key in made.table.things if not key[0].startswith(("#seals", "#rollup"))]:
        made.table.remove(key)
    assert made.verify(61 * 1440).is_well


def last_of(made: Evidence) -> Seal:
    last = made.table.last(BUCKET)
    assert last
    return last


def test_a_seal_that_its_anchor_never_held_is_inserted() -> None:
    """A sealing keeps it there before it is in the ledger."""
    made = Evidence(anchor=FakeCopies())
    made.upload(0)
    made.seal(145)
    held = made.anchor.copies  # type: ignore[attr-defined]
    held.pop(max(held))
    assert only(made.verify(146), Defect.INSERTED).sk == str(last_of(made).number)


def test_a_last_seal_that_only_the_anchor_holds_is_told_until_the_next_sealing_puts_it_back() -> None:
    made = Evidence(anchor=FakeCopies())
    made.upload(0)
    made.seal(145)
    last = last_of(made)
    made.table.remove((seals_key(BUCKET), last.number))
    problem = only(made.verify(146), Defect.UNSEALED)
    assert (problem.sk, problem.why) == (str(last.number), AHEAD)
    assert made.seal(146) == [last]
    assert made.verify(146).is_well


@pytest.mark.parametrize(("anchor", "why"), [(FakeCopies, UNKNOWN), (FakeSignatures, NOT_SIGNED)])
@pytest.mark.parametrize("later", [False, True])
def test_a_beginning_that_its_anchor_does_not_know_is_altered_until_somebody_adopts_it(
    anchor: Any, why: str, later: bool
) -> None:
    made = Evidence()
    upload = made.upload(0)
    made.seal(145)
    made.anchor = anchor()
    last = last_of(made)
    problem = only(made.verify(146), Defect.ALTERED)
    assert (problem.sk, problem.why) == (str(last.number), why)
    made.seal(210, adopt=last.seal_hash)
    made.seal(270 if later else 210)
    verdict = made.verify(270 if later else 210)
    assert verdict.is_well, verdict.problems
    assert verdict.chain.standing is Standing.ANCHORED
    assert "Seals from 2026-11-23 12:00 to 2026-11-23 13:00 UTC" in verdict.remarks[0]
    assert "the seal of 2026-11-23 14:00 UTC adopt" in verdict.remarks[0]
    rewrite(made, upload)
    assert not made.verify(270 if later else 210).is_well


@pytest.mark.parametrize("anchor", [FakeCopies, FakeSignatures])
def test_an_anchor_may_be_laid_aside_and_taken_up_again_and_then_it_adopts(anchor: Any) -> None:
    made = Evidence(anchor=anchor())
    made.upload(0)
    made.seal(85)
    ours, made.anchor = made.anchor, NoAnchor()
    made.seal(145)
    made.anchor = ours
    assert not made.verify(146).is_well
    made.seal(210, adopt=last_of(made).seal_hash)
    for since in (None, *(NOON + ago * HOUR for ago in range(3))):
        assert made.verify(210, since=since).is_well


@pytest.mark.parametrize("anchor", [FakeCopies, FakeSignatures])
def test_a_seal_that_was_gone_on_from_without_being_adopted_is_told(anchor: Any) -> None:
    """As by a sealing that asks nobody."""
    made = Evidence()
    made.upload(0)
    (first,) = made.seal(85)
    made.anchor = anchor()
    seal = replace(first, hour=first.hour + HOUR, pages=(), tallies={}, rollups=(), previous=first.seal_hash)
    made.anchor.keep(seal, [])
    made.table.put_seal(replace(seal, anchor=made.anchor.sign(seal)))
    assert only(made.verify(145), Defect.ALTERED).sk == str(first.number)


def test_a_chain_that_was_cut_off_and_made_again_under_a_key_is_a_remark() -> None:
    """The key signs it as it signs anything: only its times are odd."""
    made = Evidence(anchor=FakeSignatures())
    made.upload(0)
    made.seal(1500)
    for key in [key for key in made.table.things if key[0].startswith("#")]:
        made.table.remove(key)
    assert made.verify(1500).remarks == ()
    made.seal(1600)
    verdict = made.verify(1600)
    assert verdict.is_well
    assert verdict.remarks == (
        "Seals made more than a day after their hour, as the sealing stood still, or was made to begin again: 1.",
    )


def test_a_signature_taken_from_any_seal_is_told() -> None:
    made = Evidence(anchor=FakeSignatures())
    made.upload(0)
    seals = made.seal(210)
    for seal in seals:
        before = made.table.snapshot()
        del made.table.things[seals_key(BUCKET), seal.number]["anchor"]
        assert only(made.verify(210), Defect.ALTERED).sk == str(seal.number)
        made.table.things = before


def test_keys_may_change_and_what_they_signed_stays_signed() -> None:
    made = Evidence()
    made.upload(0)
    made.seal(85)
    made.anchor = FakeSignatures(key="old")
    made.seal(145, adopt=last_of(made).seal_hash)
    assert made.verify(145).is_well
    made.anchor = FakeSignatures()
    assert not made.verify(145).is_well
    made.seal(210, adopt=last_of(made).seal_hash)
    verdict = made.verify(210)
    assert verdict.is_well, verdict.problems
    assert len(verdict.remarks) == 1


def rewrite(made: Evidence, upload: Entry) -> None:
    """Alter a sealed receipt, and everything over it, so that each seal agrees with itself."""
    item = made.table.things[upload.identity, 1]
    item["size"] = 7
    item["content_hash"] = content_hash(
        {name: value for name, value in from_item(item).items() if name != "content_hash"}
    )
    for key in [key for key in made.table.things if key[0].startswith(("#page", "#rollup"))]:
        made.table.remove(key)
    seals = [made.table.things.pop(key) for key in sorted(made.table.things) if key[0] == seals_key(BUCKET)]
    anchor, made.anchor = made.anchor, NoAnchor()
    first = Seal.from_item(seals[0])
    made.seal(int((first.sealed_at - NOON) / MINUTE))
    made.anchor = anchor
    for seal in seals[len([key for key in made.table.things if key[0] == seals_key(BUCKET)]) :]:
        made.table.put(seal)


def test_a_page_that_calls_a_receipt_otherwise_is_blamed_and_no_receipt_is() -> None:
    """Its root is right; its content hash is not."""
    made = Evidence()
    made.upload(0)
    (seal,) = made.seal(DUE)
    key = (page_key(seal.pages[0].root), 0)
    made.table.things[key]["leaves"][0][0] = f"{BUCKET}/other#v"
    verdict = made.verify(DUE)
    problem = only(verdict, Defect.ALTERED)
    assert (problem.pk, problem.hour, problem.why) == (key[0], NOON, "it is not as its seal says")
    assert verdict.counts["uncompared"] == 1


def test_a_copys_page_that_calls_a_receipt_otherwise_counts_for_nothing() -> None:
    made = Evidence(anchor=FakeCopies())
    made.upload(0)
    (seal,) = made.seal(DUE)
    held = made.anchor.copies[seal.number]["pages"]  # type: ignore[attr-defined]
    held[0]["leaves"][0][0] = f"{BUCKET}/other#v"
    assert made.verify(DUE).is_well


def test_counts_that_are_not_those_of_the_receipts_are_told_though_the_chain_is_consistent() -> None:
    made = Evidence()
    made.upload(0)
    (seal,) = made.seal(DUE)
    wrong = replace(seal, tallies={NOON: {"succeeded": 2}})
    made.table.put(wrong.as_item())
    problem = only(made.verify(DUE), Defect.ALTERED)
    assert (problem.hour, problem.why) == (NOON, "its counts are not those of its receipts")


def test_receipts_under_a_damaged_seal_are_counted_and_not_accused() -> None:
    made = Evidence()
    made.upload(0)
    made.upload(1)
    (seal,) = made.seal(DUE)
    made.table.things[seals_key(BUCKET), seal.number]["closes"] = "?"
    verdict = made.verify(DUE)
    assert only(verdict, Defect.ALTERED).hour == NOON
    assert verdict.counts["uncompared"] == 2
    assert verdict.chain.standing is Standing.BROKEN


def test_a_page_that_no_seal_names_is_a_remark() -> None:
    made = Evidence()
    made.table.put_page(Page(bucket=BUCKET, hour=NOON, leaves=()))
    assert made.verify(1).is_well
    assert "in no seal" in made.verify(1).remarks[0]


# -- since


def test_since_a_time_only_what_was_made_since_is_looked_at_and_the_chain_as_a_whole() -> None:
    made = Evidence(anchor=FakeCopies())
    old, new = made.upload(0), made.upload(100)
    crashed = made.upload(101, report=crash())
    made.upload(102, of=crashed, inspection=2)
    (first, *_) = made.seal(150)
    since = NOON + 90 * MINUTE
    verdict = made.verify(150, since=since)
    assert verdict.is_well, verdict.problems
    assert (verdict.counts["uploads"], verdict.counts["receipts"], verdict.since) == (2, 3, NOON + HOUR)
    made.table.things[old.identity, 1]["size"] = 7
    assert made.verify(150, since=since).is_well
    made.table.things[new.identity, 1]["size"] = 7
    made.table.remove((crashed.identity, 1))
    assert named(made.verify(150, since=since)) == keys(new, crashed)
    made.table.remove((seals_key(BUCKET), first.number))
    assert Standing.BROKEN is made.verify(150, since=since).chain.standing


def test_since_a_time_a_removed_receipt_and_a_lost_upload_are_found() -> None:
    made = Evidence(anchor=FakeCopies())
    made.upload(0)
    removed, lost = made.upload(100), made.entry(101)
    made.land(lost)
    made.seal(150)
    made.table.remove((removed.identity, 1))
    verdict = made.verify(150, since=NOON + HOUR)
    assert {(problem.defect, problem.pk) for problem in verdict.problems} == {
        (Defect.REMOVED, removed.identity),
        (Defect.MISSING, lost.identity),
    }


def test_ten_thousand_versions_of_one_key_are_sealed_and_well() -> None:
    made = Evidence(anchor=FakeCopies())
    for number in range(10_000):
        made.upload(number // 170, key="k")
    made.seal(DUE)
    verdict = made.verify(DUE)
    assert (verdict.problems, verdict.counts["receipts"], verdict.counts["not_due"]) == ((), 10_000, 0)


# -- AWS


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with simulated_aws(monkeypatch) as made:
        yield made


def test_a_ledger_on_aws_is_read_as_it_is(world: World) -> None:
    for number in range(3):
        world.ledger.record(receipt(entry_of(events.record(f"{number}.csv")), report=failure()))
    evidence = DynamoEvidence(world.dynamodb, LOCAL.table)
    found = {(item["pk"], item["sk"]): item for item in evidence.everything()}
    assert len(found) == 3
    assert set(evidence.recent(BUCKET, NOON, NOON + HOUR)) == found.keys()
    assert set(evidence.recent(BUCKET, NOON + MINUTE, NOON + HOUR)) == set()
    asked = [*found, ("nothing", 1)] * BATCH
    assert list(evidence.items(asked)) == [found.get(key) for key in asked]
    assert evidence.size() == 3


def test_a_number_that_is_not_whole_is_an_alteration(world: World) -> None:
    """Read as a whole number, 5.5 bytes would be the 5 that were recorded."""
    made = receipt(entry_of(events.record(size=5)))
    world.ledger.record(made)
    world.dynamodb.update_item(
        TableName=LOCAL.table,
        Key=encoded({"pk": made.entry.identity, "sk": 1}),
        UpdateExpression="SET #size = :size",
        ExpressionAttributeNames={"#size": "size"},
        ExpressionAttributeValues=encoded({":size": Decimal("5.5")}),
    )
    verification = Verification(ledger=DynamoEvidence(world.dynamodb, LOCAL.table), versions=S3Versions(world.s3))
    assert only(verification.verdict(BUCKET, now=NOON + MINUTE), Defect.ALTERED).pk == made.entry.identity


def test_a_signature_is_the_stages_anothers_or_nobodys(world: World) -> None:  # noqa: ARG001 - it is there
    kms = wiring.client("kms")
    ours, others = (
        kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"] for _ in range(2)
    )
    kms.create_alias(AliasName="alias/seals", TargetKeyId=ours)
    made = Evidence()
    made.upload(0)
    (seal,) = made.seal(DUE)
    signatures = KmsSignatures(kms, "alias/seals")
    good = KmsAnchor(kms, "alias/seals").sign(seal)
    assert signatures.signer(seal.seal_hash, good) is Signer.STAGE
    assert signatures.signer(seal.seal_hash, KmsAnchor(kms, others).sign(seal)) is Signer.OTHER
    assert signatures.signer("0" * 64, good) is Signer.NOBODY
    for name in good:
        for forged in ({**good, name: ""}, {**good, name: f"{good[name]}x"}, {**good, "more": "x"}):
            assert signatures.signer(seal.seal_hash, forged) is Signer.NOBODY
        assert signatures.signer(seal.seal_hash, {one: good[one] for one in good if one != name}) is Signer.NOBODY


def test_an_uploaded_recorded_and_sealed_world_on_aws_is_well(world: World) -> None:
    world.s3.create_bucket(Bucket="seals", ObjectLockEnabledForBucket=True)
    anchor = LockedBucketAnchor(world.s3, "seals")
    entries = [entry_of(world.upload(f"{number}.csv", b"a,b\n1,2\n")) for number in range(3)]
    made = Evidence(anchor=anchor)
    for entry in entries:
        made.record(entry, 0)
    made.seal(DUE)
    for item in made.table.things.values():
        world.dynamodb.put_item(TableName=LOCAL.table, Item=encoded(item))
    verification = Verification(
        ledger=DynamoEvidence(world.dynamodb, LOCAL.table),
        versions=S3Versions(world.s3),
        copies=anchor,
        anchor="s3://seals/",
    )
    verdict = verification.verdict(BUCKET, now=NOON + DUE * MINUTE)
    assert verdict.is_well, verdict.problems
    assert (verdict.counts["uploads"], verdict.counts["receipts"], verdict.chain.standing) == (3, 3, "anchored")


def test_the_fake_of_a_ledger_reads_as_aws_does(world: World) -> None:
    made = Evidence()
    crashed = made.upload(0, report=crash())
    made.upload(70, of=crashed, inspection=2)
    made.seal(150)
    for item in made.table.things.values():
        world.dynamodb.put_item(TableName=LOCAL.table, Item=encoded(item))
    fake, real = FakeEvidence(made.table), DynamoEvidence(world.dynamodb, LOCAL.table)
    assert list(fake.seals(BUCKET)) == list(real.seals(BUCKET))
    for since in (NOON, NOON + HOUR):
        assert set(fake.recent(BUCKET, since, NOON + 3 * HOUR)) == set(real.recent(BUCKET, since, NOON + 3 * HOUR))
    asked = [*made.table.things, ("nothing", 1)]
    assert list(fake.items(asked)) == list(real.items(asked))


@dataclass
class SealedMeanwhile(FakeCopies):
    """An anchor that is read just when the hourly sealing runs."""

    sealing: Callable[[], object] | None = None

    def kept(self, bucket: str, *, since: int | None = None) -> Iterator[tuple[int, Mapping[str, Any]]]:
        if self.sealing:
            self.sealing()
        return super().kept(bucket, since=since)


def test_a_seal_that_is_made_while_verify_reads_is_not_called_removed() -> None:
    anchor = SealedMeanwhile()
    made = Evidence(anchor=anchor)
    made.upload(5)
    made.seal(80)
    made.upload(70)
    anchor.sealing = lambda: made.seal(140)
    verdict = made.verify(139)
    assert verdict.is_well, verdict.problems
    anchor.sealing = None
    for gone in sorted(anchor.copies)[-2:]:
        made.table.remove((seals_key(BUCKET), gone))
    assert [problem.defect for problem in made.verify(141).problems] == [Defect.REMOVED] * 2


@dataclass
class BetweenTwoWrites(FakeEvidence):
    """A ledger that is read while a seal is in the anchor, and just about to be put into the ledger."""

    put: Callable[[], object] | None = None

    def everything(self) -> Iterator[Item]:
        if self.put:
            self.put()
        return super().everything()


def test_a_seal_on_its_way_from_the_anchor_to_the_ledger_is_not_called_removed() -> None:
    made = Evidence(anchor=FakeCopies())
    made.upload(5)
    made.seal(80)
    made.upload(70)
    (last,) = made.seal(140)
    made.table.remove((seals_key(BUCKET), last.number))
    ledger = BetweenTwoWrites(made.table, put=lambda: made.table.put_seal(last))
    verdict = replace(made.verification, ledger=ledger).verdict(BUCKET, now=NOON + 140 * MINUTE)
    assert verdict.is_well, verdict.problems
