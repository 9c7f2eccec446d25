"""DynamoDB's notation, against boto3's own serializer."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.aws.items import decoded, encoded

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**38) + 1, 10**38 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


class Word(StrEnum):
    """A text that is of a type of its own."""

    YES = "yes"


@given(st.dictionaries(st.text(), VALUES, max_size=4))
def test_an_item_is_written_as_boto3_writes_it_and_comes_back_as_it_was(item: dict[str, Any]) -> None:
    assert encoded(item) == {name: TypeSerializer().serialize(value) for name, value in item.items()}
    assert decoded(encoded(item)) == item


@pytest.mark.parametrize("value", [Word.YES, b"\0", {"a", "b"}, Decimal("1.5"), (1, "a")])
def test_what_no_receipt_holds_is_left_to_boto3(value: Any) -> None:
    assert encoded({"it": value}) == {"it": TypeSerializer().serialize(value)}


@pytest.mark.parametrize("written", [{"B": b"\0"}, {"SS": ["a"]}, {"NS": ["1"]}])
def test_an_item_that_others_altered_is_read_all_the_same(written: Any) -> None:
    assert decoded({"it": written}) == {"it": TypeDeserializer().deserialize(written)}


def test_a_float_is_refused() -> None:
    with pytest.raises(TypeError):
        encoded({"it": 0.5})
