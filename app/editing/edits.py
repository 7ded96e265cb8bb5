"""What has been typed so far, and how the grid's events become that.

Edits are said by row and column, never by place: a row of the sheet is called by its key, an added row by a serial
number. The grid reports by position, and all that happened since it was drawn; `absorb` translates at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from app.editing.cells import Misfit, Text, value_of
from app.editing.sheet import Sheet
from towline.values import Key, Value, same

RowId: TypeAlias = Key | int  # the key of a row of the sheet, or the serial number of an added one
Cells: TypeAlias = Mapping[str, Text]


@dataclass(frozen=True)
class Events:
    """What a person did in the grid since it was drawn: texts by position and column, rows added below (in order),
    positions of deleted rows."""

    edited: Mapping[int, Cells] = field(default_factory=dict)
    added: Sequence[Cells] = ()
    deleted: Sequence[int] = ()


@dataclass(frozen=True)
class Edits:
    """`cells` holds the texts that differ from the sheet; of an added row all texts that are not null."""

    cells: Mapping[RowId, Cells] = field(default_factory=dict)
    deleted: frozenset[Key] = frozenset()
    added: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.cells or self.deleted)

    def without(self, row: RowId, column: str | None = None) -> Edits:
        """These edits with one cell, or all of a row, as it was. An added row that loses its last text is gone."""
        left = {name: text for name, text in self.cells.get(row, {}).items() if column not in (None, name)}
        others = {other: cells for other, cells in self.cells.items() if other != row}
        return Edits(
            cells={**others, row: left} if left else others,
            deleted=frozenset(key for key in self.deleted if key != row),
            added=tuple(serial for serial in self.added if serial != row or left),
        )

    @property
    def next_serial(self) -> int:
        return max(self.added, default=0) + 1


def positions(sheet: Sheet, edits: Edits) -> tuple[RowId, ...]:
    """The rows as the grid shows them: those of the sheet that are not deleted, then the added ones."""
    return (*(key for key in sheet.rows if key not in edits.deleted), *edits.added)


def texts(sheet: Sheet, edits: Edits, row: RowId) -> dict[str, Text]:
    """One row as the grid shows it."""
    start = dict.fromkeys(sheet.contract.names) if isinstance(row, int) else sheet.texts(row)
    return {**start, **edits.cells.get(row, {})}


def absorb(sheet: Sheet, before: Edits, events: Events) -> Edits:
    """The edits after `events`, which happened in a grid that was drawn with the edits `before`."""
    shown = positions(sheet, before)
    gone = {shown[place] for place in events.deleted}
    typed = {shown[place]: cells for place, cells in events.edited.items()}
    first = before.next_serial
    fresh: dict[RowId, Cells] = dict(enumerate(events.added, first))
    touched = dict.fromkeys(row for row in (*before.cells, *typed, *fresh) if row not in gone)
    cells = {row: {**before.cells.get(row, {}), **typed.get(row, fresh.get(row, {}))} for row in touched}
    changed = {row: kept for row in touched if (kept := _changed(sheet, row, cells[row]))}
    return Edits(
        cells=changed,
        deleted=before.deleted | {row for row in gone if not isinstance(row, int)},
        added=tuple(
            serial for serial in (*before.added, *range(first, first + len(events.added))) if serial in changed
        ),
    )


def _changed(sheet: Sheet, row: RowId, cells: Cells) -> Cells:
    """The texts that say something else than the sheet does; of what is no column of it, nothing."""
    known = ((column, text or None) for column, text in cells.items() if column in sheet.contract.names)
    return {column: text for column, text in known if not _says(sheet, row, column, text)}


def _says(sheet: Sheet, row: RowId, column: str, text: Text) -> bool:
    """Whether the sheet's cell holds what this text means."""
    held: Value = None if isinstance(row, int) else sheet.rows[row][column]
    try:
        return same(value_of(text, sheet.contract.field(column), sheet.contract.missing_values), held)
    except Misfit:
        return False


def settled(sheet: Sheet, edits: Edits) -> Edits:
    """The edits without those that say what the sheet holds already. Rows that it lacks must not be among them."""
    return absorb(sheet, edits, Events())
