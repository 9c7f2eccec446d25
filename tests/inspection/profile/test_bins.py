"""Values are in the same bins in whatever order and pieces they come."""

from __future__ import annotations

import random
from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.inspection.profile.bins import Bins, bins_of
from chalicelib.inspection.report import Histogram

NUMBERS = st.one_of(
    st.integers(-(10**18), 10**18),
    st.integers(-30, 30),
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**6), max_value=10**6),
    st.sampled_from([Decimal("1e99"), Decimal("-1e-30"), Decimal("0.1"), Decimal("0.3"), 10**39, -(10**39)]),
)
DAYS = st.dates().map(str)
MOMENTS = st.datetimes().map(lambda at: at.isoformat())


def binned(slot: str, *pieces: Sequence[object]) -> Bins:
    bins = bins_of(slot)
    assert bins
    for piece in pieces:
        if piece:
            bins.add(piece, [1] * len(piece), (min(piece), max(piece)))  # type: ignore[arg-type, type-var]
    return bins


@given(
    st.one_of(
        st.tuples(st.just("point"), st.lists(NUMBERS, min_size=1, max_size=40)),
        st.tuples(st.just("date"), st.lists(DAYS, min_size=1, max_size=40)),
        st.tuples(st.just("datetime"), st.lists(MOMENTS, min_size=1, max_size=40)),
    ),
    st.integers(0, 40),
    st.randoms(use_true_random=False),
)
@example(("point", [*range(24), Decimal("1e99")]), 24, random.Random(0))  # noqa: S311
@example(("date", ["0001-01-01", "2026-11-30", *["9999-12-31"] * 10]), 2, random.Random(0))  # noqa: S311
def test_a_histogram_does_not_depend_on_the_order_or_the_pieces(
    values: tuple[str, list[object]], cut: int, chance: random.Random
) -> None:
    slot, whole = values
    other = chance.sample(whole, len(whole))
    expected = binned(slot, whole).histogram()
    assert binned(slot, other[:cut], other[cut:]).histogram() == expected
    assert binned(slot, other[:cut]).merged(binned(slot, other[cut:])).histogram() == expected


@pytest.mark.parametrize(
    ("slot", "values", "expected"),
    [
        ("integer", [*range(1, 13)], Histogram(begin="1", width="1", counts=(1,) * 12)),
        ("integer", [*range(100)], Histogram(begin="0", width="5", counts=(5,) * 20)),
        ("integer", [-7, *[3] * 9], Histogram(begin="-7", width="1", counts=(1, *[0] * 9, 9))),
        ("point", [Decimal(at) / 10 for at in range(10)], Histogram(begin="0", width="0.1", counts=(1,) * 10)),
        (
            "%d/%m/%Y",
            [f"2026-{at:02}-15" for at in range(1, 13)],
            Histogram(begin="2026-01", width="month", counts=(1,) * 12),
        ),
        ("time", [f"{at:02}:30:00" for at in range(8, 18)], Histogram(begin="08:00", width="hour", counts=(1,) * 10)),
        ("integer", [5] * 20, None),
        ("integer", [1, 2, 3], None),
    ],
)
def test_the_widths_are_those_that_a_person_would_choose(
    slot: str, values: Sequence[object], expected: Histogram | None
) -> None:
    assert binned(slot, values).histogram() == expected
