"""Parquet, with pyarrow as the oracle of what is right, and hand-made footers for what is wrong."""

from __future__ import annotations

import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.contracts import Contract
from chalicelib.inspection import Limits, Report, inspect
from chalicelib.inspection.parquet.compact import Compact, CompactError
from tests.inspection.packing import zipped
from tests.inspection.strategies import cut, gz
from tests.inspection.thrift import SIZE, STRUCT, chunk, element, footer, group, i64, listed, parquet, text


def judged(content: bytes, *, name: str = "a.parquet", **options: Any) -> Report:
    return inspect([content], name=name, **options)


def written(table: pa.Table, **options: Any) -> bytes:
    target = io.BytesIO()
    pq.write_table(table, target, **options)
    return target.getvalue()


TYPES = st.sampled_from(
    [
        (pa.int32(), "INT32", None),
        (pa.int64(), "INT64", None),
        (pa.uint8(), "INT32", "INT(8,unsigned)"),
        (pa.float64(), "DOUBLE", None),
        (pa.bool_(), "BOOLEAN", None),
        (pa.string(), "BYTE_ARRAY", "STRING"),
        (pa.binary(), "BYTE_ARRAY", None),
        (pa.binary(3), "FIXED_LEN_BYTE_ARRAY(3)", None),
        (pa.date32(), "INT32", "DATE"),
        (pa.time64("us"), "INT64", "TIME(MICROS)"),
        (pa.timestamp("ms"), "INT64", "TIMESTAMP(MILLIS)"),
        (pa.timestamp("ns", tz="UTC"), "INT64", "TIMESTAMP(NANOS,UTC)"),
        (pa.decimal128(30, 4), "FIXED_LEN_BYTE_ARRAY(13)", "DECIMAL(30,4)"),
        (pa.list_(pa.int32()), None, "LIST"),
        (pa.map_(pa.string(), pa.int32()), None, "MAP"),
        (pa.struct([("x", pa.int32()), ("y", pa.list_(pa.string()))]), None, "STRUCT"),
    ]
)
VALUES: dict[str, Any] = {
    "list": [1, None],
    "map": [("k", 1)],
    "struct": {"x": 1, "y": ["a"]},
    "fixed_size_binary": b"abc",
    "string": "é",
    "binary": b"\xff",
}


def column(kind: pa.DataType, filled: list[bool]) -> pa.Array:
    """Nulls, and one value of the type."""
    name = next((name for name in VALUES if str(kind).startswith(name)), None)
    value = VALUES[name] if name else 1
    if name:
        return pa.array([value if full else None for full in filled], kind)
    plain = pa.array([value if full else None for full in filled])
    return plain.cast(kind) if not pa.types.is_temporal(kind) else plain.cast(_stored(kind)).cast(kind)


def _stored(kind: pa.DataType) -> pa.DataType:
    return pa.int32() if kind == pa.date32() else pa.int64()


@given(
    st.lists(st.tuples(TYPES, st.text("ab ,é", min_size=1, max_size=4)), max_size=5, unique_by=lambda each: each[1]),
    st.lists(st.booleans(), max_size=8),
    st.integers(1, 4),
    st.sampled_from(["none", "snappy", "gzip", "zstd", "brotli", "lz4"]),
    st.sampled_from(["1.0", "2.4", "2.6"]),
)
def test_rows_row_groups_schema_codec_and_writer_are_those_that_pyarrow_tells(
    columns: list[Any], filled: list[bool], size: int, codec: str, version: str
) -> None:
    names = [name for _, name in columns]
    if version != "2.6":
        columns = [each for each in columns if "NANOS" not in str(each) and "uint8" not in str(each)]
        names = [name for _, name in columns]
    table = pa.table([column(kind, filled) for (kind, _, _), _ in columns], names=names)
    content = written(table, row_group_size=size, compression=codec, version=version)
    known = pq.ParquetFile(io.BytesIO(content)).metadata
    report = judged(content)
    facts = report.facts
    assert report.status == "succeeded"
    assert (facts.records, facts.row_groups) == (known.num_rows, known.num_row_groups)
    assert facts.created_by == known.created_by
    assert [each.name for each in facts.columns] == names
    assert facts.column_count == len(names)
    assert [(each.physical_type, each.logical_type) for each in facts.columns] == [
        (physical, logical) for (_, physical, logical), _ in columns
    ]
    chunks = [
        known.row_group(at).column(of) for at in range(known.num_row_groups) for of in range(len(known.schema.names))
    ]
    assert {codec.replace("LZ4_RAW", "LZ4") for codec in facts.codecs} == {chunk.compression for chunk in chunks}


NESTED = written(
    pa.table(
        {
            "id": [1, 2, 3, 4, 5],
            "tags": [["a"], [], None, ["b", "c"], []],
            "by": pa.array([[("k", 1)]] * 5, pa.map_(pa.string(), pa.int32())),
        }
    ),
    row_group_size=2,
)


@given(st.integers(4, len(NESTED) - 1))
@example(4)
@example(11)
def test_a_file_that_was_cut_anywhere_fails(end: int) -> None:
    report = judged(NESTED[:end])
    assert report.status == "failed"
    assert report.counts.keys() <= {"truncated-parquet", "damaged-parquet"}


@given(st.integers(0, len(NESTED) - 1), st.binary(min_size=1, max_size=9), st.integers(1, 99))
def test_a_file_that_was_changed_anywhere_gets_one_report_however_it_arrives(at: int, new: bytes, size: int) -> None:
    content = NESTED[:at] + new + NESTED[at + len(new) :]
    report, again = judged(content), inspect(cut(content, size), name="a.parquet")
    if report != again:  # a run of indexes may go on behind its page, where the engine finds whatever is there
        assert report.counts.keys() ^ again.counts.keys() == {"damaged-parquet"}
    assert report.facts.records is not None or report.status == "failed" or report.format != "parquet"


@given(st.binary(max_size=200))
def test_no_footer_is_too_odd_for_a_report(footer: bytes) -> None:
    assert judged(parquet(footer)).status == "failed"


@given(st.binary(max_size=60))
def test_reading_anything_as_a_struct_ends(data: bytes) -> None:
    source = Compact(data)
    try:
        source.struct({})
    except CompactError:
        return
    assert source.at <= len(data)


def test_a_list_that_claims_more_items_than_there_are_bytes_is_refused_at_once() -> None:
    with pytest.raises(CompactError, match="lists more"):
        Compact(b"\x19\xf5\xff\xff\xff\xff\x07\x00").struct({})


def test_a_number_of_more_than_64_bits_is_refused_for_no_receipt_could_be_written_of_it() -> None:
    widest = b"\xff" * 9
    assert Compact(widest + b"\x01").zigzag() == -(1 << 63)
    with pytest.raises(CompactError, match="64 bits"):
        Compact(widest + b"\x03").zigzag()


def test_structs_within_structs_without_end_are_refused() -> None:
    with pytest.raises(CompactError, match="too deep"):
        Compact(b"\x1c" * 100_000).struct({})


def test_nothing_in_the_file_is_looked_for_where_the_footer_is() -> None:
    assert (
        damage(footer(group(chunk("id", size=SIZE + 1)))) == "its footer places a column chunk where the file has none"
    )
    assert damage(footer(group(chunk("id", start=-5)))) == "its footer places a column chunk where the file has none"
    assert not judged(parquet(footer(group(chunk("id"))))).counts


def damage(said: Any) -> str:
    """What is said of the one damage that there is."""
    report = judged(parquet(said))
    assert report.counts == {"damaged-parquet": 1}
    return report.findings[0].message.removeprefix("The Parquet file is damaged: ").partition(".")[0]


ONE = group(chunk("id"))
WRONG: dict[str, Any] = {
    "counts other rows": footer(ONE, rows=3),
    "other rows than its row group": footer(group(chunk("id", values=3))),
    "other columns than its schema": footer(group(chunk("name"))),
    "other columns than": footer(group(chunk("id", physical=2))),
    "other columns": footer(group(chunk("id"), chunk("id"))),
    "row groups before its schema": footer(schema=[]),
    "no version": {key: value for key, value in footer(ONE).items() if key != 1},
    "a column without a name": footer(schema=[{5: (5, 1)}]),
    "no known type": footer(schema=[element("schema", children=1), element("id", physical=9, repetition=0)]),
    "how often": footer(schema=[element("schema", children=1), element("id", physical=1)]),
    "fewer columns": footer(schema=[element("schema", children=2), element("id", physical=1, repetition=0)]),
    "belong nowhere": footer(schema=[element("schema"), element("id", physical=1, repetition=0)]),
    "fewer than no columns": footer(schema=[element("schema", children=-1)]),
    "only a part of its description": footer(group({3: (STRUCT, {1: (5, 1)})})),
    "without its description": footer(group({2: i64(4)})),
    "without columns or rows": footer() | {4: listed(STRUCT, [{2: i64(4)}])},
}


@pytest.mark.parametrize("words", WRONG)
def test_a_footer_that_contradicts_itself_or_the_file_is_damage(words: str) -> None:
    assert words in damage(WRONG[words])


def test_a_footer_that_cannot_be_as_long_as_it_says_is_damage() -> None:
    content = parquet(footer(ONE))
    report = judged(content[:-8] + (1 << 31).to_bytes(4, "little") + b"PAR1")
    assert report.counts == {"damaged-parquet": 1}


@pytest.mark.parametrize(
    "content",
    [
        parquet(footer(ONE), magic=b"PARE"),
        parquet(footer(ONE) | {8: (STRUCT, {})}),
        parquet(footer(group({2: i64(4), 8: (STRUCT, {})}))),
    ],
    ids=["the footer", "the file, its footer in the open", "a column"],
)
def test_what_is_encrypted_is_told_as_such(content: bytes) -> None:
    assert judged(content).counts == {"encrypted-file": 1}


@pytest.mark.parametrize(("codec", "name"), [(3, "LZO"), (77, "codec 77")])
def test_a_codec_that_nobody_reads_is_told(codec: int, name: str) -> None:
    report = judged(parquet(footer(group(chunk("id", codec=codec)))))
    assert report.counts == {"unsupported-compression": 1}
    assert report.facts.codecs == (name,)


def test_columns_with_the_same_name_or_none_are_told() -> None:
    schema = [element("schema", children=3), *(element(name, physical=1, repetition=0) for name in ("a", "a", " "))]
    report = judged(parquet(footer(group(chunk("a"), chunk("a"), chunk(" ")), schema=schema)))
    assert report.counts == {"duplicate-header": 1, "blank-header": 1}


def test_a_schema_wider_than_the_limit_is_not_read_on() -> None:
    table = pa.table({f"c{number}": [1] for number in range(12)})
    assert judged(written(table), limits=Limits(columns=11)).counts == {"too-many-columns": 1}
    assert judged(written(table), limits=Limits(columns=2)).counts == {"too-many-columns": 1}
    assert not judged(written(table), limits=Limits(columns=12)).counts


def test_the_types_that_old_writers_give_are_told_by_the_same_names() -> None:
    schema = [element("hive_schema", children=1), element("id", physical=1, repetition=1, converted=6)]
    report = judged(parquet(footer(ONE, schema=schema)))
    assert report.facts.columns[0].logical_type == "DATE"


def test_rows_and_columns_may_be_none() -> None:
    assert judged(written(pa.table({"a": pa.array([], pa.int32())}))).counts == {"no-records": 1}
    assert judged(parquet(footer(schema=[element("schema")]))).counts == {"no-records": 1}


def test_a_file_longer_than_what_is_kept_of_it_is_judged_by_its_end() -> None:
    content = written(pa.table({"a": list(range(10_000))}), compression="none")
    report = judged(content, limits=Limits(spool_bytes=2_000, block_bytes=512, sniff_bytes=512))
    assert (report.facts.records, report.bytes) == (10_000, len(content))
    assert report.counts == {"values-not-checked": 1}


def test_a_footer_longer_than_the_limit_is_not_read() -> None:
    report = judged(NESTED, limits=Limits(parquet_footer_bytes=100))
    assert report.counts == {"too-large-to-check": 1}
    assert report.bytes == len(NESTED)


def test_what_was_unpacked_is_judged_alike() -> None:
    assert judged(gz(NESTED), name="a.parquet.gz").facts == judged(NESTED).facts
    assert judged(zipped([("a.parquet", NESTED)]), name="a.zip").facts == judged(NESTED).facts


def test_what_could_not_be_unpacked_is_not_called_damaged_parquet() -> None:
    assert judged(gz(NESTED)[:-20], name="a.parquet.gz").counts == {"truncated-compression": 1}
    two = zipped([("a.parquet", NESTED), ("b.parquet", NESTED)])
    assert judged(two, name="a.zip").counts == {"several-files": 1}


def test_a_table_whose_first_name_is_that_of_the_format_is_a_table() -> None:
    assert judged(b"PAR1,PAR2\n1,2\n", name="a.csv").format == "csv"
    assert judged(b"PAR1", name="a.parquet").counts == {"truncated-parquet": 1}


def test_time_is_looked_at_between_row_groups() -> None:
    asked = iter([False] * 3)
    report = judged(NESTED, out_of_time=lambda: next(asked, True))
    assert report.counts == {"inspection-timed-out": 1}


# -- values

VALUES_TABLE = pa.table(
    {
        "id": pa.array([1, 2, 2, None], pa.int32()),
        "name": ["a", "b", "c", "d"],
        "on": pa.array([0, 1, 2, 3], pa.int32()).cast(pa.date32()),
        "at": pa.array([0, 1, 2, 10**18], pa.int64()).cast(pa.timestamp("us", "UTC")),
        "price": pa.array([1, 2, 3, 4]).cast(pa.decimal128(22, 2)),
        "tags": [["x"], [], None, ["y"]],
        "by": pa.array([[(1, 2)], [], None, [(3, 4)]], pa.map_(pa.int32(), pa.int32())),
        "raw": [b"a", b"\xff", b"c", b"d"],
        "took": pa.array([0, 1, 2, 3], pa.int32()).cast(pa.time32("ms")),
    }
)


def field(name: str, type_: str, **constraints: Any) -> dict[str, Any]:
    return {"name": name, "type": type_, "constraints": constraints}


def under(content: bytes, *fields: Any, limits: Limits | None = None, **keywords: Any) -> Report:
    said = {"fields": list(fields), "fieldsMatch": "subset"}
    known = Contract.of(json.dumps({"name": "c", "match": "**", "schema": said, **keywords}))
    return inspect([content], name="a.parquet", contract=known, limits=limits)


def broken(table: pa.Table, *fields: Any, **keywords: Any) -> list[tuple[str, int | None, str | None]]:
    """Code, row and field of what the table breaks."""
    return [(found.code, found.row, found.field) for found in under(written(table), *fields, **keywords).findings]


SOME = VALUES_TABLE.slice(0, 3)


def test_values_are_judged_as_what_they_are() -> None:
    right = [field("id", "integer"), field("on", "date"), field("price", "number"), field("tags", "array")]
    assert broken(SOME, *right, field("by", "object"), field("took", "time"), format="parquet") == []
    assert broken(SOME, field("id", "integer", unique=True, required=True)) == [("constraint-unique", 3, "id")]
    assert broken(SOME, field("on", "date", minimum="1970-01-02")) == [("constraint-minimum", 1, "on")]
    assert broken(SOME, field("raw", "string")) == [("type-error", 2, "raw")]
    assert broken(SOME, field("name", "integer"), tolerance={"errors": 3})[-1][0] == "errors-tolerated"
    assert broken(SOME, field("tags", "any", required=True)) == [("constraint-required", 3, "tags")]


def test_columns_that_are_missing_are_told_as_of_a_text() -> None:
    assert broken(SOME, field("no", "any")) == [("missing-label", 0, "no")]


def test_moments_have_their_zone_and_those_beyond_the_year_9999_cannot_be_judged() -> None:
    assert broken(VALUES_TABLE, field("at", "datetime")) == [("contract-not-checked", None, None)]
    assert not broken(SOME, field("at", "datetime", minimum="1970-01-01T00:00:00Z"))
    assert broken(SOME, field("at", "datetime", minimum="1970-01-01T00:00:00.000001Z")) == [
        ("constraint-minimum", 1, "at")
    ]


def test_values_that_cannot_be_read_are_damage() -> None:
    content = bytearray(written(pa.table({"a": ["text"] * 999}), compression="zstd", use_dictionary=False))
    content[60:70] = b"\xff" * 10
    assert judged(bytes(content)).counts == {"damaged-parquet": 1}
    assert under(bytes(content), field("a", "string")).counts == {"damaged-parquet": 1}


@pytest.mark.parametrize("codec", ["snappy", "gzip", "zstd", "brotli", "lz4"])
def test_what_is_damaged_is_not_called_unsupported(codec: str) -> None:
    content = bytearray(written(pa.table({"a": list(range(999))}), compression=codec, use_dictionary=False))
    content[40:80] = b"\xff" * 40
    assert judged(bytes(content)).counts == {"damaged-parquet": 1}


def test_a_map_without_values_is_no_damage() -> None:
    schema = [
        element("schema", children=1),
        element("set", children=1, repetition=0, converted=1),
        element("key_value", children=1, repetition=2),
        element("key", physical=1, repetition=0),
    ]
    report = judged(parquet(footer(group(chunk("set", "key_value", "key")), schema=schema)))
    assert report.counts == {"values-not-checked": 1}


@pytest.mark.parametrize("said", ["{}", '{"columns": {"at": {"encoding": "WKB"}}, "primary_column": "at"}', "x"])
def test_what_other_standards_say_of_geometries_is_no_matter_of_the_format(said: str) -> None:
    """Early GeoParquet has neither version nor types of geometries; the values are bytes all the same."""
    point = bytes.fromhex("0101000000000000000000f03f0000000000000040")
    content = written(pa.table({"at": [point]}).replace_schema_metadata({"geo": said}))
    assert judged(content).counts == {}


def test_text_that_is_no_utf_8_is_damage() -> None:
    content = written(pa.table({"a": ["aaaa"] * 9}), compression="none", use_dictionary=False, write_statistics=False)
    assert judged(content.replace(b"aaaa", b"aa\xffa")).counts == {"damaged-parquet": 1}


def test_a_contract_for_values_that_are_not_there_fails() -> None:
    content = parquet(footer(group({1: text("part-0"), **chunk("id")})))
    assert judged(content).status == "succeeded"
    assert under(content, field("id", "integer")).counts == {"contract-not-checked": 1}


def test_one_file_after_another_is_read_whatever_was_wrong_with_the_one_before() -> None:
    for number in range(3):
        content = written(pa.table({"a": [number]}))
        assert not under(content, field("a", "integer", minimum=number, maximum=number)).counts
        assert judged(parquet(footer(ONE), data=bytes(SIZE))).counts == {"damaged-parquet": 1}
