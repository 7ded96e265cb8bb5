"""A desk, whatever is done to it in whatever order, holds what a plain table with the same edits would hold."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from app.editing.desk import Desk
from app.editing.edits import Edits
from app.editing.pending import review
from app.editing.sheet import row_id
from tests.app.sheets import CONTRACT, added, at, gone, row, sheet, typed
from towline import table as tables
from towline.values import Key, Row

TEXTS = st.sampled_from(["", None, "3", "12,5", "True", "x", "=1+1", "10.5", "7"])
COLUMNS = st.sampled_from(["volume", "vessel", "is_day"])
Name = Key | str
Model = dict[Name, dict[str, str | None]]


def test_undo_and_redo_go_back_and_forth() -> None:
    desk = Desk(sheet())
    desk.do(typed(0, volume="3"))
    desk.do(typed(0, volume="4"))
    desk.undo()
    assert desk.edits.cells == {(1, 0): {"volume": "3"}}
    desk.undo()
    assert not desk.edits
    desk.redo()
    desk.redo()
    assert desk.edits.cells == {(1, 0): {"volume": "4"}}


def test_reverting_everything_is_one_step_that_can_be_undone() -> None:
    desk = Desk(sheet())
    for event in (typed(0, volume="12,5"), added("+1", tow="9"), gone(2, 0)):
        desk.do(event)
    before = desk.edits
    desk.revert_all()
    assert not desk.edits
    desk.undo()
    assert desk.edits == before


def test_a_row_that_was_deleted_and_typed_into_comes_back_as_the_sheet_has_it() -> None:
    desk = Desk(sheet())
    desk.do(typed(0, volume="3"))
    desk.do(gone(1, 0))
    desk.revert("1|0")
    assert not desk.edits


def test_each_place_to_go_to_is_told_apart_from_the_one_before() -> None:
    desk = Desk(sheet())
    desk.show((1, 0), "volume")
    first = desk.jump
    desk.show((1, 0), "volume")
    assert first is not None
    assert desk.jump is not None
    assert (desk.jump.row, desk.jump.column, desk.jump.serial) == (first.row, first.column, first.serial + 1)


class Editing(RuleBasedStateMachine):
    """Typing, adding, deleting, undo, reverting and newer commits, beside a model that is a plain dictionary."""

    @initialize()
    def open(self) -> None:
        self.desk = Desk(sheet())
        self.model: Model = {key: dict(self.desk.sheet.texts(key)) for key in self.desk.sheet.rows}
        self.past: list[Model] = []
        self.serial = 0

    def _copy(self) -> Model:
        return {name: dict(cells) for name, cells in self.model.items()}

    def _do(self, event: object, model: Model) -> None:
        steps = len(self.desk.log.state.past)
        self.desk.do(event)  # type: ignore[arg-type]
        if len(self.desk.log.state.past) > steps:
            self.past.append(self.model)
        self.model = model

    @staticmethod
    def _id(name: Name) -> str:
        return name if isinstance(name, str) else row_id(name)

    @rule(data=st.data(), column=COLUMNS, text=TEXTS)
    def type(self, data: st.DataObject, column: str, text: str | None) -> None:
        if self.model:
            name, model = data.draw(st.sampled_from(list(self.model))), self._copy()
            model[name][column] = text
            self._do({"set": [[[self._id(name)], [column], [[text]]]]}, model)

    @rule(data=st.data(), column=COLUMNS, text=TEXTS)
    def fill(self, data: st.DataObject, column: str, text: str | None) -> None:
        names, model = data.draw(st.lists(st.sampled_from(list(self.model) or [""]), unique=True)), self._copy()
        if names and names != [""]:
            for name in names:
                model[name][column] = text
            self._do({"set": [[[self._id(name) for name in names], [column], text]]}, model)

    @rule(net=st.integers(5, 9), vessel=st.sampled_from(["a", "b"]))
    def add(self, net: int, vessel: str) -> None:
        self.serial += 1
        name, cells = f"+x.{self.serial}", {"tow": "9", "net": str(net), "vessel": vessel}
        self._do(added(name, **cells), {**self._copy(), name: {**dict.fromkeys(CONTRACT.names), **cells}})

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        if self.model:
            name = data.draw(st.sampled_from(list(self.model)))
            self._do(
                {"del": [self._id(name)]}, {other: cells for other, cells in self._copy().items() if other != name}
            )

    @precondition(lambda self: self.past)
    @rule()
    def undo(self) -> None:
        self.desk.undo()
        self.model = self.past.pop()

    @rule(data=st.data())
    def revert_a_row(self, data: st.DataObject) -> None:
        keys = [key for key in self.desk.sheet.rows if key in self.desk.edits.cells or key in self.desk.edits.deleted]
        if keys:
            key, model, steps = data.draw(st.sampled_from(keys)), self._copy(), len(self.past)
            model[key] = dict(self.desk.sheet.texts(key))
            before = self.model
            self.desk.revert(row_id(key))
            self.past.append(before)
            assert len(self.past) == steps + 1
            self.model = model

    @rule()
    def load_a_newer_commit(self) -> None:
        """Somebody changed a column that nobody here touches, and added a row."""
        held: list[Row] = [{**row, "day": None} for row in self.desk.sheet.rows.values()]
        extra = row(50 + self.desk.sheet.number, 0)
        newer = sheet(*held, extra, number=self.desk.sheet.number + 1)
        self.desk.carry(newer)
        key = newer.contract.key_of(extra)
        fresh = [cells for name, cells in self.model.items() if isinstance(name, str)]
        kept: Model = {name: cells for name, cells in self.model.items() if not isinstance(name, str)}
        names = [name for name, _ in self.desk.log.state.added]
        self.model = {**kept, key: dict(newer.texts(key)), **dict(zip(names, fresh, strict=True))}
        self.past = []

    @invariant()
    def the_grid_shows_the_model(self) -> None:
        state, here = self.desk.log.state, self.desk.sheet
        shown: Model = {key: {**here.texts(key), **state.cells.get(row_id(key), {})} for key in here.rows}
        blank: dict[str, str | None] = dict.fromkeys(CONTRACT.names)
        shown |= {name: {**blank, **state.cells.get(name, {})} for name, _ in state.added}
        there = {name: cells for name, cells in shown.items() if self._id(name) not in state.deleted}
        assert self._meant(there) == self._meant(self.model)

    @invariant()
    def what_fits_becomes_exactly_the_table_that_is_shown(self) -> None:
        pending = self.desk.pending
        if pending.ready:
            after = tables.apply(self.desk.sheet.table, CONTRACT.key, pending.changes)
            assert not review(sheet(*after.to_pylist()), Edits()).changes
            assert after.num_rows == len(self.model)

    @staticmethod
    def _meant(rows: Model) -> Model:
        return {row: {column: text or None for column, text in cells.items()} for row, cells in rows.items()}


TestEditing = Editing.TestCase
TestEditing.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


def test_texts_of_rows_that_are_gone_are_told() -> None:
    desk = Desk(sheet())
    desk.log = desk.log.restart()
    desk.do(at(99, 0, vessel="x"))
    assert desk.strays == {"99|0": {"vessel": "x"}}
