"""The formats that are read from a file, not from a stream."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from chalicelib.findings import Findings
from chalicelib.inspection.limits import Limits
from chalicelib.inspection.media_types import Format
from chalicelib.inspection.parquet.inspector import Parquet
from chalicelib.inspection.report import Facts
from chalicelib.inspection.spool import Spool


class RandomAccess(Protocol):
    """Judges one format by a whole file; it raises for no content, and asks for the time often."""

    def inspect(self, spool: Spool) -> Facts:
        """Judge the file, and tell what was learnt."""


SPOOLED: Mapping[str, Callable[[Findings, Limits, Callable[[], None]], RandomAccess]] = {Format.PARQUET: Parquet}
