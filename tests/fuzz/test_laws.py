"""The laws of inspection for every seed, for what fuzzing once found, and for some seconds' worth of damaged seeds."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.cases import CUTS, HEAD, NAMES, WAYS, Case, Way, written
from tests.fuzz.laws import hold
from tests.fuzz.seeds import seeds

FINDS = sorted((Path(__file__).parent / "finds").glob("*"))
SEEDS = list(seeds())
QUICK = [seed for seed in SEEDS if not Case.of(seed).way.is_by_engine]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A seed with some bytes replaced, put in or taken out, perhaps cut off or gone on with by another."""
    seed = draw(st.sampled_from(QUICK))
    data = bytearray(seed[HEAD:])
    for at, gone, put in draw(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 9), st.binary(max_size=3)))):
        data[at : at + gone] = put
    if draw(st.booleans()):
        data = data[: draw(st.integers(0, 400))] + draw(st.sampled_from(QUICK))[HEAD:]
    return seed[:HEAD] + bytes(data)


def test_every_seed_holds_the_laws() -> None:
    for seed in SEEDS:
        hold(seed)


@settings(max_examples=400)
@given(damaged())
def test_damaged_files_of_every_format_hold_the_laws(data: bytes) -> None:
    hold(data)


def test_what_fuzzing_found_holds_the_laws_now() -> None:
    for path in FINDS:
        hold(path.read_bytes())


@given(st.sampled_from(NAMES), st.sampled_from(WAYS), st.sampled_from(CUTS), st.binary(max_size=9))
def test_a_case_is_read_as_it_was_written(name: str, way: Way, cut: int, content: bytes) -> None:
    case = Case.of(written(content, name=name, way=way.name, cut=cut))
    assert (case.name, case.way, case.cut, case.content) == (name, way, cut, content)
