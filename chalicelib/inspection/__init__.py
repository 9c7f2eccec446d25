"""Bytes in, report out: one pass over a stream, in constant memory. Knows nothing of AWS."""

from chalicelib.inspection.engine import VERSION, inspect
from chalicelib.inspection.expectation import Expectation
from chalicelib.inspection.limits import Limits
from chalicelib.inspection.report import (
    JSON_TYPES,
    Column,
    Facts,
    Histogram,
    Profile,
    Report,
    Status,
)

__all__ = [
    "JSON_TYPES",
    "VERSION",
    "Column",
    "Expectation",
    "Facts",
    "Histogram",
    "Limits",
    "Profile",
    "Report",
    "Status",
    "inspect",
]
