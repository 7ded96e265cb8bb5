"""One dataset on the screen: the sheet, what was typed into the grid, and the proposal that is under way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from secrets import randbelow

from app.editing.choices import Choices, Clash
from app.editing.drafts import Journal
from app.editing.edits import Edits, RowId
from app.editing.gridlog import REDO, UNDO, UNTOUCHED, Event, GridLog, Message, State
from app.editing.gridsheet import edits_of, ids_of, state_of, strays
from app.editing.pending import Pending, review
from app.editing.rebase import rebase
from app.editing.remote import News
from app.editing.sheet import Sheet
from app.editing.since import Sent
from towline.receipts import Receipt


def new_log(state: State | None = None) -> GridLog:
    """A log for a new desk. Its epochs are not those of any other: a browser may still show a grid of a server that was
    stopped, and what that says must not be taken for what this one knows."""
    begun = state or State()
    return GridLog(epoch=randbelow(2**40), start=begun, state=begun)


@dataclass(frozen=True)
class Jump:
    """Show a row (by the grid's id) and a column. Each `serial` is obeyed once."""

    serial: int
    row: str
    column: str | None = None


@dataclass
class Desk:
    """`log` holds what was typed on top of the sheet; everything else that is edited comes from it.

    journal  where all of it is kept on disk, as it is typed; `unkept` says why that failed
    note     why, as far as it was written; `mode`: how the proposal is to be merged, None as the contract says
    jump     the place that the grid is to show
    sent     the draft whose outcome is awaited; `doubt`: the store did not say whether it arrived
    receipt  the outcome of the last draft; stays until the next one is sent
    newer    a newer commit than the sheet's, as soon as it is known; `choices`: whose side was taken where it clashes
    """

    sheet: Sheet
    log: GridLog = field(default_factory=new_log)
    new_journal: Callable[[Sheet], Journal | None] = lambda sheet: None
    journal: Journal | None = None
    unkept: str = ""
    note: str = ""
    mode: str | None = None
    jump: Jump | None = None
    sent: Sent | None = None
    doubt: str = ""
    receipt: Receipt | None = None
    problem: str = ""
    newer: News | None = None
    choices: Choices = field(default_factory=Choices)
    _reviewed: tuple[Sheet, State, Edits, Pending] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.journal = self.new_journal(self.sheet)
        if self.log.state != State():
            self._keep(self.log.start, ())

    @property
    def edits(self) -> Edits:
        return self._review()[2]

    @property
    def pending(self) -> Pending:
        return self._review()[3]

    def _review(self) -> tuple[Sheet, State, Edits, Pending]:
        """Made once a state: a run of the page asks several times."""
        known = self._reviewed
        if known is None or known[0] is not self.sheet or known[1] is not self.log.state:
            edits = edits_of(self.log.state, self.sheet)
            last = known[3] if known is not None else None
            known = self._reviewed = (self.sheet, self.log.state, edits, review(self.sheet, edits, last))
        return known

    @property
    def strays(self) -> Mapping[str, Mapping[str, str | None]]:
        """What was typed into rows that the sheet no longer has, by the row's id."""
        return strays(self.log.state, self.sheet)

    def hear(self, message: Message | None) -> None:
        """Take in what the grid says."""
        self._take(self.log.hear(message))

    def do(self, event: Event) -> None:
        """One step, made in the page."""
        self._take(self.log.do(event))

    def undo(self) -> None:
        self.do(UNDO)

    def redo(self) -> None:
        self.do(REDO)

    def show(self, row: RowId, column: str | None = None) -> None:
        """Have the grid go to a row and a column."""
        (place,) = ids_of(self.log.state, [row])
        self.go(place, column)

    def go(self, row: str, column: str | None = None) -> None:
        """Have the grid go to a row, by the grid's id, and a column; of a large table to the page that has it."""
        self.turn(self.sheet.showing(row))
        self.jump = Jump(self.jump.serial + 1 if self.jump else 1, row, column)

    def turn(self, page: Sheet) -> None:
        """Another page of the same table. What was typed stays, with all its steps of undo, and so does its draft."""
        if page is self.sheet:
            return
        self.sheet.fetch(row for row in (*self.edits.cells, *self.edits.deleted) if isinstance(row, tuple))
        self.sheet, self.jump = page, None
        self.log = self.log.restart(self.log.state)

    def revert(self, row: str, column: str | None = None) -> None:
        """One cell, or all of a row (by the grid's id), as the sheet has it."""
        state = self.log.state
        if column is not None:
            self.do({"set": [[[row], [column], UNTOUCHED]]})
        elif any(row == fresh for fresh, _ in state.added):
            self.do({"del": [row]})
        else:
            self.do({"set": [[[row], list(state.cells.get(row, {})), UNTOUCHED]], "rest": [row]})

    def revert_all(self) -> None:
        """Everything as the sheet has it, in one step."""
        state = self.log.state
        fresh = dict.fromkeys(row for row, _ in state.added)
        back = [row for row in state.deleted if row not in fresh]
        gone = [row for row in fresh if row not in state.deleted]
        self.do({"set": list(_untouched(state)), "rest": back, "del": gone})

    def write_note(self, note: str) -> None:
        self.note = note
        self._on_disk(lambda journal: journal.write_note(note))

    def clashes(self, newer: Sheet) -> tuple[Clash, ...]:
        """What of the edits disagrees with a newer commit."""
        return rebase(self.sheet, self.edits, newer).clashes

    def carry(self, newer: Sheet, choices: Choices | None = None) -> None:
        """Go on with a newer commit, the edits on top of it; where nothing was chosen mine stay. The way back ends
        here: it led to another sheet."""
        self.replace(newer, rebase(self.sheet, self.edits, newer, choices).edits)

    def drop(self, newer: Sheet) -> None:
        """Go on with a newer commit, without any edits."""
        self.replace(newer, Edits())

    def replace(self, newer: Sheet, edits: Edits) -> None:
        """Edits on top of a newer commit. The draft there is written before the old one goes."""
        before = self.journal
        self.sheet, self.newer = newer.like(self.sheet), None
        if self.receipt is not None and self.receipt.status != "committed":
            self.receipt = None
        self.log = self.log.restart(state_of(edits))
        self.journal = self.new_journal(self.sheet)
        if edits:
            self._keep(self.log.start, ())
        if before is not None and not self.unkept:
            before.delete()

    def _take(self, log: GridLog) -> None:
        events = [event for _, _, event in log.entries[self.log.version :]]
        start, self.log = self.log.state, log
        if events:
            self._keep(start, events)

    def _keep(self, start: State, events: Sequence[Event]) -> None:
        self._on_disk(lambda journal: journal.record(start, events, self.note))

    def _on_disk(self, write: Callable[[Journal], None]) -> None:
        """A disk that is full must not keep anybody from editing; it is said instead."""
        if self.journal is None:
            return
        try:
            write(self.journal)
            self.unkept = ""
        except OSError as error:
            self.unkept = f"{error.strerror or error} ({self.journal.path})"
            self.journal = self.new_journal(self.sheet)


def _untouched(state: State) -> Iterator[list[object]]:
    """Every text as the sheet has it: one block for all rows where the same columns were typed into."""
    rows: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for row, texts in state.cells.items():
        rows[tuple(texts)].append(row)
    return ([names, list(columns), UNTOUCHED] for columns, names in rows.items())
