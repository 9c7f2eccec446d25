"""xz beside Python's lzma: padding, checks, filters, and rules of the format that only some readers keep."""

from __future__ import annotations

import lzma
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.inspection import Limits
from tests.inspection.packing import unpacked
from tests.inspection.strategies import BLOCK_SIZES

EMPTY = lzma.compress(b"")
HELLO = lzma.compress(b"Hello\nWorld!\n")


@given(st.lists(st.tuples(st.binary(max_size=40), st.integers(0, 3)), min_size=1, max_size=4), BLOCK_SIZES)
def test_streams_and_padding_of_four_bytes_each_are_joined(streams: list[tuple[bytes, int]], size: int) -> None:
    data = b"".join(lzma.compress(content) + bytes(4 * padding) for content, padding in streams)
    content, findings, _ = unpacked(data, "xz", size)
    assert content == b"".join(content for content, _ in streams)
    assert not findings.counts


@pytest.mark.parametrize("after", [b"", HELLO])
@pytest.mark.parametrize("padding", [1, 2, 3, 5, 5001])
@pytest.mark.parametrize("size", [1, 1 << 20])
def test_padding_that_is_no_multiple_of_four_is_damage(padding: int, after: bytes, size: int) -> None:
    content, findings, _ = unpacked(HELLO + bytes(padding) + after, "xz", size)
    assert content == b"Hello\nWorld!\n"
    assert findings.counts == {"damaged-compression": 1}
    (found,) = findings
    assert f"after {len(HELLO) + padding:,} bytes: there are {padding:,} bytes of padding" in found.message


def test_padding_may_be_longer_than_what_is_read_at_a_time() -> None:
    content, findings, _ = unpacked(EMPTY + bytes(20_000) + HELLO + bytes(8192), "xz")
    assert (content, findings.counts) == (b"Hello\nWorld!\n", {})


def test_lzma_of_the_old_format_behind_a_stream_is_other_data() -> None:
    _, findings, _ = unpacked(HELLO + lzma.compress(b"x", lzma.FORMAT_ALONE), "xz")
    assert "other data follows" in next(iter(findings)).message


@pytest.mark.parametrize("check", [lzma.CHECK_NONE, lzma.CHECK_CRC32, lzma.CHECK_CRC64, lzma.CHECK_SHA256])
def test_every_check_of_the_format_is_taken(check: int) -> None:
    assert unpacked(lzma.compress(b"abc", check=check), "xz")[0] == b"abc"


def test_a_check_that_is_not_known_is_no_check_and_is_told() -> None:
    """liblzma would pass over it."""
    packed = lzma.compress(b"abc", check=lzma.CHECK_CRC32)
    flags = b"\0\x02"
    head = packed[:6] + flags + struct.pack("<L", zlib.crc32(flags))
    footer = packed[-8:-4] + flags
    data = head + packed[12:-12] + struct.pack("<L", zlib.crc32(footer)) + footer + b"YZ"
    content, findings, _ = unpacked(data, "xz")
    assert content == b""
    assert findings.counts == {"unsupported-compression": 1}
    assert "its integrity check, number 2, is not known" in next(iter(findings)).message


def test_filters_that_liblzma_knows_are_undone() -> None:
    filters = [{"id": lzma.FILTER_DELTA, "dist": 2}, {"id": lzma.FILTER_X86}, {"id": lzma.FILTER_LZMA2}]
    assert unpacked(lzma.compress(b"abcd" * 99, filters=filters), "xz")[0] == b"abcd" * 99


def test_a_filter_that_is_not_known_is_told_and_is_no_damage() -> None:
    packed = bytearray(lzma.compress(b"abc", check=lzma.CHECK_NONE))
    packed[14] = 0x7F  # the id of the block's only filter
    size = (packed[12] + 1) * 4
    packed[12 + size - 4 : 12 + size] = struct.pack("<L", zlib.crc32(packed[12 : 12 + size - 4]))
    assert unpacked(bytes(packed), "xz")[1].counts == {"unsupported-compression": 1}


def test_a_dictionary_beyond_the_limit_is_told_and_takes_no_memory() -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 16 << 20}]
    packed = lzma.compress(b"abc", filters=filters)
    assert unpacked(packed, "xz", limits=Limits(window_bytes=16 << 20))[0] == b"abc"
    _, findings, _ = unpacked(packed, "xz", limits=Limits(window_bytes=8 << 20))
    assert findings.counts == {"decompression-memory": 1}


def test_the_highest_level_fits_into_the_limit() -> None:
    assert unpacked(lzma.compress(b"abc", preset=9 | lzma.PRESET_EXTREME), "xz")[2]
