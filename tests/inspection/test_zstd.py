"""Zstandard (RFC 8878): frames, frames to skip, checksums, sizes, windows, dictionaries."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.inspection import Limits, inspect
from tests.inspection.packing import skippable, unpacked, zst, zstd
from tests.inspection.strategies import BLOCK_SIZES, codes

Option = zstd.CompressionParameter
FRAMES = st.one_of(
    st.tuples(st.binary(max_size=40), st.just(b"")).map(lambda pair: (pair[0], zst(pair[0]))),
    st.binary(max_size=40).map(lambda content: (b"", skippable(content))),
)


def with_window(content: bytes, bits: int) -> bytes:
    """A frame that tells not the size of its content, but that of its window."""
    packer = zstd.ZstdCompressor(options={Option.window_log: bits})
    return packer.compress(content) + packer.flush()


@given(st.lists(FRAMES, min_size=1, max_size=5), BLOCK_SIZES)
def test_frames_are_joined_and_those_to_skip_are_skipped(frames: list[tuple[bytes, bytes]], size: int) -> None:
    data = b"".join(frame for _, frame in frames)
    content, findings, _ = unpacked(data, "zst", size)
    assert content == b"".join(content for content, _ in frames)
    assert not findings.counts


def test_a_frame_to_skip_may_be_longer_than_what_is_read_at_a_time() -> None:
    assert unpacked(zst(b"ab") + skippable(bytes(50_000)) + zst(b"cd"), "zst")[0] == b"abcd"


@pytest.mark.parametrize("first", range(0x50, 0x60))
def test_a_file_that_begins_with_a_frame_to_skip_is_known(first: int) -> None:
    data = bytes([first]) + skippable(b"index")[1:] + zst(b"a,b\n1,2\n")
    report = inspect([data], name="a.csv")
    assert (report.compression, report.facts.records) == ("zstd", 1)
    assert codes(report) == {"name-content-mismatch"}


def test_a_wrong_checksum_is_damage() -> None:
    packed = zst(b"abc")
    _, findings, _ = unpacked(packed[:-1] + bytes([packed[-1] ^ 1]), "zst")
    assert findings.counts == {"damaged-compression": 1}
    assert "a checksum is wrong" in next(iter(findings)).message


def test_content_of_another_size_than_the_frame_says_is_damage() -> None:
    packed = bytearray(zstd.compress(b"a" * 100, options={Option.checksum_flag: 0}))
    assert packed[5] == 100
    packed[5] = 101
    assert unpacked(bytes(packed), "zst")[1].counts == {"damaged-compression": 1}


def test_a_checksum_that_is_missing_is_a_cut() -> None:
    assert unpacked(zst(b"abc")[:-1], "zst")[1].counts == {"truncated-compression": 1}


def test_a_window_beyond_the_limit_is_told_and_takes_no_memory() -> None:
    packed = with_window(b"abc" * 1000, 24)
    assert unpacked(packed, "zst", limits=Limits(window_bytes=16 << 20))[0] == b"abc" * 1000
    content, findings, _ = unpacked(packed, "zst", limits=Limits(window_bytes=(16 << 20) - 1))
    assert (content, findings.counts) == (b"", {"decompression-memory": 1})


def test_the_widest_window_that_readers_take_unasked_is_the_limit() -> None:
    assert unpacked(with_window(b"abc", 27), "zst")[2]
    assert unpacked(with_window(b"abc", 28), "zst")[1].counts == {"decompression-memory": 1}


def test_a_frame_that_needs_a_dictionary_is_told_and_is_no_damage() -> None:
    samples = [b"id %d, amount %d" % (number, number * 7) for number in range(2000)]
    packed = zstd.compress(samples[0], zstd_dict=zstd.train_dict(samples, 1000))
    _, findings, _ = unpacked(packed, "zst")
    assert findings.counts == {"unsupported-compression": 1}
    assert "it needs a dictionary" in next(iter(findings)).message


def test_a_block_of_one_repeated_byte_is_unpacked_in_pieces() -> None:
    """The cheapest bomb of the format: 128 KiB for four bytes."""
    head = b"\x28\xb5\x2f\xfd\x00\x58"
    block = struct.pack("<L", (128 << 10) << 3 | 1 << 1)[:3] + b"\n"
    data = head + block * 40_000
    content, findings, _ = unpacked(data, "zst")
    assert findings.counts == {"decompression-bomb": 1}
    assert len(content) <= Limits().ratio_from
