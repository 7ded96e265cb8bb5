"""A proposal in conflict on the screen: taken up, decided step by step, and sent anew. Knows no screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from app.editing.cells import Misfit, value_of
from app.editing.sheet import row_id
from app.solving.picks import ALL, ROW, Group, Picks, Spot, spots
from towline import dispute
from towline.answer import InsertAs, Put
from towline.change import RowChange
from towline.conflict import Conflict
from towline.dataset import Dataset, Draft, Ticket
from towline.dispute import Dispute
from towline.errors import OutcomeUnknown, TowlineError
from towline.plan import Plan
from towline.receipts import Receipt
from towline.values import same
from towline.violation import Violation
from towline.workbench import Workbench


@dataclass
class Solving:
    """`picks` decide the conflicts of `dispute`.

    typing   the spot into which a third value, or another key, is being typed
    problem  why the last thing could not be done; `notice`: what happened meanwhile
    draft    what was sent, while its outcome is awaited; `doubt`: the store did not say whether it arrived
    receipt  the outcome
    """

    dispute: Dispute
    note: str = ""
    picks: Picks = field(default_factory=Picks)
    typing: Spot | None = None
    page: int = 0
    problem: str = ""
    notice: str = ""
    draft: Draft | None = None
    doubt: str = ""
    receipt: Receipt | None = None
    _spots: tuple[Dispute, tuple[Spot, ...]] | None = field(default=None, repr=False)
    _outlook: tuple[Dispute, Picks, Outlook] | None = field(default=None, repr=False)

    @classmethod
    def of(cls, bench: Workbench, receipt: Receipt) -> Solving:
        """Take it up. Errors as of `dispute.of`."""
        return cls(dispute.of(bench, receipt), receipt.note)

    @property
    def spots(self) -> tuple[Spot, ...]:
        """All that is to be decided, made out once."""
        if self._spots is None or self._spots[0] is not self.dispute:
            self._spots = (self.dispute, spots(self.dispute.conflicts))
        return self._spots[1]

    @property
    def open(self) -> int:
        """How many spots are not decided."""
        return sum(not self.picks.is_decided(spot) for spot in self.spots)

    def group(self, group: Group) -> tuple[Spot, ...]:
        """The spots of a group."""
        kind, name = group
        if kind == ROW:
            return tuple(spot for spot in self.spots if row_name(spot.conflict) == name)
        return tuple(spot for spot in self.spots if group in (ALL, spot.group))

    def spot(self, row: str, column: str) -> Spot | None:
        """The spot in the row of this name; None where it is not in conflict any more."""
        found = (conflict for conflict in self.dispute.conflicts if row_name(conflict) == row)
        conflict = next(found, None)
        return Spot(conflict, column) if conflict is not None else None

    def type(self, texts: Sequence[str]) -> bool:
        """Take what was typed: a cell's third value, or the columns of another key. Where it does not fit that is said,
        and nothing changes."""
        self.problem = ""
        if self.typing is None:
            return False
        contract, column = self.dispute.contract, self.typing.column
        names = [column] if column else contract.key
        try:
            values = [
                value_of(text, contract.field(name), contract.missing_values)
                for name, text in zip(names, texts, strict=True)
            ]
        except Misfit as misfit:
            self.problem = str(misfit)
            return False
        key = self.typing.conflict.key
        other = {name: value for name, value in zip(names, values, strict=True) if column or not same(value, key[name])}
        if not other:
            self.problem = "this is the key that both of you inserted: change at least one part of it"
            return False
        self.picks = self.picks.pick(self.typing, Put(values[0]) if column else InsertAs(other))
        self.typing = None
        return True

    def look_again(self, bench: Workbench) -> None:
        """Merge it onto the head as it is now; what was picked and still counts stays."""
        before = len(self.picks.answers)
        self.dispute = dispute.of(bench, self.dispute.receipt)
        self.picks = self.picks.carried(self.dispute.conflicts)
        self.typing = None
        lost = before - len(self.picks.answers)
        said = f"Commit {self.dispute.number} came meanwhile, and was looked at again."
        self.notice = f"{said} {lost:,} of your decisions do not fit any more: decide them again." if lost else said

    @property
    def outlook(self) -> Outlook:
        """What was decided so far, made once for what was picked."""
        known = self._outlook
        if known is None or known[0] is not self.dispute or known[1] is not self.picks:
            known = self._outlook = (self.dispute, self.picks, Outlook.of(self.dispute, self.picks))
        return known[2]

    def send(self, dataset: Dataset) -> None:
        """Send what was decided; `problem` says why, where that cannot be."""
        self.problem, self.receipt = "", None
        try:
            changes = self.dispute.settle(self.picks.resolution)
            self.draft = self.dispute.draft(dataset, changes, self.note.strip())
        except TowlineError as error:
            self.problem = f"Not sent: {error}."
            return
        self.send_again(dataset)

    def send_again(self, dataset: Dataset) -> None:
        """Put the draft into the inbox, which takes each proposal once."""
        self.problem, self.doubt = "", ""
        if self.draft is None:
            return
        try:
            dataset.send(self.draft)
        except OutcomeUnknown as error:
            self.doubt = str(error)
        except TowlineError as error:
            self.problem, self.draft = f"Not sent: {error}. What you decided is still here.", None

    def look(self, dataset: Dataset) -> Receipt | None:
        """How far it has got; None where nothing is under way. Raises Unavailable."""
        if self.draft is None:
            return None
        receipt = Ticket(dataset.bench, dataset.name, self.draft.proposal).receipt()
        if receipt.final:
            self.draft, self.doubt, self.receipt = None, "", receipt
        return receipt


@dataclass(frozen=True)
class Outlook:
    """What was decided so far: the changes, what they would do to the head, and why not all of it could be made out."""

    changes: tuple[RowChange, ...]
    plan: Plan
    problem: str = ""

    @staticmethod
    def of(dispute: Dispute, picks: Picks) -> Outlook:
        try:
            decided = dispute.decide(picks.resolution)
        except TowlineError as error:
            return Outlook((), Plan(), str(error))
        return Outlook(decided.changes, dispute.preview(decided.changes))

    @cached_property
    def violations(self) -> tuple[Violation, ...]:
        return self.plan.report.violations


def row_name(conflict: Conflict) -> str:
    """A row as buttons name it."""
    return row_id(tuple(conflict.key.values()))
