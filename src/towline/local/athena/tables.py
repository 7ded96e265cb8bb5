"""A table's data as a view in DuckDB: its objects, linked into the query's own directory, with the table's types."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from towline.local.athena import storage
from towline.local.athena.catalog import Table, duck_type
from towline.local.athena.error import QueryFailed
from towline.local.athena.storage import Location, Stored


@dataclass(frozen=True)
class Linked:
    """An object as a file that a query can read."""

    stored: Stored
    path: Path


@dataclass(frozen=True)
class View:
    """The SELECT that yields a table's rows, and how many bytes a scan of it reads."""

    select: str
    scanned: int


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def view(table: Table, columns: Collection[str] | None, directory: Path) -> View:
    """The rows of `table`, whose files come to lie in `directory`; `columns` are those that are read (None: all)."""
    directory.mkdir(parents=True)
    stored = storage.listing(Location.parse(table.location))
    files = [_link(one, directory, number) for number, one in enumerate(stored)]
    read = [name for name in table.columns if columns is None or name in columns]
    if not files:
        return View(_nothing(table), 0)
    reader = _READERS.get(table.format)
    if reader is None:
        raise QueryFailed("HIVE_UNSUPPORTED_FORMAT", f"Unable to create input format {table.format}")
    return reader(table, read, files)


def _link(stored: Stored, directory: Path, number: int) -> Linked:
    path = directory / f"{number}{'.gz' if stored.location.key.endswith('.gz') else ''}"
    storage.link(stored, path)
    return Linked(stored, path)


def _nothing(table: Table) -> str:
    return f"SELECT {_nulls(table.all_columns)} WHERE FALSE"


def _nulls(columns: Mapping[str, str]) -> str:
    return ", ".join(f"NULL::{duck_type(kind)} AS {quoted(name)}" for name, kind in columns.items())


def _files(files: Collection[Linked]) -> str:
    return "[" + ", ".join(literal(str(file.path)) for file in files) + "]"


def _parquet(table: Table, read: Collection[str], files: Collection[Linked]) -> View:
    footers = [(file, _footer(file)) for file in files]
    for file, footer in footers:
        _check_types(table, read, file.stored, footer.schema.to_arrow_schema())
    there = {name.lower(): name for _, footer in footers for name in footer.schema.to_arrow_schema().names}
    columns = ", ".join(_parquet_column(name, kind, there) for name, kind in table.columns.items())
    select = f"SELECT {columns} FROM read_parquet({_files(files)}, union_by_name = true)"
    return View(select, sum(_column_bytes(footer, set(read)) for _, footer in footers))


def _footer(file: Linked) -> pq.FileMetaData:
    try:
        return pq.read_metadata(file.path)
    except (pa.ArrowInvalid, OSError) as error:
        raise QueryFailed("HIVE_BAD_DATA", f"Not valid Parquet file: {file.stored.location}: {error}") from None


def _parquet_column(name: str, kind: str, there: Mapping[str, str]) -> str:
    source = quoted(there[name]) if name in there else "NULL"
    return f"{source}::{duck_type(kind)} AS {quoted(name)}"


def _column_bytes(footer: pq.FileMetaData, read: Collection[str]) -> int:
    groups = (footer.row_group(index) for index in range(footer.num_row_groups))
    chunks = (group.column(index) for group in groups for index in range(group.num_columns))
    return sum(chunk.total_compressed_size for chunk in chunks if chunk.path_in_schema.split(".")[0].lower() in read)


# The Arrow types of a Parquet column that a column of the table may be read from, by the table's type.
_READABLE: dict[str, Callable[[pa.DataType], bool]] = {
    "boolean": pa.types.is_boolean,
    "tinyint": lambda kind: pa.types.is_integer(kind) and kind.bit_width <= 32,
    "smallint": lambda kind: pa.types.is_integer(kind) and kind.bit_width <= 32,
    "int": lambda kind: pa.types.is_integer(kind) and kind.bit_width <= 32,
    "integer": lambda kind: pa.types.is_integer(kind) and kind.bit_width <= 32,
    "bigint": pa.types.is_integer,
    "float": pa.types.is_float32,
    "double": lambda kind: pa.types.is_floating(kind),
    "string": lambda kind: pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind),
    "date": pa.types.is_date,
    "timestamp": pa.types.is_timestamp,
}


def _check_types(table: Table, read: Collection[str], stored: Stored, schema: pa.Schema) -> None:
    found = {field.name.lower(): field.type for field in schema}
    for name in read:
        fits = _READABLE.get(table.columns[name])
        if name in found and fits is not None and not fits(found[name]):
            raise QueryFailed(
                "HIVE_BAD_DATA",
                f"Field {name}'s type {_physical(found[name])} in parquet file {stored.location} is incompatible with "
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


def _json(table: Table, read: Collection[str], files: Collection[Linked]) -> View:
    columns = ", ".join(f"{literal(name)}: {literal(duck_type(kind))}" for name, kind in table.columns.items())
    select = (
        f"SELECT * FROM read_json({_files(files)}, format = 'newline_delimited', columns = {{{columns}}}, "
        "maximum_object_size = 134217728)"
    )
    return View(select, sum(file.stored.size for file in files))


def _csv(table: Table, read: Collection[str], files: Collection[Linked]) -> View:
    raise QueryFailed("NOT_SUPPORTED", "text tables are not there yet")


_READERS: dict[str, Callable[..., View]] = {"PARQUET": _parquet, "JSON": _json, "TEXTFILE": _csv, "CSV": _csv}


def registered(connection: Any, table: Table, shown: View) -> None:
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(table.database)}")
    connection.execute(f"CREATE VIEW {quoted(table.database)}.{quoted(table.name)} AS {shown.select}")
