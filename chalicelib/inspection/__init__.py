"""Bytes in, report out: one pass over a stream, in constant memory. Knows nothing of AWS."""

from chalicelib.inspection.engine import VERSION, Expectation, inspect
from chalicelib.inspection.limits import Limits
from chalicelib.inspection.report import Column, Facts, Report, Status

__all__ = ["VERSION", "Column", "Expectation", "Facts", "Limits", "Report", "Status", "inspect"]
