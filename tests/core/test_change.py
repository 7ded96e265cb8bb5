"""A change is old + new; its kind, its undo and its sum follow."""

import pytest
from hypothesis import given

from tests.core.tables import row
from towline.change import RowChange, same_row
from towline.errors import UsageError
from towline.values import same

ONE, OTHER = {"tow": 1, "volume": 1.0}, {"tow": 1, "volume": 2.0}


def test_kind_follows_from_which_sides_are_there() -> None:
    kinds = [RowChange(None, ONE).kind, RowChange(ONE, OTHER).kind, RowChange(ONE, None).kind]
    assert kinds == ["insert", "update", "delete"]


def test_a_change_of_nothing_into_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="neither"):
        RowChange(None, None)


def test_cells_are_those_that_differ() -> None:
    (cell,) = RowChange(ONE, OTHER).cells()
    assert (cell.column, cell.old, cell.new) == ("volume", 1.0, 2.0)


def test_an_inserted_row_changes_its_cells_that_are_not_null() -> None:
    assert [cell.column for cell in RowChange(None, {**ONE, "note": None}).cells()] == ["tow", "volume"]


@given(row((1, "0")), row((1, "0")))
def test_inverting_twice_is_no_change(old: dict, new: dict) -> None:
    assert ~~RowChange(old, new) == RowChange(old, new)


@given(row((1, "0")), row((1, "0")), row((1, "0")))
def test_two_changes_add_up_to_one_from_the_first_to_the_last(a: dict, b: dict, c: dict) -> None:
    both = RowChange(a, b) + RowChange(b, c)
    assert both is None if same_row(a, c) else both == RowChange(a, c)


def test_changes_that_do_not_follow_each_other_cannot_be_added() -> None:
    with pytest.raises(UsageError, match="do not follow"):
        RowChange(None, ONE) + RowChange(OTHER, ONE)


@given(row((1, "0")), row((1, "0")))
def test_cells_and_same_row_agree(old: dict, new: dict) -> None:
    differing = {column for column in old if not same(old[column], new[column])}
    assert {cell.column for cell in RowChange(old, new).cells()} == differing
    assert same_row(old, new) == (not differing)
