"""What differs from the sheet, said by row and column, never by place: a row of the sheet is called by its key, an
added row by a serial number. `gridsheet.edits_of` makes it from what was typed into the grid.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from app.editing.cells import Misfit, Reading, Text, reading
from app.editing.sheet import Sheet
from towline.values import Key, Row, Value, same

RowId: TypeAlias = Key | int  # the key of a row of the sheet, or the serial number of an added one
Cells: TypeAlias = Mapping[str, Text]


@dataclass(frozen=True)
class Edits:
    """`cells` holds the texts that differ from the sheet; of an added row all texts that are not null."""

    cells: Mapping[RowId, Cells] = field(default_factory=dict)
    deleted: frozenset[Key] = frozenset()
    added: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.cells or self.deleted)

    @property
    def next_serial(self) -> int:
        return max(self.added, default=0) + 1


def settled(sheet: Sheet, edits: Edits) -> Edits:
    """The edits without those that say what the sheet holds already. Rows that it lacks must not be among them."""
    sheet.fetch(row for row in edits.cells if isinstance(row, tuple))
    readings = {each.name: reading(each, sheet.contract.missing_values) for each in sheet.contract.fields}
    for column, texts in _by_column(edits).items():
        if column in readings:
            readings[column].read(texts)
    changed = {row: kept for row, cells in edits.cells.items() if (kept := _changed(sheet, readings, row, cells))}
    return Edits(changed, edits.deleted, tuple(serial for serial in edits.added if serial in changed))


def _by_column(edits: Edits) -> dict[str, list[Text]]:
    texts: dict[str, list[Text]] = defaultdict(list)
    for cells in edits.cells.values():
        for column, text in cells.items():
            texts[column].append(text)
    return texts


def _changed(sheet: Sheet, readings: Mapping[str, Reading], row: RowId, cells: Cells) -> Cells:
    """The texts that say something else than the sheet does; of what is no column of it, nothing."""
    held: Row = {} if isinstance(row, int) else sheet.rows[row]
    known = ((column, text or None) for column, text in cells.items() if column in readings)
    return {column: text for column, text in known if not _says(readings[column], text, held.get(column))}


def _says(reading: Reading, text: Text, held: Value) -> bool:
    """Whether a cell holds what this text means."""
    try:
        return same(reading.value_of(text), held)
    except Misfit:
        return False
