"""A commit that is open for editing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import pyarrow as pa

from app.editing.cells import Text, text_of
from towline import table as tables
from towline.change import RowChange
from towline.contract import Contract
from towline.rows import InMemory, Rows
from towline.values import Key, Row


@dataclass(frozen=True, eq=False)
class Sheet:
    """The table of one commit with its contract. Everything that is edited is said relative to it.

    A large table is a PagedSheet (`app.editing.paged`): `table` is the page of it that the grid shows, and `rows` goes
    through that page, but has each row of the table for whoever asks for it by its key.
    """

    contract: Contract
    commit: str
    number: int
    table: pa.Table

    @property
    def dataset(self) -> str:
        return self.contract.dataset

    @property
    def num_rows(self) -> int:
        """Of the whole table."""
        return int(self.table.num_rows)

    @cached_property
    def rows(self) -> Mapping[Key, Row]:
        """The rows by key, in the table's order."""
        return {self.contract.key_of(row): row for row in self.table.to_pylist()}

    @cached_property
    def sample(self) -> pa.Table:
        """Rows to draw pictures of: all of them, but of a large table."""
        return self.table

    @property
    def origin(self) -> object:
        """The same object for all sheets of one table."""
        return self

    @cached_property
    def whole(self) -> Rows:
        """All rows, for whoever merges."""
        return InMemory(self.table, self.contract.key)

    def texts(self, key: Key) -> dict[str, Text]:
        """A row as the grid shows it."""
        return {column: text_of(value) for column, value in self.rows[key].items()}

    def fetch(self, keys: Iterable[Key]) -> None:
        """Have the rows with these keys at hand, all at once; keys that are not there do no harm."""

    def in_order(self, keys: Collection[Key]) -> Sequence[Key]:
        """Keys of rows that are there, in the table's order."""
        return [key for key in self.rows if key in keys]

    def named(self, ids: Iterable[str]) -> dict[str, Key]:
        """The keys of rows by the grid's ids; of a row that is not there, nothing."""
        return {row: self._named[row] for row in ids if row in self._named}

    @cached_property
    def _named(self) -> dict[str, Key]:
        return {row_id(key): key for key in self.rows}

    def changed(self, changes: Sequence[RowChange]) -> Sheet:
        """The sheet with these changes in it, each of which begins with what it holds."""
        return replace(self, table=tables.apply(self.table, self.contract.key, changes))

    def is_shown(self, key: Key) -> bool:
        """Whether the grid shows this row of the table."""
        return True

    def showing(self, row: str) -> Sheet:
        """The sheet such that the grid shows a row, by its id, if it is there."""
        return self

    def like(self, before: Sheet) -> Sheet:
        """The sheet such that the grid shows what it showed of `before`, another commit of the same dataset."""
        return self


def row_id(key: Key) -> str:
    """The id of a row of the sheet: one key, one id."""
    texts = (text_of(value) for value in key)
    return "|".join("\\0" if text is None else text.replace("\\", "\\\\").replace("|", "\\|") for text in texts)
