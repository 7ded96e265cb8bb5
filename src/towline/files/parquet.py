"""Parquet in and out. Types are the file's own; `Contract.conform` brings them to the contract's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from towline.errors import UnreadableFile, UsageError
from towline.files.bounds import MAX_CELLS, MAX_TEXT
from towline.files.header import check_header
from towline.rules.conform import is_text

if TYPE_CHECKING:
    from towline.contract import Contract

_MAGIC = b"PAR1"


def read_parquet(body: bytes, contract: Contract | None) -> tuple[pa.Table, list[str]]:
    """The table. Raises UnreadableFile, also for files that unpack to far more than they are."""
    if not body.endswith(_MAGIC) or len(body) < 12:
        raise UnreadableFile("this Parquet file ends without its footer: it is cut or damaged; send it again")
    try:
        file = pq.ParquetFile(pa.BufferReader(body))
        _check_shape(file)
        # As dictionaries, texts are read without being repeated, so that they can be measured first.
        texts = [field.name for field in file.schema_arrow if is_text(field.type)]
        table = pq.ParquetFile(pa.BufferReader(body), read_dictionary=texts).read()
        table.validate(full=False)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UnreadableFile(f"this Parquet file is damaged: {error}; send it again") from None
    _check_text(table)
    return table.replace_schema_metadata(None).cast(_plain(table.schema)), []


def write_parquet(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    try:
        pq.write_table(table, sink)
    except (pa.ArrowException, NotImplementedError) as error:
        raise UsageError(f"this table cannot be written as Parquet: {error}") from None
    return bytes(sink.getvalue())


def _check_shape(file: pq.ParquetFile) -> None:
    schema, rows = file.schema_arrow, file.metadata.num_rows
    check_header(schema.names, lambda position: f"column {position}")
    nested = [field.name for field in schema if pa.types.is_nested(field.type)]
    if nested:
        raise UnreadableFile(f"column {nested[0]} holds lists or structures; a table has one value a cell: split it")
    if rows * len(schema) > MAX_CELLS:
        raise UnreadableFile(f"{rows:,} rows of {len(schema):,} cells; at most {MAX_CELLS:,} cells are read")


def _check_text(table: pa.Table) -> None:
    for name, column in zip(table.column_names, table.columns, strict=True):
        size = sum(_text_size(chunk) for chunk in column.chunks if pa.types.is_dictionary(column.type))
        if size > MAX_TEXT:
            raise UnreadableFile(f"column {name} unpacks to {size:,} bytes of text; at most {MAX_TEXT:,} are read")


def _text_size(chunk: pa.DictionaryArray) -> int:
    lengths = pc.binary_length(chunk.dictionary).cast(pa.int64())
    return pc.sum(lengths.take(chunk.indices)).as_py() or 0


def _plain(schema: pa.Schema) -> pa.Schema:
    fields = (f.with_type(f.type.value_type) if pa.types.is_dictionary(f.type) else f for f in schema)
    return pa.schema([field.with_nullable(True).remove_metadata() for field in fields])
