"""gzip: what is unpacked, against Python's gzip and zlib; what is damaged, cut or a bomb ends in a finding."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import random
import zlib

from hypothesis import assume, given
from hypothesis import strategies as st

from chalicelib.findings import Findings
from chalicelib.inspection import Limits, Report, Status, inspect
from chalicelib.inspection.compression import PIECE
from chalicelib.inspection.gunzip import Gunzip
from tests.inspection.strategies import AWKWARD_TEXT, BLOCK_SIZES, EVERYTHING, codes, cut, gz

CSV = b"a,b\n" + b"".join(b"%d,%d\n" % (number, number * 7919) for number in range(300))
PACKED = gz(CSV)
MEMBERS = st.lists(st.binary(max_size=30), min_size=1, max_size=4)


def unpacked(data: bytes, size: int = 1 << 20, limits: Limits = EVERYTHING) -> tuple[bytes, Gunzip, Findings]:
    findings = Findings()
    gunzip = Gunzip(limits)
    content = b"".join(gunzip.through(cut(data, size)))
    gunzip.report(findings)
    return content, gunzip, findings


@given(MEMBERS, st.integers(0, 5), st.booleans(), BLOCK_SIZES)
def test_members_are_joined_and_padding_zeros_are_skipped(
    members: list[bytes], zeros: int, padded_within: bool, size: int
) -> None:
    padding = b"\0" * zeros
    data = (padding if padded_within else b"").join(map(gz, members)) + padding
    content, gunzip, findings = unpacked(data, size)
    assert content == gzip.decompress(data) == b"".join(members)
    assert gunzip.is_whole
    assert (gunzip.packed, gunzip.unpacked) == (len(data), len(content))
    assert not findings.counts


def test_a_gzip_file_cut_anywhere_is_truncated_and_fails() -> None:
    for end in range(2, len(PACKED)):
        report = inspect([PACKED[:end]], name="a.csv.gz", limits=EVERYTHING)
        assert report.status is Status.FAILED
        assert codes(report) == {"truncated-compression"}  # a record cut in two is no fault of its own
        assert (report.facts.records, report.unpacked_bytes, report.lines) == (None, None, None)
        assert report.bytes == end


@given(st.integers(0, len(PACKED) - 1), BLOCK_SIZES)
def test_all_that_can_be_unpacked_of_a_truncated_file_is(end: int, size: int) -> None:
    data = PACKED[:end]
    assert unpacked(data, size)[0] == zlib.decompressobj(wbits=31).decompress(data)


@given(st.integers(2, len(PACKED) - 1), st.integers(1, 255), BLOCK_SIZES, BLOCK_SIZES)
def test_damage_anywhere_is_seen_where_it_is_whatever_the_blocks(at: int, flip: int, one: int, other: int) -> None:
    data = bytearray(PACKED)
    data[at] ^= flip
    with contextlib.suppress(EOFError, OSError, zlib.error):
        assume(gzip.decompress(data) != CSV)  # a flag or a time in the header may change without any harm
    content, gunzip, findings = unpacked(bytes(data), one)
    assert not gunzip.is_whole
    assert len(findings.counts) == 1
    assert findings.counts.keys() <= {"damaged-compression", "truncated-compression"}
    again, gunzip_again, findings_again = unpacked(bytes(data), other)
    assert (content, gunzip.packed, list(findings)) == (again, gunzip_again.packed, list(findings_again))


def test_a_wrong_checksum_is_damage_at_its_end() -> None:
    data = PACKED[:-8] + bytes(4) + PACKED[-4:]
    content, gunzip, findings = unpacked(data)
    assert content == CSV
    assert list(findings.counts) == ["damaged-compression"]
    assert len(PACKED) - 8 <= gunzip.packed < len(PACKED) - 4


@given(MEMBERS, st.binary(min_size=1, max_size=20), BLOCK_SIZES)
def test_what_follows_the_last_member_and_is_no_gzip_is_damage(members: list[bytes], more: bytes, size: int) -> None:
    assume(more.strip(b"\0") and more.lstrip(b"\0") != b"\x1f" and not more.lstrip(b"\0").startswith(b"\x1f\x8b"))
    content, gunzip, findings = unpacked(b"".join(map(gz, members)) + more, size)
    assert content == b"".join(members)
    assert findings.counts == {"damaged-compression": 1}
    assert not gunzip.is_whole


def test_data_that_zlib_holds_back_is_not_lost_at_the_end_of_a_truncated_file() -> None:
    whole = gz(bytes(3 * PIECE))
    for end in range(len(whole)):
        expected = zlib.decompressobj(wbits=31).decompress(whole[:end])
        assert unpacked(whole[:end])[0] == expected


# -- budgets


def test_a_bomb_by_size_stops_and_names_the_limit() -> None:
    content, gunzip, findings = unpacked(gz(bytes(5 * PIECE)), limits=Limits(unpacked_bytes=2 * PIECE))
    assert len(content) == 2 * PIECE
    assert [f"{2 * PIECE:,} bytes" in found.message for found in findings] == [True]
    assert findings.counts == {"decompression-bomb": 1}
    assert not gunzip.is_whole


def test_a_bomb_by_ratio_stops_once_it_is_large_enough_to_matter() -> None:
    packed = gz(bytes(40 * PIECE))
    patient = Limits(unpacked_ratio=100, ratio_from=40 * PIECE)
    assert unpacked(packed, limits=patient)[1].is_whole
    content, _, findings = unpacked(packed, limits=Limits(unpacked_ratio=100, ratio_from=2 * PIECE))
    assert len(content) <= 4 * PIECE
    assert findings.counts == {"decompression-bomb": 1}


def test_a_bomb_fails_the_file_and_the_rest_of_its_bytes_are_still_hashed() -> None:
    packed = gz(b"a,b\n" + b"1,2\n" * 2_000_000)
    report = inspect(cut(packed, 1000), name="a.csv.gz", limits=Limits(unpacked_bytes=PIECE))
    assert codes(report) == {"decompression-bomb"}
    assert report.bytes == len(packed)
    assert report.facts.records is None
    assert [column.name for column in report.facts.columns] == ["a", "b"]


def test_no_piece_is_larger_than_a_block_however_much_is_packed_into_few_bytes() -> None:
    gunzip = Gunzip(Limits())
    assert max(map(len, gunzip.through([gz(bytes(10 * PIECE))]))) <= PIECE


# -- the report


def plain_facts(report: Report) -> tuple[object, ...]:
    return (report.status, report.format, report.encoding, report.newline, report.lines, report.facts, report.findings)


@given(AWKWARD_TEXT.filter(bool), st.sampled_from(["a.csv", "a.txt", "a.json", "a.jsonl"]), BLOCK_SIZES)
def test_a_packed_file_gets_the_report_of_the_plain_one(text: str, name: str, size: int) -> None:
    data = text.encode()
    plain = inspect([data], name=name, limits=EVERYTHING)
    packed = inspect(cut(gz(data), size), name=f"{name}.gz", limits=EVERYTHING)
    assert plain_facts(plain) == plain_facts(packed)
    assert (packed.compression, packed.unpacked_bytes, packed.bytes) == ("gzip", len(data), len(gz(data)))


def test_a_packed_file_without_content_is_an_empty_file() -> None:
    assert codes(inspect([gz(b"")], name="a.csv.gz")) == {"empty-file"}


def test_incompressible_data_in_many_small_members_is_counted_right() -> None:
    pieces = [random.Random(number).randbytes(number) for number in range(1, 300)]  # noqa: S311 - not for secrets
    data = b"".join(map(gz, pieces))
    assert unpacked(data, 777)[0] == b"".join(pieces)
    assert sum(map(len, itertools.chain(pieces))) == unpacked(data)[1].unpacked
