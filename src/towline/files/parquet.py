"""Parquet in and out. Types are the file's own; `Contract.conform` brings them to the contract's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from towline.errors import Corrupt, UnreadableFile, UsageError
from towline.files.bounds import MAX_CELLS, MAX_TEXT
from towline.files.header import check_header
from towline.parquet.source import BytesSource
from towline.parquet.tablefile import TableFile

if TYPE_CHECKING:
    from towline.contract import Contract

_MAGIC = b"PAR1"


def read_parquet(body: bytes, contract: Contract | None) -> tuple[pa.Table, list[str]]:
    """The table. Raises UnreadableFile, also for files that lie, or unpack to far more than they are."""
    if not body.endswith(_MAGIC) or len(body) < 12:
        raise UnreadableFile("this Parquet file ends without its footer: it is cut or damaged; send it again")
    try:
        file = TableFile.foreign(BytesSource(body, "this Parquet file"))
        _check_shape(file)
        table = file.read(range(file.num_groups), most=MAX_TEXT)
    except Corrupt as error:
        raise UnreadableFile(str(error)) from None
    return table.cast(_plain(table.schema)), []


def write_parquet(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    try:
        pq.write_table(table, sink)
    except (pa.ArrowException, NotImplementedError) as error:  # a type that Parquet does not have
        raise UsageError(f"this table cannot be written as Parquet: {error}") from None
    return bytes(sink.getvalue())


def _check_shape(file: TableFile) -> None:
    names, rows = file.schema.names, file.num_rows
    check_header(names, lambda position: f"column {position}")
    if rows * len(names) > MAX_CELLS:
        raise UnreadableFile(f"{rows:,} rows of {len(names):,} cells; at most {MAX_CELLS:,} cells are read")


def _plain(schema: pa.Schema) -> pa.Schema:
    """The types without dictionaries, and without views, with which Arrow can do little."""
    return pa.schema([pa.field(field.name, _plain_type(field.type)) for field in schema])


def _plain_type(type: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(type):
        return type.value_type
    return pa.string() if pa.types.is_string_view(type) else type
