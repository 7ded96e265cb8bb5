"""The master as an Arrow table: its canonical Parquet form, finding rows by key, applying changes.

The canonical form itself is in `towline.parquet.writer`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from towline.change import RowChange, key_of
from towline.errors import Corrupt
from towline.parquet import writer as canonical
from towline.parquet.writer import ROW_GROUP, writer
from towline.values import Key, Row

__all__ = ["ROW_GROUP", "apply", "commit_of", "find", "from_parquet", "from_rows", "rows_by_key", "sort", "summary"]
__all__ += ["to_parquet", "without_negative_zero", "writer"]


def sort(table: pa.Table, key: Sequence[str]) -> pa.Table:
    """The rows in key order: every master, snapshot and export has one order. A key of -0.0 becomes 0.0: the two are
    the same key, and Arrow would take them for two."""
    return without_negative_zero(table, key).sort_by([(column, "ascending") for column in key]).combine_chunks()


def without_negative_zero(table: pa.Table, key: Sequence[str]) -> pa.Table:
    """The table with 0.0 for each -0.0 in its key."""
    for column in key:
        at = table.schema.get_field_index(column)
        if pa.types.is_floating(table.schema.field(at).type):
            table = table.set_column(at, table.schema.field(at), pc.add(table[column], 0.0))
    return table


def to_parquet(table: pa.Table, key: Sequence[str], *, commit: str, number: int) -> bytes:
    """The canonical bytes of a table that is sorted by key."""
    return canonical.to_parquet(table, key, canonical.commit_metadata(commit, number))


def from_parquet(body: bytes, where: str) -> pa.Table:
    """The table in a Parquet file, without its metadata; Corrupt, naming `where`, if it is none."""
    try:
        table = pq.ParquetFile(pa.BufferReader(body)).read()
    except (pa.ArrowException, OSError) as error:
        raise Corrupt(f"{where} is not a Parquet table: {error}") from error
    return table.replace_schema_metadata(None)


def commit_of(body: bytes) -> str | None:
    """The commit id that a Parquet file carries inside, if it is a Towline file."""
    try:
        metadata = pq.read_metadata(pa.BufferReader(body)).metadata or {}
    except (pa.ArrowException, OSError):
        return None
    commit = metadata.get(canonical.COMMIT.encode())
    return None if commit is None else commit.decode()


def find(table: pa.Table, key: tuple[str, ...], keys: Iterable[Key]) -> dict[Key, int]:
    """The row numbers of these keys; a key that is not in the table is not in the answer.

    A vectorised filter per key column leaves few candidates, and only those become Python values.
    """
    wanted = {tuple(value + 0.0 if isinstance(value, float) else value for value in k) for k in keys}
    if not wanted or not table.num_rows:
        return {}
    masks = (
        pc.is_in(table[column], value_set=pa.array({k[i] for k in wanted}, table.schema.field(column).type))
        for i, column in enumerate(key)
    )
    numbers = pc.indices_nonzero(reduce(pc.and_, masks))
    rows = table.select(list(key)).take(numbers).to_pylist()
    found = {key_of(row, key): number for row, number in zip(rows, numbers.to_pylist(), strict=True)}
    return {k: found[k] for k in wanted & found.keys()}


def rows_by_key(table: pa.Table, key: tuple[str, ...], keys: Iterable[Key]) -> dict[Key, Row]:
    """The rows with these keys, as Python values."""
    found = find(table, key, keys)
    rows = table.take(list(found.values())).to_pylist() if found else []
    return dict(zip(found, rows, strict=True))


def from_rows(rows: Iterable[Row], schema: pa.Schema) -> pa.Table:
    """A table of Python rows."""
    return pa.Table.from_pylist([dict(row) for row in rows], schema=schema)


def apply(table: pa.Table, key: tuple[str, ...], changes: Sequence[RowChange]) -> pa.Table:
    """The table after these changes, sorted by key. Each change's `old` must be what the table holds."""
    if not changes:
        return table
    gone = find(table, key, (change.key(key) for change in changes if change.old is not None))
    missing = sum(change.old is not None for change in changes) - len(gone)
    if missing:
        raise Corrupt(f"{missing} of the rows to change are not in the table")
    added = from_rows((change.new for change in changes if change.new is not None), table.schema)
    order, is_sorted = _places(table.num_rows, gone, changes, key)
    result = pa.concat_tables([table, added]).take(order).combine_chunks()
    return result if is_sorted else sort(result, key)


def _places(
    count: int, there: Mapping[Key, int], changes: Sequence[RowChange], key: tuple[str, ...]
) -> tuple[Any, bool]:
    """Which of `count` rows and of the rows that the changes bring make the new table, in its order: a row that is
    changed stays in its place, so that without inserts the order by key is kept. Whether it is."""
    places: list[int | None] = list(range(count))
    number = count
    for change in changes:
        place = None if change.old is None else there[change.key(key)]
        if change.new is None:
            assert place is not None  # noqa: S101 - a change has one side at least
            places[place] = None
            continue
        if place is None:
            places.append(number)
        else:
            places[place] = number
        number += 1
    kept = pa.array([place for place in places if place is not None], pa.int64())
    return kept, all(change.old is not None for change in changes)


class Sized(Protocol):
    @property
    def num_rows(self) -> int: ...

    @property
    def schema(self) -> pa.Schema: ...


def summary(table: Sized) -> Mapping[str, int]:
    """The two counts that an audit record states."""
    return {"row_count": table.num_rows, "column_count": len(table.schema)}
