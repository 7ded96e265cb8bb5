"""Which pictures a dataset gets. That follows from its contract, and for categories from what the table holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from app.explore import columns
from towline.contract import Contract
from towline.rules.field import Field

KINDS = ("map", "range", "number", "time", "category", "missing")


@dataclass(frozen=True)
class Plot:
    """One picture.

    | kind     | columns             | shows                                           |
    |----------|---------------------|-------------------------------------------------|
    | map      | latitude, longitude | where the rows are                              |
    | range    | low, high           | a bar a row, from low to high; both may be one  |
    | number   | one                 | how often which values occur                    |
    | time     | one                 | how many rows when                              |
    | category | one                 | how many rows of each value                     |
    | missing  | all                 | how many nulls in each column                   |
    """

    kind: str
    columns: tuple[str, ...]

    @property
    def name(self) -> str:
        """Tells it from the others of its dataset."""
        return "-".join((self.kind, *self.columns)) if self.kind != "missing" else self.kind


def plots(contract: Contract, table: pa.Table) -> tuple[Plot, ...]:
    """The pictures of a table with this contract: of each kind as many as there are columns for, the most telling
    first. Columns that the table does not have, or has with another type, are in none."""
    fields = columns.known(contract, table)
    found = (
        *_of_each("map", columns.positions(fields)),
        *_of_each("range", columns.ranges(fields)),
        *_of_each("number", [(name,) for name in _numbers(contract, fields)]),
        *_of_each("time", [(name,) for name in columns.times(contract, fields)]),
        *_of_each("category", [(name,) for name in category_names(contract, table)]),
    )
    return (*found, Plot("missing", tuple(field.name for field in fields))) if fields else found


def _of_each(kind: str, found: Sequence[tuple[str, ...]]) -> Iterator[Plot]:
    return (Plot(kind, names) for names in found)


def _numbers(contract: Contract, fields: Sequence[Field]) -> list[str]:
    """Numbers that are measured: no key, no position. Ends of ranges come last, they have a picture already."""
    placed = {name for pair in columns.positions(fields) for name in pair} | set(contract.key)
    measured = [field.name for field in fields if columns.is_number(field) and field.name not in placed]
    ends = {name for pair in columns.ranges(fields) for name in pair}
    return sorted(measured, key=lambda name: name in ends)


def category_names(contract: Contract, table: pa.Table) -> list[str]:
    """Columns of categories, those of the key last: rows are told apart by it, which says little about them."""
    fields = columns.known(contract, table)
    found = columns.categories(fields, table, but=columns.times(contract, fields))
    return sorted(found, key=lambda name: name in contract.key)


def colours(contract: Contract, table: pa.Table) -> tuple[str, ...]:
    """Columns that the marks of a map and of ranges can be coloured by."""
    fields = columns.known(contract, table)
    found = (*category_names(contract, table), *_numbers(contract, fields))
    placed = {name for pair in columns.positions(fields) for name in pair}
    return tuple(name for name in dict.fromkeys(found) if name not in placed)
