"""How far the scheduled reconcile has come: from one run's note to the next one's scope."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.listing import Cursor
from chalicelib.progress import IN_PARTS, OVERLAP, WHOLE_AFTER, Progress, is_credible, progress_from
from chalicelib.uploads import iso
from chalicelib.wanted import Reason, Step, Wanted
from tests.fakes import NOON
from tests.reconciling import HOUR, entry

DAY = timedelta(days=1)
MILLISECOND = timedelta(milliseconds=1)
CURSOR = Cursor(key="k", version_id="v1", time=NOON)
MOMENTS = st.none() | st.integers(-(10**6), 0).map(lambda minutes: NOON + minutes * timedelta(minutes=1))


def step(*landed: datetime, after: Cursor | None = None) -> Step:
    wanted = tuple(Wanted(entry=entry("k", at=at), inspection=1, reason=Reason.MISSING) for at in landed)
    return Step(wanted=wanted, after=after)


def passed(progress: Progress, now: datetime, *landed: datetime) -> Progress:
    """After a pass that asked for what landed then."""
    return progress.going_on(now).with_step(step(*landed)).ended()


def test_the_first_pass_is_over_the_whole_bucket_and_the_next_over_what_is_new() -> None:
    assert Progress().going_on(NOON).since is None
    assert passed(Progress(), NOON).going_on(NOON + HOUR).since == NOON - OVERLAP


def test_a_pass_that_asked_for_what_the_next_would_leave_out_is_done_again() -> None:
    """What was asked for may be lost."""
    long_ago = NOON - OVERLAP
    assert passed(Progress(), NOON, NOON - HOUR, long_ago) == Progress()
    earlier = Progress(through=NOON - 2 * DAY, whole_at=NOON - 2 * DAY)
    assert passed(earlier, NOON, long_ago) == earlier


@given(st.timedeltas(timedelta(), 12 * DAY), st.timedeltas(timedelta(), IN_PARTS))
def test_the_next_pass_looks_again_at_all_that_this_one_asked_for(age: timedelta, in_parts: timedelta) -> None:
    """S3 may list it under a date that is earlier, by as much as an upload in parts may take, than it was given."""
    earlier = Progress(through=NOON - HOUR, whole_at=NOON - HOUR)
    following = passed(earlier, NOON, NOON - age).going_on(NOON + HOUR)
    asked_again_from = earlier.going_on(NOON).since
    assert following.since in (asked_again_from, NOON - OVERLAP)
    assert following.since == asked_again_from or NOON - age - in_parts >= NOON - OVERLAP


def test_once_a_week_a_pass_is_over_the_whole_bucket() -> None:
    progress = passed(Progress(), NOON)
    for hour in range(1, 24 * 7):
        progress = passed(progress, NOON + hour * HOUR)
        assert progress.whole_at == NOON
    assert progress.going_on(NOON + WHOLE_AFTER).since is None
    assert passed(progress, NOON + WHOLE_AFTER).whole_at == NOON + WHOLE_AFTER


def test_a_pass_over_the_whole_bucket_that_asked_for_what_is_old_is_followed_by_another() -> None:
    progress = passed(Progress(through=NOON, whole_at=NOON), NOON + WHOLE_AFTER, NOON - 30 * DAY)
    assert progress.going_on(NOON + WHOLE_AFTER + HOUR).since is None


def test_a_pass_goes_on_as_it_began_over_any_number_of_runs() -> None:
    begun = Progress(through=NOON, whole_at=NOON).going_on(NOON + DAY).with_step(step(NOON - 30 * DAY, after=CURSOR))
    later = progress_from(begun.as_json(), now=NOON + 20 * DAY).going_on(NOON + 20 * DAY)
    assert later == begun
    assert later.with_step(step()).ended() == Progress(through=NOON, whole_at=NOON)


PROGRESS = st.builds(
    Progress,
    through=MOMENTS,
    whole_at=MOMENTS,
    begun_at=st.just(NOON),
    since=MOMENTS,
    after=st.sampled_from([None, CURSOR, Cursor(key="k")]),
    asked_old=st.booleans(),
)


@given(PROGRESS)
def test_progress_survives_its_note(progress: Progress) -> None:
    assert progress_from(progress.as_json(), now=NOON) == progress


@pytest.mark.parametrize(
    "note",
    [
        {"through": iso(NOON + MILLISECOND)},
        {"whole_at": iso(NOON + MILLISECOND)},
        {"since": iso(NOON + MILLISECOND)},
        {"begun_at": iso(NOON + MILLISECOND), "after": {"key": "k"}},
        {"through": "yesterday"},
        {"through": 7},
        {"through": NOON.replace(tzinfo=None).isoformat()},
        {"after": {"key": "k"}},
        {"begun_at": iso(NOON), "after": {"key": 7}},
        {"begun_at": iso(NOON), "after": {"key": "k", "more": "1"}},
        {"begun_at": iso(NOON), "after": {"version_id": "v"}},
        {"begun_at": iso(NOON), "after": None},
        {"asked_old": False},
        {"more": 1},
    ],
)
def test_after_a_note_that_no_run_can_have_left_by_now_the_whole_bucket_is_looked_at(note: dict[str, Any]) -> None:
    assert not is_credible(note, now=NOON)
    assert progress_from(note, now=NOON) == Progress()


def test_the_note_of_a_version_that_kept_no_day_of_a_whole_pass_is_followed_by_one() -> None:
    assert progress_from({"through": iso(NOON)}, now=NOON).going_on(NOON + HOUR).since is None
