"""One part of a table, brought to this machine: opened, held against the table's columns, read piece by piece.

Columns are found by name, in any order; where the exact name is missing, without regard to case, since Athena writes
every name in lower case. Types are brought to the table's where nothing is lost by it (`towline.rules.conform`). Two
things are particular to what query engines write: a timestamp without a zone in a column in UTC is in UTC (Athena's
TIMESTAMP has no zone), and the old INT96 timestamps hold nanoseconds, which a microsecond cannot always.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from towline.errors import Unavailable, UnreadableFile
from towline.rules.conform import fit, misfit
from towline.rules.field import Field
from towline.rules.finding import value_at
from towline.store import MIB, Entry, ObjectStore
from towline.table import ROW_GROUP

PIECE = 16 * MIB  # bytes fetched at once
_PAGES = 64 * 1024  # bytes read ahead in each column, so that a row group need not be held whole
_DAMAGE = (pa.ArrowException, OSError, ValueError)


def fetch(store: ObjectStore, entry: Entry, path: Path) -> None:
    """Bring an object here, a piece at a time. Unavailable: it was replaced since it was listed."""
    with path.open("wb") as file:
        for start in range(0, entry.size, PIECE):
            blob = store.get(entry.key, span=(start, min(start + PIECE, entry.size)))
            if blob.stat.etag != entry.etag:
                raise Unavailable(f"{entry.key} was replaced while it was read: try again")
            file.write(blob.body)


class PartFile:
    """A part in a file. Everything raises UnreadableFile, naming the part (`name`), where it is no sound table."""

    def __init__(self, path: Path, name: str) -> None:
        self.name, self._path = name, path
        try:
            self._file = self._open("us")
        except _DAMAGE as error:
            raise UnreadableFile(f"{name} is no Parquet file, or a damaged one: {error}") from None
        self._check_shape()

    @property
    def rows(self) -> int:
        return int(self._file.metadata.num_rows)

    @property
    def size(self) -> int:
        """Bytes of its columns, as the footer says: uncompressed, but texts that repeat are counted once."""
        groups = range(self._file.metadata.num_row_groups)
        return sum(self._file.metadata.row_group(n).total_byte_size for n in groups)

    @property
    def schema(self) -> pa.Schema:
        return self._file.schema_arrow

    def close(self) -> None:
        self._file.close()

    def tables(self, fields: Sequence[Field], names: Sequence[str], memory: int) -> Iterator[pa.Table]:
        """The columns `names` of the table that these fields make, in pieces of about `memory` bytes."""
        if not self.rows:
            return
        sources = self._sources(fields)
        wanted = [field for field in fields if field.name in names]
        read = [sources[field.name] for field in wanted]
        schema = pa.schema([(field.name, field.arrow) for field in wanted])
        row = 0
        for table in self._pieces(read, memory):
            columns = [self._column(table, sources[field.name], field, row) for field in wanted]
            yield pa.Table.from_arrays(columns, schema=schema)
            row += table.num_rows
        if row != self.rows:
            raise UnreadableFile(f"{self.name} holds {row:,} rows, and its footer says {self.rows:,}: it is damaged")

    def _open(self, unit: str) -> pq.ParquetFile:
        return pq.ParquetFile(self._path, pre_buffer=False, buffer_size=_PAGES, coerce_int96_timestamp_unit=unit)

    def _check_shape(self) -> None:
        names = self.schema.names
        for field in self.schema:
            if pa.types.is_nested(field.type):
                raise UnreadableFile(
                    f"{self.name}: column {field.name} holds lists or structures ({field.type}); a table has one value "
                    "a cell: split it"
                )
            if names.count(field.name) > 1:
                raise UnreadableFile(f"{self.name}: column {field.name} is there more than once; keep one")

    def _sources(self, fields: Sequence[Field]) -> Mapping[str, str]:
        """The part's name of each of the table's columns."""
        found = {field.name: self._source(field.name) for field in fields}
        if missing := [name for name, source in found.items() if source is None]:
            raise UnreadableFile(f"{self.name} lacks the column {', '.join(missing)}; it has {self._listed}")
        sources = {name: source for name, source in found.items() if source is not None}
        if extra := [name for name in self.schema.names if name not in sources.values()]:
            raise UnreadableFile(
                f"{self.name} has the column {', '.join(extra)}, which the table has not: leave it out"
            )
        return sources

    def _source(self, name: str) -> str | None:
        if name in self.schema.names:
            return name
        near = [each for each in self.schema.names if each.casefold() == name.casefold()]
        return near[0] if len(near) == 1 else None

    @property
    def _listed(self) -> str:
        return ", ".join(self.schema.names) or "none"

    def _pieces(self, columns: Sequence[str], memory: int) -> Iterator[pa.Table]:
        rows = max(1024, min(ROW_GROUP, memory * self.rows // max(1, self.size)))
        exact = self._exact([name for name in columns if name in self._int96], rows)
        try:
            for batch in self._file.iter_batches(batch_size=rows, columns=list(columns)):
                table = pa.Table.from_batches([batch])
                if exact is not None:
                    self._check_exact(table, next(exact))
                yield table
        except _DAMAGE as error:
            if isinstance(error, UnreadableFile):
                raise
            raise UnreadableFile(f"{self.name} is damaged: {error}") from None

    @cached_property
    def _int96(self) -> frozenset[str]:
        columns = (self._file.schema.column(n) for n in range(len(self._file.schema)))
        return frozenset(column.name for column in columns if column.physical_type == "INT96")

    def _exact(self, columns: Sequence[str], rows: int) -> Iterator[pa.RecordBatch] | None:
        """INT96 columns once more, with their nanoseconds."""
        return self._open("ns").iter_batches(batch_size=rows, columns=list(columns)) if columns else None

    def _check_exact(self, table: pa.Table, exact: pa.RecordBatch) -> None:
        """Nanoseconds beyond 1677 to 2262 wrap around, and so does this product: they agree all the same."""
        for name in exact.schema.names:
            whole = pc.multiply(table[name].cast(pa.int64()), 1000)
            bad = pc.indices_nonzero(pc.not_equal(whole, exact[name].cast(pa.int64())))
            if len(bad):
                raise UnreadableFile(
                    f"{self.name}: {name} has a time beside {table[name][bad[0].as_py()]} that is finer than a "
                    "microsecond; round it in the query"
                )

    def _column(self, table: pa.Table, source: str, field: Field, before: int) -> pa.ChunkedArray:
        """One column, brought to its field's type; `before` counts the rows that came before `table`."""
        column = table[source]
        if field.utc and pa.types.is_timestamp(column.type) and column.type.tz is None:
            column = pc.assume_timezone(column, "UTC")
        found = fit(column, field)
        bad = pc.indices_nonzero(found.bad)
        if len(bad):
            row = bad[0].as_py()
            held = misfit(field, found, value_at(table, source, row), str(table[source].type))
            raise UnreadableFile(f"{self.name}, row {before + row + 1:,}: {held}")
        return found.column
