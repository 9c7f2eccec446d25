"""The costs follow from the time that was measured and the prices that are assumed."""

from __future__ import annotations

import pytest

from bench.cost import (
    RATES,
    Assumptions,
    Measured,
    Prices,
    costs,
    main,
    monthly,
    per_million,
    per_terabyte,
    seconds,
)

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


# -- a month of everything


def rows(assumed: Assumptions, prices: Prices, cpu: float = 0.001) -> dict[str, list[float]]:
    """The figures of the monthly table by the names of its rows."""
    table, _ = monthly(cpu, assumed, prices).tables
    return {name: [float(figure.replace(",", "").strip("$")) for figure in figures] for name, *figures in table.rows}


def test_a_month_is_the_sum_of_what_it_lists_and_a_million_files_their_share() -> None:
    found = rows(Assumptions(), Prices())
    at = [name for name, _ in RATES].index("1 a second")
    *parts, total, a_million, _, _ = (figures[at] for figures in found.values())
    assert total == pytest.approx(sum(parts), abs=0.1)
    assert a_million == pytest.approx(total / 2.592, abs=0.01)


def test_a_million_files_of_a_busy_stage_cost_no_less_than_inspecting_them() -> None:
    busy = rows(Assumptions(), Prices())["a million files"][-1]
    assert busy > per_million(0.001, 1769, Assumptions())


def test_each_price_is_paid_for_in_some_row() -> None:
    """None is forgotten: double it, and a month at a thousand a second costs more."""
    before = rows(Assumptions(), Prices())
    for price in Prices.__slots__:
        if price not in ("batch_job", "batch_task"):
            more = rows(Assumptions(), Prices(**{price: 2 * getattr(Prices(), price)}))
            assert more != before, price


def test_a_backfill_costs_its_job_and_each_file_and_less_if_all_have_receipts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(["--small", "0", "--monthly", "--markdown", "--waiting", "0", "--gb-second", "0", "--batch-job", "7"])
    (row,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| 1,000,000 |")]
    job, everything, _, again = (cell.strip(" $") for cell in row.strip("|").split("|")[1:])
    assert float(job) == 8.00
    assert float(again) == pytest.approx(8 + 0.4 + 0.125 + 0.2, abs=0.01)
    assert float(everything) > float(again)
