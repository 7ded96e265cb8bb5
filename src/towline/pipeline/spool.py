"""Rows on their way from files to partitions: on disk in between, so that memory does not grow with either.

A piece of a file is sorted by partition and cut into at most BUCKETS batches, which are appended to one file a table.
A bucket is all partitions whose names have the same checksum; it is read again at once, and holds about a BUCKETSth of
all rows, so that neither thousands of files nor batches of a row each come of thousands of partitions.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from towline.contract import Contract
from towline.pipeline import partition

BUCKETS = 64
FILE, AT = "_file", "_at"  # columns of spooled rows: the number of the file that they are of, and their place in it
_PACKED = pa.ipc.IpcWriteOptions(compression="lz4")


@dataclass(frozen=True)
class Slice:
    """Rows of one partition: so many of a batch, from one on."""

    partition: str
    batch: int
    start: int
    rows: int


@dataclass
class Spooled:
    """One table's rows on disk. `staged` are those of a file of which it is not known yet whether it fails."""

    path: Path
    contract: Contract
    slices: dict[int, list[Slice]] = field(default_factory=lambda: defaultdict(list))
    staged: list[tuple[int, Slice]] = field(default_factory=list)
    batches: int = 0
    writer: Any = None

    def add(self, rows: pa.Table, only: Collection[str] | None) -> None:
        """Take rows of the contract's schema with FILE and AT behind; `only`: of these partitions."""
        codes, names = partition.coded(rows, self.contract.silver.partition)
        kept = {code: name for code, name in names.items() if only is None or name in only}
        order = sorted(kept, key=lambda code: (bucket(kept[code]), kept[code]))
        ranks = pc.index_in(codes, value_set=pa.array(order, pa.int64()))
        if len(names) > 1:
            rows = rows.take(pc.sort_indices(ranks))  # those of other partitions, which have no rank, come last
        counts = {each["values"]: each["counts"] for each in pc.value_counts(ranks).to_pylist()}
        at = 0
        for number, group in groupby(range(len(order)), key=lambda rank: bucket(kept[order[rank]])):
            start = at
            for rank in group:
                found = Slice(kept[order[rank]], self.batches, at - start, counts[rank])
                self.staged.append((number, found))
                at += counts[rank]
            self._write(rows.slice(start, at - start))

    def accept(self) -> None:
        """The rows since the last file count."""
        for number, found in self.staged:
            self.slices[number].append(found)
        self.staged.clear()

    def refuse(self) -> None:
        """They do not."""
        self.staged.clear()

    def read(self) -> Iterator[tuple[str, list[pa.Table]]]:
        """Each partition with its rows, in pieces; a bucket is in memory at a time."""
        if self.writer is None:
            return
        self.writer.close()
        with pa.OSFile(str(self.path)) as file:
            reader = pa.ipc.open_file(file)
            for number in sorted(self.slices):
                yield from self._read(reader, self.slices[number])

    @staticmethod
    def _read(reader: pa.RecordBatchFileReader, slices: list[Slice]) -> Iterator[tuple[str, list[pa.Table]]]:
        wanted = sorted({each.batch for each in slices})
        batches = {number: pa.Table.from_batches([reader.get_batch(number)]) for number in wanted}
        parts: dict[str, list[pa.Table]] = defaultdict(list)
        for each in slices:
            parts[each.partition].append(batches[each.batch].slice(each.start, each.rows))
        del batches
        for name in sorted(parts):
            yield name, parts.pop(name)

    def _write(self, rows: pa.Table) -> None:
        (batch,) = rows.combine_chunks().to_batches(max_chunksize=len(rows))
        if self.writer is None:
            self.writer = pa.ipc.new_file(str(self.path), rows.schema, options=_PACKED)
        self.writer.write_batch(batch)
        self.batches += 1


def bucket(name: str) -> int:
    return zlib.crc32(name.encode()) % BUCKETS
