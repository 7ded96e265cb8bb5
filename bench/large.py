"""Large tables: edits, flattening, differences, pages and blame, beside the tools that one would else use.

    uv run --group bench python bench/large.py [--rows 1M,10M] [--runs 5] [--out FILE]

Everything is measured in one run, each measurement in a process of its own, in turns, so that what else the machine
does meets all of them. The tables lie on the local disk and are made first (bench/tables.py); a table of 30M rows is
for Towline alone. What it prints is Markdown: a short table, all figures, and the bounds with what they came to. It
ends with 1 where a bound does not hold. docs/performance.md says what each task is.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path

if (_root := str(Path(__file__).resolve().parents[1])) not in sys.path:
    sys.path.insert(0, _root)

from bench.tables import count
from bench.ways import ALL, OURS, TASKS
from bench.ways.child import Measured
from bench.ways.report import Figure, Figures, report

SMALL, ALONE, PATIENCE = 2_000, 10_000_000, 300  # rows; rows beyond which Towline is alone; seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=sizes, default=[1_000_000])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--ways", type=lambda text: text.split(","), default=list(ALL), help=", ".join(ALL))
    parser.add_argument("--tasks", type=lambda text: text.split(","), default=list(TASKS), help=", ".join(TASKS))
    parser.add_argument("--place", type=Path, help="keep the tables in this directory, and use what is there")
    parser.add_argument("--out", type=Path, help="write the report to this file, too")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="towline-large-") as place:
        figures = measured(Bench(chosen.place or Path(place), chosen.ways, chosen.tasks), chosen.rows, chosen.runs)
    text, holds = report(figures, header(figures))
    print(text)
    if chosen.out:
        chosen.out.write_text(text)
    sys.exit(not holds)


def sizes(text: str) -> list[int]:
    """Numbers of rows, with commas between them."""
    found = [count(one) for one in text.split(",")]
    if min(found) <= SMALL:
        raise argparse.ArgumentTypeError(f"measure tables of more than {SMALL:,} rows: that many are for warming up")
    return found


def header(figures: Figures) -> str:
    counts = sorted({len(figure.runs) for figure in figures.values() if figure.is_done})
    runs = " to ".join(str(count) for count in dict.fromkeys((counts[0], counts[-1]))) if counts else "no"
    return f"{date.today():%d %B %Y}, {os.cpu_count()} cores ({platform.machine()}), medians of {runs} runs."


def measured(bench: Bench, sizes: Sequence[int], runs: int) -> Figures:
    """The figures of all sizes, tasks and ways, run after run. Who interrupts it has what was measured so far."""
    for rows in (SMALL, *sizes):
        bench.prepare(rows)
    found: Figures = {}
    with suppress(KeyboardInterrupt):
        for run in range(runs):
            for rows in sizes:
                for task, way in bench.plan(rows):
                    figure = found.setdefault((rows, task, way), Figure())
                    if not figure.failure:
                        bench.measure(rows, task, way, run, figure)
    return {which: figure for which, figure in found.items() if figure.runs or figure.failure}


class Bench:
    """The tables in a directory, and what is asked of them."""

    def __init__(self, place: Path, ways: Sequence[str], tasks: Sequence[str]) -> None:
        self._place, self._ways, self._tasks = place, ways, tasks
        self._warmed = Counter[tuple[str, str]]()

    def prepare(self, rows: int) -> None:
        """Make the tables of this size, where they are not there already, and each way's own copy anew."""
        asked = list(self.plan(rows))
        newer = any(task == "diff" and way not in OURS for task, way in asked)
        parts = rows * 3 // 2 if any(task.startswith("flatten") for task, _ in asked) else 0
        _tell(f"making tables of {rows:,} rows")
        _run(["bench.ways.preparing", str(self._place / str(rows)), str(rows), str(int(newer)), str(parts)])
        for way in dict.fromkeys(way for _, way in asked):
            _tell(f"preparing {way} with {rows:,} rows")
            _run(self._child(rows, "prepare", way, 0))

    def plan(self, rows: int) -> Iterator[tuple[str, str]]:
        """Each task, and each way that can do it."""
        for task in self._tasks:
            if rows <= ALONE or not task.startswith("flatten"):
                yield from ((task, way) for way in self._offered(rows) if ALL[way].can(task))

    def measure(self, rows: int, task: str, way: str, run: int, figure: Figure) -> None:
        """One measurement, added to a figure."""
        os.sync()  # what the one before has left to be written is not this one's
        try:
            one = Measured(**json.loads(_run(self._child(rows, task, way, run), PATIENCE)))
        except subprocess.TimeoutExpired:
            figure.failure = f"not done after {PATIENCE} s"
        except subprocess.CalledProcessError as error:
            figure.failure = f"failed: {error.stderr.strip().splitlines()[-1][:200]}"
        else:
            figure.runs.append(one)
        _tell(f"{rows:,} {task} {way}: {figure.failure or f'{one.seconds:.3f} s, {one.peak / 1e6:.0f} MB'}")

    def _offered(self, rows: int) -> list[str]:
        return [way for way in self._ways if rows <= ALONE or way in OURS]

    def _child(self, rows: int, task: str, way: str, run: int) -> list[str]:
        """What to run. The small table is edited for each size anew, in rows of its own."""
        places = [str(self._place / str(size)) for size in (rows, SMALL)]
        warming = self._warmed[task, way]
        self._warmed[task, way] += 1
        return ["bench.ways.child", ALL[way].start, task, places[0], str(run), places[1], str(warming)]


def _run(arguments: Sequence[str], patience: float | None = None) -> str:
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=_root, capture_output=True, text=True, check=True, timeout=patience).stdout


def _tell(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
