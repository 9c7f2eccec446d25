"""Contract files: what is refused, exactly where and why; the hash; sets; and which contract a key gets."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.contracts import Contract, ContractError, Contracts, load
from chalicelib.contracts.contract import DELIMITED, ENCODINGS, FORMATS, TABLES
from chalicelib.findings import Severity
from chalicelib.inspection import text_encodings
from chalicelib.inspection.media_types import Format

FIELDS = [{"name": "id", "type": "integer"}]


def written(**keywords: Any) -> str:
    return json.dumps({"name": "orders", "match": "acme/*.csv"} | keywords)


def mistakes_in(text: str) -> list[tuple[str, str]]:
    with pytest.raises(ContractError) as refused:
        Contract.of(text)
    return [(mistake.place, mistake.reason) for mistake in refused.value.mistakes]


def test_a_contract_that_says_everything_is_read_as_it_says() -> None:
    contract = Contract.of(
        written(
            title="Orders",
            description="What was ordered.",
            format="csv",
            dialect={"delimiter": ";", "header": False, "quoteChar": '"'},
            encoding="windows-1252",
            schema={"fields": FIELDS},
            rows={"atLeast": 1, "atMost": 10},
            bytes={"atMost": 1000},
            blankRows=True,
            extraColumns=True,
            emptyFile=True,
            tolerance={"share": 0.01},
            severity={"stray-quote": "warning", "no-records": "error"},
        )
    )
    assert (contract.format, contract.delimiter, contract.header, contract.encoding) == (
        "csv",
        ";",
        False,
        "windows-1252",
    )
    assert (contract.rows.at_least, contract.rows.at_most, contract.bytes.at_most) == (1, 10, 1000)
    assert contract.ignored == {"blank-row", "empty-file"}
    assert contract.severity == {"stray-quote": Severity.WARNING, "no-records": Severity.ERROR}
    assert contract.schema
    assert contract.schema.fields_match == "subset"


def test_the_dialect_of_the_standard_may_be_said_as_it_is() -> None:
    said = {"$schema": "https://datapackage.org/profiles/2.0/tabledialect.json", "delimiter": ",", "headerRows": [1]}
    rest = {"quoteChar": '"', "doubleQuote": True, "skipInitialSpace": False, "lineTerminator": "\r\n"}
    assert Contract.of(written(dialect=said | rest)).delimiter == ","


def test_no_digit_of_a_bound_is_lost_that_is_written_as_a_number() -> None:
    text = written(schema={"fields": [{"name": "a", "type": "number", "constraints": {"maximum": 0}}]})
    exact = Contract.of(text.replace('"maximum": 0', '"maximum": 9999999999999999.99'))
    assert exact.schema
    (field,) = exact.schema.fields
    assert not field.problems("9999999999999999.99")
    assert [problem.words for problem in field.problems("10000000000000000")] == ["must be at most 9999999999999999.99"]
    rounded = Contract.of(text.replace('"maximum": 0', '"maximum": 10000000000000000.0'))
    assert exact.sha256 != rounded.sha256


@pytest.mark.parametrize(
    ("keywords", "place", "reason"),
    [
        ({"formt": "csv"}, "formt", 'there is no keyword "formt"; did you mean "format"?'),
        ({"name": "a b"}, "name", "must be up to 100"),
        ({"name": 3}, "name", "must be a text"),
        ({"match": "a["}, "match", "has a [ that no ] closes, at character 2"),
        ({"format": "cvs"}, "format", 'there is no format "cvs"; did you mean "csv"?'),
        ({"dialect": {"delimeter": ";"}}, "dialect.delimeter", 'did you mean "delimiter"?'),
        ({"dialect": {"delimiter": ";;"}}, "dialect.delimiter", "must be one character"),
        ({"dialect": {"delimiter": '"'}}, "dialect.delimiter", "must be one character"),
        ({"dialect": {"quoteChar": "'"}}, "dialect.quoteChar", "judged by RFC 4180"),
        ({"dialect": {"headerRows": [1, 2]}}, "dialect.headerRows", "can only be [1]"),
        ({"dialect": {"lineTerminator": ";"}}, "dialect.lineTerminator", 'can only be "\\r\\n" or "\\n"'),
        ({"dialect": {"header": 1}}, "dialect.header", "must be true or false"),
        ({"dialect": {}, "format": "jsonl"}, "dialect", "it is for csv and tsv"),
        ({"dialect": {"delimiter": ";"}, "format": "tsv"}, "dialect.delimiter", "is a tab"),
        ({"encoding": "latin"}, "encoding", 'there is no encoding "latin"'),
        ({"encoding": "utf-16-le", "format": "jsonl"}, "encoding", "JSON is always utf-8"),
        ({"rows": {"atLeast": 3, "atMost": 2}}, "rows.atLeast", "is more than atMost"),
        ({"rows": {"atLeast": -1}}, "rows.atLeast", "must be a whole number"),
        ({"rows": {"atLeast": True}}, "rows.atLeast", "must be a whole number"),
        ({"rows": {"atleast": 1}}, "rows.atleast", 'did you mean "atLeast"?'),
        ({"rows": {}, "format": "text"}, "rows", "there are none"),
        ({"bytes": 3}, "bytes", "must be an object"),
        ({"blankRows": "no"}, "blankRows", "must be true or false"),
        ({"extraColumns": True}, "extraColumns", "says nothing without a schema"),
        ({"tolerance": {}}, "tolerance", "either errors or share"),
        ({"tolerance": {"errors": 1, "share": 0.5}}, "tolerance", "either errors or share"),
        ({"tolerance": {"share": 1.5}}, "tolerance.share", "from 0 to 1"),
        ({"severity": {"stray-qoute": "error"}}, "severity.stray-qoute", 'did you mean "stray-quote"?'),
        ({"severity": {"object-missing": "warning"}}, "severity.object-missing", "there is no finding of a file's"),
        ({"severity": {"stray-quote": "info"}}, "severity.stray-quote", "a contract can give"),
        ({"severity": {"blank-row": "error"}, "blankRows": False}, "severity.blank-row", "blankRows already says"),
        ({"checks": {"paid": "amount > 0"}}, "checks", "nothing without a schema"),
        ({"checks": {"a b": "a > 0"}, "schema": {"fields": FIELDS}}, "checks.a b", "letters of ASCII"),
        ({"checks": {"a": ""}, "schema": {"fields": FIELDS}}, "checks.a", "a text that is not empty"),
        ({"schema": {"fields": FIELDS}, "format": "text"}, "schema", "has no columns"),
        ({"schema": {"fields": FIELDS, "fieldsMatch": "equal"}, "extraColumns": True}, "extraColumns", "fieldsMatch"),
        ({"schema": {"fields": [{"name": "a", "type": "intger"}]}}, "schema.fields[0].type", "integer"),
    ],
)
def test_a_mistake_is_refused_with_its_place_and_reason(keywords: dict[str, Any], place: str, reason: str) -> None:
    ((found, why),) = mistakes_in(written(**keywords))
    assert found == place
    assert reason in why


def test_what_is_missing_is_named() -> None:
    assert [place for place, _ in mistakes_in("{}")] == ["name", "match"]


def test_every_mistake_is_told_at_once() -> None:
    text = written(format="cvs", rows={"atMost": -1}, titel="Orders")
    assert {place for place, _ in mistakes_in(text)} == {"format", "rows.atMost", "titel"}


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ('{"name": "a",\n "match": }', "line 2, column 11", "this is not JSON"),
        ("[]", "", "must be an object"),
        ('{"name": "a", "name": "b"}', "", 'has the name "name" twice'),
        ('{"rows": NaN}', "", "NaN is not JSON"),
        ("[" * 100_000, "", "nested too deep"),
        ('{"title": "\\ud800"}', "", "half of a surrogate pair"),
        ('{"rows": ' + "9" * 5000 + "}", "", "limit"),
    ],
    ids=["syntax", "no object", "a name twice", "NaN", "too deep", "half a pair", "a huge number"],
)
def test_what_is_not_the_json_of_a_contract_is_refused_with_the_place(text: str, place: str, reason: str) -> None:
    ((found, why),) = mistakes_in(text)
    assert found == place
    assert reason in why


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KEYWORDS = ("format", "dialect", "encoding", "schema", "rows", "bytes", "tolerance", "severity", "checks", "match")


@given(st.dictionaries(st.sampled_from(KEYWORDS), JSON))
def test_no_value_makes_anything_but_a_contract_or_its_mistakes(keywords: dict[str, Any]) -> None:
    try:
        Contract.of(written(**keywords))
    except ContractError as error:
        assert all(mistake.reason for mistake in error.mistakes)  # noqa: PT017 (there need not be one)


@given(st.text())
def test_no_text_makes_anything_but_a_contract_or_its_mistakes(text: str) -> None:
    assert mistakes_in(text)


# -- the hash


def test_the_hash_is_that_of_canonical_json_and_of_nothing_that_does_not_matter() -> None:
    canonical = '{"match":"acme/é*","name":"orders","rows":{"atLeast":1}}'
    expected = hashlib.sha256(canonical.encode()).hexdigest()
    assert Contract.of(canonical).sha256 == expected
    assert Contract.of('{"rows": {"atLeast": 1},\n "name": "orders", "match": "acme/\\u00e9*"}').sha256 == expected
    assert Contract.of(canonical.replace("1", "2")).sha256 != expected


# -- sets


def set_of(*globs: str) -> Contracts:
    return Contracts.of({f"{n}.json": written(name=f"c{n}", match=glob) for n, glob in enumerate(globs)})


def chosen(contracts: Contracts, key: str) -> str | None:
    contract = contracts.choose(key)
    return contract.match.text if contract else None


def test_the_longest_literal_prefix_wins() -> None:
    contracts = set_of("**", "acme/**", "acme/orders-*.csv", "acme/orders-2026.csv")
    assert chosen(contracts, "acme/orders-2026.csv") == "acme/orders-2026.csv"
    assert chosen(contracts, "acme/orders-2025.csv") == "acme/orders-*.csv"
    assert chosen(contracts, "acme/prices/x.csv") == "acme/**"
    assert chosen(contracts, "globex") == "**"
    assert chosen(set_of("acme/*"), "acme/a/b") is None


def test_a_tie_is_refused_even_if_no_file_has_come_to_it_yet() -> None:
    with pytest.raises(
        ContractError, match=r"1.json: match: some keys match both .acme/\*\.csv. and .acme/\*/?"
    ) as error:
        Contracts.of({"0.json": written(match="acme/**/o*"), "1.json": written(name="other", match="acme/*.csv")})
    assert error.value.mistakes[0].file == "1.json"


def test_globs_that_no_key_matches_both_of_may_have_the_same_prefix() -> None:
    assert chosen(set_of("acme/*.csv", "acme/*.json"), "acme/a.json") == "acme/*.json"


def test_two_contracts_of_one_name_are_refused() -> None:
    with pytest.raises(ContractError, match=r"b.json: name: .orders. is the name of a.json already"):
        Contracts.of({"a.json": written(match="a"), "b.json": written(match="b")})


@given(
    st.lists(st.sampled_from(["a*", "ab*", "a**", "**/b", "abc", "a?c", "[ab]*"]), unique=True),
    st.text("abc/", max_size=4),
)
def test_no_key_has_two_contracts_that_are_as_good(globs: list[str], key: str) -> None:
    try:
        contracts = set_of(*globs)
    except ContractError:
        return
    lengths = [len(each.match.literal_prefix) for each in contracts.all if each.match.matches(key)]
    assert len(lengths) == len(set(lengths))


def test_a_folder_is_loaded_whole_and_refused_whole(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(written())
    assert [contract.name for contract in load(tmp_path).all] == ["orders"]
    (tmp_path / "b.json").write_bytes(b"\xff")
    with pytest.raises(ContractError, match=r"b.json: is not UTF-8, at byte 0"):
        load(tmp_path)


def test_the_contracts_that_ship_are_right() -> None:
    assert load().all


# -- what contracts and the inspection must agree on


def test_what_a_contract_may_say_is_what_the_inspection_knows() -> None:
    assert set(FORMATS) <= set(Format)
    assert {Format.CSV, Format.TSV} == DELIMITED
    assert DELIMITED | {Format.JSONL, Format.PARQUET, Format.XLSX} == TABLES
    assert set(ENCODINGS) == set(text_encodings.ENCODINGS)
