"""The engine's judgement is that of judging row by row: the same findings, in the same order, and the same counts."""

from __future__ import annotations

import csv
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.contracts import Contract, ContractError
from chalicelib.inspection import Limits, Report, inspect
from tests.inspection.strategies import written
from tests.inspection.test_contracted import contract

BOUNDS = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"]
INTEGERS = "0~7~+7~-7~007~-0~8~1.0~1e3~ 1~1_0~٣~x~1111111111111111111~-9999999999999999999999999999999999999999"
NUMBERS = "0~1.5~1.50~-1.5~+.5~5.~1e3~NaN~INF~-inf~0.1~1,5~1.234,5~1,234.5~12,34~0.30000000000000004~1e999~x"
DATES = (
    "2026-01-31~2026-02-30~2024-02-29~0000-01-01~0001-01-01~ 200-01-01~2026-1-1~31/01/2026~infinity~epoch~2026-01-31 "
    "~9999-12-31~10000-01-01~1-1-1~2026-01-31 (BC)~2026/01/31"
)
TIMES = "15:00:00~24:00:00~23:59:60~15:00~15:00:00Z~00:00:00"
DATETIMES = (
    "2026-01-31T15:00:00~2026-01-31T15:00:00.5~2026-02-31T15:00:00~2026-01-31T24:00:00~2026-01-31T15:00:00Z"
    "~2026-01-31T15:00:00+01:00~0000-01-01T00:00:00~2026-01-31 15:00:00"
)
STRINGS = (
    "a~ab~AB~a1~é~🤦🏼‍♂️~e\u0301~a\nb~a@b.org~http://a.b/c~00000000-0000-0000-0000-000000000000~YWI=~\"~a'b~١"
    "~aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa~#aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
)
POOLS = {
    "integer": INTEGERS.split("~"),
    "number": NUMBERS.split("~"),
    "boolean": ["true", "False", "1", "0", "yes", "TRUE "],
    "date": DATES.split("~"),
    "time": TIMES.split("~"),
    "datetime": DATETIMES.split("~"),
    "year": ["2026", "0000", "-2026", "12026", "2026Z", "0001", "26"],
    "yearmonth": ["2026-01", "2026-13", "0000-01", "2026-1", "-2026-01"],
    "duration": ["P1Y", "PT1H", "P", "P12M"],
    "list": ["a,b", "", "1,2"],
    "array": ["[1]", "[1.0]", "{}", "["],
    "any": ["a", "1", "é"],
    "string": STRINGS.split("~"),
}
FORMATS = {
    "string": ["default", "email", "uri", "binary", "uuid"],
    "date": ["default", "any", "%d/%m/%Y"],
    "time": ["default", "any"],
    "datetime": ["default", "any"],
}
PATTERNS = [
    "[a-z]+",
    "[A-Z]{2}",
    "a|b",
    r"\d+",
    "a.b",
    "(ab)?",
    "[^a]+",
    r"\w+",
    "^a$",
    "a*?",
    "x{2}{3}",
    "[a-z-[b]]",
    "é",
]
PATTERNS += [r"[a-z]+\d*", "(?:a|b)+", "[A-Za-z0-9_.-]{1,40}", "a^b", "'", "a{1,99}", "((a*)*)*", "[a-]"]
MISSING = [[""], ["", "-"], [], ["NA", ""], ["0", "a"], ["'"]]


@st.composite
def fields(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """A field of any type, with constraints that are perhaps none of its own."""
    type_ = draw(st.sampled_from(sorted(POOLS)))
    values = st.sampled_from(POOLS[type_])
    constraints: dict[str, Any] = {}
    if draw(st.booleans()):
        constraints |= draw(st.fixed_dictionaries({}, optional={"required": st.booleans(), "unique": st.booleans()}))
        constraints |= draw(st.dictionaries(st.sampled_from(BOUNDS), values, max_size=1))
        constraints |= draw(st.dictionaries(st.sampled_from(["minLength", "maxLength"]), st.integers(0, 3), max_size=1))
        constraints |= draw(st.fixed_dictionaries({}, optional={"pattern": st.sampled_from(PATTERNS)}))
        if draw(st.booleans()):
            constraints["enum"] = draw(st.lists(values, min_size=1, max_size=3, unique=True))
    found: dict[str, Any] = {"name": name, "type": type_, "constraints": constraints}
    found["format"] = draw(st.sampled_from(FORMATS.get(type_, ["default"])))
    options: dict[str, Any] = {
        "decimalChar": st.sampled_from([",", "."]),
        "groupChar": st.sampled_from([",", ".", " ", "'"]),
    }
    options |= {"bareNumber": st.booleans(), "trueValues": st.just(["yes"]), "missingValues": st.sampled_from(MISSING)}
    return found | draw(st.fixed_dictionaries({}, optional=options))


@st.composite
def schemas(draw: st.DrawFn) -> dict[str, Any]:
    """A schema that is right."""
    names = ["a", "b", "c"][: draw(st.integers(1, 3))]
    made = [draw(right_fields(name)) for name in names]
    schema: dict[str, Any] = {"fields": made}
    if draw(st.booleans()):
        schema["primaryKey"] = draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
    if draw(st.booleans()):
        schema["uniqueKeys"] = [draw(st.lists(st.sampled_from(names), min_size=1, unique=True))]
    return schema | draw(
        st.fixed_dictionaries({}, optional={"fieldsMatch": st.sampled_from(["exact", "subset", "partial"])})
    )


def right_fields(name: str) -> st.SearchStrategy[dict[str, Any]]:
    """A field that is right."""
    return fields(name).map(_right)


def _right(field: dict[str, Any]) -> dict[str, Any]:
    """The field without what is refused."""
    whole = {"name": field["name"], "type": field["type"]}
    for name, value in field.items():
        if name != "constraints" and _is_right(whole | {name: value}):
            whole[name] = value
    kept: dict[str, Any] = {}
    for name, value in field["constraints"].items():
        if _is_right(whole | {"constraints": kept | {name: value}}):
            kept[name] = value
    return whole | {"constraints": kept}


def _is_right(field: dict[str, Any]) -> bool:
    try:
        contract(schema={"fields": [field]})
    except ContractError:
        return False
    return True


@st.composite
def files(draw: st.DrawFn, *, keys: bool = True) -> tuple[Contract, bytes]:
    """A contract, and a table that may break each of its rules; perhaps without those that want values to be unique."""
    schema = draw(schemas())
    if not keys:
        schema = {name: value for name, value in schema.items() if name not in ("primaryKey", "uniqueKeys")}
        for field in schema["fields"]:
            field["constraints"].pop("unique", None)
    cells = [st.sampled_from([*POOLS[field["type"]], "", "-", "NA"]) for field in schema["fields"]]
    rows = draw(st.lists(st.tuples(*cells), max_size=30))
    names = [field["name"] for field in schema["fields"]]
    text = written([names, *rows], delimiter=",", newline=draw(st.sampled_from(["\n", "\r\n"])), quoting=csv.QUOTE_ALL)
    broken = draw(st.sampled_from(["", '"a"b,1\n', "1\n", "\n\n", '"a\n']))
    return contract(schema=schema), (text + broken).encode()


def both(content: bytes, under: Contract, **limits: Any) -> tuple[Report, Report]:
    """The report of judging row by row, and that of the engine."""
    slow = Limits(**{"engine_from_bytes": len(content), "findings_per_code": 3, **limits})
    fast = slow._replace(engine_from_bytes=0)
    reports = [inspect([content], name="a.csv", contract=under, limits=kind) for kind in (slow, fast)]
    return reports[0], reports[1]


@settings(max_examples=60)
@given(files(), st.integers(0, 12), st.sampled_from([0, 144, 144 * 7, 1 << 20]), st.sampled_from([20, 100, 1 << 20]))
def test_the_engine_reports_what_judging_row_by_row_does(
    file: tuple[Contract, bytes], per_code: int, room: int, batch: int
) -> None:
    under, content = file
    limits = {
        "findings_per_code": per_code,
        "uniqueness_bytes": room,
        "engine_batch_bytes": batch,
        "block_bytes": batch,
    }
    slow, fast = both(content, under, **limits)
    assert fast == slow
