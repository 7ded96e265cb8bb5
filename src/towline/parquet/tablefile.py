"""A table in a Parquet file, decoded no further than is asked for."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from towline.errors import Corrupt
from towline.parquet import pages, sound, unpack
from towline.parquet.footer import Footer
from towline.parquet.source import BytesSource, Held, Source, Span, size, together
from towline.values import Key, Row

Bounds = tuple[Any, Any]  # the least and the greatest value
_FEW = 256  # rows of a group that are fetched page by page; for more of them it is decoded whole
_SMALL = 16 * 1024  # bytes of a chunk that is fetched whole, rather than by its index and pages


@dataclass(frozen=True)
class TableFile:
    """A table in a file of any writer. Reading raises Corrupt, naming the file, where it is not as its footer says.

    Where rows lie that were looked for is kept, by row group and key: who changes rows has read them before.
    """

    source: Source
    footer: Footer
    _places: dict[tuple[int, tuple[str, ...]], dict[Key, int]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def open(cls, source: Source, tail: bytes = b"") -> TableFile:
        """`tail`: the last bytes of the file, where they are known. Corrupt: it is no Parquet file."""
        return cls(source, Footer.read(source, tail))

    @classmethod
    def foreign(cls, source: Source, tail: bytes = b"") -> TableFile:
        """As `open`, of a file that others wrote. Of one that lies, nothing but a Corrupt comes."""
        return cls(source, sound.footer(source, tail))

    @classmethod
    def of_bytes(cls, body: bytes, where: str = "these bytes") -> TableFile:
        return cls.open(BytesSource(body, where), body)

    @property
    def schema(self) -> pa.Schema:
        return self.footer.schema

    @property
    def num_rows(self) -> int:
        return self.footer.num_rows

    @property
    def num_groups(self) -> int:
        return len(self.footer.rows)

    def table(self) -> pa.Table:
        """All of it."""
        return self.read(range(self.num_groups))

    def read(
        self, groups: Sequence[int], columns: Sequence[str] | None = None, most: int = unpack.UNPACKED_MAX
    ) -> pa.Table:
        """These row groups behind one another, with these columns (None: all, in the file's order). `most`: how many
        bytes they may come to, where others wrote the file."""
        if self.footer.foreign:
            names = self.schema.names if columns is None else list(columns)
            return unpack.read(self.footer, self._opened(groups, columns), groups, names, most).select(names)
        numbers = None if columns is None else [self.schema.get_field_index(name) for name in columns]
        schema = self.schema if numbers is None else pa.schema([self.schema.field(number) for number in numbers])
        try:
            # Arrow's own pre-buffering would read what lies between small chunks once more.
            file = self.opened(groups, columns, pre_buffer=False)
            table = file.read_row_groups(list(groups), columns=None if columns is None else list(columns))
        except (pa.ArrowException, OSError, ValueError) as error:
            raise Corrupt(f"{self.source.where} is not a Parquet table: {error}") from error
        return table.select(schema.names).replace_schema_metadata(None)

    def tables(self, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """Each row group, one after the other."""
        return (self.read([number], columns) for number in range(self.num_groups))

    def rows(self, keys: Iterable[Key], key: tuple[str, ...]) -> dict[Key, Row]:
        """The rows with these keys, as Python values; a key that is not in the table is not in the answer. Of the row
        groups that may hold them the key columns are read, and of the rows the pages that they lie in."""
        found: dict[Key, Row] = {}
        located = self.locate(keys, key)
        for groups in together(located, lambda group: size(self._chunk_spans([group], None))):
            held = self._holding(groups, key)
            there = {group: at for group in groups if (at := held.places(group, located[group], key))}
            tables = held.taken({group: list(at.values()) for group, at in there.items()})
            for at, table in zip(there.values(), tables, strict=True):
                found |= zip(at, table.to_pylist(), strict=True)
        return found

    def _holding(self, groups: Sequence[int], key: tuple[str, ...]) -> TableFile:
        """The same file, with what tells where rows lie in these row groups at hand: key columns and page indexes. So
        are chunks that are no larger than a page of others."""
        spans = self._chunk_spans(groups, key)
        if self._is_paged:
            spans += [span for span in self._chunk_spans(groups, None) if size([span]) <= _SMALL]
            spans += [span for group in groups for span in pages.indexes(self.footer.group(group))]
        return replace(self, source=Held.of(self.source, spans))

    def places(self, group: int, keys: Sequence[Key], key: tuple[str, ...]) -> dict[Key, int]:
        """Where in a row group the rows with these keys lie, as far as they are there."""
        from towline.table import find

        known = self._places.setdefault((group, key), {})
        if not self.has_places(group, keys, key):
            known |= find(self.read([group], key), key, keys)
        return {each: known[each] for each in keys if each in known}

    def has_places(self, group: int, keys: Iterable[Key], key: tuple[str, ...]) -> bool:
        """Whether it is known where the rows with these keys lie in a row group."""
        return set(keys) <= self._places.get((group, key), {}).keys()

    def locate(self, keys: Iterable[Key], key: tuple[str, ...]) -> dict[int, list[Key]]:
        """The row groups that may hold rows with these keys, by their statistics, each with those keys."""
        found: dict[int, list[Key]] = {}
        bounds = [self.bounds(column) for column in key]
        near = _near(bounds[0])
        for wanted in dict.fromkeys(keys):
            for group in self._within(near(wanted[0]), bounds, wanted):
                found.setdefault(group, []).append(wanted)
        return dict(sorted(found.items()))

    def bounds(self, column: str) -> list[Bounds | None]:
        """The least and the greatest value of a column in each row group, NaN and null aside; None where the file does
        not tell, or others wrote it."""
        return [None] * self.num_groups if self.footer.foreign else self.claimed(column)

    def claimed(self, column: str) -> list[Bounds | None]:
        """As `bounds`, in the file of whomever: true or not."""
        known = self._bounds.get(column)
        if known is None:
            at = self._leaf(column)
            known = [self._bounds_of(group, at) for group in range(self.num_groups)]
            self._bounds[column] = known
        return known

    def nulls(self, column: str) -> list[int | None]:
        """How many nulls a column has in each row group; None where the file does not tell."""
        at = self._leaf(column)
        if self.footer.foreign:
            return [None] * self.num_groups
        stats = (self.footer.arrow.row_group(group).column(at).statistics for group in range(self.num_groups))
        return [each.null_count if each is not None and each.has_null_count else None for each in stats]

    @cached_property
    def _bounds(self) -> dict[str, list[Bounds | None]]:
        return {}

    @cached_property
    def is_flat(self) -> bool:
        return pages.is_flat(self.footer)

    def _leaf(self, column: str) -> int:
        if not self.is_flat:
            raise Corrupt(f"{self.source.where} has nested columns, which no table of Towline has")
        return int(self.schema.names.index(column))

    def _bounds_of(self, group: int, column: int) -> Bounds | None:
        try:
            stats = self.footer.arrow.row_group(group).column(column).statistics
            if stats is None or not stats.has_min_max:
                return None
            least, greatest = stats.min, stats.max
        except (pa.ArrowException, ValueError, OverflowError):
            return None  # of a type that Python has no values for, or not decodable: then it tells nothing
        return (least, greatest) if type(least) is type(greatest) and _is_ordered(least, greatest) else None

    @staticmethod
    def _within(groups: Iterable[int], bounds: Sequence[Sequence[Bounds | None]], wanted: Key) -> list[int]:
        return [
            group
            for group in groups
            if all(may_hold(of[group], value) for of, value in zip(bounds, wanted, strict=True))
        ]

    @property
    def _is_paged(self) -> bool:
        """Whether single pages of it are read."""
        return self.is_flat and not self.footer.foreign

    def take(self, group: int, positions: Sequence[int]) -> pa.Table:
        """The rows at these places of a row group, in this order."""
        return next(self.taken({group: positions}))

    def taken(self, places: Mapping[int, Sequence[int]]) -> Iterator[pa.Table]:
        """As `take`, of each of these row groups. The pages of all groups of which few rows are wanted are fetched
        together."""
        few = {group: at for group, at in places.items() if self._is_paged and 0 < len(at) <= _FEW}
        paged = pages.read(self.source, self.footer, few)
        for group, at in places.items():
            yield next(paged) if group in few else self.read([group]).take(list(at))

    def opened(self, groups: Sequence[int], columns: Sequence[str] | None = None, **options: Any) -> pq.ParquetFile:
        """The file as Arrow reads it, with these `options`; what it will want of these row groups is at hand. Corrupt:
        others wrote it, and its pages are not what its footer says, or too large."""
        file = self._opened(groups, columns)
        if self.footer.foreign:
            unpack.weigh_pages(self.footer, file, groups, self.schema.names if columns is None else columns)
        return pq.ParquetFile(file, metadata=self.footer.arrow, **options)

    def _opened(self, groups: Sequence[int], columns: Sequence[str] | None) -> pa.NativeFile:
        """What Arrow reads from: the chunks that it will ask for are fetched together."""
        if isinstance(self.source, BytesSource):
            return pa.BufferReader(self.source.body)
        if columns is None and len(groups) == self.num_groups:
            spans = [(0, self.footer.start)]
        else:
            spans = self._chunk_spans(groups, columns)
        return pa.PythonFile(Held.of(self.source, spans).as_file(), mode="r")

    def _chunk_spans(self, groups: Sequence[int], columns: Sequence[str] | None) -> list[Span]:
        wanted = None if columns is None else {*columns}
        spans = []
        for group in groups:
            of_group = self.footer.arrow.row_group(group)
            for number in range(of_group.num_columns):
                chunk = of_group.column(number)
                is_wanted = wanted is None or bool({chunk.path_in_schema, chunk.path_in_schema.split(".")[0]} & wanted)
                if is_wanted and chunk.total_compressed_size:
                    spans.append(self._span(chunk, group))
        return spans

    def _span(self, chunk: Any, group: int) -> Span:
        start = min((page for page in (chunk.dictionary_page_offset, chunk.data_page_offset) if page), default=0)
        stop = start + chunk.total_compressed_size
        if not 0 < start <= stop <= self.footer.start:
            raise Corrupt(
                f"{self.source.where}: column {chunk.path_in_schema!r} of row group {group} claims bytes {start:,} to "
                f"{stop:,}, and the data ends at {self.footer.start:,}"
            )
        return start, stop


def may_hold(bounds: Bounds | None, value: Any) -> bool:
    """Whether a row group whose statistics are these may hold a value. They say nothing of NaN."""
    if bounds is None or value is None or value != value:
        return True
    try:
        return bool(bounds[0] <= value <= bounds[1])
    except TypeError:  # statistics of another type than the key has: they tell nothing
        return True


def _near(bounds: Sequence[Bounds | None]) -> Callable[[Any], range]:
    """What finds the row groups that may hold a value of a column: by bisection where their bounds are in order, as
    those of a sorted file's leading column are; else it is all of them."""
    everything, known = range(len(bounds)), [each for each in bounds if each is not None]
    leasts, greatests = [least for least, _ in known], [greatest for _, greatest in known]
    if len(known) < len(bounds) or not all(one <= two for side in (leasts, greatests) for one, two in pairwise(side)):
        return lambda value: everything

    def near(value: Any) -> range:
        if value is None or value != value:
            return everything
        try:
            return range(bisect_left(greatests, value), bisect_right(leasts, value))
        except TypeError:  # statistics of another type than the key has: they tell nothing
            return everything

    return near


def _is_ordered(least: Any, greatest: Any) -> bool:
    try:
        return bool(least <= greatest)
    except TypeError:
        return False
