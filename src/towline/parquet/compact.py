"""A draft without its dead bytes: all chunks that are in use, in the order of their row groups, and then their page
indexes. What is moved is copied by the store like all that is kept; only the page indexes are read, and written anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from towline.parquet import indexes
from towline.parquet.draft import Draft, Listed
from towline.parquet.footer import MAGIC, Chunk, Group
from towline.parquet.indexes import Indexes
from towline.parquet.pieces import Assembled, Keep, Piece, joined
from towline.parquet.source import Source
from towline.parquet.thrift import STRUCT
from towline.parquet.verify import check_apart

_META, _BLOOM = 3, (14, 15)  # of ColumnChunk and ColumnMetaData of parquet.thrift


def compact(draft: Draft, old: Source) -> Draft:
    """The same row groups without the bytes between them that no chunk uses. Amiss: chunks overlap."""
    file = Assembled(draft.pieces, old)
    groups = [listed.group for listed in draft.groups]
    check_apart([span for group in groups for span in group.spans], file.size, file.where)
    chunks = [chunk for group in groups for chunk in group.chunks]
    pieces: list[Piece] = [_magic(chunks, file), *(p for c in chunks for p in file.cut(c.start, c.stop))]
    at = len(MAGIC) + sum(chunk.stop - chunk.start for chunk in chunks)
    moved, bodies = [], []
    for listed, group, body in _moved(draft.groups, _indexes(groups, file), at):
        moved.append(replace(listed, raw=group.to_bytes()))
        bodies.append(body)
    return Draft(tuple(joined([*pieces, b"".join(bodies)])), tuple(moved), 0)


def _magic(chunks: Sequence[Chunk], file: Assembled) -> Piece:
    """What a file begins with: copied, where what follows it is."""
    first = next(file.cut(0, len(MAGIC)), MAGIC)
    return first if isinstance(first, Keep) and chunks and chunks[0].start == len(MAGIC) else MAGIC


def _indexes(groups: Sequence[Group], file: Assembled) -> Iterator[list[Indexes]]:
    """The page indexes of each group's chunks; all are read at once."""
    spans = [indexes.spans(group) for group in groups]
    bodies = iter(file.read([span for of_group in spans for span in of_group]))
    return (indexes.paired([next(bodies) for _ in of_group]) for of_group in spans)


def _moved(listed: Sequence[Listed], found: Iterator[list[Indexes]], at: int) -> Iterator[tuple[Listed, Group, bytes]]:
    """The groups, their chunks behind one another from the file's magic on, and the page indexes of each, which follow
    from byte `at` on."""
    place = len(MAGIC)
    for one, of_chunks in zip(listed, found, strict=True):
        chunks, shifted = [], []
        for chunk, (column, offset) in zip(one.group.chunks, of_chunks, strict=True):
            by = place - chunk.start
            chunks.append(_without_filter(chunk.moved(by)))
            shifted.append((column, indexes.shifted(offset, by)))
            place += chunk.stop - chunk.start
        moved, body = indexes.attached(one.group.having(chunks), shifted, at)
        at += len(body)
        yield one, moved, body


def _without_filter(chunk: Chunk) -> Chunk:
    """Without a Bloom filter, which lies elsewhere, and is left behind."""
    meta = chunk.meta.copy()
    meta.drop(*_BLOOM)
    raw = chunk.raw.copy()
    raw.set(_META, STRUCT, meta)
    return Chunk(raw)
