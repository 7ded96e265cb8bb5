"""Single rows of a row group, for the price of the pages that hold them.

Arrow reads whole column chunks. The page index of a chunk says which rows lie in which page; the pages that are wanted,
behind the chunk's dictionary where they need it, are made a small file of their own, and Arrow reads that.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from towline.errors import Corrupt
from towline.parquet import thrift
from towline.parquet.footer import MAGIC, Chunk, Footer, Group
from towline.parquet.source import Source, Span
from towline.parquet.thrift import I32, I64, LIST, STRUCT, Many, Struct

_DATA_PAGE, _DICTIONARY_PAGE, _COMPRESSED, _UNCOMPRESSED, _VALUES = 9, 11, 7, 6, 5
_LEFT_OUT = (8, 10, 12, 13, 14, 15)  # of ColumnMetaData: statistics and the like, of the whole chunk
# PageEncodingStats: kind of page, encoding, how many; kinds of data pages, and encodings that need the dictionary.
_ENCODINGS, _KIND, _ENCODING, _COUNT = 13, 1, 2, 3
_DATA_PAGES, _CODED = (0, 3), (2, 8)


@dataclass(frozen=True)
class Slice:
    """Some pages of one column chunk: `spans` in the file (first the dictionary, where they need it), and the rows that
    they hold, as (first, behind the last) each."""

    chunk: Chunk
    spans: list[Span]
    rows: list[Span]

    @property
    def dictionary(self) -> list[Span]:
        """That of the chunk; none, where it has none."""
        return [(self.chunk.start, self.chunk.data)] if self.chunk.start < self.chunk.data else []

    @property
    def has_dictionary(self) -> bool:
        return self.spans[0][0] < self.chunk.data

    def coded(self) -> Slice:
        """The same pages behind the dictionary."""
        return replace(self, spans=self.dictionary + self.spans)


def is_flat(footer: Footer) -> bool:
    """Whether every column is a leaf right below the root, with at most one value a row."""
    schema = footer.arrow.schema
    names = [schema.column(number).path for number in range(footer.arrow.num_columns)]
    levels = all(schema.column(number).max_repetition_level == 0 for number in range(footer.arrow.num_columns))
    return names == schema.names and levels and schema.names == footer.schema.names


def read(source: Source, footer: Footer, places: Mapping[int, Sequence[int]]) -> Iterator[pa.Table]:
    """The rows at these places of row groups: a table a group, in this order, with all columns. What is wanted of all
    groups is fetched together. The file is flat (`is_flat`).

    Corrupt: pages or their index are not what they claim.
    """
    groups = {number: footer.group(number) for number in places}
    bodies = iter(source.read([span for group in groups.values() for span in indexes(group)]))
    slices = {number: _slices(group, bodies, places[number]) for number, group in groups.items()}
    pages = iter(source.read([span for of_group in slices.values() for each in of_group for span in each.spans]))
    for number, of_group in slices.items():
        columns = []
        for place, each in enumerate(of_group):
            values = _values(source, footer, place, each, b"".join(next(pages) for _ in each.spans))
            columns.append(values.take(_places(each, places[number])).cast(footer.schema.field(place).type))
        yield pa.table(columns, schema=footer.schema)


def indexes(group: Group) -> list[Span]:
    """Where the page locations of a group's chunks lie, as far as it has any."""
    return [span for chunk in group.chunks if (span := chunk.offset_index)]


def _slices(group: Group, bodies: Iterator[bytes], positions: Sequence[int]) -> list[Slice]:
    """The pages of each chunk that hold these rows; `bodies` has what was read of its `indexes`."""
    wanted = sorted(set(positions))
    return [
        _slice(chunk, _locations(next(bodies)) if chunk.offset_index else None, wanted, group) for chunk in group.chunks
    ]


def _locations(body: bytes) -> Many:
    index, _ = thrift.decode(body)
    found = index.get(1)
    if not isinstance(found, Many) or not found.members or found.of != STRUCT:
        raise Corrupt("a page index without pages")
    return found


def _slice(chunk: Chunk, index: Many | None, wanted: Sequence[int], group: Group) -> Slice:
    """The pages of a chunk that hold these rows."""
    if index is None:
        return Slice(chunk, [(chunk.start, chunk.stop)], [(0, group.rows)])
    firsts = [int(page.get(3)) for page in index]
    spans = [(int(page.get(1)), int(page.get(1)) + int(page.get(2))) for page in index]
    behind = [*firsts[1:], group.rows]
    pages = sorted({bisect_right(firsts, row) - 1 for row in wanted})
    rows = [(firsts[page], behind[page]) for page in pages]
    chosen = [spans[page] for page in pages]
    _check(chunk, chosen, rows, wanted)
    found = Slice(chunk, chosen, rows)
    return found.coded() if pages[0] < _coded(chunk, len(index)) else found


def _coded(chunk: Chunk, pages: int) -> int:
    """How many of a chunk's pages, the first ones, need its dictionary: a writer that finds too many distinct values
    goes over to plain ones, and not back. All of them, where the chunk does not tell."""
    told = chunk.meta.get(_ENCODINGS)
    counts = [
        (each.get(_ENCODING) in _CODED, int(each.get(_COUNT)))
        for each in (told if isinstance(told, Many) and told.of == STRUCT else ())
        if each.get(_KIND) in _DATA_PAGES
    ]
    is_fit = sum(count for _, count in counts) == pages
    return sum(count for is_coded, count in counts if is_coded) if is_fit else pages


def _check(chunk: Chunk, spans: Sequence[Span], rows: Sequence[Span], wanted: Sequence[int]) -> None:
    is_inside = all(chunk.data <= start < stop <= chunk.stop for start, stop in spans)
    is_fit = all(0 <= first < behind for first, behind in rows) and rows[-1][1] > wanted[-1]
    if not is_inside or not is_fit:
        raise Corrupt("a page index that points out of its column chunk")


def _values(source: Source, footer: Footer, number: int, of: Slice, body: bytes) -> Any:
    """The values in these pages. Where they need the dictionary after all, Arrow says so, and it is read."""
    try:
        return _decoded(footer, number, of, body)
    except Corrupt:
        if of.has_dictionary or not of.dictionary:
            raise
        (dictionary,) = source.read(of.dictionary)
        return _decoded(footer, number, of.coded(), dictionary + body)


def _decoded(footer: Footer, number: int, of: Slice, body: bytes) -> Any:
    """The values in these pages."""
    count = sum(behind - first for first, behind in of.rows)
    try:
        table = pq.ParquetFile(pa.BufferReader(alone(footer, number, of, body, count))).read()
    except (pa.ArrowException, OSError) as error:
        raise Corrupt(f"{footer.where}: the pages of column {footer.schema.names[number]!r}: {error}") from error
    if table.num_rows != count:
        raise Corrupt(f"{footer.where}: {table.num_rows} rows in pages of column {number}, and {count} were said")
    return table.column(0).combine_chunks()


def alone(footer: Footer, number: int, of: Slice, body: bytes, count: int) -> bytes:
    """A file of one column that holds these pages."""
    meta = of.chunk.meta.copy()
    meta.drop(*_LEFT_OUT)
    first = len(MAGIC)
    meta.set(_DATA_PAGE, I64, first + (of.chunk.data - of.chunk.start if of.has_dictionary else 0))
    if of.has_dictionary:
        meta.set(_DICTIONARY_PAGE, I64, first)
    else:
        meta.drop(_DICTIONARY_PAGE)
    meta.set(_VALUES, I64, count)
    meta.set(_COMPRESSED, I64, len(body))
    column = Struct({2: (I64, 0), 3: (STRUCT, meta)})
    size = int(meta.get(_UNCOMPRESSED))
    group = Struct({1: (LIST, thrift.structs([column])), 2: (I64, size), 3: (I64, count)})
    root, leaf = footer.elements[0].copy(), footer.elements[number + 1]
    root.set(5, I32, 1)
    whole = Struct(
        {1: (I32, 2), 2: (LIST, thrift.structs([root, leaf])), 3: (I64, count), 4: (LIST, thrift.structs([group]))}
    )
    raw = thrift.encode(whole)
    return b"".join((MAGIC, body, raw, len(raw).to_bytes(4, "little"), MAGIC))


def _places(of: Slice, positions: Sequence[int]) -> pa.Array:
    """Where the rows lie in what the pages hold."""
    before, places = 0, {}
    for first, behind in of.rows:
        places.update({row: before + row - first for row in positions if first <= row < behind})
        before += behind - first
    return pa.array([places[row] for row in positions], pa.int64())
