"""Edits carried over to a newer commit of the same dataset.

Each edited row is merged like a proposal would be (`towline.merge`), so what clashes here is what the functions would
call a conflict; and a text that does not fit clashes where they changed its cell. Where nothing clashes the edits stand
on the new commit as they stood on the old one; edits that others have made meanwhile too are no edits any more. Where
something clashes a person chooses a side, and as long as nobody did, nothing of mine goes:

    both changed the cell      mine: my text stays, as a change of their value      theirs: my text goes
    both added the row         the same, cell by cell: it is their row, with my texts as changes
    they deleted the row       mine: the row becomes an added one                   theirs: my texts go
    they changed what I delete mine: it is still deleted                            theirs: it stays
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

from app.editing.cells import text_of
from app.editing.choices import MINE, THEIRS, Choices, Clash
from app.editing.edits import Cells, Edits, RowId, settled
from app.editing.pending import Line, review
from app.editing.sheet import Sheet
from towline.change import RowChange
from towline.errors import UsageError
from towline.merge import merge
from towline.values import Key, Row, same

__all__ = ["MINE", "THEIRS", "Meeting", "Rebased", "meet", "rebase"]


@dataclass(frozen=True)
class Rebased:
    """The edits on the new sheet, what clashed on the way, and what of that nobody has decided (there mine stays)."""

    edits: Edits
    clashes: tuple[Clash, ...] = ()
    undecided: tuple[Clash, ...] = ()


def rebase(old: Sheet, edits: Edits, new: Sheet, choices: Choices | None = None) -> Rebased:
    """Carry `edits` from `old` to `new`. Raises UsageError when the two have different columns."""
    return meet(old, edits, new).settle(choices or Choices())


@dataclass(frozen=True)
class Move:
    """Where one row's edits go: `cells` of `row` (None: of an added row), or its deletion."""

    line: Line
    row: Key | None
    cells: Cells = field(default_factory=dict)
    deletes: bool = False
    clashes: tuple[Clash, ...] = ()

    def lost(self, choices: Choices) -> set[str]:
        """The columns of which my text goes; "" stands for the whole row."""
        return {clash.column for clash in self.clashes if choices.side(clash) == THEIRS}


@dataclass(frozen=True)
class Meeting:
    """Edits and a newer commit, before anything is decided."""

    edits: Edits
    new: Sheet
    moves: tuple[Move, ...]

    @property
    def clashes(self) -> tuple[Clash, ...]:
        return tuple(clash for move in self.moves for clash in move.clashes)

    def settle(self, choices: Choices) -> Rebased:
        """The edits as they stand on the newer commit."""
        cells: dict[RowId, Cells] = {}
        deleted: set[Key] = set()
        serials = count(self.edits.next_serial)
        for move in self.moves:
            lost = move.lost(choices)
            if "" in lost:
                continue
            if move.deletes and move.row is not None:
                deleted.add(move.row)
            elif left := {column: text for column, text in move.cells.items() if column not in lost}:
                cells[_row(move, cells, serials)] = left
        added = tuple(row for row in cells if isinstance(row, int))
        clashes = self.clashes
        return Rebased(settled(self.new, Edits(cells, frozenset(deleted), added)), clashes, choices.undecided(clashes))


def _row(move: Move, taken: dict[RowId, Cells], serials: Iterator[int]) -> RowId:
    """Where the texts go. A second added row of one key stays one, and is found wanting."""
    if move.row is not None and move.row not in taken:
        return move.row
    return move.line.row if isinstance(move.line.row, int) else next(serials)


def meet(old: Sheet, edits: Edits, new: Sheet, lines: Sequence[Line] | None = None) -> Meeting:
    """What becomes of `edits` of `old` on `new`, with what clashes. `lines` are those of their review, where that was
    made already. Raises UsageError when the two sheets have different columns."""
    if old.contract.schema != new.contract.schema:
        raise UsageError(
            f"commit {new.number} has other columns than commit {old.number}: download your changes, then load it "
            "without them"
        )
    if lines is None:
        lines = review(old, edits).lines
    return Meeting(edits, new, tuple(_moves(lines, edits, old, new)))


def _moves(lines: Sequence[Line], edits: Edits, old: Sheet, new: Sheet) -> Iterator[Move]:
    keys = [new.contract.key_of(row) for line in lines for row in (line.old, line.new) if row]
    new.fetch(keys)
    old.fetch(keys)
    for line in lines:
        cells = edits.cells.get(line.row, {})
        if line.kind == "insert":
            yield _move_insert(line, cells, old, new)
            continue
        key = old.contract.key_of(line.old)  # also where the edits change it
        if line.kind != "delete":
            yield _move_update(line, cells, new, key)
        elif key in new.rows:  # else they deleted it too
            yield _move_delete(line, new, key)


def _move_delete(line: Line, new: Sheet, key: Key) -> Move:
    clashes = _row_clash("delete/update", line, key, new) if _conflicting(line.old, None, key, new) is not None else ()
    return Move(line, key, deletes=True, clashes=clashes)


def _move_update(line: Line, cells: Cells, new: Sheet, key: Key) -> Move:
    if key in new.rows:
        return Move(line, key, cells, clashes=tuple(_cell_clashes("update/update", line, line.old, key, new)))
    whole = {column: text_of(value) for column, value in line.old.items()}
    return Move(line, None, {**whole, **cells}, clashes=_row_clash("update/delete", line, key, new))


def _move_insert(line: Line, cells: Cells, old: Sheet, new: Sheet) -> Move:
    key = new.contract.key_of(line.new or line.old)
    if key not in new.rows or key in old.rows:
        return Move(line, None, cells)
    return Move(line, key, cells, clashes=tuple(_cell_clashes("insert/insert", line, None, key, new)))


def _row_clash(kind: str, line: Line, key: Key, new: Sheet) -> tuple[Clash, ...]:
    return (Clash(kind, key, "", line, new.rows.get(key)),)


def _cell_clashes(kind: str, line: Line, base: Row | None, key: Key, new: Sheet) -> Iterator[Clash]:
    """The cells of a row that both have, as far as I typed into them."""
    theirs = new.rows[key]
    ours = {**(line.new or line.old), **new.contract.key_dict(key)}
    conflicting = _conflicting(base, ours, key, new) or frozenset()
    for cell in line.cells:
        moved_away = not same(theirs[cell.column], line.old[cell.column])
        if moved_away if cell.problem is not None else cell.column in conflicting:
            yield Clash(kind, key, cell.column, line, theirs)


def _conflicting(base: Row | None, ours: Row | None, key: Key, new: Sheet) -> frozenset[str] | None:
    """The columns in which base -> ours conflicts with the newer commit; None where it does not."""
    merged = merge([RowChange(base, ours)], {key: new.rows[key]}, new.contract.key, new.contract.merge_mode)
    if not merged.conflicts:
        return None
    return frozenset(cell.column for conflict in merged.conflicts for cell in conflict.cells)
