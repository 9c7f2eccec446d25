"""The costs follow from the time that was measured and the prices that are assumed."""

from __future__ import annotations

import pytest

from bench.cost import Assumptions, Measured, costs, main, per_million, per_terabyte, seconds

FREE = Assumptions(invocation=0, get=0, write_unit=0, waiting=0)


def test_a_terabyte_costs_the_same_with_any_memory_up_to_one_cpu_and_more_beyond() -> None:
    """Lambda gives CPU in proportion to memory, and asks for both in proportion too."""
    at = {memory: per_terabyte(4, memory, FREE) for memory in (512, 1769, 3538)}
    assert at[512] == pytest.approx(at[1769]) == pytest.approx(4 * 1769 / 1024 * FREE.gb_second * 1000)
    assert at[3538] == pytest.approx(2 * at[1769])


def test_half_the_memory_takes_twice_the_time_and_a_faster_cpu_less() -> None:
    assert seconds(1, 1769, FREE) == 1
    assert seconds(1, 1769 // 2, FREE) == pytest.approx(2, rel=0.01)
    assert seconds(1, 1769, Assumptions(cpu_speed=2)) == 0.5


def test_a_million_small_files_cost_their_requests_and_the_time_spent_waiting() -> None:
    requests = Assumptions(gb_second=0)
    assert per_million(1, 1769, requests) == pytest.approx(0.2 + 0.4 + 7 * 0.625)
    assert per_million(0, 1024, Assumptions(invocation=0, get=0, write_unit=0, waiting=1)) == pytest.approx(16.6667)


def test_the_table_has_a_row_for_each_kind_and_names_every_assumption() -> None:
    (table,) = costs(Measured(per_gb={"CSV": 4.0}, small=0.001), Assumptions()).tables
    assert [row[0] for row in table.rows] == ["a TB of CSV", "a million files of 2 kB"]
    assert "write_units 7" in table.note
    assert "gb_second 1.66667e-05" in table.note


def test_the_command_prints_the_table_for_the_prices_that_are_given(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--per-gb", "CSV=4", "--small", "0.001", "--gb-second", "0", "--markdown"])
    assert "| a TB of CSV | $0.00 | $0.00 | $0.00 | $0.00 |" in capsys.readouterr().out
