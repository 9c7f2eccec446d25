"""zip beside Python's zipfile: members, sums, the directory, and what is refused because readers would disagree."""

from __future__ import annotations

import io
import json
import lzma
import struct
import zipfile
import zlib
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.contracts import Contract
from chalicelib.inspection import Facts, Limits, Report, Status, inspect
from chalicelib.inspection.documents import OFFICE, OPEN_DOCUMENT
from chalicelib.inspection.magic import binary_format
from chalicelib.inspection.unzip import is_file
from tests.inspection.packing import PACKS, unpacked, wide, zipped
from tests.inspection.strategies import BLOCK_SIZES, codes, cut

CSV = b"a,b\n1,2\n3,4\n"
ONE = zipped([("a.csv", CSV)])
METHODS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
NAMES = st.sampled_from(["a.csv", "b.csv", "d/", "d/é.csv", "__MACOSX/._a.csv", "d/.DS_Store", "Thumbs.db"])


def one(data: bytes, name: str = "x.zip", **limits: int) -> Report:
    return inspect([data], name=name, limits=Limits()._replace(**limits))


def reasons(data: bytes) -> list[tuple[str, str]]:
    """Code and reason of each finding of an archive."""
    _, findings, _ = unpacked(data, "zip")
    return [(found.code, found.message.partition(": ")[2].partition(".")[0]) for found in findings]


@given(
    st.lists(st.tuples(NAMES, st.binary(max_size=50)), max_size=5, unique_by=lambda member: member[0]),
    st.sampled_from(METHODS),
    st.booleans(),
    BLOCK_SIZES,
)
def test_what_zipfile_writes_is_listed_and_checked_as_zipfile_reads_it(
    members: Sequence[tuple[str, bytes]], method: int, streamed: bool, size: int
) -> None:
    data = zipped(members, method, streamed=streamed)
    report = inspect(cut(data, size), name="x.zip")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        listed = [(info.filename, info.file_size, info.compress_size) for info in archive.infolist()]
    assert [(member.name, member.bytes, member.packed_bytes) for member in report.members] == listed
    assert report.member_count == len(members)
    files = [content for name, content in members if is_file(name)]
    assert ("several-files" in codes(report)) is (len(files) > 1)
    if len(files) == 1:
        assert report.unpacked_bytes == len(files[0])


@given(st.integers(0, 1 << 20), st.integers(1, 255), st.sampled_from([way for way in PACKS if way.startswith("zip")]))
def test_a_changed_archive_that_passes_is_one_that_zipfile_reads_alike(at: int, flip: int, way: str) -> None:
    data = bytearray(PACKS[way][1](CSV))
    data[at % len(data)] ^= flip
    content, _, is_whole = unpacked(bytes(data), "zip")
    if is_whole:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            assert archive.testzip() is None
            files = [info for info in archive.infolist() if is_file(info.filename)]
            assert [archive.read(info) for info in files] == ([content] if files else [])


# -- which file it is


@pytest.mark.parametrize(
    ("outer", "inner", "content", "found", "told"),
    [
        ("x.zip", "a.csv", CSV, "csv", set()),
        ("a.csv.zip", "data", CSV, "csv", set()),
        ("x.zip", "d/a.json", b"1", "json", set()),
        ("x.zip", "a.jsonl", b"1\n2\n", "jsonl", set()),
        ("x.zip", "a.csv", b'{"a": 1}', "json", {"name-content-mismatch"}),
        ("x.zip", "a.png", CSV, "csv", {"name-content-mismatch"}),
        ("noname", "a.csv", CSV, "csv", set()),
        ("a.csv.zip", "a.json", b"{}", "json", {"name-content-mismatch"}),
        ("a.csv", "a.csv", CSV, "csv", {"name-content-mismatch"}),
    ],
)
def test_a_zip_of_one_file_is_inspected_as_that_file_by_the_name_it_has_there(
    outer: str, inner: str, content: bytes, found: str, told: set[str]
) -> None:
    report = one(zipped([(inner, content)]), outer)
    assert (report.format, report.compression) == (found, "zip")
    assert codes(report) - {"no-final-newline"} == told


def test_of_several_files_none_is_inspected_and_all_are_listed_and_checked() -> None:
    members = [("a.csv", b'a,b\n1\n"'), ("b.csv", CSV), ("c.csv", CSV)]
    report = one(zipped(members))
    assert codes(report) == {"several-files"}
    assert (report.status, report.format, report.compression) == (Status.FAILED, "zip", "zip")
    assert (report.facts, report.lines, report.unpacked_bytes) == (Facts(), None, None)
    assert [member.name for member in report.members] == ["a.csv", "b.csv", "c.csv"]
    data = zipped(members, zipfile.ZIP_STORED)
    damaged = data[::-1].replace(CSV[::-1], CSV[:0:-1] + b"b", 1)[::-1]
    assert codes(one(damaged)) == {"several-files", "damaged-compression"}


def test_a_contract_judges_nothing_of_several_files() -> None:
    keywords = {"format": "csv", "schema": {"fields": [{"name": "a", "type": "integer"}]}}
    contract = Contract.of(json.dumps({"name": "orders", "match": "**", **keywords}))
    wrong = ("a.csv", b"a\nx\n")
    alone, several = (
        inspect([zipped(members)], name="x.zip", contract=contract) for members in ([wrong], [wrong, ("b.csv", CSV)])
    )
    assert alone.contract
    assert several.contract
    assert [rule.code for rule in alone.contract.broken_rules] == ["type-error"]
    assert (codes(several), several.contract.broken_rules) == ({"several-files", "unexpected-format"}, ())


@pytest.mark.parametrize("members", [[], [("d/", b"")], [("__MACOSX/._a.csv", b"x")]])
def test_an_archive_without_a_file_is_empty(members: list[tuple[str, bytes]]) -> None:
    assert codes(one(zipped(members))) == {"empty-file"}


@pytest.mark.parametrize(
    ("part", "found"),
    [("xl/workbook.xml", "xlsx"), ("word/document.xml", "docx"), ("ppt/slides/1.xml", "pptx"), ("xl/a.csv", "zip")],
)
def test_documents_that_are_zipped_parts_are_no_archives(part: str, found: str) -> None:
    parts = [("[Content_Types].xml", b"<Types/>"), (part, b"x" * 999)]
    for members in (parts, [("docProps/app.xml", b"x"), *parts[::-1]]):
        assert binary_format(zipped(members)) == found
    assert one(zipped([("data.bin", zipped(parts, zipfile.ZIP_STORED))], zipfile.ZIP_STORED)).compression == "zip"
    assert set(OFFICE.values()) == {"xlsx", "docx", "pptx"}


@pytest.mark.parametrize("kind", OPEN_DOCUMENT)
def test_open_documents_are_no_archives(kind: bytes) -> None:
    mimetype = b"application/vnd.oasis.opendocument." + kind
    data = zipped([("mimetype", mimetype), ("content.xml", b"<a/>")], zipfile.ZIP_STORED)
    report = one(data, f"a.{OPEN_DOCUMENT[kind]}")
    assert (report.status, report.media_type, report.compression) == (Status.SUCCEEDED, mimetype.decode(), None)


def test_names_of_members_are_utf8_or_code_page_437_and_cut() -> None:
    report = one(zipped([("d/é", b""), ("d" * 300 + "/", b"")]), name_length=10)
    assert [member.name for member in report.members] == ["d/é", "d" * 10]
    info = zipped([("d/xx", b"")]).replace(b"d/xx", b"d/\x82\xe1")
    assert [member.name for member in one(info).members] == ["d/éß"]


def test_the_report_names_only_so_many_members_and_counts_them_all() -> None:
    report = one(zipped([(f"{number}/", b"") for number in range(5)]), named_members=2)
    assert ([member.name for member in report.members], report.member_count) == (["0/", "1/"], 5)


def test_more_members_than_the_limit_end_the_check() -> None:
    data = zipped([(f"{number}/", b"") for number in range(5)])
    assert codes(one(data, members=5)) == {"empty-file"}
    assert codes(one(data, members=4)) == {"too-many-members"}


# -- what is refused


def changed(data: bytes, *changes: tuple[bytes, int, bytes]) -> bytes:
    """The data with other bytes at an offset behind each signature given."""
    for signature, offset, put in changes:
        at = data.rindex(signature) + offset
        data = data[:at] + put + data[at + len(put) :]
    return data


LOCAL, CENTRAL, END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"


@pytest.mark.parametrize("flag", [1, 1 << 6, 1 << 13])
def test_an_encrypted_member_is_told(flag: int) -> None:
    flags = struct.pack("<H", flag)
    data = changed(ONE, (LOCAL, 6, flags), (CENTRAL, 8, flags))
    report = one(data)
    assert codes(report) == {"encrypted-archive"}
    assert [found.field for found in report.findings] == ["a.csv"]


@pytest.mark.parametrize(("method", "words"), [(9, "Deflate64"), (1, "Shrink"), (77, "method 77")])
def test_a_method_that_is_not_known_is_told(method: int, words: str) -> None:
    put = struct.pack("<H", method)
    assert reasons(changed(ONE, (LOCAL, 8, put), (CENTRAL, 10, put))) == [
        ("unsupported-compression", f"a member of the archive is packed with {words}")
    ]


def test_what_needs_a_newer_reader_is_told_wherever_it_is_written() -> None:
    for change in ((LOCAL, 4, b"\x40"), (CENTRAL, 6, b"\x40"), (LOCAL, 6, b"\x20"), (CENTRAL, 8, b"\x20")):
        assert reasons(changed(ONE, change)) == [
            ("unsupported-compression", "a member of the archive needs a newer reader")
        ]


def test_a_name_that_readers_end_at_different_places_is_told() -> None:
    data = ONE.replace(b"a.csv", b"a.c\0/")
    assert [code for code, _ in reasons(data)] == ["archive-inconsistent"]


@pytest.mark.parametrize(
    ("offset", "put"),
    [(8, b"\1"), (10, b"\0"), (16, b"\0\0\0\0"), (20, b"\1"), (24, b"\1"), (42, b"\1"), (46, b"b")],
    ids=["encrypted", "method", "checksum", "packed size", "size", "offset", "name"],
)
def test_a_directory_that_lists_a_member_otherwise_is_told(offset: int, put: bytes) -> None:
    assert reasons(changed(ONE, (CENTRAL, offset, put))) == [
        ("archive-inconsistent", "an entry differs from the member that it lists")
    ]


def parts_of(data: bytes) -> tuple[bytes, bytes, bytes]:
    """Members, directory, end."""
    return data[: data.index(CENTRAL)], data[data.index(CENTRAL) : data.index(END)], data[data.index(END) :]


def archive(members: bytes, directory: bytes, entries: int) -> bytes:
    """An archive whose end tells of that directory."""
    return members + directory + struct.pack("<4s4H2LH", END, 0, 0, entries, entries, len(directory), len(members), 0)


def test_a_member_that_the_directory_leaves_out_or_lists_twice_is_told() -> None:
    members, directory, _ = parts_of(zipped([("d/", b""), ("a.csv", CSV)]))
    first, second = directory[: directory.rindex(CENTRAL)], directory[directory.rindex(CENTRAL) :]
    assert reasons(archive(members, second + first, 2)) == []  # in any order
    assert reasons(archive(members, second, 1)) == [("archive-inconsistent", "a member is not listed")]
    for twice in (first + first, first + second + second):
        assert [code for code, _ in reasons(archive(members, twice, twice.count(CENTRAL)))] == ["archive-inconsistent"]


def test_a_file_that_only_readers_from_the_start_would_see_is_told() -> None:
    """The directory lists the second file alone."""
    hidden, _, _ = parts_of(zipped([("a.csv", b"a,b\n9,9\n")]))
    members, directory, _ = parts_of(ONE)
    moved = changed(directory, (CENTRAL, 42, struct.pack("<L", len(hidden))))
    assert "archive-inconsistent" in codes(one(archive(hidden + members, moved, 1)))


def test_a_file_that_only_readers_of_the_directory_would_see_is_told() -> None:
    """It is inside the data of another, as in the archives that unpack to petabytes."""
    inner, directory, _ = parts_of(ONE)
    outer, _, _ = parts_of(zipped([("a.csv", inner)], zipfile.ZIP_STORED))
    moved = changed(directory, (CENTRAL, 42, struct.pack("<L", outer.index(inner))))
    assert "archive-inconsistent" in codes(one(archive(outer, moved, 1)))


@pytest.mark.parametrize(("offset", "put"), [(10, b"\2"), (12, b"\1"), (16, b"\1")], ids=["entries", "size", "offset"])
def test_an_end_that_tells_of_another_directory_is_told(offset: int, put: bytes) -> None:
    assert [code for code, _ in reasons(changed(ONE, (END, offset, put)))] == ["archive-inconsistent"]


def test_bytes_between_members_and_behind_the_end_are_damage() -> None:
    members, directory, end = parts_of(ONE)
    for data in (members + b"gap!" + directory + end, ONE + b"x"):
        assert [code for code, _ in reasons(data)] == ["damaged-compression"]


def test_a_comment_belongs_to_the_archive_and_a_signature_to_its_directory() -> None:
    members, directory, end = parts_of(ONE)
    assert reasons(members + directory + end[:-2] + b"\3\0abc") == []
    assert reasons(members + directory + b"PK\x05\x05\2\0xy" + end) == []


def test_one_part_of_a_split_archive_is_told() -> None:
    assert reasons(changed(ONE, (END, 4, b"\2"))) == [("unsupported-compression", "the archive is one part of several")]


# -- sums and descriptors


@pytest.mark.parametrize("offset", [14, 18, 22], ids=["checksum", "packed size", "size"])
def test_a_member_whose_header_has_other_sums_is_damaged_and_named(offset: int) -> None:
    report = one(changed(zipped([("a.csv", CSV)], zipfile.ZIP_STORED), (LOCAL, offset, b"\7")))
    assert codes(report) == {"damaged-compression"}
    assert [found.field for found in report.findings] == ["a.csv"]


def by_hand(
    content: bytes, descriptor: bytes, *, method: int = 0, packed: bytes | None = None, flags: int = 8
) -> bytes:
    """An archive with one member that has this descriptor."""
    packed = content if packed is None else packed
    sums = struct.pack("<3L", zlib.crc32(content), len(packed), len(content))
    head = struct.pack("<5H", 20, flags, method, 0, 0)
    local = LOCAL + head + (bytes(12) if flags & 8 else sums) + struct.pack("<2H", 1, 0) + b"a"
    central = CENTRAL + b"\x14\0" + head + sums + struct.pack("<5H2L", 1, 0, 0, 0, 0, 0, 0) + b"a"
    return archive(local + packed + descriptor, central, 1)


@pytest.mark.parametrize("signature", [b"", b"PK\x07\x08"], ids=["bare", "signed"])
@pytest.mark.parametrize("width", ["L", "Q"])
@pytest.mark.parametrize("content", [b"", CSV])
def test_a_descriptor_may_have_any_of_the_forms_that_are_written(signature: bytes, width: str, content: bytes) -> None:
    deflate = zlib.compressobj(wbits=-15)
    packed = deflate.compress(content) + deflate.flush()
    descriptor = signature + struct.pack(f"<L2{width}", zlib.crc32(content), len(packed), len(content))
    data = by_hand(content, descriptor, method=8, packed=packed)
    assert reasons(data) == []
    assert unpacked(data, "zip")[0] == content
    assert reasons(by_hand(content, descriptor[:-1] + b"\1", method=8, packed=packed)) == [
        ("damaged-compression", "the checksum or a size of a member is wrong")
    ]


def descriptor_of(content: bytes) -> bytes:
    return b"PK\x07\x08" + struct.pack("<3L", zlib.crc32(content), len(content), len(content))


@pytest.mark.parametrize("length", [0, 1, 4069, 4070, 4071, 4095, 4096, 4097, 4122, 8192, 70_000])
def test_stored_data_of_unknown_size_ends_at_its_descriptor_wherever_blocks_end(length: int) -> None:
    content = (b"PK\x07\x08" + bytes(11)) * 9000
    for data in (content[:length], bytes(length)):
        assert unpacked(by_hand(data, descriptor_of(data)), "zip")[::2] == (data, True)


def test_stored_data_that_holds_its_own_descriptor_never_passes_as_what_is_before_it() -> None:
    start = b"a,b\n1,2\n"
    content = start + descriptor_of(start) + b"PK,x\n"
    assert [code for code, _ in reasons(by_hand(content, descriptor_of(content)))] == ["damaged-compression"]
    inner, _, _ = parts_of(by_hand(start, descriptor_of(start)))
    content = start + descriptor_of(start) + inner
    assert not unpacked(by_hand(content, descriptor_of(content)), "zip")[2]


def test_deflated_data_must_end_where_its_header_says() -> None:
    for packed in (zlib.compress(CSV, wbits=-15)[:-1], zlib.compress(CSV, wbits=-15) + b"x"):
        assert [code for code, _ in reasons(by_hand(CSV, b"", method=8, packed=packed, flags=0))] == [
            "damaged-compression"
        ]
    assert reasons(by_hand(b"", b"", method=8, packed=b"", flags=0)) == []  # as some write what is empty


def lzma_of(content: bytes, *, window: int = 1 << 16, ended: bool) -> bytes:
    packed = lzma.compress(content, lzma.FORMAT_ALONE, filters=[{"id": lzma.FILTER_LZMA1, "dict_size": window}])
    # Python's own always writes an end mark; without the last bytes, all of the content is still there.
    return b"\x09\x14\x05\0" + packed[:5] + (packed[13:] if ended else packed[13:-5])


def test_lzma_may_have_an_end_mark_or_not_and_no_large_dictionary() -> None:
    for ended, flags in ((True, 2), (True, 10), (False, 0)):
        packed = lzma_of(CSV, ended=ended)
        descriptor = b"PK\x07\x08" + struct.pack("<3L", zlib.crc32(CSV), len(packed), len(CSV))
        data = by_hand(CSV, descriptor if flags & 8 else b"", method=14, packed=packed, flags=flags)
        assert unpacked(data, "zip")[::2] == (CSV, True)
    packed = lzma_of(CSV, window=256 << 20, ended=True)
    assert [code for code, _ in reasons(by_hand(CSV, b"", method=14, packed=packed, flags=2))] == [
        "decompression-memory"
    ]
    assert [code for code, _ in reasons(by_hand(CSV, b"", method=14, packed=b"\0" * 20, flags=2))] == [
        "damaged-compression"
    ]
    assert [code for code, _ in reasons(by_hand(CSV, b"", method=14, packed=b"\0\0\5\0\xff" * 4, flags=2))] == [
        "damaged-compression"
    ]


# -- zip64


def test_more_members_than_zip_can_count_are_counted_in_zip64() -> None:
    data = zipped([(f"{number}/", b"") for number in range(65_600)])
    assert b"PK\x06\x06" in data
    report = one(data)
    assert (codes(report), report.member_count) == ({"empty-file"}, 65_600)
    at = data.index(b"PK\x06\x06")
    assert reasons(data[: at + 32] + b"\0" + data[at + 33 :])[0][0] == "archive-inconsistent"


def test_an_end_of_zip64_may_have_more_fields_than_are_known() -> None:
    members, directory, end = parts_of(ONE)
    at = len(members) + len(directory)
    more = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 48, 45, 45, 0, 0, 1, 1, len(directory), len(members)) + b"more"
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, at, 1)
    assert reasons(members + directory + more + locator + end) == []
    full = END + bytes(4) + b"\xff" * 12 + bytes(2)
    assert reasons(members + directory + more + locator + full) == []
    wrong = struct.pack("<4sLQL", b"PK\x06\x07", 0, at + 1, 1)
    assert reasons(members + directory + more + wrong + full)[0][0] == "archive-inconsistent"


@given(st.binary(max_size=60))
@example(b"\1\0\x10\0" + bytes(16))
@example(b"\1\0\xff\xff")
def test_any_extra_field_is_taken(extra: bytes) -> None:
    """zip64's too, where no number needs it."""
    members, directory, _ = parts_of(ONE)
    name = b"a.csv"
    members = changed(members, (LOCAL, 28, struct.pack("<H", len(extra)))).replace(name, name + extra, 1)
    assert reasons(archive(members, directory, 1)) == []


def test_zip64_without_its_numbers_is_damage() -> None:
    data = wide(CSV)
    at = data.index(b"\1\0\x10\0")
    assert [code for code, _ in reasons(data[:at] + b"\2" + data[at + 1 :])] == ["damaged-compression"]
