"""Records of JSON that the kernel takes: only what is right, in every byte, and counted as a parser counts it."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.inspection.json_columns import Columns
from chalicelib.inspection.json_lines import JsonLines
from chalicelib.inspection.json_text import JsonText
from chalicelib.inspection.kernel import Kernel, KernelRecords
from chalicelib.inspection.limits import Limits
from tests.inspection.json_samples import Outcome, cut, json_type, member_names, member_types, outcome, types_of

NAMES = st.sampled_from(["id", "note", 'x"note', "é", ",", ":", "a b", "n", "Id", 'note":n', ""])
SCALARS = st.sampled_from(
    [None, True, False, 0, -1, 12, 1.5, -0.0, 1e30, "", 'a"note":null', '","', "é\\", "\n", "x" * 30]
)
INNER = st.recursive(
    SCALARS, lambda each: st.lists(each, max_size=3) | st.dictionaries(NAMES, each, max_size=3), max_leaves=4
)
MEMBERS = st.fixed_dictionaries({"id": SCALARS}, optional={"note": INNER, 'x"note': SCALARS, "rows": st.lists(INNER)})
ROWS = st.lists(MEMBERS | st.dictionaries(NAMES, INNER, max_size=3) | INNER, min_size=1, max_size=6)
"""Records that are alike, but for what may lack, be null, or be of another length or type."""
SPELLINGS = st.sampled_from([{}, {"separators": (",", ":")}, {"ensure_ascii": False}, {"separators": (" ,", ": ")}])


TOKENS_OF_RECORDS = [
    *('{"a":1}', '{"a":"x"}', '{"b":', "}", "[1,2]", "[", "]", ",", '"', ":", " ", "\r", "null", "1.5", "-", "0", "é"),
    *('{"a":1,"b":[{"a":2}]}', '{"a": null, "a": 1}', '"a"', "\\n", '{"b":{"a":', "}}"),
]


@st.composite
def mixed(draw: st.DrawFn) -> list[object]:
    """Those rows over and over, in any order."""
    rows = draw(ROWS)
    order = draw(st.randoms(use_true_random=False))
    return [order.choice(rows) for _ in range(draw(st.integers(1, 40)))]


def lines(text: str, size: int) -> Outcome:
    return outcome(JsonLines, cut(text, size), Limits())


def document(text: str, size: int) -> Outcome:
    return outcome(JsonText, cut(text, size), Limits())


def agrees(told: Outcome, records: Sequence[object]) -> bool:
    """Whether all is told as a parser's values say it."""
    facts = told.facts
    return (
        not told.findings
        and facts.records == len(records)
        and facts.record_types == types_of(records)
        and facts.column_count == len(member_names(records))
        and [column.types for column in facts.columns] == member_types(records)
    )


@given(mixed(), SPELLINGS, st.integers(1, 200))
def test_lines_are_counted_as_a_parser_counts_them(
    records: list[object], spelling: dict[str, object], size: int
) -> None:
    text = "".join(json.dumps(record, **spelling) + "\n" for record in records)  # type: ignore[arg-type]
    assert agrees(lines(text, size), records)
    assert agrees(lines(text, len(text)), records)


@given(mixed(), SPELLINGS, st.sampled_from([None, 1]), st.integers(1, 200))
def test_elements_are_counted_as_a_parser_counts_them(
    records: list[object], spelling: dict[str, object], indent: int | None, size: int
) -> None:
    text = json.dumps(records, indent=indent, **spelling)  # type: ignore[arg-type]
    assert agrees(document(text, size), records)
    assert agrees(document(text, len(text)), records)


@given(st.dictionaries(NAMES, INNER))
def test_members_of_the_one_object_are_counted_as_a_parser_counts_them(record: dict[str, object]) -> None:
    text = json.dumps(record)
    for size in (1, 7, len(text)):
        assert agrees(document(text, size), [record])


def test_twice_a_name_counts_once_with_its_last_value() -> None:
    for size in (1, 100):
        told = lines('{"a":1,"a":"x"}\n{"a":null,"\\u0061":[]}\n', size)
        assert [column.types for column in told.facts.columns] == [{"string": 1, "array": 1}]
        assert told.counts == {"duplicate-json-name": 2}


def test_what_is_not_whole_is_not_counted() -> None:
    told = lines('{"a":1}\n{"a":1,]\n{"a":"x"}\n', 5)
    assert [column.types for column in told.facts.columns] == [{"string": 1, "integer": 1}]
    assert told.facts.record_types == {"object": 2}
    assert document('[{"a":1},{"a":2}, 1, 2.5, {"a":', 4).facts.record_types == {"integer": 1, "number": 1, "object": 2}


def test_members_beyond_those_named_are_not_counted_by_type() -> None:
    text = '{"a":1,"b":"x","c":1}\n' * 20
    told = outcome(JsonLines, cut(text, 50), Limits(named_columns=2))
    assert [(column.name, column.types) for column in told.facts.columns] == [
        ("a", {"integer": 20}),
        ("b", {"string": 20}),
    ]
    assert told.facts.column_count == 3


@pytest.mark.parametrize("text", ["1", "-0", "0.0", "1e5", "1E5", "-1.5e-3"])
def test_a_number_with_fraction_or_exponent_is_no_integer(text: str) -> None:
    kind = json_type(json.loads(text))
    assert lines(f" {text} \n" * 9, 100).facts.record_types == {kind: 9}
    for size in (1, 100):
        assert lines(text, size).facts.record_types == {kind: 1}
        assert document(text, size).facts.record_types == {kind: 1}
        assert document(f"[{text},{text} ,{text}]", size).facts.record_types == {kind: 3}
        assert document(f'{{"a":{text}}}', size).facts.columns[0].types == {kind: 1}


# -- what it takes of one text


class Taken(NamedTuple):
    """How many records, where the next begins, and what is known of their members."""

    records: int
    end: int
    types: Mapping[str, int]
    columns: Sequence[tuple[str, Mapping[str, int]]]


@cache
def kernel() -> Kernel:
    """One for all texts: it has forgotten the one before."""
    return Kernel()


@pytest.fixture(scope="module", autouse=True)
def _freed_before_python_ends() -> Iterator[None]:
    yield
    kernel.cache_clear()


def taken(text: str | bytes, *, one_line: bool = True, begin: int = 0, depth: int = 1_000) -> Taken:
    """What the kernel takes from there on."""
    columns = Columns(Limits())
    records = KernelRecords(kernel(), columns, one_line=one_line, depth=depth, longest=400_000, keep=200)
    count, end = records.take(text.encode() if isinstance(text, str) else text, begin)
    records.tell()
    return Taken(count, end, columns.record_types, [(column.name, column.types or {}) for column in columns.named])


def expected(text: str, *, one_line: bool = True) -> Taken:
    """What a strict parser reads of it, up to the first record that has a name twice, or one with half a character."""
    decode = json.JSONDecoder(
        object_pairs_hook=_distinct, parse_constant=_refuse, parse_float=float, parse_int=int
    ).raw_decode
    before, after = (r"[ \t\r]*", r"[ \t\r]*\n") if one_line else (r"[ \t\r\n]*", r"[ \t\r\n]*,")
    at, values = 0, []
    while True:
        begin = re.compile(before).match(text, at).end()  # type: ignore[union-attr] # it matches always
        try:
            value, end = decode(text, begin)
        except ValueError:
            break
        ended = re.compile(after).match(text, end)
        if not ended or (one_line and "\n" in text[begin:end]):
            break
        at = ended.end()
        values.append(value)
    names = [name[:200] for name in member_names(values)]
    columns = list(zip(names, member_types(values), strict=True))
    return Taken(len(values), len(text[:at].encode()), types_of(values), columns)


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError
    for name, _ in pairs:
        name.encode()
    return dict(pairs)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def agree(text: str) -> None:
    """Take the text as lines and as elements, as a parser does."""
    for one_line in (True, False):
        ended = text + ("\n" if one_line else ",")
        assert taken(ended, one_line=one_line) == expected(ended, one_line=one_line), repr(ended)


@pytest.mark.parametrize("length", range(1, 5))
def test_of_every_short_text_just_the_right_records_are_taken(length: int) -> None:
    for pieces in itertools.product(['"', "{", "}", "[", "]", ",", ":", "1", "\n"], repeat=length):
        agree("".join(pieces))


@pytest.mark.parametrize("length", range(1, 6))
def test_of_every_short_object_just_the_right_ones_are_taken(length: int) -> None:
    for pieces in itertools.product(['"a"', '"b"', ":", ",", "{", "}", "\r"], repeat=length):
        agree("{" + "".join(pieces) + "}")


@pytest.mark.parametrize("length", range(1, 6))
def test_every_short_number_is_judged_as_the_grammar_does(length: int) -> None:
    for pieces in itertools.product("01-+.e", repeat=length):
        text = "".join(pieces) + "\n"
        assert taken(text) == expected(text), text


@pytest.mark.parametrize("places", range(36))
def test_numbers_of_any_length_are_read_to_their_end(places: int) -> None:
    digits = "7" * places
    for text in (
        f"1{digits}",
        f"-1.{digits}",
        f"1e+{digits}",
        f"0.5E{digits}",
        f"0{digits}",
        f"1{digits}.",
        f"1{digits}x",
    ):
        agree(text)


@pytest.mark.parametrize("length", range(70))
def test_what_ends_a_string_is_seen_wherever_it_stands(length: int) -> None:
    plain = "é" * (length // 2) + "x" * (length % 2)
    for piece in ("", "\\n", '\\"', "\\\\", "\\u00E9", "\x1f", "\t", "\n", "\x7f", "\\x", "\\u00g0", "\\", '"', "\0"):
        agree(f'"{plain}{piece}x"')
        agree(f'{{"{plain}{piece}":"{piece}{plain}"}}')


def test_every_escape_and_no_other_is_taken() -> None:
    for code in range(128):
        agree(f'"\\{chr(code)}"')
        for at in range(4):
            agree('"\\u' + "0aF9"[:at] + chr(code) + "0aF9"[at + 1 :] + '"')


@pytest.mark.parametrize("word", ["true", "false", "null"])
def test_words_are_known_by_all_their_letters(word: str) -> None:
    for at, letter in itertools.product(range(len(word)), "aelnrstuf x"):
        agree(word[:at] + letter + word[at + 1 :])
    for at in range(len(word)):
        agree(word[:at])
        agree(f"[{word[:at]}]")


@pytest.mark.parametrize("length", [0, 1, 7, 8, 9, 13, 14, 15, 16, 29, 30, 31, 32, 33, 63, 64, 65, 200])
def test_names_are_told_apart_by_their_last_characters_and_lengths(length: int) -> None:
    name = "n" * length
    agree(f'{{"{name}a":1,"{name}b":2,"{name}":3}}')
    agree(f'{{"{name}a":1}}\n{{"{name}b":2}}\n{{"{name}":"","{name}aa":0}}\n{{"{name}a":1,"{name}":2,"{name}a":3}}')


def _objects(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    members = st.builds('"{}":{}'.format, st.sampled_from("abc"), inner)
    return st.lists(members, max_size=4).map(lambda parts: "{" + ",".join(parts) + "}")


def _arrays(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(inner, max_size=3).map(lambda parts: "[" + ", ".join(parts) + "]")


@given(st.recursive(st.just("1"), lambda inner: _objects(inner) | _arrays(inner), max_leaves=15), st.integers(1, 4))
def test_a_name_that_is_there_twice_is_seen_at_any_depth(text: str, times: int) -> None:
    agree("\n".join([text] * times))


@given(st.lists(st.sampled_from([*TOKENS_OF_RECORDS, "\n"]), max_size=30).map("".join))
def test_of_text_that_is_nearly_right_just_the_right_records_are_taken(text: str) -> None:
    agree(text)


@given(st.binary(max_size=300) | st.lists(st.sampled_from(b'{}[]":,\\u0\n\xff\x00e-'), max_size=300).map(bytes))
def test_of_any_bytes_only_whole_records_are_taken(data: bytes) -> None:
    """The kernel believes that they are UTF-8, but nothing else of them."""
    for one_line in (True, False):
        found = taken(data, one_line=one_line)
        assert found == taken(data[: found.end], one_line=one_line)
        assert not found.end or data[: found.end].endswith(b"\n" if one_line else b",")


@pytest.mark.parametrize("depth", [1, 2, 15, 1_000])
def test_records_are_taken_down_to_the_deepest_level_that_is_read(depth: int) -> None:
    for opener, closer in (("[", "]"), ('{"a":', "}")):
        text = opener * depth + "1" + closer * depth + "\n"
        assert taken(text, depth=depth).records == 1
        assert taken(text, depth=depth - 1).records == 0
    assert taken("[" * 5_000 + "]" * 5_000 + "\n", depth=10_000).records == 0


def test_a_longer_record_is_not_taken() -> None:
    record = '"' + "x" * 399_998 + '"'
    assert taken(f"{record}\n").records == 1
    assert taken(f" {record}\n").records == 1
    assert taken(f'{record[:-1]}x"\n').records == 0


def test_names_without_number_are_taken_whether_or_not_they_are_kept() -> None:
    """There is room for some thousands: what is known of them is told, and they are forgotten."""
    rows = [{f"name{row * 3 + at}": {"x": 1, f"y{row}": None} for at in range(3)} for row in range(10_000)]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    found = taken(text)
    assert (found.records, found.end) == (10_000, len(text))
    assert found.columns == [(f"name{at}", {"object": 1}) for at in range(200)]


def test_an_object_with_more_names_than_are_kept_is_left_to_others_and_the_next_is_taken() -> None:
    wide = json.dumps({f"name{at}": at for at in range(9_000)}) + "\n"
    text = '{"a":1}\n' + wide + '{"a":2}\n' * 3
    assert taken(text)[:2] == (1, 8)
    assert taken(text, begin=8 + len(wide))[:2] == (3, len(text))
    told = lines(text + wide, len(text))
    assert (told.facts.records, told.facts.column_count) == (6, 9_001)


def test_names_that_are_hard_to_tell_apart_are_left_to_others() -> None:
    """Whoever knows how they are kept could else make thousands be compared with each."""
    odd, most = 0x9E3779B97F4A7C15, (1 << 64) - 1
    alike: list[str] = []
    for number in itertools.count():
        name = f'"{number:06}"'
        if ((1 << 32 | 8) ^ int.from_bytes(name.encode(), "little")) * odd & most < 1 << 50:
            alike.append(name)
        if len(alike) > 33:
            break
    text = "".join(f"{{{name}:1}}\n" for name in alike)
    assert taken(text).records == 32
    assert lines(text * 5, 1_000).facts.column_count == len(alike)


def test_names_of_a_line_that_is_declined_are_columns_where_the_line_is() -> None:
    text = (
        '{"a":1}\n{"b":1,"c":{"x":1,"x":2}}\n{"d":1,"\\u0065":1,"f":1}\n{"g":1,"h":tru}\n{"i":1,"h":2,"b":3,"a":[]}\n'
    )
    for size in (1, 9, len(text)):
        told = lines(text, size)
        assert [column.name for column in told.facts.columns] == list("abcdefghi")
        assert told.facts.columns[0].types == {"integer": 1, "array": 1}


def test_text_beyond_the_kernels_memory_is_taken_in_parts_and_a_record_beyond_it_not_at_all() -> None:
    row = json.dumps({"a": "x" * 1_000}) + "\n"
    found = taken(row * 3_000)
    assert (found.records, found.end, found.types) == (3_000, 3_000 * len(row), {"object": 3_000})
    long = json.dumps("x" * (1 << 20)) + "\n"
    assert taken(long + row)[:2] == (0, 0)
    assert taken(row + long + row)[:2] == (1, len(row))


def test_where_it_is_asked_in_vain_again_and_again_others_read_the_rest_of_a_block() -> None:
    columns = Columns(Limits())
    records = KernelRecords(kernel(), columns, one_line=True, depth=9, longest=9, keep=9)
    block = b"x\n" * 40 + b"1\n"
    assert [records.take(block, at) for at in range(0, 82, 2)] == [(0, at) for at in range(0, 82, 2)]
    assert records.take(bytes(bytearray(block)), 80) == (1, 82)


SPELLINGS_OF_A_CHARACTER = [
    *(("é", r"\u00e9", r"\u00E9"), ("😀", r"\ud83d\ude00", r"\uD83D\uDE00"), ("a", r"\u0061"), ("\x7f", r"\u007f")),
    *((r"\"", r"\u0022"), (r"\\", r"\u005c"), ("/", r"\/", r"\u002F"), (r"\n", r"\u000a"), (r"\u0000",)),
    *(("\u07ff", r"\u07ff"), ("\u0800", r"\u0800"), ("\uffff", r"\uFFFF"), (r"\b", r"\u0008"), (r"\t", r"\u0009")),
    *(
        (r"\ud800",),
        (r"\udc00",),
        (r"\ud800\ud800",),
        (r"\ud83dx",),
        (r"\ud83d\n",),
        (r"\f", r"\u000c"),
        (r"\r", r"\u000d"),
    ),
]


def test_a_name_is_the_same_however_it_is_spelled() -> None:
    for spellings in SPELLINGS_OF_A_CHARACTER:
        for one, other in itertools.product(spellings, repeat=2):
            agree(f'{{"{one}":1}}\n{{"{other}":"","x{one}x":2}}\n{{"y":{{"{one}":1}}}}')
            agree(f'{{"{one}":1,"{other}":2}}')
            agree(f'{{"x":[{{"x{one}":1,"{one}":0,"x{other}":2}}]}}')


def test_a_name_with_a_quote_in_it_is_none_that_ends_there() -> None:
    agree(r'{"a\"b":1}' + '\n{"a"b":1}')
    agree(r'{"a\\":1}' + '\n{"a\\":1}')


@given(st.lists(st.dictionaries(st.text(max_size=4) | st.sampled_from(["é", "\\", '"', "a"]), SCALARS), max_size=5))
def test_names_of_any_characters_are_told_as_a_parser_tells_them(rows: list[dict[str, object]]) -> None:
    agree("\n".join(json.dumps(row, ensure_ascii=at % 2 == 0) for at, row in enumerate(rows)))
