"""bzip2 beside Python's bz2: streams, checksums, and the letters it begins with, which a text may begin with too."""

from __future__ import annotations

import bz2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.inspection import Status, inspect
from tests.inspection.packing import unpacked
from tests.inspection.strategies import BLOCK_SIZES, codes

CSV = b"a,b\n1,2\n"
TWO_BLOCKS = b"".join(b"%d,%d\n" % (number, number * 7919 % 65537) for number in range(20_000))


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=4), BLOCK_SIZES)
def test_streams_are_joined(contents: list[bytes], size: int) -> None:
    data = b"".join(map(bz2.compress, contents))
    content, findings, _ = unpacked(data, "bz2", size)
    assert content == bz2.decompress(data)
    assert not findings.counts


def test_a_wrong_checksum_of_a_block_or_of_the_stream_is_damage_and_what_precedes_it_is_kept() -> None:
    packed = bz2.compress(TWO_BLOCKS, 1)
    for at in (12, len(packed) - 3):
        data = packed[:at] + bytes([packed[at] ^ 8]) + packed[at + 1 :]
        content, findings, _ = unpacked(data, "bz2")
        assert findings.counts == {"damaged-compression": 1}
        assert TWO_BLOCKS.startswith(content)
    assert len(content) > 100_000


@pytest.mark.parametrize("content", [b"BZh,x\n1,2\n", b"BZh91AY&SY\n"])
def test_a_text_may_begin_like_bzip2(content: bytes) -> None:
    report = inspect([content], name="a.csv")
    assert (report.status, report.format, report.compression) == (Status.SUCCEEDED, "csv", None)


def test_a_name_that_says_bzip2_is_believed_though_only_letters_are_left_of_it() -> None:
    report = inspect([bz2.compress(CSV)[:8]], name="a.csv.bz2")
    assert codes(report) == {"truncated-compression"}
