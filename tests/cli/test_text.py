"""Words, numbers and times for people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.text import moment, printable, size
from infra.stages import UsageError

OUT_OF_RANGE = ("99999999d", f"{'9' * 5000}s", "9999-12-31T23:59-05:00", "0001-01-01T00:00+05:00")


@given(st.text())
def test_printable_text_is_one_line_without_control_characters(text: str) -> None:
    assert printable(text).isprintable()


@given(st.text(alphabet=st.characters(exclude_categories=["C", "Z"])))
def test_text_without_control_characters_stays_as_it_is(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    ("count", "words"), [(None, ""), (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (250_000_000, "250.0 MB")]
)
def test_sizes_are_given_in_the_unit_that_fits(count: int | None, words: str) -> None:
    assert size(count) == words


@given(st.integers(1, 500), st.sampled_from([("m", 60), ("h", 3600), ("d", 86400)]))
def test_a_time_can_be_given_as_how_long_ago(count: int, unit: tuple[str, int]) -> None:
    expected = datetime.now(UTC) - timedelta(seconds=count * unit[1])
    assert abs(moment(f"{count}{unit[0]}") - expected) < timedelta(minutes=1)


@given(st.datetimes(timezones=st.just(UTC)).filter(lambda when: 1980 < when.year < 2100))
def test_a_time_can_be_given_in_iso_8601(when: datetime) -> None:
    assert moment(when.isoformat()) == when


@pytest.mark.parametrize("text", ["yesterday", "", "5", "-3h", "2026-13-01", *OUT_OF_RANGE])
def test_what_is_no_time_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(UsageError, match="is not a time"):
        moment(text)
