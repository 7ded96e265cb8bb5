"""The whole Edit page on a real local stack: how long until it is ready, an edit is listed, a large paste is listed.

    uv run python bench/editor.py [--runs 5]

Beside it, in the same run, a page with Streamlit's own `st.data_editor` alone, over the same table, which is in its
process already: no stack to read from, no list, no checks, no draft on disk. Every figure is the median of the runs,
each in a tab of its own: from the key that is pressed until the screen shows what came of it. grid.py measures the grid
alone.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path

if (_root := str(Path(__file__).resolve().parents[1])) not in sys.path:
    sys.path.insert(0, _root)

from bench.grid import PEER_READY, edit_peer, timed, visit
from tests.e2e.researcher import NAME, Researcher
from tests.grid.driver import Grid, Tabs, server, tabs
from tests.grid.tables import sheet_of
from towline.files import write_table
from towline.local import stack
from towline.local.stack import StackInfo, Start

LARGE, ROWS, COLUMNS = "large", 5_000, 5
READY = "() => document.querySelector('.slick-row') && document.body.innerText.includes('No changes yet')"
LISTED = """([row, errors]) => document.querySelector(`.slick-row[data-row="${row}"] .tl-bad`)
  && document.querySelectorAll('.st-key-violations .tl-row').length === errors
  && document.querySelectorAll('.st-key-pending .tl-row').length === errors"""
PASTED = "said => document.body.innerText.includes(said)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    print(f"{os.cpu_count()} cores, {runs} runs, medians in ms")
    with tempfile.TemporaryDirectory() as place, server(Path(__file__).with_name("grid.py")) as peer, tabs() as browser:
        info = stack.start(Path(place), Start(port=0, app=True))
        try:
            furnish(info)
            for dataset, rows, most in ((NAME, 125, (2000, 300)), (LARGE, 50_000, (4000, 500))):
                page(browser, f"{info.editor}/?dataset={dataset}", f"{peer}?rows={rows}", runs, rows, most)
            paste(browser, f"{info.editor}/?dataset={LARGE}", runs)
        finally:
            stack.stop(Path(place))


def furnish(info: StackInfo) -> None:
    """The sample, and a table of 50,000 rows like it."""
    Researcher(info, NAME)
    person = Researcher(info, LARGE)
    head = person.head()
    assert head.commit is not None
    body = write_table(sheet_of(50_000).table, "parquet")
    receipt = person.send(person.dataset.file("large.parquet", body, "more rows", head.commit)).wait()
    assert receipt.status == "committed", receipt


def page(browser: Tabs, ours: str, other: str, runs: int, rows: int, most: tuple[int, int]) -> None:
    """Open a page and edit a cell, here and there by turns. `most`: what both may take."""
    here, there = [], []
    for _ in range(runs):
        here.append(visit(browser, ours, READY, edit))
        there.append(visit(browser, other, PEER_READY, edit_peer))
    print(f"\n{rows:,} rows x 13{'':24}page  data_editor  ratio  at most")
    for at, what in enumerate(("page ready", "an edit, marked and listed")):
        mine, peer = (statistics.median(run[at] for run in some) for some in (here, there))
        print(f"  {what:32} {mine:8.0f} {peer:12.0f} {mine / peer:6.2f} {most[at]:8}")


def edit(grid: Grid) -> float:
    """A text that does not fit: until its cell is marked, and both lists beside the grid have it."""
    took = []
    for row in range(3):
        grid.go(row, "min_depth")
        grid.keyboard.type("12,5")
        took.append(timed(lambda: grid.keyboard.press("Enter"), grid, LISTED, [row, row + 1]))
    _tidy(grid)
    return statistics.median(took)


def paste(browser: Tabs, url: str, runs: int) -> None:
    """Into 50,000 rows: until the list beside the grid says all of it."""
    took = [visit(browser, url, READY, pasted)[1] for _ in range(runs)]
    print(f"\n50,000 rows, a paste of {ROWS:,} x {COLUMNS}")
    print(f"  {'taken in and listed':32} {statistics.median(took):8.0f} {'':12} {'':6} {3000:8}")


def pasted(grid: Grid) -> float:
    grid.clip("".join("\t".join(f"{row % 90}.{row}{place}" for place in range(COLUMNS)) + "\n" for row in range(ROWS)))
    grid.go(1, "lat_decimal")
    said = f"{ROWS * COLUMNS:,} cells in {ROWS:,} rows changed"
    took = timed(lambda: grid.keyboard.press("Control+v"), grid, PASTED, said)
    _tidy(grid)
    return took


def _tidy(grid: Grid) -> None:
    """No draft for the next run to offer."""
    grid.page.get_by_role("button", name="Revert all").click()
    grid.page.wait_for_function(READY)


if __name__ == "__main__":
    main()
