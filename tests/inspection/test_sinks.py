"""What judges values gets every record that is structurally right, and no other, with its row and line."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.findings import Findings
from chalicelib.inspection import Limits
from chalicelib.inspection.delimited import Delimited
from chalicelib.inspection.json_lines import JsonLines
from chalicelib.inspection.sinks import RecordSink
from tests.inspection import rfc4180
from tests.inspection.strategies import AWKWARD_TEXT, BLOCK_SIZES, DELIMITERS, cut, with_kernel

Taken = tuple[int, int, Sequence[str]]
"""Row, line and cells."""


@dataclass
class Recorder(RecordSink):
    """Keeps what it takes, each record by itself."""

    read: Callable[[str], Sequence[tuple[Sequence[str], int]]]
    taken: list[Taken] = field(default_factory=list)
    header: tuple[Sequence[str], int] | None = None
    longest: int = 0

    def begin(self, names: Sequence[str], *, line: int) -> None:
        assert not self.taken
        self.header = (list(names), line)

    def take(self, run: bytes, *, row: int, line: int) -> None:
        self.longest = max(self.longest, len(run))
        for number, (cells, lines) in enumerate(self.read(run.decode())):
            self.taken.append((row + number, line, cells))
            line += lines


def delimited_records(delimiter: str) -> Callable[[str], Sequence[tuple[Sequence[str], int]]]:
    def read(text: str) -> Sequence[tuple[Sequence[str], int]]:
        reader, records, before = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [], 0
        for cells in reader:
            records.append((cells, reader.line_num - before))
            before = reader.line_num
        return records

    return read


LINES = st.sampled_from(["1,2", "1", "1,2,3", "", '"1",2', '1,"2\n3"', '1,"a"",b"', 'x"y,2', '"1"x,2', ",", '""'])
TABLES = st.builds(
    lambda lines, newline: newline.join(["a,b", *lines]),
    st.lists(LINES, max_size=12),
    st.sampled_from(["\n", "\r\n", "\r"]),
)


@given(st.one_of(AWKWARD_TEXT, TABLES), DELIMITERS, BLOCK_SIZES, st.integers(0, 3))
@example("a,b\n1\n2\n3\n4,5\n", ",", 40, 1)
@example('a,b\n"1",2\n"3",4\n"5\n6",7', ",", 40, 1)
def test_a_sink_gets_exactly_the_right_records_of_a_table(text: str, delimiter: str, size: int, per_code: int) -> None:
    recorder = Recorder(delimited_records(delimiter))
    table = Delimited(Findings(per_code=per_code), Limits(), delimiter=delimiter, sink=recorder)
    for block in cut(text.encode(), size):
        table.feed(block)
    table.finish()
    rows = rfc4180.read(text, delimiter).rows
    width = len(rows[0].cells) if rows else 0
    right = [
        (number, row.cells[0][0], row.text)
        for number, row in enumerate(rows)
        if number and len(row.cells) == width and not row.stray and row.unclosed is None
    ]
    assert recorder.taken == right
    assert (recorder.header is None) is (not rows)


@given(st.one_of(AWKWARD_TEXT, TABLES), BLOCK_SIZES)
def test_a_sink_changes_nothing_that_is_found(text: str, size: int) -> None:
    outcomes = []
    for sink in (None, Recorder(delimited_records(","))):
        findings = Findings(per_code=1)
        table = Delimited(findings, Limits(), delimiter=",", sink=sink)
        for block in cut(text.encode(), size):
            table.feed(block)
        outcomes.append((table.finish(), list(findings), findings.counts, table.record_ends))
    assert outcomes[0] == outcomes[1]


def test_without_a_header_the_first_record_is_taken_as_well() -> None:
    recorder = Recorder(delimited_records(","))
    table = Delimited(Findings(), Limits(), delimiter=",", header=False, sink=recorder)
    table.feed(b"1,2\n3,4\n")
    table.finish()
    assert recorder.taken == [(1, 1, ["1", "2"]), (2, 2, ["3", "4"])]


def test_a_run_is_no_longer_than_a_block_and_a_record() -> None:
    recorder = Recorder(delimited_records(","))
    table = Delimited(Findings(), Limits(), delimiter=",", sink=recorder)
    for block in cut(b"id,name\n" + b'1,"a"\n2,b\n' * 100_000, 1 << 16):
        table.feed(block)
    table.finish()
    assert len(recorder.taken) == 200_000
    assert recorder.longest < (1 << 16) + 100


JSON_LINES = st.lists(
    st.sampled_from(['{"a": 1}', '{"a": 2}', "", " ", '{"a": }', "[1]", '{"b": "é"}\r', "3"]), max_size=60
)


@given(JSON_LINES, st.booleans(), BLOCK_SIZES, st.sampled_from([Limits(), with_kernel(Limits())]))
def test_a_sink_gets_exactly_the_right_lines_of_json_lines(
    lines: list[str], is_ended: bool, size: int, limits: Limits
) -> None:
    recorder = Recorder(lambda run: [([line], 1) for line in run.removesuffix("\n").split("\n")])
    records = JsonLines(Findings(), limits, sink=recorder)
    for block in cut(("\n".join(lines) + "\n" * is_ended).encode(), size):
        records.feed(block)
    records.finish()
    filled = [(line, text) for line, text in enumerate(lines, 1) if text.strip()]
    expected = [(row, line, [text]) for row, (line, text) in enumerate(filled, 1) if text != '{"a": }']
    assert recorder.taken == expected
