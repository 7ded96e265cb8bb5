"""Rows in key order -> the row groups of a canonical file, encoded side by side and written behind one another."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from towline.errors import UnreadableFile
from towline.parquet.footer import GROUPS, MAGIC, Footer, Marks, of_bytes
from towline.parquet.tablefile import TableFile
from towline.parquet.writer import ROW_GROUP, Encoded, encode, writer
from towline.ranks import Rank, rank_at, up_to

ENCODERS = 2  # threads: as many as a function of 2 GB has cores


def write(path: Path, groups: Iterable[pa.Table], schema: pa.Schema, key: Sequence[str], memory: int) -> int:
    """The canonical file, without a commit, of these row groups; how many rows it has. Besides what makes the groups,
    those that are being encoded take `memory` bytes, or one of them alone does."""
    raws: list[bytes] = []
    digests: list[tuple[bytes, ...]] = []
    rows = 0
    with path.open("wb") as file:
        at = file.write(MAGIC)
        for encoded in _encoded(groups, key, memory):
            placed, body = encoded.placed(at)
            at += file.write(body)
            raws += [group.to_bytes() for group in placed]
            digests += encoded.digests
            rows += sum(group.rows for group in placed)
        marks = Marks(tuple(map(len, raws)), tuple(digests))
        file.write(_empty(schema, key).with_groups(raws, rows, {GROUPS: marks.to_text()}))
    return rows


def _empty(schema: pa.Schema, key: Sequence[str]) -> Footer:
    """The footer of a canonical file without row groups."""
    sink = pa.BufferOutputStream()
    writer(sink, schema, key).close()
    return of_bytes(bytes(sink.getvalue()))


def _encoded(groups: Iterable[pa.Table], key: Sequence[str], memory: int) -> Iterator[Encoded]:
    """The groups in their order; while some are encoded, the next is made."""
    waiting: deque[tuple[Future[Encoded], int]] = deque()
    with ThreadPoolExecutor(ENCODERS, "encode") as encoders:
        for group in groups:
            while len(waiting) > ENCODERS or (waiting and group.nbytes + sum(size for _, size in waiting) > memory):
                yield waiting.popleft()[0].result()
            waiting.append((encoders.submit(_of, group, key), group.nbytes))
        while waiting:
            yield waiting.popleft()[0].result()


def _of(group: pa.Table, key: Sequence[str]) -> Encoded:
    """Encoded of one piece a column: where pieces end, pages would."""
    return encode(group.combine_chunks(), key, group=max(1, group.num_rows))


@dataclass(frozen=True)
class Ends:
    """Where the row groups of another table end, by the keys (`key`) of their last rows. What stands in both, cut and
    written alike, has the same bytes and digests."""

    key: tuple[str, ...] = ()
    ranks: Sequence[Rank] = ()

    @classmethod
    def of(cls, file: TableFile, key: tuple[str, ...]) -> Ends:
        """Those of a file that is sorted by `key`."""
        groups = (table for table in file.tables(key) if table.num_rows)
        return cls(key, [rank_at(table, key, table.num_rows - 1) for table in groups])

    def pieces(self, tables: Iterable[pa.Table]) -> Iterator[tuple[pa.Table, bool]]:
        """The rows of tables in key order, divided at the ends: each piece with whether one is behind it."""
        ranks = iter(self.ranks)
        end = next(ranks, None)
        for table in tables:
            start = 0
            while end is not None and (stop := up_to(table, self.key, end, start)) < table.num_rows:
                yield table.slice(start, stop - start), True
                start, end = stop, next(ranks, None)
            yield table.slice(start), False


NOWHERE = Ends()


def cut(tables: Iterable[pa.Table], schema: pa.Schema, limit: int, ends: Ends = NOWHERE) -> Iterator[pa.Table]:
    """The same rows in tables of ROW_GROUP rows, the last one with what is left; an empty one where there are none. At
    `ends` a table ends, too, and between them it may have half as many rows again, as in a file that was edited.

    UnreadableFile: so many rows take more than `limit` bytes.
    """
    pending, count = schema.empty_table(), 0
    most = ROW_GROUP * 3 // 2 if ends.ranks else ROW_GROUP
    for table, is_end in ends.pieces(tables):
        pending = pa.concat_tables([pending, table.cast(schema)])
        while pending.num_rows > most:
            yield pending.slice(0, ROW_GROUP)
            pending, count = pending.slice(ROW_GROUP), count + 1
        if pending.nbytes > limit:
            raise UnreadableFile(
                f"{pending.num_rows:,} rows of this table take {pending.nbytes:,} bytes, and a row group of "
                f"{ROW_GROUP:,} may take {limit:,} here: shorten its texts, or give it more memory"
            )
        if is_end and pending.num_rows:
            yield pending
            pending, count = schema.empty_table(), count + 1
    if pending.num_rows or not count:
        yield pending
