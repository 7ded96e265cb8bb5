"""Rows of a table by key, wherever the table lies: what a proposal is merged onto, held against and checked on.

A proposal names the rows that it changes, and a commit needs no others. So whoever merges asks for rows by key, and
only who must have everything (a table file, a small master that is written anew) asks for the whole table.

    InMemory    a table that was read
    Filed       a table in a file, of which only what is asked for is read
    Edited      other rows, with changes on top: what a commit makes of the head, and what its next proposal sees
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from towline import table as tables
from towline.diff import Diff
from towline.parquet.compare import Grouped, OfFile, OfTable, changes
from towline.parquet.tablefile import TableFile, may_hold
from towline.values import Key, Row, Value

_AT_ONCE = 16  # row groups of which one column is read together


class Rows(Protocol):
    """A table with a key, sorted by it, of which single rows can be had.

    `values` gives the key and the cell of each row whose cell in `column` holds one of `wanted` (none of them null), in
    pieces of a row group or so; -0.0 and 0.0 are one value, and so are all NaN. `filled` counts the cells that are not
    null. Each may raise Corrupt and, where the table lies in a store, the store's errors.
    """

    @property
    def schema(self) -> pa.Schema: ...

    @property
    def num_rows(self) -> int: ...

    def rows(self, keys: Iterable[Key]) -> dict[Key, Row]:
        """The rows with these keys; a key that is not there is not in the answer."""
        ...

    def values(self, column: str, wanted: Sequence[Value]) -> Iterator[pa.Table]: ...

    def filled(self) -> int: ...

    def table(self) -> pa.Table:
        """All of it."""
        ...


@dataclass(frozen=True)
class InMemory:
    """A table that is in memory as a whole."""

    whole: pa.Table
    key: tuple[str, ...]

    @property
    def schema(self) -> pa.Schema:
        return self.whole.schema

    @property
    def num_rows(self) -> int:
        return int(self.whole.num_rows)

    def rows(self, keys: Iterable[Key]) -> dict[Key, Row]:
        return tables.rows_by_key(self.whole, self.key, keys)

    def values(self, column: str, wanted: Sequence[Value]) -> Iterator[pa.Table]:
        yield self.whole.select(list(dict.fromkeys((*self.key, column)))).filter(holds(self.whole[column], wanted))

    def filled(self) -> int:
        return sum(len(column) - column.null_count for column in self.whole.columns)

    def table(self) -> pa.Table:
        return self.whole


@dataclass(frozen=True)
class Filed:
    """A table in a file that is sorted by `key`."""

    file: TableFile
    key: tuple[str, ...]

    @property
    def schema(self) -> pa.Schema:
        return self.file.schema

    @property
    def num_rows(self) -> int:
        return self.file.num_rows

    def rows(self, keys: Iterable[Key]) -> dict[Key, Row]:
        """What was asked for once is kept: a proposal made on the head asks for the same rows as base and as head."""
        wanted = set(keys)
        unknown = wanted - self._known.keys()
        self._known.update({**dict.fromkeys(unknown), **self.file.rows(unknown, self.key)})
        return {key: row for key in wanted if (row := self._known[key]) is not None}

    @cached_property
    def _known(self) -> dict[Key, Row | None]:
        return {}

    def values(self, column: str, wanted: Sequence[Value]) -> Iterator[pa.Table]:
        """The column is read of the row groups whose statistics allow for a value, some at once, and the keys of those
        that do hold one."""
        known = enumerate(self.file.bounds(column))
        maybe = [group for group, of in known if any(may_hold(of, value) for value in wanted)]
        for groups in (maybe[at : at + _AT_ONCE] for at in range(0, len(maybe), _AT_ONCE)):
            there = list(compress(groups, self._hold(groups, column, wanted)))
            found = InMemory(self.file.read(there, list(dict.fromkeys((*self.key, column)))), self.key)
            yield from found.values(column, wanted)

    def _hold(self, groups: Sequence[int], column: str, wanted: Sequence[Value]) -> Iterator[bool]:
        """Of each of these row groups, whether it holds one of the values."""
        mask, at = holds(self.file.read(groups, [column])[column], wanted), 0
        for group in groups:
            rows = self.file.footer.rows[group]
            yield bool(pc.any(mask.slice(at, rows)).as_py())
            at += rows

    def filled(self) -> int:
        return sum(self.num_rows - self._nulls(name) for name in self.schema.names)

    def _nulls(self, column: str) -> int:
        told = self.file.nulls(column)
        known = [count for count in told if count is not None]
        if len(known) == len(told):
            return sum(known)
        return sum(table[column].null_count for table in self.file.tables([column]))

    def table(self) -> pa.Table:
        return self.file.table()


@dataclass(frozen=True)
class Edited:
    """`under` with the changes of `diff` on top, each of which begins with what `under` holds. Made by `edited`."""

    under: Rows
    diff: Diff

    @property
    def schema(self) -> pa.Schema:
        return self.under.schema

    @property
    def num_rows(self) -> int:
        return self.under.num_rows + self.diff.count("insert") - self.diff.count("delete")

    @cached_property
    def _on_top(self) -> Mapping[Key, Row | None]:
        """The changed rows as they are now; None is a row that is gone."""
        return {change.key(self.diff.key): change.new for change in self.diff.changes}

    def rows(self, keys: Iterable[Key]) -> dict[Key, Row]:
        wanted = set(keys)
        found = {key: row for key in wanted if (row := self._on_top.get(key)) is not None}
        return found | self.under.rows(wanted - self._on_top.keys())

    def values(self, column: str, wanted: Sequence[Value]) -> Iterator[pa.Table]:
        for found in self.under.values(column, wanted):
            keys = zip(*(found[name].to_pylist() for name in self.diff.key), strict=True)
            yield found.filter(pa.array([key not in self._on_top for key in keys], pa.bool_()))
        changed = tables.from_rows((row for row in self._on_top.values() if row is not None), self.schema)
        yield from InMemory(changed, self.diff.key).values(column, wanted)

    def filled(self) -> int:
        more = sum(_filled(change.new) - _filled(change.old) for change in self.diff.changes)
        return self.under.filled() + more

    @cached_property
    def _table(self) -> pa.Table:
        return tables.apply(self.under.table(), self.diff.key, self.diff.changes)

    def table(self) -> pa.Table:
        return self._table


def edited(rows: Rows, diff: Diff) -> Rows:
    """`rows` with the changes on top. Of what has changes on top already the two become one layer: a commit of many
    proposals is one change of the head."""
    if isinstance(rows, Edited):
        return edited(rows.under, rows.diff + diff)
    return Edited(rows, diff) if diff else rows


def is_same(one: Rows, other: Rows) -> bool:
    """Whether these are the rows of one reading of one table."""
    both_read = isinstance(one, InMemory) and isinstance(other, InMemory) and one.whole is other.whole
    return one is other or both_read


def difference(old: Rows, new: Rows, key: tuple[str, ...]) -> Diff:
    """What turns `old` into `new`: of what lies in files, no more is read than differs.

    UsageError: they have different columns. Corrupt: a file is not what it claims, or not in key order.
    """
    return Diff(key) if is_same(old, new) else Diff(key, tuple(changes(grouped(old), grouped(new), key)))


def pieces(rows: Rows, columns: Sequence[str]) -> Iterator[pa.Table]:
    """These columns of all rows in key order, a row group or so at a time."""
    whole = grouped(rows)
    return (whole.read(group, columns) for group in range(len(whole.counts)))


def grouped(rows: Rows) -> Grouped:
    """The rows as they lie in row groups: what must see all of them need not have them at hand at once."""
    if isinstance(rows, Filed):
        return OfFile.claiming(rows.file)
    return rows if isinstance(rows, Grouped) else OfTable(rows.table())


def holds(cells: pa.ChunkedArray, wanted: Sequence[Value]) -> pa.ChunkedArray:
    """Where a column holds one of these values, none of which is null. Arrow tells -0.0 from 0.0, and we do not."""
    both = [-value for value in wanted if isinstance(value, float) and value == 0]
    return pc.is_in(cells, value_set=pa.array([*wanted, *both], cells.type))


def _filled(row: Row | None) -> int:
    return sum(value is not None for value in (row or {}).values())
