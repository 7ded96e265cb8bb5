"""What changed, behind everything that is there: the old footer makes room for new chunks, and a new footer follows.

Nothing that stays is read, and the store copies it in one range; what is replaced stays behind as dead bytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from towline.change import RowChange
from towline.errors import Corrupt
from towline.parquet import regroup, verify
from towline.parquet.footer import Chunk, Group
from towline.parquet.order import Order
from towline.parquet.outline import Listed, Outline
from towline.parquet.pieces import Keep, Piece
from towline.parquet.regroup import Batch
from towline.parquet.source import Held, Span, size, together
from towline.parquet.tablefile import TableFile
from towline.parquet.writer import Encoded, encode
from towline.table import apply, find
from towline.values import Value


def append(file: TableFile, key: tuple[str, ...], changes: Iterable[RowChange], usual: int) -> Outline:
    """The file with these changes; `usual` is how many rows a row group has. One batch of row groups is decoded at a
    time. Corrupt: the changes do not fit the file. verify.Amiss: what was made is not what was meant."""
    appending = _Appending(file, key, usual, [Keep(0, file.footer.start)], file.footer.start, dead=file.footer.dead)
    batches = regroup.batches(file.footer.rows, Order(file, key).by_group(changes), usual)
    for tasks in together((_task(file, key, batch) for batch in batches), lambda task: size(task.spans)):
        ready = replace(file, source=Held.of(file.source, (span for task in tasks for span in task.spans)))
        for task in tasks:
            appending.take(task, ready)
    return Outline(tuple(appending.pieces), tuple(appending.groups), appending.dead)


@dataclass(frozen=True)
class _Task:
    """A batch and what it takes: the columns that are written anew, the row groups as they are (none, where nothing is
    written), and what has to be read of them."""

    batch: Batch
    columns: tuple[str, ...] = ()
    groups: tuple[Group, ...] = ()
    spans: tuple[Span, ...] = ()


def _task(file: TableFile, key: tuple[str, ...], batch: Batch) -> _Task:
    names = tuple(file.schema.names)
    columns = names if batch.is_whole else tuple(changed_columns(batch.changes, names))
    if not columns:
        return _Task(batch)
    groups = tuple(file.footer.group(number) for number in batch.groups)
    is_placed = not batch.is_whole and file.has_places(batch.groups.start, batch.keys(key), key)
    read = [names.index(column) for column in dict.fromkeys((*(() if is_placed else key), *columns))]
    return _Task(batch, columns, groups, tuple(group.spans[column] for group in groups for column in read))


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

    def take(self, task: _Task, file: TableFile) -> None:
        """`file` has at hand what the task reads."""
        if task.batch.is_whole:
            self._whole(task, file)
        elif task.groups:
            self._columns(task, file)
        else:
            self.groups += [Listed.kept(file.footer, number) for number in task.batch.groups]

    def _whole(self, task: _Task, file: TableFile) -> None:
        """Row groups anew."""
        self.dead += sum(_weight(chunk) for group in task.groups for chunk in group.chunks)
        after = applied(file.read(task.batch.groups), self.key, task.batch.changes)
        if not verify.is_increasing(after, self.key):
            raise verify.Amiss("the rows of a row group are not in key order, or a key is there twice")
        if not after.num_rows:
            return
        encoded = encode(after, self.key, group=regroup.cut(after.num_rows, self.usual))
        row, every = 0, tuple(range(after.num_columns))
        for group, digests in zip(self._placed(encoded), encoded.digests, strict=True):
            self._list(Listed.of(group, digests, every), after.slice(row, group.rows))
            row += group.rows

    def _columns(self, task: _Task, file: TableFile) -> None:
        """One row group with some columns anew: its rows stay in their places."""
        number, old = task.batch.groups.start, task.groups[0]
        after = _updated(file, number, self.key, task)
        encoded = encode(after, group=after.num_rows)  # it stays one group, also beyond the usual size
        (made,) = self._placed(encoded)
        chunks, digests = list(old.chunks), list(Listed.kept(file.footer, number).digests)
        places = tuple(file.schema.names.index(column) for column in task.columns)
        for place, chunk, found in zip(places, made.chunks, encoded.digests[0], strict=True):
            self.dead += _weight(chunks[place])
            chunks[place], digests[place] = chunk, found
        self._list(Listed.of(old.having(chunks), tuple(digests), places), after)

    def _placed(self, encoded: Encoded) -> list[Group]:
        groups, pieces = encoded.placed(self.at)
        body = b"".join(pieces)
        self.pieces.append(body)
        self.at += len(body)
        return groups

    def _list(self, group: Listed, meant: pa.Table) -> None:
        verify.check_group(self.file, self.pieces, group, meant)
        self.groups.append(group)


def _updated(file: TableFile, number: int, key: tuple[str, ...], task: _Task) -> pa.Table:
    """The task's columns of a row group, with the new values of the changed rows."""
    columns, changes = task.columns, task.batch.changes
    before, places = file.read([number], columns), file.places(number, task.batch.keys(key), key)
    if len(places) < len(changes):
        raise Corrupt(f"{len(changes) - len(places)} of the rows to change are not in the table")
    rows = sorted(((places[change.key(key)], change.row) for change in changes), key=itemgetter(0))
    mask = _mask(before.num_rows, [place for place, _ in rows])
    schema = pa.schema([file.schema.field(column) for column in columns])
    values = (pa.array([row[field.name] for _, row in rows], field.type) for field in schema)
    whole = (before[column].combine_chunks() for column in columns)
    return pa.table([pc.replace_with_mask(old, mask, new) for old, new in zip(whole, values, strict=True)], schema)


def _mask(count: int, places: Sequence[int]) -> Any:
    """True at these places."""
    mask = bytearray(count)
    for place in places:
        mask[place] = 1
    return pa.Array.from_buffers(pa.uint8(), count, [None, pa.py_buffer(bytes(mask))]).cast(pa.bool_())


def changed_columns(changes: Iterable[RowChange], columns: Sequence[str]) -> list[str]:
    """The columns in which updates change a value, be it the sign of a zero."""
    rows = [(change.old, change.new) for change in changes if change.old is not None and change.new is not None]
    return [column for column in columns if not all(_is_same(old[column], new[column]) for old, new in rows)]


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
