"""Whether a file that was spliced is what was meant, before anybody publishes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from towline.errors import Corrupt
from towline.parquet.footer import GROUPS, MAGIC, Chunk, digest
from towline.parquet.indexes import page_spans
from towline.parquet.order import Order
from towline.parquet.outline import Listed, Outline
from towline.parquet.pieces import Assembled, Piece
from towline.parquet.source import Source, Span
from towline.parquet.tablefile import TableFile

_INTEGERS = {16: pa.int16(), 32: pa.int32(), 64: pa.int64()}


class Amiss(Exception):
    """What was made is not what was meant. The message says in what."""


def check_group(old: TableFile, pieces: Sequence[Piece], group: Listed, meant: pa.Table) -> None:
    """Amiss, unless a new row group, read out of the pieces as they are joined, holds what is `meant` in the columns of
    that."""
    footer = old.footer.with_groups([group.raw], group.rows, {GROUPS: ""})
    try:
        found = TableFile.open(Assembled((*pieces, footer), old.source), footer).read([0], meant.schema.names)
    except Corrupt as error:
        raise Amiss(f"a row group of {group.rows:,} rows cannot be read: {error}") from error
    if not is_identical(found, meant):
        raise Amiss(f"a row group of {group.rows:,} rows reads otherwise than it was written")


def is_increasing(table: pa.Table, key: Sequence[str]) -> bool:
    """Whether each row's key comes after that of the row before it. No null and no NaN does."""
    if table.num_rows < 2:
        return True
    columns = [(table[name].slice(0, table.num_rows - 1), table[name].slice(1)) for name in key]
    less, _ = reduce(_then, reversed([(pc.less(one, two), pc.equal(one, two)) for one, two in columns]))
    return bool(pc.all(less, skip_nulls=False).as_py())


def _then(minor: tuple[Any, Any], major: tuple[Any, Any]) -> tuple[Any, Any]:
    """Less, and equal, of keys of two parts."""
    return pc.or_(major[0], pc.and_(major[1], minor[0])), pc.and_(major[1], minor[1])


def is_identical(one: pa.Table, other: pa.Table) -> bool:
    """Whether two tables have the same columns, and hold the same values, bit by bit: NaN is NaN, -0.0 not 0.0."""
    if not one.schema.equals(other.schema) or one.num_rows != other.num_rows:
        return False
    return all(_bits(a).equals(_bits(b)) for a, b in zip(one.columns, other.columns, strict=True))


def _bits(column: Any) -> Any:
    """The values of a column as one array; floats as the integers of their bits."""
    whole = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    return whole.view(_INTEGERS[column.type.bit_width]) if pa.types.is_floating(column.type) else whole


def opened(
    old: TableFile, outline: Outline, footer: bytes, key: tuple[str, ...], rows: int, metadata: Mapping[str, str]
) -> TableFile:
    """The new file, as its pieces make it, checked: footer parsed anew (by Towline and by Arrow), columns, row count,
    what it says of itself, key order, and where its chunks lie. Amiss: it is not what was meant."""
    try:
        file = TableFile.open(Assembled((*outline.pieces, footer), old.source), footer)
        _check_footer(old, file, outline, rows, metadata)
        _check_places(file, outline)
    except Corrupt as error:
        raise Amiss(f"the new footer contradicts itself: {error}") from error
    if disorder := Order(file, key).disorder():
        raise Amiss(disorder)
    return file


def _check_footer(old: TableFile, file: TableFile, outline: Outline, rows: int, metadata: Mapping[str, str]) -> None:
    footer = file.footer
    _same("rows", (rows, rows), (file.num_rows, sum(footer.rows)))
    if not file.schema.equals(old.schema):
        raise Amiss(f"its columns are {file.schema}, and were to be {old.schema}")
    for name, value in metadata.items():
        _same(name, value, footer.metadata.get(name))
    if footer.marks != outline.marks:
        raise Amiss("its digests are not those of its row groups")
    if [footer.raw_group(number) for number in range(file.num_groups)] != [group.raw for group in outline.groups]:
        raise Amiss("its footer does not list the row groups that were meant")


def _same(what: str, meant: object, found: object) -> None:
    if meant != found:
        raise Amiss(f"{what}: {found}, and {meant} was meant")


def _check_places(file: TableFile, outline: Outline) -> None:
    """The chunks of new groups lie within the data, none on another; new chunks hold what their digests say, in the
    pages that their page indexes tell of."""
    groups = [(listed, listed.group) for listed in outline.groups if listed.columns]
    check_apart([span for _, group in groups for span in group.spans], file.footer.start, file.source.where)
    for listed, group in groups:
        chunks = [group.chunks[column] for column in listed.columns]
        found = file.source.read([(chunk.start, chunk.stop) for chunk in chunks])
        if list(map(digest, found)) != [listed.digests[column] for column in listed.columns]:
            raise Amiss("a chunk is not where its footer says")
        for chunk in chunks:
            _check_pages(chunk, file.source)


def _check_pages(chunk: Chunk, source: Source) -> None:
    """The pages of a new chunk follow each other from its first data page to its end."""
    span = chunk.offset_index
    if span is None:
        raise Amiss("a new chunk has no page index")
    at = chunk.data
    for start, stop in page_spans(source.read([span])[0]):
        if start != at:
            raise Amiss(f"a page begins at byte {at:,}, and its page index says {start:,}")
        at = stop
    _same("the end of a chunk's pages", chunk.stop, at)


def check_moved(before: Outline, after: Outline, old: Source) -> None:
    """Amiss, unless each chunk of the groups is made of the same bytes in both drafts, and of no others."""
    there, here = Assembled(before.pieces, old), Assembled(after.pieces, old)
    check_apart([span for listed in after.groups for span in listed.group.spans], here.size, here.where)
    for one, other in zip(before.groups, after.groups, strict=True):
        for span, moved in zip(one.group.spans, other.group.spans, strict=True):
            if list(there.cut(*span)) != list(here.cut(*moved)):
                raise Amiss(f"a chunk at byte {span[0]:,} came to lie at {moved[0]:,}, where other bytes are")


def check_apart(spans: Iterable[Span], stop: int, where: str) -> None:
    """Amiss, unless the spans lie between a file's magic and byte `stop`, and none on another."""
    ordered = sorted(spans)
    if ordered and not len(MAGIC) <= ordered[0][0] <= max(end for _, end in ordered) <= stop:
        raise Amiss(f"a chunk lies outside the data of {where}, which ends at {stop:,}")
    for one, two in pairwise(ordered):
        if one[1] > two[0]:
            raise Amiss(f"two chunks of {where} share bytes: {one} and {two}")
