"""Sorting more rows than memory holds: piles of rows in key order on disk, and merging them, stretch by stretch.

A pile is a file of record batches in key order. Piles whose keys do not overlap are read one after the other. Those
that do are merged by stretches of keys: the rows of a stretch lie behind one another in each pile; they are read of all
piles, and sorted in memory, which goes quickly, as they come in a few long runs. Rows of equal keys stay in the order
they came in, that of their piles and of the rows in each, and a stretch may end between two of them.

Order is Arrow's, as in every master (`towline.table.sort`): numbers before NaN, and null last.
"""

from __future__ import annotations

import shutil
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import NamedTuple, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from towline.errors import Unavailable
from towline.ranks import Rank, is_ordered, rank_at

FAN_IN = 128  # piles that are read side by side
LEAST_BATCH = 256  # rows
_FEW = 16  # pieces of a table from which its rows are taken as fast as from one; they need not be copied to be one


class Sorted(Protocol):
    """Rows in key order, at least one, from the first key to the last."""

    @property
    def first(self) -> Rank: ...

    @property
    def last(self) -> Rank: ...

    def read(self) -> Iterator[pa.Table]:
        """The rows, in pieces."""
        ...

    def drop(self) -> None:
        """Free the room that they take on disk."""
        ...


class Batch(NamedTuple):
    """A batch of a pile: its first key, which row of the pile that is, and the bytes that its rows take."""

    first: Rank
    start: int
    size: int


class Place(NamedTuple):
    """A row's place among all rows: by its key, then its pile, then its number there."""

    rank: Rank
    pile: int
    row: int


@dataclass(frozen=True)
class Pile:
    """Rows in key order in a file of ours, of which any can be read."""

    path: Path
    key: Sequence[str]
    batches: Sequence[Batch]
    rows: int
    last: Rank

    @property
    def first(self) -> Rank:
        return self.batches[0].first

    def read(self) -> Iterator[pa.Table]:
        return (pa.Table.from_batches([batch]) for batch in self.slice(0, self.rows))

    def drop(self) -> None:
        self.path.unlink()

    def slice(self, start: int, stop: int) -> Iterator[pa.RecordBatch]:
        """The rows from `start` up to, not including, `stop`."""
        if start >= stop:
            return
        numbers = range(bisect_right(self.batches, start, key=lambda batch: batch.start) - 1, len(self.batches))
        with pa.OSFile(str(self.path), "rb") as file, pa.ipc.open_file(file) as batches:
            for number in numbers:
                begin = self.batches[number].start
                if begin >= stop:
                    return
                skipped = max(0, start - begin)
                yield batches.get_batch(number).slice(skipped, stop - begin - skipped)

    def before(self, place: Place, number: int) -> int:
        """How many rows come before a place, where this is the pile of that number."""
        if number == place.pile:
            return place.row
        bound = (place.rank, place.pile)
        if (self.last, number) < bound:
            return self.rows
        batch = bisect_right(self.batches, bound, key=lambda each: (each.first, number)) - 1
        if batch < 0:
            return 0
        start, stop = self.batches[batch].start, [*self.batches, Batch((), self.rows, 0)][batch + 1].start
        [rows] = self.slice(start, stop)
        return start + bisect_right(range(stop - start), bound, key=lambda row: (rank_at(rows, self.key, row), number))


class Piles:
    """Makes piles in a directory, of tables of one schema. `memory`: bytes of rows that may be at hand at once."""

    def __init__(self, directory: Path, schema: pa.Schema, key: Sequence[str], memory: int) -> None:
        self._directory, self._schema, self._key, self._memory = directory, schema, tuple(key), memory
        self._names = count()

    def of(self, tables: Iterable[pa.Table]) -> Iterator[Pile]:
        """Rows in any order, as piles. An eighth of the memory is taken twice while one is made."""
        heap: list[pa.Table] = []
        size = 0
        for table in tables:
            heap.append(table)
            size += table.nbytes
            if size > self._memory // 8:
                yield self._sorted(heap)
                size = 0
        if heap:
            yield self._sorted(heap)

    def rows(self, found: Sequence[Sorted]) -> Iterator[pa.Table]:
        """All rows in key order. What they were in is gone afterwards."""
        pa.default_memory_pool().release_unused()  # what making piles took: merging takes memory of other sizes
        for some in clusters(found):
            if len(some) == 1:
                yield from some[0].read()
                some[0].drop()
            else:
                yield from self._merged([self._filed(each) for each in some])

    def _merged(self, piles: list[Pile]) -> Iterator[pa.Table]:
        share = self._memory // 4
        while len(piles) > FAN_IN and depth(piles) > FAN_IN:
            some = [piles[start : start + FAN_IN] for start in range(0, len(piles), FAN_IN)]
            piles = [self._written(merge(each, self._key, share)) for each in some]
        yield from merge(piles, self._key, share)

    def _filed(self, rows: Sorted) -> Pile:
        """What is in order already, in a file of which any rows can be read."""
        if isinstance(rows, Pile):
            return rows
        pile = self._written(rows.read())
        rows.drop()
        return pile

    def _sorted(self, heap: list[pa.Table]) -> Pile:
        """A pile of these tables, which are taken off the heap."""
        table = pa.concat_tables(heap)
        heap.clear()
        return self._written(ordered(table, self._key, self._memory // 16))

    def _rows_a_batch(self, table: pa.Table) -> int:
        """Rows of such a table that take a pile's share of the memory when as many as can be are merged."""
        share = self._memory // (8 * FAN_IN)
        return max(LEAST_BATCH, int(table.num_rows * share // max(1, table.nbytes)))

    def _written(self, tables: Iterator[pa.Table]) -> Pile:
        check_room(self._directory, self._memory // 2)
        path, batches, rows = self._directory / f"{next(self._names)}.pile", [], 0
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, self._schema) as out:
            for table in tables:
                for batch in table.to_batches(max_chunksize=self._rows_a_batch(table)):
                    out.write_batch(batch)
                    batches.append(Batch(rank_at(batch, self._key, 0), rows, batch.nbytes))
                    rows, last = rows + batch.num_rows, rank_at(batch, self._key, batch.num_rows - 1)
        return Pile(path, self._key, batches, rows, last)


def check_room(directory: Path, needed: int) -> None:
    """Unavailable where the disk has fewer bytes than will be needed next."""
    free = shutil.disk_usage(directory).free
    if free < needed:
        raise Unavailable(
            f"{directory.parent} has {free:,} bytes free, and flattening needs {needed:,} more: make room, or give it "
            "another work directory"
        )


def clusters(found: Sequence[Sorted]) -> Iterator[list[Sorted]]:
    """Those that share keys with one another, directly or by way of others, in the order given; in order of keys."""
    cluster: list[int] = []
    last: Rank = ()
    for number in sorted(range(len(found)), key=lambda number: found[number].first):
        if cluster and last < found[number].first:
            yield [found[each] for each in sorted(cluster)]
            cluster = []
        cluster.append(number)
        last = max(last, found[number].last)
    if cluster:
        yield [found[each] for each in sorted(cluster)]


def depth(piles: Sequence[Pile]) -> int:
    """How many piles have to be read side by side at most."""
    edges = sorted([(pile.first, 0) for pile in piles] + [(pile.last, 1) for pile in piles])
    level, most = 0, 0
    for _, is_end in edges:
        level += -1 if is_end else 1
        most = max(most, level)
    return most


def merge(piles: Sequence[Pile], key: Sequence[str], memory: int) -> Iterator[pa.Table]:
    """The rows of all piles in key order, each pile dropped when it was read. A stretch takes about `memory` bytes,
    twice while it is put in order."""
    starts = [0] * len(piles)
    for stops in [*_stretches(piles, memory), [pile.rows for pile in piles]]:
        yield from ordered(_between(piles, starts, stops), key, memory // 8)
        for pile, start, stop in zip(piles, starts, stops, strict=True):
            if start < stop == pile.rows:
                pile.drop()
        starts = stops


def _stretches(piles: Sequence[Pile], memory: int) -> Iterator[list[int]]:
    """Where each stretch but the last ends in each pile."""
    begins = sorted(
        (Place(batch.first, number, batch.start), batch.size)
        for number, pile in enumerate(piles)
        for batch in pile.batches
    )
    size = 0
    for place, more in begins:
        if size and size + more > memory:
            yield [pile.before(place, number) for number, pile in enumerate(piles)]
            size = 0
        size += more


def _between(piles: Sequence[Pile], starts: Sequence[int], stops: Sequence[int]) -> pa.Table:
    return pa.Table.from_batches(
        batch for pile, start, stop in zip(piles, starts, stops, strict=True) for batch in pile.slice(start, stop)
    )


def ordered(table: pa.Table, key: Sequence[str], size: int) -> Iterator[pa.Table]:
    """The table in key order, in pieces of about `size` bytes; equal keys stay in their order."""
    keys = table.select(list(key))
    rows = max(LEAST_BATCH, int(table.num_rows * size // max(1, table.nbytes)))
    starts = range(0, table.num_rows, rows)
    if is_ordered(keys):
        yield from (table.slice(start, rows) for start in starts)
        return
    order = pc.sort_indices(keys, sort_keys=[(column, "ascending") for column in key])
    if table.column(0).num_chunks > _FEW:
        table = table.combine_chunks()
    for start in starts:
        yield table.take(order.slice(start, rows))
