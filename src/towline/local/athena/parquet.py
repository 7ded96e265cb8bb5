"""Parquet files under a table's types: by name, missing columns null, and no other type than the table's."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from towline.local.athena.catalog import Table, duck_type
from towline.local.athena.errors import AthenaError
from towline.local.athena.files import Linked
from towline.local.athena.sql import quoted


def columns(table: Table, files: Sequence[Linked], read: Collection[str]) -> tuple[str, int]:
    """The SELECT list that yields the table's columns, and how many bytes the columns in `read` have.

    Raises AthenaError (HIVE_BAD_DATA) where a file holds another type in one of these.
    """
    there: dict[str, str] = {}
    scanned = 0
    for file in files:
        footer = _footer(file)
        schema = footer.schema.to_arrow_schema()
        _check_types(table, read, file, schema)
        there |= {name.lower(): name for name in schema.names}
        scanned += _column_bytes(footer, read)
    listed = [_column(name, kind, there.get(name)) for name, kind in table.columns.items()]
    return ", ".join(listed), scanned


def _footer(file: Linked) -> pq.FileMetaData:
    try:
        return pq.read_metadata(file.path)
    except (pa.ArrowInvalid, OSError) as error:
        raise AthenaError("HIVE_BAD_DATA", f"Not valid Parquet file: {file.location}: {error}") from None


def _column(name: str, kind: str, there: str | None) -> str:
    return f"{'NULL' if there is None else quoted(there)}::{duck_type(kind)} AS {quoted(name)}"


def _column_bytes(footer: pq.FileMetaData, read: Collection[str]) -> int:
    groups = (footer.row_group(index) for index in range(footer.num_row_groups))
    chunks = (group.column(index) for group in groups for index in range(group.num_columns))
    return sum(
        chunk.total_compressed_size for chunk in chunks if chunk.path_in_schema.partition(".")[0].lower() in read
    )


def _small(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) and kind.bit_width <= 32)


def _text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind))


# What a column of each of the table's types may be read from. Types that are not here are DuckDB's to cast.
_READABLE: dict[str, Callable[[pa.DataType], bool]] = {
    "boolean": pa.types.is_boolean,
    "tinyint": _small,
    "smallint": _small,
    "int": _small,
    "integer": _small,
    "bigint": pa.types.is_integer,
    "float": pa.types.is_float32,
    "double": pa.types.is_floating,
    "string": _text,
    "date": pa.types.is_date,
    "timestamp": pa.types.is_timestamp,
}


def _check_types(table: Table, read: Collection[str], file: Linked, schema: pa.Schema) -> None:
    for field in schema:
        name, kind = field.name.lower(), field.type
        if pa.types.is_dictionary(kind):  # so pyarrow remembers how it was in memory
            kind = kind.value_type
        fits = _READABLE.get(table.columns[name]) if name in read else None
        if fits is not None and not fits(kind):
            raise AthenaError(
                "HIVE_BAD_DATA",
                f"Field {name}'s type {_physical(kind)} in parquet file {file.location} is incompatible with "
                f"type {_trino(table.columns[name])} defined in table schema",
            )


def _physical(kind: pa.DataType) -> str:
    """Parquet's physical type of an Arrow type, in the words of Athena's message."""
    if pa.types.is_integer(kind):
        return "INT64" if kind.bit_width == 64 else "INT32"
    if pa.types.is_timestamp(kind):
        return "INT64"
    if pa.types.is_date(kind):
        return "INT32"
    names = {pa.bool_(): "BOOLEAN", pa.float32(): "FLOAT", pa.float64(): "DOUBLE"}
    return names.get(kind, "BINARY")


def _trino(kind: str) -> str:
    return {"int": "integer", "string": "varchar", "float": "real"}.get(kind, kind)
