"""Shapes widen from record to record, and what is counted by them is what a parser counts."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.findings import Findings
from chalicelib.inspection import json_shapes
from chalicelib.inspection.json_columns import Columns
from chalicelib.inspection.json_lines import JsonLines
from chalicelib.inspection.json_shapes import Shapes
from chalicelib.inspection.json_text import JsonText
from chalicelib.inspection.json_trees import ConflictError, Sample, merged
from chalicelib.inspection.limits import Limits
from tests.inspection.json_samples import Outcome, cut, json_type, member_names, member_types, outcome, types_of


@pytest.fixture(autouse=True)
def _learn_shapes_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_shapes, "LEARN_AFTER", 0)
    monkeypatch.setattr(json_shapes, "LEARN_RATIO", 0)


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


@st.composite
def mixed(draw: st.DrawFn) -> list[object]:
    """Those rows over and over, in any order."""
    rows = draw(ROWS)
    order = draw(st.randoms(use_true_random=False))
    return [order.choice(rows) for _ in range(draw(st.integers(1, 40)))]


def lines(text: str, size: int) -> Outcome:
    findings = Findings()
    return outcome(JsonLines(findings, Limits()), findings, cut(text, size))


def document(text: str, size: int) -> Outcome:
    findings = Findings()
    return outcome(JsonText(findings, Limits()), findings, cut(text, size))


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


@given(mixed())
def test_a_merged_tree_fits_all_its_samples(records: list[object]) -> None:
    try:
        samples = [Sample(json.dumps(record).encode()) for record in records]
        tree = samples[0].tree
        for sample in samples[1:]:
            tree = merged(tree, sample.tree)
    except ConflictError:
        return
    assert tree.types == frozenset(map(json_type, records))
    assert merged(tree, samples[-1].tree) == tree


def test_records_that_differ_in_what_may_lack_and_in_lengths_have_one_shape() -> None:
    shapes, columns = Shapes(one_line=True), Columns(Limits())
    first = [b'{"id":1,"items":[],"note":null}\n', b'{"id":2,"items":[{"a":1},{"a":null}]}\n']
    shapes.learn(first, columns)
    shapes.learn([b'{"id":1,"at":{"x":true},"items":[{}]}\n'], columns)
    block = b'{"id":7,"at":{"x":false},"items":[{},{"a":3}],"note":null}\n{"id":8,"items":[]}\n'
    assert shapes.take(block, 0) == (2, len(block))
    assert shapes.take(b'{"id":7,"items":[{"a":1,}]}\n', 0) == (0, 0)
    assert shapes.take(b'{"id":7,"items":[{"a":1,"a":1}]}\n', 0) == (0, 0)


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
    findings = Findings()
    text = '{"a":1,"b":"x","c":1}\n' * 20
    told = outcome(JsonLines(findings, Limits(named_columns=2)), findings, cut(text, 50))
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


def test_arrays_in_arrays_make_no_pattern_beyond_bounds() -> None:
    nest = "[" * 30 + "1" + "]" * 30
    text = f'{{"a":{nest}}}\n' * 3_000
    assert lines(text, 1 << 16).facts.records == 3_000
