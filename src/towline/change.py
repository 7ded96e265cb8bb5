"""One row's change, and what can be done with it: a change is old + new, and everything else follows.

    old    new    is
    row    row    an update (of the cells that differ)
    None   row    an insert
    row    None   a delete

Inverting a change is its undo; adding two changes of one row squashes them. A change of key is a delete and
an insert, never an update, because rows are told apart by their key alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from towline.errors import UsageError
from towline.values import Key, Row, Value, encode, same


@dataclass(frozen=True)
class Cell:
    """One cell's change. On an insert `old` is None, on a delete `new` is None."""

    column: str
    old: Value
    new: Value


@dataclass(frozen=True)
class RowChange:
    """One row's change by key. `old` and `new` are whole rows: all columns of the contract."""

    old: Row | None
    new: Row | None

    def __post_init__(self) -> None:
        if self.old is None and self.new is None:
            raise UsageError("a change needs an old row, a new row, or both; this one has neither")

    @property
    def kind(self) -> str:
        """`insert`, `update` or `delete`."""
        if self.old is None:
            return "insert"
        return "delete" if self.new is None else "update"

    @property
    def row(self) -> Row:
        """The row that carries the key: the new one where there is one."""
        row = self.old if self.new is None else self.new
        assert row is not None  # noqa: S101 - __post_init__ saw to it
        return row

    def key(self, columns: tuple[str, ...]) -> Key:
        return key_of(self.row, columns)

    def cells(self) -> Iterator[Cell]:
        """The cells that differ, in column order; a row that is not there counts as all null."""
        olds, news = self.old or {}, self.new or {}
        for column in self.row:
            old, new = olds.get(column), news.get(column)
            # Most cells of an update are equal, and found to be without a call of `same`.
            if (old.__class__ is new.__class__ and old == new) or same(old, new):
                continue
            yield Cell(column, old, new)

    def __invert__(self) -> RowChange:
        return RowChange(self.new, self.old)

    def __add__(self, then: RowChange) -> RowChange | None:
        """This change and then that one of the same row, as one; None when they cancel out."""
        if not same_row(self.new, then.old):
            raise UsageError("these changes do not follow each other: the second begins with another row")
        if same_row(self.old, then.new):
            return None
        return RowChange(self.old, then.new)


def key_of(row: Row, columns: tuple[str, ...]) -> Key:
    return tuple(row[column] for column in columns)


def key_json(row: Row, columns: tuple[str, ...]) -> Mapping[str, object]:
    return {column: encode(row[column]) for column in columns}


def row_json(row: Row | None) -> Mapping[str, object] | None:
    return None if row is None else {column: encode(value) for column, value in row.items()}


def same_row(one: Row | None, other: Row | None) -> bool:
    """Whether two rows hold the same values; two rows that are not there are the same."""
    if one is None or other is None:
        return one is other
    return one.keys() == other.keys() and all(same(one[column], other[column]) for column in one)
