"""The report of large tables, from figures that are made up."""

from __future__ import annotations

from dataclasses import replace

from bench.ways import ALL, OURS, PEERS, TASKS
from bench.ways.child import Measured
from bench.ways.report import BOUNDS, Figure, Figures, report

TEN = 10_000_000
FAST = Measured(0.1, 200_000_000, 1_500_000, 300_000, 716_000_000, 0.5, 40)
PANDAS = Measured(6.5, 3_200_000_000, 358_000_000, 437_000_000)


def figures(**seconds: float) -> Figures:
    """A one-cell edit of 10M rows in every way, in so many seconds each; the default is 6.5."""
    found: Figures = {}
    for way in (way for way in ALL if ALL[way].can("one_cell")):
        one = FAST if way in OURS else PANDAS
        took = seconds.get(way.replace("-", "_"), one.seconds)
        found[TEN, "one_cell", way] = Figure([replace(one, seconds=took)] * 3)
    return found


def test_the_short_table_shows_the_fastest_variant_of_a_tool() -> None:
    text, _ = report(figures(delta=1.23, delta_merge=0.98), "28 November 2026, 2 cores.")
    assert text.startswith("28 November 2026, 2 cores.\n\n## 10,000,000 rows, in short\n")
    line = next(line for line in text.splitlines() if line.startswith("| one cell |"))
    assert line == (
        "| one cell | 0.10 s, 200 MB | 0.10 s, 200 MB | 6.50 s, 3,200 MB | 6.50 s, 3,200 MB | 6.50 s, 3,200 MB "
        "| 0.98 s, 3,200 MB | 6.50 s, 3,200 MB |"
    )


def test_all_figures_are_medians_and_what_is_missing_has_a_note() -> None:
    made = figures()
    made[TEN, "one_cell", "towline"].runs[0] = replace(FAST, seconds=99.0)
    made[TEN, "one_cell", "iceberg"].failure = "not done after 120 s"
    text, _ = report(made, "")
    assert "| one cell | Towline, a proposal | 0.10 | 200 | 1.5 | 0.3 | 716.0 | 0.50 | 40 |" in text
    assert "|  | pandas, rewrite | 6.50 | 3,200 | 358.0 | 437.0 |  |  |  |" in text
    assert "|  | polars, sink | 6.50 | 3,200 | \N{EN DASH} (1) | 437.0 |  |  |  |" in text
    assert "|  | pyiceberg, overwrite | \N{EN DASH} (2) |  |  |  |  |  |  |" in text
    assert f"1. {PEERS['polars'].unread}\n2. not done after 120 s\n" in text


def test_a_way_that_cannot_do_a_task_says_why() -> None:
    made = {(TEN, "diff", way): Figure([PANDAS]) for way in ("towline", "pandas", "duckdb", "polars")}
    text, _ = report(made | {(TEN, "page", "delta"): Figure([PANDAS])}, "")
    assert "|  | delta-rs, UPDATE | \N{EN DASH} (2) |" in text
    assert f"2. {PEERS['delta'].cannot['diff']}\n" in text
    assert "MERGE" not in text  # a variant has no line for what is the same call


def test_bounds_that_were_measured_pass_or_fail_and_others_are_left_out() -> None:
    text, holds = report(figures(), "")
    assert holds
    assert "- pass: one cell of 10M rows, splice: faster than pandas: 65x (at least 40x)" in text
    assert "- pass: one cell of 10M rows, splice: down: 1.5 MB (at most 2 MB)" in text
    assert "30M" not in text
    assert "first page" not in text


def test_a_bound_that_does_not_hold_is_seen() -> None:
    text, holds = report(figures(splice=0.2, iceberg_upsert=0.3), "")
    assert not holds
    assert "- FAIL: one cell of 10M rows, splice: faster than pandas: 32.5x (at least 40x)" in text
    assert "- FAIL: one cell of 10M rows, splice: faster than delta-rs and pyiceberg: 1.5x (at least 5x)" in text


def test_growth_is_that_of_the_larger_table_over_the_smaller() -> None:
    made = {
        (rows, "one_cell", "splice"): Figure([replace(FAST, seconds=seconds, down=down)])
        for rows, seconds, down in ((1_000_000, 0.1, 1_000_000), (30_000_000, 0.6, 2_300_000))
    }
    text, holds = report(made, "")
    assert not holds
    assert "- FAIL: one cell from 1M to 30M rows, splice: time: 6x (at most 5x)" in text
    assert "- pass: one cell from 1M to 30M rows, splice: bytes: 2x (at most 3x)" in text


def test_every_bound_is_of_tasks_and_ways_that_there_are() -> None:
    assert all(ALL[way].can(task) for bound in BOUNDS for _, task, way in bound.needs)
    assert {task for way in ALL.values() for task in way.cannot} <= set(TASKS)
