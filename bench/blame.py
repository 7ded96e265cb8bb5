"""Blame of random cells in a table with 10,000 commits: with the blocks, and by a walk through all changes files.

    uv run python bench/blame.py [--commits 10000] [--stack]

Audit records, changes files, the contract and the master are written in their real formats, without the commit
protocol between them; the blocks are made as Reconcile makes them, run after run. `--stack` measures on the S3 of a
local stack of its own, too. Every question is asked as by `towline blame`, with nothing remembered from the one before.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

if (_root := str(Path(__file__).resolve().parents[1])) not in sys.path:
    sys.path.insert(0, _root)

from ulid import ULID

from towline import audit, blame, blocks, changefile, connect, keys, master
from towline import table as tables
from towline.audit import GENESIS
from towline.change import RowChange
from towline.contract import Contract
from towline.diff import Diff
from towline.infer import infer
from towline.local import stack
from towline.local.stack import Start
from towline.memory import MemoryStore
from towline.sample import sample_table
from towline.values import Row
from towline.workbench import Workbench

NAME, PEOPLE, EVERY = "net_tows", ("ana", "bo", "cy", "dee"), timedelta(minutes=47)
COLUMNS = ("volume_filtered", "min_depth", "max_depth")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--commits", type=int, default=10_000)
    parser.add_argument("--cells", type=int, default=50)
    parser.add_argument("--stack", action="store_true")
    chosen = parser.parse_args()
    print(f"{os.cpu_count()} cores, {chosen.commits:,} commits of 1 to 3 cells each, {chosen.cells} random cells")
    measure("in memory", Workbench(MemoryStore()), chosen.commits, chosen.cells)
    if chosen.stack:
        with tempfile.TemporaryDirectory() as place:
            stack.start(Path(place), Start(port=0, app=False))
            try:
                measure("local S3", connect.here(Path(place)).bench, chosen.commits, chosen.cells)
            finally:
                stack.stop(Path(place))


def measure(where: str, bench: Workbench, commits: int, cells: int) -> None:
    contract, rows = furnish(bench, commits)
    places = [contract.key_of(random.choice(rows)) for _ in range(cells)]
    walked = asked(bench, places[0])
    began, made = time.perf_counter(), 0
    while fresh := blocks.extend(bench, NAME):
        made += len(fresh)
    building = time.perf_counter() - began
    found = [asked(bench, key) for key in places]
    print(f"\n{where}: {made} blocks made in {building:.1f} s")
    print(f"  with blocks  median {statistics.median(found):8.3f} s   max {max(found):8.3f} s")
    print(f"  by a walk    {walked:15.3f} s")


def asked(bench: Workbench, key: tuple[object, ...]) -> float:
    """Seconds that the story of a random cell of this row takes."""
    began = time.perf_counter()
    told = blame.story(bench, NAME, key=key, column=random.choice(COLUMNS))  # type: ignore[arg-type]
    assert told[-1].change == "create"
    return time.perf_counter() - began


def furnish(bench: Workbench, commits: int) -> tuple[Contract, list[Row]]:
    """A history of so many commits, and the table that they lead to."""
    contract = infer(sample_table(), NAME, ("tow", "net"))
    table = tables.sort(sample_table(), contract.key)
    rows: list[Row] = table.to_pylist()
    bench.store.put(keys.contract(NAME), contract.to_json())
    with ThreadPoolExecutor(16) as pool:
        last: dict[str, object] = {}
        for record, objects in history(bench, contract, rows, commits):
            last = record
            for key, body in objects.items():
                pool.submit(bench.store.put, key, body).add_done_callback(lambda done: done.result())
    body = tables.to_parquet(
        tables.from_rows(rows, table.schema), contract.key, commit=str(last["commit"]), number=commits
    )
    stamp = master.metadata(
        commit=str(last["commit"]),
        number=commits,
        parent=str(last["parent"]),
        base=None,
        proposal=str(last["proposal"]),
        contract=contract.digest,
        prev_chain=str(last["prev_chain"]),
    )
    bench.store.put(keys.master(NAME), body, metadata=stamp)
    return contract, rows


def history(
    bench: Workbench, contract: Contract, rows: list[Row], commits: int
) -> Iterator[tuple[dict[str, object], dict[str, bytes]]]:
    """Audit records with their objects, oldest first; `rows` change along."""
    chance, chain, parent = random.Random(4), GENESIS, None
    at = datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(1, commits + 1):
        at += EVERY * chance.random()
        commit, proposal = str(ULID.from_datetime(at)), str(ULID.from_datetime(at))
        changes = () if number == 1 else change(chance, rows)
        diff, user = Diff(contract.key, changes), chance.choice(PEOPLE)
        moment = keys.commit_time(commit)
        whose = {"commit": commit, "number": number, "proposal": proposal, "user": user}
        body = changefile.to_parquet(diff, timestamp=moment, **whose)  # type: ignore[arg-type]
        draft = {
            **dict.fromkeys(audit.FIELDS, 0),
            **whose,
            "timestamp": moment.isoformat(timespec="milliseconds"),
            "note": f"correction {number} of the log sheets",
            "dataset": NAME,
            "parent": parent,
            "kind": "edit" if changes else "create",
            "cells_changed": diff.cells,
            "changes_key": keys.changes(NAME, proposal, moment),
            "changes_sha256": sha256(body).hexdigest(),
        }
        record = audit.seal(draft, new_version="v", prev_chain=chain)
        where = bench.layout.audit_record(NAME, user, proposal, moment)
        yield record, {str(draft["changes_key"]): body, where: audit.to_line(record)}
        chain, parent = str(record["chain"]), commit


def change(chance: random.Random, rows: list[Row]) -> tuple[RowChange, ...]:
    """One to three cells of one row."""
    at = chance.randrange(len(rows))
    new = {column: round(chance.uniform(1, 900), 1) for column in chance.sample(COLUMNS, chance.randint(1, 3))}
    old, rows[at] = rows[at], {**rows[at], **new}
    return (RowChange(old, rows[at]),)


if __name__ == "__main__":
    main()
