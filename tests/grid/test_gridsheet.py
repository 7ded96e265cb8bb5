"""The grid's words for a sheet, its edits and what is wrong with them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.editing.edits import Edits
from app.editing.gridlog import UNDO, GridLog, State
from app.editing.gridsheet import ROW, edits_of, marks_json, marks_of, row_id, state_of, strays, table_json
from app.editing.pending import review
from tests.app.sheets import CONTRACT, row, sheet
from towline.change import RowChange


def log_of(**cells: str | None) -> GridLog:
    return GridLog().do({"set": [[["1|0"], list(cells), [list(cells.values())]]]})


def test_the_table_has_key_columns_first_and_texts_as_people_type_them() -> None:
    table = table_json(sheet(row(1, 0, vessel=None), row(1, 1, vessel='"')))
    assert table["ids"] == ["1|0", "1|1"]
    assert table["columns"][0] == {"name": "tow", "type": "integer", "help": "integer, part of the key", "key": True}
    assert table["columns"][2]["unit"] == "m³"
    texts = dict(zip([column["name"] for column in table["columns"]], table["texts"], strict=True))
    assert (texts["volume"], texts["vessel"], texts["is_day"]) == (["10.5", "10.5"], [None, '"'], ["True", "True"])


@given(st.lists(st.tuples(st.text(max_size=4), st.text(max_size=4)), min_size=2, max_size=2, unique=True))
def test_two_keys_never_have_one_id(keys: list[tuple[str, str]]) -> None:
    assert row_id(keys[0]) != row_id(keys[1])


def test_what_was_typed_becomes_row_changes() -> None:
    here = sheet()
    log = log_of(volume="3").do({"add": [["+n", "1|0"]], "set": [[["+n"], ["tow", "net"], [["9", "0"]]]]})
    pending = review(here, edits_of(log.do({"del": ["2|1"]}).state, here))
    blank = dict.fromkeys(CONTRACT.names)
    assert set(map(repr, pending.changes)) == {
        repr(RowChange(row(1, 0), row(1, 0, volume=3.0))),
        repr(RowChange(None, {**blank, "tow": 9, "net": 0})),
        repr(RowChange(here.rows[2, 1], None)),
    }
    assert review(here, edits_of(log.do(UNDO).do(UNDO).state, here)).changes == ()


def test_a_text_that_says_what_the_sheet_says_is_no_edit() -> None:
    assert not edits_of(log_of(volume="10.50", vessel="Meridian").state, sheet())


def test_an_added_row_without_text_and_one_that_was_deleted_are_no_edits() -> None:
    log = GridLog().do({"add": [["+1", None], ["+2", None]], "set": [[["+2"], ["tow"], "9"]]}).do({"del": ["+2"]})
    assert not edits_of(log.state, sheet())


def test_a_text_that_does_not_fit_and_a_broken_rule_are_marked_and_explained() -> None:
    here, state = sheet(), log_of(volume="12,5", vessel="x" * 20_000).state
    marks = marks_of(review(here, edits_of(state, here)), state, CONTRACT)
    assert marks["1|0"]["volume"].kind == "error"
    assert "comma" in marks["1|0"]["volume"].message
    assert "vessel" in marks["1|0"]


def test_a_key_that_is_there_already_is_marked_on_the_keys_cells_and_the_row() -> None:
    here = sheet()
    state = GridLog().do({"add": [["+n", None]], "set": [[["+n"], ["tow", "net"], [["1", "0"]]]]}).state
    marks = marks_of(review(here, edits_of(state, here)), state, CONTRACT)
    assert set(marks) == {"+n"}
    assert set(marks["+n"]) == {"tow", "net", ROW}


def test_marks_say_each_message_once_and_have_a_name() -> None:
    here, state = sheet(), GridLog().do({"set": [[["1|0", "1|1"], ["volume"], "12,5"]]}).state
    told = marks_json(marks_of(review(here, edits_of(state, here)), state, CONTRACT))
    assert told["cells"] == {"1|0": {"volume": ["error", 0]}, "1|1": {"volume": ["error", 0]}}
    assert len(told["texts"]) == 1
    assert told["name"] != marks_json({})["name"]


def test_edits_go_to_the_grid_and_come_back() -> None:
    here = sheet()
    edits = Edits({(1, 0): {"volume": "3"}, 1: {"tow": "9", "net": None}}, frozenset({(2, 0)}), (1,))
    back = edits_of(state_of(edits), here)
    assert (back.cells, back.deleted, back.added) == (
        {(1, 0): {"volume": "3"}, 1: {"tow": "9"}},
        edits.deleted,
        edits.added,
    )


def test_texts_for_rows_that_are_gone_are_not_forgotten() -> None:
    state = State({"8|8": {"volume": "3"}})
    assert not edits_of(state, sheet())
    assert strays(state, sheet()) == {"8|8": {"volume": "3"}}
