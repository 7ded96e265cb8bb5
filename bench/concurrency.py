"""Many authors at once on the local stack: how much is committed, and how much is lost.

    uv run python bench/concurrency.py [--runs 3] [--authors 16] [--edits 6]

Beside Towline, in the same run and on the same S3, the scheme that it replaces: load the table, change a cell, look
whether the VersionId is still the same, put the whole table unconditionally, with a snapshot and an audit record; where
it is not the same, load again and retry, as a person does by hand. Between the look and the put somebody else can
put, and their edit is lost. All authors change different cells, so there is nothing to argue about in either scheme.

Then the commit alone, without queues and functions, in one process and on another bucket of the same S3: proposals that
wait together committed together, and one by one.
"""

from __future__ import annotations

import argparse
import io
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
from main_job import NAME, create, first_load

from towline import inbox, keys
from towline.change import RowChange
from towline.commit import commit
from towline.connect import Connection, connect
from towline.dataset import Dataset, Draft
from towline.inbox import Arrival
from towline.local import stack
from towline.local.deploy import Clients
from towline.local.stack import Start, stack_settings
from towline.receipts import Receipt
from towline.sample import sample_table

PLAIN = "data/plain/master.parquet"
COLUMNS = ("volume_filtered", "lat_decimal", "long_decimal")
WAITING = 60  # proposals that wait when the commit alone is measured
BUCKET = "commits-alone"  # nobody is told of what arrives in it


@dataclass(frozen=True)
class Edit:
    """One cell, which no other edit of the run sets. `row` is a place in the table."""

    row: int
    column: str
    value: float


@dataclass(frozen=True)
class Outcome:
    """What came of a run: edits that are in the table, in how many seconds and masters, after how many retries."""

    kept: int
    sent: int
    seconds: float
    masters: int
    retries: int = 0

    @property
    def saved(self) -> float:
        """Edits a second whose authors were told that they are saved."""
        return self.sent / self.seconds

    @property
    def rate(self) -> float:
        """Edits a second that are in the table."""
        return self.kept / self.seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--authors", type=int, default=16)
    parser.add_argument("--edits", type=int, default=6, help="of each author")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="towline-bench-") as folder:
        info = stack.start(Path(folder), Start(port=0, app=False))
        try:
            here = connect(stack_settings(info))
            s3 = Clients(info.endpoint)("s3")
            s3.create_bucket(Bucket=BUCKET)
            s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
            alone = connect(replace(here.settings, bucket=BUCKET))
            create(here)
            measure(here, alone, asked.runs, asked.authors, asked.edits)
        finally:
            stack.stop(Path(folder))


def measure(here: Connection, alone: Connection, runs: int, authors: int, each: int) -> None:
    schemes: dict[str, Callable[[int], Outcome]] = {
        "look at the VersionId, then overwrite": lambda run: overwriting(here, parts(run, authors, each)),
        "towline": lambda run: proposing(here, parts(run, authors, each)),
        "the commit alone, ten at a time": lambda run: committing(alone, run, 10),
        "the commit alone, one at a time": lambda run: committing(alone, run, 1),
    }
    found: dict[str, list[Outcome]] = {name: [] for name in schemes}
    for run in range(runs):
        for name, scheme in schemes.items():
            found[name].append(scheme(run))
    print(f"{authors} authors, {each} edits each; medians of {runs} runs")
    print(f"{'':<40}{'saved/s':>9}{'kept/s':>9}{'saved':>7}{'lost':>7}{'retries':>9}{'masters':>9}")
    for name, outcomes in found.items():
        figures = ((o.saved, o.rate, o.sent, o.sent - o.kept, o.retries, o.masters) for o in outcomes)
        saved, rate, *counts = (statistics.median(column) for column in zip(*figures, strict=True))
        sent, lost, retries, masters = counts
        print(f"{name:<40}{saved:>9.1f}{rate:>9.1f}{sent:>7.0f}{lost:>7.0f}{retries:>9.0f}{masters:>9.0f}")
    rates = {name: statistics.median(o.rate for o in outcomes) for name, outcomes in found.items()}
    old, new, together, single = rates.values()
    print(f"kept a second, towline beside the old scheme: {new / old:.2f}")
    print(f"kept a second, ten at a time beside one at a time: {together / single:.2f}")


def parts(run: int, authors: int, each: int) -> list[list[Edit]]:
    """The edits of each author."""
    found = list(edits(run, authors * each))
    return [found[number::authors] for number in range(authors)]


def edits(run: int, count: int) -> Iterator[Edit]:
    """In each run values that were not there before. All of them are volumes and degrees."""
    rows = sample_table().num_rows
    for number in range(count):
        place, row = divmod(number, rows)
        yield Edit(row, COLUMNS[place], 1 + run + number / (count + 1))


def overwriting(here: Connection, work: Sequence[Sequence[Edit]]) -> Outcome:
    """The old scheme."""
    here.bench.store.put(PLAIN, parquet(sample_table().to_pandas()))
    began = time.perf_counter()
    with ThreadPoolExecutor(len(work)) as pool:
        retries = sum(pool.map(lambda mine: sum(overwrite(here, edit) for edit in mine), work))
    seconds = time.perf_counter() - began
    table = pd.read_parquet(io.BytesIO(here.bench.store.get(PLAIN).body))
    sent = [edit for mine in work for edit in mine]
    kept = sum(table.loc[edit.row, edit.column] == edit.value for edit in sent)
    return Outcome(kept, len(sent), seconds, len(sent), retries)


def overwrite(here: Connection, edit: Edit) -> int:
    """Save one edit as it was done before Towline. Returns how often the author had to begin again."""
    store, retries = here.bench.store, 0
    while True:
        blob = store.get(PLAIN)
        frame = pd.read_parquet(io.BytesIO(blob.body))
        frame.loc[edit.row, edit.column] = edit.value
        body = parquet(frame)
        if store.head(PLAIN).version == blob.stat.version:
            break
        retries += 1
    store.put(PLAIN, body)
    store.put(f"snapshots/plain/master_{time.time_ns()}.parquet", body)
    store.put(f"audit/plain/{time.time_ns()}.jsonl", b"{}")
    return retries


def parquet(frame: pd.DataFrame) -> bytes:
    sink = io.BytesIO()
    frame.to_parquet(sink, index=False)
    return sink.getvalue()


def proposing(here: Connection, work: Sequence[Sequence[Edit]]) -> Outcome:
    """Towline as it is deployed: an author sends a proposal, waits for the receipt, and goes on."""
    before = here.dataset(NAME).table()[0]
    began = time.perf_counter()
    with ThreadPoolExecutor(len(work)) as pool:
        done = pool.map(lambda mine: [propose(here.dataset(NAME), edit) for edit in mine], work)
        receipts = [receipt for mine in done for receipt in mine]
    seconds = time.perf_counter() - began
    commits = {receipt.commit for receipt in receipts}
    assert before not in commits
    table = here.dataset(NAME).table()[1].to_pylist()
    sent = [edit for mine in work for edit in mine]
    return Outcome(sum(table[e.row][e.column] == e.value for e in sent), len(sent), seconds, len(commits))


def propose(dataset: Dataset, edit: Edit) -> Receipt:
    receipt = dataset.send(draft(dataset, *dataset.table(), edit)).wait()
    assert receipt.status == "committed", receipt.message
    return receipt


def draft(dataset: Dataset, base: str, table: pa.Table, edit: Edit) -> Draft:
    old = table.slice(edit.row, 1).to_pylist()[0]
    return dataset.rows([RowChange(old, {**old, edit.column: edit.value})], "bench", base)


def committing(alone: Connection, run: int, together: int) -> Outcome:
    """Commit proposals that all wait already, so many at a time, in this process."""
    dataset = alone.dataset(NAME)
    if not alone.bench.has(NAME):
        commit(alone.bench, NAME, [arrive(dataset, first_load(dataset))])
    base, table = dataset.table()
    wanted = list(edits(2 * run + (together == 1), WAITING))
    waiting = [arrive(dataset, draft(dataset, base, table, edit)) for edit in wanted]
    began = time.perf_counter()
    receipts = [r for at in range(0, WAITING, together) for r in commit(alone.bench, NAME, waiting[at : at + together])]
    seconds = time.perf_counter() - began
    after = dataset.table()[1].to_pylist()
    kept = sum(after[edit.row][edit.column] == edit.value for edit in wanted)
    return Outcome(kept, WAITING, seconds, len({receipt.commit for receipt in receipts}))


def arrive(dataset: Dataset, sent: Draft) -> Receipt:
    """Send a draft and accept it, as the first of the functions does."""
    dataset.send(sent)
    stat = dataset.bench.store.head(keys.inbox(NAME, dataset.principal, f"{sent.proposal}.json"))
    receipt = inbox.receive(dataset.bench, Arrival(stat.key, stat.version, stat.etag, stat.size))
    assert receipt is not None
    assert receipt.status == "accepted", receipt.message
    return receipt


if __name__ == "__main__":
    main()
