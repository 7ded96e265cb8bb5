"""The bytes of a version of the master, held against those of its snapshots, and the digests that its table really has.

A table is read in pieces, so that a large one takes no more room than a small one. What passes by is digested: a digest
in a footer is a claim, and what did not change from one version to the next, by digests of what is there, need not be
decoded to be known for the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

from towline.ahead import ahead
from towline.errors import Corrupt
from towline.objects import ObjectSource
from towline.parquet import passing
from towline.parquet.compare import Grouped, OfFile, OfTable, walk
from towline.parquet.passing import Passed
from towline.parquet.source import Source, Span
from towline.parquet.tablefile import TableFile
from towline.rows import Filed, InMemory, Rows
from towline.store import MIB, Blob, ObjectStore

PIECE = 8 * MIB  # bytes that are read at once of what was not read with its end
_AHEAD = 2  # pieces that are read before they are needed


@dataclass(frozen=True)
class Table:
    """The table in a version, and its digests as they are. A small one is decoded at once, when it is asked for, which
    costs less than to look for what has to be."""

    file: TableFile
    passed: Passed
    is_small: bool

    @cached_property
    def _whole(self) -> pa.Table:
        return self.file.table()

    @property
    def grouped(self) -> Grouped:
        """For comparing: what is alike in both, by bytes and by all that the footers say, is the same."""
        seals = self.passed.seals
        if self.is_small:
            return OfTable(self._whole, self.file.source.where, seals if len(seals) == 1 else None)
        return OfFile(self.file, seals)

    def rows(self, key: tuple[str, ...]) -> Rows:
        return InMemory(self._whole, key) if self.is_small else Filed(self.file, key)


def look(store: ObjectStore, blob: Blob, copies: Sequence[Blob]) -> tuple[Table | Corrupt, list[bool]]:
    """The table in an object, or why it is none; and of each of the others whether it holds the same bytes. Of all of
    them the end has been read."""
    watched = _Watched(_source(store, blob), [_source(store, copy) for copy in copies])
    found = _table(watched, blob)
    deque(watched.pieces, maxlen=0)  # the rest, where it is no table
    return found, watched.same


def _source(store: ObjectStore, blob: Blob) -> ObjectSource:
    return ObjectSource(store, blob.stat.key, blob.stat.version, blob.stat.size, blob.body)


def _table(watched: _Watched, blob: Blob) -> Table | Corrupt:
    try:
        how = TableFile.open if "commit" in blob.stat.metadata else TableFile.foreign
        file = how(watched.source, blob.body)
        is_small = len(blob.body) == blob.stat.size
        return Table(file, passing.take(file.footer, watched.pieces), is_small)
    except Corrupt as error:
        return error


class _Watched:
    """An object whose bytes pass by once, beside those of its copies: `same` tells of each copy whether it still is
    one."""

    def __init__(self, source: Source, copies: Sequence[Source]) -> None:
        self.source, self._copies = source, copies
        self.same = [copy.size == source.size for copy in copies]
        self.pieces = self._pieces()

    def _pieces(self) -> Iterator[bytes]:
        alike = [number for number, same in enumerate(self.same) if same]
        beside = [_pieces(self._copies[number]) for number in alike]
        for piece in _pieces(self.source):
            for number, others in zip(alike, beside, strict=True):
                self.same[number] &= piece == next(others, None)
            yield piece


def _pieces(source: Source) -> Iterator[bytes]:
    spans = [(at, min(at + PIECE, source.size)) for at in range(0, source.size, PIECE)]

    def read(span: Span) -> bytes:
        return source.read([span])[0]

    return ahead(read, spans, _AHEAD)


def filled(table: Table, key: tuple[str, ...]) -> int:
    """How many cells of a table are not null, found by decoding all of it, row group by row group. Corrupt: that cannot
    be done, or the rows are not in key order."""
    groups = walk(table.grouped, range(len(table.grouped.counts)), key)
    return sum(len(column) - column.null_count for rows in groups for column in rows.columns)
