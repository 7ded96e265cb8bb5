"""The first rows of a table by the values of one column, found while the row groups pass by: in bounded memory, and row
groups whose values all lie elsewhere are not read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from towline.browse.place import Place
from towline.browse.view import View
from towline.parquet.tablefile import Bounds
from towline.values import Value


@dataclass
class Order:
    """The rows of a sorted view from `start` on (None: from the first), no more than `most` of them: `values` and
    `numbers`, in order. `is_whole`: there are no others."""

    view: View
    start: Place | None
    most: int
    values: list[Value] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    is_whole: bool = True
    _held: pa.Table | None = None

    def sequence(
        self, groups: Sequence[int], bounds: Sequence[Bounds | None], nulls: Sequence[int | None], rows: Sequence[int]
    ) -> Iterator[int]:
        """The groups that have to be read, those with the first values first. The sooner each is taken, the more of the
        others need not be read."""
        at = 1 if self.view.descending else 0
        known = {group: found for group in groups if (found := bounds[group]) is not None}
        empty = [group for group in groups if group not in known and nulls[group] == rows[group]]
        unknown = [group for group in groups if group not in known and nulls[group] != rows[group]]
        by_value = sorted(known, key=lambda group: known[group][at], reverse=self.view.descending)
        yield from unknown
        for group in by_value:
            if self._is_later(known[group][at]):
                self.is_whole = False
            elif nulls[group] != 0 or not self._is_earlier(known[group][1 - at]):
                yield group
        for group in empty:
            if self._is_later(None):
                self.is_whole = False
            else:
                yield group

    def take(self, cells: pa.ChunkedArray, first: int, mask: pa.ChunkedArray | None) -> None:
        """The values of a row group, of which `first` is the number of the first row; `mask`: which rows count."""
        fresh = pa.table({"value": cells, "number": pa.arange(first, first + len(cells))})
        if mask is not None:
            fresh = fresh.filter(mask)
        if self.start is not None:
            fresh = fresh.filter(self._from(self.start, fresh))
        near = self._near(fresh)
        every = near if self._held is None else pa.concat_tables([self._held, near])
        direction = "descending" if self.view.descending else "ascending"
        every = every.sort_by([("value", direction), ("number", "ascending")])
        self.is_whole &= near.num_rows == fresh.num_rows and every.num_rows <= self.most
        self._held = every.slice(0, self.most).combine_chunks()

    def done(self) -> Order:
        """Once all groups were taken."""
        if self._held is not None:
            self.values, self.numbers = self._held["value"].to_pylist(), self._held["number"].to_pylist()
            self._held = None
        return self

    def reaches(self, view: View, start: Place | None, limit: int) -> bool:
        """Whether a page can be told from what is held."""
        at = self._at(start)
        return self.view == view and at is not None and (self.is_whole or at + limit < len(self.numbers))

    def entries(self, start: Place | None, limit: int) -> tuple[list[int], list[Value]]:
        """Numbers and values of a page, and one more where there is one."""
        at = self._at(start) or 0
        return self.numbers[at : at + limit + 1], self.values[at : at + limit + 1]

    def _at(self, start: Place | None) -> int | None:
        if start == self.start:
            return 0
        return self.numbers.index(start.number) if start is not None and start.number in self.numbers else None

    def _last(self) -> Value:
        """The last value that is held, behind which none has a chance; None: there is room, or it is not comparable."""
        if self._held is None or self._held.num_rows < self.most:
            return None
        return _comparable(self._held["value"][-1].as_py())

    def _is_later(self, value: Value) -> bool:
        """Whether rows of this value come after all that are held, and need not be looked at. Null comes last."""
        last = self._last()
        if last is None:
            return False
        return value is None or (value < last if self.view.descending else value > last)  # type: ignore[operator]

    def _is_earlier(self, value: Value) -> bool:
        """Whether rows of this value come before `start`. Of floats statistics hide NaN, which comes later."""
        start = _comparable(self.start.value) if self.start else None
        if start is None or isinstance(value, float):
            return False
        return bool(value > start if self.view.descending else value < start)  # type: ignore[operator]

    def _near(self, fresh: pa.Table) -> pa.Table:
        """Without the rows that come after all that are held."""
        last = self._last()
        if last is None:
            return fresh
        compare = pc.greater_equal if self.view.descending else pc.less_equal
        return fresh.filter(pc.fill_null(compare(fresh["value"], pa.scalar(last, fresh["value"].type)), False))

    def _from(self, start: Place, fresh: pa.Table) -> pa.ChunkedArray:
        """Which rows are at `start` or after it."""
        values = fresh["value"]
        is_on = pc.greater_equal(fresh["number"], start.number)
        is_null = pc.is_null(values)
        if start.value is None:
            return pc.and_(is_null, is_on)
        is_nan = pc.fill_null(pc.is_nan(values), False) if pa.types.is_floating(values.type) else None
        if _comparable(start.value) is None:
            return pc.or_(is_null, pc.and_(is_nan, is_on))
        edge = pa.scalar(start.value, values.type)
        compare = pc.less if self.view.descending else pc.greater
        is_beyond = pc.fill_null(pc.or_(compare(values, edge), pc.and_(pc.equal(values, edge), is_on)), False)
        late = is_null if is_nan is None else pc.or_(is_null, is_nan)
        return pc.or_(is_beyond, late)


def _comparable(value: Value) -> Value:
    """A value that others can be held against: NaN cannot, and is None here."""
    return None if value != value else value
