"""The whole file anew, in canonical form: small files, and those that cannot be spliced.

A file whose rows are in key order is rewritten row group by row group; any other is sorted in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import pyarrow as pa

from towline.change import RowChange, key_of
from towline.errors import Corrupt
from towline.parquet.append import applied
from towline.parquet.source import BytesSource
from towline.parquet.tablefile import TableFile
from towline.parquet.verify import is_increasing
from towline.parquet.writer import marked, writer
from towline.table import sort, without_negative_zero
from towline.values import Key


def rewrite(
    file: TableFile, key: tuple[str, ...], changes: Sequence[RowChange], metadata: Mapping[str, str], usual: int
) -> list[bytes]:
    """The bytes of the file with these changes, its footer last; `usual` is how many rows a row group has.
    Corrupt: the changes do not fit it, or a key is not whole."""
    schema = canonical(file.schema, key)
    if is_ordered(file, key):
        return _written(merged(file, key, changes), schema, key, metadata, usual)
    table = sort(applied(file.table(), key, changes), key)
    return _written([table], schema, key, metadata, usual)


def is_ordered(file: TableFile, key: tuple[str, ...]) -> bool:
    """Whether the rows are in key order, and no key is there twice or has a null: its columns are read."""
    before: Key | None = None
    for table in file.tables(key):
        if not table.num_rows:
            continue
        first, last = (key_of(row, key) for row in table.take([0, table.num_rows - 1]).to_pylist())
        if not is_increasing(table, key) or (before is not None and before >= first):
            return False
        before = last
    return True


def canonical(schema: pa.Schema, key: Sequence[str]) -> pa.Schema:
    """The columns, of which those of the key take no null, and all others do."""
    return pa.schema([field.with_nullable(field.name not in key) for field in schema])


def merged(file: TableFile, key: tuple[str, ...], changes: Sequence[RowChange]) -> Iterator[pa.Table]:
    """The rows of each group with the changes; they are in key order."""
    waiting = sorted(changes, key=lambda change: change.key(key))
    for table in file.tables():
        if table.num_rows:
            last = key_of(table.select(list(key)).slice(table.num_rows - 1).to_pylist()[0], key)
            count = sum(change.key(key) <= last for change in waiting)
            yield without_negative_zero(applied(table, key, waiting[:count]), key)
            waiting = waiting[count:]
    yield applied(file.schema.empty_table(), key, waiting)


def _written(
    tables: Iterable[pa.Table], schema: pa.Schema, key: Sequence[str], metadata: Mapping[str, str], usual: int
) -> list[bytes]:
    sink = pa.BufferOutputStream()
    with writer(sink, schema, key) as out:
        for table in _grouped(tables, schema, usual):
            out.write_table(table, row_group_size=usual)
    body = sink.getvalue().to_pybytes()
    stop, footer = marked(BytesSource(body), metadata)
    return [body[:stop], footer]


def _grouped(tables: Iterable[pa.Table], schema: pa.Schema, usual: int) -> Iterator[pa.Table]:
    """The rows of all tables in tables of whole row groups, but for the last one."""
    rest = schema.empty_table()
    for table in tables:
        rest = pa.concat_tables([rest, _cast(table, schema)])
        whole = rest.num_rows // usual * usual
        if whole:
            yield rest.slice(0, whole)
            rest = rest.slice(whole)
    if rest.num_rows:
        yield rest


def _cast(table: pa.Table, schema: pa.Schema) -> pa.Table:
    try:
        return table.cast(schema)
    except (pa.ArrowException, ValueError) as error:
        raise Corrupt(f"its rows cannot be written in canonical form: {error}") from error
