"""The order of a key's history: by sequencer where two have one, else by S3's time, then version; never by arrival."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta

from hypothesis import assume, given
from hypothesis import strategies as st

from chalicelib.uploads import (
    Entry,
    comparable,
    entry_of,
    in_order,
    iso,
)
from tests import events
from tests.strategies import MOMENTS, SEQUENCERS, entries

# -- order


@given(SEQUENCERS, SEQUENCERS)
def test_sequencers_compare_as_s3_says_however_long_they_are(one: str, other: str) -> None:
    """Law: pad the shorter with zeros on the right and compare as text (S3 user guide)."""
    width = max(len(one), len(other))
    assert (comparable(one) < comparable(other)) == (one.ljust(width, "0") < other.ljust(width, "0"))


def ordered(found: list[Entry]) -> list[Entry]:
    return in_order(found, place=lambda entry: entry.place, sequencer=lambda entry: entry.sequencer)


HISTORIES = st.lists(entries(bucket="b", key="k"), max_size=5, unique_by=lambda entry: entry.place)


@given(HISTORIES)
def test_the_order_of_a_history_does_not_depend_on_arrival(history: list[Entry]) -> None:
    expected = ordered(history)
    for arrival in itertools.permutations(history):
        assert ordered(list(arrival)) == expected


@given(HISTORIES)
def test_sequencers_decide_between_entries_that_have_them(history: list[Entry]) -> None:
    ranks = [comparable(entry.sequencer) for entry in ordered(history) if entry.sequencer]
    assert ranks == sorted(ranks)


@given(st.lists(entries(bucket="b", key="k", sequencer=None), max_size=5))
def test_time_decides_where_no_entry_has_a_sequencer(history: list[Entry]) -> None:
    times = [iso(entry.uploaded_at) for entry in ordered(history)]
    assert times == sorted(times)


def test_a_late_time_does_not_overrule_the_sequencer() -> None:
    first = entry_of(events.record(sequencer="00A", at=events.UPLOADED_AT + timedelta(seconds=1)))
    second = entry_of(events.record(sequencer="00B", at=events.UPLOADED_AT))
    assert ordered([second, first]) == [first, second]


def test_localstacks_one_sequencer_leaves_the_order_to_time() -> None:
    moments = [events.UPLOADED_AT + timedelta(seconds=second) for second in (3, 1, 2)]
    late, early, middle = (entry_of(events.localstack_record(at=moment)) for moment in moments)
    assert ordered([late, early, middle]) == [early, middle, late]


@given(MOMENTS, MOMENTS)
def test_the_order_of_texts_is_the_order_of_times(one: datetime, other: datetime) -> None:
    assume(one <= other)
    assert iso(one) <= iso(other)


@given(MOMENTS)
def test_a_text_tells_the_time_to_the_millisecond(moment: datetime) -> None:
    assert abs(datetime.fromisoformat(iso(moment)) - moment) < timedelta(milliseconds=1)
