"""Rows in key order -> the row groups of a canonical file, encoded side by side and written behind one another."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa

from towline.ahead import ahead
from towline.errors import Corrupt, NotFound, UnreadableFile
from towline.objects import open_table
from towline.parquet.footer import GROUPS, MAGIC, Footer, Marks, of_bytes
from towline.parquet.writer import ROW_GROUP, Encoded, encode, writer
from towline.ranks import Rank, rank_at
from towline.rules.field import Field
from towline.store import ObjectStore

ENCODERS = 2  # threads: as many as a function of 2 GB has cores
_LEAST, _MOST = ROW_GROUP // 2, ROW_GROUP * 3 // 2  # rows of a row group that is cut where another table's is


def write(path: Path, groups: Iterable[pa.Table], schema: pa.Schema, key: Sequence[str], memory: int) -> None:
    """`pieces` in a file."""
    with path.open("wb") as file:
        file.writelines(pieces(groups, schema, key, memory))


def pieces(
    groups: Iterable[pa.Table], schema: pa.Schema, key: Sequence[str], memory: int
) -> Iterator[bytes | memoryview]:
    """The canonical file, without a commit, of these row groups, piece by piece. Besides what makes the groups, those
    that are being encoded take `memory` bytes, or one of them alone does."""
    raws: list[bytes] = []
    digests: list[tuple[bytes, ...]] = []
    at, rows = len(MAGIC), 0
    yield MAGIC
    for encoded in _encoded(groups, key, memory):
        placed, bodies = encoded.placed(at)
        yield from bodies
        at += sum(map(len, bodies))
        raws += [group.to_bytes() for group in placed]
        digests += encoded.digests
        rows += sum(group.rows for group in placed)
    marks = Marks(tuple(map(len, raws)), tuple(digests))
    yield _empty(schema, key).with_groups(raws, rows, {GROUPS: marks.to_text()})


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


def cut(
    tables: Iterable[pa.Table], schema: pa.Schema, limit: int, key: Sequence[str] = (), cuts: Sequence[Rank] = ()
) -> Iterator[pa.Table]:
    """The same rows in tables of ROW_GROUP rows, the last one with what is left; an empty one where there are none.

    Where `cuts` are given, the first keys of the row groups of another table, in order, these begin row groups here,
    too, of half as many rows to half as many again. Rows that stand in both tables are then in equal row groups.
    UnreadableFile: so many rows take more than `limit` bytes.
    """
    pending, count, full = pa.Table.from_batches([], schema), 0, _MOST + 1 if cuts else ROW_GROUP
    for table, begins in _at(cuts, tables, key):
        if begins and pending.num_rows >= _LEAST:
            yield pending
            pending, count = pa.Table.from_batches([], schema), count + 1
        pending = pa.concat_tables([pending, table.cast(schema)])
        while pending.num_rows >= full:
            yield pending.slice(0, ROW_GROUP)
            pending, count = pending.slice(ROW_GROUP), count + 1
        _check_size(pending, limit)
    if pending.num_rows or not count:
        yield pending


def _at(cuts: Sequence[Rank], tables: Iterable[pa.Table], key: Sequence[str]) -> Iterator[tuple[pa.Table, bool]]:
    """The rows in pieces, and whether a piece begins at a cut."""
    waiting = deque(cuts)
    for table in tables:
        start, begins = 0, False
        last = rank_at(table, key, table.num_rows - 1)
        while waiting and waiting[0] <= last:
            stop = _place(table, key, waiting.popleft())
            if start < stop:
                yield table.slice(start, stop - start), begins
            start, begins = stop, True
        yield table.slice(start), begins


def _place(table: pa.Table, key: Sequence[str], wanted: Rank) -> int:
    """The first row whose key does not come before this one."""
    return bisect_left(range(table.num_rows), wanted, key=lambda row: rank_at(table, key, row))


def _check_size(pending: pa.Table, limit: int) -> None:
    if pending.nbytes > limit:
        raise UnreadableFile(
            f"{pending.num_rows:,} rows of this table take {pending.nbytes:,} bytes, and a row group of "
            f"{ROW_GROUP:,} may take {limit:,} here: shorten its texts, or give it more memory"
        )


def firsts(store: ObjectStore, base: str, fields: Sequence[Field], key: Sequence[str]) -> list[Rank]:
    """The first keys of the row groups of the table in an object, but for the first group's; nothing where there is no
    such table, or its key is of other types than that of `fields`."""
    types = {field.name: field.arrow for field in fields}
    try:
        file = open_table(store, base)
        if any(name not in file.schema.names or file.schema.field(name).type != types[name] for name in key):
            return []
        groups = [number for number, rows in enumerate(file.footer.rows) if rows]
        return list(ahead(lambda number: rank_at(file.read([number], key), key, 0), groups[1:], ENCODERS))
    except (NotFound, Corrupt):
        return []
