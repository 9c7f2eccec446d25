"""Strings and their formats, lists, arrays, objects, and values of any type."""

from __future__ import annotations

import base64
import json
import re
import time
from decimal import Decimal
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tableschema.schemas import constrained, field, field_refusal, is_right, judge, judge_native, rules

EMAIL, URI = field("string", format="email"), field("string", format="uri")
UUIDS, BINARY = field("string", format="uuid"), field("string", format="binary")


@given(st.text())
def test_any_text_is_a_string_and_any_value(text: str) -> None:
    assert is_right(field("string"), text)
    assert is_right(field("any"), text)
    assert field("any").value(text) == text


@given(st.emails())
def test_an_email_address_is_one(text: str) -> None:
    assert is_right(EMAIL, text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name@gmail.com", True),
        ("te~st@example.com", True),
        ("a+b@sub.example.co.uk", True),
        ('"joe bloggs"@example.com', True),
        ('"joe\\"bloggs"@example.com', True),
        ("joe@[127.0.0.1]", True),
        ("joe@[IPv6:::1]", True),
        ("josé@exemplo.com.br", True),
        ("joe@münchen.de", True),
        ("joe@[127.0.0.300]", False),
        ("joe@[IPv6:zz]", False),
        ("string", False),
        ("http://google.com", False),
        ("@example.com", False),
        ("a@", False),
        ("a@localhost", False),
        (".a@example.com", False),
        ("a.@example.com", False),
        ("a..b@example.com", False),
        ("a b@example.com", False),
        ("a@b@example.com", False),
        ("a@-example.com", False),
        ("a@example-.com", False),
        ("a@example..com", False),
        ("a@example.com.", False),
        ("a@exam_ple.com", False),
        ("a@example.com\n", False),
        ("a" * 65 + "@example.com", False),
        ("a@" + "b" * 64 + ".com", False),
        ("", False),
    ],
)
def test_an_email_address_is_what_rfc_5321_says(text: str, expected: bool) -> None:
    assert is_right(EMAIL, text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://google.com", True),
        ("ftp://ftp.is.co.za/rfc/rfc1808.txt", True),
        ("http://www.ietf.org/rfc/rfc2396.txt", True),
        ("ldap://[2001:db8::7]/c=GB?objectClass?one", True),
        ("mailto:John.Doe@example.com", True),
        ("news:comp.infosystems.www.servers.unix", True),
        ("tel:+1-816-555-1212", True),
        ("telnet://192.0.2.16:80/", True),
        ("urn:oasis:names:specification:docbook:dtd:xml:4.1.2", True),
        ("file:///etc/hosts", True),
        ("http://a:b@c.d:8/e%20f?g=h#i", True),
        ("http://[v1.x]/", True),
        ("s3://bucket/key", True),
        ("a:", True),
        ("string", False),
        ("://no-scheme.test", False),
        ("//example.com/a", False),
        ("/a/b", False),
        ("1http://a", False),
        ("http://a b", False),
        ("http://a/%zz", False),
        ("http://[::g]/", False),
        ("http://[::1", False),
        ("http://a/é", False),
        ("http://a:b/", False),
        ("http://a/#b#c", False),
        ("http://a/{b}", False),
        ("", False),
    ],
)
def test_a_uri_is_what_rfc_3986_says(text: str, expected: bool) -> None:
    assert is_right(URI, text) is expected


@given(st.text(max_size=10), st.text(max_size=10))
def test_whatever_is_quoted_makes_a_uri(path: str, query: str) -> None:
    encoded = [quote(text.encode("utf-8", "surrogatepass")) for text in (path, query)]
    assert is_right(URI, f"https://example.com/{encoded[0]}?{encoded[1]}")


@given(st.uuids())
def test_a_uuid_is_one_in_either_case(value: UUID) -> None:
    assert is_right(UUIDS, str(value))
    assert is_right(UUIDS, str(value).upper())
    assert not is_right(UUIDS, value.hex)
    assert not is_right(UUIDS, f"{{{value}}}")
    assert not is_right(UUIDS, f"{value}\n")


@given(st.binary(max_size=20), st.text("AQ=w+/-_ \n", max_size=9))
def test_binary_is_base64_and_nothing_else(content: bytes, text: str) -> None:
    encoded = base64.b64encode(content).decode()
    assert is_right(BINARY, encoded)
    assert not is_right(BINARY, encoded + "A")
    try:
        base64.b64decode(text, validate=True)
        expected = len(text) % 4 == 0 and bool(re.fullmatch(r"[A-Za-z0-9+/]*={0,2}", text))
    except ValueError:
        expected = False
    assert is_right(BINARY, text) is expected


@pytest.mark.parametrize("tested", [EMAIL, URI, UUIDS, BINARY], ids=lambda tested: tested.format)
@pytest.mark.parametrize(
    "text",
    [
        "a" * 1_000_000,
        "a." * 500_000 + "@",
        "a:" + "%20" * 300_000 + "%",
        "a:" + "/" * 500_000 + " ",
        '"' + "\\a" * 500_000,
        "=" * 1_000_000,
    ],
)
def test_a_hostile_text_is_judged_at_once(tested: Any, text: str) -> None:
    begun = time.process_time()
    judge(tested, text)
    assert time.process_time() - begun < 2


# -- lists


@given(st.lists(st.integers(), max_size=5))
def test_a_list_is_its_items_with_commas_between(items: list[int]) -> None:
    text = ",".join(map(str, items))
    assert is_right(field("list", itemType="integer"), text)
    assert field("list", itemType="integer").value(text) == items
    assert judge_native(field("list", itemType="integer"), items) is None


@pytest.mark.parametrize(
    ("item", "right", "wrong"),
    [
        ("string", "a,b", None),
        ("integer", "1,2", "1,b"),
        ("boolean", "true,0", "true,yes"),
        ("number", "1.5,INF", "1.5,x"),
        ("datetime", "2024-01-01T00:00:00Z", "2024-01-01"),
        ("date", "2024-01-01,2024-01-02", "2024-01-01,01/01/2024"),
        ("time", "15:00:00", "15:00"),
    ],
)
def test_each_item_of_a_list_is_of_its_type(item: str, right: str, wrong: str | None) -> None:
    assert is_right(field("list", itemType=item), right)
    assert wrong is None or not is_right(field("list", itemType=item), wrong)


def test_a_list_has_its_own_delimiter_and_length() -> None:
    tested = field("list", delimiter="; ", itemType="integer", constraints={"minLength": 2, "enum": ["1; 2", [3, 4.0]]})
    assert [rules(tested, text) for text in ("1; 2", "3; 4", "5; 6", "1")] == [[], [], ["enum"], ["minLength", "enum"]]
    assert rules(tested, "1;2") == ["type"]
    assert judge_native(field("list", itemType="integer"), [1, "x"]) is not None
    assert judge_native(field("list", itemType="integer"), {"a": 1}) is not None


# -- JSON

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_an_array_or_an_object_is_what_json_says(value: Any) -> None:
    text = json.dumps(value)
    array, obj = field("array"), field("object")
    assert is_right(array, text) is isinstance(value, list)
    assert is_right(obj, text) is isinstance(value, dict)
    for tested in (array, obj):
        if is_right(tested, text):
            assert tested.kind.key(tested.value(json.dumps(value, indent=1))) == tested.kind.key(
                tested.kind.take(value)
            )
    if not isinstance(value, str):
        assert (judge_native(array, value) is None) is isinstance(value, list)


@given(JSON, JSON)
def test_values_have_the_same_key_only_if_they_are_the_same(one: Any, two: Any) -> None:
    key = field("any").kind.key
    assert (key(one) == key(two)) is (tagged(one) == tagged(two))


def tagged(value: Any) -> Any:
    """The value, so that Python tells true from 1."""
    if isinstance(value, list):
        return [tagged(item) for item in value]
    if isinstance(value, dict):
        return {name: tagged(item) for name, item in value.items()}
    return (isinstance(value, bool), Decimal(repr(value)) if isinstance(value, float) else value)


@pytest.mark.parametrize(
    "text", ["[NaN]", "[Infinity]", "[1,]", "['a']", "[", "1", '"[]"', "", "[]x", "[\x01]", '["\n"]', "[01]"]
)
def test_what_is_not_strictly_json_is_no_array(text: str) -> None:
    assert not is_right(field("array"), text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[" * 200 + "]" * 200, True),
        ("[" * 202 + "]" * 202, False),
        ("[" * 500_000, False),
        ("[" * 100_000 + "]" * 100_000, False),
        ('["' + "[" * 300 + '"]', True),
        ("[" + "9" * 100_000 + "]", True),
        ("[1e999999999999999999999]", True),
    ],
    ids=range(7),
)
def test_deep_or_long_json_stops_nothing(text: str, expected: bool) -> None:
    tested = field("array", constraints={"maxLength": 1})
    assert is_right(tested, text) is expected
    if expected:
        assert tested.kind.key(tested.value(text))


def test_lengths_are_of_items_and_members() -> None:
    assert rules(constrained("array", maxLength=1), "[1, 2]") == ["maxLength"]
    assert rules(constrained("object", minLength=2), '{"a": 1}') == ["minLength"]
    assert rules(constrained("object", enum=[{"a": 1, "b": [2]}]), '{"b": [2.0], "a": 1}') == []


def test_a_type_that_json_knows_takes_no_other() -> None:
    for type_, value in (("string", 5), ("date", 20240101), ("duration", 1), ("yearmonth", [2024, 1]), ("object", [1])):
        assert judge_native(field(type_), value) is not None
    assert judge_native(constrained("any", enum=[1, "a"]), 1.0) is None
    assert judge_native(constrained("any", enum=[1, "a"]), True) is not None
    assert rules(constrained("any", enum=[1, "a"]), "1") == ["enum"]


@pytest.mark.parametrize(
    ("properties", "place", "reason"),
    [
        ({"type": "geopoint"}, "type", '"geopoint" is not supported'),
        ({"type": "geojson"}, "type", '"geojson" is not supported'),
        ({"type": "strng"}, "type", 'did you mean "string"?'),
        ({"type": "String"}, "type", 'did you mean "string"?'),
        ({"type": None}, "type", "must be a text"),
        ({"type": "string", "format": "mail"}, "format", 'did you mean "email"?'),
        ({"type": "any", "format": "email"}, "format", "format of any"),
        ({"type": "list", "delimiter": ""}, "delimiter", "not empty"),
        ({"type": "list", "itemType": "object"}, "itemType", "type of an item"),
        ({"type": "list", "itemType": 1}, "itemType", "must be a text"),
    ],
)
def test_a_type_or_option_that_is_wrong_is_refused(properties: dict[str, Any], place: str, reason: str) -> None:
    found, why = field_refusal(**properties)
    assert found == place
    assert reason in why
