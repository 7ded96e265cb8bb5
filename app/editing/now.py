"""What the grid shows now, column by column: a sheet with everything on top that was typed since. Pure.

Find, replace and rules look at the whole table at once, so that they take columns as lists rather than row by row. What
comes of the sheet alone is made once: a sheet never changes. Places are positions in these lists: the sheet's rows that
are not deleted, in its order, then the added ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from itertools import compress
from typing import Any, TypeAlias, TypeVar

import pyarrow as pa

from app.editing.cells import Text, is_storable, text_of, value_of
from app.editing.edits import RowId
from app.editing.gridlog import State
from app.editing.sheet import Sheet, row_id
from towline.contract import Contract, Field
from towline.files.columns import read_as
from towline.rules.times import DEFAULT
from towline.values import Value

_T = TypeVar("_T")


class Unfit(Enum):
    """In place of a value: the cell holds a text that does not fit its column."""

    UNFIT = "a text that does not fit"


UNFIT = Unfit.UNFIT
Meaning: TypeAlias = Value | Unfit


@dataclass(frozen=True, eq=False)
class Now:
    """A sheet, and the grid's state on top of it."""

    sheet: Sheet
    state: State
    _made_texts: dict[str, list[Text]] = field(default_factory=dict, init=False)
    _made_meanings: dict[str, list[Meaning]] = field(default_factory=dict, init=False)

    @property
    def contract(self) -> Contract:
        return self.sheet.contract

    @cached_property
    def ids(self) -> list[str]:
        """The grid's ids of the rows, by place."""
        return self._stand([*_ids(self.sheet), *(row for row, _ in self.state.added)])

    @cached_property
    def _standing(self) -> list[bool]:
        """Which rows are not deleted: of the sheet, then of the added ones."""
        deleted = self.state.deleted
        return [row not in deleted for row in [*_ids(self.sheet), *(row for row, _ in self.state.added)]]

    @cached_property
    def _places(self) -> dict[str, int]:
        return {row: place for place, row in enumerate(self.ids)}

    def row(self, place: int) -> RowId:
        """The row as the editor names it: by its key in the sheet, or by serial number."""
        return self._rows[place]

    @cached_property
    def _rows(self) -> list[RowId]:
        return self._stand([*self.sheet.rows, *range(1, len(self.state.added) + 1)])

    def texts(self, column: str) -> Sequence[Text]:
        """The texts of a column as they are shown, by place."""
        if column not in self._made_texts:
            texts: list[Text] = self._column(_texts(self.sheet, column))
            for place, text in self._typed(column):
                texts[place] = text
            self._made_texts[column] = texts
        return self._made_texts[column]

    def meanings(self, column: str) -> Sequence[Meaning]:
        """The values of a column, by place."""
        if column not in self._made_meanings:
            values: list[Meaning] = self._column(_values(self.sheet, column))
            typed = list(self._typed(column))
            meant = meanings((text for _, text in typed), self.contract.field(column), self.contract.missing_values)
            for place, text in typed:
                values[place] = meant[text]
            self._made_meanings[column] = values
        return self._made_meanings[column]

    def key(self, place: int) -> dict[str, Text]:
        """The key of one row, as it is shown."""
        return {column: self.texts(column)[place] for column in self.contract.key}

    def _column(self, held: list[Any]) -> list[Any]:
        return self._stand([*held, *[None] * len(self.state.added)])

    def _stand(self, rows: list[_T]) -> list[_T]:
        return list(compress(rows, self._standing)) if self.state.deleted else rows

    def _typed(self, column: str) -> Iterator[tuple[int, Text]]:
        """What was typed into a column. A row that the sheet no longer has shows nothing."""
        for row, texts in self.state.cells.items():
            if column in texts and row in self._places:
                yield self._places[row], texts[column] or None


def _once(sheet: Sheet, name: str, make: Callable[[], list[_T]]) -> list[_T]:
    kept: dict[str, Any] = sheet.__dict__.setdefault("_now", {})
    if name not in kept:
        kept[name] = make()
    held: list[_T] = kept[name]
    return held


def _ids(sheet: Sheet) -> list[str]:
    return _once(sheet, "ids", lambda: [row_id(key) for key in sheet.rows])


def _values(sheet: Sheet, column: str) -> list[Value]:
    return _once(sheet, f"values {column}", sheet.table[column].to_pylist)


def _texts(sheet: Sheet, column: str) -> list[Text]:
    def make() -> list[Text]:
        coded = sheet.table[column].combine_chunks().dictionary_encode()
        words = [text_of(value) for value in coded.dictionary.to_pylist()]
        return [None if code is None else words[code] for code in coded.indices.to_pylist()]

    return _once(sheet, f"texts {column}", make)


def meanings(texts: Iterable[Text], column: Field, missing: Iterable[str] = ()) -> dict[Text, Meaning]:
    """What each of many texts means in a column: what value_of says of it, in one go."""
    distinct = dict.fromkeys(texts)
    if column.type == "string":
        return {text: value_of(text, column) if is_storable(text or "") else UNFIT for text in distinct}
    nulls = {"", "null", *missing}
    trimmed = {text: (text or "").strip() for text in distinct}
    meant = _read([text for text in trimmed.values() if text not in nulls and is_storable(text)], column)
    return {text: None if bare in nulls else meant.get(bare, UNFIT) for text, bare in trimmed.items()}


def _read(texts: list[str], column: Field) -> Mapping[str, Meaning]:
    """Trimmed texts that are values, with these. As the contract's format says comes first, then as they are shown."""
    found: dict[str, Meaning] = {}
    for each in (column, replace(column, format=DEFAULT)) if column.format != DEFAULT else (column,):
        left = [text for text in dict.fromkeys(texts) if text not in found]
        values, _ = read_as(pa.chunked_array([left], pa.string()), each)
        found.update((text, value) for text, value in zip(left, values.to_pylist(), strict=True) if value is not None)
    return found
