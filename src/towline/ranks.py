"""The order of keys, in Arrow and in Python: numbers before NaN, null last, texts by their bytes."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from towline.values import Value

Rank = tuple[tuple[int, Any], ...]  # a key such that Python orders it as Arrow does


def rank(values: Iterable[Value]) -> Rank:
    return tuple((2, 0) if value is None else (1, 0) if value != value else (0, value) for value in values)


def rank_at(table: pa.Table | pa.RecordBatch, key: Sequence[str], row: int) -> Rank:
    return rank(table[column][row].as_py() for column in key)


def up_to(table: pa.Table, key: Sequence[str], bound: Rank, start: int = 0) -> int:
    """How many rows, in key order from row `start` on, come no later than `bound`; counted from the first row."""
    rows = range(start, table.num_rows)
    return start + bisect_right(rows, bound, key=lambda row: rank_at(table, key, row))


def is_ordered(keys: pa.Table) -> bool:
    """Whether the rows of a table that has the key columns only are in key order; equal keys are."""
    if keys.num_rows < 2:
        return True
    before, after = keys.slice(0, keys.num_rows - 1), keys.slice(1)
    *firsts, last = keys.column_names
    in_order = pc.less_equal(before[last], after[last])
    for name in reversed(firsts):
        less, same = pc.less(before[name], after[name]), pc.equal(before[name], after[name])
        in_order = pc.or_(less, pc.and_(same, in_order))
    if pc.all(in_order, skip_nulls=False).as_py():
        return True
    if not any(_has_no_order(column) for column in keys.columns):
        return False
    by = [(name, "ascending") for name in keys.column_names]
    return bool(pc.sort_indices(keys, sort_keys=by).equals(pa.arange(0, keys.num_rows).cast(pa.uint64())))


def _has_no_order(column: pa.ChunkedArray) -> bool:
    """Whether a null or a NaN is in it: no comparison with them is true, and only sorting tells."""
    is_nan = pa.types.is_floating(column.type) and pc.any(pc.is_nan(column)).as_py()
    return bool(column.null_count or is_nan)
