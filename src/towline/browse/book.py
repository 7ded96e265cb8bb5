"""A table file that is read page by page."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate

import pyarrow as pa
import pyarrow.compute as pc

from towline.ahead import ahead
from towline.browse.order import Order
from towline.browse.place import Place
from towline.browse.view import View, equal
from towline.errors import UsageError
from towline.parquet.tablefile import TableFile
from towline.parquet.writer import ROW_GROUP
from towline.shelf import Shelf
from towline.values import Key, Row

PAGE = 1_000  # rows
MIB = 2**20
SEARCHED = 32 * MIB  # bytes of column chunks that one page is looked for in; it ends there, and the next goes on
SORTED = 256 * MIB  # bytes of column chunks that are read at most to put rows in order
GATHERED = 48 * MIB  # bytes that are read to show the rows of one page, which may lie all over the file
AHEAD = 10_000  # rows behind a page that are put in order with it, so that the next ones need no pass of their own
FEW = 256  # rows of a row group that are fetched page by page, as `TableFile.take` does
HELD = 48 * MIB  # decoded row groups that are kept, for the pages before and after
READERS = 4  # row groups that are read at once
PLACES = 16  # row groups that a sample is taken from
_LEAF = 8_192  # rows of a page of a column chunk, as Towline writes them
_VALUE = 8  # bytes that a value counts at least in a search: chunks of few different values are small, and take as long


@dataclass(frozen=True)
class Page:
    """Some rows of a view.

    rows      the table, all columns
    numbers   the number of each row in the file, from 0
    start     where it begins; None: with the first row of the view
    next      where the next page begins; None: there are no more rows
    searched  how many rows of the table were looked at, or could be left out unseen, up to here; all of them in a
              sorted view
    stopped   whether a search stopped there, having read as much as it may: there may be more rows or none
    """

    rows: pa.Table
    numbers: Sequence[int]
    start: Place | None
    next: Place | None
    searched: int
    stopped: bool = False

    def __len__(self) -> int:
        return len(self.numbers)


@dataclass(eq=False)
class Book:
    """A table file, with what was decoded of it lately. The file never changes. Raises Corrupt where it is not what its
    footer says, and what its source raises."""

    file: TableFile
    key: tuple[str, ...]
    _groups: Shelf[pa.Table] = field(default_factory=lambda: Shelf(HELD, lambda table: int(table.nbytes)), repr=False)
    _order: Order | None = field(default=None, repr=False)

    @property
    def num_rows(self) -> int:
        return self.file.num_rows

    @cached_property
    def firsts(self) -> list[int]:
        """The number of each row group's first row."""
        return list(accumulate(self.file.footer.rows, initial=0))[:-1]

    def rows(self, keys: Iterable[Key]) -> dict[Key, Row]:
        """The rows with these keys; those that are not there are not in the answer."""
        return self.file.rows(keys, self.key)

    def page(self, view: View, start: Place | None = None, limit: int = PAGE) -> Page:
        """The rows of a view from a place on: `limit` of them, or fewer where they lie far apart (GATHERED) or are few
        and far between (SEARCHED). UsageError: to sort, more would have to be read than SORTED."""
        if view.sort:
            return self._sorted(view, start, limit)
        first = start.number if start else 0
        if view.where:
            return self._searched(view, start, first, limit)
        stop = min(first + limit, self.num_rows)
        numbers, after = range(first, stop), Place(stop) if stop < self.num_rows else None
        return Page(self.gather(numbers), numbers, start, after, stop)

    def find(self, values: Row) -> int | None:
        """The number of the first row that holds all of these values. UsageError: it is not among those that can be
        looked through (SEARCHED)."""
        numbers, _, at = self._look(View(equal(values)), 0, 1)
        if numbers:
            return numbers[0]
        if at < self.num_rows:
            raise UsageError(f"it is not among the first {at:,} of {self.num_rows:,} rows; filter for it to go on")
        return None

    def sample(self, count: int, places: int = PLACES) -> pa.Table:
        """About so many rows, taken at even distances from row groups that lie at even distances."""
        groups = self._admitted(View())
        chosen = groups[:: -(-len(groups) // places)] if groups else []
        parts = (self.file.read([group]) for group in chosen)
        each = max(1, count // max(1, len(chosen)))
        thinned = [part.take(pa.arange(0, part.num_rows, -(-part.num_rows // each))) for part in parts]
        return pa.concat_tables(thinned) if thinned else self.file.schema.empty_table()

    # ---- which rows ----

    def _searched(self, view: View, start: Place | None, first: int, limit: int) -> Page:
        numbers, after, at = self._look(view, first, limit)
        shown = self._affordable(numbers)
        stopped = after is not None and len(numbers) < limit
        if shown < len(numbers):
            after, at, stopped = numbers[shown], numbers[shown], False
        place = None if after is None else Place(after)
        return Page(self.gather(numbers[:shown]), numbers[:shown], start, place, at, stopped)

    def _look(self, view: View, start: int, limit: int) -> tuple[list[int], int | None, int]:
        """The numbers of the first rows that match from `start` on; where to go on, None: nowhere; and how many rows
        were looked at or left out up to there."""
        found: list[int] = []
        spent = 0
        for group in self._admitted(view, max(0, self._group_of(start))):
            if spent > SEARCHED:
                return found, self.firsts[group], self.firsts[group]
            least = _VALUE * len(view.columns) * self.file.footer.rows[group]
            spent += max(least, self._size(group, view.columns))
            found += [number for number in self._matches(view, group) if number >= start]
            if len(found) > limit:
                return found[:limit], found[limit], found[limit]
        return found, None, self.num_rows

    def _matches(self, view: View, group: int) -> list[int]:
        """The numbers of a group's rows that match."""
        places = pc.indices_nonzero(view.matching(self._read(group, view.columns)))
        found: list[int] = pc.add(places.cast(pa.int64()), self.firsts[group]).to_pylist()
        return found

    def _admitted(self, view: View, first: int = 0) -> list[int]:
        """The groups from `first` on that may hold rows that match, by their statistics."""
        rows = self.file.footer.rows
        groups = [group for group in range(first, self.file.num_groups) if rows[group]]
        for each in view.where:
            bounds, nulls = self.file.bounds(each.column), self.file.nulls(each.column)
            groups = [group for group in groups if each.admits(bounds[group], nulls[group], rows[group])]
        return groups

    def _sorted(self, view: View, start: Place | None, limit: int) -> Page:
        order = self._order
        if order is None or not order.reaches(view, start, limit):
            order = self._order = self._ordered(view, start, limit)
        numbers, values = order.entries(start, limit)
        shown = self._affordable(numbers[:limit])
        after = Place(numbers[shown], values[shown]) if shown < len(numbers) else None
        return Page(self.gather(numbers[:shown]), numbers[:shown], start, after, self.num_rows)

    def _ordered(self, view: View, start: Place | None, limit: int) -> Order:
        groups = self._admitted(view)
        size = sum(self._size(group, view.columns) for group in groups)
        if size > SORTED:
            raise UsageError(
                f"to sort by {view.sort}, {size // MIB:,} MiB would have to be read, and at most {SORTED // MIB:,} are "
                f"read here: filter first, or ask in SQL (ORDER BY {view.sort} LIMIT {limit})"
            )
        order = Order(view, start, limit + AHEAD)
        bounds, nulls = self.file.bounds(view.sort), self.file.nulls(view.sort)
        wanted = order.sequence(groups, bounds, nulls, self.file.footer.rows)
        for group, table in ahead(lambda each: (each, self._read(each, view.columns)), wanted, READERS):
            order.take(table[view.sort], self.firsts[group], view.matching(table) if view.where else None)
        return order.done()

    # ---- their cells ----

    def gather(self, numbers: Sequence[int]) -> pa.Table:
        """The rows with these numbers, in this order."""
        if not numbers:
            return self.file.schema.empty_table()
        by_group: dict[int, list[int]] = {}
        for number in numbers:
            by_group.setdefault(self._group_of(number), []).append(number)
        parts = list(ahead(lambda each: self._part(*each), by_group.items(), READERS))
        places = {number: place for place, number in enumerate(n for held in by_group.values() for n in held)}
        whole = pa.concat_tables(parts)
        if [*places] == [*numbers]:
            return whole
        return whole.take([places[number] for number in numbers])

    def _part(self, group: int, numbers: Sequence[int]) -> pa.Table:
        """Rows of one group. Many of them: it is decoded whole, and kept for the pages before and after."""
        first, count = self.firsts[group], len(numbers)
        places = [number - first for number in numbers]
        if count <= FEW and self._groups.peek(group) is None:
            return self.file.take(group, places)
        whole = self._group(group)
        is_stretch = places == list(range(places[0], places[0] + count))
        return whole.slice(places[0], count) if is_stretch else whole.take(places)

    def _affordable(self, numbers: Sequence[int]) -> int:
        """How many of the rows, from the first on, can be shown for the bytes that a page may take; one at least."""
        spent: dict[int, float] = {}
        total = 0.0
        for count, number in enumerate(numbers):
            group = self._group_of(number)
            if group not in spent:
                spent[group] = self._price(group)
                total += spent[group]
            if count and total > GATHERED:
                return count
        return len(numbers)

    def _price(self, group: int) -> float:
        """Bytes that single rows of a group take: of each chunk the dictionary and a page, as far as they can be found
        there (the page index)."""
        if self._groups.peek(group) is not None:
            return 0
        of = self.file.footer.arrow.row_group(group)
        chunks = [of.column(number) for number in range(of.num_columns)]
        whole = self._size(group)
        if not all(chunk.has_offset_index for chunk in chunks):
            return whole
        begins = [chunk.dictionary_page_offset or chunk.data_page_offset for chunk in chunks]
        words = sum(chunk.data_page_offset - begin for chunk, begin in zip(chunks, begins, strict=True))
        return float(words + (whole - words) * min(1.0, _LEAF / of.num_rows))

    def _group_of(self, number: int) -> int:
        return bisect_right(self.firsts, number) - 1

    def _group(self, group: int) -> pa.Table:
        """A row group, whole."""
        return self._groups.get(group, lambda: self.file.read([group]))

    def _read(self, group: int, columns: Sequence[str]) -> pa.Table:
        held = self._groups.peek(group)
        return held.select(list(columns)) if held is not None else self.file.read([group], columns)

    def _size(self, group: int, columns: Sequence[str] | None = None) -> int:
        """Bytes of a group's column chunks."""
        of = self.file.footer.arrow.row_group(group)
        numbers = range(of.num_columns) if columns is None else map(self.file.schema.get_field_index, columns)
        return sum(of.column(number).total_compressed_size for number in numbers)


def pages(book: Book, view: View, limit: int = PAGE, start: Place | None = None) -> Iterator[Page]:
    """All pages of a view from a place on, one after the other."""
    page: Page | None = book.page(view, start, limit)
    while page is not None:
        yield page
        page = book.page(view, page.next, limit) if page.next else None


def matching(file: TableFile, key: tuple[str, ...], where: Row) -> pa.Table:
    """The rows that hold all of these values, as `edits.matching` finds them in a table at hand; but none where there
    are no values, for that would be all of the file."""
    if not where:
        return file.schema.empty_table()
    return pa.concat_tables(page.rows for page in pages(Book(file, key), View(equal(where)), ROW_GROUP))
