"""What was picked on the Conflicts page, spot by spot. Pure.

A spot is one thing to decide: a cell, or a row as a whole. A button for many (a column, a kind of row, one row, or all)
picks for each of its spots, so that what is sent is what is seen. What was picked is an answer of `towline.resolution`
that remembers theirs: where a newer commit changed theirs, it does not count any more and is asked for again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, TypeAlias

from towline.answer import Answer, Decision, InsertAs, Seen, Side, Take
from towline.conflict import CellConflict, Conflict
from towline.values import Key, Row, Value, same

Group: TypeAlias = tuple[str, str]  # (CELL, column), (kind of conflict, ""), (ROW, row's name) or ALL
Place: TypeAlias = tuple[Key, str]  # a row's key, and a column: "" for the row as a whole
CELL: Final = "cell"
ROW: Final = "row"
ALL: Final[Group] = ("", "")


@dataclass(frozen=True)
class Spot:
    """One thing to decide. `column` is "" where it is the row as a whole."""

    conflict: Conflict
    column: str = ""

    @property
    def place(self) -> Place:
        return tuple(self.conflict.key.values()), self.column

    @property
    def group(self) -> Group:
        return (CELL, self.column) if self.column else (self.conflict.kind, "")

    @cached_property
    def cell(self) -> CellConflict | None:
        return next((cell for cell in self.conflict.cells if cell.column == self.column), None)

    @property
    def theirs(self) -> Value | Row:
        return self.cell.theirs if self.cell is not None else self.conflict.theirs

    def answer(self, decision: Decision) -> Answer:
        is_table = self.conflict.kind == "table"
        seen = None if is_table else Seen(self.theirs)
        return Answer(decision, self.conflict.key, self.column, self.conflict.kind, "what was picked", seen)


def spots(conflicts: Iterable[Conflict]) -> tuple[Spot, ...]:
    """All that is to be decided: first the cells, by column as they come, then rows."""
    return tuple(
        Spot(conflict, column)
        for conflict in conflicts
        for column in ([cell.column for cell in conflict.cells] or [""])
    )


@dataclass(frozen=True)
class Picks:
    """What was picked, by place. Ours that is inserted under another key stands at its row's place."""

    answers: Mapping[Place, Answer] = field(default_factory=dict)

    @property
    def resolution(self) -> list[Answer]:
        return list(self.answers.values())

    def of(self, spot: Spot) -> Decision | None:
        """What was picked for a spot; None: nothing."""
        known = self.answers.get(spot.place)
        return known.decision if known is not None else None

    def insert_as(self, conflict: Conflict) -> InsertAs | None:
        """Under which key ours is to be inserted, beside theirs."""
        known = self.answers.get((tuple(conflict.key.values()), ""))
        return known.decision if known is not None and isinstance(known.decision, InsertAs) else None

    def is_decided(self, spot: Spot) -> bool:
        return self.of(spot) is not None or self.insert_as(spot.conflict) is not None

    def pick(self, spot: Spot, decision: Decision) -> Picks:
        """For one spot. A cell of a row that was inserted twice and a key for the whole of it exclude each other."""
        key = spot.place[0]
        if isinstance(decision, InsertAs):
            left = {place: answer for place, answer in self.answers.items() if place[0] != key}
        else:
            left = {place: a for place, a in self.answers.items() if place != (key, "")}
        return Picks({**left, spot.place: spot.answer(decision)})

    def pick_all(self, of: Iterable[Spot], side: Side) -> Picks:
        """One side for all of these. What is of a table takes no base: that would undo what others did."""
        taken = [spot for spot in of if not (side == "base" and spot.conflict.kind == "table")]
        rows = {(spot.place[0], "") for spot in taken}
        left = {place: answer for place, answer in self.answers.items() if place not in rows}
        return Picks({**left, **{spot.place: spot.answer(Take(side)) for spot in taken}})

    def common(self, of: Sequence[Spot]) -> Decision | None:
        """What was picked in all of these; None where it differs, or nothing was in one."""
        picked = [self.of(spot) for spot in of]
        return picked[0] if picked and all(each == picked[0] for each in picked) else None

    def carried(self, conflicts: Iterable[Conflict]) -> Picks:
        """On a newer commit: what is in conflict there too, and where theirs is what it was when it was picked."""
        kept: dict[Place, Answer] = {}
        for conflict in conflicts:
            around = {(tuple(conflict.key.values()), column) for column in ("", *(c.column for c in conflict.cells))}
            kept |= {p: a for p, a in self.answers.items() if p in around and _still_counts(a, conflict)}
        return Picks(kept)


def _still_counts(answer: Answer, conflict: Conflict) -> bool:
    if answer.kind != conflict.kind or answer.seen is None:
        return False
    seen, now = answer.seen.theirs, Spot(conflict, answer.column).theirs
    if isinstance(seen, Mapping) and isinstance(now, Mapping):
        return seen.keys() == now.keys() and all(same(seen[column], now[column]) for column in now)
    return not isinstance(seen, Mapping) and not isinstance(now, Mapping) and same(seen, now)
