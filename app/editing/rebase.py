"""Edits carried over to a newer commit of the same dataset.

Each edited row is merged like a proposal would be (`towline.merge`), so what clashes here is what the functions would
call a conflict. Where nothing clashes the edits stand on the new commit as they stood on the old one; edits that others
have made meanwhile too are no edits any more. Where something clashes a person has said beforehand whose side to take:

    the row is still there     mine: my text stays, as a change of their value      theirs: my text goes
    they deleted the row       mine: the row becomes an added one                   theirs: my texts go
    they changed what I delete mine: it is still deleted                            theirs: it stays
    they added the same key    mine: my texts stay, as changes of their row         theirs: my row goes
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from app.editing.cells import text_of
from app.editing.edits import Cells, Edits, RowId, settled
from app.editing.pending import Line, review
from app.editing.sheet import Sheet
from towline.change import RowChange, same_row
from towline.conflict import Conflict
from towline.errors import UsageError
from towline.merge import merge
from towline.values import Key, Row

MINE, THEIRS = "mine", "theirs"


@dataclass(frozen=True)
class Rebased:
    """The edits on the new sheet, and what clashed on the way."""

    edits: Edits
    conflicts: tuple[Conflict, ...] = ()


def rebase(old: Sheet, edits: Edits, new: Sheet, take: str = MINE) -> Rebased:
    """Carry `edits` from `old` to `new`. Raises UsageError when the two have different columns."""
    if old.contract.schema != new.contract.schema:
        raise UsageError(
            f"commit {new.number} has other columns than commit {old.number}: download your changes, then load it "
            "without them"
        )
    carried, conflicts = Edits(), list[Conflict]()
    serial = edits.next_serial
    for line in review(old, edits).lines:
        moved = _move(line, edits.cells.get(line.row, {}), old, new, take)
        conflicts += moved.conflicts
        carried = _with(carried, line, moved, serial)
        serial = max(serial, carried.next_serial)
    return Rebased(settled(new, carried), tuple(conflicts))


@dataclass(frozen=True)
class _Moved:
    """What becomes of one row's edits: `cells` of `row` (None: of an added row), or its deletion."""

    row: Key | None = None
    cells: Cells = field(default_factory=dict)
    deleted: bool = False
    conflicts: tuple[Conflict, ...] = ()


def _with(carried: Edits, line: Line, moved: _Moved, serial: int) -> Edits:
    if moved.deleted and moved.row is not None:
        return replace(carried, deleted=carried.deleted | {moved.row})
    if not moved.cells:
        return carried
    row: RowId | None = moved.row
    if row is None or row in carried.cells:  # a second added row of one key stays one, and is found wanting
        row = line.row if isinstance(line.row, int) else serial
    added = (*carried.added, row) if isinstance(row, int) else carried.added
    return replace(carried, cells={**carried.cells, row: moved.cells}, added=added)


def _move(line: Line, cells: Cells, old: Sheet, new: Sheet, take: str) -> _Moved:
    if line.kind == "delete":
        return _move_delete(line, new, take)
    if line.kind == "insert":
        return _move_insert(line, cells, old, new, take)
    return _move_update(line, cells, new, take)


def _move_delete(line: Line, new: Sheet, take: str) -> _Moved:
    key = new.contract.key_of(line.old)
    conflicts = _conflicts(RowChange(line.old, None), new, key)
    stays = key not in new.rows or (conflicts and take == THEIRS)
    return _Moved(key, deleted=not stays, conflicts=conflicts)


def _move_update(line: Line, cells: Cells, new: Sheet, take: str) -> _Moved:
    """The row is looked up by the key that it had, also where the edits change its key."""
    key = new.contract.key_of(line.old)
    ours = {**(line.new or line.old), **new.contract.key_dict(key)}
    conflicts = () if same_row(line.old, ours) else _conflicts(RowChange(line.old, ours), new, key)
    if key not in new.rows:
        gone = conflicts or (Conflict("update/delete", new.contract.key_dict(key), (), line.old, line.new, None),)
        whole = {column: text_of(value) for column, value in line.old.items()}
        return _Moved(cells={**whole, **cells} if take == MINE else {}, conflicts=gone)
    clashing = {cell.column for conflict in conflicts for cell in conflict.cells}
    left = {column: text for column, text in cells.items() if take == MINE or column not in clashing}
    return _Moved(key, left, conflicts=conflicts)


def _move_insert(line: Line, cells: Cells, old: Sheet, new: Sheet, take: str) -> _Moved:
    key = new.contract.key_of(line.new or line.old)
    if key not in new.rows or key in old.rows:
        return _Moved(cells=cells)
    conflicts = _conflicts(RowChange(None, line.new), new, key)
    return _Moved(key, cells if conflicts and take == MINE else {}, conflicts=conflicts)


def _conflicts(change: RowChange, new: Sheet, key: Key) -> tuple[Conflict, ...]:
    head: dict[Key, Row] = {key: new.rows[key]} if key in new.rows else {}
    return merge([change], head, new.contract.key, new.contract.merge_mode).conflicts
