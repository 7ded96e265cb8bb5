"""A bulk edit in SQL on the local stack: from the moment it is sent until it is promoted.

    uv run python bench/bulk_edit.py [--rows 125 1000000] [--runs 5]

Two edits a table: the shift of one tow's volumes to the next net (LAG) that also deletes its first net, as one MERGE;
and an UPDATE of two rows in a hundred. Beside them, in the same run and on the same S3, the way by hand with pandas
that they replace: read the master, change it, write it, put it over the master, and a copy beside it. It pins nothing,
checks nothing, tells nobody what changed and overwrites what others did meanwhile.
"""

from __future__ import annotations

import argparse
import io
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa

from towline import resources
from towline.connect import Connection, connect
from towline.contract import Contract
from towline.dataset import Dataset
from towline.files import write_table
from towline.local import stack
from towline.local.stack import Start, stack_settings
from towline.sample import sample_table

PLAIN = "data/plain/master.parquet"
SHIFT = """MERGE INTO master m
USING (
  SELECT tow, net, LAG(volume_filtered) OVER (PARTITION BY tow ORDER BY net) AS moved FROM master WHERE tow = {tow}
) s
ON m.tow = s.tow AND m.net = s.net
WHEN MATCHED AND m.net = 0 THEN DELETE
WHEN MATCHED AND s.moved IS NOT NULL THEN UPDATE SET volume_filtered = s.moved"""
SCALE = "UPDATE master SET volume_filtered = volume_filtered * {factor} WHERE tow % 50 = {rest}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[125, 1_000_000])
    parser.add_argument("--runs", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="towline-bench-") as folder:
        info = stack.start(Path(folder) / "data", Start(port=0, app=False))
        try:
            here = connect(stack_settings(info))
            print(f"{'median of ' + str(asked.runs) + ', seconds':<44}{'Towline':>9}{'pandas':>9}{'ratio':>8}")
            for rows in asked.rows:
                measure(here, rows, asked.runs)
        finally:
            stack.stop(Path(folder) / "data")


def measure(here: Connection, rows: int, runs: int) -> None:
    table = tows(rows)
    dataset = create(here, f"tows_{rows}", table)
    tows_there = table["tow"].unique().to_pylist()
    for label, ours, plain in (
        (
            "shift one tow, delete a net",
            lambda n: shift(dataset, tows_there[n]),
            lambda n: shift_plain(here, tows_there[n]),
        ),
        ("scale two rows in a hundred", lambda n: scale(dataset, n), lambda n: scale_plain(here, n)),
    ):
        here.bench.store.put(PLAIN, write_table(table, "parquet"))
        a, b = repeat(ours, runs), repeat(plain, runs)
        print(f"{rows:>9,} rows: {label:<28}{a:>9.2f}{b:>9.2f}{a / b:>8.1f}", flush=True)


def repeat(edit: Callable[[int], None], runs: int) -> float:
    """The median of the seconds, after one run that does not count."""
    times = []
    for number in range(runs + 1):
        began = time.perf_counter()
        edit(number)
        times.append(time.perf_counter() - began)
        time.sleep(0.3)  # what is cleared up afterwards is nobody's waiting
    return statistics.median(times[1:])


def tows(rows: int) -> pa.Table:
    """The sample's columns in so many rows: the sample again and again, its tows numbered on."""
    sample = sample_table()
    if rows <= sample.num_rows:
        return sample.slice(0, rows)
    times = -(-rows // sample.num_rows)
    step = max(sample["tow"].to_pylist()) + 1
    parts = [
        sample.set_column(
            sample.schema.get_field_index("tow"), "tow", pa.array([t + step * n for t in sample["tow"].to_pylist()])
        )
        for n in range(times)
    ]
    return pa.concat_tables(parts).slice(0, rows)


def create(here: Connection, name: str, table: pa.Table) -> Dataset:
    dataset = here.dataset(name)
    raw = Contract.parse(resources.path("datasets/net_tows/contract.json").read_bytes())
    contract = Contract.parse(raw.to_json().replace(b'"net_tows"', f'"{name}"'.encode()))
    receipt = dataset.send(dataset.create("tows.parquet", write_table(table, "parquet"), contract, "first load")).wait(
        120
    )
    assert receipt.status == "committed", receipt.message
    return dataset


def shift(dataset: Dataset, tow: int) -> None:
    run(dataset, SHIFT.format(tow=tow))


def scale(dataset: Dataset, number: int) -> None:
    run(dataset, SCALE.format(factor=1.5 + number / 100, rest=number % 13 + 1))


def run(dataset: Dataset, statement: str) -> None:
    receipt = dataset.send(dataset.sql(statement, "bench")).wait(120)
    assert receipt.status == "committed", receipt.message


def shift_plain(here: Connection, tow: int) -> None:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        mine = frame["tow"] == tow
        moved = frame[mine].sort_values("net")["volume_filtered"].shift(1)
        frame.loc[moved.index[moved.notna()], "volume_filtered"] = moved.dropna()
        return frame[~(mine & (frame["net"] == 0))]

    overwrite(here, change)


def scale_plain(here: Connection, number: int) -> None:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[frame["tow"] % 50 == number % 13 + 1, "volume_filtered"] *= 1.5 + number / 100
        return frame

    overwrite(here, change)


def overwrite(here: Connection, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    store = here.bench.store
    frame = change(pd.read_parquet(io.BytesIO(store.get(PLAIN).body)))
    sink = io.BytesIO()
    frame.to_parquet(sink, index=False)
    store.put(PLAIN, sink.getvalue())
    store.copy(PLAIN, f"snapshots/plain/master_{time.time_ns()}.parquet")


if __name__ == "__main__":
    main()
