"""What the property tests of inspection draw from, and the short ways to inspect what was drawn."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator, Sequence

from hypothesis import strategies as st

from chalicelib.findings import Finding, Findings
from chalicelib.inspection import Facts, Limits, Report
from chalicelib.inspection.delimited import Delimited
from chalicelib.inspection.text import Lines

EVERYTHING = Limits(findings_per_code=10_000)
"""Limits under which no finding is only counted."""


def with_kernel(limits: Limits = EVERYTHING) -> Limits:
    """The same limits, under which the kernel reads a text from its first byte on."""
    return limits._replace(kernel_from_bytes=0, kernel_load_bytes=0)


DELIMITERS = st.sampled_from([",", ";", "\t", "|"])
AWKWARD_CHARACTERS = ['"', '"', ",", ";", "\t", "|", "\r", "\n", "\r\n", "a", "b", " ", "\0", "é", "\u2028", "\x85"]
AWKWARD_TEXT = st.lists(st.sampled_from(AWKWARD_CHARACTERS), max_size=60).map("".join)
"""Text in which anything next to anything else means something."""

CELLS = st.one_of(
    st.sampled_from(["", "a", '"', '""', ",", "\n", "\r\n", "\r", "\u2028", "\x85", "\x0b", "\0", " ", '5" pipe', "𝒳"]),
    st.lists(st.sampled_from(AWKWARD_CHARACTERS), max_size=8).map("".join),
    st.text(st.characters(codec="utf-8"), max_size=8),
)
BLOCK_SIZES = st.integers(1, 40)


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    """Rows of one width, the first of them the header."""
    width = draw(st.integers(1, 5))
    return draw(st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=8))


def written(rows: Sequence[Sequence[str]], *, delimiter: str, newline: str, quoting: int) -> str:
    """The rows as Python's csv writes them."""
    target = io.StringIO(newline="")
    writer = csv.writer(target, delimiter=delimiter, lineterminator=newline, quoting=quoting)  # type: ignore[arg-type] # an int is what it takes
    writer.writerows(rows)
    return target.getvalue()


def cut(data: bytes, size: int) -> Iterator[bytes]:
    """The data in pieces of `size`."""
    return (data[begin : begin + size] for begin in range(0, len(data), size))


def judge(
    text: str | bytes, *, delimiter: str = ",", size: int = 1 << 20, limits: Limits = EVERYTHING, header: bool = True
) -> tuple[Facts, Findings, dict[str, int]]:
    """What `Delimited` says of a table, fed in blocks of `size`, and the ends of its records.

    It says the same with the kernel and without.
    """
    blocks = list(cut(text.encode() if isinstance(text, str) else text, size))
    facts, findings, ends = _judged(blocks, delimiter, limits, header)
    by_kernel = _judged(blocks, delimiter, with_kernel(limits), header)
    assert (facts, list(findings), findings.counts, ends) == (
        by_kernel[0],
        list(by_kernel[1]),
        by_kernel[1].counts,
        by_kernel[2],
    )
    return facts, findings, ends


def _judged(
    blocks: Sequence[bytes], delimiter: str, limits: Limits, header: bool
) -> tuple[Facts, Findings, dict[str, int]]:
    findings, lines = Findings(per_code=limits.findings_per_code), Lines()
    inspector = Delimited(findings, limits, delimiter=delimiter, header=header)
    for block in blocks:
        inspector.feed(block)
        lines.feed(block, inspector.newlines)
    facts, told = inspector.finish(), Lines()
    told.feed(b"".join(blocks))
    assert lines.kinds == told.kinds, "the line ends that were counted on the way"
    return facts, findings, inspector.record_ends


def places(findings: Findings | Sequence[Finding]) -> list[tuple[str, int | None, int | None, int | None]]:
    """Code, row, line and column of each kept finding, sorted."""
    return sorted(((found.code, found.row, found.line, found.column) for found in findings), key=str)


def codes(report: Report) -> set[str]:
    """The codes of a report's findings."""
    return set(report.counts)


def gz(data: bytes) -> bytes:
    """The data as one gzip member, always the same."""
    return gzip.compress(data, mtime=0)
