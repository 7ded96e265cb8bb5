"""The first rows of a file that others wrote, for the price of the pages that hold them.

Pages of different columns end at different rows, and only their own headers say where they lie: the page index of a
foreign file is not believed. So the chunks of a row group are read from their beginnings on, side by side, each as far
as the page that has the last row that is wanted. What was read of a chunk is made a file of its own, which is weighed
before it is decoded, as any foreign file is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from towline.errors import Corrupt
from towline.parquet import pages, thrift
from towline.parquet.footer import Chunk
from towline.parquet.pages import Slice
from towline.parquet.sound import whole
from towline.parquet.source import BytesSource, Source
from towline.parquet.tablefile import TableFile
from towline.parquet.thrift import I32, Struct

_FIRST = 16 * 1024  # bytes of a chunk that are read before anything is known of its pages
_HEADER = 512  # bytes beyond a page, in which the header of the next one is
_HEADER_MAX = 64 * 1024
_DATA, _DICTIONARY, _DATA_2 = 0, 2, 3  # kinds of pages
_OF_KIND = {_DATA: 5, _DICTIONARY: 7, _DATA_2: 8}  # the field of PageHeader that tells of one


def read(file: TableFile, rows: int, room: int, most: int) -> pa.Table:
    """The first rows of a foreign file, with all columns in its types. `room`: bytes that may be read; `most`: that the
    rows may come to, and a page of them. Corrupt, naming the place: the pages are not what the footer says, or are too
    large."""
    tables: list[pa.Table] = []
    for number, count in enumerate(file.footer.rows):
        if rows > 0 and count:
            tables.append(_of_group(file, number, min(rows, count), room, most))
            rows -= count
    return pa.concat_tables(tables) if tables else file.schema.empty_table()


def _of_group(file: TableFile, number: int, rows: int, room: int, most: int) -> pa.Table:
    chunks = file.footer.group(number).chunks
    beginnings = [_Beginning(chunk, rows) for chunk in chunks]
    try:
        _fetch(file.source, beginnings, max(_HEADER, min(_FIRST, room // 2 // len(chunks))))
    except Corrupt as error:
        raise Corrupt(f"{file.source.where}: row group {number}: {error}") from None
    columns, size = [], 0
    for place, beginning in enumerate(beginnings):
        columns.append(_decoded(file, place, beginning, most))
        size += columns[-1].nbytes
        if size > most:
            raise Corrupt(f"{file.source.where}: its first {rows:,} rows come to more than {most:,} bytes")
    return pa.table(columns, schema=file.schema)


def _fetch(source: Source, beginnings: Sequence[_Beginning], first: int) -> None:
    """Read of each chunk what is wanted, in as few requests as can be."""
    while wanted := [(each, size) for each in beginnings if (size := each.wanted(first))]:
        spans = [(each.chunk.start + len(each.body), each.chunk.start + size) for each, size in wanted]
        for (each, _), body in zip(wanted, source.read(spans), strict=True):
            each.body += body


def _decoded(file: TableFile, number: int, of: _Beginning, most: int) -> pa.Array:
    """The rows that are wanted of one column."""
    field, chunk = file.schema.field(number), of.chunk
    pages_of = Slice(chunk, [(chunk.start, chunk.data)], [(0, of.values)])
    body = pages.alone(file.footer, number, pages_of, of.body[: of.stop], of.values)
    alone = TableFile.foreign(BytesSource(body, f"{file.source.where}, its first pages"))
    try:
        column = alone.read([0], most=most).column(0)
        return column.take(pa.array(range(of.rows))).combine_chunks().cast(field.type)
    except pa.ArrowException as error:
        raise Corrupt(f"{file.source.where}: column {field.name!r} cannot be read as {field.type}: {error}") from None


@dataclass
class _Beginning:
    """The beginning of a column chunk. `rows`: that are wanted of it; `values`: in the pages that `stop` is behind."""

    chunk: Chunk
    rows: int
    body: bytes = b""
    stop: int = 0
    values: int = 0

    @property
    def size(self) -> int:
        return self.chunk.stop - self.chunk.start

    def wanted(self, first: int) -> int:
        """How many bytes of the chunk have to be read until its pages have all rows; 0: they have. `first`: how many
        are read before anything is known. Corrupt: there is no page where one has to be."""
        while self.values < self.rows:
            if not self.body:
                return min(self.size, first)
            if self.stop >= len(self.body):
                return self._more(self.stop + _HEADER)
            header = self._header()
            if header is None:
                return self._more(2 * len(self.body) - self.stop + _HEADER)
            values, end = header
            if end > len(self.body):
                return min(self.size, end + _HEADER)
            self.stop, self.values = end, self.values + values
        return 0

    def _more(self, size: int) -> int:
        if len(self.body) >= self.size or len(self.body) - self.stop > _HEADER_MAX:
            raise Corrupt(f"no page at byte {self.chunk.start + self.stop:,}, where one has to be")
        return min(self.size, size)

    def _header(self) -> tuple[int, int] | None:
        """Of the page at `stop`: how many rows it has, and where it ends; None: more has to be read."""
        try:
            header, at = thrift.decode(self.body, self.stop)
        except Corrupt:
            return None
        kind, packed = whole(header, 1, I32), whole(header, 3, I32)
        about = header.get(_OF_KIND.get(kind, -1))
        if not isinstance(about, Struct) or packed < 0 or at + packed > self.size:
            raise Corrupt(f"a page at byte {self.chunk.start + self.stop:,} that is none of this chunk's")
        values = 0 if kind == _DICTIONARY else whole(about, 1, I32)
        if values < 0 or (kind != _DICTIONARY and self.values + values > self.chunk.values):
            raise Corrupt(f"{values:,} values in a page, and {self.chunk.values:,} in all")
        return values, at + packed
