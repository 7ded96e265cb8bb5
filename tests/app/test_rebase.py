"""Edits carried to a newer commit: nothing of mine is lost, nothing of theirs is overwritten unseen."""

from __future__ import annotations

import json

import pytest

from app.editing.edits import Edits
from app.editing.rebase import MINE, THEIRS, rebase
from app.editing.sheet import Sheet
from tests.app.sheets import CONTRACT, edits, row, sheet
from towline.contract import Contract
from towline.errors import UsageError

OLD = sheet(row(1, 0), row(1, 1), row(2, 0))


def newer(*rows: object) -> Sheet:
    return sheet(*rows, number=2)  # type: ignore[arg-type]


@pytest.mark.parametrize("take", [MINE, THEIRS])
def test_edits_of_other_cells_stand_as_they_stood(take: str) -> None:
    mine = Edits({(1, 0): {"volume": "3", "is_day": "maybe"}, 1: {"tow": "9", "net": "0"}}, frozenset({(2, 0)}), (1,))
    theirs = newer(row(1, 0, vessel="X"), row(1, 1, volume=7.0), row(2, 0), row(3, 0))
    assert rebase(OLD, mine, theirs, take) == rebase(OLD, mine, theirs)
    assert rebase(OLD, mine, theirs).edits == mine
    assert not rebase(OLD, mine, theirs).conflicts


def test_what_they_did_too_is_no_edit_any_more() -> None:
    mine = Edits({(1, 0): {"volume": "3"}, 1: {"tow": "9", "net": "0"}}, frozenset({(2, 0)}), (1,))
    blank = row(9, 0, volume=None, vessel=None, is_day=None)
    found = rebase(OLD, mine, newer(row(1, 0, volume=3.0), row(1, 1), blank))
    assert not found.edits
    assert not found.conflicts


def test_the_same_cell_clashes_and_somebody_chooses() -> None:
    mine, theirs = edits(r10={"volume": "3", "vessel": "mine"}), newer(row(1, 0, volume=7.0), row(1, 1), row(2, 0))
    (conflict,) = rebase(OLD, mine, theirs).conflicts
    assert [(c.column, c.base, c.ours, c.theirs) for c in conflict.cells] == [("volume", 10.5, 3.0, 7.0)]
    assert rebase(OLD, mine, theirs, MINE).edits == mine
    assert rebase(OLD, mine, theirs, THEIRS).edits == edits(r10={"vessel": "mine"})


def test_a_row_that_they_deleted_comes_back_whole_or_not() -> None:
    mine, theirs = edits(r10={"volume": "3"}), newer(row(1, 1), row(2, 0))
    kept = rebase(OLD, mine, theirs, MINE)
    assert [conflict.kind for conflict in kept.conflicts] == ["update/delete"]
    assert kept.edits.cells == {1: {"tow": "1", "net": "0", "volume": "3", "vessel": "Meridian", "is_day": "True"}}
    assert kept.edits.added == (1,)
    assert not rebase(OLD, mine, theirs, THEIRS).edits


def test_a_text_that_does_not_fit_survives_their_deletion_of_its_row() -> None:
    kept = rebase(OLD, edits(r10={"volume": "12,5"}), newer(row(1, 1), row(2, 0)), MINE)
    assert kept.edits.cells[1]["volume"] == "12,5"


def test_a_row_that_they_changed_is_deleted_or_stays() -> None:
    mine = Edits(deleted=frozenset({(1, 0)}))
    theirs = newer(row(1, 0, volume=7.0), row(1, 1), row(2, 0))
    assert rebase(OLD, mine, theirs, MINE).edits == mine
    assert not rebase(OLD, mine, theirs, THEIRS).edits
    assert [conflict.kind for conflict in rebase(OLD, mine, theirs).conflicts] == ["delete/update"]


def test_the_same_key_added_by_both_becomes_changes_of_their_row_or_theirs() -> None:
    mine = Edits({1: {"tow": "9", "net": "0", "vessel": "mine"}}, added=(1,))
    theirs = newer(row(1, 0), row(1, 1), row(2, 0), row(9, 0))
    assert rebase(OLD, mine, theirs, MINE).edits == Edits({(9, 0): {"vessel": "mine"}})
    assert not rebase(OLD, mine, theirs, THEIRS).edits


def test_of_two_added_rows_with_a_key_that_they_added_none_is_lost() -> None:
    mine = Edits({1: {"tow": "9", "net": "0", "vessel": "a"}, 2: {"tow": "9", "net": "0", "vessel": "b"}}, added=(1, 2))
    kept = rebase(OLD, mine, newer(row(1, 0), row(1, 1), row(2, 0), row(9, 0))).edits
    assert kept.cells == {(9, 0): {"vessel": "a"}, 2: {"tow": "9", "net": "0", "vessel": "b"}}


def test_a_changed_key_goes_along_with_their_changes_of_the_row() -> None:
    mine = edits(r10={"net": "5"})
    found = rebase(OLD, mine, newer(row(1, 0, vessel="X"), row(1, 1), row(2, 0)))
    assert found.edits == mine
    assert not found.conflicts


def test_the_contracts_merge_mode_counts() -> None:
    raw = json.loads(CONTRACT.to_json())
    strict = Contract.parse({**raw, "towline": {**raw["towline"], "merge": "row"}})
    old, new = (Sheet(strict, s.commit, s.number, s.table) for s in (OLD, newer(row(1, 0, vessel="X"), row(1, 1))))
    found = rebase(old, edits(r10={"volume": "3"}), new, THEIRS)
    assert [conflict.kind for conflict in found.conflicts] == ["update/update"]
    assert not found.edits


def test_other_columns_are_not_guessed_at() -> None:
    fewer = Contract.parse(
        {
            "fields": [{"name": "tow", "type": "integer"}, {"name": "net", "type": "integer"}],
            "primaryKey": ["tow", "net"],
            "towline": {"version": 1, "dataset": "nets"},
        }
    )
    new = Sheet(fewer, "0" * 26, 2, OLD.table.select(["tow", "net"]))
    with pytest.raises(UsageError, match="download your changes"):
        rebase(OLD, edits(r10={"volume": "3"}), new)
