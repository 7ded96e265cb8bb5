"""Single rows of a row group, for the price of the pages that hold them.

Arrow reads whole column chunks. The page index of a chunk says which rows lie in which page; the pages that are wanted,
behind the chunk's dictionary, are made a small file of their own, and Arrow reads that.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Slice:
    """Some pages of one column chunk: `spans` in the file (the dictionary first), and the rows that they hold, as
    (first, behind the last) each."""

    chunk: Chunk
    spans: list[Span]
    rows: list[Span]


def is_flat(footer: Footer) -> bool:
    """Whether every column is a leaf right below the root, with at most one value a row."""
    schema = footer.arrow.schema
    names = [schema.column(number).path for number in range(footer.arrow.num_columns)]
    levels = all(schema.column(number).max_repetition_level == 0 for number in range(footer.arrow.num_columns))
    return names == schema.names and levels and schema.names == footer.schema.names


def read(source: Source, footer: Footer, group: int, positions: Sequence[int]) -> pa.Table:
    """The rows at these places of a row group, in this order, with all columns. The file is flat (`is_flat`).

    Corrupt: pages or their index are not what they claim.
    """
    found = footer.group(group)
    wanted = sorted(set(positions))
    slices = [
        _slice(chunk, index, wanted, found) for chunk, index in zip(found.chunks, _indexes(source, found), strict=True)
    ]
    bodies = iter(source.read([span for each in slices for span in each.spans]))
    columns = []
    for number, each in enumerate(slices):
        body = b"".join(next(bodies) for _ in each.spans)
        values = _decoded(footer, number, each, body)
        field = footer.schema.field(number)
        columns.append(values.take(_places(each, positions)).cast(field.type))
    return pa.table(columns, schema=footer.schema)


def _indexes(source: Source, group: Group) -> list[Many | None]:
    """The page locations of each chunk; None where it has no page index."""
    spans = [chunk.offset_index for chunk in group.chunks]
    bodies = iter(source.read([span for span in spans if span]))
    return [_locations(next(bodies)) if span else None for span in spans]


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
    dictionary = [(chunk.start, chunk.data)] if chunk.start < chunk.data else []
    return Slice(chunk, dictionary + chosen, rows)


def _check(chunk: Chunk, spans: Sequence[Span], rows: Sequence[Span], wanted: Sequence[int]) -> None:
    is_inside = all(chunk.data <= start < stop <= chunk.stop for start, stop in spans)
    is_fit = all(0 <= first < behind for first, behind in rows) and rows[-1][1] > wanted[-1]
    if not is_inside or not is_fit:
        raise Corrupt("a page index that points out of its column chunk")


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
    has_dictionary = of.chunk.start < of.chunk.data
    first = len(MAGIC)
    meta.set(_DATA_PAGE, I64, first + (of.spans[0][1] - of.spans[0][0] if has_dictionary else 0))
    if has_dictionary:
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
