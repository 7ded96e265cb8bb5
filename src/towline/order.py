"""The order of keys, in Arrow and in Python: numbers before NaN, null last, texts by their bytes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from towline.values import Value

Rank = tuple[tuple[int, Any], ...]  # a key such that Python orders it as Arrow does


def rank(values: Iterable[Value]) -> Rank:
    return tuple((2, 0) if value is None else (1, 0) if value != value else (0, value) for value in values)


def rank_at(keys: pa.Table, row: int) -> Rank:
    """The rank of a row of a table that has the key columns only, in the key's order."""
    return rank(column[row].as_py() for column in keys.columns)


def up_to(keys: pa.Table, bound: Rank, start: int = 0) -> int:
    """How many rows, in key order from row `start` on, come no later than `bound`; counted from the first row."""
    low, high = start, keys.num_rows
    while low < high:
        middle = (low + high) // 2
        if rank_at(keys, middle) <= bound:
            low = middle + 1
        else:
            high = middle
    return low


def is_ordered(keys: pa.Table) -> bool:
    """Whether the rows of a table that has the key columns only are in key order; equal keys are."""
    if keys.num_rows < 2:
        return True
    before, after = keys.slice(0, keys.num_rows - 1), keys.slice(1)
    in_order = pa.scalar(True)
    for name in reversed(keys.column_names):
        less, same = pc.less(before[name], after[name]), pc.equal(before[name], after[name])
        in_order = pc.or_(less, pc.and_(same, in_order))
    if pc.all(pc.fill_null(in_order, False)).as_py():
        return True
    # Comparisons with null or NaN are never true: then only sorting tells.
    by = [(name, "ascending") for name in keys.column_names]
    return bool(pc.sort_indices(keys, sort_keys=by).equals(pa.arange(0, keys.num_rows).cast(pa.uint64())))
