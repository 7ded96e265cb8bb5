"""Edits say what differs from the sheet, by row and column."""

from __future__ import annotations

from app.editing.edits import Edits, settled
from tests.app.sheets import row, sheet


def test_a_text_that_says_something_else_is_an_edit_even_where_it_does_not_fit() -> None:
    assert settled(sheet(), Edits({(2, 0): {"volume": "12,5"}})).cells == {(2, 0): {"volume": "12,5"}}


def test_a_cell_typed_back_to_what_it_holds_is_no_edit_however_it_is_written() -> None:
    here = sheet(row(1, 0, volume=12.5, vessel=None, is_day=True))
    assert not settled(here, Edits({(1, 0): {"volume": "12.50", "vessel": "", "is_day": "TRUE"}}))


def test_an_emptied_cell_is_an_edit_to_null() -> None:
    for text in ("", None):
        assert settled(sheet(), Edits({(1, 0): {"vessel": text}})).cells == {(1, 0): {"vessel": None}}


def test_a_row_that_was_added_and_left_empty_is_nothing_and_what_is_no_column_neither() -> None:
    assert not settled(sheet(), Edits({1: {}, 2: {"vessel": ""}, 3: {"_index": "4"}}, added=(1, 2, 3)))
