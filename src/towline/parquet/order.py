"""Which row group of a sorted file a key belongs to: found by bisecting, with statistics where they decide."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from towline.change import RowChange, key_of
from towline.parquet.tablefile import Bounds, TableFile
from towline.values import Key


@dataclass(frozen=True)
class Order:
    """The row groups of a file that is sorted by `key`. Of a group whose first key the statistics leave open, the key
    columns are read."""

    file: TableFile
    key: tuple[str, ...]
    _firsts: dict[int, Key] = field(default_factory=dict)

    def disorder(self) -> str | None:
        """Why the row groups cannot be in key order, as far as their statistics tell; None: they can."""
        known = [(number, at) for number, at in enumerate(self._leading) if at is not None]
        for (before, one), (number, other) in pairwise(known):
            if one[1] > other[0] or (len(self.key) == 1 and one[1] == other[0]):
                return f"row group {number} begins before row group {before} ends: the rows are not in key order"
        return None

    def by_group(self, changes: Iterable[RowChange]) -> dict[int, list[RowChange]]:
        """The changes by the group that their row belongs to, groups in order. A row before the first one belongs to
        the first group, and one between two groups to either of them. The file has a row group."""
        found: dict[int, list[RowChange]] = {}
        for change in changes:
            found.setdefault(self.place(change.key(self.key)), []).append(change)
        return dict(sorted(found.items()))

    def place(self, wanted: Key) -> int:
        """The row group that a key belongs to: the last one that begins at or before it; 0, where none does."""
        behind_the_first = range(1, self.file.num_groups)
        return bisect_right(behind_the_first, False, key=lambda group: self._is_above(group, wanted))

    def _is_above(self, group: int, wanted: Key) -> bool:
        """Whether the first key of a group, which is not the first one, comes after this one. In its first column that
        key has the group's least value."""
        known, before = self._leading[group], self._leading[group - 1]
        try:
            if known and (known[0] != wanted[0] or len(wanted) == 1):
                return bool(known[0] > wanted[0])
            if known and before and before[1] < wanted[0]:
                return False  # no row of the group before is that far: this group has the row, or its place
        except TypeError:
            pass  # statistics of another type than the values have, like those of times in a zone
        return self._first(group) > wanted

    def _first(self, group: int) -> Key:
        if group not in self._firsts:
            row = self.file.read([group], self.key).slice(0, 1).to_pylist()[0]
            self._firsts[group] = key_of(row, self.key)
        return self._firsts[group]

    @property
    def _leading(self) -> list[Bounds | None]:
        return self.file.bounds(self.key[0])
