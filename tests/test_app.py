"""The functions as Lambda calls them, on a simulated AWS: an upload in, its receipt in the ledger."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from chalice.test import Client

import app as recibo
from chalicelib.failures import NotHandledError
from chalicelib.uploads import entry_of
from infra.stages import ROOT
from tests import events
from tests.aws import World, response, simulated_aws
from tests.events import BUCKET
from tests.fakes import codes

GOOD = b"id,amount\n1,10\n2,20\n"
CANARY = "canary-4711"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with simulated_aws(monkeypatch) as made:
        yield made


@pytest.fixture
def unversioned(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with simulated_aws(monkeypatch, versioned=False) as made:
        yield made


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with Client(recibo.app, stage_name="local", project_dir=str(ROOT)) as made:
        yield made


Invoke = Callable[..., object]


@pytest.fixture
def inspect(client: Client) -> Invoke:
    return lambda *records: client.lambda_.invoke("inspect", events.event(*records))


@pytest.fixture
def last_resort(client: Client) -> Invoke:
    return lambda *bodies, **more: client.lambda_.invoke("last_resort", events.sqs_event(*bodies, **more))


@pytest.fixture
def batch(client: Client) -> Callable[..., list[tuple[str, str]]]:
    """The result of each task, and what is said of it."""

    def done(*tasks: dict[str, Any], schema: str = "2.0") -> list[tuple[str, str]]:
        answer = client.lambda_.invoke("batch", events.batch_event(*tasks, schema=schema)).payload
        assert [one["taskId"] for one in answer["results"]] == [one["taskId"] for one in tasks]
        return [(one["resultCode"], one["resultString"]) for one in answer["results"]]

    return done


@pytest.fixture
def without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore's own retries wait in between."""
    monkeypatch.setattr("botocore.retries.standard.time.sleep", lambda _: None)


# -- uploads


def test_an_upload_ends_with_its_receipt(world: World, inspect: Invoke) -> None:
    sent = world.upload("sales/day.csv", GOOD, ContentType="text/csv", Metadata={"batch": "7"})
    inspect(sent)
    made = world.receipt("sales/day.csv")
    assert (made["status"], made["records"], made["bytes"]) == ("succeeded", 2, len(GOOD))
    assert made["version_id"] == sent["s3"]["object"]["versionId"]
    assert (made["declared_type"], made["metadata"]) == ("text/csv", {"batch": "7"})
    assert made["principal"] == "AWS:AIDAEXAMPLE"


def test_an_upload_costs_one_read_and_one_write(world: World, inspect: Invoke) -> None:
    """One conditional write, and no lock."""
    inspect(world.upload("sales/day.csv", GOOD))
    assert world.calls == {"GetObject": 1, "PutItem": 1}


def test_a_deletion_costs_one_write(world: World, inspect: Invoke) -> None:
    inspect(events.deletion(version_id="v1"), events.delete_marker(), events.expiration(version_id="v2"))
    assert world.calls == {"PutItem": 3}


def test_a_folder_marker_costs_one_write(world: World, inspect: Invoke) -> None:
    inspect(world.upload("sales/", b""))
    assert world.receipt("sales/")["format"] == "folder-marker"
    assert world.calls == {"PutItem": 1}


@pytest.mark.parametrize(
    "key", ["a b+c%2B%/é ü/日本.csv", "a//b", "../up", "+", "%", " ", "x" * 1024, "ü" * 512, "a\nb"]
)
def test_odd_keys_work(key: str, world: World, inspect: Invoke) -> None:
    """Keys are decoded once."""
    inspect(world.upload(key, GOOD))
    assert world.receipt(key)["status"] == "succeeded"


def test_the_same_event_twice_leaves_one_receipt(world: World, inspect: Invoke) -> None:
    sent = world.upload("sales/day.csv", GOOD)
    inspect(sent)
    first = world.receipt("sales/day.csv")
    inspect(sent, sent)
    assert world.receipt("sales/day.csv") == first


def test_each_version_of_a_key_has_a_receipt_of_its_own_bytes(world: World, inspect: Invoke) -> None:
    """What was announced is read: the event of the first comes after the second was uploaded."""
    first = world.upload("sales/day.csv", GOOD)
    second = world.upload("sales/day.csv", b"id\n1\n")
    inspect(second)
    inspect(first)
    newest, oldest = world.lists.history(BUCKET, "sales/day.csv", limit=10)
    assert [newest["records"], oldest["records"]] == [1, 2]
    assert newest["version_id"] == second["s3"]["object"]["versionId"]


@pytest.mark.usefixtures("without_waiting")
def test_one_failing_record_keeps_no_other_from_its_receipt(world: World, inspect: Invoke) -> None:
    """Every record of an event is handled, whatever becomes of the others."""
    failing = {"k1"}
    world.answer("GetObject", lambda request: _answer(500, "InternalError") if _key(request) in failing else None)
    first, second = world.upload("k1", GOOD), world.upload("k2", GOOD)
    with pytest.raises(NotHandledError, match="InternalError in GetObject"):
        inspect(first, second)
    assert [made["key"] for made in world.receipts] == ["k2"]
    failing.clear()
    inspect(first, second)
    assert {made["key"] for made in world.receipts} == {"k1", "k2"}
    assert len(world.receipts) == 2


# -- bytes that cannot be had


def test_an_upload_deleted_before_it_is_read_has_a_receipt_that_says_so(world: World, inspect: Invoke) -> None:
    sent = world.upload("k.csv", GOOD)
    world.s3.delete_object(Bucket=BUCKET, Key="k.csv", VersionId=sent["s3"]["object"]["versionId"])
    inspect(sent)
    made = world.receipt("k.csv")
    assert (codes(made), made["cause"]) == (["object-missing"], "unavailable")


def test_an_upload_under_a_delete_marker_is_still_read(world: World, inspect: Invoke) -> None:
    sent = world.upload("k.csv", GOOD)
    world.s3.delete_object(Bucket=BUCKET, Key="k.csv")
    inspect(sent)
    assert world.receipt("k.csv")["status"] == "succeeded"


def test_an_unversioned_upload_is_inspected(unversioned: World, inspect: Invoke) -> None:
    inspect(unversioned.upload("k.csv", GOOD))
    assert unversioned.receipt("k.csv")["status"] == "succeeded"


def test_an_unversioned_upload_that_is_gone_has_a_receipt_that_says_so(unversioned: World, inspect: Invoke) -> None:
    sent = unversioned.upload("k.csv", GOOD)
    unversioned.s3.delete_object(Bucket=BUCKET, Key="k.csv")
    inspect(sent)
    assert codes(unversioned.receipt("k.csv")) == ["object-missing"]


def test_other_bytes_are_never_judged_under_a_replaced_uploads_name(unversioned: World, inspect: Invoke) -> None:
    """What was announced is read, or said to be gone."""
    sent = unversioned.upload("k.csv", GOOD)
    unversioned.upload("k.csv", b"other\n1\n")
    inspect(sent)
    made = unversioned.receipt("k.csv")
    assert (codes(made), made["cause"]) == (["object-replaced"], "unavailable")
    assert "sha256" not in made


def test_an_archived_upload_has_a_receipt_that_names_its_storage_class(world: World, inspect: Invoke) -> None:
    world.answer("GetObject", lambda _: _answer(403, "InvalidObjectState", "<StorageClass>GLACIER</StorageClass>"))
    inspect(world.upload("k.csv", GOOD))
    made = world.receipt("k.csv")
    assert codes(made) == ["object-archived"]
    assert "archived (GLACIER)" in made["findings"][0]["message"]


# -- a broken world


@pytest.mark.parametrize(
    ("operation", "status", "code"),
    [
        ("GetObject", 503, "SlowDown"),
        ("GetObject", 403, "AccessDenied"),
        ("GetObject", 404, "NoSuchBucket"),
        ("PutItem", 400, "ProvisionedThroughputExceededException"),
        ("PutItem", 400, "AccessDeniedException"),
        ("PutItem", 500, "InternalServerError"),
    ],
)
def test_what_a_retry_may_mend_is_raised_for_lambda_to_retry(
    operation: str, status: int, code: str, world: World, inspect: Invoke
) -> None:
    """A bad file is a result; a broken world is an exception."""
    world.refuse(operation, status, code)
    with pytest.raises(NotHandledError, match=f"^{code} in {operation}$"):
        inspect(world.upload("k.csv", GOOD))
    assert world.receipts == []


@pytest.mark.usefixtures("without_waiting")
def test_a_write_whose_answer_is_lost_leaves_its_one_receipt(world: World, inspect: Invoke) -> None:
    """A double receipt is impossible: botocore writes again, and the condition holds the second write off."""
    lost = iter([_answer(500, "InternalServerError")])
    world.answer("PutItem", lambda _: next(lost, None))
    inspect(world.upload("k.csv", GOOD))
    assert [made["status"] for made in world.receipts] == ["succeeded"]


# -- dead letters


def test_an_upload_whose_function_crashed_has_a_receipt_that_says_why(world: World, last_resort: Invoke) -> None:
    sent = events.event(world.upload("k.csv", GOOD))
    last_resort(events.aws_envelope(sent))
    made = world.receipt("k.csv")
    assert (codes(made), made["cause"]) == (["inspection-crashed"], "system")
    assert "Sandbox.Timedout" in made["findings"][0]["message"]
    assert "c9a1-of-the-last-try" in made["findings"][0]["message"]
    assert world.calls == {"PutItem": 1}


@pytest.mark.parametrize("letter", [events.too_old, lambda event: event])
def test_an_upload_that_was_never_tried_is_inspected(letter: Any, world: World, last_resort: Invoke) -> None:
    last_resort(letter(events.event(world.upload("k.csv", GOOD))))
    assert world.receipt("k.csv")["status"] == "succeeded"


def test_a_dead_letter_changes_no_receipt(world: World, inspect: Invoke, last_resort: Invoke) -> None:
    sent = world.upload("k.csv", GOOD)
    inspect(sent)
    first = world.receipt("k.csv")
    last_resort(events.bare_envelope(events.event(sent)))
    assert world.receipt("k.csv") == first


# -- S3 Batch Operations

Batch = Callable[..., list[tuple[str, str]]]


def version_of(sent: dict[str, Any]) -> str:
    return str(sent["s3"]["object"]["versionId"])


@pytest.mark.parametrize("schema", ["1.0", "2.0"])
@pytest.mark.parametrize("key", ["sales/day.csv", "a b+c%2B%/é ü/日本.csv"])
def test_a_version_that_a_job_names_gets_the_receipt_that_its_event_would_have_brought(
    key: str, schema: str, world: World, inspect: Invoke, batch: Batch
) -> None:
    sent = world.upload(key, GOOD)
    encoded = sent["s3"]["object"]["key"]
    assert batch(events.task(encoded, version_of(sent), schema=schema), schema=schema) == [
        ("Succeeded", "Inspected: succeeded.")
    ]
    made = world.receipt(key)
    assert (made["version_id"], made["records"], made["size"]) == (version_of(sent), 2, len(GOOD))
    inspect(sent)
    assert world.receipt(key) == made, "its event, that comes after all, names the same receipt"


def test_a_job_inspects_no_version_twice(world: World, inspect: Invoke, batch: Batch) -> None:
    sent = world.upload("k.csv", GOOD)
    inspect(sent)
    first = world.receipt("k.csv")
    world.calls.clear()
    assert batch(events.task("k.csv", version_of(sent))) == [("Succeeded", "It had its receipt already.")]
    assert world.calls == {"HeadObject": 1, "Query": 1}, "nothing is read or written"
    assert world.receipt("k.csv") == first


def test_a_manifest_without_versions_means_the_current_one(world: World, batch: Batch) -> None:
    world.upload("k.csv", GOOD)
    newest = world.upload("k.csv", b"id\n1\n")
    assert batch(events.task("k.csv")) == [("Succeeded", "Inspected: succeeded.")]
    assert world.receipt("k.csv")["version_id"] == version_of(newest)


def test_a_bad_file_is_a_receipt_and_no_failure_of_the_job(world: World, batch: Batch) -> None:
    world.upload("k.csv", b"a,b\n1\n")
    assert batch(events.task("k.csv")) == [("Succeeded", "Inspected: failed.")]


def test_what_has_no_bytes_in_the_bucket_is_a_failed_task_and_no_receipt(world: World, batch: Batch) -> None:
    gone, hidden = world.upload("gone.csv", GOOD), world.upload("hidden.csv", GOOD)
    world.s3.delete_object(Bucket=BUCKET, Key="gone.csv", VersionId=version_of(gone))
    marker = world.s3.delete_object(Bucket=BUCKET, Key="hidden.csv")["VersionId"]
    tasks = [("gone.csv", version_of(gone)), ("never.csv", None), ("hidden.csv", None), ("hidden.csv", marker)]
    codes_of = [code for code, _ in batch(*(events.task(*one) for one in tasks))]
    assert codes_of == ["PermanentFailure"] * 4
    assert world.receipts == []
    assert batch(events.task("hidden.csv", version_of(hidden))) == [("Succeeded", "Inspected: succeeded.")]


def test_another_buckets_objects_are_refused_by_name(world: World, batch: Batch) -> None:
    ((code, said),) = batch(events.task("k.csv", bucket="another"))
    assert (code, said) == ("PermanentFailure", f"The bucket another is not this stage's inbox, which is {BUCKET}.")
    assert world.calls == {}


def test_a_bucket_without_versions_is_refused_as_reconcile_does(unversioned: World, batch: Batch) -> None:
    """No list can name what its events announced."""
    unversioned.upload("k.csv", GOOD)
    ((code, said),) = batch(events.task("k.csv"))
    assert (code, said) == ("PermanentFailure", f"The bucket {BUCKET} keeps no versions: enable its versioning first.")
    assert unversioned.receipts == []


@pytest.mark.parametrize(
    ("operation", "status", "code"),
    [
        ("HeadObject", 503, "SlowDown"),
        ("Query", 400, "ThrottlingException"),
        ("GetObject", 503, "SlowDown"),
        ("PutItem", 400, "ProvisionedThroughputExceededException"),
    ],
)
def test_what_a_retry_may_mend_is_a_temporary_failure_and_keeps_no_other_task_from_its_receipt(
    operation: str, status: int, code: str, world: World, batch: Batch
) -> None:
    world.upload("k.csv", GOOD)
    world.refuse(operation, status, code)
    assert batch(events.task("k.csv"), events.task("k.csv", bucket="another")) == [
        ("TemporaryFailure", f"{code} in {operation}"),
        ("PermanentFailure", f"The bucket another is not this stage's inbox, which is {BUCKET}."),
    ]
    assert world.receipts == []


def test_where_an_inspection_died_a_job_makes_the_receipt_that_its_mark_stands_for(world: World, batch: Batch) -> None:
    sent = world.upload("k.csv", GOOD)
    begun = datetime.now(UTC)
    world.ledger.mark(entry_of(sent), started_at=begun, deadline=begun + timedelta(minutes=15))
    assert batch(events.task("k.csv", version_of(sent))) == [("Succeeded", "Inspected: succeeded.")]
    assert world.receipt("k.csv")["inspection"] == 1


# -- the log


def test_an_upload_writes_one_line_and_nothing_of_its_content(
    world: World, inspect: Invoke, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nothing from a file reaches a log."""
    inspect(world.upload("k.csv", f"{CANARY},b\n{CANARY}\n".encode()))
    captured = capfd.readouterr()
    (line,) = captured.out.splitlines()
    assert (json.loads(line)["key"], json.loads(line)["status"]) == ("k.csv", "failed")
    assert CANARY not in captured.out + captured.err


# -- the rest of the app


def test_health_answers(client: Client) -> None:
    answer = client.http.get("/api/health")
    assert (answer.status_code, answer.json_body) == (200, {"status": "ok"})


def test_the_functions_listen_to_the_stages_bucket_and_queue() -> None:
    sources = {config.name: vars(config) for config in recibo.app.event_sources}
    assert sources["inspect"]["bucket"] == BUCKET
    assert sources["inspect"]["events"] == ["s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:LifecycleExpiration:*"]
    assert sources["last_resort"]["queue"] == "recibo-dead-letters-local"
    assert sources["last_resort"]["batch_size"] == 1


def _key(request: Any) -> str:
    return str(request.url).partition("?")[0].rpartition("/")[2]


def _answer(status: int, code: str, more: str = "") -> AWSResponse:
    """An error as S3 sends it."""
    return response(status, f"<Error><Code>{code}</Code><Message>told by a test</Message>{more}</Error>")
