"""The metrics: lines in CloudWatch's embedded metric format, as its specification has it."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from datetime import timedelta
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.announcing import Announcer
from chalicelib.aws.items import decoded, encoded
from chalicelib.findings import CATALOGUE, Cause
from chalicelib.handling import announce, reconcile, seal, take_dead_letters, take_event, verify
from chalicelib.intake import Outcome
from chalicelib.logs import Log
from chalicelib.metrics import DIMENSIONS, METRICS, NAMESPACE, OF_FAILURES, embedded
from chalicelib.receipts import Receipt, as_item
from chalicelib.scheduled import ScheduledReconcile
from chalicelib.sealing import Sealer
from chalicelib.uploads import entry_of
from tests import events
from tests.events import BUCKET, stream_record
from tests.evidence import MINUTE, Evidence, FakeSignatures
from tests.fakes import LOG, NOON, FakeClock, FakeInbox, FakeWorld
from tests.receipts import receipt
from tests.reconciling import failed, listed, surroundings
from tests.strategies import TEXT, receipts

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
SPECIFICATION = {
    "type": "object",
    "required": ["_aws"],
    "properties": {
        "_aws": {
            "type": "object",
            "required": ["Timestamp", "CloudWatchMetrics"],
            "properties": {
                "Timestamp": {"type": "integer", "minimum": 0},
                "CloudWatchMetrics": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["Namespace", "Dimensions", "Metrics"],
                        "properties": {
                            "Namespace": {"type": "string", "minLength": 1, "maxLength": 1024},
                            "Dimensions": {
                                "type": "array",
                                "minItems": 1,
                                "items": {
                                    "type": "array",
                                    "minItems": 1,
                                    "maxItems": 30,
                                    "items": {"type": "string", "minLength": 1, "maxLength": 250},
                                },
                            },
                            "Metrics": {
                                "type": "array",
                                "minItems": 1,
                                "maxItems": 100,
                                "items": {
                                    "type": "object",
                                    "required": ["Name"],
                                    "properties": {
                                        "Name": {"type": "string", "minLength": 1, "maxLength": 1024},
                                        "Unit": {"enum": ["Count", "Bytes", "Milliseconds", "Seconds"]},
                                    },
                                },
                            },
                        },
                    },
                },
            },
        }
    },
}


def assert_embedded(line: dict[str, Any]) -> set[str]:
    """Hold a line to the specification, of which the targets of its directives are a part; the metrics it has."""
    jsonschema.validate(line, SPECIFICATION)
    names = set()
    for directive in line["_aws"]["CloudWatchMetrics"]:
        for name in (metric["Name"] for metric in directive["Metrics"]):
            assert isinstance(line[name], int | float), name
            names.add(name)
        for dimension in (name for dimensions in directive["Dimensions"] for name in dimensions):
            assert isinstance(line[dimension], str), dimension
            assert 1 <= len(line[dimension]) <= 1024
    return names


def told(*tell: Any) -> list[dict[str, Any]]:
    """The lines that something tells the log: each is one line of JSON."""
    with redirect_stdout(io.StringIO()) as out:
        for each in tell:
            each()
    return [json.loads(line) for line in out.getvalue().splitlines()]


@given(receipts(), st.booleans())
def test_whatever_a_receipt_its_line_is_as_the_specification_has_it(made: Receipt, is_new: bool) -> None:
    (line,) = told(lambda: LOG.outcome(Outcome(receipt=made, is_new=is_new)))
    if is_new and made.report is None:
        assert "_aws" not in line, "a deletion is no upload"
        return
    measured = assert_embedded(line)
    assert measured >= ({"uploads", "failed", "latency_ms"} if is_new else {"duplicates"})


@given(receipts())
def test_a_duplicate_adds_nothing_to_what_was_measured_before(made: Receipt) -> None:
    (line,) = told(lambda: LOG.outcome(Outcome(receipt=made, is_new=False)))
    assert assert_embedded(line) == {"duplicates"}


@given(receipts(), TEXT)
def test_no_dimension_has_more_than_a_few_values(made: Receipt, stage: str) -> None:
    """Each new value is a metric of its own, and is paid for: none is a key, a source, a version or a request."""
    (line,) = told(lambda: Log(stage=stage, request_id="r").outcome(Outcome(receipt=made, is_new=True)))
    directives = line.get("_aws", {}).get("CloudWatchMetrics", [])
    used = {name for directive in directives for names in directive["Dimensions"] for name in names}
    assert used <= {"stage", "cause", "code"}
    assert line.get("cause") in (None, *map(str, Cause))
    assert line.get("code") in (None, *CATALOGUE)


def test_a_failure_is_counted_by_its_cause_and_under_its_first_error(capfd: pytest.CaptureFixture[str]) -> None:
    world = FakeWorld(inbox=FakeInbox(objects={"bad.csv": b"id,amount\n1\n", "good.csv": b"a\n1\n"}))
    take_event(world.intake, events.event(events.record("bad.csv"), events.record("good.csv")), LOG)
    bad, good = map(json.loads, capfd.readouterr().out.splitlines())
    assert [(line["uploads"], line["failed"]) for line in (bad, good)] == [(1, 1), (1, 0)]
    assert (bad["cause"], bad["code"]) == ("content", "missing-cells")
    assert bad["_aws"]["CloudWatchMetrics"][1] == {
        "Namespace": NAMESPACE,
        "Dimensions": [list(names) for names in OF_FAILURES],
        "Metrics": [{"Name": "failed", "Unit": "Count"}],
    }
    assert len(good["_aws"]["CloudWatchMetrics"]) == 1


@given(st.dictionaries(st.sampled_from([*METRICS, "key", "reason"]), st.integers(0, 1 << 60) | st.none()))
def test_a_metric_is_made_of_every_member_that_is_one_and_of_no_other(line: dict[str, Any]) -> None:
    made = embedded(line | {"uploads": 1}, NOON)
    assert [metric["Name"] for metric in made["_aws"]["CloudWatchMetrics"][0]["Metrics"]] == [
        name for name in METRICS if (line | {"uploads": 1}).get(name) is not None
    ]
    assert made["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [list(DIMENSIONS)]


# -- what each function measures


def measured_by_reconcile() -> list[dict[str, Any]]:
    found = surroundings(listed("known"), listed("lost"))
    failed(found.world.ledger, entry_of(events.record("failed")))
    scheduled = ScheduledReconcile(reconciliation=found.reconciliation, inspections=found, notes=found)
    return told(lambda: reconcile(scheduled, BUCKET, FakeClock(), LOG))


def measured_by_seal() -> list[dict[str, Any]]:
    made = Evidence()
    made.upload(0)
    sealer = Sealer(store=made.table, anchor=FakeSignatures())
    return told(lambda: seal(sealer, BUCKET, FakeClock(time=NOON + 85 * MINUTE), {}, LOG))


def measured_by_verify() -> list[dict[str, Any]]:
    made = Evidence()
    made.upload(0)
    made.seal(85)
    return told(lambda: verify(made.verification, BUCKET, FakeClock(time=NOON + 90 * MINUTE), LOG))


def measured_by_announce() -> list[dict[str, Any]]:
    class Bus:
        def send(self, announcements: Any) -> int:
            return len(announcements)

    record = stream_record(encoded(as_item(receipt())), 1)
    announcer = Announcer(notices=Bus(), decoded=decoded)
    return told(lambda: announce(announcer, {"Records": [record]}, FakeClock(), LOG))


def measured_by_taking_in() -> list[dict[str, Any]]:
    """Also what fails, what comes twice, and what comes from the dead letters."""
    world = FakeWorld(inbox=FakeInbox(objects={"a.csv": b"a\n1\n", "broken.csv": ConnectionError("no route")}))
    sent = events.event(events.record("a.csv"))

    def fail() -> None:
        with pytest.raises(Exception, match="ConnectionError"):
            take_event(world.intake, events.event(events.record("broken.csv")), LOG)

    return told(
        lambda: take_event(world.intake, sent, LOG),
        lambda: take_event(world.intake, sent, LOG),
        fail,
        lambda: take_dead_letters(world.intake, events.sqs_event(events.aws_envelope(sent)), LOG),
    )


MEASURED = {
    "take in": measured_by_taking_in,
    "reconcile": measured_by_reconcile,
    "seal": measured_by_seal,
    "verify": measured_by_verify,
    "announce": measured_by_announce,
}


@pytest.mark.parametrize("function", MEASURED)
def test_what_a_function_measures_is_as_the_specification_has_it(function: str) -> None:
    lines = MEASURED[function]()
    assert lines
    for line in lines:
        assert assert_embedded(line)
        assert (line["stage"], line["request_id"]) == ("recibo-test", "this-request"), "every line names its request"


def test_every_metric_is_written_by_some_function() -> None:
    """So that no alarm and no picture waits for what never comes."""
    lines = [line for measure in MEASURED.values() for line in measure()]
    assert {name for line in lines for name in assert_embedded(line)} == METRICS.keys()


def test_reconcile_tells_how_old_the_oldest_unfinished_upload_is() -> None:
    (line,) = measured_by_reconcile()
    assert line["reconcile_missing"] >= 1
    assert line["oldest_unfinished_s"] > 0


def test_reconcile_that_finds_nothing_says_so_with_zeros() -> None:
    found = surroundings()
    scheduled = ScheduledReconcile(reconciliation=found.reconciliation, inspections=found, notes=found)
    (line,) = told(lambda: reconcile(scheduled, BUCKET, FakeClock(), LOG))
    assert (line["reconcile_missing"], line["oldest_unfinished_s"], line["reconcile_lag_s"]) == (0, 0, 0)


def test_reconcile_that_does_not_come_through_tells_how_long_the_last_pass_is_ago() -> None:
    found = surroundings(*(listed(f"{number:02}") for number in range(9)))
    scheduled = ScheduledReconcile(reconciliation=found.reconciliation, inspections=found, notes=found)
    told(lambda: reconcile(scheduled, BUCKET, FakeClock(), LOG))
    later = FakeClock(time=NOON + timedelta(hours=5), left=timedelta())
    (line,) = told(lambda: reconcile(scheduled, BUCKET, later, LOG))
    assert (line["is_complete"], line["reconcile_lag_s"]) == (False, 5 * 3600)


# -- verification


def test_a_verification_that_finds_something_says_how_much_and_which() -> None:
    made = Evidence()
    upload = made.upload(0)
    made.seal(85)
    made.table.put(made.table.snapshot()[upload.identity, 1] | {"records": 99})
    (line,) = told(lambda: verify(made.verification, BUCKET, FakeClock(time=NOON + 90 * MINUTE), LOG))
    assert (line["level"], line["verify_problems"]) == ("ERROR", 1)
    assert line["problems"] == [f"altered: {upload.identity} 1"]


def test_a_verification_for_which_the_time_is_too_short_fails_and_gives_no_verdict() -> None:
    made = Evidence()
    made.upload(0)
    with pytest.raises(Exception, match=r"recibo\.py verify --since 1d"):
        verify(made.verification, BUCKET, FakeClock(time=NOON, left=timedelta()), LOG)
