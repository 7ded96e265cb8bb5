"""The page indexes of column chunks that come to lie elsewhere.

A ColumnIndex tells what values each page holds, and is the same bytes wherever the chunk is. An OffsetIndex tells where
in the file each page lies, so it is written anew; numbers have as many bytes as they need, so its length changes, too.
"""

from __future__ import annotations

from collections.abc import Sequence

from towline.errors import Corrupt
from towline.parquet import thrift
from towline.parquet.footer import Chunk, Group
from towline.parquet.source import Span
from towline.parquet.thrift import I32, I64, STRUCT, Many, Struct

# ColumnChunk and PageLocation of parquet.thrift.
_OFFSET_INDEX, _COLUMN_INDEX = (4, 5), (6, 7)
_PAGES, _PAGE_OFFSET, _PAGE_SIZE = 1, 1, 2

Indexes = tuple[bytes, bytes]  # of a chunk: ColumnIndex and OffsetIndex; empty where it has none


def spans(group: Group) -> list[Span]:
    """Where the page indexes of a group's chunks lie, two spans a chunk; empty ones where there are none."""
    return [span or (0, 0) for chunk in group.chunks for span in (chunk.column_index, chunk.offset_index)]


def paired(bodies: Sequence[bytes]) -> list[Indexes]:
    """What was read of `spans`, chunk by chunk."""
    return list(zip(bodies[::2], bodies[1::2], strict=True))


def shifted(index: bytes, by: int) -> bytes:
    """An OffsetIndex whose pages lie `by` bytes further on. Corrupt: it is none."""
    if not index:
        return index
    struct, _ = thrift.decode(index)
    for page in _pages(struct):
        page.set(_PAGE_OFFSET, I64, page.get(_PAGE_OFFSET) + by)
    return thrift.encode(struct)


def page_spans(index: bytes) -> list[Span]:
    """Where the pages lie that an OffsetIndex tells of. Corrupt: it is none."""
    pages = _pages(thrift.decode(index)[0])
    return [(page.get(_PAGE_OFFSET), page.get(_PAGE_OFFSET) + page.get(_PAGE_SIZE)) for page in pages]


def _pages(index: Struct) -> Many:
    found = index.get(_PAGES)
    if not isinstance(found, Many) or found.of != STRUCT:
        raise Corrupt("a page index without pages")
    return found


def attached(group: Group, indexes: Sequence[Indexes], at: int) -> tuple[Group, bytes]:
    """A group whose chunks have these page indexes, behind one another from byte `at` on; and their bytes."""
    chunks = []
    for chunk, (column, offset) in zip(group.chunks, indexes, strict=True):
        middle, stop = at + len(column), at + len(column) + len(offset)
        chunks.append(pointing(chunk, (at, middle), (middle, stop)))
        at = stop
    return group.having(chunks), b"".join(column + offset for column, offset in indexes)


def pointing(chunk: Chunk, column: Span | None, offset: Span | None) -> Chunk:
    """A chunk whose page indexes lie there; an empty span is none."""
    raw = chunk.raw.copy()
    for (start, length), span in ((_COLUMN_INDEX, column), (_OFFSET_INDEX, offset)):
        raw.drop(start, length)
        if span and span[0] < span[1]:
            raw.set(start, I64, span[0])
            raw.set(length, I32, span[1] - span[0])
    return Chunk(raw)
