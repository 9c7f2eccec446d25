"""Values that the kernel judges: what it takes for right is right, and a report says the same without it."""

from __future__ import annotations

import csv
import operator
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from chalicelib.contracts import Contract
from chalicelib.inspection import Limits, Report, inspect
from chalicelib.inspection.kernel import Kernel
from chalicelib.inspection.kernel.orders import numbers_on_side
from chalicelib.inspection.kernel.rules import UnknownError
from chalicelib.inspection.kernel.values import KernelValues
from chalicelib.inspection.limits import MIB
from chalicelib.tableschema import Automaton, Field
from tests.inspection.sql.test_judge import POOLS, files, right_fields
from tests.inspection.strategies import cut, written
from tests.inspection.test_contracted import contract

EVERY = [text for pool in POOLS.values() for text in pool] + ["", "-", "NA", "0", "-0", "+0", ".5", "5.", "00", "1e5"]
EDITED = "0123456789+-.,:eETZ \"'aAzé€\n\r"


class Taken:
    """A sink that keeps what it takes, each with its row and line."""

    def __init__(self) -> None:
        self.taken: list[tuple[bytes, int, int]] = []

    def begin(self, names: Sequence[str], *, line: int) -> None:
        pass

    def take(self, run: bytes, *, row: int, line: int) -> None:
        self.taken.append((run, row, line))


def field_of(type_: str, *, missing: Sequence[str] = ("",), **properties: Any) -> Field:
    schema = {"fields": [{"name": "a", "type": type_, **properties}], "missingValues": list(missing)}
    found = contract(schema=schema).schema
    assert found
    return found.fields[0]


def doubtful(field: Field, cells: Sequence[str], *, quoting: int = csv.QUOTE_ALL) -> set[int]:
    """Which of the cells of a column the judge would be asked about; raises UnknownError if of all."""
    judge = Taken()
    values = KernelValues([(0, field)], delimiter=",", judge=judge, other=Taken)
    text = written([[cell, "x"] for cell in cells], delimiter=",", newline="\r\n", quoting=quoting)
    values.take(text.encode(), row=0, line=1)
    return {row for _, row, _ in judge.taken}


def wrong(field: Field, cells: Sequence[str]) -> set[int]:
    return {at for at, cell in enumerate(cells) if field.judge_cell(cell)}


@st.composite
def cells(draw: st.DrawFn, pool: Sequence[str]) -> str:
    """A text of a pool, or one that is nearly so."""
    text = draw(st.sampled_from(pool))
    for _ in range(draw(st.integers(0, 2))):
        at, other = draw(st.integers(0, len(text))), draw(st.sampled_from(["", *EDITED]))
        text = text[:at] + other + text[at + draw(st.integers(0, 1)) :]
    return text


@settings(max_examples=200)
@given(right_fields("a"), st.data(), st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))
def test_a_cell_in_which_the_judge_finds_something_wrong_is_doubtful(
    descriptor: dict[str, Any], data: st.DataObject, quoting: int
) -> None:
    schema = contract(schema={"fields": [descriptor]}).schema
    assert schema
    field = schema.fields[0]
    pool = [*(POOLS[field.type] * 5), *EVERY, *descriptor["constraints"].get("enum", [])]
    texts = data.draw(st.lists(cells([str(text) for text in pool]), min_size=20, max_size=90))
    try:
        found = doubtful(field, texts, quoting=quoting)
    except UnknownError:
        assume(False)
    assert wrong(field, texts) <= found


RIGHT: list[tuple[dict[str, Any], str]] = [
    ({"type": "integer"}, "0 7 -7 +7 007 123456789012345678901234567890"),
    ({"type": "integer", "constraints": {"minimum": 1}}, "1 2 10 +1 01 99999999999999999999"),
    ({"type": "integer", "constraints": {"minimum": -20, "maximum": 20}}, "-20 -19 -9 0 -0 9 20 +20"),
    ({"type": "integer", "constraints": {"exclusiveMinimum": 199, "exclusiveMaximum": 1000}}, "200 999"),
    ({"type": "integer", "constraints": {"enum": [1, 20]}}, "1 20"),
    ({"type": "integer", "groupChar": ",", "constraints": {"maximum": 1_000_000}}, "1,000 999,999 1,000,000 1000000"),
    ({"type": "number"}, "0 1.5 -1.5 .5 5. 1e3 1E-7 NaN -INF 0.1000"),
    ({"type": "number", "constraints": {"minimum": 0}}, "0 0.00 0.01 13739.65 +5 .5"),
    ({"type": "number", "constraints": {"minimum": -0.5, "maximum": 99.95}}, "-0.5 -0.49 0 -0 99.95 99.9499 99.950 7"),
    ({"type": "number", "constraints": {"exclusiveMaximum": 0}}, "-0.1 -7"),
    ({"type": "number", "groupChar": ".", "decimalChar": ",", "constraints": {"minimum": 10.5}}, "10,5 1.234,50 11"),
    ({"type": "boolean"}, "true false 1 0"),
    ({"type": "boolean", "trueValues": ["sim"], "falseValues": ["não"]}, "sim não"),
    ({"type": "date"}, "2026-01-31 2024-02-29 2000-02-29 0001-01-01 9999-12-31"),
    (
        {"type": "date", "constraints": {"minimum": "2020-03-15", "maximum": "2026-01-31"}},
        "2020-03-15 2021-01-01 2026-01-31",
    ),
    ({"type": "time", "constraints": {"exclusiveMinimum": "09:00:00"}}, "09:00:01 10:00:00 23:59:59"),
    ({"type": "datetime"}, "2026-01-31T15:00:00 2026-01-31T15:00:00Z 2024-02-29T00:00:00.123456-03:00"),
    (
        {"type": "datetime", "constraints": {"minimum": "2026-01-31T15:00:00"}},
        "2026-01-31T15:00:00 2026-02-01T00:00:00.5",
    ),
    ({"type": "year", "constraints": {"minimum": 1900}}, "1900 2026 9999"),
    ({"type": "yearmonth", "constraints": {"maximum": "2026-06"}}, "2026-06 2025-12"),
    ({"type": "string", "format": "email"}, "ana@example.com a.b+c@mail.example-site.com.br"),
    ({"type": "string", "format": "uri"}, "https://example.com http://a.b:80/c/d.html?x=1&y=%20#z"),
    ({"type": "string", "format": "uuid"}, "00000000-0000-4000-8000-00000000000a"),
    ({"type": "string", "format": "binary"}, "YWI= YQ== YWJj"),
    ({"type": "string", "constraints": {"enum": ["São_Paulo", "x"]}}, "São_Paulo x"),
    ({"type": "string", "categories": [{"value": "x"}, {"value": "y", "label": "Y"}]}, "x y"),
    ({"type": "string", "constraints": {"pattern": r"\d{3}\.\d{3}\.\d{3}-\d{2}"}}, "123.456.789-09"),
    ({"type": "string", "constraints": {"pattern": r"\p{Lu}[\p{L}'-]{1,60}"}}, "José Ágata D'Ávila Łódź"),
    ({"type": "string", "constraints": {"pattern": "[^,]+", "maxLength": 4}}, "ação abcd"),
    ({"type": "string", "constraints": {"minLength": 4, "maxLength": 4}}, "ação abcd 𝒳𝒳𝒳𝒳"),
    ({"type": "string", "constraints": {"required": True}}, "a € 𝒳"),
    ({"type": "any", "constraints": {"required": True}}, "a 1"),
    ({"type": "list", "constraints": {"enum": ["a;b"]}, "delimiter": ";"}, "a;b"),
]


@pytest.mark.parametrize(("descriptor", "texts"), RIGHT)
def test_what_is_usually_written_is_taken_without_asking_the_judge(descriptor: dict[str, Any], texts: str) -> None:
    field = field_of(descriptor.pop("type"), **descriptor)
    right = texts.split()
    assert not wrong(field, right), "the test itself"
    for quoting in (csv.QUOTE_ALL, csv.QUOTE_MINIMAL):
        assert doubtful(field, right, quoting=quoting) == set()
        missing = doubtful(field, [*right, ""], quoting=quoting)
        assert missing == ({len(right)} if field.required else set())


@pytest.mark.parametrize(
    ("descriptor", "texts"),
    [
        ({"type": "string", "constraints": {"maxLength": 3}}, ['"a"', 'a""', '"""']),
        ({"type": "string", "constraints": {"minLength": 3}}, ['"a"', 'a""', '"""']),
        ({"type": "string", "constraints": {"pattern": '[a-z]*"[a-z]*'}}, ['"', 'a"', '"a', 'a"b']),
        ({"type": "string", "constraints": {"enum": ['"', 'a"b', '""']}}, ['"', 'a"b', '""']),
        ({"type": "string", "constraints": {"pattern": "[a-z,\n]+"}}, ["a,b", "a\nb", ","]),
    ],
)
def test_a_quoted_cell_is_judged_without_its_quotes(descriptor: dict[str, Any], texts: list[str]) -> None:
    field = field_of(descriptor.pop("type"), **descriptor)
    assert doubtful(field, texts) == wrong(field, texts) == set()
    longer = [f"{text}####" for text in texts]
    assert doubtful(field, longer) >= wrong(field, longer)


def test_missing_values_are_right_unless_a_value_is_required() -> None:
    for required in (True, False):
        field = field_of("integer", missing=["", "NA", "-1"], constraints={"required": required})
        assert doubtful(field, ["1", "NA", "", "-1", "-2", "N", "NAN"]) == ({1, 2, 3, 5, 6} if required else {5, 6})


COMPARED = {
    "minimum": operator.ge,
    "maximum": operator.le,
    "exclusiveMinimum": operator.gt,
    "exclusiveMaximum": operator.lt,
}
DECIMALS = st.decimals(-1200, 1200, places=2) | st.integers(-120, 120).map(Decimal)


@settings(max_examples=400)
@given(
    st.sampled_from(sorted(COMPARED)), DECIMALS, DECIMALS, st.integers(-2, 2), st.sampled_from(["{}", "00{}", "{}0"])
)
@example("minimum", Decimal(0), Decimal(0), 0, "{}")
@example("exclusiveMaximum", Decimal(0), Decimal(0), 0, "{}")
def test_a_bound_of_numbers_is_met_by_just_those_on_its_side(
    name: str, bound: Decimal, value: Decimal, near: int, form: str
) -> None:
    expression = numbers_on_side(name, bound, r"\.")
    assert expression
    for number in (
        value,
        bound + near,
        bound + Decimal(near) / 100,
        Decimal(str(bound)[:-1] or "0") if bound > 9 else bound,
    ):
        digits = form.format(abs(number)) if "." in str(number) or form != "{}0" else str(abs(number))
        text = ("-" if number < 0 else "") + digits
        automaton = Automaton(expression)
        at = automaton.begin
        for character in text:
            at = automaton.after([to for has, to in automaton.steps(at) if has(character)])
        assert automaton.accepts(at) == COMPARED[name](Decimal(text), bound), text


# -- whole reports


def reports(content: bytes, under: Contract, *, size: int = 1 << 20, **limits: Any) -> tuple[Report, Report]:
    """What is reported without the kernel, row by row, and with it."""
    kinds = [
        Limits(**{"findings_per_code": 3, **limits, "engine_from_bytes": engine, "kernel_from_bytes": kernel})
        for engine, kernel in ((1 << 40, 1 << 41), (0, 0))
    ]
    without, by_kernel = [inspect(cut(content, size), name="a.csv", contract=under, limits=kind) for kind in kinds]
    return without, by_kernel


@settings(max_examples=60)
@given(files(keys=False), st.integers(0, 12), st.integers(1, 200), st.sampled_from([20, 100, 1 << 20]), st.booleans())
def test_a_report_is_the_same_with_the_kernel_and_without(
    file: tuple[Contract, bytes], per_code: int, size: int, block: int, has_end: bool
) -> None:
    under, content = file
    content = content if has_end else content.removesuffix(b"\n")
    limits = {"findings_per_code": per_code, "block_bytes": block, "kernel_load_bytes": 0}
    without, by_kernel = reports(content, under, size=size, **limits)
    assert by_kernel == without


SCHEMA = {
    "fields": [
        {"name": "id", "type": "integer", "constraints": {"required": True, "minimum": 1}},
        {"name": "kind", "type": "string", "constraints": {"enum": ["x", "y, z"]}},
        {"name": "note", "type": "string", "constraints": {"maxLength": 40}},
    ]
}


def rows(count: int, *, wrong_each: int, newline: str = "\r\n") -> str:
    lines = [f'{at if at % wrong_each else "x"},"y, z","two{newline}lines ""{at}"""' for at in range(1, count + 1)]
    return newline.join(["id,kind,note", *lines, ""])


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("wrong_each", [1, 7, 1_000])
def test_rows_and_lines_are_told_rightly_however_many_records_are_wrong(newline: str, wrong_each: int) -> None:
    content = rows(5_000, wrong_each=wrong_each, newline=newline).encode()
    without, by_kernel = reports(content, contract(schema=SCHEMA), size=70_000, findings_per_code=200)
    assert by_kernel == without
    assert by_kernel.counts["type-error"] == 5_000 // wrong_each


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_a_run_beyond_the_kernels_memory_is_judged_in_parts(newline: str) -> None:
    """Wherever it is cut: at each of these, a part of the text ends within another piece of a record."""
    content = rows(70_000, wrong_each=20_000, newline=newline).encode()
    assert len(content) > 2 * MIB
    without, by_kernel = reports(content, contract(schema=SCHEMA), block_bytes=8 * MIB)
    assert by_kernel == without


def test_a_record_beyond_the_kernels_memory_is_judged_elsewhere() -> None:
    content = rows(300, wrong_each=100) + f'1,x,"{"y" * MIB}"\n' + rows(300, wrong_each=100).partition("\r\n")[2]
    without, by_kernel = reports(content.encode(), contract(schema=SCHEMA), block_bytes=8 * MIB)
    assert by_kernel == without
    assert by_kernel.counts["constraint-max-length"] == 1


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), min_size=7, max_size=7), st.integers(0, 300))
def test_whatever_text_and_rules_the_kernel_is_given_it_ends(text: bytes, numbers: list[int], size: int) -> None:
    kernel = Kernel()
    kernel.load(text)
    kernel.ask("judge_column", *numbers)
    kernel.load(text)
    begin, delimiter, is_whole = numbers[:3]
    end, records, doubtful, *places = kernel.ask("right_values", min(begin, size), size, delimiter, is_whole)
    assert min(begin, size) <= end <= size
    assert doubtful <= records
    assert all(place <= size for place in places[: 3 * doubtful])
