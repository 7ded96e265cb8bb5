"""What happened to a dataset, read from its audit records and snapshots. History never expires."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pyarrow as pa

from towline import audit, diff, keys, master
from towline.audit import GENESIS
from towline.diff import Diff
from towline.errors import NotFound, UsageError
from towline.workbench import Workbench

READERS = 16  # audit records are small objects, read side by side

Record = Mapping[str, object]


def log(bench: Workbench, dataset: str) -> list[Record]:
    """The audit records of a dataset, newest first. NotFound: no such dataset."""
    bench.contract(dataset)
    found = [entry.key for entry in bench.store.list(f"{bench.layout.audit}{dataset}/")]
    with ThreadPoolExecutor(READERS) as pool:
        records = list(pool.map(lambda key: audit.from_line(bench.store.get(key).body), found))
    return list(reversed(_in_order(records)))


def _in_order(records: Iterable[Record]) -> list[Record]:
    """Oldest first. Proposals of one commit share its number and moment; the chain tells their order."""
    after = {str(record["prev_chain"]): record for record in records}
    chain, ordered = GENESIS, []
    while (record := after.pop(chain, None)) is not None:
        ordered.append(record)
        chain = str(record["chain"])
    # A broken chain is for `towline verify` to judge; here nothing is hidden.
    return ordered + sorted(after.values(), key=lambda r: (r["number"], r["timestamp"]))


def resolve(bench: Workbench, dataset: str, at: str | None) -> str:
    """The id of the commit that `at` means: None or `head`, a commit's id, its number, or a moment (ISO 8601; without a
    zone it is UTC): the newest commit by then. NotFound where there is none, UsageError where `at` means nothing."""
    if at is None or at == "head":
        head = master.read(bench.store, dataset)
        if head is None or head.commit is None:
            raise NotFound(f"the dataset {dataset!r} has no commit yet")
        return head.commit
    if keys.is_commit(at):
        return at
    records = log(bench, dataset)
    if at.lstrip("#").isdigit():
        number = int(at.lstrip("#"))
        commits = [record["commit"] for record in records if record["number"] == number]
    else:
        moment = _moment(at)
        commits = [r["commit"] for r in records if datetime.fromisoformat(str(r["timestamp"])) <= moment]
    if not commits:
        raise NotFound(f"{dataset} has no commit {at}; `towline log {dataset}` lists them")
    return str(commits[0])


def _moment(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"{text!r} is no commit id, no commit number and no moment like 2026-03-01T12:00; `towline log` lists them"
        ) from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def table_at(bench: Workbench, dataset: str, at: str | None = None) -> tuple[str, pa.Table]:
    """A commit's id and its table: the head's from the master, any other's from its snapshot."""
    if at is None or at == "head":
        bench.contract(dataset)
        head = master.read(bench.store, dataset)
        if head is not None and head.commit is not None:
            return head.commit, head.table
    commit = resolve(bench, dataset, at)
    table = master.snapshot(bench.store, bench.layout, dataset, commit)
    if table is None:
        raise NotFound(f"{dataset} has no commit {commit}; `towline log {dataset}` lists them")
    return commit, table


def difference(bench: Workbench, dataset: str, old: str, new: str | None) -> Diff:
    """What turns the table at `old` into the table at `new` (both as in `resolve`)."""
    contract = bench.contract(dataset)
    return diff.diff(table_at(bench, dataset, old)[1], table_at(bench, dataset, new)[1], contract.key)
