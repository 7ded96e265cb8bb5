"""A bucket with a dataset in it that was edited a thousand times, so that Towline's ways begin where a real one is.

Audit records, changes files, blocks and the last receipt are in their real formats, made without the commit protocol
between them, as in bench/blame.py; the master has two versions, and the second is the first with all of the changes.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from bench import tables
from bench.blame import NAME, history
from bench.diskstore import DiskStore
from bench.ways.place import KEY, Place
from towline import blocks, keys, master, objects, resources
from towline.audit import Record
from towline.change import RowChange
from towline.contract import Contract
from towline.parquet.pieces import Keep
from towline.parquet.splice import splice
from towline.parquet.writer import commit_metadata
from towline.receipts import Receipt, swap
from towline.store import CopyRange, Stat, file_parts
from towline.workbench import Workbench

COMMITS, ROWS = 1_000, 2_000  # rows of one row group, which the commits edit


def furnish(place: Place, root: Path) -> None:
    """Make the bucket anew in `root`."""
    shutil.rmtree(root, ignore_errors=True)
    bench = Workbench(DiskStore(root))
    contract = Contract.parse(resources.path("datasets/net_tows/contract.json").read_bytes())
    bench.store.put(keys.contract(NAME), contract.to_json())
    file = objects.open_table(bench.store, bench.store.adopt("table", place.table).key)
    rows = file.read([file.num_groups // 2]).slice(0, ROWS).to_pylist()
    before, records = list(rows), []
    for record, written in history(bench, contract, rows, COMMITS):
        records.append(record)
        for key, body in written.items():
            bench.store.put(key, body)
    changes = [RowChange(old, new) for old, new in zip(before, rows, strict=True) if old != new]
    first = _first(bench, place, contract, records[0])
    _last(bench, contract, records[-1], first, changes)
    while blocks.extend(bench, NAME):
        pass


def _first(bench: Workbench, place: Place, contract: Contract, record: Record) -> Stat:
    """The table, as the commit that created the dataset wrote it."""
    path = place.root / "first.parquet"
    shutil.copyfile(place.table, path)
    tables.mark(path, commit_metadata(str(record["commit"]), 1))
    stat = bench.store.assemble(keys.master(NAME), file_parts(path), metadata=_stamp(contract, record, 1, None))
    path.unlink()
    bench.store.copy(stat.key, bench.layout.snapshot(NAME, str(record["commit"])))
    return stat


def _last(bench: Workbench, contract: Contract, record: Record, first: Stat, changes: list[RowChange]) -> None:
    """The table after all commits, with the snapshot and the receipt of the last one."""
    commit, proposal, key = str(record["commit"]), str(record["proposal"]), keys.master(NAME)
    file = objects.open_table(bench.store, key)
    spliced = splice(file, KEY, changes, commit=commit, number=COMMITS)
    stamp = _stamp(contract, record, COMMITS, first.version)
    if all(isinstance(piece, bytes) for piece in spliced.pieces):
        stat = bench.store.put(key, b"".join(map(bytes, spliced.pieces)), metadata=stamp)  # type: ignore[arg-type]
    else:
        parts = [
            CopyRange(key, first.version, piece.start, piece.stop) if isinstance(piece, Keep) else piece
            for piece in (spliced.pieces[0], b"".join(spliced.pieces[1:]))  # type: ignore[arg-type]
        ]
        stat = bench.store.assemble(key, parts, metadata=stamp)
    bench.store.copy(key, bench.layout.snapshot(NAME, commit))
    done = {"commit": commit, "version": stat.version, "number": COMMITS, "chain": record["chain"]}
    assert swap(bench.store, Receipt(proposal, NAME, "received").moved("committed", bench.clock(), **done))


def _stamp(contract: Contract, record: Record, number: int, base: str | None) -> Mapping[str, str]:
    return master.metadata(
        commit=str(record["commit"]),
        number=number,
        parent=str(record["parent"]) if base else None,
        base=base,
        proposal=str(record["proposal"]),
        contract=contract.digest,
        prev_chain=str(record["prev_chain"]),
    )
