"""A commit that is open for editing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

from app.editing.cells import Text, text_of
from towline.contract import Contract
from towline.values import Key, Row


@dataclass(frozen=True, eq=False)
class Sheet:
    """The table of one commit with its contract. Everything that is edited is said relative to it."""

    contract: Contract
    commit: str
    number: int
    table: pa.Table

    @property
    def dataset(self) -> str:
        return self.contract.dataset

    @cached_property
    def rows(self) -> dict[Key, Row]:
        """The rows by key, in the table's order."""
        return {self.contract.key_of(row): row for row in self.table.to_pylist()}

    def texts(self, key: Key) -> dict[str, Text]:
        """A row as the grid shows it."""
        return {column: text_of(value) for column, value in self.rows[key].items()}
