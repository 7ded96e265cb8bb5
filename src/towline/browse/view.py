"""Which rows of a table are looked at, and in which order; and what statistics say of that before anything is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from towline.errors import UsageError
from towline.parquet.tablefile import Bounds
from towline.values import Row, Value, encode

CONTAINS, NULL, NOT_NULL = "contains", "is null", "is not null"
OPERATORS = ("=", "!=", "<", "<=", ">", ">=", CONTAINS, NULL, NOT_NULL)
_COMPARES: Mapping[str, Callable[..., pa.ChunkedArray]] = {
    "<": pc.less,
    "<=": pc.less_equal,
    ">": pc.greater,
    ">=": pc.greater_equal,
}


@dataclass(frozen=True)
class Condition:
    """What a cell must be. `=` compares as `values.same` does; `!=` is its opposite, so that it lets nulls through; the
    others do not. Text is found whatever its case."""

    column: str
    operator: str
    value: Value = None

    def __str__(self) -> str:
        said = "null" if self.value is None else str(encode(self.value))
        return f"{self.column} {self.operator}" + ("" if self.operator in (NULL, NOT_NULL) else f" {said}")

    def mask(self, cells: pa.ChunkedArray) -> pa.ChunkedArray:
        """For each cell whether it holds; never null. UsageError: cells of this type cannot be asked that."""
        if self.operator == NOT_NULL:
            return pc.is_valid(cells)
        if self.operator == "!=":
            return pc.invert(self._equal(cells))
        if self.operator in ("=", NULL):
            return self._equal(cells)
        try:
            return pc.fill_null(self._asked(cells), False)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:  # types without that order
            raise UsageError(f"{self} cannot be asked of {cells.type} cells: {error}") from error

    def _asked(self, cells: pa.ChunkedArray) -> pa.ChunkedArray:
        if self.operator == CONTAINS:
            return pc.match_substring(cells, str(self.value), ignore_case=True)
        return _COMPARES[self.operator](cells, pa.scalar(self.value, cells.type))

    def _equal(self, cells: pa.ChunkedArray) -> pa.ChunkedArray:
        value = None if self.operator == NULL else self.value
        if value is None:
            return pc.is_null(cells)
        if value != value:
            return pc.fill_null(pc.is_nan(cells), False)
        return pc.fill_null(pc.equal(cells, pa.scalar(value, cells.type)), False)

    def admits(self, bounds: Bounds | None, nulls: int | None, rows: int) -> bool:
        """Whether a row group may hold such a cell, by its statistics: least and greatest value, and how many of its
        rows are null. What they leave open counts as may."""
        is_null = self.operator == NULL or (self.operator == "=" and self.value is None)
        if is_null:
            return nulls != 0
        if nulls == rows and self.operator != "!=":
            return False
        if bounds is None or self.operator in ("!=", CONTAINS, NOT_NULL) or self.value != self.value:
            return True
        try:
            return self._is_within(*bounds)
        except TypeError:  # statistics of another type than the column's: they tell nothing
            return True

    def _is_within(self, least: Value, greatest: Value) -> bool:
        tests: Mapping[str, Callable[[], bool]] = {
            "=": lambda: least <= self.value <= greatest,  # type: ignore[operator]
            "<": lambda: least < self.value,  # type: ignore[operator]
            "<=": lambda: least <= self.value,  # type: ignore[operator]
            ">": lambda: greatest > self.value,  # type: ignore[operator]
            ">=": lambda: greatest >= self.value,  # type: ignore[operator]
        }
        return bool(tests[self.operator]())


@dataclass(frozen=True)
class View:
    """Rows that meet all conditions, by a column (empty: in the file's order, which is that of the key). Null and NaN
    come last, whichever way the others go; rows of one value are in the file's order."""

    where: tuple[Condition, ...] = ()
    sort: str = ""
    descending: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether it is the whole table as it lies."""
        return not self.where and not self.sort

    @property
    def columns(self) -> tuple[str, ...]:
        """Those that must be read to tell which rows come where."""
        names = [condition.column for condition in self.where] + ([self.sort] if self.sort else [])
        return tuple(dict.fromkeys(names))

    def matching(self, table: pa.Table) -> pa.ChunkedArray:
        """For each row whether it meets all conditions; there is at least one."""
        return reduce(pc.and_, (each.mask(table[each.column]) for each in self.where))


def equal(where: Row) -> tuple[Condition, ...]:
    """The conditions that columns hold these values."""
    return tuple(Condition(column, "=", value) for column, value in where.items())
