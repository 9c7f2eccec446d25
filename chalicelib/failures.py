"""What may be said of an exception: its kind and its place, not its text, which may quote the file. Pure."""

from __future__ import annotations

import traceback
from pathlib import PurePath

TRACE_LIMIT = 8
"""How many of the innermost calls a trace names."""


class NotHandledError(Exception):
    """An entry could not be handled this time: let it pass, for Lambda to try again.

    It takes the place of what was raised, whose text Lambda would write to the log and to the dead letter.
    """


def reason_of(error: BaseException) -> str:
    """An exception in a few words: what AWS answered, or else its kind and where it was raised.

    The text of an exception is left out: it may quote the file that was being read, as that of `float("…")` does.
    """
    return _answer(error) or f"{type(error).__name__} at {_place(error)}"


def trace_of(error: BaseException) -> list[str]:
    """The innermost calls that led to an exception, outermost first: file, line and function, without any value."""
    frames = traceback.extract_tb(error.__traceback__)[-TRACE_LIMIT:]
    return [f"{PurePath(frame.filename).name}:{frame.lineno} in {frame.name}" for frame in frames]


def _place(error: BaseException) -> str:
    return next(reversed(trace_of(error)), "an unknown place")


def _answer(error: BaseException) -> str | None:
    """AWS's error code and the operation it answers, if the exception is botocore's ClientError."""
    response, operation = getattr(error, "response", None), getattr(error, "operation_name", None)
    if not isinstance(response, dict) or not operation:
        return None
    return f"{response.get('Error', {}).get('Code')} in {operation}"
