"""A desk, whatever is done to it in whatever order, holds what a plain table with the same edits would hold."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule

from app.editing.desk import Desk
from app.editing.edits import Edits, Events, RowId, texts
from app.editing.pending import review
from app.editing.rebase import MINE
from tests.app.sheets import CONTRACT, row, sheet, typed
from towline import table as tables
from towline.values import Row

TEXTS = st.sampled_from(["", None, "3", "12,5", "True", "x", "=1+1", "10.5", "7"])
Model = dict[RowId, dict[str, str | None]]
COLUMNS = st.sampled_from(["volume", "vessel", "is_day"])


def test_undo_and_redo_go_back_and_forth() -> None:
    desk = Desk(sheet())
    desk.absorb(typed(0, volume="3"))
    desk.absorb(typed(0, volume="4"))
    desk.undo()
    assert desk.edits.cells == {(1, 0): {"volume": "3"}}
    desk.undo()
    assert not desk.edits
    desk.redo()
    desk.redo()
    assert desk.edits.cells == {(1, 0): {"volume": "4"}}
    desk.redo()
    desk.undo()
    desk.absorb(typed(1, volume="5"))
    assert desk.future == []


def test_reverting_everything_can_be_undone() -> None:
    desk = Desk(sheet())
    desk.absorb(Events({0: {"volume": "12,5"}}, [{"tow": "9"}], [2]))
    before = desk.edits
    desk.revert_all()
    assert not desk.edits
    desk.undo()
    assert desk.edits == before


def test_a_grid_that_is_drawn_anew_begins_with_the_edits() -> None:
    desk = Desk(sheet())
    desk.absorb(Events({0: {"volume": "3"}}, [{"tow": "9"}], [2]))
    desk.redraw()
    assert desk.rows == ((1, 0), (1, 1), (2, 1), 1)
    desk.absorb(Events())
    assert desk.edits.cells == {(1, 0): {"volume": "3"}, 1: {"tow": "9"}}


def test_what_a_button_asked_for_is_done_once() -> None:
    desk = Desk(sheet())
    desk.absorb(typed(0, volume="3"))
    desk.ask(desk.revert_all)
    desk.absorb(typed(0, volume="3", vessel="late"))  # the grid was slower than the click
    desk.obey()
    desk.obey()
    assert not desk.edits
    desk.undo()
    assert desk.edits.cells == {(1, 0): {"volume": "3", "vessel": "late"}}


class Editing(RuleBasedStateMachine):
    """The widget is played as it is: it reports all that happened since it was drawn, by position."""

    rows = Bundle("rows")

    @initialize()
    def open(self) -> None:
        self.desk = Desk(sheet())
        self.model: Model = {key: dict(self.desk.sheet.texts(key)) for key in self.desk.sheet.rows}
        self.past: list[Model] = []
        self._drawn()

    def _drawn(self) -> None:
        self.events = Events({}, [], [])

    def _report(self) -> None:
        before = self.desk.edits
        self.desk.absorb(self.events)
        if self.desk.edits != before:
            self.past.append(self.before)

    def _remember(self) -> None:
        self.before = {row: dict(cells) for row, cells in self.model.items()}

    @rule(data=st.data(), column=COLUMNS, text=TEXTS)
    def type(self, data: st.DataObject, column: str, text: str | None) -> None:
        places = [place for place in range(len(self.desk.rows)) if place not in self.events.deleted]
        if places:
            place = data.draw(st.sampled_from(places))
            self._remember()
            edited = {**self.events.edited, place: {**self.events.edited.get(place, {}), column: text}}
            self.events = Events(edited, self.events.added, self.events.deleted)
            self.model[self.desk.rows[place]][column] = text or None
            self._report()

    @rule(net=st.integers(5, 9), vessel=st.sampled_from(["a", "b"]))
    def add(self, net: int, vessel: str) -> None:
        self._remember()
        cells = {"tow": "9", "net": str(net), "vessel": vessel}
        self.events = Events(self.events.edited, [*self.events.added, cells], self.events.deleted)
        serial = self.desk.drawn.next_serial + len(self.events.added) - 1
        self.model[serial] = {**dict.fromkeys(CONTRACT.names), **cells}
        self._report()

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        places = [place for place in range(len(self.desk.rows)) if place not in self.events.deleted]
        if places:
            place = data.draw(st.sampled_from(places))
            self._remember()
            edited = {at: cells for at, cells in self.events.edited.items() if at != place}
            self.events = Events(edited, self.events.added, [*self.events.deleted, place])
            del self.model[self.desk.rows[place]]
            self._report()

    @precondition(lambda self: self.past)
    @rule()
    def undo(self) -> None:
        self.desk.undo()
        self.model = self.past.pop()
        self._drawn()

    @rule()
    def leave_the_page_and_come_back(self) -> None:
        self.desk.redraw()
        self._drawn()

    @rule(data=st.data())
    def revert_a_row(self, data: st.DataObject) -> None:
        keys = [key for key in self.desk.sheet.rows if key in self.desk.edits.cells or key in self.desk.edits.deleted]
        if keys:
            key = data.draw(st.sampled_from(keys))
            self._remember()
            self.desk.revert(key)
            self.past.append(self.before)
            self.model[key] = dict(self.desk.sheet.texts(key))
            self._drawn()

    @rule()
    def load_a_newer_commit(self) -> None:
        """Somebody changed a column that nobody here touches, and added a row."""
        held: list[Row] = [{**row, "day": None} for row in self.desk.sheet.rows.values()]
        extra = row(50 + self.desk.sheet.number, 0)
        newer = sheet(*held, extra, number=self.desk.sheet.number + 1)
        self.desk.carry(newer, MINE)
        key = newer.contract.key_of(extra)
        self.model[key] = dict(newer.texts(key))
        self.past = []
        self._drawn()

    @invariant()
    def the_grid_shows_the_model(self) -> None:
        edits = self.desk.edits
        there = [*(key for key in self.desk.sheet.rows if key not in edits.deleted), *edits.added]
        shown = {row: texts(self.desk.sheet, edits, row) for row in there}
        assert self._meant(shown) == self._meant(self.model)

    @invariant()
    def what_fits_becomes_exactly_the_table_that_is_shown(self) -> None:
        pending = self.desk.pending
        if pending.ready:
            after = tables.apply(self.desk.sheet.table, CONTRACT.key, pending.changes)
            direct = review(sheet(*after.to_pylist()), Edits())
            assert not direct.changes
            assert after.num_rows == len(self.model)

    @staticmethod
    def _meant(rows: Model) -> Model:
        """Texts as values say them, so that 10.5 typed over 10.5 is nothing."""
        return {row: {column: text or None for column, text in cells.items()} for row, cells in rows.items()}


TestEditing = Editing.TestCase
TestEditing.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
