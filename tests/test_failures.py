"""What is said of an exception, and what is not."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, ParamValidationError
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.failures import TRACE_LIMIT, reason_of, trace_of

CANARY = "canary-4711"


def raised(error: Exception) -> Exception:
    try:
        raise error
    except type(error) as caught:
        return caught


def test_aws_is_quoted_by_its_code_alone() -> None:
    answer = {"Error": {"Code": "ValidationException", "Message": f"the value {CANARY} is too long"}}
    assert reason_of(raised(ClientError(answer, "PutItem"))) == "ValidationException in PutItem"  # type: ignore[arg-type]


def test_any_other_exception_is_told_by_its_kind_and_place() -> None:
    reason = reason_of(raised(ParamValidationError(report=f"Invalid type, value: {CANARY}")))
    assert reason.startswith("ParamValidationError at test_failures.py:")
    assert reason.endswith(" in raised")


@given(st.text(min_size=10))
def test_the_text_of_an_exception_is_never_told(text: str) -> None:
    error = raised(ValueError(text))
    assert text not in reason_of(error) + "".join(trace_of(error))


def test_an_exception_that_was_never_raised_is_told_too() -> None:
    assert reason_of(KeyError("x")) == "KeyError at an unknown place"


def test_a_deep_trace_is_cut_to_its_innermost_calls() -> None:
    def deeper(level: int) -> None:
        if level:
            deeper(level - 1)
        raise RuntimeError

    with pytest.raises(RuntimeError) as told:
        deeper(50)
    assert len(trace_of(told.value)) == TRACE_LIMIT
