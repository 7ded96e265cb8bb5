"""What the pictures of a commit are drawn from: its rows, and how they differ from another commit's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from app.editing.cells import text_of, unit_text
from app.explore import columns
from towline.change import RowChange
from towline.contract import Contract
from towline.diff import diff
from towline.errors import UsageError
from towline.values import Key

SAME, INSERTED, UPDATED, DELETED = "", "inserted", "updated", "deleted"
CHANGES = (INSERTED, UPDATED, DELETED)
_OF_KIND = {"insert": INSERTED, "update": UPDATED, "delete": DELETED}
LARGEST = 1e300  # beyond this, differences of numbers are not finite any more
LONGEST = 40  # characters of a value that a picture shows

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, eq=False)
class Scene:
    """A commit's table for looking at.

    table    the rows of the commit, and then those that it deleted
    changes  for each of them `inserted`, `updated`, `deleted` or the empty text
    nulls    how many nulls each column had in the other commit; empty where there is none
    """

    contract: Contract
    table: pa.Table
    changes: Array
    nulls: Mapping[str, int]

    def __len__(self) -> int:
        """Rows of the commit, without those that it deleted."""
        return int(np.count_nonzero(self.changes != DELETED))

    @cached_property
    def is_there(self) -> Array:
        """Which rows are in the commit."""
        return np.asarray(self.changes != DELETED)

    @property
    def has_changes(self) -> bool:
        return bool(np.any(self.changes != SAME))

    def count(self, change: str) -> int:
        return int(np.count_nonzero(self.changes == change))

    def column(self, name: str) -> pa.ChunkedArray:
        return self.table[name]

    def is_null(self, name: str) -> Array:
        return np.asarray(pc.is_null(self.table[name]).to_numpy(), dtype=bool)

    def numbers(self, name: str) -> Array:
        """A column as floats; NaN where it is null, and where a number is NaN, infinite or too large to draw."""
        found = self.table[name].cast(pa.float64(), safe=False).to_numpy()
        return np.where(np.abs(found) <= LARGEST, found, np.nan)

    def keys(self, rows: Sequence[int]) -> list[Key]:
        """The keys of these rows, by their places in the table."""
        held = self.table.select(list(self.contract.key)).take(pa.array(rows, pa.int64())).to_pylist()
        return [self.contract.key_of(row) for row in held]

    @cached_property
    def order(self) -> Array:
        """The places of the rows in the order of their keys."""
        by = [(name, "ascending") for name in self.contract.key]
        return np.asarray(pc.sort_indices(self.table, sort_keys=by).to_numpy(), dtype=int)

    def title(self, name: str) -> str:
        """A column as an axis names it: `Volume filtered (m³)`. No two columns have the same."""
        field = self.contract.field(name)
        is_alone = sum((each.title or each.name) == field.title for each in self.contract.fields) == 1
        said, unit = cut(field.title) if is_alone else cut(name), unit_text(field.unit)
        return f"{said} ({unit})" if unit else said


def scene(contract: Contract, table: pa.Table, other: pa.Table | None = None) -> Scene:
    """A table that is looked at beside another commit's, or alone. Columns that the contract does not know, or knows
    with another type, are left out; so are those that the other commit lacks, when rows are compared.
    UsageError: the two tables do not share the key."""
    held = table.select([field.name for field in columns.known(contract, table)])
    alone = Scene(contract, held, np.full(held.num_rows, SAME, dtype=object), {})
    return alone if other is None else _beside(alone, other)


def _beside(here: Scene, other: pa.Table) -> Scene:
    both = _shared(here, other)
    found = diff(other.select(both), here.table.select(both), here.contract.key).changes
    gone = pa.Table.from_pylist([dict(c.old) for c in found if c.kind == "delete" and c.old], here.table.schema)
    nulls = {name: other[name].null_count for name in both}
    marked = np.concatenate([_marked(here, found), np.full(gone.num_rows, DELETED, dtype=object)])
    return Scene(here.contract, pa.concat_tables([here.table, gone]), marked, nulls)


def _shared(here: Scene, other: pa.Table) -> list[str]:
    both = [f.name for f in columns.known(here.contract, other) if f.name in here.table.schema.names]
    missing = [name for name in here.contract.key if name not in both]
    if missing:
        raise UsageError(f"the other commit has no key column {', '.join(missing)}, so rows cannot be compared")
    return both


def _marked(here: Scene, found: Sequence[RowChange]) -> Array:
    """How each row of the commit differs."""
    kinds = {change.key(here.contract.key): _OF_KIND[change.kind] for change in found}
    marks = np.full(here.table.num_rows, SAME, dtype=object)
    if kinds:
        for place, key in enumerate(here.keys(range(here.table.num_rows))):
            marks[place] = kinds.get(key, SAME)
    return marks


def shown(value: Any) -> str:
    """A value as pictures write it, so that null, the text `null` and the empty text cannot be confused."""
    text = text_of(value)
    if text is None:
        return "null"
    return f"“{text}”" if value == "null" else cut(text)


def cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
