"""The laws that hold for the inspection of any bytes."""

from __future__ import annotations

import hashlib
import json
import time
from typing import Any

from chalicelib.findings import CATALOGUE
from chalicelib.inspection import Limits, Report, Status, inspect
from chalicelib.receipts import report_as_json
from tests.fuzz.cases import Case
from tests.inspection.strategies import cut, with_kernel

SECONDS = 5.0
"""The processor time that one small file may take at the most: a thousand times what it takes."""

SNIFF = 64
WHOLE = Limits(sniff_bytes=SNIFF)
PIECES = Limits(sniff_bytes=SNIFF, block_bytes=SNIFF)
BY_KERNEL = with_kernel(PIECES)
BY_ENGINE = Limits(sniff_bytes=SNIFF, engine_from_bytes=1, engine_batch_bytes=SNIFF)


def hold(data: bytes) -> None:
    """Raise AssertionError if a law is broken, and whatever an inspection raises."""
    case = Case.of(data)
    content = case.way.packed(case.content)
    began = time.process_time()
    report = inspect([content], name=case.name, limits=WHOLE, **case.way.options)
    assert time.process_time() - began < SECONDS, "it takes too long"
    _is_whole(report, content)
    _can_be_told(report)
    assert _again(case, content, PIECES) == report, "the report depends on how the bytes arrive"
    assert _again(case, content, BY_KERNEL) == report, "the kernel finds something else than what reads small files"
    if case.way.is_by_engine:
        assert _again(case, content, BY_ENGINE) == report, "the engine finds something else than the judge of rows"


def _again(case: Case, content: bytes, limits: Limits) -> Report:
    return inspect(cut(content, case.cut), name=case.name, limits=limits, **case.way.options)


def _is_whole(report: Report, content: bytes) -> None:
    """The verdict is that of the bytes, and follows from the findings."""
    assert (report.bytes, report.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert report.counts.keys() <= CATALOGUE.keys()
    assert all(report.counts[found.code] > 0 for found in report.findings)
    failing = any(found.severity == "error" for found in report.findings)
    assert (report.status is Status.FAILED) is failing
    assert (report.cause is None) is not failing


def _can_be_told(report: Report) -> None:
    """The report is valid JSON in UTF-8 and holds no float, whatever the names in the file."""
    told = report_as_json(report)
    json.dumps(told, ensure_ascii=False, allow_nan=False).encode()
    assert not _floats(told)


def _floats(value: Any) -> list[float]:
    if isinstance(value, dict):
        return [found for each in value.values() for found in _floats(each)]
    if isinstance(value, list):
        return [found for each in value for found in _floats(each)]
    return [value] if isinstance(value, float) else []
