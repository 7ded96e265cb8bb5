"""Columns before and after: how many cells of each change, and what its values come to on both sides.

All of it is Arrow's work: a million rows take about a second, however many of them change.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from towline.contract import Contract
from towline.diff import pairs, unequal
from towline.rules.field import Field
from towline.values import Value, encode


@dataclass(frozen=True)
class Profile:
    """One column of one table. `min` and `max` are over the values that are neither null nor NaN, and None where there
    are none; `mean` is that of numbers, None for other types."""

    nulls: int
    min: Value
    max: Value
    mean: float | None

    def to_json(self) -> dict[str, object]:
        return {name: encode(value) for name, value in vars(self).items()}


@dataclass(frozen=True)
class ColumnChange:
    """One column on both sides. `changed` counts its cells that differ, a row that comes or goes with what is not null;
    `share` (0 to 1) is of the cells that the column has before or after."""

    column: str
    type: str
    changed: int
    share: float
    before: Profile
    after: Profile

    def to_json(self) -> dict[str, object]:
        return {**vars(self), "before": self.before.to_json(), "after": self.after.to_json()}


def compare(old: pa.Table, new: pa.Table, contract: Contract) -> tuple[ColumnChange, ...]:
    """Every column, in the contract's order. Both tables have the contract's schema, and unique keys."""
    left, right = pairs(old, new, contract.key)
    return tuple(_compared(old, new, left, right, contract))


def _compared(old: pa.Table, new: pa.Table, left: Any, right: Any, contract: Contract) -> Iterator[ColumnChange]:
    for field in contract.fields:
        before, after = old[field.name], new[field.name]
        changed = pc.sum(unequal(before.take(left), after.take(right))).as_py() or 0
        share = changed / len(left) if len(left) else 0.0
        yield ColumnChange(field.name, field.type, changed, share, profile(before, field), profile(after, field))


def profile(column: Any, field: Field) -> Profile:
    values = column.drop_null()
    if field.type == "number":
        values = values.filter(pc.invert(pc.is_nan(values)))
    ends = pc.min_max(values)
    return Profile(column.null_count, ends["min"].as_py(), ends["max"].as_py(), _mean(values, field))


def _mean(values: Any, field: Field) -> float | None:
    if field.type not in ("integer", "number"):
        return None
    # Of floats: the sum of large whole numbers does not fit 64 bits.
    mean: float | None = pc.mean(values.cast(pa.float64(), safe=False)).as_py()
    return mean
