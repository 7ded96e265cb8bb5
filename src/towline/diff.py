"""The difference of two tables with the same columns and key, as RowChanges in key order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from towline.change import Cell, RowChange, key_json, row_json, same_row
from towline.errors import UsageError
from towline.values import Key, Row, encode

_LEFT, _RIGHT = "__towline_left", "__towline_right"


@dataclass(frozen=True)
class Diff:
    """RowChanges by key, at most one a key. `key` names the key columns."""

    key: tuple[str, ...]
    changes: tuple[RowChange, ...] = ()

    def __invert__(self) -> Diff:
        return Diff(self.key, tuple(~change for change in self.changes))

    def __add__(self, then: Diff) -> Diff:
        """This diff and then that one, as one: changes of the same row are squashed."""
        changes: dict[Key, RowChange] = {change.key(self.key): change for change in self.changes}
        for change in then.changes:
            key = change.key(self.key)
            first = changes.pop(key, None)
            both = change if first is None else first + change
            if both is not None:
                changes[key] = both
        return Diff(self.key, tuple(changes.values()))

    def __bool__(self) -> bool:
        return bool(self.changes)

    def count(self, kind: str) -> int:
        """How many rows are of this kind: `insert`, `update` or `delete`."""
        return sum(change.kind == kind for change in self.changes)

    @property
    def cells(self) -> int:
        """How many cells change; an inserted or deleted row counts with its cells that are not null."""
        return sum(1 for change in self.changes for _ in change.cells())

    def to_json(self) -> dict[str, object]:
        """The form that `towline diff --json` prints."""
        rows: dict[str, list[object]] = {"inserted": [], "deleted": [], "updated": []}
        for change in self.changes:
            if change.kind == "insert":
                rows["inserted"].append(row_json(change.new))
            elif change.kind == "delete":
                rows["deleted"].append(row_json(change.old))
            else:
                cells = [_cell_json(cell) for cell in change.cells()]
                rows["updated"].append({"key": key_json(change.row, self.key), "cells": cells})
        return dict(rows)


def _cell_json(cell: Cell) -> dict[str, object]:
    return {"column": cell.column, "old": encode(cell.old), "new": encode(cell.new)}


def diff(old: pa.Table, new: pa.Table, key: tuple[str, ...]) -> Diff:
    """What turns `old` into `new`. Both have the same schema and unique keys; only rows that differ are
    turned into Python values, so the cost follows the tables in Arrow's speed and the changes in Python's."""
    check_schemas(old.schema, new.schema)
    left, right = pairs(old, new, key)
    touched = _touched(old, new, left, right)
    left, right = _in_key_order(old, new, key, left.filter(touched), right.filter(touched))
    olds, news = _rows(old, left), _rows(new, right)
    # The vectorised test is the same as values.same; this keeps the two from ever disagreeing.
    changes = (RowChange(a, b) for a, b in zip(olds, news, strict=True) if not same_row(a, b))
    return Diff(key, tuple(changes))


def check_schemas(old: pa.Schema, new: pa.Schema) -> None:
    """UsageError where tables of these schemas cannot be compared."""
    if not old.equals(new, check_metadata=False):
        raise UsageError(f"tables with different columns cannot be compared: {old.names} and {new.names}")


def pairs(old: pa.Table, new: pa.Table, key: tuple[str, ...]) -> tuple[Any, Any]:
    """The row numbers of both tables side by side, in no order; null where a side has no row of that key.

    Most of two versions of a table are the same rows in the same places. Those need no join, which is left with what
    lies between the first and the last row of another key.
    """
    head = _same_keys(old, new, key)
    tail = _same_keys(old.slice(head), new.slice(head), key, from_end=True)
    a, b = old.num_rows - tail, new.num_rows - tail
    left, right = _joined(old.slice(head, a - head), new.slice(head, b - head), key, head)
    return (
        pa.chunked_array([_numbers(0, head), *left.chunks, _numbers(a, old.num_rows)], pa.int64()),
        pa.chunked_array([_numbers(0, head), *right.chunks, _numbers(b, new.num_rows)], pa.int64()),
    )


def _joined(old: pa.Table, new: pa.Table, key: tuple[str, ...], start: int) -> tuple[Any, Any]:
    """The pairs of tables whose first row is row `start`."""
    left = old.select(list(key)).append_column(_LEFT, _numbers(start, start + old.num_rows))
    right = new.select(list(key)).append_column(_RIGHT, _numbers(start, start + new.num_rows))
    joined = left.join(right, keys=list(key), join_type="full outer")
    return joined[_LEFT], joined[_RIGHT]


def _same_keys(old: pa.Table, new: pa.Table, key: tuple[str, ...], *, from_end: bool = False) -> int:
    """How many rows have the same keys in the same places, counted from the first row, or from the last one."""
    count: int = min(old.num_rows, new.num_rows)
    if from_end:
        old, new = old.slice(old.num_rows - count), new.slice(new.num_rows - count)
    same = reduce(pc.and_, (pc.fill_null(pc.equal(old[n].slice(0, count), new[n].slice(0, count)), False) for n in key))
    others = pc.indices_nonzero(pc.invert(same))
    if not len(others):
        return count
    first: int = others[0].as_py()
    last: int = others[-1].as_py()
    return count - 1 - last if from_end else first


def _numbers(start: int, stop: int) -> Any:
    return pa.arange(start, stop)


def _in_key_order(old: pa.Table, new: pa.Table, key: tuple[str, ...], left: Any, right: Any) -> tuple[Any, Any]:
    """These pairs of row numbers, sorted by the keys of their rows."""
    keys = {n: pc.coalesce(old[n].take(left), new[n].take(right)) for n in key}
    order = pc.sort_indices(pa.table(keys), sort_keys=[(column, "ascending") for column in key])
    return left.take(order), right.take(order)


def _touched(old: pa.Table, new: pa.Table, left: Any, right: Any) -> Any:
    """For each pair of row numbers: is a side missing, or any cell different?"""
    alone = pc.or_(pc.is_null(left), pc.is_null(right))
    differ = (unequal(old[n].take(left), new[n].take(right)) for n in old.schema.names)
    return reduce(pc.or_, differ, alone)


def unequal(old: Any, new: Any) -> Any:
    """Where two columns differ; null differs from every value, NaN equals NaN, -0.0 equals 0.0."""
    values = pc.fill_null(pc.not_equal(old, new), False)
    if pa.types.is_floating(old.type):
        both_nan = pc.and_(pc.fill_null(pc.is_nan(old), False), pc.fill_null(pc.is_nan(new), False))
        values = pc.and_not(values, both_nan)
    return pc.or_(values, pc.xor(pc.is_null(old), pc.is_null(new)))


def _rows(table: pa.Table, numbers: Any) -> Iterator[Row | None]:
    """The rows with these numbers as Python values; None where the number is null."""
    there = iter(table.take(pc.drop_null(numbers)).to_pylist())
    return (None if number is None else next(there) for number in numbers.to_pylist())
