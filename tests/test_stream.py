"""How `announce` is joined to the ledger's stream."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.validate import validate_parameters

from chalicelib.announcements import stream_filters
from infra.stages import ROOT
from infra.stream import MAX_AGE_SECONDS, join_stream, stream_settings
from infra.target import Target
from infra.template import LOCAL

STREAM = "arn:aws:dynamodb:us-east-1:123456789012:table/recibo-ledger-local/stream/2026-11-23T12:00:00.000"
OLD = STREAM.replace("2026", "2025")
QUEUE = "arn:aws:sqs:us-east-1:123456789012:recibo-local-unannounced"
LAMBDA: Any = botocore.session.Session().get_service_model("lambda")


@dataclass
class Functions:
    """Lambda's event source mappings, with its own check of parameters."""

    mappings: list[dict[str, Any]] = field(default_factory=list)
    refusal: str = ""

    def list_event_source_mappings(self, **_: Any) -> dict[str, Any]:
        return {"EventSourceMappings": [*self.mappings]}

    def create_event_source_mapping(self, **given: Any) -> None:
        validate_parameters(given, LAMBDA.operation_model("CreateEventSourceMapping").input_shape)
        if self.refusal:
            answer: Any = {"Error": {"Code": "InvalidParameterValueException", "Message": self.refusal}}
            raise ClientError(answer, "CreateEventSourceMapping")
        self.mappings.append({"UUID": f"{len(self.mappings):036}", **given})

    def update_event_source_mapping(self, **given: Any) -> None:
        validate_parameters(given, LAMBDA.operation_model("UpdateEventSourceMapping").input_shape)
        (found,) = (one for one in self.mappings if one["UUID"] == given["UUID"])
        found.update(given)

    def delete_event_source_mapping(self, **given: Any) -> None:
        self.mappings = [one for one in self.mappings if one["UUID"] != given["UUID"]]


@dataclass(frozen=True)
class Stubbed(Target):
    """A target whose stack is there, and whose Lambda is the test's."""

    functions: Functions = field(default_factory=Functions)

    def client(self, service: Any) -> Any:
        outputs = {"LedgerStreamArn": STREAM, "UnannouncedQueueArn": QUEUE}
        told = [{"OutputKey": name, "OutputValue": value} for name, value in outputs.items()]
        stacks = SimpleNamespace(describe_stacks=lambda **_: {"Stacks": [{"Outputs": told}]})
        return {"cloudformation": stacks, "lambda": self.functions}[service]


def target(functions: Functions, *, endpoint: str | None = None, said: list[str] | None = None) -> Stubbed:
    say = said.append if said is not None else print
    return Stubbed(stage=LOCAL, project=ROOT, endpoint=endpoint, say=say, functions=functions)


def joined(functions: Functions) -> Functions:
    join_stream(target(functions))
    return functions


def test_the_first_deployment_joins_the_function_to_the_stream_from_its_beginning() -> None:
    (made,) = joined(Functions()).mappings
    assert (made["FunctionName"], made["EventSourceArn"]) == ("recibo-local-announce", STREAM)
    assert made["StartingPosition"] == "TRIM_HORIZON", "what was written meanwhile is announced as well"
    assert made["DestinationConfig"] == {"OnFailure": {"Destination": QUEUE}}


def test_a_later_deployment_sets_back_what_was_changed_by_hand() -> None:
    functions = joined(Functions())
    functions.mappings[0]["BatchSize"] = 1
    (kept,) = joined(functions).mappings
    assert kept.items() >= stream_settings(target(functions)).items()


def test_the_stream_of_a_table_that_is_gone_is_let_go() -> None:
    functions = joined(Functions(mappings=[{"UUID": "old", "EventSourceArn": OLD}]))
    assert [one["EventSourceArn"] for one in functions.mappings] == [STREAM]


def test_an_emulator_without_streams_is_told_of_and_any_other_refusal_is_raised() -> None:
    without, said = Functions(refusal=f"Stream not found: {STREAM}"), list[str]()
    join_stream(target(without, endpoint="http://127.0.0.1:4566", said=said))
    assert said == ["announce: this emulator has no stream of the table, so that no receipt is announced"]
    for refused in (target(without), target(Functions(refusal="Cannot access stream"), endpoint="http://127.0.0.1")):
        with pytest.raises(ClientError):
            join_stream(refused)


def test_no_receipts_event_is_given_up_before_there_was_time_to_mend_what_kept_it_back() -> None:
    settings = stream_settings(target(Functions()))
    assert settings["MaximumRetryAttempts"] == -1, "the age decides, not the number of tries"
    assert MAX_AGE_SECONDS < 24 * 3600, "then the stream forgets its records, and nothing would tell of them"
    assert settings["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_only_final_receipts_cost_an_invocation() -> None:
    filters = stream_settings(target(Functions()))["FilterCriteria"]["Filters"]
    assert [json.loads(one["Pattern"]) for one in filters] == stream_filters()
