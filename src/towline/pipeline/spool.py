"""Rows on their way from files to partitions: on disk in between, so that memory does not grow with either.

Some PIECE rows, of one file or of many small ones, are sorted by partition and cut into at most BUCKETS batches, which
are appended to one file a table. A bucket is all partitions whose names have the same checksum; it is read again at
once, and holds about a BUCKETSth of all rows. So neither thousands of files nor thousands of partitions make thousands
of files here, or batches of a row each.
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

PIECE = 64 * 1024  # rows
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
    """One table's rows on disk. `slices`: by bucket, what of it counts; `rows`: what counts, too, and is not on disk
    yet. Of a file of which it is not known yet whether it fails, both are `staged`."""

    path: Path
    contract: Contract
    slices: dict[int, list[Slice]] = field(default_factory=lambda: defaultdict(list))
    rows: list[pa.Table] = field(default_factory=list)
    staged_slices: list[tuple[int, Slice]] = field(default_factory=list)
    staged_rows: list[pa.Table] = field(default_factory=list)
    batches: int = 0
    writer: Any = None

    def add(self, rows: pa.Table, only: Collection[str] | None) -> None:
        """Take rows of the contract's schema with FILE and AT behind; `only`: of these partitions."""
        self.staged_rows.append(rows if only is None else self._only(rows, only))
        if _count(self.staged_rows) >= PIECE:
            self.staged_slices += self._write(self.staged_rows)

    def accept(self) -> None:
        """The rows since the last file count."""
        for number, found in self.staged_slices:
            self.slices[number].append(found)
        self.rows += self.staged_rows
        self.refuse()
        if _count(self.rows) >= PIECE:
            self._flush()

    def refuse(self) -> None:
        """They do not."""
        self.staged_slices.clear()
        self.staged_rows.clear()

    def read(self) -> Iterator[tuple[str, list[pa.Table]]]:
        """Each partition with its rows, in pieces; a bucket is in memory at a time."""
        self._flush()
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

    def _only(self, rows: pa.Table, only: Collection[str]) -> pa.Table:
        codes, names = partition.coded(rows, self.contract.silver.partition)
        kept = pa.array([code for code, name in names.items() if name in only], pa.int64())
        return rows.filter(pc.is_in(codes, value_set=kept))

    def _flush(self) -> None:
        for number, found in self._write(self.rows):
            self.slices[number].append(found)

    def _write(self, pieces: list[pa.Table]) -> Iterator[tuple[int, Slice]]:
        """Put rows on disk, which takes them out of `pieces`; where each partition's are, with its bucket."""
        if not _count(pieces):
            return
        rows = pa.concat_tables(pieces).combine_chunks()
        pieces.clear()
        codes, names = partition.coded(rows, self.contract.silver.partition)
        order = sorted(names, key=lambda code: (bucket(names[code]), names[code]))
        ranks = pc.index_in(codes, value_set=pa.array(order, pa.int64()))
        if len(order) > 1:
            rows = rows.take(pc.sort_indices(ranks))
        counts = {each["values"]: each["counts"] for each in pc.value_counts(ranks).to_pylist()}
        at = 0
        for number, group in groupby(range(len(order)), key=lambda rank: bucket(names[order[rank]])):
            start = at
            for rank in group:
                yield number, Slice(names[order[rank]], self.batches, at - start, counts[rank])
                at += counts[rank]
            self._append(rows.slice(start, at - start))

    def _append(self, rows: pa.Table) -> None:
        (batch,) = rows.combine_chunks().to_batches(max_chunksize=len(rows))
        if self.writer is None:
            self.writer = pa.ipc.new_file(str(self.path), rows.schema, options=_PACKED)
        self.writer.write_batch(batch)
        self.batches += 1


def _count(pieces: list[pa.Table]) -> int:
    return sum(map(len, pieces))


def bucket(name: str) -> int:
    return zlib.crc32(name.encode()) % BUCKETS
