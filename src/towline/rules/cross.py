"""Checks declared in a contract's towline block: typed values, no expression language.

| check           | a row breaks it when                                                               |
|-----------------|------------------------------------------------------------------------------------|
| `compare`       | not `left op right` (numbers: give or take a `tolerance`)                          |
| `range`         | the column's value is outside the bounds (beside the field's own constraints)      |
| `offset`        | `left - right`, in `unit`, is outside the bounds, or no whole multiple             |
| `datetime_text` | the text does not read as a date and time in `format`                              |

A row with a null in a column that a check looks at passes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from towline.rules.finding import Finding
from towline.rules.times import TimeFormat
from towline.values import Value, shown

UNITS = {"seconds": 1_000_000, "minutes": 60_000_000, "hours": 3_600_000_000, "days": 86_400_000_000}
_FAILS: Mapping[str, Callable[[pa.ChunkedArray, pa.ChunkedArray], pa.ChunkedArray]] = {
    "<": pc.greater_equal,
    "<=": pc.greater,
    "==": pc.not_equal,
    "!=": pc.equal,
    ">=": pc.less,
    ">": pc.less_equal,
}
OPERATORS = tuple(_FAILS)


class Check(Protocol):
    """A named rule over one or two columns. Its rule id is `check.<name>`."""

    @property
    def name(self) -> str: ...

    @property
    def severity(self) -> str: ...

    def finding(self, table: pa.Table) -> Finding: ...


@dataclass(frozen=True)
class Declared:
    """What every check declares. `message` replaces the generated sentence."""

    name: str
    severity: str
    message: str | None

    def find(self, columns: tuple[str, ...], mask: pa.ChunkedArray, says: Callable[[Sequence[Value]], str]) -> Finding:
        def say(values: Sequence[Value]) -> str:
            held = ", ".join(f"{name} is {shown(value)}" for name, value in zip(columns, values, strict=True))
            return f"{columns[0]} {says(values)}" if self.message is None else f"{self.message} ({held})"

        return Finding(f"check.{self.name}", self.severity, columns, mask, say)


@dataclass(frozen=True)
class Bounds:
    """Limits of a number; None where there is none. Comparing with null makes null, which is no breach."""

    minimum: float | None = None
    maximum: float | None = None
    exclusive_minimum: float | None = None
    exclusive_maximum: float | None = None

    def broken(self, numbers: pa.ChunkedArray) -> pa.ChunkedArray:
        masks = [
            fails(numbers, pa.scalar(bound))
            for fails, bound in (
                (pc.less, self.minimum),
                (pc.greater, self.maximum),
                (pc.less_equal, self.exclusive_minimum),
                (pc.greater_equal, self.exclusive_maximum),
            )
            if bound is not None
        ]
        return any_of(masks, numbers)

    def __str__(self) -> str:
        named = {
            "at least": self.minimum,
            "at most": self.maximum,
            "more than": self.exclusive_minimum,
            "less than": self.exclusive_maximum,
        }
        return " and ".join(f"{words} {bound:g}" for words, bound in named.items() if bound is not None)


@dataclass(frozen=True)
class Compare(Declared):
    left: str
    op: str
    right: str
    tolerance: float = 0.0

    def finding(self, table: pa.Table) -> Finding:
        left, right = table.column(self.left), table.column(self.right)
        mask = _FAILS[self.op](left, right)
        if self.tolerance:
            mask = self._tolerant(left, right, mask)
        return self.find((self.left, self.right), mask, self._says)

    def _tolerant(self, left: pa.ChunkedArray, right: pa.ChunkedArray, mask: pa.ChunkedArray) -> pa.ChunkedArray:
        near = pc.less_equal(pc.abs(pc.subtract(left, right)), self.tolerance)
        # What is within the tolerance counts as equal, which ==, <= and >= allow and the others do not.
        return pc.and_(mask, pc.invert(near)) if "=" in self.op and self.op != "!=" else pc.or_(mask, near)

    def _says(self, values: Sequence[Value]) -> str:
        left, right = map(shown, values)
        return f"must be {self.op} {self.right}, but {left} {self.op} {right} does not hold"


@dataclass(frozen=True)
class Range(Declared):
    column: str
    bounds: Bounds

    def finding(self, table: pa.Table) -> Finding:
        mask = self.bounds.broken(table.column(self.column))
        return self.find((self.column,), mask, lambda v: f"is {shown(v[0])}; expected {self.bounds}")


@dataclass(frozen=True)
class Offset(Declared):
    """`formats` says how columns of text write their times; datetime columns have none."""

    left: str
    right: str
    unit: str
    bounds: Bounds
    multiple: float | None
    formats: Mapping[str, TimeFormat]

    def finding(self, table: pa.Table) -> Finding:
        gap = pc.subtract(self._moments(table, self.left), self._moments(table, self.right))
        mask = self.bounds.broken(pc.divide(gap.cast(pa.float64()), UNITS[self.unit]))
        if self.multiple is not None:
            mask = pc.or_kleene(mask, self._uneven(gap, round(self.multiple * UNITS[self.unit])))
        return self.find((self.left, self.right), mask, self._says)

    def _moments(self, table: pa.Table, name: str) -> pa.ChunkedArray:
        """Microseconds as the clock shows them, so that a UTC column and a local one can be subtracted."""
        column = table.column(name)
        moments = self.formats[name].read(column) if name in self.formats else column
        return moments.cast(pa.int64())

    @staticmethod
    def _uneven(gap: pa.ChunkedArray, step: int) -> pa.ChunkedArray:
        return pc.not_equal(pc.multiply(pc.divide(gap, step), step), gap)

    def _says(self, values: Sequence[Value]) -> str:
        step = f"a multiple of {self.multiple:g}" if self.multiple is not None else ""
        expected = " and ".join(part for part in (str(self.bounds), step) if part)
        return f"minus {self.right} must be {expected} {self.unit}: {shown(values[0])} and {shown(values[1])}"


@dataclass(frozen=True)
class DatetimeText(Declared):
    column: str
    format: TimeFormat

    def finding(self, table: pa.Table) -> Finding:
        texts = table.column(self.column)
        mask = pc.and_(pc.is_valid(texts), pc.is_null(self.format.read(texts)))
        return self.find((self.column,), mask, self._says)

    def _says(self, values: Sequence[Value]) -> str:
        return f"is {shown(values[0])}, which is no date and time written as {self.format.text}"


def any_of(masks: Sequence[pa.ChunkedArray], like: pa.ChunkedArray) -> pa.ChunkedArray:
    """True where any mask is; nowhere when there is none."""
    if not masks:
        return pa.chunked_array([pa.repeat(False, len(like))])
    found = masks[0]
    for mask in masks[1:]:
        found = pc.or_kleene(found, mask)
    return found
