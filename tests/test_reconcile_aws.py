"""Reconcile on a simulated AWS: a real listing, real indexes, and what a look costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib import wiring
from chalicelib.aws.inspections import LambdaInspections
from chalicelib.aws.ledger import DynamoLedger
from chalicelib.aws.lists import DynamoLists
from chalicelib.aws.notes import DynamoNotes
from chalicelib.aws.versions import S3Versions
from chalicelib.handling import take_event
from chalicelib.intake import Intake
from chalicelib.listing import entry_of_version
from chalicelib.reconcile import Reconciliation
from chalicelib.scheduled import ScheduledReconcile
from chalicelib.uploads import Entry, entry_of
from chalicelib.wanted import NotVersionedError, Run, Scope
from infra.template import LOCAL
from tests import events
from tests.aws import World, simulated_aws
from tests.events import BUCKET
from tests.fakes import LOG, FakeClock
from tests.lambdas import Lambda, replace_lambda
from tests.receipts import crash, receipt

HOUR = timedelta(hours=1)
GOOD = b"a,b\n1,2\n"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with simulated_aws(monkeypatch) as made:
        yield made


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch, world: World) -> Lambda:
    """Lambda, where `inspect` inspects at once."""
    made = replace_lambda(monkeypatch)
    intake = Intake(inbox=wiring.inbox(), ledger=world.ledger, clock=FakeClock(time=datetime.now(UTC)))
    made.functions = {LOCAL.function("inspect"): lambda event: take_event(intake, event, LOG)}
    return made


def counted(service: Any, calls: Counter[str]) -> Any:
    """A client whose calls are counted."""
    client = wiring.client(service)
    client.meta.events.register("before-call", lambda model, **_: calls.update([model.name]))
    return client


def scheduled(calls: Counter[str] | None = None) -> ScheduledReconcile:
    """The scheduled reconcile as it is wired, its calls counted."""
    counts: Counter[str] = Counter() if calls is None else calls
    table = counted("dynamodb", counts)
    return ScheduledReconcile(
        reconciliation=Reconciliation(
            versions=S3Versions(counted("s3", counts)),
            receipts=DynamoLedger(table, LOCAL.table),
            unfinished=DynamoLists(table, LOCAL.table),
        ),
        inspections=LambdaInspections(counted("lambda", counts), LOCAL.function("inspect")),
        notes=DynamoNotes(table, LOCAL.table),
    )


def run(calls: Counter[str] | None = None, *, hours: int = 1) -> Run:
    now = datetime.now(UTC) + hours * HOUR
    return scheduled(calls).run(BUCKET, now=now, out_of_time=lambda: False)


def listed_entries(world: World) -> list[Entry]:
    pages = S3Versions(world.s3).pages(BUCKET)
    return [entry_of_version(BUCKET, version) for page in pages for version in page.versions]


def current(world: World, key: str) -> dict[str, Any]:
    return world.ledger.whole(world.lists.history(BUCKET, key, limit=1)[0])


def test_files_that_are_older_than_recibo_get_their_receipts(world: World, functions: Lambda) -> None:
    for key in ("a b.csv", "sales/é+%.csv", "sales/"):
        world.upload(key, b"" if key.endswith("/") else GOOD)
    assert run() == Run(listed=3, missing=3)
    assert {made["key"] for made in world.receipts} == {"a b.csv", "sales/é+%.csv", "sales/"}
    assert {made["status"] for made in world.receipts} == {"succeeded"}
    assert run(hours=2) == Run(listed=3)
    assert len(functions.invoked) == 3


def test_a_listed_upload_has_the_receipt_of_its_event(world: World, functions: Lambda) -> None:
    """The event that comes late, after a reconcile, is a duplicate; and the other way round."""
    late, early = world.upload("late.csv", GOOD), world.upload("early.csv", GOOD)
    functions.functions[LOCAL.function("inspect")](events.event(early))
    assert run().missing == 1
    functions.functions[LOCAL.function("inspect")](events.event(late))
    assert sorted(made["key"] for made in world.receipts) == ["early.csv", "late.csv"]


@pytest.mark.usefixtures("functions")
def test_a_delete_marker_and_what_is_below_it_are_entries(world: World) -> None:
    world.upload("a.csv", GOOD)
    world.s3.delete_object(Bucket=BUCKET, Key="a.csv")
    assert run().missing == 2
    assert [one["kind"] for one in world.lists.history(BUCKET, "a.csv", limit=9)] == ["delete-marker", "upload"]


def test_what_died_or_failed_by_recibos_own_fault_is_inspected_again(world: World, functions: Lambda) -> None:
    began = datetime.now(UTC) - HOUR
    dead, broken = (entry_of(world.upload(key, GOOD))._replace(uploaded_at=began) for key in ("dead.csv", "broken.csv"))
    world.ledger.mark(dead, started_at=began, deadline=began + timedelta(minutes=14))
    world.ledger.record(receipt(broken, report=crash(), at=began))
    assert run() == Run(listed=2, died=1, system=1)
    assert (current(world, "dead.csv")["status"], current(world, "dead.csv")["inspection"]) == ("succeeded", 1)
    assert (current(world, "broken.csv")["status"], current(world, "broken.csv")["inspection"]) == ("succeeded", 2)
    assert run(hours=2) == Run(listed=2)
    assert len(functions.invoked) == 2


def test_a_bucket_without_versions_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with simulated_aws(monkeypatch, versioned=False) as unversioned:
        unversioned.upload("a.csv", GOOD)
        with pytest.raises(NotVersionedError):
            run()


def test_a_look_at_a_thousand_recorded_versions_costs_one_listing_and_ten_reads(world: World) -> None:
    """Beside them: what is unfinished (one query for each of 8 shards), and the note at begin and end."""
    for number in range(1_000):
        world.upload(f"{number:04}.csv", b"")
    for one in listed_entries(world):
        world.ledger.record(receipt(one))
    calls: Counter[str] = Counter()
    assert run(calls) == Run(listed=1_000)
    assert calls == {
        "GetBucketVersioning": 1,
        "ListObjectVersions": 1,
        "BatchGetItem": 10,
        "Query": 8,
        "GetItem": 1,
        "PutItem": 1,
    }


def test_a_key_with_more_versions_than_a_page_has_them_all_found_in_their_order(world: World) -> None:
    """Also where S3 tells their times to the second and one second has hundreds of them."""
    for _ in range(1_500):
        world.s3.put_object(Bucket=BUCKET, Key="k", Body=b"")
    expected = [one.version_id for one in listed_entries(world)]
    scope = Scope(bucket=BUCKET, until=datetime.now(UTC) + HOUR)
    steps = list(scheduled().reconciliation.missing(scope))
    wanted = [one.entry for step in steps for one in step.wanted]
    assert [step.listed for step in steps] == [1_000, 500]
    assert [one.version_id for one in wanted] == expected
    assert [one.version_id for one in sorted(wanted, key=lambda one: one.place, reverse=True)] == expected
    for one in wanted:
        world.ledger.record(receipt(one))
    assert not [step for step in scheduled().reconciliation.missing(scope) if step.wanted]
