"""The dialogs that change many cells, without a browser: on a desk, beside a stand-in for the page."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from streamlit.testing.v1 import AppTest

from app import bulk_markup, clickable
from app.editing.cells import Text
from app.editing.desk import Desk
from tests.app.sheets import row, sheet

LINE = "The same in one line, to type, paste or keep"


def page() -> None:
    import streamlit as st

    from app import bulk

    bulk.buttons(st.session_state["desk"])


@dataclass
class Dialogs:
    """A tab on four nets, with the buttons of the Edit page."""

    patch: pytest.MonkeyPatch
    desk: Desk = field(default_factory=lambda: Desk(sheet()))
    lists: dict[str, tuple[str, Callable[[str], None]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.patch.setattr(clickable, "draw", self._listed)
        self.tab = AppTest.from_function(page, default_timeout=30)
        self.tab.session_state["desk"] = self.desk

    def _listed(self, html: str, key: str, do: Callable[[str], None]) -> None:
        self.lists[key] = (html, do)

    def run(self) -> Dialogs:
        self.lists.clear()
        self.tab.run()
        assert not self.tab.exception, self.tab.exception
        return self

    def press(self, label: str) -> Dialogs:
        next(button for button in self.tab.button if button.label == label).click()
        return self.run()

    def write(self, label: str, text: str, nth: int = 0) -> Dialogs:
        [each for each in self.tab.text_input if each.label == label][nth].set_value(text)
        return self.run()

    def tick(self, label: str) -> Dialogs:
        next(each for each in self.tab.checkbox if each.label.startswith(label)).check()
        return self.run()

    def untick(self, label: str) -> Dialogs:
        next(each for each in self.tab.checkbox if each.label.startswith(label)).uncheck()
        return self.run()

    def choose(self, label: str, value: str, nth: int = 0) -> Dialogs:
        [each for each in self.tab.selectbox if each.label == label][nth].set_value(value)
        return self.run()

    def away(self, nth: int) -> Dialogs:
        """Take the nth condition or setting away."""
        [button for button in self.tab.button if button.key and button.key.endswith("-away")][nth].click()
        return self.run()

    @property
    def line(self) -> str:
        return str(next(each.value for each in self.tab.text_input if each.label == LINE))

    def is_disabled(self, label: str) -> bool:
        return next(button.disabled for button in self.tab.button if button.label == label)

    def do(self, todo: str) -> Dialogs:
        self.tab.segmented_control[0].set_value(todo)
        return self.run()

    def click(self, name: str, *act: object) -> Dialogs:
        html, do = self.lists[name]
        assert f'data-act="{json.dumps(list(act)).replace(chr(34), "&quot;")}"' in html
        do(json.dumps(act))
        return self.run()

    @property
    def text(self) -> str:
        return "\n".join(str(each.proto.body) for each in self.tab.get("html"))

    @property
    def buttons(self) -> list[str]:
        return [button.label for button in self.tab.button]

    @property
    def cells(self) -> dict[str, dict[str, Text]]:
        return {each: dict(texts) for each, texts in self.desk.log.state.cells.items()}


@pytest.fixture
def dialogs(monkeypatch: pytest.MonkeyPatch) -> Dialogs:
    return Dialogs(monkeypatch).run()


def test_a_replacement_is_shown_before_it_is_made_and_is_one_step(dialogs: Dialogs) -> None:
    dialogs.press("Find & replace").write("Find", "meri").write("Replace with", "Ori")
    assert "3 cells in 3 rows would change" in dialogs.text
    assert "Oridian" in dialogs.lists["bulk-cells-list"][0]
    assert not dialogs.cells
    dialogs.press("Replace 3 cells in 3 rows")
    assert dialogs.cells == {each: {"vessel": "Oridian"} for each in ("1|0", "1|1", "2|1")}
    assert not dialogs.tab.text_input  # the dialog is closed
    dialogs.desk.undo()
    assert not dialogs.cells


def test_single_cells_and_whole_columns_can_be_left_out(dialogs: Dialogs) -> None:
    dialogs.press("Find & replace").write("Find", "e").write("Replace with", "a")
    assert "Replace 3 cells in 3 rows" in dialogs.buttons  # True does not become Trua
    dialogs.click("bulk-cells-list", "cell", 0, "vessel")
    assert "Replace 2 cells in 2 rows" in dialogs.buttons
    dialogs.click("bulk-column-list", "column", "vessel")
    assert dialogs.is_disabled("Replace 0 cells in 0 rows")
    dialogs.click("bulk-column-list", "column", "vessel").press("Replace 2 cells in 2 rows")
    assert dialogs.cells == {"1|1": {"vessel": "Maridian"}, "2|1": {"vessel": "Maridian"}}


def test_what_was_ticked_off_is_ticked_again_when_something_else_is_looked_for(dialogs: Dialogs) -> None:
    dialogs.press("Find & replace").write("Find", "Meri").write("Replace with", "Ori")
    dialogs.click("bulk-cells-list", "cell", 0, "vessel").write("Find", "Merid")
    assert "Replace 3 cells in 3 rows" in dialogs.buttons


def test_what_does_not_fit_is_explained_left_out_and_put_in_only_when_asked_for(dialogs: Dialogs) -> None:
    dialogs.press("Find & replace").write("Find", ".5").write("Replace with", ",5")
    assert "3 cells: the new text does not fit" in dialogs.text
    assert "it has a comma" in dialogs.lists["bulk-cells-list"][0]
    assert dialogs.is_disabled("Replace 0 cells in 0 rows")
    dialogs.tick("Put 3 texts in that do not fit").press("Replace 3 cells in 3 rows")
    assert dialogs.cells["1|0"] == {"volume": "10,5"}


def test_nulls_are_filled_and_values_become_null(dialogs: Dialogs) -> None:
    dialogs.press("Find & replace").tick("Cells without a value").write("Replace with", "Other")
    dialogs.press("Replace 1 cell in 1 row")
    assert dialogs.cells == {"2|0": {"vessel": "Other"}}
    dialogs.press("Find & replace").untick("Cells without a value").do("Replace by null").write("Find", "other")
    dialogs.press("Replace 1 cell in 1 row")
    assert dialogs.cells == {"2|0": {"vessel": None}}


def test_the_key_is_searched_when_its_columns_are_chosen(dialogs: Dialogs) -> None:
    dialogs.press("Find & replace").do("Find only").write("Find", "2")
    assert "Nothing is found" in dialogs.text
    dialogs.tab.multiselect[0].set_value(["tow"])
    assert "2 cells in 2 rows" in dialogs.run().text


def test_a_hit_is_jumped_to(dialogs: Dialogs) -> None:
    dialogs.press("Find & replace").do("Find only").write("Find", "true")
    dialogs.click("bulk-hits-list", "show", 2, "is_day")
    assert dialogs.desk.jump is not None
    assert (dialogs.desk.jump.row, dialogs.desk.jump.column) == ("2|0", "is_day")
    assert not dialogs.tab.text_input
    assert not dialogs.cells


def test_a_bad_pattern_says_what_is_wrong(dialogs: Dialogs) -> None:
    dialogs.press("Find & replace").tick("Regular expression").write("Find", "(")
    assert "This is no regular expression: missing ): (." in dialogs.text


def test_data_is_text_and_never_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    dialogs = Dialogs(monkeypatch, Desk(sheet(row(1, 0, vessel="<img src=x>")))).run()
    dialogs.press("Find & replace").write("Find", "x").write("Replace with", "<b>")
    assert "&lt;img src=&lt;b&gt;&gt;" in dialogs.lists["bulk-cells-list"][0]
    assert "<img" not in dialogs.lists["bulk-cells-list"][0]


def test_a_rule_is_written_in_a_form_shown_as_a_line_and_applied_in_one_step(dialogs: Dialogs) -> None:
    dialogs.press("Set by rule")
    assert "Choose" not in dialogs.text
    dialogs.choose("Column", "vessel").choose("Value", "Meridian")
    assert "Choose a column." in dialogs.text
    dialogs.choose("Column", "volume", 1).choose("To", "times").write("Number", "2")
    assert dialogs.line == 'where vessel = "Meridian" set volume = volume * 2'
    assert "2 cells in 2 rows would change" in dialogs.text
    dialogs.press("Set 2 cells in 2 rows")
    assert dialogs.cells == {"1|0": {"volume": "21"}, "2|1": {"volume": "21"}}
    dialogs.desk.undo()
    assert not dialogs.cells


def test_a_line_fills_the_form(dialogs: Dialogs) -> None:
    dialogs.press("Set by rule")
    dialogs.write(LINE, "where tow = 1 or volume between 1 and 20 set is_day = null, vessel = upper(vessel)")
    shown = [each.value for each in dialogs.tab.selectbox]
    assert shown == ["tow", "is", "volume", "between", "is_day", "null", "vessel", "upper case", "vessel"]
    assert [each.value for each in dialogs.tab.text_input][:3] == ["1", "1", "20"]
    assert dialogs.tab.radio[0].value == "any of these holds"
    assert "Set 6 cells in 4 rows" in dialogs.buttons


def test_a_line_that_is_no_rule_says_where_and_does_nothing(dialogs: Dialogs) -> None:
    dialogs.press("Set by rule").write(LINE, "set vessel = null")
    assert "Set 3 cells in 3 rows" in dialogs.buttons
    dialogs.write(LINE, "set vessel = nul")
    assert "There is no column nul (character 14)" in dialogs.text
    assert not any(label.startswith("Set 3") for label in dialogs.buttons)


def test_what_does_not_fit_is_said_at_its_field(dialogs: Dialogs) -> None:
    dialogs.press("Set by rule").choose("Column", "volume", 1).write("Value", "12,5", 1)
    assert "it has a comma. Write a point before decimals" in dialogs.text
    assert "tl-stop" in dialogs.text


def test_conditions_are_added_and_taken_away(dialogs: Dialogs) -> None:
    dialogs.press("Set by rule").write(LINE, "where tow = 1 and net = 0 set vessel = null")
    dialogs.press("Add a condition")
    assert dialogs.line == "where tow = 1 and net = 0 and … = … set vessel = null"
    dialogs.away(2).away(0)
    assert dialogs.line == "where net = 0 set vessel = null"
    dialogs.away(0)
    assert dialogs.line == "set vessel = null"
    assert "every row is meant" in dialogs.text


def test_what_a_rule_cannot_compute_is_listed_with_the_reason(dialogs: Dialogs) -> None:
    dialogs.press("Set by rule").write(LINE, "set volume = tow / net")
    assert "2 cells: there is no result" in dialogs.text
    assert "1 cannot be divided by 0" in dialogs.lists["bulk-cells-list"][0]
    dialogs.press("Set 2 cells in 2 rows")
    assert dialogs.cells == {"1|1": {"volume": "1"}, "2|1": {"volume": "2"}}


def test_the_preview_tells_what_the_contract_will_say(dialogs: Dialogs) -> None:
    dialogs.press("Set by rule").write(LINE, "set volume = -1")
    assert "4 errors more than now" in dialogs.text


def test_the_dialog_begins_anew_after_it_was_used(dialogs: Dialogs) -> None:
    dialogs.press("Set by rule").write(LINE, "set vessel = null").press("Set 3 cells in 3 rows").press("Set by rule")
    assert dialogs.line == ""
    assert [each.value for each in dialogs.tab.selectbox] == [None, "is", None, "value"]


def test_a_dialog_stays_open_when_the_page_is_drawn_anew(dialogs: Dialogs) -> None:
    dialogs.press("Find & replace").write("Find", "meri").run()
    assert [each.value for each in dialogs.tab.text_input] == ["meri", ""]


def test_what_is_typed_into_the_grid_meanwhile_counts(dialogs: Dialogs) -> None:
    dialogs.press("Find & replace").do("Find only").write("Find", "meri")
    dialogs.desk.do({"set": [[["2|0"], ["vessel"], "Meridian"]]})
    assert "4 cells in 4 rows" in dialogs.run().text


@pytest.mark.parametrize("act", ["", "null", "[]", '["cell"]', '["cell", "x", "y"]', '["other", 1, "a"]', "{}"])
def test_what_is_no_act_does_nothing(act: str) -> None:
    assert bulk_markup.read_act(act) is None
