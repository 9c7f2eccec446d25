"""Blocks and the meter: nothing may depend on how the bytes arrived."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.inspection.stream import Meter, blocks_of


@given(st.lists(st.binary(max_size=20), max_size=10), st.integers(1, 30), st.integers(1, 30))
def test_blocks_are_the_same_however_the_bytes_arrive(chunks: list[bytes], first: int, size: int) -> None:
    data = b"".join(chunks)
    expected = [data[:first], *(data[at : at + size] for at in range(first, len(data), size))] if data else []
    assert list(blocks_of(chunks, first=first, size=size)) == expected


@given(st.lists(st.binary(max_size=20), max_size=10))
def test_the_meter_counts_and_hashes_what_passes_through(chunks: list[bytes]) -> None:
    meter = Meter()
    assert list(meter.through(chunks)) == chunks
    assert (meter.size, meter.sha256) == (len(b"".join(chunks)), hashlib.sha256(b"".join(chunks)).hexdigest())
