"""Rows and headers, keys and uniqueness: against a naive reading."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.tableschema import Records, Rows, Schema, Uniqueness

LETTERS = st.lists(st.sampled_from("abcd"), max_size=5)


def schema_of(*names: str, **properties: Any) -> Schema:
    return Schema.of({"fields": [{"name": name} for name in names], **properties})


def header(match: str, fields: str, labels: str, **properties: Any) -> list[tuple[str, str]]:
    rows = Rows(schema_of(*fields, fieldsMatch=match, **properties), list(labels))
    return [(problem.rule, problem.name) for problem in rows.header_problems]


@pytest.mark.parametrize(
    ("match", "labels", "problems"),
    [
        ("exact", "abc", []),
        ("exact", "acb", [("order", "b"), ("order", "c")]),
        ("exact", "ab", [("missing", "c")]),
        ("exact", "abcd", [("extra", "d")]),
        ("exact", "", [("missing", "a"), ("missing", "b"), ("missing", "c")]),
        ("equal", "cab", []),
        ("equal", "ca", [("missing", "b")]),
        ("equal", "cabd", [("extra", "d")]),
        ("equal", "caba", [("extra", "a")]),
        ("subset", "xcaby", []),
        ("subset", "xca", [("missing", "b")]),
        ("superset", "ca", []),
        ("superset", "", []),
        ("superset", "cx", [("extra", "x")]),
        ("partial", "xby", []),
        ("partial", "xy", [("missing", "a")]),
    ],
)
def test_a_header_is_matched_as_the_standard_says(match: str, labels: str, problems: list[tuple[str, str]]) -> None:
    assert header(match, "abc", labels) == problems


@given(st.sampled_from(["exact", "equal", "subset", "superset", "partial"]), LETTERS.filter(bool), LETTERS)
def test_a_header_is_right_if_and_only_if_it_is_in_the_words_of_the_standard(
    match: str, fields: list[str], labels: list[str]
) -> None:
    known, found = Counter(fields), Counter(labels)
    expected = {
        "exact": fields == labels,
        "equal": known == found,
        "subset": known <= found,
        "superset": found <= known,
        "partial": bool(known & found),
    }[match]
    assert (header(match, "".join(fields), "".join(labels)) == []) is expected


def test_a_field_that_is_required_must_have_a_column_even_if_others_need_not() -> None:
    assert header("superset", "abc", "a", primaryKey=["c"]) == [("missing", "c")]
    schema = Schema.of(
        {"fieldsMatch": "partial", "fields": [{"name": "a"}, {"name": "b", "constraints": {"required": True}}]}
    )
    assert [problem.name for problem in Rows(schema, ["a"]).header_problems] == ["b"]


def test_the_words_of_a_header_s_problem_complete_a_sentence() -> None:
    rows = Rows(schema_of("a", "b"), ["x"])
    assert [problem.words for problem in rows.header_problems] == ['must have "a" as column 1', 'has no column "b"']
    rows = Rows(schema_of("a", "b", fieldsMatch="partial"), ["x"])
    assert [problem.words for problem in rows.header_problems] == ['must have a column of the schema: one of "a", "b"']
    assert Rows(schema_of("a"), ["a", "x"]).header_problems[0].words == "has a column 2 that is no field"


def places(rows: Rows, cells: list[str]) -> list[tuple[str, int, str]]:
    return [(field.name, index, problem.rule) for field, index, problem in rows.judge(cells)]


TYPED = {
    "fields": [
        {"name": "n", "type": "integer", "constraints": {"required": True, "minimum": 0, "maximum": 9}},
        {"name": "t", "missingValues": ["-"]},
        {"name": "d", "type": "date"},
    ],
    "missingValues": ["", "NA"],
}


def test_cells_are_judged_where_their_fields_are() -> None:
    by_order = Rows(Schema.of(TYPED), ["x", "y", "z"])
    assert places(by_order, ["5", "", "2024-01-01"]) == []
    assert places(by_order, ["NA", "", "x"]) == [("n", 0, "required"), ("d", 2, "type")]
    by_name = Rows(Schema.of(TYPED | {"fieldsMatch": "subset"}), ["d", "more", "n"])
    assert places(by_name, ["-", "?", "10"]) == [("n", 2, "maximum"), ("d", 0, "type")]
    assert places(by_name, [""]) == []
    assert places(by_name, ["", "", "1", "more"]) == []


def test_a_field_s_own_missing_values_replace_those_of_the_schema() -> None:
    schema = Schema.of(
        {
            "fields": [
                {"name": "a", "constraints": {"required": True}},
                {"name": "b", "missingValues": ["-"], "constraints": {"required": True}},
                {"name": "c", "missingValues": [], "constraints": {"required": True}},
            ],
            "missingValues": ["", "NA"],
        }
    )
    rows = Rows(schema, ["a", "b", "c"])
    assert places(rows, ["NA", "NA", "NA"]) == [("a", 0, "required")]
    assert places(rows, ["-", "-", "-"]) == [("b", 1, "required")]
    assert places(rows, ["", "", ""]) == [("a", 0, "required")]


def test_a_record_of_json_is_judged_by_its_names_and_null_is_missing() -> None:
    records = Records(Schema.of({**TYPED, "fieldsMatch": "partial"}))

    def found(record: dict[str, object]) -> list[tuple[str | None, str]]:
        return [(name, problem.rule) for name, problem in records.judge(record)]

    assert found({"n": 5, "t": {"any": 1}, "d": "2024-01-01", "more": 1}) == []
    assert found({"t": None, "d": None}) == [("n", "required")]
    assert found({"n": "NA"}) == [("n", "required")]
    assert found({"n": 10.0, "d": 5}) == [("n", "maximum"), ("d", "type")]


# -- keys

KEYED: dict[str, Any] = {
    "fields": [
        {"name": "u", "type": "number", "constraints": {"unique": True}},
        {"name": "p"},
        {"name": "q", "type": "integer"},
    ],
    "primaryKey": ["p", "q"],
    "uniqueKeys": [["q"], ["u", "q"]],
}
CELLS = st.tuples(
    st.sampled_from(["1", "1.0", "1e0", "2", "", "x"]),
    st.sampled_from(["a", "b", ""]),
    st.sampled_from(["1", "+1", "2", "", "x"]),
)


def naive_keys(cells: tuple[str, str, str]) -> list[Any]:
    """The keys of a row by KEYED, each written out."""
    number = None if cells[0] in ("", "x") else float(cells[0])
    whole = None if cells[2] in ("", "x") else int(cells[2])
    return [
        number,
        (cells[1], whole) if cells[1] and whole is not None else None,
        whole,
        (number, whole) if number is not None and whole is not None else None,
    ]


@given(st.lists(CELLS, max_size=8))
def test_keys_are_the_same_where_all_values_are_and_none_where_one_is_missing_or_wrong(
    table: list[tuple[str, str, str]],
) -> None:
    rows, records = Rows(Schema.of(KEYED), ["u", "p", "q"]), Records(Schema.of(KEYED))
    keys = [rows.keys(cells) for cells in table]
    for cells, found in zip(table, keys, strict=True):
        assert found == tuple(records.keys(dict(zip("upq", cells, strict=True))))
    for rule in range(4):
        ours = [found[rule] for found in keys]
        theirs = [naive_keys(cells)[rule] for cells in table]
        assert [[one == two for two in ours] for one in ours] == [[one == two for two in theirs] for one in theirs]
        assert [one is None for one in ours] == [one is None for one in theirs]


def test_a_key_of_a_field_without_a_column_is_compared_with_none() -> None:
    rows = Rows(Schema.of(KEYED | {"fieldsMatch": "partial"}), ["q"])
    assert rows.keys(["1"]) == (None, None, 1, None)
    assert rows.keys([]) == (None, None, None, None)


# -- uniqueness


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3) | st.text(max_size=1) | st.tuples(st.text(max_size=2)))))
def test_what_was_seen_is_known_exactly_and_each_rule_by_itself(keys: list[tuple[int, Any]]) -> None:
    uniqueness, known = Uniqueness(1 << 20), set[Any]()
    for rule, key in keys:
        assert uniqueness.seen(rule, key) is ((rule, type(key), key) in known)
        known.add((rule, type(key), key))


def test_beyond_the_budget_nothing_new_is_known_and_what_is_known_stays() -> None:
    uniqueness = Uniqueness(1_000)
    seen = [uniqueness.seen(0, number) for number in range(100)]
    kept = seen.index(None)
    assert seen == [False] * kept + [None] * (100 - kept)
    assert 0 < kept < 100
    assert [uniqueness.seen(0, number) for number in range(100)] == [True] * kept + [None] * (100 - kept)
    assert uniqueness.seen(1, 0) is None
    assert Uniqueness(0).seen(0, "x") is None


@pytest.mark.parametrize("budget", [1 << 22, 1 << 25])
def test_the_memory_stays_within_the_budget_however_long_the_keys(budget: int) -> None:
    uniqueness = Uniqueness(budget)
    tracemalloc.start()
    for number in range(budget // 100):
        uniqueness.seen(0, (number, "x" * 100))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < budget * 1.1
    assert uniqueness.seen(0, "new") is None
