"""The word that a scheduled reconcile leaves for the next."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings

from chalicelib.aws.notes import DynamoNotes
from chalicelib.listing import Cursor
from chalicelib.uploads import iso
from infra.template import LOCAL
from tests.aws import World, simulated_aws
from tests.events import BUCKET
from tests.fakes import NOON
from tests.receipts import receipt
from tests.strategies import KEYS, VERSIONS


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with simulated_aws(monkeypatch) as made:
        yield made


@pytest.fixture
def notes(world: World) -> DynamoNotes:
    return DynamoNotes(world.dynamodb, LOCAL.table)


def test_there_is_no_note_before_the_first(notes: DynamoNotes) -> None:
    assert notes.read(BUCKET) == {}


def test_a_note_takes_the_place_of_the_last_whole(notes: DynamoNotes) -> None:
    notes.write(BUCKET, {"begun_at": iso(NOON), "after": {"key": "k"}})
    notes.write(BUCKET, {"through": iso(NOON)})
    assert notes.read(BUCKET) == {"through": iso(NOON)}


def test_each_bucket_has_its_own(notes: DynamoNotes) -> None:
    notes.write("one", {"through": "1"})
    notes.write("two", {"through": "2"})
    assert (notes.read("one"), notes.read("two")) == ({"through": "1"}, {"through": "2"})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=KEYS, version=VERSIONS)
def test_a_cursor_comes_back_as_it_was_left(notes: DynamoNotes, key: str, version: str) -> None:
    cursor = Cursor(key=key, version_id=version, time=NOON)
    notes.write(BUCKET, {"after": cursor.as_json()})
    assert Cursor.from_json(notes.read(BUCKET)["after"]) == cursor


def test_a_note_is_in_no_list_of_receipts(world: World, notes: DynamoNotes) -> None:
    made = receipt()
    world.ledger.record(made)
    notes.write(BUCKET, {"through": iso(NOON)})
    assert [one["identity"] for one in world.receipts] == [made.entry.identity]
    assert world.ledger.known([made.entry]).keys() == {made.entry.identity}
