"""Every compression: the report of the plain file, and of what is cut, changed or a bomb one finding that says so."""

from __future__ import annotations

import bz2
import hashlib
import lzma
import random
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.inspection import Facts, Limits, Report, Status, inspect
from chalicelib.inspection.media_types import MEDIA_TYPES
from chalicelib.inspection.names import COMPRESSIONS, SUFFIXES
from chalicelib.inspection.unpackers import UNPACKERS
from infra.stages import ROOT
from tests.inspection.packing import PACKS, unpacked, zstd
from tests.inspection.strategies import AWKWARD_TEXT, BLOCK_SIZES, EVERYTHING, codes, cut

CSV = b"id,amount\n" + b"".join(b"%d,%d\n" % (number, number * 7919 % 1009) for number in range(60))
NOISE = random.Random(4).randbytes(20_000)  # noqa: S311 - not for secrets
WAYS = pytest.mark.parametrize("way", PACKS)
TABLE_NAMES = ["a.csv", "a.tsv", "a.txt", "a.json", "a.jsonl"]
CUT_SHORT = {"truncated-compression", "damaged-compression", "archive-inconsistent"}
AS_PLAIN = {
    "sha256": None,
    "bytes": None,
    "compression": None,
    "unpacked_bytes": None,
    "members": (),
    "member_count": None,
}
"""What a packed file's report may have otherwise than the plain one's."""


def test_there_is_an_unpacker_for_every_suffix_and_a_way_to_pack_for_every_unpacker() -> None:
    assert UNPACKERS.keys() == COMPRESSIONS == {SUFFIXES[suffix] for suffix, _ in PACKS.values()}
    assert MEDIA_TYPES.keys() >= COMPRESSIONS


@given(
    st.sampled_from(sorted(PACKS)),
    AWKWARD_TEXT.filter(bool),
    st.sampled_from(TABLE_NAMES),
    BLOCK_SIZES,
    st.integers(1, 40),
)
def test_a_packed_file_gets_the_report_of_the_plain_one_however_it_is_packed_and_arrives(
    way: str, text: str, name: str, size: int, block: int
) -> None:
    suffix, pack = PACKS[way]
    data = text.encode()
    packed = pack(data)
    plain = inspect([data], name=name, limits=EVERYTHING)
    report = inspect(cut(packed, size), name=f"{name}.{suffix}", limits=EVERYTHING._replace(block_bytes=block))
    assert report._replace(**AS_PLAIN) == plain._replace(**AS_PLAIN)  # type: ignore[arg-type]
    assert (report.compression, report.unpacked_bytes) == (SUFFIXES[suffix], len(data))
    assert (report.bytes, report.sha256) == (len(packed), hashlib.sha256(packed).hexdigest())


@WAYS
@pytest.mark.parametrize("content", [b"", NOISE, bytes(1 << 20), CSV * 200], ids=["none", "noise", "zeros", "rows"])
def test_what_is_unpacked_is_what_was_packed(way: str, content: bytes) -> None:
    suffix, pack = PACKS[way]
    packed = pack(content)
    for size in (7, 4096, 1 << 20):
        found, findings, is_whole = unpacked(packed, suffix, size)
        assert found == content
        assert is_whole, list(findings)


@WAYS
def test_an_empty_file_is_an_empty_file_however_it_is_packed(way: str) -> None:
    suffix, pack = PACKS[way]
    report = inspect([pack(b"")], name=f"a.csv.{suffix}")
    assert codes(report) == {"empty-file"}
    assert (report.lines, report.unpacked_bytes) == (0, 0)


@WAYS
def test_a_file_cut_anywhere_fails_because_it_is_cut(way: str) -> None:
    suffix, pack = PACKS[way]
    packed = pack(CSV)
    parts = {end for end in range(10, len(packed)) if unpacked(packed[:end], suffix)[2]}
    for end in range(10, len(packed)):
        report = inspect([packed[:end]], name=f"a.csv.{suffix}", limits=EVERYTHING)
        if end in parts:  # between two streams: a file by itself, of which half a record is left
            assert "truncated-compression" not in codes(report)
            continue
        assert report.status is Status.FAILED
        assert len(codes(report)) == 1
        assert codes(report) <= CUT_SHORT
        assert (report.facts.records, report.unpacked_bytes, report.lines) == (None, None, None)
    assert len(parts) < 10


@given(st.sampled_from(sorted(PACKS)), st.integers(0, 1 << 20), st.integers(1, 255), BLOCK_SIZES)
def test_a_changed_byte_never_lets_other_content_pass(way: str, at: int, flip: int, size: int) -> None:
    suffix, pack = PACKS[way]
    data = bytearray(pack(CSV))
    data[at % len(data)] ^= flip
    content, findings, is_whole = unpacked(bytes(data), suffix)
    again, findings_again, _ = unpacked(bytes(data), suffix, size)
    assert (content, list(findings)) == (again, list(findings_again))
    assert not is_whole or content in (CSV, b"")  # a zip's file may be called a folder: then it has none
    assert is_whole or 1 <= len(findings.counts) <= 2


@given(st.sampled_from(sorted(PACKS)), st.lists(st.tuples(st.integers(0, 999), st.binary(max_size=5))), BLOCK_SIZES)
def test_whatever_is_done_to_a_packed_file_there_is_one_report_of_it(
    way: str, changes: list[tuple[int, bytes]], size: int
) -> None:
    suffix, pack = PACKS[way]
    data = pack(CSV)
    for place, put in changes:
        at = place % len(data)
        data = data[:at] + put + data[at + len(put) // 2 :]
    report = inspect(cut(data, size), name=f"a.csv.{suffix}")
    assert (report.bytes, report.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert report == inspect([data], name=f"a.csv.{suffix}", limits=Limits(block_bytes=11))


@WAYS
@pytest.mark.parametrize("rest", [b"\n", b"garbage" * 20, b"\0\0\0\0\1"])
def test_what_follows_is_found_though_all_before_it_is_right(way: str, rest: bytes) -> None:
    suffix, pack = PACKS[way]
    content, findings, is_whole = unpacked(pack(CSV) + rest, suffix)
    assert content == CSV
    assert not is_whole
    assert list(findings.counts) == ["damaged-compression"]
    assert "other data follows" in next(iter(findings)).message


# -- names


@WAYS
def test_a_suffix_that_the_content_does_not_have_is_told_and_one_that_it_has_is_not(way: str) -> None:
    suffix, pack = PACKS[way]
    packed = pack(CSV)
    for name in (f"a.csv.{suffix}", f"a.{suffix}", f"A.CSV.{suffix.upper()}", "noname"):
        report = inspect([packed], name=name)
        assert (codes(report), report.format, report.facts.records) == (set(), "csv", 60)
    wrong = "zst" if suffix == "gz" else "gz"
    for name, content in (("a.csv", packed), (f"a.csv.{wrong}", packed), (f"a.csv.{suffix}", CSV)):
        report = inspect([content], name=name)
        assert codes(report) == {"name-content-mismatch"}
        assert report.facts.records == 60


@WAYS
def test_the_declared_type_may_be_that_of_the_package_or_that_of_its_content(way: str) -> None:
    suffix, pack = PACKS[way]
    for declared, is_told in ((MEDIA_TYPES[SUFFIXES[suffix]], False), ("text/csv", False), ("image/png", True)):
        report = inspect([pack(CSV)], name=f"a.csv.{suffix}", declared_type=declared)
        assert ("declared-type-mismatch" in codes(report)) is is_told


@WAYS
@pytest.mark.parametrize("inner", ["gzip", "bzip2", "xz", "zstd", "zip, deflate"])
def test_what_is_packed_twice_is_refused(way: str, inner: str) -> None:
    suffix, pack = PACKS[way]
    report = inspect([pack(PACKS[inner][1](CSV))], name=f"a.csv.gz.{suffix}")
    assert "nested-compression" in codes(report)
    assert report.status is Status.FAILED
    assert report.facts == Facts()


# -- budgets


@WAYS
def test_a_bomb_stops_at_its_limit_of_size_or_of_ratio(way: str) -> None:
    suffix, pack = PACKS[way]
    if "stored" in way:  # is as large as its content
        return
    packed = pack(bytes(3 << 20))
    for limits, words in (
        (Limits(unpacked_bytes=1 << 20), "1,048,576 bytes"),
        (Limits(unpacked_ratio=10, ratio_from=1000), "10 times its size"),
    ):
        content, findings, _ = unpacked(packed, suffix, limits=limits)
        assert len(content) <= 1 << 20
        assert findings.counts == {"decompression-bomb": 1}
        assert words in next(iter(findings)).message


@WAYS
def test_time_is_looked_at_while_much_is_unpacked_from_few_bytes(way: str) -> None:
    suffix, pack = PACKS[way]
    calls = iter([*[False] * 6, True])
    report: Report = inspect([pack(bytes(3 << 20))], name=f"a.csv.{suffix}", out_of_time=lambda: next(calls, True))
    assert "inspection-timed-out" in codes(report)


PEAK = """
import re, sys
from pathlib import Path
from chalicelib.inspection import inspect

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) << 10

data = sys.stdin.buffer.read()
inspect([data[:2000]], name=sys.argv[1])
before = peak()
report = inspect([data], name=sys.argv[1])
print(peak() - before, *report.counts)
"""


def peak_of(data: bytes, suffix: str) -> tuple[int, list[str]]:
    """How much memory a process needs to inspect the file, and what it finds."""
    done = subprocess.run(
        [sys.executable, "-c", PEAK, f"a.csv.{suffix}"], input=data, capture_output=True, cwd=ROOT, check=True
    )
    peak, *found = done.stdout.decode().split()
    return int(peak), found


def xz_with(window: int) -> lzma.LZMACompressor:
    return lzma.LZMACompressor(filters=[{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": window}])


def zstd_with(window: int) -> zstd.ZstdCompressor:
    return zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: window.bit_length() - 1})


LARGE = [b"a,b\n" * (1 << 18)] * 300


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells how much memory was used")
@pytest.mark.parametrize(
    ("suffix", "packer", "window", "found"),
    [
        ("bz2", lambda _: bz2.BZ2Compressor(9), 4 << 20, ["decompression-bomb"]),
        ("gz", lambda _: zlib.compressobj(wbits=31), 1 << 16, ["decompression-bomb"]),
        ("xz", xz_with, 128 << 20, ["decompression-bomb"]),
        ("xz", xz_with, 129 << 20, ["decompression-memory"]),
        ("zst", zstd_with, 128 << 20, ["decompression-bomb"]),
        ("zst", zstd_with, 256 << 20, ["decompression-memory"]),
    ],
)
def test_unpacking_takes_the_memory_of_its_window_and_no_more(
    suffix: str, packer: Callable[[int], Any], window: int, found: list[str]
) -> None:
    packing = packer(window)
    packed = b"".join(map(packing.compress, LARGE)) + packing.flush()
    used, told = peak_of(packed, suffix)
    assert told == found
    assert used < (16 << 20) + (window if found == ["decompression-bomb"] else 0)
