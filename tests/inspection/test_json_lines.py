"""JsonLines judges every line by itself, and tells the same whatever the blocks."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.inspection.json_lines import JsonLines
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
    return outcome(JsonLines, blocks, limits or Limits())


def inspect(text: str, limits: Limits | None = None) -> Outcome:
    return inspect_blocks(cut(text, len(text) or 1), limits)


LINE = st.builds(lambda value, spelling: json.dumps(value, **spelling), RECORDS | VALUES, SPELLINGS)
FILES = st.lists(LINE, max_size=8).map("\n".join) | st.builds(
    lambda row, times: (json.dumps(row) + "\n") * times, RECORDS, st.integers(1, 9)
)
ANY_FILE = FILES | mutated(FILES) | mutated(mutated(FILES)) | st.lists(TOKENS, max_size=5).map("\n".join)


def is_blank(line: str) -> bool:
    return not line.strip(" \t\r")


@given(ANY_FILE)
def test_every_line_is_judged_as_a_strict_parser_does(text: str) -> None:
    lines = text.split("\n")
    last = lines.pop()
    lines += [last] if last else []
    records = [line for line in lines if not is_blank(line)]
    told = inspect(text)
    assert told.facts.records == len(records)
    assert told.counts.get("blank-row", 0) == len(lines) - len(records)
    assert told.counts.get("malformed-json-line", 0) == sum(not is_json(line) for line in records)
    assert told.counts.get("no-records", 0) == (not records)


@given(ANY_FILE, st.sampled_from([Limits(), Limits(json_depth=2, json_names=2), Limits(record_bytes=9)]))
def test_outcome_does_not_depend_on_blocks(text: str, limits: Limits) -> None:
    whole = inspect(text, limits)
    for size in sizes(text):
        assert inspect_blocks(cut(text, size), limits) == whole


@given(st.lists(RECORDS | VALUES, min_size=1, max_size=6))
def test_tells_what_a_parser_tells(values: list[object]) -> None:
    told = inspect("\n".join(map(json.dumps, values)))
    names = member_names(values)
    assert told.facts.records == len(values)
    assert told.facts.column_count == len(names)
    storable = [name.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for name in names]
    assert [column.name for column in told.facts.columns] == storable
    assert [column.types for column in told.facts.columns] == member_types(values)
    assert told.facts.record_types == types_of(values)
    assert not told.findings


@given(st.lists(st.lists(st.sampled_from(['"a"', r'"\u0061"', '"b"', '"c"']), max_size=4), max_size=40))
def test_counts_duplicate_names_as_a_parser_does(lines: list[list[str]]) -> None:
    texts = ["{" + ",".join(f"{name}:[{{{name}:1}}]" for name in names) + "}" for names in lines]
    told = inspect("\n".join(texts))
    assert told.counts.get("duplicate-json-name", 0) == sum(map(repeated_names, texts))


@pytest.mark.parametrize("text", [text for text in VALID if "\n" not in text and not is_blank(text)])
def test_a_line_of_json_is_accepted(text: str) -> None:
    told = inspect(f"{text}\n{text}\n{text}")
    assert "malformed-json-line" not in told.codes
    assert told.facts.records == 3


@pytest.mark.parametrize("text", [text for text in INVALID if "\n" not in text and not is_blank(text)])
def test_a_line_that_is_not_json_is_refused_and_the_next_is_read(text: str) -> None:
    told = inspect(f'{{"a":1}}\n{text}\n{{"a":2}}\n')
    assert told.counts == {"malformed-json-line": 1} | (
        {"duplicate-json-name": told.counts["duplicate-json-name"]} if "duplicate-json-name" in told.counts else {}
    )
    assert told.facts.records == 3
    assert (told.findings[0].row, told.findings[0].line) == (2, 2)


@pytest.mark.parametrize("text", ['{"a":[1,\n2]}', "[\n1]", '{"a"\n:1}', "[[1,2\n],[3,4]]", '"a\nb"', '{"a":1\n}'])
def test_value_over_two_lines_is_no_value_even_after_its_like(text: str) -> None:
    single = text.replace("\n", "") + "\n"
    told = inspect(single * 50 + text + "\n" + single)
    assert told.counts == {"malformed-json-line": 2}
    assert [finding.line for finding in told.findings] == [51, 52]


@pytest.mark.parametrize("text", ["1,2", "{}, {}", '{"a":1} {"a":1}', '{"a":1},', ',{"a":1}', "[1],[2]"])
def test_several_values_on_a_line_are_no_value(text: str) -> None:
    told = inspect(f'{{"a":1}}\n{text}\n{{"a":1}}\n')
    assert told.counts == {"malformed-json-line": 1}
    assert told.facts.records == 3


def test_lines_that_are_only_together_valid_are_refused() -> None:
    assert inspect('{"a":1},{"a":2\n}\n[1\n2]\n').counts == {"malformed-json-line": 4}


def test_malformed_line_is_explained_where_it_is() -> None:
    told = inspect('{"a":1}\n\n{"a":"é" "b"}\n{"a":2}')
    error, blank = told.findings
    assert (error.code, error.row, error.line, error.column) == ("malformed-json-line", 2, 3, 10)
    assert error.message.startswith('The line is not JSON: a comma or } is expected and not ". ')
    assert (blank.code, blank.row, blank.line) == ("blank-row", None, 2)
    assert told.facts.records == 3


def test_cut_line_is_said_to_be_cut() -> None:
    only = inspect('{"a":1}\n{"a":"x').only
    assert (only.row, only.line, only.column) == (2, 2, 8)
    assert "the line ends inside a string" in only.message


def test_duplicate_name_is_shown_with_its_row() -> None:
    told = inspect('\n{"a":1}\n{"b":{"a":1,"\\u0061":2}}\n{"a":1}\n')
    blank, duplicate = told.findings
    assert blank.code == "blank-row"
    assert (duplicate.row, duplicate.line, duplicate.column, duplicate.field) == (2, 3, 13, "a")


def test_file_without_a_record_has_no_records() -> None:
    assert inspect("").codes == ["no-records"]
    assert inspect("\n \r\n").counts == {"blank-row": 2, "no-records": 1}


def test_blank_lines_are_counted_beyond_those_kept() -> None:
    text = "\n \r\n" * 20 + '{"a":1}\n' + "\n" * 100 + "{]\n\t"
    for size in sizes(text):
        told = inspect_blocks(cut(text, size))
        assert told.counts == {"blank-row": 141, "malformed-json-line": 1}
        assert (told.findings[0].row, told.findings[0].line) == (2, 142)


def test_carriage_return_and_tab_are_blanks() -> None:
    told = inspect('\t{"a":1}\r\n\r\t\n {"a":\r2} ')
    assert told.counts == {"blank-row": 1}
    assert told.facts.records == 2


def test_line_beyond_the_limit_ends_the_check() -> None:
    text = '{"a":1}\n\n{"a":"' + "x" * 100 + '"}\nnot json\n'
    for size in sizes(text):
        told = inspect_blocks(cut(text, size), Limits(record_bytes=50))
        long, blank = told.findings
        assert (long.code, long.row, long.line, blank.code) == ("line-too-long", 2, 3, "blank-row")
        assert told.facts.records is None
        assert told.facts.column_count is None


@pytest.mark.parametrize("end", ["", "\n"])
def test_line_of_just_the_limit_is_read(end: str) -> None:
    text = '{"a":1}\n{"a":2}' + end
    for size in sizes(text):
        assert inspect_blocks(cut(text, size), Limits(record_bytes=7)).facts.records == 2
        assert inspect_blocks(cut(text, size), Limits(record_bytes=6)).codes == ["line-too-long"]


@pytest.mark.parametrize("opener", ["[", '{"a":'])
def test_depth_bomb_spoils_only_its_line(opener: str) -> None:
    told = inspect("{}\n" + opener * 100_000 + "\n{}\n")
    assert (told.only.code, told.only.row, told.only.line) == ("json-too-deep", 2, 2)
    assert told.only.column == 1_000 * len(opener) + 1
    assert told.facts.records == 3


def test_numbers_of_a_million_digits_are_read() -> None:
    digits = "7" * 1_000_000
    assert not inspect(f"{digits}\n-{digits}.{digits}e{digits}\n" + f'{{"a":{digits}}}\n' * 3).findings


def test_every_bad_line_is_counted_beyond_those_kept() -> None:
    told = inspect('{"a":1}\nnull,\n{"a":1,"a":2}\n' * 500)
    assert told.counts == {"malformed-json-line": 500, "duplicate-json-name": 500}
    assert told.facts.records == 1_500
    assert len(told.findings) == 20


@given(st.lists(RECORDS, min_size=1, max_size=3), st.integers(1, 40), st.data())
def test_runs_of_one_shape_are_read_as_one_by_one(rows: list[object], times: int, data: st.DataObject) -> None:
    lines = [json.dumps(row) for row in rows] * times
    at = data.draw(st.integers(0, len(lines) - 1))
    lines[at] = data.draw(mutated(st.just(lines[at])))
    text = "\n".join(lines)
    told = inspect(text)
    assert told == inspect_blocks(cut(text, 1))
    bad = sum(not is_json(line) for line in text.split("\n") if not is_blank(line))
    assert told.counts.get("malformed-json-line", 0) == bad
