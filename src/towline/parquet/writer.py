"""The canonical form of a master (docs/parquet.md), as it is written.

Rows sorted by key; row groups of 65,536 rows in pages of at most 2,048, so that one row can be read without its group;
zstd; statistics and page indexes; key columns REQUIRED and all others OPTIONAL (a REQUIRED column could not take a null
later); a commit's id inside, so that two commits of equal tables never have equal ETags (A -> B -> A must not pass
If-Match); and a digest of every column chunk, so that versions can be compared without being decoded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from towline.parquet.footer import GROUPS, MAGIC, Footer, Group, Marks, digest, of_bytes
from towline.parquet.indexes import Indexes, attached, paired, shifted, spans
from towline.parquet.source import BytesSource, Source

ROW_GROUP = 65_536
PAGE_ROWS = 2_048
# Bytes. A column of more distinct values is written plainly from there on: the rows before that are read with all of
# them. Files are no larger for it.
_DICTIONARY_MAX = 64 * 1024
COMMIT, NUMBER = "towline.commit", "towline.number"


def writer(sink: pa.NativeFile | str, schema: pa.Schema, key: Sequence[str]) -> pq.ParquetWriter:
    """What writes the canonical form, but for its marks (`marked`); its caller hands it row groups, in key order."""
    names = schema.names
    order = [pq.SortingColumn(names.index(column)) for column in key if column in names]
    return pq.ParquetWriter(
        sink,
        schema,
        compression="zstd",
        version="2.6",
        sorting_columns=order or None,
        write_page_index=True,
        max_rows_per_page=PAGE_ROWS,
        dictionary_pagesize_limit=_DICTIONARY_MAX,
    )


def to_parquet(table: pa.Table, key: Sequence[str], metadata: Mapping[str, str], *, group: int = ROW_GROUP) -> bytes:
    """The canonical bytes of a table that is sorted by key."""
    body = _written(table, key, group)
    stop, footer = marked(BytesSource(body), metadata)
    return b"".join((body[:stop], footer))


def commit_metadata(commit: str, number: int) -> Mapping[str, str]:
    """What a master says of the commit that made it."""
    return {COMMIT: commit, NUMBER: str(number)}


def marked(source: Source, metadata: Mapping[str, str]) -> tuple[int, bytes]:
    """Where the data ends in a file that `writer` wrote, and the footer, with magic, that belongs there: with a digest
    of every chunk, and `metadata`. The chunks are read one group after the other."""
    footer = Footer.read(source)
    groups = footer.groups()
    raws = [group.to_bytes() for group in groups]
    digests = tuple(tuple(map(digest, source.read(group.spans))) for group in groups)
    marks = Marks(tuple(map(len, raws)), digests)
    return footer.start, footer.with_groups(raws, footer.num_rows, {**metadata, GROUPS: marks.to_text()})


@dataclass(frozen=True)
class Encoded:
    """Row groups as they are put into another file: `body` are their pages, `indexes` the page indexes of each group;
    `groups` describe them in a file that begins with them, and `digests` are those of their chunks."""

    body: memoryview
    indexes: tuple[Sequence[Indexes], ...]
    groups: tuple[Group, ...]
    digests: tuple[tuple[bytes, ...], ...]

    def placed(self, at: int) -> tuple[list[Group], list[bytes | memoryview]]:
        """The groups, and their bytes in pieces, where these begin at byte `at` of the file."""
        by, stop, groups = at - len(MAGIC), at + len(self.body), []
        pieces: list[bytes | memoryview] = [self.body]
        for group, of_chunks in zip(self.groups, self.indexes, strict=True):
            there = [(column, shifted(offset, by)) for column, offset in of_chunks]
            moved, behind = attached(group.moved(by), there, stop)
            groups.append(moved)
            pieces.append(behind)
            stop += len(behind)
        return groups, pieces


def encode(table: pa.Table, key: Sequence[str] = (), *, group: int = ROW_GROUP) -> Encoded:
    """A table, sorted by key (or some columns of one), as row groups of `group` rows."""
    body = _written(table, key, group)
    groups = tuple(of_bytes(body).groups())
    view = memoryview(body)
    digests = tuple(tuple(digest(view[start:stop]) for start, stop in each.spans) for each in groups)
    found = tuple(paired([body[start:stop] for start, stop in spans(each)]) for each in groups)
    stop = max((stop for each in groups for _, stop in each.spans), default=len(MAGIC))
    return Encoded(view[len(MAGIC) : stop], found, groups, digests)


def _written(table: pa.Table, key: Sequence[str], group: int) -> bytes:
    sink = pa.BufferOutputStream()
    with writer(sink, table.schema.remove_metadata(), key) as out:
        out.write_table(table.replace_schema_metadata(None), row_group_size=group)
    return bytes(sink.getvalue())
