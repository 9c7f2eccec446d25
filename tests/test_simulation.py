"""The model of a load: whatever comes, every upload is somewhere, and in the end has its receipt."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.burst import Burst, calibrated, predicted
from bench.simulation import (
    EVENT_AGE,
    FINAL,
    GIVING_UP,
    VISIBILITY,
    Account,
    Kind,
    Load,
    State,
    burst,
    mixed,
    said,
    simulate,
)
from infra.joins import EVENT_AGE_SECONDS, RETRIES

ONE = Kind(name="one", seconds=1)
CRASHING = Kind(name="crashing", seconds=1, crashes=True)


@st.composite
def loads(draw: st.DrawFn) -> Load:
    times = draw(st.lists(st.floats(0, 3600), min_size=1, max_size=60))
    kinds = draw(
        st.lists(
            st.builds(Kind, name=st.just("any"), seconds=st.floats(0.01, 900), crashes=st.booleans()),
            min_size=1,
            max_size=4,
        )
    )
    return Load(times=tuple(sorted(times)), kinds=tuple(kinds))


ACCOUNTS = st.builds(
    Account,
    limit=st.integers(1, 20),
    burst=st.integers(1, 5),
    added=st.floats(0.01, 10),
    start=st.floats(0, 5),
    is_polite=st.booleans(),
    units=st.floats(2, 50) | st.just(math.inf),
)


@given(loads(), ACCOUNTS, st.integers(0, 5))
def test_in_the_end_every_upload_has_its_receipt(load: Load, account: Account, seed: int) -> None:
    run = simulate(load, account, seed=seed)
    assert set(run.states) <= FINAL
    assert sum(run.states.values()) == len(load.times) == len(run.finished)


@given(loads(), ACCOUNTS, st.floats(0, 40_000))
def test_at_every_moment_every_upload_that_came_is_somewhere(load: Load, account: Account, moment: float) -> None:
    run = simulate(load, account, until=moment)
    assert sum(run.states.values()) == len([at for at in load.times if at <= moment])
    assert run.states[State.RUNNING] <= account.limit
    assert run.environments <= account.limit


@given(loads(), ACCOUNTS, st.lists(st.floats(0, 40_000), min_size=2, max_size=4))
def test_a_receipt_never_goes_away(load: Load, account: Account, moments: list[float]) -> None:
    counts = [sum(simulate(load, account, until=moment).states[state] for state in FINAL) for moment in sorted(moments)]
    assert counts == sorted(counts)


@given(loads(), ACCOUNTS)
def test_the_same_seed_gives_the_same_run(load: Load, account: Account) -> None:
    assert simulate(load, account, seed=7).finished == simulate(load, account, seed=7).finished


@given(st.integers(1, 200), st.integers(1, 20), st.floats(0.01, 20))
def test_a_burst_is_over_when_its_environments_have_done_its_work(count: int, limit: int, seconds: float) -> None:
    """The arithmetic of a queue that everybody can check: rounds of as many as there are environments."""
    load, account = Load(times=burst(count), kinds=(Kind(name="one", seconds=seconds),)), Account(limit=limit, start=0)
    assert simulate(load, account).drained == pytest.approx(math.ceil(count / limit) * seconds)


@given(loads(), st.integers(1, 10), st.integers(1, 10))
def test_more_environments_end_no_later(load: Load, limit: int, more: int) -> None:
    load = replace(load, kinds=tuple(replace(kind, crashes=False) for kind in load.kinds))
    fewer = simulate(load, Account(limit=limit, start=0)).drained
    assert simulate(load, Account(limit=limit + more, start=0)).drained <= fewer + 1e-6


@given(st.integers(1, 300), st.floats(4, 100))
def test_a_table_takes_no_more_than_its_units(count: int, units: float) -> None:
    """Those of a second, which it has when the first write comes, and then those of each."""
    run = simulate(Load(times=burst(count), kinds=(ONE,)), Account(limit=1_000, start=0, units=units))
    for number, finished in enumerate(run.finished, 1):
        assert 2 * number <= units + (finished - ONE.seconds) * units * 2.0 ** (finished // 1800) + 1e-6


def test_environments_are_added_at_the_rate_that_lambda_allows() -> None:
    load = Load(times=burst(30), kinds=(Kind(name="long", seconds=100),))
    run = simulate(load, Account(limit=1_000, burst=10, added=2, start=0))
    assert run.environments == 30
    assert run.finished[9] == 100
    assert run.finished[-1] == pytest.approx(100 + 20 / 2, abs=0.1)


def test_what_always_crashes_is_tried_three_times_and_then_has_a_receipt_that_says_so() -> None:
    run = simulate(Load(times=(0.0,), kinds=(CRASHING,)), Account(start=0))
    assert run.states == {State.CRASHED: 1}
    assert run.drained == pytest.approx(1 + 60 + 1 + 120 + 1 + GIVING_UP)
    assert (run.uploads[0].tries, run.letters) == (RETRIES + 1, 1)


def test_an_event_that_never_found_an_environment_is_inspected_from_the_dead_letters() -> None:
    """Not lost, and not judged by its age."""
    kinds = (Kind(name="long", seconds=EVENT_AGE + 10), ONE, ONE)
    run = simulate(Load(times=burst(3), kinds=kinds), Account(limit=1, start=0))
    assert run.states == {State.VERDICT: 3}
    assert run.letters == 2


def test_what_was_never_tried_and_crashes_then_is_given_up_when_its_letter_comes_again() -> None:
    kinds = (Kind(name="long", seconds=EVENT_AGE + 10), CRASHING)
    run = simulate(Load(times=burst(2), kinds=kinds), Account(limit=1, start=0))
    assert run.states == {State.VERDICT: 1, State.CRASHED: 1}
    assert run.drained == pytest.approx(EVENT_AGE + 10 + 1 + VISIBILITY + GIVING_UP)


@pytest.mark.parametrize(("is_polite", "last"), [(False, 20), (True, 15 + 10)])
def test_an_event_that_backs_off_comes_again_after_one_second_and_twice_as_late_each_time(
    is_polite: bool, last: float
) -> None:
    load = Load(times=burst(2), kinds=(Kind(name="ten", seconds=10),))
    assert simulate(load, Account(limit=1, start=0, is_polite=is_polite)).finished == [10, last]


def test_the_model_has_the_ages_and_tries_of_the_deployment() -> None:
    assert EVENT_AGE == EVENT_AGE_SECONDS
    assert len(Account().retry_after) == RETRIES


@pytest.mark.parametrize(("seconds", "text"), [(0.031, "0.031 s"), (59.6, "60 s"), (600, "10 min"), (9000, "2.5 h")])
def test_a_duration_is_said_in_the_unit_that_suits_it(seconds: float, text: str) -> None:
    assert said(seconds) == text


def test_the_kinds_of_a_mixture_come_in_turn() -> None:
    assert [kind.name for kind in mixed(ONE, CRASHING, one_in=3)] == ["one", "one", "crashing"]


@given(st.integers(20, 200), st.floats(0.1, 3))
def test_a_calibration_finds_the_time_that_an_upload_took(count: int, seconds: float) -> None:
    """Of a burst that was the model's own."""
    uploaded = burst(count, over=1)
    measured = Burst(uploaded=uploaded, finished=predicted(uploaded, seconds).finished, crashed=0)
    assert calibrated(measured) == pytest.approx(seconds, abs=0.01)
