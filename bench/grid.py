"""The grid in a browser: how long until the table is there, an edit is checked, and a large paste is taken in.

    uv run python bench/grid.py [--runs 7]

Beside it, in the same run, Streamlit's own `st.data_editor` with the same table: how long it takes to open, and until
the script knows of an edit. It checks nothing, marks nothing, and waits 150 ms before it says anything. It is not asked
to paste: of 5,000 rows it takes what it can read, and says nothing of the rest.

Every figure is the median of the runs, each in a tab of its own: from the key that is pressed until the screen shows
what came of it. `bench/grid.py` is also the page with the other editor.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

if (_root := str(Path(__file__).resolve().parents[1])) not in sys.path:
    sys.path.insert(0, _root)

from tests.grid.driver import Grid, Tabs, server, tabs

ROWS, COLUMNS = 5_000, 5
BLOCK = "min_depth", "max_depth", "volume_filtered", "time_start_gmt", "time_start_local"
READY = "() => document.querySelector('.tl-root')?.dataset.pending === '0' && document.querySelector('.slick-row')"
PEER_READY = "() => document.querySelector('[data-testid=glide-cell-1-0]')"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    print(f"{os.cpu_count()} cores, {runs} runs, medians in ms")
    with server() as ours, server(Path(__file__)) as other, tabs() as browser:
        table(browser, ours, other, runs, 125, (2000, 300))
        table(browser, ours, other, runs, 50_000, (4000, 500))
        paste(browser, ours, runs)


def table(browser: Tabs, ours: str, other: str, runs: int, rows: int, most: tuple[int, int]) -> None:
    """Open a table and edit a cell, here and there by turns. `most`: what both may take."""
    here, there = [], []
    for _ in range(runs):
        here.append(visit(browser, f"{ours}?rows={rows}", READY, edit))
        there.append(visit(browser, f"{other}?rows={rows}", PEER_READY, edit_peer))
    print(f"\n{rows:,} rows x 13{'':24}grid  data_editor  ratio  at most")
    for at, what in enumerate(("page ready", "an edit, marked and pending")):
        mine, peer = (statistics.median(run[at] for run in some) for some in (here, there))
        print(f"  {what:32} {mine:8.0f} {peer:12.0f} {mine / peer:6.2f} {most[at]:8}")


def visit(browser: Tabs, url: str, ready: str, act: Callable[[Grid], float]) -> tuple[float, float]:
    grid = browser.blank()
    try:
        opened = timed(lambda: grid.page.goto(url), grid, ready)
        grid.page.wait_for_timeout(500)
        return opened, act(grid)
    finally:
        grid.page.context.close()


def timed(begin: Callable[[], object], grid: Grid, until: str, told: object = None) -> float:
    """Milliseconds from the beginning until this is true in the browser."""
    start = time.perf_counter()
    begin()
    grid.page.wait_for_function(until, arg=told, polling="raf", timeout=60_000)
    return (time.perf_counter() - start) * 1000


def edit(grid: Grid) -> float:
    """A text that does not fit: until its cell is marked and the page lists it."""
    took = []
    for row in range(3):
        grid.go(row, "min_depth")
        grid.keyboard.type("12,5")
        took.append(timed(lambda: grid.keyboard.press("Enter"), grid, MARKED, [row, row + 1]))
    return statistics.median(took)


MARKED = """([row, errors]) => JSON.parse(document.querySelector("[data-testid=stText]").textContent).errors === errors
  && document.querySelector(`.slick-row[data-row="${row}"] .tl-bad`)"""


def edit_peer(grid: Grid) -> float:
    """Until the script knows of it."""
    took = []
    box = grid.page.get_by_test_id("stDataFrame").bounding_box()
    assert box is not None
    for row in range(3):
        grid.page.mouse.click(box["x"] + 480, box["y"] + 35 * (row + 1) + 17)
        for key in "12":
            grid.page.wait_for_timeout(200)  # it drops what is typed faster
            grid.keyboard.type(key)
        grid.page.wait_for_timeout(200)
        took.append(timed(lambda: grid.keyboard.press("Enter"), grid, KNOWN, row + 1))
    return statistics.median(took)


KNOWN = "count => document.querySelector('[data-testid=stText]').textContent === String(count)"


def paste(browser: Tabs, ours: str, runs: int) -> None:
    """Into 50,000 rows: the block, and the next edit while all of it is pending; once as it should be, once with every
    number wrong."""
    print(f"\n50,000 rows, a paste of {ROWS:,} x {COLUMNS}{'':14}all fit  3 of 5 do not  at most")
    sound, wrong = ([pasted(browser, ours, is_sound) for _ in range(runs)] for is_sound in (True, False))
    for what, at, most in (("taken in and marked", 0, 3000), ("the next edit", 1, 500)):
        fit, misfit = (statistics.median(run[at] for run in some) for some in (sound, wrong))
        print(f"  {what:38} {fit:8.0f} {misfit:14.0f} {most:8}")


def pasted(browser: Tabs, ours: str, is_sound: bool) -> tuple[float, float]:
    chance = random.Random(7)
    number = "{:.2f}" if is_sound else "{:.2f} m"
    grid = browser.open(f"{ours}?rows=50000")
    lines = (
        "\t".join([*(number.format(chance.random() * 500) for _ in range(3)), f"a{row}", f"b{row % 50}"])
        for row in range(ROWS)
    )
    grid.clip("\n".join(lines) + "\n")
    grid.go(1, "min_depth")
    grid.page.wait_for_timeout(500)
    took = timed(lambda: grid.keyboard.press("Control+v"), grid, TAKEN, ROWS)
    if not is_sound:
        grid.page.wait_for_selector('.slick-row[data-row="1"] .tl-bad')
    errors = grid.settled()["errors"]
    grid.go(0, "min_depth")
    grid.keyboard.type("12,5")
    edited = timed(lambda: grid.keyboard.press("Enter"), grid, MARKED, [0, errors + 1])
    grid.page.context.close()
    return took, edited


TAKEN = """rows => document.querySelector('.tl-root').dataset.pending === '0'
  && JSON.parse(document.querySelector("[data-testid=stText]").textContent).rows === rows"""


def peer() -> None:
    """The page with the other editor."""
    import streamlit as st

    from tests.grid.tables import sheet_of

    if "table" not in st.session_state:
        st.session_state.table = sheet_of(int(st.query_params.get("rows", "125"))).table.to_pandas()
    st.set_page_config(layout="wide")
    st.data_editor(st.session_state.table, key="peer", num_rows="dynamic", height=560, column_order=ORDER)
    st.text(str(len(st.session_state.peer["edited_rows"])))


ORDER = ["tow", "net", "lat_decimal", "long_decimal", *BLOCK, "vessel", "cruise", "is_day", "net_size"]

if __name__ == "__main__":
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    (main if get_script_run_ctx(suppress_warning=True) is None else peer)()
