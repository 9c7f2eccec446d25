"""JsonText accepts exactly RFC 8259, explains the first error, and tells the same whatever the blocks."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.inspection.json_text import JsonText
from chalicelib.inspection.limits import Limits
from tests.inspection.json_samples import (
    INVALID,
    RECORDS,
    SPELLINGS,
    TOKENS,
    VALID,
    VALUES,
    Outcome,
    cut,
    is_json,
    member_names,
    member_types,
    mutated,
    outcome,
    repeated_names,
    sizes,
    types_of,
)


def inspect_blocks(blocks: Iterator[bytes], limits: Limits | None = None) -> Outcome:
    return outcome(JsonText, blocks, limits or Limits())


def inspect(text: str, limits: Limits | None = None) -> Outcome:
    return inspect_blocks(cut(text, len(text) or 1), limits)


TEXTS = (
    st.builds(lambda value, spelling: json.dumps(value, **spelling), VALUES, SPELLINGS)
    | st.builds(lambda rows, spelling: json.dumps(rows, **spelling), st.lists(RECORDS, max_size=6), SPELLINGS)
    | st.builds(lambda row, times: json.dumps([row] * times, indent=1), RECORDS, st.integers(0, 6))
    | st.builds(lambda rows, row: json.dumps({"a": row, "rows": rows, "b": [rows, 1]}), st.lists(RECORDS), VALUES)
)
ANY_TEXT = TEXTS | mutated(TEXTS) | mutated(mutated(TEXTS)) | TOKENS | st.text(max_size=20)
SMALL = Limits(json_depth=3, json_names=2, named_columns=2, name_length=3)


def _objects(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    names = st.sampled_from(['"a"', r'"\u0061"', '"b"', '""', r'"\ud83d\ude00"', '"😀"', f'"{"x" * 70}"'])
    members = st.builds("{}:{}".format, names, inner)
    return st.lists(members, max_size=5).map(lambda parts: "{" + ",".join(parts) + "}")


def _arrays(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(inner, max_size=5).map(lambda parts: "[" + ",".join(parts) + "]")


@pytest.mark.parametrize("text", VALID)
def test_json_is_accepted(text: str) -> None:
    assert is_json(text)
    for size in sizes(text):
        assert "malformed-json" not in inspect_blocks(cut(text, size)).codes


AROUND = ("{}", "[{},1]", "[1,{},1]", '{{"a":{}}}', "[[1],[{}],1]")
INVALID_WITHIN = [text for inner in INVALID for around in AROUND if not is_json(text := around.format(inner))]


@pytest.mark.parametrize("text", INVALID_WITHIN)
def test_what_is_not_json_is_refused(text: str) -> None:
    for size in sizes(text):
        assert inspect_blocks(cut(text, size)).counts.get("malformed-json") == 1


@given(ANY_TEXT)
def test_accepts_what_a_strict_parser_accepts(text: str) -> None:
    assert inspect(text).counts.get("malformed-json", 0) == (not is_json(text))


@given(st.binary(max_size=30).map(lambda data: data.decode("latin-1")))
def test_accepts_of_arbitrary_bytes_what_a_strict_parser_accepts(text: str) -> None:
    assert inspect(text).counts.get("malformed-json", 0) == (not is_json(text))


@given(ANY_TEXT, st.sampled_from([Limits(), SMALL, Limits(json_depth=1), Limits(json_names=3)]))
def test_outcome_does_not_depend_on_blocks(text: str, limits: Limits) -> None:
    whole = inspect(text, limits)
    for size in sizes(text):
        assert inspect_blocks(cut(text, size), limits) == whole


@given(TEXTS)
def test_tells_what_a_parser_tells(text: str) -> None:
    value, told = json.loads(text), inspect(text)
    records = value if isinstance(value, list) else [value]
    names = member_names(records)
    assert told.facts.records == len(records)
    assert told.facts.column_count == len(names)
    storable = [name.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for name in names]
    assert [column.name for column in told.facts.columns] == [name[:200] for name in storable]
    assert [column.types for column in told.facts.columns] == member_types(records)
    assert told.facts.record_types == types_of(records)
    assert told.counts == ({"no-records": 1} if value == [] else {})


@given(st.recursive(st.just("1"), lambda inner: _objects(inner) | _arrays(inner), max_leaves=15))
def test_counts_duplicate_names_as_a_parser_does(text: str) -> None:
    assert inspect(text).counts.get("duplicate-json-name", 0) == repeated_names(text)


@pytest.mark.parametrize(
    ("text", "line", "column", "reason"),
    [
        ("", 1, 1, "there is no value"),
        (" \n ", 2, 2, "there is no value"),
        ("[1,]", 1, 4, "a comma is followed by ]"),
        ("[1, 2\n, ]", 2, 3, "a comma is followed by ]"),
        ('{"a":1,}', 1, 8, "a comma is followed by }"),
        ('{"a":}', 1, 6, "a colon is followed by }"),
        ("[NaN]", 1, 2, "NaN is not a JSON number, and None is not JSON; write null"),
        ("[-Infinity]", 1, 3, "a minus sign is not followed by a digit"),
        ("[01]", 1, 3, "a number begins with a needless 0"),
        ("[1.]", 1, 4, "a number has no digit after its point"),
        ("1e", 1, 3, "the text ends inside a number"),
        ('["é\n"]', 1, 4, r"there is a line break (write \n) inside a string"),
        ('["é", é]', 1, 7, "é does not begin a value"),
        ("[\u202e]", 1, 2, "U+202E does not begin a value"),
        ('["𝄞\\x"]', 1, 5, r"a backslash is followed by x (a backslash is written \\)"),
        (r'"\u12g4"', 1, 6, r"\u is not followed by four hexadecimal digits"),
        ('["abc', 1, 6, "the text ends inside a string"),
        ('{"a":tru', 1, 9, "the text ends inside true, false or null"),
        ("[tru]", 1, 5, "only true, false and null are written without quotes"),
        ('{"a":[1', 1, 8, "the text ends inside an array"),
        ('{"a":[1],\n', 2, 1, "the text ends inside an object"),
        ('{"a":1}\n{"a":2}\n', 2, 1, "there is more after the value (JSON Lines? then name it .jsonl)"),
        ("{'a':1}", 1, 2, """a name in double quotes, as in "name", is expected and not '"""),
        ('{"a" 1}', 1, 6, "a colon is expected after a name and not 1"),
        ("[1 2]", 1, 4, "a comma or ] is expected and not 2"),
        ('{"a":[1}', 1, 8, "a comma or ] is expected and not }"),
        ("[1 // one\n]", 1, 4, "JSON has no comments"),
    ],
)
def test_first_error_is_explained_where_it_is(text: str, line: int, column: int, reason: str) -> None:
    for size in sizes(text):
        told = inspect_blocks(cut(text, size))
        assert (told.only.line, told.only.column) == (line, column)
        assert told.only.message.startswith(f"This is not JSON: {reason}. ")
        assert told.facts.records is None


def test_after_an_error_nothing_else_is_found_but_the_type_is_known() -> None:
    told = inspect('[1,],{"a":1,"a":2}')
    assert told.codes == ["malformed-json"]
    assert told.facts.top_level == "array"


@pytest.mark.parametrize(
    ("text", "top_level"),
    [("{}", "object"), (" []", "array"), ('""', "string"), ("-1", "number"), ("true", "boolean"), ("null", "null")],
)
def test_type_of_the_value_is_told(text: str, top_level: str) -> None:
    told = inspect(text)
    assert told.facts.top_level == top_level
    assert told.facts.records == (0 if text == " []" else 1)


def test_empty_array_has_no_records() -> None:
    assert inspect("[ ]").codes == ["no-records"]


def test_duplicate_name_is_shown_where_it_is_repeated() -> None:
    told = inspect('[{"a":1},\n {"é":{"a":1},\n "a":2, "\\u0061":3}]')
    assert (told.only.line, told.only.column, told.only.field) == (3, 9, "a")
    assert told.only.severity == "warning"


def test_duplicate_name_is_shown_where_it_begins_when_cut_by_blocks() -> None:
    text = '{"name":1,\n  "name":2}'
    for size in sizes(text):
        only = inspect_blocks(cut(text, size)).only
        assert (only.line, only.column, only.field) == (2, 3, "name")


def test_every_duplicate_is_counted_beyond_those_kept() -> None:
    told = inspect("[" + ",".join(['{"a":1,"b":2,"a":3}'] * 1_000) + "]")
    assert told.counts == {"duplicate-json-name": 1_000}
    assert len(told.findings) == 10
    assert told.facts.records == 1_000


def test_same_name_in_different_objects_is_no_duplicate() -> None:
    assert not inspect('{"a":{"a":[{"a":1},{"a":1}]},"b":{"a":1}}').findings


def test_long_names_that_differ_at_their_end_are_told_apart() -> None:
    long = "x" * 200_000
    differ, equal = f'{{"{long}a":1,"{long}b":1}}', f'{{"{long}\\u0061":1,"{long}a":1}}'
    for size in (1_000, 500_000):
        assert not inspect_blocks(cut(differ, size)).findings
        assert inspect_blocks(cut(equal, size)).only.field == "x" * 200


def test_half_pairs_meet_where_a_long_name_is_digested() -> None:
    for shift in range(13):
        begin = "x" * (65_530 + shift)
        text = f'{{"{begin}\\ud83d\\ude00":1,"{begin}😀":2}}'
        for size in (1, 1_000, 500_000):
            assert inspect_blocks(cut(text, size)).codes == ["duplicate-json-name"]


def test_lone_surrogate_in_a_name_is_replaced() -> None:
    told = inspect(r'{"\ud800a":1,"\ud800a":2}')
    assert told.facts.columns[0].name == "\ufffda"
    assert told.only.field == "\ufffda"


def test_more_names_than_are_remembered_are_said_so_once() -> None:
    told = inspect('[{"a":1,"b":1,"c":1,"c":2,"a":3},{"a":1,"b":1,"c":1}]', Limits(json_names=2))
    assert told.counts == {"duplicate-json-name": 1, "uniqueness-not-checked": 1}
    assert told.facts.column_count is None


def test_name_is_compared_with_those_remembered_however_many_follow() -> None:
    text = '{"a":1,"b":2,' + ",".join(f'"{number}":{number}' for number in range(2_000)) + ',"9":0,"b":3,"c":4,"c":5}'
    for size in sizes(text):
        told = inspect_blocks(cut(text, size), Limits(json_names=2))
        assert told.counts == {"uniqueness-not-checked": 1, "duplicate-json-name": 1}
        assert told.facts.column_count is None


def test_names_remembered_over_all_levels_are_bounded() -> None:
    told = inspect('{"a":{"b":{"c":{"d":{"e":1,"e":2}}}}}', Limits(json_names=2))
    assert told.counts == {"uniqueness-not-checked": 1}


@pytest.mark.parametrize("size", [1, 1_000])
def test_names_of_ended_objects_are_forgotten(size: int) -> None:
    rows = ",".join(['{"a":{"\\u0062":1},"a":{"b":1,"b":2}}'] * 20)
    for text in (f"[{rows}]", f'{{"x":[{rows}]}}'):
        assert inspect_blocks(cut(text, size), Limits(json_names=2)).counts == {"duplicate-json-name": 40}


def test_what_an_array_teaches_does_not_hold_for_a_deeper_one() -> None:
    rows = ",".join(['{"a":{"b":1}}'] * 10)
    for text, depth in ((f'{{"x":[{rows}],"y":{{"z":[{rows}]}}}}', 4), (f'{{"x":[{rows}]}}', 3)):
        assert inspect(text, Limits(json_depth=depth)).codes == ["json-too-deep"]
        assert not inspect(text, Limits(json_depth=depth + 1)).findings


def test_only_records_have_columns() -> None:
    told = inspect('{"rows":[{"a":1},{"b":2},{"c":3},{"d":4}],"more":[{"e":1},{"f":1}]}')
    assert [column.name for column in told.facts.columns] == ["rows", "more"]
    assert told.facts.records == 1


def test_columns_are_named_up_to_the_limits_and_all_counted() -> None:
    told = inspect('[{"abcde":1},{"b":1},3,[{"z":1}],{"c":{"y":1}}]', SMALL)
    assert [column.name for column in told.facts.columns] == ["abc", "b"]
    assert inspect('[{"a":1},{"b":1},{"c":1}]').facts.column_count == 3


@pytest.mark.parametrize(("opener", "levels"), [("[", 1), ('{"a":', 1), ('[{"a":', 2), ("[1,[", 2)])
def test_depth_bomb_is_found_where_it_is_too_deep(opener: str, levels: int) -> None:
    told = inspect(opener * 100_000)
    assert told.codes == ["json-too-deep"]
    assert (told.only.line, told.only.column) == (1, 1_000 // levels * len(opener) + 1)
    assert told.facts.records is None


@pytest.mark.parametrize("limit", [1, 2, 999, 1_000])
def test_deepest_level_is_read_and_no_deeper(limit: int) -> None:
    limits = Limits(json_depth=limit)
    assert not inspect("[1," * limit + "1" + "]" * limit, limits).findings
    assert inspect("[1," * limit + "[]" + "]" * limit, limits).codes == ["json-too-deep"]
    assert inspect("[1,1," + '{"a":' * limit + "1" + "}" * limit + ",1]", limits).codes == ["json-too-deep"]


def test_numbers_and_strings_of_any_length_are_read() -> None:
    digits = "7" * 1_000_000
    for text in (digits, f"-{digits}.{digits}e{digits}", f"[{digits},{digits}]", f'["{digits}",{{"{digits}":1}}]'):
        for size in (10_000, 5_000_000):
            assert not inspect_blocks(cut(text, size)).findings


def test_brackets_in_names_and_strings_do_not_count_as_depth() -> None:
    assert not inspect('[{"[[[[{{{{":"[[[[[{{{{"},{"[[[[{{{{":"[[[[[{{{{"},1]', Limits(json_depth=2)).findings


@given(st.lists(RECORDS, min_size=1, max_size=3), st.integers(1, 30), st.sampled_from([None, 2]))
def test_runs_of_one_shape_are_read_as_one_by_one(rows: list[object], times: int, indent: int | None) -> None:
    text = json.dumps(rows * times, indent=indent)
    wrapped = f'{{"a":{text},"b":{{"c":{text},"d":[{text},{text},{text}]}}}}'
    for changed in (text, wrapped, text.replace('"a"', '"b"'), text.replace("null", "nul"), text.replace("1", "01", 1)):
        assert inspect(changed) == inspect_blocks(cut(changed, 1))
