"""One dataset on the screen: the sheet, what was edited, the way back, and the proposal that is under way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from app.editing.edits import Edits, Events, RowId, absorb, positions
from app.editing.pending import Pending, review
from app.editing.rebase import MINE, rebase
from app.editing.remote import News
from app.editing.sheet import Sheet
from towline.conflict import Conflict
from towline.dataset import Draft
from towline.receipts import Receipt


@dataclass
class Desk:
    """`drawn` are the edits that the grid was drawn with in this `epoch`: its events are relative to them, and it is
    drawn anew (another epoch) only where the edits change other than by typing in it.

    asked    what a button asked for, done once the grid has had time to say what was typed last
    sent     the draft whose outcome is awaited; `doubt`: the store did not say whether it arrived
    receipt  the outcome of the last draft; stays until the next one is sent
    newer    a newer commit than the sheet's, as soon as it is known
    """

    sheet: Sheet
    edits: Edits = field(default_factory=Edits)
    drawn: Edits = field(default_factory=Edits)
    epoch: int = 0
    past: list[Edits] = field(default_factory=list)
    future: list[Edits] = field(default_factory=list)
    asked: Callable[[], object] | None = None
    sent: Draft | None = None
    doubt: str = ""
    receipt: Receipt | None = None
    problem: str = ""
    newer: News | None = None

    @property
    def rows(self) -> tuple[RowId, ...]:
        """What the grid shows, by position."""
        return positions(self.sheet, self.drawn)

    @property
    def pending(self) -> Pending:
        return review(self.sheet, self.edits)

    @property
    def is_busy(self) -> bool:
        """Whether something was asked for or sent, and is not done yet."""
        return self.asked is not None or self.sent is not None

    def absorb(self, events: Events) -> None:
        """Take in what the grid reports: everything since it was drawn, so that saying it twice changes nothing."""
        edits = absorb(self.sheet, self.drawn, events)
        if edits != self.edits:
            self._step(edits)

    def ask(self, act: Callable[[], object]) -> None:
        """Have `act` done as soon as the grid has told what was typed last."""
        self.asked = act

    def obey(self) -> None:
        """Do what was asked for."""
        act, self.asked = self.asked, None
        if act is not None:
            act()

    def undo(self) -> None:
        if self.past:
            self.future.append(self.edits)
            self._show(self.past.pop())

    def redo(self) -> None:
        if self.future:
            self.past.append(self.edits)
            self._show(self.future.pop())

    def revert(self, row: RowId, column: str | None = None) -> None:
        """One cell, or all of a row, as the sheet has it."""
        self._step(self.edits.without(row, column))
        self.redraw()

    def revert_all(self) -> None:
        self._step(Edits())
        self.redraw()

    def redraw(self) -> None:
        """A new grid that begins with the edits as they are: for changes made elsewhere, and for a grid that is gone
        (a browser forgets a grid that leaves the page)."""
        self.drawn, self.epoch = self.edits, self.epoch + 1

    def clashes(self, newer: Sheet) -> tuple[Conflict, ...]:
        """What of the edits disagrees with a newer commit."""
        return rebase(self.sheet, self.edits, newer).conflicts

    def carry(self, newer: Sheet, take: str = MINE) -> None:
        """Go on with a newer commit, the edits on top of it. The way back ends here: it led to another sheet."""
        self.edits = rebase(self.sheet, self.edits, newer, take).edits
        self._replace(newer)

    def drop(self, newer: Sheet) -> None:
        """Go on with a newer commit, without any edits."""
        self.edits = Edits()
        self._replace(newer)

    def _replace(self, newer: Sheet) -> None:
        self.sheet, self.newer, self.receipt = newer, None, None
        self.past, self.future = [], []
        self.redraw()

    def _step(self, edits: Edits) -> None:
        self.past.append(self.edits)
        self.future = []
        self.edits = edits

    def _show(self, edits: Edits) -> None:
        self.edits = edits
        self.redraw()
