"""Bucket against ledger: what lacks a final receipt is asked for, whatever happens in between, and nothing else."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.listing import ListedVersion, entry_of_version
from chalicelib.progress import OVERLAP, WHOLE_AFTER
from chalicelib.receipts import MAX_TRIES
from chalicelib.reconcile import (
    EXPIRY_MARGIN,
    MIN_AGE,
    next_inspection,
)
from chalicelib.scheduled import REQUESTS_PER_RUN
from chalicelib.uploads import Entry, Kind, entry_of, iso
from chalicelib.wanted import NotVersionedError, OutOfTimeError, Reason, Run, Scope, Step
from tests import events
from tests.events import BUCKET
from tests.fakes import NOON, FakeWorld
from tests.receipts import crash, receipt
from tests.reconciling import (
    HOUR,
    LANDED,
    MINUTE,
    CrashError,
    Surroundings,
    died,
    entry,
    everything,
    failed,
    listed,
    surroundings,
    told,
)

# -- what is wanted


def test_a_version_without_a_receipt_is_wanted_whatever_became_of_its_event() -> None:
    found = surroundings(listed("old.csv"), listed("sales/lost.csv"))
    assert found.wanted() == [("old.csv v1", 1, Reason.MISSING), ("sales/lost.csv v1", 1, Reason.MISSING)]


def test_a_version_with_a_receipt_is_not_wanted_whatever_the_verdict() -> None:
    found = surroundings(listed("good.csv"), listed("bad.csv"), listed("gone.csv"))
    found.world.inbox.objects |= {"bad.csv": b"a,b\n1\n"}
    del found.world.inbox.objects["gone.csv"]
    for version in found.versions:
        found.world.intake.take(entry_of_version(BUCKET, version))
    assert found.wanted() == []


def test_a_delete_marker_without_its_entry_is_wanted_beside_the_upload_below_it() -> None:
    found = surroundings(listed("a.csv", "v2", kind=Kind.DELETE_MARKER), listed("a.csv", "v1", at=LANDED - HOUR))
    assert found.wanted() == [("a.csv v2", 1, Reason.MISSING), ("a.csv v1", 1, Reason.MISSING)]
    found.run()
    found.inspect()
    assert {made["kind"] for made in found.world.receipts} == {"upload", "delete-marker"}
    assert found.wanted() == []


def test_a_delete_marker_whose_event_came_has_no_second_entry() -> None:
    found = surroundings(listed("a.csv", "v2", kind=Kind.DELETE_MARKER))
    found.world.intake.take(entry_of(events.delete_marker("a.csv", version_id="v2")))
    assert found.wanted() == []


def test_a_delete_marker_of_a_time_without_versions_is_left_to_its_event_which_alone_names_it() -> None:
    found = surroundings(listed("a.csv", "null", kind=Kind.DELETE_MARKER))
    assert found.wanted() == []


def test_an_upload_of_a_time_without_versions_is_known_by_its_etag() -> None:
    found = surroundings(listed("a.csv", "null"), listed("b.csv", "null"))
    found.world.intake.take(entry_of(events.record("a.csv", version_id="null", etag="e1")))
    assert found.wanted() == [("b.csv null", 1, Reason.MISSING)]


@pytest.mark.parametrize(
    ("status", "why"), [("", "keeps no versions"), ("Suspended", "has its versioning suspended"), ("Else", "Else")]
)
def test_a_bucket_whose_versioning_is_not_enabled_is_refused_before_anything_is_asked_for(
    status: str, why: str
) -> None:
    """Its listing cannot name what its events announced: uploads would have a second receipt, or none."""
    found = surroundings(listed("a.csv", "null"), status=status)
    died(found.world.ledger, entry("dead.csv"))
    with pytest.raises(NotVersionedError, match=f"The bucket {BUCKET} {why}.*Status=Enabled` enables it"):
        found.wanted()
    with pytest.raises(NotVersionedError):
        list(found.reconciliation.missing(everything()))


def test_an_inspection_that_died_is_wanted_by_its_own_number() -> None:
    found = surroundings(listed("a.csv"), listed("b.csv"))
    died(found.world.ledger, entry("a.csv"))
    failed(found.world.ledger, entry("b.csv"))
    died(found.world.ledger, entry("b.csv"), inspection=2)
    assert found.wanted() == [("a.csv v1", 1, Reason.DIED), ("b.csv v1", 2, Reason.DIED)]


def test_an_inspection_that_is_going_on_is_left_alone() -> None:
    found = surroundings(listed("a.csv"))
    died(found.world.ledger, entry("a.csv"), deadline=NOON + MINUTE)
    assert found.wanted() == []


@pytest.mark.parametrize("times", range(1, MAX_TRIES))
def test_a_failure_of_recibo_itself_is_wanted_again_by_the_next_number(times: int) -> None:
    found = surroundings(listed("a.csv"))
    failed(found.world.ledger, entry("a.csv"), times=times)
    assert found.wanted() == [("a.csv v1", times + 1, Reason.SYSTEM)]


def test_a_failure_of_recibo_itself_is_given_up_after_its_last_try_and_costs_no_look_any_more() -> None:
    found = surroundings(listed("a.csv"))
    failed(found.world.ledger, entry("a.csv"), times=MAX_TRIES)
    assert list(found.reconciliation.again(everything(), now=NOON)) == []


def test_a_person_may_retry_what_was_given_up_and_it_is_a_first_try_again() -> None:
    found = surroundings(listed("a.csv"))
    failed(found.world.ledger, entry("a.csv"), times=MAX_TRIES)
    found.world.inbox.objects["bad.csv"] = b"a,b\n1\n"
    found.world.intake.take(entry("bad.csv"))
    wanted = [one for step in found.reconciliation.retries(everything(), now=NOON) for one in step.wanted]
    assert [(*told(one), one.tries) for one in wanted] == [("a.csv v1", MAX_TRIES + 1, Reason.SYSTEM, 1)]


def test_a_person_retries_what_is_not_given_up_yet_and_what_died_once_each() -> None:
    found = surroundings(listed("a.csv"), listed("b.csv"), listed("other.csv"))
    for name in ("b.csv", "other.csv"):
        failed(found.world.ledger, entry(name), times=2)
    died(found.world.ledger, entry("a.csv"))
    steps = found.reconciliation.retries(Scope(bucket=BUCKET, until=NOON, prefix=""), now=NOON)
    assert sorted((told(one), one.tries) for step in steps for one in step.wanted) == [
        (("a.csv v1", 1, Reason.DIED), 1),
        (("b.csv v1", 3, Reason.SYSTEM), 1),
        (("other.csv v1", 3, Reason.SYSTEM), 1),
    ]


def test_what_a_person_asked_for_does_not_use_up_the_tries_of_recibo() -> None:
    found = surroundings(listed("a.csv"))
    for _ in range(MAX_TRIES + 1):
        wanted = next_inspection(found, entry("a.csv"))
        found.request(wanted.entry, wanted.inspection, tries=wanted.tries)
        found.inspect()
    found.world.ledger.record(receipt(entry("a.csv"), report=crash(), inspection=MAX_TRIES + 2, at=NOON - MINUTE))
    assert found.wanted() == [("a.csv v1", MAX_TRIES + 3, Reason.SYSTEM)]


def test_a_failure_without_the_number_of_its_try_is_a_first_one() -> None:
    """Receipts of version 1 have none."""
    found = surroundings(listed("a.csv"))
    failed(found.world.ledger, entry("a.csv"))
    del found.world.ledger.items[entry("a.csv").identity, 1]["tries"]
    assert found.wanted() == [("a.csv v1", 2, Reason.SYSTEM)]


def test_an_inspection_that_died_keeps_the_number_of_its_try() -> None:
    found = surroundings(listed("a.csv"))
    failed(found.world.ledger, entry("a.csv"), times=3)
    ends = NOON - MINUTE
    found.world.ledger.mark(entry("a.csv"), inspection=4, tries=4, started_at=ends - HOUR / 4, deadline=ends)
    (wanted,) = (one for step in found.reconciliation.again(everything(), now=NOON) for one in step.wanted)
    assert (wanted.inspection, wanted.reason, wanted.tries) == (4, Reason.DIED, 4)


def test_what_waits_longest_is_asked_for_first() -> None:
    """So that nothing that fails again and again keeps another from its turn."""
    found = surroundings(*(listed(name) for name in "abc"))
    for number, name in enumerate("bca"):
        failed(found.world.ledger, entry(name), at=NOON - HOUR + number * MINUTE)
    assert [key for key, _, _ in found.wanted()] == ["b v1", "c v1", "a v1"]


def test_an_inspection_that_always_fails_is_tried_as_often_as_is_said_and_then_left() -> None:
    found = surroundings(listed("a.csv"))
    found.world.inbox.objects["a.csv"] = RuntimeError("a bug")
    found.world.intake.give_up(entry("a.csv"), reason="a bug", request_id="r")
    runs = []
    for hour in range(1, 7):
        found.world.clock.time = NOON + hour * HOUR
        runs.append(found.run(now=found.world.clock.time))
        found.inspect()
    assert [run.system for run in runs] == [1, 1, 1, 0, 0, 0]
    assert [made["tries"] for made in found.world.receipts] == [1, 2, 3, 4]
    assert [made["inspection"] for made in found.world.receipts] == [1, 2, 3, 4]


def test_a_failure_that_another_inspection_mended_is_not_wanted_again() -> None:
    found = surroundings(listed("a.csv"))
    failed(found.world.ledger, entry("a.csv"))
    found.run()
    found.inspect()
    assert [made["status"] for made in found.world.receipts] == ["failed", "succeeded"]
    assert found.wanted(now=NOON + HOUR) == []


@pytest.mark.parametrize("state", ["mended", "marked again", "gone", "judged"])
def test_an_entry_of_the_index_that_is_stale_asks_for_nothing(state: str) -> None:
    """An index may show what is no longer so."""
    found = surroundings(listed("a.csv"))
    ledger, upload = found.world.ledger, entry("a.csv")
    if state == "mended":
        failed(ledger, upload)
        ledger.record(receipt(upload, inspection=2))
    if state == "marked again":
        died(ledger, upload, deadline=NOON + MINUTE)
    if state == "judged":
        ledger.record(receipt(upload))
    found.due = lambda *_: iter([(upload.identity, 1)])  # type: ignore[method-assign]
    assert list(found.reconciliation.again(everything(), now=NOON)) == [Step()]


# -- the scope


def test_a_prefix_bounds_all_that_is_looked_at() -> None:
    found = surroundings(*(listed(f"{place}/{name}.csv") for place in "ab" for name in ("died", "failed", "missing")))
    for place in "ab":
        died(found.world.ledger, entry(f"{place}/died.csv"))
        failed(found.world.ledger, entry(f"{place}/failed.csv"))
    wanted = found.wanted(Scope(bucket=BUCKET, prefix="b/", until=NOON))
    assert sorted(key for key, _, _ in wanted) == ["b/died.csv v1", "b/failed.csv v1", "b/missing.csv v1"]


@pytest.mark.parametrize(
    ("at", "is_wanted"), [(-2 * HOUR - MINUTE, False), (-2 * HOUR, True), (-HOUR - MINUTE, True), (-HOUR, False)]
)
def test_only_what_landed_in_the_scope_is_wanted(at: timedelta, is_wanted: bool) -> None:
    versions = [listed(name, at=NOON + at) for name in ("died.csv", "failed.csv", "missing.csv")]
    found = surroundings(*versions)
    died(found.world.ledger, entry("died.csv", at=NOON + at))
    failed(found.world.ledger, entry("failed.csv", at=NOON + at))
    wanted = found.wanted(Scope(bucket=BUCKET, since=NOON - 2 * HOUR, until=NOON - HOUR))
    assert len(wanted) == (3 if is_wanted else 0)


def test_the_ledger_is_not_asked_about_what_landed_before_the_scope() -> None:
    found = surroundings(*(listed(f"{number:03}", at=NOON - number * HOUR) for number in range(1, 11)))
    asked: list[str] = []
    known = found.known
    found.known = lambda entries, **_: known(asked.append(one.key) or one for one in entries)  # type: ignore[func-returns-value, method-assign]
    found.wanted(Scope(bucket=BUCKET, since=NOON - 3 * HOUR, until=NOON))
    assert asked == ["001", "002", "003"]


def test_a_scope_that_begins_within_a_second_wants_nothing_of_what_it_did_not_ask_the_ledger_about() -> None:
    """Of two versions in one second the newer is given the second's end, which may lie in the scope."""
    found = surroundings(listed("a.csv", "v2"), listed("a.csv", "v1"))
    assert found.wanted(Scope(bucket=BUCKET, since=LANDED + timedelta(milliseconds=500), until=NOON)) == []


def test_a_thousand_recorded_versions_cost_one_listing_and_one_question_to_the_ledger() -> None:
    """What the question costs, ten calls of BatchGetItem, is counted on the simulated AWS."""
    found = surroundings(*(listed(f"{number:04}") for number in range(3_000)))
    for version in found.versions:
        found.world.ledger.record(receipt(entry_of_version(BUCKET, version)))
    assert found.wanted() == []
    assert found.calls == ["is_versioned", "due", "is_versioned", *["list", "known"] * 3]


def test_ten_thousand_versions_of_one_key_are_found_by_runs_that_have_time_for_few_pages() -> None:
    """In S3's order and with times that keep it, wherever a run goes on."""
    found = surroundings(*(listed("k", f"v{number:05}", LANDED - number // 2_000 * MINUTE) for number in range(10_000)))
    runs = [found.run(turns=2_500) for _ in range(5)]
    assert [run.is_complete for run in runs] == [False] * 4 + [True]
    entries = {one.entry.version_id: one.entry for one in found.asked}
    assert len(entries) == 10_000
    assert [one.version_id for one in sorted(entries.values(), key=lambda one: one.place, reverse=True)] == [
        version.version_id for version in found.versions
    ]


# -- another inspection, asked for by a person


def test_a_person_asks_for_the_first_inspection_of_what_has_none() -> None:
    assert next_inspection(surroundings(), entry("a.csv")).inspection == 1


def test_a_person_asks_for_one_more_inspection_of_what_has_some() -> None:
    found = surroundings()
    told = entry_of(events.record("a.csv", version_id="v1"))
    found.world.ledger.record(receipt(told))
    wanted = next_inspection(found, entry("a.csv"))
    assert (wanted.inspection, wanted.entry, wanted.reason) == (2, told, Reason.ASKED)


def test_a_person_who_asks_while_an_inspection_goes_on_has_that_one() -> None:
    found = surroundings()
    died(found.world.ledger, entry("a.csv"), deadline=NOON + MINUTE)
    assert next_inspection(found, entry("a.csv")).inspection == 1


# -- scheduled runs


def test_a_run_asks_for_what_is_wanted_and_says_what_it_did() -> None:
    found = surroundings(*(listed(name) for name in ("dead", "failed", "missing", "tried")), page=2)
    died(found.world.ledger, entry("dead"))
    failed(found.world.ledger, entry("failed"))
    failed(found.world.ledger, entry("tried"), times=MAX_TRIES)
    assert found.run() == Run(listed=4, missing=1, died=1, system=1)
    assert {(one.entry.key, one.inspection) for one in found.asked} == {("dead", 1), ("failed", 2), ("missing", 1)}
    found.inspect()
    found.world.clock.time = NOON + HOUR
    assert found.run(now=NOON + HOUR) == Run(listed=4)
    assert found.unfinished == set()


def test_what_has_just_landed_is_left_to_its_event() -> None:
    found = surroundings(listed("young", at=NOON - MIN_AGE), listed("old", at=NOON - MIN_AGE - MINUTE))
    found.run()
    assert [one.entry.key for one in found.asked] == ["old"]


def test_a_run_after_a_complete_one_looks_only_at_what_is_new_and_at_the_overlap() -> None:
    """Whoever began an upload in parts a week ago may end it today: S3 dates it a week ago."""
    now = NOON + timedelta(days=30)
    versions = [listed("in parts", at=NOON), listed("long ago", at=NOON - MINUTE), listed("new", at=now - HOUR)]
    found = surroundings(*versions)
    found.note = {"through": iso(NOON + OVERLAP), "whole_at": iso(now - WHOLE_AFTER + MINUTE)}
    found.run(now=now)
    assert [one.entry.key for one in found.asked] == ["in parts", "new"]


def test_what_was_asked_for_and_lost_is_asked_for_again_however_old_it_is() -> None:
    """An asynchronous invocation may be lost as an event may."""
    found = surroundings(listed("old", at=NOON - timedelta(days=30)))
    for hour in range(3):
        assert found.run(now=NOON + hour * HOUR).missing == 1
        found.asked.clear()
    found.run(now=NOON + 3 * HOUR)
    found.inspect()
    assert found.run(now=NOON + 4 * HOUR).missing == 0
    assert found.note == {"through": iso(NOON + 4 * HOUR), "whole_at": iso(NOON + 4 * HOUR)}


def test_a_version_that_appears_with_an_old_date_is_found_within_a_week() -> None:
    """A replica has the date of its source."""
    found = surroundings()
    found.run()
    found.versions = [listed("replica", at=NOON - timedelta(days=20))]
    day = next(day for day in range(1, 30) if found.run(now=NOON + day * timedelta(days=1)).missing)
    assert day == WHOLE_AFTER.days


FUTURE = iso(NOON + timedelta(days=9_999))
NO_NOTES: list[dict[str, Any]] = [
    {"through": FUTURE},
    {"through": "x"},
    {"begun_at": FUTURE, "after": {"key": "z"}},
    {"after": {"key": "z"}},
    {"begun_at": iso(NOON), "after": 7},
]


@pytest.mark.parametrize("note", NO_NOTES)
def test_a_note_from_the_future_or_none_at_all_hides_no_lost_event(note: dict[str, Any]) -> None:
    found = surroundings(listed("a.csv"), note=note)
    assert found.run().missing == 1
    assert found.note == {"through": iso(NOON), "whole_at": iso(NOON)}


def test_what_may_have_lost_its_receipt_by_its_age_is_not_inspected_again() -> None:
    retention = timedelta(days=30)
    oldest = NOON - retention + EXPIRY_MARGIN
    found = surroundings(listed("expired", at=oldest - MINUTE), listed("kept", at=oldest))
    found.run(retention=retention)
    assert [one.entry.key for one in found.asked] == ["kept"]


def test_a_failure_of_recibo_itself_is_tried_again_however_long_ago_the_upload_was() -> None:
    found = surroundings(listed("a.csv", at=NOON - timedelta(days=20)))
    failed(found.world.ledger, entry("a.csv", at=NOON - timedelta(days=20)))
    found.note = {"through": iso(NOON - HOUR)}
    assert found.run().system == 1


def test_a_run_goes_on_where_the_last_one_had_no_more_time() -> None:
    found = surroundings(*(listed(f"{number:02}") for number in range(10)), page=3)
    assert found.run(turns=3) == Run(listed=3, missing=3, is_complete=False)
    found.inspect()
    assert found.run(now=NOON + HOUR) == Run(listed=7, missing=7)
    found.inspect()
    assert found.unfinished == set()
    assert found.note == {"through": iso(NOON), "whole_at": iso(NOON)}, "the pass began with the first run"


def cut_off(*versions: ListedVersion, at: int) -> Surroundings:
    """A bucket whose run ended after a page of so many versions."""
    found = surroundings(*versions, page=at)
    assert not found.run(turns=at).is_complete
    found.inspect()
    found.page = 1_000
    return found


@pytest.mark.parametrize("gone", [["b v2"], ["b v2", "b v1"], ["b v3", "b v2", "b v1"], ["c v1"], []])
def test_a_run_goes_on_though_the_version_where_the_last_one_stopped_is_gone(gone: list[str]) -> None:
    versions = [
        listed(key, version)
        for key, version in [("a", "v1"), ("b", "v3"), ("b", "v2"), ("b", "v1"), ("b2", "v1"), ("c", "v1")]
    ]
    found = cut_off(*versions, at=3)
    assert found.note["after"]["version_id"] == "v2"
    found.versions = [one for one in versions if f"{one.key} {one.version_id}" not in gone]
    assert found.run(now=NOON + HOUR).is_complete
    found.inspect()
    assert found.unfinished == set()


def test_what_is_newer_than_a_version_that_is_gone_keeps_its_place() -> None:
    """The time of the one that is gone is no bound for what a look from the key's beginning finds."""
    found = cut_off(listed("k", "v3"), listed("k", "v2"), listed("k", "v1"), at=2)
    del found.versions[1]
    found.versions.insert(0, listed("k", "v4", LANDED + MINUTE))
    found.run(now=NOON + HOUR)
    places = {one.entry.version_id: one.entry.uploaded_at for one in found.asked}
    assert places["v4"] == LANDED + MINUTE


def test_a_run_out_of_time_within_a_page_leaves_that_page_to_the_next() -> None:
    found = surroundings(*(listed(f"{number:02}") for number in range(10)), page=5)
    done = found.run(turns=2)
    assert (done.missing, done.is_complete) == (2, False)
    assert "after" not in found.note
    found.inspect()
    assert found.run(now=NOON + HOUR).missing == 8


def test_a_run_asks_for_no_more_than_its_share() -> None:
    found = surroundings(*(listed(f"{number:05}") for number in range(REQUESTS_PER_RUN + 2_500)))
    done = found.run()
    assert (done.missing, done.is_complete) == (REQUESTS_PER_RUN, False)
    assert found.run(now=NOON + HOUR).missing == 2_500


def test_failures_without_end_do_not_keep_lost_events_from_being_found() -> None:
    found = surroundings(*(listed(f"{number:05}") for number in range(REQUESTS_PER_RUN)), listed("lost"))
    for version in found.versions[:-1]:
        died(found.world.ledger, entry_of_version(BUCKET, version))
    done = found.run()
    assert (done.died, done.missing, done.is_complete) == (REQUESTS_PER_RUN // 2, 1, False)


def test_failures_that_take_their_time_leave_half_of_it_to_lost_events() -> None:
    found = surroundings(*(listed(f"{number}") for number in range(5)), listed("lost"))
    for version in found.versions[:-1]:
        died(found.world.ledger, entry_of_version(BUCKET, version))
    assert found.run(half=3) == Run(listed=6, died=2, missing=1, is_complete=False)


def test_what_was_given_up_takes_no_time_from_lost_events() -> None:
    found = surroundings(*(listed(f"{number}") for number in range(5)), listed("lost"))
    for version in found.versions[:-1]:
        failed(found.world.ledger, entry_of_version(BUCKET, version), times=MAX_TRIES)
    assert found.run(turns=1) == Run(listed=6, missing=1)
    assert "current" not in found.calls


def test_a_ledger_that_does_not_answer_in_time_leaves_the_rest_to_the_next_run() -> None:
    found = surroundings(*(listed(f"{number}") for number in range(6)), page=2)
    known, asked = found.known, itertools.count()

    def out_of_capacity(*entries: Any, **more: Any) -> Any:
        if next(asked) == 2:
            raise OutOfTimeError
        return known(*entries, **more)

    found.known = out_of_capacity  # type: ignore[method-assign]
    assert found.run() == Run(listed=2, missing=2, is_complete=False)
    found.inspect()
    assert found.run(now=NOON + HOUR) == Run(listed=4, missing=4)


def test_an_empty_bucket_is_through_at_once() -> None:
    found = surroundings()
    assert found.run() == Run()
    assert found.note == {"through": iso(NOON), "whole_at": iso(NOON)}


# -- laws


KINDS = st.sampled_from([Kind.UPLOAD, Kind.UPLOAD, Kind.DELETE_MARKER])
STATES = st.sampled_from(["missing", "missing", "recorded", "died", "failed"])


@st.composite
def buckets(draw: st.DrawFn) -> Surroundings:
    """A bucket of a few keys with some versions each, in every state, at any page size."""
    versions, states = [], []
    for key in draw(st.sampled_from([[], ["k"], ["a", "b", "k/é +%"]])):
        for number, kind in enumerate(draw(st.lists(KINDS, max_size=5))):
            versions.append(listed(key, f"v{number}", LANDED - number * timedelta(seconds=1), kind))
            states.append(draw(STATES))
    found = surroundings(*versions, page=draw(st.integers(1, 4)), is_prompt=draw(st.booleans()))
    for version, state in zip(versions, states, strict=True):
        _bring(found.world, entry_of_version(BUCKET, version), state)
    return found


def _bring(world: FakeWorld, one: Entry, state: str) -> None:
    if state == "recorded":
        world.intake.take(one)
    elif state == "died" and one.kind is Kind.UPLOAD:
        died(world.ledger, one)
    elif state == "failed" and one.kind is Kind.UPLOAD:
        failed(world.ledger, one)


def crashing_at(call: int) -> Callable[[int], None]:
    def crash_at_call(number: int) -> None:
        if number == call:
            raise CrashError

    return crash_at_call


def end(found: Surroundings, hour: int) -> None:
    """Runs that nothing disturbs, until one is complete."""
    found.before = lambda _: None
    for later in range(hour, hour + 5):
        found.world.clock.time = NOON + later * HOUR
        is_complete = found.run(now=found.world.clock.time).is_complete
        found.inspect()
        if is_complete:
            return
    raise AssertionError("five undisturbed runs are not enough")


def assert_all_is_well(found: Surroundings) -> None:
    """Every version has a final receipt, one for each inspection, and none of them a failure of Recibo's."""
    assert found.unfinished == set()
    current = [found.world.ledger.current(entry_of_version(BUCKET, one).identity) or {} for one in found.versions]
    assert "system" not in [item.get("cause") for item in current]
    assert all(number <= 2 for _, number in found.world.ledger.items)


@given(buckets(), st.lists(st.tuples(st.integers(1, 40), st.none() | st.integers(0, 8)), max_size=4))
def test_a_crash_between_any_two_calls_loses_nothing(found: Surroundings, runs: list[tuple[int, int | None]]) -> None:
    """Each run is killed before some call of its own, or has no more time after some steps; the last one is not."""
    for hour, (call, turns) in enumerate(runs):
        found.world.clock.time = NOON + hour * HOUR
        found.calls.clear()
        found.before = crashing_at(call)
        with contextlib.suppress(CrashError):
            found.run(now=found.world.clock.time, turns=turns)
        found.before = lambda _: None
        found.inspect()
    end(found, len(runs))
    assert_all_is_well(found)


@given(buckets(), st.integers(1, 40), st.none() | st.integers(1, 40), st.none() | st.integers(0, 8))
def test_two_runs_at_once_lose_nothing(found: Surroundings, call: int, crash: int | None, turns: int | None) -> None:
    """The second runs, as far as it comes, between any two calls of the first."""

    def begin_another(number: int) -> None:
        if number == call:
            found.before = crashing_at(call + crash) if crash else lambda _: None
            with contextlib.suppress(CrashError):
                found.run(now=NOON + MINUTE, turns=turns)
            found.before = lambda _: None

    found.before = begin_another
    found.run(turns=turns)
    found.inspect()
    end(found, 1)
    assert_all_is_well(found)


@given(buckets())
def test_what_is_asked_for_twice_has_one_receipt(found: Surroundings) -> None:
    found.is_prompt = False
    found.run()
    found.note = {}
    found.run()
    found.inspect()
    assert_all_is_well(found)


@given(buckets(), st.integers(1, 4))
def test_what_is_wanted_does_not_depend_on_the_pages(found: Surroundings, page: int) -> None:
    wanted = found.wanted()
    found.page = page
    assert found.wanted() == wanted


@given(buckets())
def test_nothing_is_wanted_of_what_was_reconciled(found: Surroundings) -> None:
    end(found, 0)
    assert found.wanted(Scope(bucket=BUCKET, until=NOON + 10 * HOUR), now=NOON + 10 * HOUR) == []
