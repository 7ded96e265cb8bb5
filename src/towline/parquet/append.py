"""What changed, behind everything that is there: the old footer makes room for new chunks, and a new footer follows.

Nothing that stays is read, and the store copies it in one range; what is replaced stays behind as dead bytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from towline.change import RowChange
from towline.errors import Corrupt
from towline.parquet import regroup, verify
from towline.parquet.draft import Draft, Listed
from towline.parquet.footer import Chunk, Group
from towline.parquet.order import Order
from towline.parquet.pieces import Keep, Piece
from towline.parquet.regroup import Batch
from towline.parquet.tablefile import TableFile
from towline.parquet.writer import Encoded, encode
from towline.table import apply, find
from towline.values import Value


def append(file: TableFile, key: tuple[str, ...], changes: Iterable[RowChange], usual: int) -> Draft:
    """The file with these changes; `usual` is how many rows a row group has. One batch of row groups is decoded at a
    time. Corrupt: the changes do not fit the file. verify.Amiss: what was made is not what was meant."""
    appending = _Appending(file, key, usual, [Keep(0, file.footer.start)], file.footer.start, dead=file.footer.dead)
    for batch in regroup.batches(file.footer.rows, Order(file, key).by_group(changes), usual):
        appending.take(batch)
    return Draft(tuple(appending.pieces), tuple(appending.groups), appending.dead)


def applied(table: pa.Table, key: tuple[str, ...], changes: Sequence[RowChange]) -> pa.Table:
    """As `towline.table.apply`. Corrupt also where a row to insert is there already."""
    there = find(table, key, (change.key(key) for change in changes if change.old is None))
    if there:
        raise Corrupt(f"{len(there)} of the rows to insert are in the table already, the first of them {min(there)}")
    return apply(table, key, changes)


@dataclass
class _Appending:
    file: TableFile
    key: tuple[str, ...]
    usual: int
    pieces: list[Piece]
    at: int  # where the next new byte goes
    groups: list[Listed] = field(default_factory=list)
    dead: int = 0

    def take(self, batch: Batch) -> None:
        if batch.is_whole:
            self._whole(batch)
        elif columns := changed_columns(batch.changes, self.file.schema.names):
            self._columns(batch, columns)
        else:
            self.groups += [Listed.kept(self.file.footer, number) for number in batch.groups]

    def _whole(self, batch: Batch) -> None:
        """Row groups anew."""
        for number in batch.groups:
            self.dead += sum(map(_weight, self.file.footer.group(number).chunks))
        after = applied(self.file.read(batch.groups), self.key, batch.changes)
        verify.check_increasing(after, self.key)
        if not after.num_rows:
            return
        encoded = encode(after, self.key, group=regroup.cut(after.num_rows, self.usual))
        row, every = 0, tuple(range(after.num_columns))
        for group, digests in zip(self._placed(encoded), encoded.digests, strict=True):
            self._list(Listed.of(group, digests, every), after.slice(row, group.rows))
            row += group.rows

    def _columns(self, batch: Batch, columns: list[str]) -> None:
        """One row group with these columns anew: its rows stay in their places."""
        number = batch.groups.start
        after = _updated(self.file, number, self.key, batch.changes, columns)
        encoded = encode(after)
        (made,) = self._placed(encoded)
        old = self.file.footer.group(number)
        chunks, digests = list(old.chunks), list(Listed.kept(self.file.footer, number).digests)
        places = tuple(self.file.schema.names.index(column) for column in columns)
        for place, chunk, found in zip(places, made.chunks, encoded.digests[0], strict=True):
            self.dead += _weight(chunks[place])
            chunks[place], digests[place] = chunk, found
        self._list(Listed.of(old.having(chunks), tuple(digests), places), after)

    def _placed(self, encoded: Encoded) -> list[Group]:
        groups, body = encoded.placed(self.at)
        self.pieces.append(body)
        self.at += len(body)
        return groups

    def _list(self, group: Listed, meant: pa.Table) -> None:
        verify.check_group(self.file, self.pieces, group, meant)
        self.groups.append(group)


def _updated(
    file: TableFile, number: int, key: tuple[str, ...], changes: Sequence[RowChange], columns: list[str]
) -> pa.Table:
    """These columns of a row group, with the new values of the changed rows."""
    before = file.read([number], list(dict.fromkeys((*key, *columns))))
    places = find(before, key, (change.key(key) for change in changes))
    if len(places) < len(changes):
        raise Corrupt(f"{len(changes) - len(places)} of the rows to change are not in the table")
    rows = sorted(((places[change.key(key)], change.row) for change in changes), key=itemgetter(0))
    mask = _mask(before.num_rows, [place for place, _ in rows])
    schema = pa.schema([file.schema.field(column) for column in columns])
    values = {column: pa.array([row[column] for _, row in rows], schema.field(column).type) for column in columns}
    replaced = [pc.replace_with_mask(before[column].combine_chunks(), mask, values[column]) for column in columns]
    return pa.table(replaced, schema=schema)


def _mask(count: int, places: Sequence[int]) -> Any:
    """True at these places."""
    mask = bytearray(count)
    for place in places:
        mask[place] = 1
    return pa.Array.from_buffers(pa.uint8(), count, [None, pa.py_buffer(bytes(mask))]).cast(pa.bool_())


def changed_columns(changes: Iterable[RowChange], columns: Sequence[str]) -> list[str]:
    """The columns in which updates change a value, be it the sign of a zero."""
    changed = {column for c in changes for column in columns if not _is_same(_old(c)[column], c.row[column])}
    return [column for column in columns if column in changed]


def _old(change: RowChange) -> Any:
    return change.old


def _is_same(one: Value, other: Value) -> bool:
    if not isinstance(one, float) or not isinstance(other, float):
        return one.__class__ is other.__class__ and one == other
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    return one == other and math.copysign(1, one) == math.copysign(1, other)


def _weight(chunk: Chunk) -> int:
    """Bytes of a chunk: its pages, and their indexes."""
    spans = [(chunk.start, chunk.stop), chunk.column_index, chunk.offset_index]
    return sum(span[1] - span[0] for span in spans if span)
