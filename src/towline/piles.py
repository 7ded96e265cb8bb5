"""Sorting more rows than memory holds: piles of rows in key order on disk, and merging them.

A pile is a file of record batches in key order. Those whose keys do not overlap are read one after the other; those
that do are read side by side, a batch of each, and everything up to the smallest of their last keys is sorted and
handed on. Rows of equal keys stay in the order they came in: that of their piles, and of the rows in each.

Order is Arrow's, as in every master (`towline.table.sort`): numbers before NaN, and null last.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from towline.errors import Unavailable
from towline.values import Value

Rank = tuple[tuple[int, Any], ...]  # a key such that Python orders it as Arrow does
FAN_IN = 64  # piles that are read side by side
LEAST_BATCH = 256  # rows
_THREADS = ThreadPoolExecutor(pa.cpu_count(), "columns")


def rank(values: Iterable[Value]) -> Rank:
    return tuple((2, 0) if value is None else (1, 0) if value != value else (0, value) for value in values)


def rank_at(table: pa.Table, key: Sequence[str], row: int) -> Rank:
    return rank(table[column][row].as_py() for column in key)


@dataclass(frozen=True)
class Pile:
    """Rows in key order, from the first key to the last. `read` gives them in pieces; `drop` frees their room. One that
    is `heavy` takes too much memory to be read beside others: it is not in batches of our own."""

    first: Rank
    last: Rank
    read: Callable[[], Iterator[pa.Table]]
    drop: Callable[[], None]
    heavy: bool = False


class Piles:
    """Piles in a directory, of tables of one schema. `memory` bounds the bytes of rows at hand at once."""

    def __init__(self, directory: Path, schema: pa.Schema, key: Sequence[str], memory: int) -> None:
        self._directory, self._schema, self._key, self._memory = directory, schema, key, memory
        self._piles: list[Pile] = []
        self._heap: list[pa.Table] = []  # rows that are on no pile yet
        self._size, self._names = 0, count()

    def add(self, table: pa.Table) -> None:
        """Rows in any order."""
        self._heap.append(table)
        self._size += table.nbytes
        if self._size > self._memory // 3:
            self._flush()

    def add_sorted(self, pile: Pile) -> None:
        """A pile that is there already."""
        self._flush()
        self._piles.append(pile)

    def rows(self) -> Iterator[pa.Table]:
        """All rows in key order. The piles are gone afterwards."""
        if self._heap and not self._piles:
            yield from self._take_heap()
            return
        self._flush()
        self._piles = list(self._lightened())
        while len(self._piles) > FAN_IN and depth(self._piles) > FAN_IN:
            self._piles = [self._merged(self._piles[n : n + FAN_IN]) for n in range(0, len(self._piles), FAN_IN)]
        yield from merge(self._piles, self._key)

    def _lightened(self) -> Iterator[Pile]:
        """The piles, those written anew that are too heavy for being read beside others."""
        beside = overlapping(self._piles)
        for number, pile in enumerate(self._piles):
            if pile.heavy and number in beside:
                yield self._write(pile.read())
                pile.drop()
            else:
                yield pile

    def _merged(self, piles: Sequence[Pile]) -> Pile:
        return self._write(merge(piles, self._key))

    def _flush(self) -> None:
        if self._heap:
            self._piles.append(self._write(self._take_heap()))

    def _take_heap(self) -> Iterator[pa.Table]:
        table = pa.concat_tables(self._heap)
        self._heap, self._size = [], 0
        return ordered(table, self._key, self._batch(table))

    def _batch(self, table: pa.Table) -> int:
        """Rows of such a table that take a pile's share of the memory when as many as can be are merged."""
        share = self._memory // (3 * FAN_IN)
        return max(LEAST_BATCH, int(table.num_rows * share // max(1, table.nbytes)))

    def _write(self, tables: Iterator[pa.Table]) -> Pile:
        check_room(self._directory, self._memory // 2)
        path = self._directory / f"{next(self._names)}.pile"
        first = last = None
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, self._schema) as out:
            for table in tables:
                first = first or rank_at(table, self._key, 0)
                last = rank_at(table, self._key, table.num_rows - 1)
                out.write_table(table, max_chunksize=self._batch(table))
        pa.default_memory_pool().release_unused()
        return Pile(first or (), last or (), lambda: _read(path), path.unlink)


def check_room(directory: Path, needed: int) -> None:
    """Unavailable where the disk has fewer bytes than will be needed next."""
    free = shutil.disk_usage(directory).free
    if free < needed:
        raise Unavailable(
            f"{directory.parent} has {free:,} bytes free, and flattening needs {needed:,} more: make room, or give it "
            "another work directory"
        )


def overlapping(piles: Sequence[Pile]) -> set[int]:
    """The numbers of those that share a stretch of keys with another."""
    found: set[int] = set()
    widest: int | None = None  # of those that begin no later, the one that ends last
    for number in sorted(range(len(piles)), key=lambda number: piles[number].first):
        if widest is not None and piles[number].first <= piles[widest].last:
            found |= {number, widest}
        if widest is None or piles[widest].last < piles[number].last:
            widest = number
    return found


def depth(piles: Sequence[Pile]) -> int:
    """How many piles have to be read side by side at most."""
    edges = sorted([(pile.first, 0) for pile in piles] + [(pile.last, 1) for pile in piles])
    level, most = 0, 0
    for _, is_end in edges:
        level += -1 if is_end else 1
        most = max(most, level)
    return most


def merge(piles: Sequence[Pile], key: Sequence[str]) -> Iterator[pa.Table]:
    """The rows of all piles in key order, each pile dropped when it was read."""
    waiting = sorted(enumerate(piles), key=lambda numbered: (numbered[1].first, numbered[0]), reverse=True)
    tops: list[_Top] = []
    while waiting or tops:
        while waiting and (not tops or (waiting[-1][1].first, waiting[-1][0]) < _bound(tops)):
            number, pile = waiting.pop()
            tops.append(_Top(number, pile, key))
        bound = _bound(tops)
        pieces = [top.take(bound) for top in sorted(tops, key=lambda top: top.number)]
        yield from _joined([piece for piece in pieces if piece.num_rows], key)
        tops = [top for top in tops if top.filled()]


class _Top:
    """The batch of a pile that is next. A pile is never empty.

    `end` is its last key with the pile's number, which is what orders equal keys.
    """

    def __init__(self, number: int, pile: Pile, key: Sequence[str]) -> None:
        self.number, self._pile, self._key = number, pile, key
        self._tables = pile.read()
        self._hold(next(self._tables))

    def _hold(self, table: pa.Table) -> None:
        self._table, self._at = table, 0
        self._keys = [table[column].combine_chunks() for column in self._key]
        self.end = self._rank(table.num_rows - 1), self.number

    def take(self, bound: tuple[Rank, int]) -> pa.Table:
        """The rows that come no later than `bound`."""
        low, high = self._at, self._table.num_rows
        while low < high:
            middle = (low + high) // 2
            if (self._rank(middle), self.number) <= bound:
                low = middle + 1
            else:
                high = middle
        start, self._at = self._at, low
        return self._table.slice(start, low - start)

    def filled(self) -> bool:
        """Whether there are rows left: the next batch is read when this one is used up."""
        if self._at < self._table.num_rows:
            return True
        table = next(self._tables, None)
        if table is None:
            self._pile.drop()
            return False
        self._hold(table)
        return True

    def _rank(self, row: int) -> Rank:
        return rank(column[row].as_py() for column in self._keys)


def _bound(tops: Sequence[_Top]) -> tuple[Rank, int]:
    return min(top.end for top in tops)


def _joined(pieces: Sequence[pa.Table], key: Sequence[str]) -> Iterator[pa.Table]:
    if len(pieces) == 1:
        yield pieces[0]
    elif pieces:
        table = pa.concat_tables(pieces)
        yield from ordered(table, key, table.num_rows)


def ordered(table: pa.Table, key: Sequence[str], rows: int) -> Iterator[pa.Table]:
    """The table in key order, in pieces of so many rows; equal keys stay in their order."""
    keys = table.select(list(key))
    starts = range(0, table.num_rows, rows)
    if is_ordered(keys):
        yield from (table.slice(start, rows) for start in starts)
        return
    order = pc.sort_indices(keys, sort_keys=[(column, "ascending") for column in key])
    table = table.combine_chunks()
    for start in starts:
        yield take(table, order.slice(start, rows))


def take(table: pa.Table, rows: pa.Array) -> pa.Table:
    """These rows, the columns side by side."""
    columns = list(_THREADS.map(lambda column: column.take(rows), table.columns))
    return pa.Table.from_arrays(columns, schema=table.schema)


def is_ordered(keys: pa.Table) -> bool:
    """Whether the rows are in key order; False also where a null or a NaN makes that hard to tell."""
    if keys.num_rows < 2:
        return True
    before, after = keys.slice(0, keys.num_rows - 1), keys.slice(1)
    in_order = pa.scalar(True)  # equal keys are
    for name in reversed(keys.column_names):
        less, same = pc.less(before[name], after[name]), pc.equal(before[name], after[name])
        in_order = pc.or_(less, pc.and_(same, in_order))
    return bool(pc.all(pc.fill_null(in_order, False)).as_py())


def _read(path: Path) -> Iterator[pa.Table]:
    with pa.OSFile(str(path), "rb") as file, pa.ipc.open_stream(file) as batches:
        for batch in batches:
            yield pa.Table.from_batches([batch])
