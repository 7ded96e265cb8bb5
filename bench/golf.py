"""Golf rounds from wide CSV to silver, beside pandas; and one new file among a thousand beside all of them.

    uv run python bench/golf.py [--rounds 100k] [--file-rounds 5k] [--runs 3] [--files 1000] [--cases wide,incremental]

`wide`: files as courses send them (datasets/golf_rounds/generate.py), of 40 fixes a round in the mean. A file is as
wide as its longest round: of 5,000 rounds some 90 slots and 1,000 columns. Towline loads them from bronze to silver in
a bucket on disk, checked by the contracts; pandas reads, unpivots slot by slot, reads times, drops duplicates, makes
the same columns, and writes partitioned Parquet, without checks, quarantine, lineage or a commit. Every run is in a
process of its own, in turns; the figures are medians. `peak` is what the process had in memory at most (VmHWM), with
all libraries.

`incremental`: so many files of 20 rounds are loaded; then one more, and then all anew.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

if (_root := str(Path(__file__).resolve().parents[1])) not in sys.path:
    sys.path.insert(0, _root)

from bench.diskstore import DiskStore
from bench.tables import count
from towline import keys
from towline.inbox import Arrival
from towline.ingest import receive
from towline.pipeline import inventory, registry
from towline.pipeline.load import LoadResult, load
from towline.workbench import Workbench

DATASET = "golf_rounds"
HOME = Path(_root) / "datasets" / DATASET
EVENTS = "fact_telemetry_event"
FASTER, MEMORY, SOONER = 5, 1500, 10  # what is asked: times as fast as pandas, MB at most, times sooner than all anew
SMALL = 20  # rounds of each of a thousand files

Figures = Mapping[str, float]  # seconds, cpu; peak in bytes; rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=count, default=100_000)
    parser.add_argument("--file-rounds", type=count, default=5_000)
    parser.add_argument("--files", type=count, default=1_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--cases", type=lambda text: text.split(","), default=["wide", "incremental"])
    parser.add_argument("--place", type=Path, help="make the files in this directory, or use those that are there")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        way, folder = chosen.one
        print(json.dumps(WAYS[way](Path(folder))))
        return
    with tempfile.TemporaryDirectory() as made:
        place = chosen.place or Path(made)
        if "wide" in chosen.cases:
            wide(place / "wide", chosen.rounds, chosen.file_rounds, chosen.runs)
        if "incremental" in chosen.cases:
            incremental(place / "small", chosen.files, chosen.runs)


def wide(folder: Path, rounds: int, each: int, runs: int) -> None:
    generate(folder, max(1, rounds // each), each)
    found: dict[str, list[Figures]] = {"towline": [], "pandas": []}
    for _ in range(runs):
        for way, figures in found.items():
            figures.append(measured(way, folder))
    print(f"\n{rounds:,} rounds: {shape(folder)}; {os.cpu_count()} cores, medians of {runs}\n")
    print("| | rows | seconds | CPU | peak, MB |\n|---|---|---|---|---|")
    for way, figures in found.items():
        rows, seconds, cpu, most = (middle(figures, what) for what in ("rows", "seconds", "cpu", "peak"))
        print(f"| {way} | {rows:,.0f} | {seconds:.1f} | {cpu:.1f} | {most / 1e6:,.0f} |")
    pairs = zip(found["pandas"], found["towline"], strict=True)
    ratio = statistics.median(one["seconds"] / other["seconds"] for one, other in pairs)
    most = middle(found["towline"], "peak") / 1e6
    print(f"\n{ratio:.1f} times as fast (asked: {FASTER}), {most:,.0f} MB (asked: {MEMORY}): ", end="")
    print(holds(ratio >= FASTER and most <= MEMORY))


def shape(folder: Path) -> str:
    files = sorted(folder.rglob("*.csv"))
    widths = []
    for path in files:
        with path.open() as lines:
            widths.append(lines.readline().count(",") + 1)
    size = sum(path.stat().st_size for path in files)
    return f"{len(files)} files of {min(widths):,} to {max(widths):,} columns, {size / 1e6:,.0f} MB"


def incremental(folder: Path, files: int, runs: int) -> None:
    generate(folder, files + 1, SMALL)
    found = [measured("increments", folder) for _ in range(runs)]
    one, full = middle(found, "one"), middle(found, "full")
    ratio = statistics.median(each["full"] / each["one"] for each in found)
    print(f"\n{files:,} files of {SMALL} rounds, {found[0]['partitions']:.0f} partitions; medians of {runs}\n")
    print(f"all anew {full:.2f} s, one new file {one:.2f} s ({found[0]['written']:.0f} partitions written)")
    print(f"{ratio:.1f} times sooner (asked: {SOONER}): {holds(ratio >= SOONER)}")


def holds(does: bool) -> str:
    return "holds" if does else "DOES NOT HOLD"


def middle(figures: list[Figures], what: str) -> float:
    return statistics.median(one[what] for one in figures)


def generate(folder: Path, files: int, rounds: int) -> None:
    if not folder.exists():
        command = [HOME / "generate.py", folder, "--files", str(files), "--rounds", str(rounds)]
        subprocess.run([sys.executable, *command], check=True)


def measured(way: str, folder: Path) -> Figures:
    done = subprocess.run([sys.executable, __file__, "--one", way, folder], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{way}: {done.stderr}")
    answer: Figures = json.loads(done.stdout)
    print(f"  {way}: {dict(answer)}", file=sys.stderr)
    return answer


def peak() -> int:
    """What this process had in memory at most, in bytes."""
    return int(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024  # type: ignore[index]


def timed(do: Callable[[], int]) -> Figures:
    """`do` gives the rows that it made."""
    begun, cpu = time.perf_counter(), time.process_time()
    rows = do()
    return {"seconds": time.perf_counter() - begun, "cpu": time.process_time() - cpu, "peak": peak(), "rows": rows}


def landed(folder: Path, root: Path, most: int | None = None) -> tuple[Workbench, registry.Package, list[Path]]:
    """A bucket in which the first files are in bronze, and those that are not yet."""
    bench, package = Workbench(DiskStore(root)), registry.load(HOME)
    files = sorted(folder.rglob("*.csv"))
    for path in files[:most]:
        land(bench, package, path)
    return bench, package, files[len(files[:most]) :]


def land(bench: Workbench, package: registry.Package, path: Path) -> None:
    stat = bench.store.adopt(keys.raw(DATASET, [path.parent.name], path.name), path)  # type: ignore[attr-defined]
    arrival = Arrival(stat.key, stat.version, stat.etag, stat.size)
    entry = receive.receive(bench, arrival, lambda dataset: package.pipeline, lambda entry: None)
    assert entry
    assert entry.status == "bronze", entry.reasons


def loaded(bench: Workbench, package: registry.Package, full: bool = False) -> LoadResult:
    result = load(bench, package, full=full)
    assert not result.failed, result.failed
    assert not result.more
    return result


def with_towline(folder: Path) -> Figures:
    with tempfile.TemporaryDirectory(dir=folder.parent) as root:
        bench, package, _ = landed(folder, Path(root))
        figures = timed(lambda: loaded(bench, package).rows)
        files = inventory.read(bench.store, keys.SILVER, DATASET).tables[EVENTS].values()
        return {**figures, "rows": sum(file.rows for file in files)}


def increments(folder: Path) -> Figures:
    with tempfile.TemporaryDirectory(dir=folder.parent) as root:
        bench, package, (last,) = landed(folder, Path(root), -1)
        loaded(bench, package)
        land(bench, package, last)
        begun = time.perf_counter()
        one = loaded(bench, package)
        between = time.perf_counter()
        full = loaded(bench, package, full=True)
        seconds = {"one": between - begun, "full": time.perf_counter() - between}
        return seconds | {"written": len(one.written), "partitions": len(full.kept) + len(full.written)}


def with_pandas(folder: Path) -> Figures:
    from bench.ways.golf_with_pandas import write

    with tempfile.TemporaryDirectory(dir=folder.parent) as root:
        return timed(lambda: write(folder, Path(root)))


WAYS = {"towline": with_towline, "pandas": with_pandas, "increments": increments}

if __name__ == "__main__":
    main()
