"""The main job on the local stack: how long until a researcher sees the outcome, and what it asks of S3.

    uv run python bench/main_job.py [--runs 30]

Beside it, in the same run and on the same S3, the scheme that Towline replaces: load the table with pandas, change a
cell, look whether the VersionId is still the same, put master, snapshot and audit record, unconditionally. It asks
nobody, checks nothing and loses edits when two people save at once; it is here because it is the least that saving an
edit can cost.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from towline import resources
from towline.change import RowChange
from towline.connect import Connection, connect
from towline.contract import Contract
from towline.dataset import Dataset, Draft
from towline.files import write_table
from towline.local import stack
from towline.local.stack import Start, stack_settings
from towline.sample import sample_table

NAME, PLAIN = "net_tows", "data/plain/master.parquet"
# What the researcher's program reads before it saves and while it waits; warm functions read none of it but the master.
READING = {("GET", ()), ("GET", ("contracts",)), ("GET", ("receipts",))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=30)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory(prefix="towline-bench-") as folder:
        log = Path(folder) / "requests.log"
        os.environ["TOWLINE_REQUEST_LOG"] = str(log)
        began = time.perf_counter()
        info = stack.start(Path(folder) / "data", Start(port=0, app=False))
        up = time.perf_counter() - began
        try:
            measure(connect(stack_settings(info)), log, runs, up)
        finally:
            stack.stop(Path(folder) / "data")


def measure(here: Connection, log: Path, runs: int, up: float) -> None:
    create(here)
    ours, ours_requests = repeat(lambda n: propose(here, n), log, runs)
    plain, plain_requests = repeat(lambda n: overwrite(here, n), log, runs)
    print(f"towline up until ready: {up:.1f} s")
    print(f"{'125 rows, one cell, ms':<38}{'median':>9}{'p90':>9}{'S3 requests':>13}")
    for label, times, requests in (
        ("towline: propose to receipt", ours, ours_requests),
        ("pandas: HEAD, then overwrite", plain, plain_requests),
    ):
        p90 = sorted(times)[int(len(times) * 0.9)]
        print(f"{label:<38}{statistics.median(times) * 1e3:>9.1f}{p90 * 1e3:>9.1f}{requests:>13.1f}")
    print(f"ratio of the medians: {statistics.median(ours) / statistics.median(plain):.2f}")


def create(here: Connection) -> None:
    dataset = here.dataset(NAME)
    receipt = dataset.send(first_load(dataset)).wait()
    assert receipt.status == "committed", receipt.message


def first_load(dataset: Dataset) -> Draft:
    contract = Contract.parse(resources.path(f"datasets/{NAME}/contract.json").read_bytes())
    return dataset.create("sample.csv", write_table(sample_table(), "csv"), contract, "first load")


def repeat(save: Callable[[int], float], log: Path, runs: int) -> tuple[list[float], float]:
    """Seconds of each save, after three that do not count, and the S3 requests of one."""
    for number in range(3):
        save(-1 - number)
    time.sleep(0.5)
    before = requests(log)
    times = [save(number) for number in range(runs)]
    time.sleep(0.5)
    made = requests(log)
    made.subtract(before)
    made["GET data"] -= runs  # the program's own load
    print(*(f"{name} {count / runs:.1f}" for name, count in sorted(made.items()) if count > 0), sep=", ")
    return times, sum(made.values()) / runs


def requests(log: Path) -> Counter[str]:
    """Requests to the bucket so far, by method and prefix; looking at receipts is the waiting client's."""
    found: Counter[str] = Counter()
    for line in log.read_text().splitlines():
        _, method, path, *_ = line.split()
        path, _, query = path.partition("?")
        parts = path.strip("/").split("/")
        if parts[0] == "towline" and "versions" in query:
            found["GET versions"] += 1
        elif parts[0] == "towline" and (method, tuple(parts[1:2])) not in READING:
            found[f"{method} {parts[1] if len(parts) > 1 else ''}"] += 1
    return found


def propose(here: Connection, number: int) -> float:
    dataset = here.dataset(NAME)
    commit, table = dataset.table()
    row = table.slice(number % table.num_rows, 1).to_pylist()[0]
    draft = dataset.rows([RowChange(row, {**row, "volume_filtered": 5000.0 + number})], "bench", commit)
    began = time.perf_counter()
    receipt = dataset.send(draft).wait()
    assert receipt.status == "committed", receipt.message
    return time.perf_counter() - began


def overwrite(here: Connection, number: int) -> float:
    store = here.bench.store
    blob = store.get(PLAIN) if exists(here) else None
    frame = pd.read_parquet(io.BytesIO(blob.body)) if blob else sample_table().to_pandas()
    frame.loc[number % len(frame), "volume_filtered"] = 5000.0 + number
    began = time.perf_counter()
    sink = io.BytesIO()
    frame.to_parquet(sink, index=False)
    if blob is not None:
        assert store.head(PLAIN).version == blob.stat.version
    after = store.put(PLAIN, sink.getvalue())
    store.put(f"snapshots/plain/master_{time.time_ns()}.parquet", sink.getvalue())
    record = {"prev_version": blob and blob.stat.version, "new_version": after.version, "row_count": len(frame)}
    store.put(f"audit/plain/{time.time_ns()}.jsonl", json.dumps(record).encode())
    return time.perf_counter() - began


def exists(here: Connection) -> bool:
    return any(True for _ in here.bench.store.list(PLAIN))


if __name__ == "__main__":
    main()
