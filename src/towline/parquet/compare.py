"""The difference of two large tables in key order, by the digests of their column chunks: what stands in both is not
read.

A **digest** is of the bytes of one column of one row group. Both tables are sorted by key and keys are unique, so row
groups with the same keys are found by the digests of their key columns alone, and lie in the same order on both sides:

    old and new group                    are compared
    -----------------------------------  ------------------------------------------------------------------
    equal in all digests                 not at all
    equal in those of the key columns    in the columns whose digests differ; of rows that differ all is read
    others, between two such pairs       as one stretch, joined by key: a few groups of each side at a time

Equal digests mean equal values. The reverse is not so, and need not be: other bytes are read and compared by value, as
`diff.diff` compares, to which everything here gives the same answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from typing import Protocol, runtime_checkable

import pyarrow as pa
import pyarrow.compute as pc

from towline.ahead import ahead
from towline.change import RowChange, same_row
from towline.diff import check_schemas, diff, unequal
from towline.errors import Corrupt
from towline.parquet.tablefile import TableFile
from towline.ranks import Rank, is_ordered, rank, rank_at, up_to

READERS = 4  # steps that are read at once; each holds one or two row groups of either side
FEW = 4  # row groups of a stretch that are read at once, as a step beside others; more are read one after the other


@runtime_checkable
class Grouped(Protocol):
    """A table in key order that is read by row groups. `counts` are the rows of each, `digests` (16 bytes a column,
    in the schema's order) tell of each what is in it; None: nothing tells."""

    @property
    def where(self) -> str: ...

    @property
    def schema(self) -> pa.Schema: ...

    @property
    def counts(self) -> Sequence[int]: ...

    @property
    def digests(self) -> Sequence[tuple[bytes, ...]] | None: ...

    def read(self, group: int, columns: Sequence[str] | None = None) -> pa.Table:
        """The rows of a group, these columns of them (None: all)."""
        ...

    def take(self, group: int, places: Sequence[int]) -> pa.Table:
        """The rows at these places of a group, all columns of them."""
        ...


@dataclass(frozen=True)
class OfTable:
    """A table at hand, as if it lay in one row group."""

    table: pa.Table
    where: str = "the table at hand"
    digests: Sequence[tuple[bytes, ...]] | None = None

    @property
    def schema(self) -> pa.Schema:
        return self.table.schema

    @property
    def counts(self) -> Sequence[int]:
        return [self.table.num_rows]

    def read(self, group: int, columns: Sequence[str] | None = None) -> pa.Table:
        return self.table if columns is None else self.table.select(list(columns))

    def take(self, group: int, places: Sequence[int]) -> pa.Table:
        return self.table.take(list(places))


@dataclass(frozen=True)
class OfFile:
    """A table in a file, with the digests that are believed of it."""

    file: TableFile
    digests: Sequence[tuple[bytes, ...]] | None

    @classmethod
    def claiming(cls, file: TableFile) -> OfFile:
        """With the digests that the file claims itself."""
        return cls(file, file.footer.digests)

    @property
    def where(self) -> str:
        return self.file.source.where

    @property
    def schema(self) -> pa.Schema:
        return self.file.schema

    @property
    def counts(self) -> Sequence[int]:
        return self.file.footer.rows

    def read(self, group: int, columns: Sequence[str] | None = None) -> pa.Table:
        found = self.file.read([group], columns)
        if found.num_rows != self.counts[group]:
            said = f"row group {group} has {found.num_rows:,} rows, and its footer says {self.counts[group]:,}"
            raise Corrupt(f"{self.where}: {said}")
        return found

    def take(self, group: int, places: Sequence[int]) -> pa.Table:
        return self.file.take(group, places)


@dataclass(frozen=True)
class Pair:
    """Two groups with the same keys, and the columns whose digests differ."""

    old: int
    new: int
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Stretch:
    """Groups of both sides between two pairs; of one side there may be none."""

    old: range
    new: range

    @property
    def is_short(self) -> bool:
        return max(len(self.old), len(self.new)) <= FEW


def changes(old: Grouped, new: Grouped, key: tuple[str, ...]) -> Iterator[RowChange]:
    """What turns `old` into `new`, in key order, found while it is consumed.

    UsageError: they have different columns. Corrupt: the rows of one are not in key order.
    """
    check_schemas(old.schema, new.schema)
    last: Rank = ()
    for found in ahead(partial(_taken, old, new, key), steps(old, new, key), READERS):
        for change in found:
            # Groups that changed places would make of one row two changes.
            if (at := rank(change.key(key))) <= last:
                raise _unordered(f"{old.where} or {new.where}", key)
            last = at
            yield change


def steps(old: Grouped, new: Grouped, key: tuple[str, ...]) -> Iterator[Pair | Stretch]:
    """What has to be compared, in key order."""
    above, beside = 0, 0  # the first groups that were not looked at yet
    for one, other in [*_same_keys(old, new, key), (len(old.counts), len(new.counts))]:
        if above < one or beside < other:
            yield Stretch(range(above, one), range(beside, other))
        above, beside = one + 1, other + 1
        if one < len(old.counts) and (columns := _differing(old, new, one, other)):
            yield Pair(one, other, columns)


def _same_keys(old: Grouped, new: Grouped, key: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    """The groups that hold the same keys on both sides, by their numbers there. Groups without rows are none."""
    if old.digests is None or new.digests is None:
        return
    at = [old.schema.get_field_index(column) for column in key]
    there = {_identity(new, group, at): group for group, rows in enumerate(new.counts) if rows}
    last = -1
    for group in range(len(old.counts)):
        found = there.get(_identity(old, group, at), -1)
        if found > last:
            yield group, found
            last = found


def _identity(side: Grouped, group: int, at: Sequence[int]) -> tuple[object, ...]:
    assert side.digests is not None  # noqa: S101 - its caller looked
    return side.counts[group], *(side.digests[group][column] for column in at)


def _differing(old: Grouped, new: Grouped, one: int, other: int) -> tuple[str, ...]:
    assert old.digests is not None and new.digests is not None  # noqa: S101, PT018 - they were paired by them
    digests = zip(old.schema.names, old.digests[one], new.digests[other], strict=True)
    return tuple(column for column, before, after in digests if before != after)


def _taken(old: Grouped, new: Grouped, key: tuple[str, ...], step: Pair | Stretch) -> Iterable[RowChange]:
    """The changes of a step: found at once, or, where it is long, while they are consumed."""
    if isinstance(step, Pair):
        return _of_pair(old, new, step)
    found = _joined(old, new, step, key)
    return list(found) if step.is_short else found


def _of_pair(old: Grouped, new: Grouped, pair: Pair) -> list[RowChange]:
    before, after = old.read(pair.old, pair.columns), new.read(pair.new, pair.columns)
    rows = pc.indices_nonzero(reduce(pc.or_, (unequal(before[name], after[name]) for name in pair.columns)))
    if not len(rows):
        return []
    olds = news = old.take(pair.old, rows.to_pylist())
    for name in pair.columns:
        at = news.schema.get_field_index(name)
        news = news.set_column(at, news.schema.field(at), after[name].take(rows))
    sides = zip(olds.to_pylist(), news.to_pylist(), strict=True)
    return [RowChange(one, other) for one, other in sides if not same_row(one, other)]


def walk(side: Grouped, groups: range, key: tuple[str, ...]) -> Iterator[pa.Table]:
    """The rows of these groups, those of one after those of the other, each of which is read while the one before it is
    used. Corrupt: they are not in key order."""
    last: Rank = ()
    for table in ahead(side.read, groups, 1):
        if table.num_rows:
            if not is_ordered(table.select(list(key))) or rank_at(table, key, 0) < last:
                raise _unordered(side.where, key)
            last = rank_at(table, key, table.num_rows - 1)
            yield table


def _unordered(where: str, key: Iterable[str]) -> Corrupt:
    return Corrupt(f"the rows of {where} are not in key order ({', '.join(key)})")


def _joined(old: Grouped, new: Grouped, stretch: Stretch, key: tuple[str, ...]) -> Iterator[RowChange]:
    """The changes of a stretch: up to where the rows of both sides are known, again and again."""
    sides = _Side(old, stretch.old, key), _Side(new, stretch.new, key)
    while ends := [side.end for side in sides if side.fill()]:
        before, after = (side.take(min(ends)) for side in sides)
        yield from diff(before, after, key).changes


class _Side:
    """The rows of one side of a stretch in key order, a group at hand. `end` is the last key of that."""

    def __init__(self, side: Grouped, groups: range, key: tuple[str, ...]) -> None:
        self._key, self._tables, self.end = list(key), walk(side, groups, key), rank(())
        self._hold(side.schema.empty_table())

    def _hold(self, table: pa.Table) -> None:
        self._table, self._keys, self._at = table, table.select(self._key).combine_chunks(), 0

    def fill(self) -> bool:
        """Whether there are rows left: the next group is read when this one is used up."""
        if self._at < self._table.num_rows:
            return True
        table = next(self._tables, None)
        if table is None:
            return False
        self._hold(table)
        self.end = rank_at(table, self._key, table.num_rows - 1)
        return True

    def take(self, bound: Rank) -> pa.Table:
        """The rows that come no later than `bound`."""
        start, self._at = self._at, up_to(self._keys, self._key, bound, self._at)
        return self._table.slice(start, self._at - start)
