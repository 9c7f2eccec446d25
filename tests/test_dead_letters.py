"""Reading the messages of the dead-letter queue."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.dead_letters import REASON_LIMIT, dead_letter_of
from chalicelib.uploads import UnreadableEventError
from tests import events

EVENT = events.event(events.record())


@pytest.mark.parametrize("envelope", [events.aws_envelope(EVENT), events.bare_envelope(EVENT)])
def test_an_event_out_of_retries_is_given_up_whoever_sent_the_envelope(envelope: dict[str, Any]) -> None:
    letter = dead_letter_of(json.dumps(envelope))
    assert letter.is_given_up
    assert letter.records == EVENT["Records"]


def test_the_reason_and_the_request_are_those_of_the_last_try() -> None:
    letter = dead_letter_of(json.dumps(events.aws_envelope(EVENT)))
    assert letter.reason == "Sandbox.Timedout: RequestId: c9a1 Error: Task timed out after 900.00 s"
    assert letter.request_id == "c9a1-of-the-last-try"


def test_an_envelope_without_an_answer_still_has_a_reason() -> None:
    letter = dead_letter_of(json.dumps(events.bare_envelope(EVENT)))
    assert (letter.reason, letter.request_id) == ("every try ended without an answer", None)


@pytest.mark.parametrize(
    "envelope",
    [
        EVENT,
        events.too_old(EVENT),
        events.bare_envelope(EVENT, condition="EventAgeExceeded"),
        events.bare_envelope(EVENT, condition="SomethingNew"),
    ],
)
def test_what_was_not_tried_to_the_end_is_inspected_first(envelope: dict[str, Any]) -> None:
    """Age and throttling are no inspection."""
    assert not dead_letter_of(json.dumps(envelope)).is_given_up
    assert not dead_letter_of(json.dumps(envelope), received=2).is_given_up


@pytest.mark.parametrize("envelope", [EVENT, events.too_old(EVENT)])
def test_a_message_that_comes_a_third_time_is_inspected_no_more(envelope: dict[str, Any]) -> None:
    letter = dead_letter_of(json.dumps(envelope), received=3)
    assert letter.is_given_up
    assert letter.reason == "2 tries from the dead letters ended without a receipt"


def test_an_unreadable_record_does_not_hide_the_others_of_its_letter() -> None:
    sent = events.event({"not": "a record"}, events.record())
    assert len(dead_letter_of(json.dumps(sent)).records) == 2


def test_the_test_event_of_a_notification_has_no_records() -> None:
    assert dead_letter_of(json.dumps(events.TEST_EVENT)).records == []


@pytest.mark.parametrize(
    "body",
    [
        "",
        "hello",
        "[1]",
        "null",
        "{}",
        "9" * 5000,
        "[" * 100_000,
        '{"requestPayload": null}',
        '{"requestPayload": "text", "requestContext": 7}',
        '{"requestPayload": {"Records": {}}, "requestContext": {"condition": "RetriesExhausted"}}',
    ],
)
def test_a_message_that_is_no_event_is_refused_in_a_sentence(body: str) -> None:
    with pytest.raises(UnreadableEventError):
        dead_letter_of(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@given(context=JSON, answer=JSON, error=JSON)
def test_whatever_lambda_leaves_out_or_adds_the_reason_is_one_short_line(context: Any, answer: Any, error: Any) -> None:
    """Law: an envelope of any shape about a readable event is a letter, its reason fit for a receipt."""
    for payload in (answer, {"errorType": error, "errorMessage": answer}):
        envelope = {
            "requestContext": {"condition": "RetriesExhausted", "requestId": context},
            "requestPayload": EVENT,
            "responsePayload": payload,
        }
        letter = dead_letter_of(json.dumps(envelope))
        letter.reason.encode()
        assert 0 < len(letter.reason) <= REASON_LIMIT
        assert letter.reason.splitlines() == [letter.reason]
