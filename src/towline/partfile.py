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
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from towline.errors import Corrupt, Unavailable, UnreadableFile
from towline.parquet import sound, unpack
from towline.parquet.source import BytesSource, FileSource
from towline.parquet.unpack import Weight
from towline.rules.conform import fit, is_text, misfit
from towline.rules.field import Field
from towline.rules.finding import value_at
from towline.store import MIB, Entry, ObjectStore
from towline.table import ROW_GROUP

PIECE = 16 * MIB  # bytes fetched at once
_READ_AHEAD = 256 * 1024  # bytes of each column
_DAMAGE = (pa.ArrowException, OSError, ValueError)


def fetch(store: ObjectStore, entry: Entry, path: Path, most: int) -> Path | bytes:
    """Bring an object here: one of `most` bytes into memory, a larger one into a file, a piece at a time. Unavailable:
    it was replaced since it was listed."""
    if entry.size <= most:
        return b"".join(_pieces(store, entry))
    with path.open("wb") as file:
        for piece in _pieces(store, entry):
            file.write(piece)
    return path


def _pieces(store: ObjectStore, entry: Entry) -> Iterator[bytes]:
    for start in range(0, entry.size, PIECE):
        blob = store.get(entry.key, span=(start, min(start + PIECE, entry.size)))
        if blob.stat.etag != entry.etag:
            raise Unavailable(f"{entry.key} was replaced while it was read: try again")
        yield blob.body


class PartFile:
    """A part in a file, or in memory. Everything raises UnreadableFile, naming the part (`name`), where it is no sound
    table. `is_alone`: no other is read at the same time, so it is decoded on all cores, which takes more memory."""

    def __init__(self, file: Path | bytes, name: str, *, is_alone: bool = False) -> None:
        self.name, self._file, self._is_alone = name, file, is_alone
        try:
            self._footer = sound.footer(BytesSource(file, name) if isinstance(file, bytes) else FileSource(file, name))
        except Corrupt as error:
            raise UnreadableFile(str(error)) from None
        self._metadata, self.schema = self._footer.arrow, self._footer.schema
        self._int96 = frozenset(_int96(self._metadata.schema))

    def on_disk(self, path: Path) -> PartFile:
        """The same part in a file; that is `path`, where it was in memory."""
        if not isinstance(self._file, bytes):
            return self
        path.write_bytes(self._file)
        return PartFile(path, self.name, is_alone=self._is_alone)

    @property
    def rows(self) -> int:
        return int(self._metadata.num_rows)

    @property
    def size(self) -> int:
        """Bytes of its columns, as the footer says: uncompressed, but texts that repeat are counted once."""
        return sum(self._group_sizes)

    @property
    def _group_sizes(self) -> Sequence[int]:
        return [self._metadata.row_group(n).total_byte_size for n in range(self._metadata.num_row_groups)]

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

    def _sources(self, fields: Sequence[Field]) -> Mapping[str, str]:
        """The part's name of each of the table's columns."""
        found = {field.name: self._source(field.name) for field in fields}
        if missing := [name for name, source in found.items() if source is None]:
            raise UnreadableFile(f"{self.name} lacks the column {', '.join(missing)}; it has {self._listed}")
        sources = {name: source for name, source in found.items() if source is not None}
        if extra := [name for name in self.schema.names if name not in sources.values()]:
            raise UnreadableFile(f"{self.name} has the column {', '.join(extra)}, which the table lacks: leave it out")
        return sources

    def _source(self, name: str) -> str | None:
        if name in self.schema.names:
            return name
        near = [each for each in self.schema.names if each.casefold() == name.casefold()]
        return near[0] if len(near) == 1 else None

    @property
    def _listed(self) -> str:
        return ", ".join(self.schema.names) or "none"

    @cached_property
    def _weights(self) -> Mapping[str, Weight]:
        """What each column comes to, by the headers of its pages, which are read before any is decoded."""
        try:
            with self._opened() as file:
                groups = range(self._metadata.num_row_groups)
                found = unpack.weigh_pages(self._footer, file, groups, self.schema.names)
        except Corrupt as error:
            raise UnreadableFile(str(error)) from None
        return {weight.leaf.name: weight for weight in found.values()}

    def _pieces(self, columns: Sequence[str], memory: int) -> Iterator[pa.Table]:
        """The part's own columns. Texts are read as dictionaries, so that they can be measured before each cell has its
        own: a few bytes in a file can be gigabytes."""
        texts = [f.name for f in self.schema if is_text(f.type) and not self._weights[f.name].is_delta]
        try:
            self._check_times([name for name in columns if name in self._int96], memory)
            for batch in self._batches(columns, memory, read_dictionary=texts, coerce_int96_timestamp_unit="us"):
                yield from _split(pa.Table.from_batches([batch]), memory)
        except _DAMAGE as error:
            raise UnreadableFile(f"{self.name} is damaged: {error}") from None

    def _batches(self, columns: Sequence[str], memory: int, **options: Any) -> Iterator[pa.RecordBatch]:
        """Large row groups are not held whole: a little is read ahead in each column."""
        rows = max(1024, min(ROW_GROUP, memory * self.rows // max(1, self.size)))
        for field in self.schema:
            if self._weights[field.name].is_slow(field.type):
                rows = max(1, min(rows, memory // self._weights[field.name].longest))
        buffer = _READ_AHEAD if max(self._group_sizes) > memory else 0
        with self._opened() as opened:
            file = pq.ParquetFile(opened, metadata=self._metadata, pre_buffer=False, buffer_size=buffer, **options)
            yield from file.iter_batches(rows, columns=list(columns), use_threads=self._is_alone)

    def _opened(self) -> pa.NativeFile:
        return pa.BufferReader(self._file) if isinstance(self._file, bytes) else pa.OSFile(str(self._file))

    def _check_times(self, columns: Sequence[str], memory: int) -> None:
        """Refuse INT96 timestamps that microseconds cannot hold.

        Nanoseconds beyond 1677 to 2262 wrap around, and so does the product below: they agree all the same.
        """
        if not columns:
            return
        whole, exact = (self._batches(columns, memory, coerce_int96_timestamp_unit=unit) for unit in ("us", "ns"))
        for times, nanoseconds in zip(whole, exact, strict=True):
            for name in columns:
                again = pc.multiply(times.column(name).cast(pa.int64()), 1000)
                bad = pc.indices_nonzero(pc.not_equal(again, nanoseconds.column(name).cast(pa.int64())))
                if len(bad):
                    raise UnreadableFile(
                        f"{self.name}: {name} has a time at {times.column(name)[bad[0].as_py()]} that is finer than a "
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


def _int96(schema: pq.ParquetSchema) -> Iterator[str]:
    columns = (schema.column(n) for n in range(len(schema)))
    return (column.name for column in columns if column.physical_type == "INT96")


def _split(table: pa.Table, memory: int) -> Iterator[pa.Table]:
    """The table in pieces that take `memory` bytes at most once its texts are written out, or one row."""
    texts = (
        chunk.dictionary for column in table.columns if pa.types.is_dictionary(column.type) for chunk in column.chunks
    )
    longest = sum(pc.max(pc.binary_length(text)).as_py() or 0 for text in texts)
    rows = max(1, memory // (longest + 1))
    return (table.slice(start, rows) for start in range(0, table.num_rows, rows))
