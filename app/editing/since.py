"""What was typed since a proposal was sent: what is left to do once it is committed. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from app.editing.cells import Text, text_of
from app.editing.edits import Cells, Edits, RowId, settled
from app.editing.pending import Line, review
from app.editing.sheet import Sheet
from towline.dataset import Draft
from towline.values import Key


@dataclass(frozen=True)
class Sent(Draft):
    """A draft that was sent, with the edits that it says."""

    edits: Edits = field(default_factory=Edits)


def since(old: Sheet, before: Edits, now: Edits) -> tuple[Sheet, Edits]:
    """The sheet with the edits `before` in it (all of which fit), and what `now`, of the old sheet too, says beyond
    that. A cell or a row that was taken back since is an edit of what was sent."""
    sent = review(old, before)
    base = old.changed(sent.changes)
    places = {line.row: old.contract.key_of(line.new) if line.new else None for line in sent.lines}
    texts = {line.row: _texts(line) for line in review(old, now).lines}
    cells: dict[RowId, Cells] = {}
    gone: set[Key] = set()
    serials = count(max(before.next_serial, now.next_serial))
    for row in dict.fromkeys((*places, *texts)):
        key = places.get(row, None if isinstance(row, int) else row)
        held = texts[row] if row in texts else _as_it_was(old, row)
        if held is not None:
            cells[key if key is not None else _serial(row, serials)] = held
        elif key is not None:
            gone.add(key)
    added = tuple(row for row in cells if isinstance(row, int))
    return base, settled(base, Edits(cells, frozenset(gone), added))


def _texts(line: Line) -> dict[str, Text] | None:
    """A row as the grid shows it; None where it shows none."""
    if line.kind == "delete":
        return None
    typed = {cell.column: cell.text for cell in line.cells}
    return {**{column: text_of(value) for column, value in line.old.items()}, **typed}


def _as_it_was(old: Sheet, row: RowId) -> dict[str, Text] | None:
    """A row that is not edited any more; an added one is gone."""
    return None if isinstance(row, int) else old.texts(row)


def _serial(row: RowId, serials: Iterator[int]) -> int:
    return row if isinstance(row, int) else next(serials)
