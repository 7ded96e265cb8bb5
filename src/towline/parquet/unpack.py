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

# Bytes that what is read at once may come to: half of what the functions have. Of what is read page by page, all of it,
# which bounds the time, and the largest page and dictionary of each column, together.
UNPACKED_MAX, STREAMED_MAX, HELD_MAX = 3 * 2**29, 64 * 2**30, 2**29
_PAGE_HEADER = 1024  # bytes; statistics with long texts make one longer, up to
_PAGE_HEADER_MAX = 2**20
_ROWS_AT_ONCE = 65_536
_BYTE_ARRAY = 6
# Bytes that a value's levels, the blocks of a delta encoding and a page of few values may take on top.
_LEVELS, _SLACK = 4, 64 * 1024
# Encodings. With the second, each text says how much of the one before it it begins with: a few bytes are gigabytes.
_DELTA_LENGTH_BYTE_ARRAY, _DELTA_BYTE_ARRAY = 6, 7
_DELTAS = {_DELTA_LENGTH_BYTE_ARRAY, _DELTA_BYTE_ARRAY}
_DATA, _DICTIONARY, _DATA_2 = 0, 2, 3  # kinds of pages
_OF_KIND = {_DATA: 5, _DICTIONARY: 7, _DATA_2: 8}  # the field of PageHeader that tells of one


@dataclass(frozen=True)
class Page:
    """What the header of a page says; `size`: bytes once unpacked."""

    kind: int
    values: int
    size: int
    encoding: int


@dataclass
class Weight:
    """What decoding some chunks of a column comes to, in bytes of memory: all of them, the largest page of data and the
    largest dictionary (0: there is none); and their encodings."""

    leaf: Leaf
    size: int = 0
    page: int = 0
    dictionary: int = 0
    encodings: set[int] = field(default_factory=set)

    @property
    def longest(self) -> int:
        """Bytes that no value is longer than."""
        return max(self.page, self.dictionary, 1)

    def is_slow(self, type: pa.DataType) -> bool:
        """Whether, read as this type, neither pages nor a dictionary tell what its texts come to: it has to be read few
        rows at a time."""
        if self.is_delta and (self.dictionary or _DELTA_BYTE_ARRAY in self.encodings):
            return True
        return self.is_repeating and not _is_bytes(type)

    @property
    def is_delta(self) -> bool:
        """Whether some of its texts are encoded in a way that Arrow does not read into dictionaries."""
        return bool(self.encodings & _DELTAS)

    @property
    def is_repeating(self) -> bool:
        """Whether its values are of any length, and in a dictionary."""
        return self.leaf.type == _BYTE_ARRAY and self.dictionary > 0

    def add(self, page: Page) -> None:
        size = max(page.size, page.values * self.leaf.width)
        self.size += size
        self.encodings.add(page.encoding)
        if page.kind == _DICTIONARY:
            self.dictionary = max(self.dictionary, size, 1)
        else:
            self.page = max(self.page, page.size)


def read(footer: Footer, file: pa.NativeFile, groups: Sequence[int], names: Sequence[str], most: int) -> pa.Table:
    """These columns of these row groups, in the order of the file; `most`: bytes that they may come to. `footer` is one
    that was checked.

    Corrupt, naming the place: the pages are not what the footer says, or come to more.
    """
    weights = weigh(footer, file, groups, names, most)
    try:
        return _decode(footer, file, groups, weights, most)
    except (Corrupt, pa.ArrowException, OSError, ValueError) as error:
        raise Corrupt(f"{footer.where}: {error}") from None


def weigh(
    footer: Footer, file: pa.NativeFile, groups: Sequence[int], names: Sequence[str], most: int
) -> dict[int, Weight]:
    """What decoding these columns of these row groups comes to, by the number of the column. Corrupt as in `read`."""
    weights = {number: Weight(leaf) for number, leaf in enumerate(leaves(footer)) if leaf.name in names}
    for group in groups:
        chunks = footer.group(group).chunks
        for number, weight in weights.items():
            try:
                _weigh(chunks[number], file, weight, most)
            except Corrupt as error:
                raise Corrupt(f"{footer.where}: {weight.leaf} of row group {group}: {error}") from None
    size = sum(weight.size for weight in weights.values())
    if size > most:
        raise Corrupt(f"{footer.where} unpacks to {size:,} bytes or more; at most {most:,} are read at once")
    return weights


def weigh_pages(footer: Footer, file: pa.NativeFile, groups: Sequence[int], names: Sequence[str]) -> dict[int, Weight]:
    """As `weigh`, for who holds no more than a page and a dictionary of each column at once."""
    weights = weigh(footer, file, groups, names, STREAMED_MAX)
    held = sum(weight.page + weight.dictionary for weight in weights.values())
    if held > HELD_MAX:
        raise Corrupt(
            f"{footer.where}: its largest pages come to {held:,} bytes, and at most {HELD_MAX:,} are held at once: "
            "write it in smaller pages or row groups"
        )
    return weights


def _weigh(chunk: Chunk, file: pa.NativeFile, weight: Weight, most: int) -> None:
    """Walk over the headers of a chunk's pages, and add what they come to."""
    at, stop, values = chunk.start, chunk.stop, 0
    while values < chunk.values or at == chunk.start < stop:  # a dictionary of no values is decoded, too
        header, body = _header(file, at, stop)
        packed, page = whole(header, 3, I32), _page(header, weight.leaf)
        if not 0 <= packed <= stop - body:
            raise Corrupt(f"a page at byte {at:,} claims {packed:,} bytes, and the chunk has {stop - body:,} more")
        if page.kind == _DICTIONARY and at != chunk.start:
            raise Corrupt(f"a second dictionary at byte {at:,}")
        values += 0 if page.kind == _DICTIONARY else page.values
        if values > chunk.values:
            raise Corrupt(f"{values:,} values in its pages, and {chunk.values:,} in all")
        weight.add(page)
        if weight.size > most:
            raise Corrupt(f"it unpacks to {weight.size:,} bytes or more; at most {most:,} are read at once")
        at = body + packed


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


def _page(header: Struct, leaf: Leaf) -> Page:
    """What a page's header says of it. Corrupt: more than its values can take, or nothing."""
    kind, unpacked = whole(header, 1, I32), whole(header, 2, I32)
    about = header.get(_OF_KIND.get(kind, -1))
    if not isinstance(about, Struct):
        raise Corrupt(f"a page of kind {kind}, or one that does not say how many values it has")
    page = Page(kind, whole(about, 1, I32), unpacked, whole(about, 4 if kind == _DATA_2 else 2, I32))
    if page.values < 0 or unpacked < 0:
        raise Corrupt("a page with fewer than 0 values or bytes")
    if leaf.type != _BYTE_ARRAY and unpacked > _SLACK + page.values * (leaf.width + _LEVELS):
        raise Corrupt(f"a page that claims {unpacked:,} bytes for {page.values:,} values")
    return page


def _decode(
    footer: Footer, file: pa.NativeFile, groups: Sequence[int], weights: Mapping[int, Weight], most: int
) -> pa.Table:
    fields = {number: footer.schema.field(number) for number in weights}
    slow = {number for number, weight in weights.items() if weight.is_slow(fields[number].type)}
    texts = {number for number, weight in weights.items() if weight.is_repeating} - slow
    reading = _Reading(footer, file, list(groups), most)
    tables = [
        reading.at_once([fields[number].name for number in weights if number not in slow | texts], texts=False),
        reading.at_once([fields[number].name for number in sorted(texts)], texts=True),
        reading.by_and_by({fields[number].name: weights[number].longest for number in sorted(slow)}),
    ]
    columns = {name: table.column(name) for table in tables for name in table.column_names}
    _check_counts(columns, sum(footer.rows[group] for group in groups))
    return pa.table([columns[field.name] for field in fields.values()], schema=pa.schema(list(fields.values())))


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
        total = 0
        for name, column in zip(names, table.columns, strict=True) if texts else ():
            size = sum(map(_text_size, column.chunks))
            total += size
            if total > self.most:
                most = f"at most {self.most:,} are read at once, of all columns"
                raise Corrupt(f"column {name} unpacks to {size:,} bytes of text; {most}")
        columns = [_as(column, self._type(name)) for name, column in zip(names, table.columns, strict=True)]
        return pa.table(columns, names=names)

    def by_and_by(self, longest: Mapping[str, int]) -> pa.Table:
        """So few rows at a time that they cannot come to more than `most`; `longest`: bytes that a value of each column
        may have."""
        if not longest:
            return pa.table({})
        names = list(longest)
        schema = pa.schema([self.footer.schema.field(name) for name in names])
        reader = pq.ParquetFile(self.file, metadata=self.footer.arrow)
        rows, size, batches = max(1, min(_ROWS_AT_ONCE, self.most // max(longest.values()))), 0, []
        for batch in reader.iter_batches(rows, row_groups=self.groups, columns=names):
            size += batch.nbytes
            if size > self.most:
                raise Corrupt(f"column {', '.join(names)} unpacks to {size:,} bytes; at most {self.most:,} are read")
            batches.append(batch)
        return pa.Table.from_batches(batches, schema=batches[0].schema if batches else schema)

    def _type(self, name: str) -> pa.DataType:
        return self.footer.schema.field(name).type


def _check_counts(columns: Mapping[str, pa.ChunkedArray], rows: int) -> None:
    for name, column in columns.items():
        if len(column) != rows:
            raise Corrupt(f"{len(column):,} values of column {name} in {rows:,} rows")


def _text_size(chunk: pa.DictionaryArray) -> int:
    lengths = pc.binary_length(chunk.dictionary).cast(pa.int64())
    return pc.sum(lengths.take(chunk.indices)).as_py() or 0


def _as(column: pa.ChunkedArray, type: pa.DataType) -> pa.ChunkedArray:
    """The column in the type that the file's schema has for it."""
    if pa.types.is_dictionary(column.type) and not pa.types.is_dictionary(type):
        column = column.cast(column.type.value_type)
    return column.cast(type)
