"""How many different values there are: an estimate contradicts nothing that is known exactly."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.inspection.profile.distinct import Distinct

KEPT = 1_024


@given(
    st.text(max_size=3), st.one_of(st.integers(1, 6_000), st.integers(KEPT, KEPT + 40)), st.integers(0, 50), st.data()
)
@example("v", KEPT, 1, None)
@example("v", KEPT + 1, 0, None)
def test_an_estimate_is_no_more_than_the_cells_and_no_less_than_what_was_counted(
    prefix: str, different: int, repeated: int, data: st.DataObject | None
) -> None:
    texts = [f"{prefix}{at}" for at in range(different)]
    cut = data.draw(st.integers(0, different)) if data else different
    found = Distinct(KEPT)
    found.add(texts[cut:])
    found.add(texts[:cut])
    number = found.among(different + repeated)
    if different <= KEPT:
        assert number == different
    else:
        assert KEPT < number <= different + repeated
        assert abs(number - different) <= different // 5


def test_the_order_of_values_means_nothing() -> None:
    texts = [f"v{at}" for at in range(3_000)]
    forwards, backwards = Distinct(KEPT), Distinct(KEPT)
    for at in range(0, 3_000, 100):
        forwards.add(texts[at : at + 100])
        backwards.add(texts[::-1][at : at + 100])
    assert forwards.among(4_000) == backwards.among(4_000)
