"""Grid events become edits by row and column, wherever the rows stand."""

from __future__ import annotations

from app.editing.edits import Edits, Events, absorb, positions, settled, texts
from tests.app.sheets import row, sheet, typed


def test_a_typed_cell_is_an_edit_of_its_row_and_column() -> None:
    assert absorb(sheet(), Edits(), typed(2, volume="12,5")).cells == {(2, 0): {"volume": "12,5"}}


def test_saying_it_twice_changes_nothing() -> None:
    here, events = sheet(), Events({1: {"volume": "3"}}, [{"tow": "9", "net": "0"}], [3])
    once = absorb(here, Edits(), events)
    assert absorb(here, Edits(), events) == once


def test_a_cell_typed_back_to_what_it_holds_is_no_edit_however_it_is_written() -> None:
    here = sheet(row(1, 0, volume=12.5, vessel=None, is_day=True))
    assert not absorb(here, Edits(), typed(0, volume="12.50", vessel="", is_day="TRUE"))


def test_an_emptied_cell_is_an_edit_to_null() -> None:
    for text in ("", None):
        assert absorb(sheet(), Edits(), typed(0, vessel=text)).cells == {(1, 0): {"vessel": None}}


def test_positions_follow_the_grid_as_it_was_drawn() -> None:
    here = sheet()
    before = Edits(cells={1: {"tow": "7"}}, deleted=frozenset({(1, 0)}), added=(1,))
    assert positions(here, before) == ((1, 1), (2, 0), (2, 1), 1)
    after = absorb(here, before, Events({0: {"volume": "3"}, 3: {"net": "2"}}, [{"vessel": "new"}], [1]))
    assert after.cells == {(1, 1): {"volume": "3"}, 1: {"tow": "7", "net": "2"}, 2: {"vessel": "new"}}
    assert after.deleted == {(1, 0), (2, 0)}
    assert after.added == (1, 2)


def test_deleting_an_added_row_leaves_nothing_of_it() -> None:
    before = Edits(cells={1: {"tow": "7"}}, added=(1,))
    assert absorb(sheet(), before, Events(deleted=[4])) == Edits()


def test_deleting_an_edited_row_is_only_a_deletion() -> None:
    after = absorb(sheet(), Edits(), Events({0: {"volume": "3"}}, deleted=[0]))
    assert after == Edits(deleted=frozenset({(1, 0)}))


def test_a_row_that_was_added_and_left_empty_is_nothing() -> None:
    assert not absorb(sheet(), Edits(), Events(added=[{}, {"vessel": ""}, {"_index": "4"}]))


def test_one_cell_or_a_whole_row_can_be_taken_back() -> None:
    edits = Edits({(1, 0): {"volume": "3", "vessel": "x"}, 1: {"tow": "7"}}, frozenset({(2, 0)}), (1,))
    assert edits.without((1, 0), "volume").cells[1, 0] == {"vessel": "x"}
    assert (1, 0) not in edits.without((1, 0)).cells
    assert edits.without((2, 0)).deleted == frozenset()
    assert edits.without(1, "tow").added == ()


def test_a_row_is_shown_with_its_edits() -> None:
    here = sheet()
    edits = Edits({(1, 0): {"volume": "12,5"}, 1: {"tow": "7"}}, added=(1,))
    assert texts(here, edits, (1, 0))["volume"] == "12,5"
    assert texts(here, edits, (2, 0))["vessel"] is None
    assert texts(here, edits, 1) == {**dict.fromkeys(here.contract.names), "tow": "7"}


def test_edits_that_the_sheet_holds_already_settle_to_nothing() -> None:
    assert not settled(sheet(row(1, 0, volume=3.0)), Edits({(1, 0): {"volume": "3"}}))
