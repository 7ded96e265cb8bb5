"""Flattening 40 unsorted parts that overlap everywhere, beside DuckDB and pandas.

    uv run python bench/flatten.py [--rows 9300000] [--rounds 3]

9.3 million rows are 1 GB in Arrow: a tenth of the table that a function with 2 GB is meant for. Each way runs in a
process of its own, in turns, so that what else the machine does meets all of them; the figures are medians. `peak` is
what the process had in memory at most, Python and its libraries included.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

if (_root := str(Path(__file__).resolve().parents[1])) not in sys.path:
    sys.path.insert(0, _root)

from tests.core import flattening
from towline.store import GIB, MIB

WAYS = {
    "towline, a tenth (102 MiB)": ("towline", 102),
    "towline, a 2 GB function's (824 MiB)": ("towline", 824),
    "DuckDB, all of the machine": ("duckdb", 0),
    "DuckDB, memory_limit 824 MiB": ("duckdb", 824),
    "pandas": ("pandas", 0),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=9_300_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--way", nargs=3, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.way:
        way, memory, directory = chosen.way
        print(json.dumps(_RUN[way](Path(directory), int(memory))))
        return
    with tempfile.TemporaryDirectory() as place:
        size = flattening.write_parts(Path(place), chosen.rows, 40)
        print(f"{os.cpu_count()} cores, {chosen.rows:,} rows, {size / GIB:.2f} GiB in Arrow, 40 parts")
        found = [{name: measure(way, Path(place)) for name, way in WAYS.items()} for _ in range(chosen.rounds)]
    tell(found)


def measure(way: tuple[str, int], directory: Path) -> dict[str, Any]:
    command = [sys.executable, __file__, "--way", way[0], str(way[1]), str(directory)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    print(f"  {way[0]} {way[1]:3}: {answer['seconds']:.1f} s, {answer['cpu']:.1f} s of CPU", file=sys.stderr)
    return answer


def tell(found: list[dict[str, dict[str, Any]]]) -> None:
    base = "DuckDB, all of the machine"
    for name in WAYS:
        seconds, cpu, peak = (
            statistics.median(one[name][what] for one in found) for what in ("seconds", "cpu", "peak")
        )
        ratio = statistics.median(one[name]["seconds"] / one[base]["seconds"] for one in found)
        print(f"{name:38} {seconds:6.1f} s  {cpu:6.1f} s of CPU  {ratio:5.2f} x DuckDB  peak {peak / MIB:6,.0f} MiB")


def towline(directory: Path, memory: int) -> None:
    flattening.measured(directory, memory * MIB)


def duck(directory: Path, memory: int) -> None:
    import duckdb

    connection = duckdb.connect()
    if memory:
        connection.execute(f"SET memory_limit = '{memory}MiB'")
    connection.execute(f"SET temp_directory = '{directory / 'spill'}'")
    rows = connection.read_parquet(f"{directory}/parts/*").order("tow, net")
    rows.write_parquet(f"{directory}/duck.parquet", compression="zstd", row_group_size=65_536)


def panda(directory: Path, memory: int) -> None:
    import pandas as pd

    table = pd.concat([pd.read_parquet(path) for path in sorted((directory / "parts").iterdir())], ignore_index=True)
    table = table.sort_values(list(flattening.KEY), ignore_index=True)
    table.to_parquet(directory / "pandas.parquet", compression="zstd", row_group_size=65_536)


def timed(run: Any) -> Any:
    def measured(directory: Path, memory: int) -> dict[str, float]:
        import duckdb
        import pandas

        _, begun, before = (duckdb, pandas), time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
        run(directory, memory)
        seconds, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_SELF)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return {"seconds": seconds, "cpu": cpu, "peak": after.ru_maxrss * 1024}

    return measured


_RUN = {"towline": timed(towline), "duckdb": timed(duck), "pandas": timed(panda)}

if __name__ == "__main__":
    main()
