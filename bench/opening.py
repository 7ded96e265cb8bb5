"""A large table in the editor: how long until its first rows are on the screen, and what Streamlit's process takes.

    uv run python bench/opening.py [--rows 10M] [--runs 5]

The whole of it on a real local stack, Chromium beside it. In each run the stack is started anew, and two tabs are
opened one after the other, each with an empty cache: the first one some seconds after the start, as a person opens it.
The clock runs from the address to a row on the screen.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

if (_root := str(Path(__file__).resolve().parents[1])) not in sys.path:
    sys.path.insert(0, _root)

from bench import tables
from bench.grid import timed
from tests.grid.driver import Tabs, tabs
from towline.local import editor, stack
from towline.local.datadir import DataDir
from towline.local.stack import Start

NAME, MOST_SECONDS, MOST_MB = "large", 2.0, 400
ROW = "() => document.querySelector('.slick-row')"
PAUSE = 3  # seconds from the start to the first tab


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=tables.count, default=10_000_000)
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as place, tabs() as browser:
        data = Path(place) / "data"
        create(data, args.rows, Path(place) / "table.parquet")
        runs = [opened(browser, data) for _ in range(args.runs)]
    first, later, peak = (statistics.median(values) for values in zip(*runs, strict=True))
    print(f"{args.rows:,} rows, {os.cpu_count()} cores, medians of {args.runs} runs")
    for what, seconds in (("first tab", first), ("second tab", later)):
        print(f"  {what:12} {seconds:6.2f} s (at most {MOST_SECONDS} s)")
    print(f"  {'peak':12} {peak:6.0f} MB (at most {MOST_MB} MB)")


def create(data: Path, rows: int, table: Path) -> None:
    tables.write(rows, table)
    stack.start(data, Start(port=0, app=False))
    try:
        words = ["create", NAME, str(table), "--key", "tow,net", "--note", "to be opened"]
        begun = time.perf_counter()
        towline = Path(sys.executable).with_name("towline")
        subprocess.run([towline, *words], check=True, env=os.environ | {"TOWLINE_DATA_DIR": str(data)})
        print(f"  created in {time.perf_counter() - begun:.1f} s")
    finally:
        stack.stop(data)


def opened(browser: Tabs, data: Path) -> tuple[float, float, float]:
    """Seconds until the first and the second tab show a row, and the peak memory of the editor's process (MB)."""
    info = stack.start(data, Start(port=0, app=True))
    try:
        time.sleep(PAUSE)
        took = [_tab(browser, f"{info.editor}/?dataset={NAME}") for _ in range(2)]
        running = editor.running(DataDir(data))
        assert running is not None
        return took[0], took[1], _peak(running.pid)
    finally:
        stack.stop(data)


def _tab(browser: Tabs, url: str) -> float:
    grid = browser.blank()
    try:
        return timed(lambda: grid.page.goto(url, wait_until="commit"), grid, ROW) / 1000
    finally:
        grid.page.context.close()


def _peak(pid: int) -> float:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


if __name__ == "__main__":
    main()
