"""Flattening 64 parts of about 10 MB beside DuckDB and pandas: parts in order, and parts that are not.

    uv run --group bench python bench/flatten.py [--rows 15M] [--rounds 3] [--cases disjoint,shuffled]

The rows are those of bench/tables.py. `disjoint`: each part is in key order, and no two overlap. `shuffled`: each has
rows of the whole range of keys, in no order. Every way sorts by the key and writes zstd, runs in a process of its own,
in turns with the others, so that what else the machine does meets all of them; the figures are medians. `seconds` and
`CPU` begin when the libraries are imported. `copying` is the part of the seconds in which the store, for Towline a
folder, copied ranges of the parts; S3 does that on its own side, so it is not in the ratio. `peak` is what the process
had in memory at most, with Python and all libraries that it imported.
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
from collections.abc import Mapping, Sequence
from pathlib import Path

if (_root := str(Path(__file__).resolve().parents[1])) not in sys.path:
    sys.path.insert(0, _root)

import pyarrow as pa

from bench.tables import KEY, SCHEMA, count
from bench.ways.place import Place
from bench.ways.preparing import make_parts
from tests.core.flattening import Folder
from towline import flatten, parts
from towline.infer import type_of
from towline.rules.field import Field
from towline.store import MIB

Figures = Mapping[str, float]  # seconds, copying, cpu; peak in bytes
# What each case is done with, and how much memory it is given (MiB; 0: as it likes).
WAYS = {
    "towline, as the command": ("towline", flatten.MEMORY // MIB),
    "towline, in a function of 2 GB": ("towline", flatten.memory_within(2048 * MIB) // MIB),
    "DuckDB": ("duckdb", 0),
    "DuckDB, memory_limit 1 GB": ("duckdb", 1000),
    "pandas": ("pandas", 0),
}
ASKED = {  # of the first way: how many times another one's seconds at most, and megabytes
    "disjoint": ("pandas", 1 / 20, 200),
    "shuffled": ("DuckDB", 1.5, 1000),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=count, default=15_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cases", type=lambda text: text.split(","), default=list(ASKED))
    parser.add_argument("--place", type=Path, help="make the parts in this directory, or use those that are there")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        way, memory, folder = chosen.one
        print(json.dumps(timed(way, int(memory), Path(folder))))
        return
    with tempfile.TemporaryDirectory() as made:
        place = Place(chosen.place or Path(made))
        if not place.parts("shuffled").exists():
            make_parts(place, chosen.rows)
        for case in chosen.cases:
            folder = place.parts(case)
            rounds = [{name: measured(name, folder) for name in WAYS} for _ in range(chosen.rounds)]
            print(f"\n{case}: {chosen.rows:,} rows, {os.cpu_count()} cores, medians of {chosen.rounds}\n")
            print("\n".join(told(case, rounds)))


def measured(name: str, folder: Path) -> Figures:
    """One way of `WAYS`, in a process of its own."""
    way, memory = WAYS[name]
    command = [sys.executable, __file__, "--one", way, str(memory), str(folder)]
    os.sync()  # what the one before has left to be written is not this one's
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    answer: Figures = json.loads(done.stdout)
    print(f"  {folder.name}, {name}: {answer['seconds']:.1f} s, {answer['cpu']:.1f} s of CPU", file=sys.stderr)
    return answer


def told(case: str, rounds: Sequence[Mapping[str, Figures]]) -> list[str]:
    """A table in Markdown, and what of it was asked."""
    other, times, most = ASKED[case]
    lines = [f"| | seconds | of it copying | CPU | x {other} | peak, MB |", "|---|---|---|---|---|---|"]
    whats = ("seconds", "copying", "cpu", "peak")
    middle = {name: {what: statistics.median(one[name][what] for one in rounds) for what in whats} for name in WAYS}
    ratios = {name: statistics.median(own(one[name]) / own(one[other]) for one in rounds) for name in WAYS}
    for name, found in middle.items():
        figures = [f"{found['seconds']:.2f}", f"{found['copying']:.2f}", f"{found['cpu']:.1f}"]
        figures += [f"{ratios[name]:.3f}", f"{found['peak'] / 1e6:,.0f}"]
        lines.append(f"| {name} | {' | '.join(figures)} |")
    first = next(iter(WAYS))
    ratio, peak = ratios[first], middle[first]["peak"] / 1e6
    holds = "holds" if ratio <= times and peak <= most else "DOES NOT HOLD"
    return [*lines, "", f"{first}: {ratio:.3f} of {times:.3f} x {other}, {peak:.0f} of {most} MB: {holds}"]


def own(found: Figures) -> float:
    """Seconds without the store's."""
    return found["seconds"] - found["copying"]


def timed(way: str, memory: int, folder: Path) -> Figures:
    """One run, in this process."""
    do = DO[way]
    pa.scalar(0)  # which imports pandas, where there is one
    begun, before = time.perf_counter(), time.process_time()
    copying = do(folder, memory)
    seconds, cpu = time.perf_counter() - begun, time.process_time() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"seconds": seconds, "copying": copying, "cpu": cpu, "peak": peak}


def towline(folder: Path, memory: int) -> float:
    """One object of the parts in a folder, beside it; the seconds that the store took to copy."""
    store = Folder(folder.parent)
    fields = [Field(field.name, type_of(field.name, field.type)) for field in SCHEMA]
    found = parts.find(store, f"{folder.name}/")
    flatten.flatten(store, found, "flat.parquet", fields, KEY, memory=memory * MIB, workdir=folder.parent)
    return store.copying


def duck(folder: Path, memory: int) -> float:
    import duckdb

    connection = duckdb.connect()
    if memory:
        connection.execute(f"SET memory_limit = '{memory}MB'")
    connection.execute(f"SET temp_directory = '{folder.parent / 'spill'}'")
    rows = connection.read_parquet(f"{folder}/*").order("tow, net")
    rows.write_parquet(f"{folder.parent}/duck.parquet", compression="zstd")
    return 0.0


def panda(folder: Path, memory: int) -> float:
    import pandas as pd

    table = pd.concat([pd.read_parquet(path) for path in sorted(folder.iterdir())], ignore_index=True)
    table = table.sort_values(list(KEY), ignore_index=True)
    table.to_parquet(folder.parent / "pandas.parquet", compression="zstd", row_group_size=65_536)
    return 0.0


DO = {"towline": towline, "duckdb": duck, "pandas": panda}

if __name__ == "__main__":
    main()
