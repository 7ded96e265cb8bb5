"""The pages of a file that others wrote: weighed before they are decoded (`towline.parquet.sound`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from towline.errors import Corrupt
from towline.parquet import thrift
from towline.parquet.footer import Chunk, Footer
from towline.parquet.sound import Leaf, leaves, whole
from towline.parquet.thrift import I32, Struct

UNPACKED_MAX = 2 * 2**30  # bytes that what is read at once may come to
_PAGE_HEADER = 1024  # bytes; statistics with long texts make one longer, up to
_PAGE_HEADER_MAX = 2**20
_ROWS_AT_ONCE = 65_536
_BYTE_ARRAY = 6
# Encodings. With the second, each text says how much of the one before it it begins with: a few bytes are gigabytes.
_DELTA_LENGTH_BYTE_ARRAY, _DELTA_BYTE_ARRAY = 6, 7
_DELTAS = {_DELTA_LENGTH_BYTE_ARRAY, _DELTA_BYTE_ARRAY}  # which Arrow does not read into dictionaries
_DATA, _DICTIONARY, _DATA_2 = 0, 2, 3  # kinds of pages
_OF_KIND = {_DATA: 5, _DICTIONARY: 7, _DATA_2: 8}  # the field of PageHeader that tells of one


@dataclass
class Weight:
    """What decoding some column chunks comes to: bytes in memory, those of the largest page, and the encodings."""

    is_bytes: bool  # of any length
    size: int = 0
    page: int = 0
    has_dictionary: bool = False
    encodings: set[int] = field(default_factory=set)


def read(footer: Footer, file: pa.NativeFile, groups: Sequence[int], names: Sequence[str], most: int) -> pa.Table:
    """These columns of these row groups, in the order of the file; `most`: bytes that they may come to. `footer` is one
    that was checked.

    Corrupt, naming the place: the pages are not what the footer says, or come to more.
    """
    wanted = [number for number, name in enumerate(footer.schema.names) if name in names]
    columns = leaves(footer)
    weights = {number: Weight(columns[number].type == _BYTE_ARRAY) for number in wanted}
    for group in groups:
        chunks = footer.group(group).chunks
        for number in wanted:
            name = footer.schema.names[number]
            try:
                _weigh(chunks[number], columns[number], file, weights[number], most)
            except Corrupt as error:
                raise Corrupt(f"{footer.where}: column {name!r} of row group {group}: {error}") from None
    size = sum(weight.size for weight in weights.values())
    if size > most:
        raise Corrupt(f"{footer.where} unpacks to {size:,} bytes or more; at most {most:,} are read at once")
    return _decode(footer, file, groups, weights, most)


def _weigh(chunk: Chunk, leaf: Leaf, file: pa.NativeFile, weight: Weight, most: int) -> None:
    """Walk over the headers of a chunk's pages, and add what they come to."""
    at, stop, values = chunk.start, chunk.stop, 0
    while values < chunk.values:
        header, body = _header(file, at, stop)
        kind = whole(header, 1, I32)
        unpacked, packed = (whole(header, field, I32) for field in (2, 3))
        if unpacked < 0 or not 0 <= packed <= stop - body:
            raise Corrupt(f"a page at byte {at:,} claims {packed:,} bytes, and {unpacked:,} once unpacked")
        count = _page_values(header, kind, is_first=at == chunk.start)
        weight.page = max(weight.page, unpacked)
        weight.size += max(unpacked, count * leaf.width)
        weight.has_dictionary |= kind == _DICTIONARY
        weight.encodings.add(whole(header.get(_OF_KIND[kind]), 4 if kind == _DATA_2 else 2, I32))
        if weight.size > most:
            raise Corrupt(f"it unpacks to {weight.size:,} bytes or more; at most {most:,} are read at once")
        values += 0 if kind == _DICTIONARY else count
        at = body + packed
    if values != chunk.values:
        raise Corrupt(f"{values:,} values in its pages, and {chunk.values:,} in all")


def _header(file: pa.NativeFile, at: int, stop: int) -> tuple[Struct, int]:
    """The header of the page at byte `at` of a chunk that ends at `stop`, and where it ends."""
    size = _PAGE_HEADER
    while True:
        body = file.read_at(min(size, stop - at), at)
        try:
            header, end = thrift.decode(body)
        except Corrupt:
            if size >= _PAGE_HEADER_MAX or at + size >= stop:
                raise Corrupt(f"no page at byte {at:,}, where one has to be") from None
            size *= 32
            continue
        return header, at + end


def _page_values(header: Struct, kind: int, *, is_first: bool) -> int:
    """How many values a page says it has; one of a dictionary is not counted as the column's."""
    about = header.get(_OF_KIND.get(kind, -1))
    if not isinstance(about, Struct):
        raise Corrupt(f"a page of kind {kind}, or one that does not say how many values it has")
    count = whole(about, 1, I32)
    if count < 0 or (kind == _DICTIONARY and not is_first):
        raise Corrupt("a page with fewer than 0 values, or a second dictionary")
    return count


def _decode(
    footer: Footer, file: pa.NativeFile, groups: Sequence[int], weights: Mapping[int, Weight], most: int
) -> pa.Table:
    fields = {number: footer.schema.field(number) for number in weights}
    slow = {number for number, weight in weights.items() if _is_slow(fields[number].type, weight)}
    texts = {number for number in weights.keys() - slow if weights[number].is_bytes and weights[number].has_dictionary}
    reading = _Reading(footer, file, list(groups), most)
    try:
        tables = [
            reading.at_once([fields[number].name for number in weights if number not in slow | texts], texts=False),
            reading.at_once([fields[number].name for number in sorted(texts)], texts=True),
            reading.by_and_by({fields[number].name: weights[number].page for number in sorted(slow)}),
        ]
    except (pa.ArrowException, OSError, ValueError) as error:
        raise Corrupt(f"{footer.where} is damaged: {error}") from None
    columns = {name: table.column(name) for table in tables for name in table.column_names}
    _check_counts(footer, columns, sum(footer.rows[group] for group in groups))
    return pa.table([columns[field.name] for field in fields.values()], schema=pa.schema(list(fields.values())))


def _is_slow(type: pa.DataType, weight: Weight) -> bool:
    """Whether neither the pages nor a dictionary tell how much a column's texts come to."""
    if weight.encodings & _DELTAS and (weight.has_dictionary or _DELTA_BYTE_ARRAY in weight.encodings):
        return True
    return weight.is_bytes and weight.has_dictionary and not _is_bytes(type)


def _is_bytes(type: pa.DataType) -> bool:
    value = type.value_type if pa.types.is_dictionary(type) else type
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_binary)
    return any(test(value) for test in (*tests, pa.types.is_large_binary, pa.types.is_binary_view))


@dataclass(frozen=True)
class _Reading:
    """Columns of some row groups, as Arrow decodes them; `most`: bytes that they may come to."""

    footer: Footer
    file: pa.NativeFile
    groups: list[int]
    most: int

    def at_once(self, names: list[str], *, texts: bool) -> pa.Table:
        """Texts are read as dictionaries, so that they are measured before each cell has its own: a few bytes,
        repeated, are gigabytes."""
        if not names:
            return pa.table({})
        reader = pq.ParquetFile(self.file, metadata=self.footer.arrow, read_dictionary=names if texts else None)
        table = reader.read_row_groups(self.groups, columns=names)
        if texts:
            self._check(sum(_text_size(chunk) for column in table.columns for chunk in column.chunks))
        columns = [_as(column, self._type(name)) for name, column in zip(names, table.columns, strict=True)]
        return pa.table(columns, names=names)

    def by_and_by(self, pages: Mapping[str, int]) -> pa.Table:
        """So few rows at a time that they cannot come to more than `most`: no text is longer than the largest of its
        column's `pages`."""
        if not pages:
            return pa.table({})
        names = list(pages)
        schema = pa.schema([self.footer.schema.field(name) for name in names])
        reader = pq.ParquetFile(self.file, metadata=self.footer.arrow)
        rows, size, batches = max(1, min(_ROWS_AT_ONCE, self.most // max(1, *pages.values()))), 0, []
        for batch in reader.iter_batches(rows, row_groups=self.groups, columns=names):
            size += batch.nbytes
            self._check(size)
            batches.append(batch)
        return pa.Table.from_batches(batches, schema=batches[0].schema if batches else schema)

    def _check(self, size: int) -> None:
        if size > self.most:
            raise Corrupt(f"{self.footer.where} unpacks to {size:,} bytes; at most {self.most:,} are read at once")

    def _type(self, name: str) -> pa.DataType:
        return self.footer.schema.field(name).type


def _check_counts(footer: Footer, columns: Mapping[str, pa.ChunkedArray], rows: int) -> None:
    for name, column in columns.items():
        if len(column) != rows:
            raise Corrupt(f"{footer.where}: {len(column):,} values of column {name!r} in {rows:,} rows")


def _text_size(chunk: pa.DictionaryArray) -> int:
    lengths = pc.binary_length(chunk.dictionary).cast(pa.int64())
    return pc.sum(lengths.take(chunk.indices)).as_py() or 0


def _as(column: pa.ChunkedArray, type: pa.DataType) -> pa.ChunkedArray:
    """The column in the type that the file's schema has for it."""
    if pa.types.is_dictionary(column.type) and not pa.types.is_dictionary(type):
        column = column.cast(column.type.value_type)
    return column.cast(type)
