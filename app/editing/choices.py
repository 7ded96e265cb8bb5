"""Where two people said different things, and whose side to take. What clashes, rebase.py finds; here it is decided.

A choice is about one clash, about all of one group (the cells of a column, the rows that were deleted on one side), or
about everything. Of several the narrowest counts, and one for many replaces what was said of its members before:

    this one, else its group, else all of them, else its group in an earlier commit, else all in an earlier commit

Choices for many are remembered for later commits of the same session: there they are what is proposed, to be seen and
changed before anything is loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal, TypeAlias

from app.editing.pending import Cell, Line
from towline.values import Key, Row, Value

Side: TypeAlias = Literal["mine", "theirs"]
MINE: Final = "mine"
THEIRS: Final = "theirs"

Group: TypeAlias = tuple[str, str]  # what clashes alike: (CELL, column), or (kind of a row's clash, "")
Place: TypeAlias = tuple[Group, Key]  # one clash, whatever the commit
CELL: Final = "cell"
ALL: Group = ("", "")


@dataclass(frozen=True)
class Clash:
    """One thing to decide: a cell that both changed, or a row that one changed and the other deleted.

    kind     as of a `towline.conflict.Conflict`
    column   "" where it is about the whole row
    line     the edits of the row
    theirs   the row as the newer commit has it; None where it was deleted
    """

    kind: str
    key: Key
    column: str
    line: Line
    theirs: Row | None

    @property
    def group(self) -> Group:
        return (CELL, self.column) if self.column else (self.kind, "")

    @property
    def place(self) -> Place:
        return self.group, self.key

    @property
    def base(self) -> Value:
        """The cell as it was before both; null where there was no row."""
        return self.line.old[self.column]

    @property
    def mine(self) -> Cell:
        """The cell as it was typed."""
        return next(cell for cell in self.line.cells if cell.column == self.column)


@dataclass(frozen=True)
class Choices:
    """What was chosen: for single clashes, for groups and ALL, and (`before`) for those of earlier commits."""

    places: Mapping[Place, Side] = field(default_factory=dict)
    groups: Mapping[Group, Side] = field(default_factory=dict)
    before: Mapping[Group, Side] = field(default_factory=dict)

    @classmethod
    def of_all(cls, side: Side) -> Choices:
        """One side, whatever clashes."""
        return cls(groups={ALL: side})

    def side(self, clash: Clash) -> Side | None:
        """Whose side is taken; None: nobody said."""
        now = self.places.get(clash.place) or self.groups.get(clash.group) or self.groups.get(ALL)
        return now or self._remembered(clash)

    def is_remembered(self, clash: Clash) -> bool:
        """Whether only a choice that was made for an earlier commit decides this."""
        return self.side(clash) is not None and replace(self, before={}).side(clash) is None

    def _remembered(self, clash: Clash) -> Side | None:
        return self.before.get(clash.group) or self.before.get(ALL)

    def undecided(self, clashes: Iterable[Clash]) -> tuple[Clash, ...]:
        return tuple(clash for clash in clashes if self.side(clash) is None)

    def common(self, clashes: Iterable[Clash]) -> Side | None:
        """The side that is taken in all of them; None where they differ, or one is undecided."""
        sides = {self.side(clash) for clash in clashes}
        return sides.pop() if len(sides) == 1 else None

    def choose(self, place: Place, side: Side) -> Choices:
        """This one clash."""
        return replace(self, places={**self.places, place: side})

    def choose_group(self, group: Group, side: Side) -> Choices:
        """A whole group, or ALL: also what was said of its members one by one."""
        if group == ALL:
            return replace(self, places={}, groups={ALL: side})
        places = {place: known for place, known in self.places.items() if place[0] != group}
        return replace(self, places=places, groups={**self.groups, group: side})

    def remembered(self) -> Choices:
        """What of it is proposed when a later commit clashes. Choices for everything outdo older ones for a group."""
        older = {} if ALL in self.groups else self.before
        return Choices(before={**older, **self.groups})
