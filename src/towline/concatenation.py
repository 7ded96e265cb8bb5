"""Parts that are in key order already -> one object, which the store joins of copies, undecoded but for their keys.

| what has to hold                                    | because                                                        |
|-----------------------------------------------------|----------------------------------------------------------------|
| every part describes its columns in the same bytes, | one footer describes the columns of all row groups; nothing is |
| and they are the wanted ones in name, order, type   | renamed or converted                                           |
| in each part the rows are in order of keys that are | they are read by Arrow, so this is seen, not believed          |
| not null, and no two parts overlap                  |                                                                |
| no column of the key is floating                    | it may hold -0.0, which a master does not                      |
| no row group is larger than a reader has to expect  |                                                                |

Otherwise the parts have to be sorted (`Unfit`, with the reason). The row groups stay as their writer made them: codec,
size, encodings, statistics, and whether a key column may hold nulls. Page indexes and Bloom filters are left out: they
say where in a file the pages lie. Parts and row groups without rows are left out, too.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import accumulate, pairwise
from pathlib import Path

import pyarrow as pa

from towline import store as stores
from towline.ahead import ahead
from towline.errors import Corrupt
from towline.objects import ObjectSource, open_part
from towline.parquet import thrift
from towline.parquet.footer import MAGIC, Group
from towline.parquet.layout import Rules, Upload, layout
from towline.parquet.pieces import Assembled, Keep, Piece
from towline.parquet.source import Span
from towline.parquet.tablefile import TableFile
from towline.parquet.writer import ROW_GROUP
from towline.parts import Parts
from towline.piles import check_room
from towline.ranks import Rank, is_ordered, rank_at
from towline.rules.field import Field
from towline.store import MIB, CopyRange, Entry, FileRange, ObjectStore, Part

LEAST = 8 * MIB  # bytes of all parts together
GROUP_MAX = 256 * MIB  # bytes of a row group, uncompressed
_ROWS = 4 * ROW_GROUP  # whose keys are decoded at once, or a row group
_KEYS = 64 * MIB  # bytes that these may come to
_READERS = 4  # threads


class Unfit(Exception):
    """The parts cannot just be put behind one another. The message says why."""


@dataclass(frozen=True)
class Concatenation:
    """What the store is to join, and how many rows that is."""

    parts: Sequence[Part]
    rows: int


@dataclass(frozen=True)
class _Run:
    """A part with rows: its row groups in key order, from the first key to the last, and where their bytes lie."""

    file: TableFile
    groups: Sequence[Group]
    first: Rank
    last: Rank

    @property
    def span(self) -> Span:
        spans = [span for group in self.groups for span in group.spans]
        return min(start for start, _ in spans), max(stop for _, stop in spans)


def concatenated(
    store: ObjectStore, parts: Parts, fields: Sequence[Field], key: Sequence[str], directory: Path
) -> Concatenation:
    """What makes one object of the parts. Bytes that cannot be copied, because they are too few, come to `directory`.

    Unfit: they have to be sorted. Unavailable: a part was replaced since it was listed, or there is no room.
    """
    if parts.size < LEAST:
        raise Unfit(f"they have {parts.size:,} bytes, which are sorted sooner than they are asked about")
    opened = ahead(partial(_opened, store), parts.entries, _READERS)
    files = [file for file in opened if file.num_rows]
    _check_columns(files, fields, key)
    _check_apart(files, key[0])
    runs = list(ahead(partial(_run, key=key), files, _READERS))
    runs.sort(key=lambda run: run.first)
    for one, other in pairwise(runs):
        if other.first <= one.last:
            raise Unfit(f"{_name(other.file)} begins before {_name(one.file)} ends")
    return _laid(runs, key, directory)


def _opened(store: ObjectStore, entry: Entry) -> TableFile:
    try:
        return open_part(store, entry)
    except Corrupt as error:
        raise Unfit(str(error)) from error


def _name(file: TableFile) -> str:
    return file.source.where


def _check_columns(files: Sequence[TableFile], fields: Sequence[Field], key: Sequence[str]) -> None:
    if not files:
        raise Unfit("no part has rows")
    wanted = [(field.name, field.arrow) for field in fields]
    if [(field.name, field.type) for field in files[0].schema] != wanted or not files[0].is_flat:
        raise Unfit(f"{_name(files[0])} has other columns than the table, or in another order or type")
    described = _columns(files[0])
    for file in files:
        if _columns(file) != described:
            raise Unfit(f"{_name(file)} describes its columns otherwise than {_name(files[0])}")
    for name in key:
        if pa.types.is_floating(files[0].schema.field(name).type):
            raise Unfit(f"{name} of the key is floating")


def _columns(file: TableFile) -> bytes:
    return b"".join(thrift.encode(element) for element in file.footer.elements)


def _check_apart(files: Sequence[TableFile], column: str) -> None:
    """Unfit where statistics say already that two parts overlap."""
    known = []
    for file in files:
        bounds = [each for each in file.claimed(column) if each]
        if bounds:
            known.append((min(least for least, _ in bounds), max(most for _, most in bounds), file))
    known.sort(key=lambda each: each[:2])
    for one, other in pairwise(known):
        if other[0] < one[1]:
            raise Unfit(f"{_name(other[2])} begins before {_name(one[2])} ends")


def _run(file: TableFile, key: Sequence[str]) -> _Run:
    try:
        groups = file.footer.groups()
        _check_groups(file, groups)
        first, last = _ends(file, key)
        return _Run(file, [group for group in groups if group.rows], first, last)
    except (Corrupt, pa.ArrowException, OSError, ValueError) as error:
        raise Unfit(f"{_name(file)}: {error}") from error


def _check_groups(file: TableFile, groups: Sequence[Group]) -> None:
    arrow = file.footer.arrow
    for number, group in enumerate(groups):
        if not all(len(MAGIC) <= start <= stop <= file.footer.start for start, stop in group.spans if group.rows):
            raise Unfit(f"row group {number} of {_name(file)} lies outside of the file")
        if (size := arrow.row_group(number).total_byte_size) > GROUP_MAX:
            raise Unfit(f"row group {number} of {_name(file)} has {size:,} bytes, and {GROUP_MAX:,} are bearable")


def _ends(file: TableFile, key: Sequence[str]) -> tuple[Rank, Rank]:
    """The first key and the last one. Unfit: what lies between them is not in order, or a key has a null."""
    first = last = None
    rows = 0
    for table in _keys(file, key):
        together = table if last is None else pa.concat_tables([last, table])
        if not table.num_rows:
            continue
        if any(table[name].null_count for name in key) or not is_ordered(together):
            raise Unfit(f"the rows of {_name(file)} are not in key order")
        first = first or rank_at(table, key, 0)
        last, rows = table.slice(table.num_rows - 1), rows + table.num_rows
    if first is None or last is None or rows != file.num_rows:
        raise Unfit(f"{_name(file)} holds {rows:,} rows, and claims {file.num_rows:,}")
    return first, rank_at(last, key, 0)


def _keys(file: TableFile, key: Sequence[str]) -> Iterator[pa.Table]:
    """The key columns, some row groups at a time."""
    some: list[int] = []
    rows = file.footer.rows
    for number in range(file.num_groups):
        if some and sum(rows[each] for each in some) + rows[number] > _ROWS:
            yield file.read(some, key, _KEYS)
            some = []
        some.append(number)
    yield file.read(some, key, _KEYS)


@dataclass(frozen=True)
class _Row:
    """All parts as one file, each behind the one before it: where pieces are kept of."""

    files: Sequence[TableFile]

    @property
    def where(self) -> str:
        return "the parts"

    @cached_property
    def begins(self) -> list[int]:
        return list(accumulate((file.source.size for file in self.files), initial=0))

    @property
    def size(self) -> int:
        return self.begins[-1]

    def read(self, spans: Sequence[Span]) -> list[bytes]:
        return [self._read(*span) for span in spans]

    def _read(self, start: int, stop: int) -> bytes:
        at, source = self.place(start)
        return source.read([(start - at, stop - at)])[0]

    def place(self, start: int) -> tuple[int, ObjectSource]:
        """Where the part begins that a byte lies in, and its source."""
        number = bisect_right(self.begins, start) - 1
        source = self.files[number].source
        assert isinstance(source, ObjectSource)  # noqa: S101 - they were opened here
        return self.begins[number], source


def _laid(runs: Sequence[_Run], key: Sequence[str], directory: Path) -> Concatenation:
    row = _Row([run.file for run in runs])
    pieces: list[Piece] = []
    raws: list[bytes] = []
    at = 0
    for begin, run in zip(row.begins, runs, strict=False):
        start, stop = run.span if pieces else (0, run.span[1])  # the first one with the magic that a file begins with
        pieces.append(Keep(begin + start, begin + stop))
        raws += [_moved(group, at - start).to_bytes() for group in run.groups]
        at += stop - start
    rows = sum(run.file.num_rows for run in runs)
    first = runs[0].file.footer
    ours = {name: "" for name in first.metadata if name.startswith("towline.")}  # of one part; not true of all
    footer = first.with_groups(raws, rows, ours)
    _check_made(Assembled((*pieces, footer), row), footer, runs, key)
    return Concatenation(_parts([*pieces, footer], row, directory), rows)


def _moved(group: Group, by: int) -> Group:
    return group.having([chunk.moved(by).plain() for chunk in group.chunks])


def _check_made(made: Assembled, footer: bytes, runs: Sequence[_Run], key: Sequence[str]) -> None:
    """Unfit, unless what the pieces make is a file of all these rows, that ends as the last part does."""
    if made.read([(0, len(MAGIC))]) != [MAGIC]:
        raise Unfit(f"{_name(runs[0].file)} does not begin as a Parquet file")
    try:
        file = TableFile.open(made, footer)  # the row groups are those of the parts, which were held against themselves
        last = file.read([file.num_groups - 1], key)
    except Corrupt as error:
        raise Unfit(f"put behind one another, the parts cannot be read: {error}") from error
    if file.num_rows != sum(file.footer.rows) or rank_at(last, key, last.num_rows - 1) != runs[-1].last:
        raise Unfit("put behind one another, the parts hold other rows than each of them")


def _parts(pieces: Sequence[Piece], row: _Row, directory: Path) -> list[Part]:
    """What the store joins: ranges of the parts, and of a file of ours with what is too small to be copied."""
    laid = layout(pieces, row.size, Rules(stores.PART_MIN, stores.PART_MAX, stores.PARTS_MAX))
    check_room(directory, sum(len(part) for part in laid if isinstance(part, Upload)))
    path = directory / "borrowed"
    found: list[Part] = []
    with path.open("wb") as file:
        for part in laid:
            if isinstance(part, Upload):
                start = file.tell()
                found.append(FileRange(path, start, start + file.write(part.read(row))))
            else:
                at, source = row.place(part.start)
                found.append(CopyRange(source.key, source.version, part.start - at, part.stop - at))
    return found
