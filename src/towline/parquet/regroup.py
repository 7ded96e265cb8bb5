"""Which row groups a save writes anew, and how many come of them.

a group that      is written
nobody changes    not at all
has updates only  in the columns that change: its rows stay in their places
has inserts or    anew; where fewer rows than half a group are left, together with the group behind it (the last
deletes           one with the group before it), and where they are more than one and a half, as several
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from towline.change import RowChange
from towline.values import Key

_SMALL, _LARGE = 0.5, 1.5  # of a row group's usual rows


@dataclass(frozen=True)
class Batch:
    """Row groups that are read and written together: neighbours, with the changes of their rows, and how many rows they
    will have. Not `is_whole`: one group, of which only the changed columns are written."""

    groups: range
    changes: tuple[RowChange, ...]
    rows: int
    is_whole: bool

    def keys(self, key: tuple[str, ...]) -> list[Key]:
        """Those of the rows that change."""
        return [change.key(key) for change in self.changes]

    def __add__(self, behind: Batch) -> Batch:
        groups = range(self.groups.start, behind.groups.stop)
        return Batch(groups, self.changes + behind.changes, self.rows + behind.rows, is_whole=True)

    def is_small(self, usual: int) -> bool:
        return self.is_whole and 0 < self.rows < _SMALL * usual


def batches(rows: Sequence[int], changes: Mapping[int, Sequence[RowChange]], usual: int) -> list[Batch]:
    """What is to be done with groups of so many rows; `changes` are those of each group. Every group is in one batch;
    those that stay as they are have no changes, and are not whole."""
    found: list[Batch] = []
    for number, count in enumerate(rows):
        batch = _batch(number, count, tuple(changes.get(number, ())))
        if found and found[-1].is_small(usual):
            found[-1] += batch
        else:
            found.append(batch)
    while len(found) > 1 and found[-1].is_small(usual):
        found[-2:] = [found[-2] + found[-1]]
    return found


def _batch(number: int, rows: int, changes: tuple[RowChange, ...]) -> Batch:
    kinds = [change.kind for change in changes]
    inserted, deleted = kinds.count("insert"), kinds.count("delete")
    return Batch(range(number, number + 1), changes, rows + inserted - deleted, is_whole=bool(inserted or deleted))


def cut(rows: int, usual: int) -> int:
    """How many rows each group gets, the last one perhaps fewer, where so many are written anew."""
    count = max(1, round(rows / usual)) if rows > _LARGE * usual else 1
    return -(-rows // count)
