"""The formats that are read from a file, not from a stream."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from chalicelib.findings import Findings
from chalicelib.inspection.first_use import loaded
from chalicelib.inspection.limits import Limits
from chalicelib.inspection.media_types import Format

if TYPE_CHECKING:
    from chalicelib.inspection.contracted import Contracted
    from chalicelib.inspection.formats import RandomAccess


SPOOLED: Mapping[str, str] = {
    Format.PARQUET: "parquet.inspector:Parquet",
    Format.XLSX: "xlsx.inspector:Xlsx",
}
"""What makes the inspector of each."""


def inspector_of(
    found: str,
    findings: Findings,
    limits: Limits,
    check_time: Callable[[], None],
    contracted: Contracted | None,
    *,
    samples: bool,
) -> RandomAccess:
    """What inspects a whole file of this format, and gives its rows to the contract that there may be.

    With `samples` the profile of its columns may tell values.
    """
    inspector: RandomAccess = loaded(SPOOLED[found])(findings, limits, check_time, contracted, samples=samples)
    return inspector
