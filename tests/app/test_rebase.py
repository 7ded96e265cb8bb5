"""Edits carried to a newer commit: nothing of mine is lost, nothing of theirs is overwritten unseen."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.editing.cells import Misfit, Text, value_of
from app.editing.choices import ALL, CELL, MINE, THEIRS, Choices, Clash, Side
from app.editing.edits import Edits, settled
from app.editing.rebase import rebase
from app.editing.sheet import Sheet
from tests.app.sheets import CONTRACT, edits, row, sheet
from towline.contract import Contract
from towline.errors import UsageError
from towline.values import Key, Row, Value, same

OLD = sheet(row(1, 0), row(1, 1), row(2, 0))


def newer(*rows: object) -> Sheet:
    return sheet(*rows, number=2)  # type: ignore[arg-type]


ALL_MINE, ALL_THEIRS = Choices.of_all(MINE), Choices.of_all(THEIRS)


@pytest.mark.parametrize("side", [MINE, THEIRS])
def test_edits_of_other_cells_stand_as_they_stood(side: Side) -> None:
    mine = Edits({(1, 0): {"volume": "3", "is_day": "maybe"}, 1: {"tow": "9", "net": "0"}}, frozenset({(2, 0)}), (1,))
    theirs = newer(row(1, 0, vessel="X"), row(1, 1, volume=7.0), row(2, 0), row(3, 0))
    assert rebase(OLD, mine, theirs, Choices.of_all(side)) == rebase(OLD, mine, theirs)
    assert rebase(OLD, mine, theirs).edits == mine
    assert not rebase(OLD, mine, theirs).clashes


def test_what_they_did_too_is_no_edit_any_more() -> None:
    mine = Edits({(1, 0): {"volume": "3"}, 1: {"tow": "9", "net": "0"}}, frozenset({(2, 0)}), (1,))
    blank = row(9, 0, volume=None, vessel=None, is_day=None)
    found = rebase(OLD, mine, newer(row(1, 0, volume=3.0), row(1, 1), blank))
    assert not found.edits
    assert not found.clashes


def test_the_same_cell_clashes_and_somebody_chooses() -> None:
    mine, theirs = edits(r10={"volume": "3", "vessel": "mine"}), newer(row(1, 0, volume=7.0), row(1, 1), row(2, 0))
    found = rebase(OLD, mine, theirs)
    (clash,) = found.clashes
    assert (clash.key, clash.column, clash.base, clash.mine.new) == ((1, 0), "volume", 10.5, 3.0)
    assert clash.theirs == theirs.rows[1, 0]
    assert found.undecided == (clash,)
    assert found.edits == mine
    assert rebase(OLD, mine, theirs, ALL_MINE).edits == mine
    assert rebase(OLD, mine, theirs, ALL_THEIRS).edits == edits(r10={"vessel": "mine"})


def test_a_row_that_they_deleted_comes_back_whole_or_not() -> None:
    mine, theirs = edits(r10={"volume": "3"}), newer(row(1, 1), row(2, 0))
    kept = rebase(OLD, mine, theirs, ALL_MINE)
    assert [clash.kind for clash in kept.clashes] == ["update/delete"]
    assert kept.edits.cells == {1: {"tow": "1", "net": "0", "volume": "3", "vessel": "Meridian", "is_day": "True"}}
    assert kept.edits.added == (1,)
    assert not rebase(OLD, mine, theirs, ALL_THEIRS).edits


def test_a_text_that_does_not_fit_survives_their_deletion_of_its_row() -> None:
    kept = rebase(OLD, edits(r10={"volume": "12,5"}), newer(row(1, 1), row(2, 0)), ALL_MINE)
    assert kept.edits.cells[1]["volume"] == "12,5"


def test_a_row_that_they_changed_is_deleted_or_stays() -> None:
    mine = Edits(deleted=frozenset({(1, 0)}))
    theirs = newer(row(1, 0, volume=7.0), row(1, 1), row(2, 0))
    assert rebase(OLD, mine, theirs, ALL_MINE).edits == mine
    assert not rebase(OLD, mine, theirs, ALL_THEIRS).edits
    assert [clash.kind for clash in rebase(OLD, mine, theirs).clashes] == ["delete/update"]


def test_the_same_key_added_by_both_becomes_changes_of_their_row_or_theirs() -> None:
    mine = Edits({1: {"tow": "9", "net": "0", "vessel": "mine"}}, added=(1,))
    theirs = newer(row(1, 0), row(1, 1), row(2, 0), row(9, 0))
    assert rebase(OLD, mine, theirs, ALL_MINE).edits == Edits({(9, 0): {"vessel": "mine"}})
    assert not rebase(OLD, mine, theirs, ALL_THEIRS).edits


def test_of_two_added_rows_with_a_key_that_they_added_none_is_lost() -> None:
    mine = Edits({1: {"tow": "9", "net": "0", "vessel": "a"}, 2: {"tow": "9", "net": "0", "vessel": "b"}}, added=(1, 2))
    kept = rebase(OLD, mine, newer(row(1, 0), row(1, 1), row(2, 0), row(9, 0))).edits
    assert kept.cells == {(9, 0): {"vessel": "a"}, 2: {"tow": "9", "net": "0", "vessel": "b"}}


def test_a_changed_key_goes_along_with_their_changes_of_the_row() -> None:
    mine = edits(r10={"net": "5"})
    found = rebase(OLD, mine, newer(row(1, 0, vessel="X"), row(1, 1), row(2, 0)))
    assert found.edits == mine
    assert not found.clashes


def test_the_contracts_merge_mode_counts() -> None:
    raw = json.loads(CONTRACT.to_json())
    strict = Contract.parse({**raw, "towline": {**raw["towline"], "merge": "row"}})
    old, new = (Sheet(strict, s.commit, s.number, s.table) for s in (OLD, newer(row(1, 0, vessel="X"), row(1, 1))))
    found = rebase(old, edits(r10={"volume": "3"}), new, ALL_THEIRS)
    assert [clash.kind for clash in found.clashes] == ["update/update"]
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


def test_a_text_that_does_not_fit_clashes_where_they_changed_its_cell() -> None:
    mine, theirs = edits(r10={"volume": "12,5"}), newer(row(1, 0, volume=7.0), row(1, 1), row(2, 0))
    (clash,) = rebase(OLD, mine, theirs).clashes
    assert clash.mine.text == "12,5"
    assert not rebase(OLD, mine, theirs, ALL_THEIRS).edits
    assert not rebase(OLD, mine, newer(row(1, 0, vessel="X"), row(1, 1), row(2, 0))).clashes


def test_of_the_same_key_added_by_both_each_cell_is_asked_for() -> None:
    mine = Edits({1: {"tow": "9", "net": "0", "vessel": "mine", "volume": "3"}}, added=(1,))
    theirs = newer(row(1, 0), row(1, 1), row(2, 0), row(9, 0))
    found = rebase(OLD, mine, theirs)
    assert {clash.column for clash in found.clashes} == {"vessel", "volume"}
    half = Choices().choose_group((CELL, "vessel"), MINE).choose_group((CELL, "volume"), THEIRS)
    assert rebase(OLD, mine, theirs, half).edits == Edits({(9, 0): {"vessel": "mine"}})


def test_one_cell_may_be_mine_and_another_theirs() -> None:
    mine = edits(r10={"volume": "3", "vessel": "mine"}, r11={"volume": "4"})
    theirs = newer(row(1, 0, volume=7.0, vessel="X"), row(1, 1, volume=8.0), row(2, 0))
    clashes = {(clash.key, clash.column): clash for clash in rebase(OLD, mine, theirs).clashes}
    choices = Choices().choose(clashes[(1, 0), "volume"].place, THEIRS)
    found = rebase(OLD, mine, theirs, choices)
    assert found.edits == edits(r10={"vessel": "mine"}, r11={"volume": "4"})
    assert {(clash.key, clash.column) for clash in found.undecided} == {((1, 0), "vessel"), ((1, 1), "volume")}


def a_clash(key: Key = (1, 0), column: str = "volume") -> Clash:
    mine = Edits({key: {column: "3"}})
    theirs = newer(*({**held, column: None} for held in OLD.rows.values()))
    (clash,) = rebase(OLD, mine, theirs).clashes
    return clash


def test_the_narrowest_choice_counts_and_one_for_many_replaces_those_of_its_members() -> None:
    one, other, third = a_clash(), a_clash((1, 1)), a_clash(column="vessel")
    chosen = Choices.of_all(MINE).choose_group(one.group, THEIRS).choose(one.place, MINE)
    assert [chosen.side(each) for each in (one, other, third)] == [MINE, THEIRS, MINE]
    assert chosen.common([one, other]) is None
    again = chosen.choose_group(one.group, THEIRS)
    assert again.common([one, other]) == THEIRS
    assert again.choose_group(ALL, MINE).common([one, other, third]) == MINE


def test_a_choice_for_a_column_is_proposed_for_later_commits_and_one_of_a_cell_is_not() -> None:
    one, other = a_clash(), a_clash(column="vessel")
    later = Choices().choose_group(one.group, THEIRS).choose(other.place, MINE).remembered()
    assert later.side(one) == THEIRS
    assert later.is_remembered(one)
    assert later.undecided([one, other]) == (other,)
    changed = later.choose(one.place, MINE)
    assert changed.side(one) == MINE
    assert not changed.is_remembered(one)
    assert changed.remembered().side(one) == THEIRS
    assert changed.choose_group(ALL, MINE).remembered().side(one) == MINE


KEYS = [(tow, net) for tow in (1, 2) for net in (0, 1)]
COLUMNS = ("volume", "vessel", "is_day")
HELD: Mapping[str, list[Value]] = {"volume": [1.0, 2.0, None], "vessel": ["a", "b", None], "is_day": [True, None]}
TYPED: Mapping[str, list[Text]] = {
    "volume": ["1", "2", None, "1,5"],
    "vessel": ["a", "b", None],
    "is_day": ["True", "x"],
}


@st.composite
def sheets(draw: st.DrawFn, number: int, least: int = 0) -> Sheet:
    keys = draw(st.lists(st.sampled_from(KEYS), unique=True, min_size=least))
    cells = {name: st.sampled_from(held) for name, held in HELD.items()}
    return sheet(
        *(row(*key, **draw(st.fixed_dictionaries(cells))) for key in keys), row(7, 7), number=number
    )  # one row that nobody touches, because a sheet without rows stands for something else


@st.composite
def edits_of(draw: st.DrawFn, old: Sheet) -> Edits:
    """Some rows edited, some deleted, and some added, each with a key that was not there."""
    there = sorted(set(old.rows) - {(7, 7)})
    free = sorted(set(KEYS) - set(old.rows))
    deleted = draw(st.sets(st.sampled_from(there))) if there else set()
    texts = {name: st.sampled_from(typed) for name, typed in TYPED.items()}
    some = st.fixed_dictionaries({}, optional=texts)
    cells: dict[Key | int, Mapping[str, Text]] = {key: draw(some) for key in there if key not in deleted}
    for serial, key in enumerate(draw(st.lists(st.sampled_from(free), unique=True)) if free else [], 1):
        cells[serial] = {"tow": str(key[0]), "net": str(key[1]), **draw(some)}
    added = tuple(serial for serial in cells if isinstance(serial, int))
    return settled(old, Edits(cells, frozenset(deleted), added))


def means_the_same(one: Text, other: Text, column: str) -> bool:
    """Whether two texts fit and say one value."""
    field = CONTRACT.field(column)
    try:
        return same(*(value_of(text, field, CONTRACT.missing_values) for text in (one, other)))
    except Misfit:
        return False


def shown(on: Sheet, mine: Edits) -> dict[Key, dict[str, Text]]:
    """The table as the grid shows it with these edits: texts by key."""
    found = {key: {**on.texts(key), **mine.cells.get(key, {})} for key in on.rows if key not in mine.deleted}
    for serial in mine.added:
        texts = {**dict.fromkeys(CONTRACT.names), **mine.cells[serial]}
        key = (int(texts["tow"] or 0), int(texts["net"] or 0))
        assert key not in found, "an added row must not stand beside a row of the sheet"
        found[key] = texts
    return found


def expected(old: Sheet, mine: Edits, new: Sheet, sides: Mapping[tuple[Key, str], Side]) -> dict[Key, Row | None]:
    """Cell by cell, from the three tables as they are shown: who moved away from what it was, and where both did, the
    side that was chosen. Says nothing of how edits are kept."""
    was, ours, theirs = shown(old, Edits()), shown(old, mine), shown(new, Edits())
    table: dict[Key, Row | None] = {}
    for key in {*was, *ours, *theirs}:
        base, mine_row, their_row = was.get(key), ours.get(key), theirs.get(key)
        whole = sides.get((key, ""))
        if whole is not None:
            table[key] = mine_row if whole == MINE else their_row
        elif mine_row is None or their_row is None:
            i_changed = mine_row != base
            table[key] = mine_row if i_changed else their_row
        else:
            blank = base or dict.fromkeys(CONTRACT.names)
            table[key] = {
                column: text if text != blank[column] and sides.get((key, column)) != THEIRS else their_row[column]
                for column, text in mine_row.items()
            }
    return table


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_every_edit_is_there_unless_theirs_was_chosen_for_it(data: st.DataObject) -> None:
    old, new = data.draw(sheets(1)), data.draw(sheets(2))
    mine = data.draw(edits_of(old))
    choices = Choices()
    for clash in rebase(old, mine, new).clashes:
        side: Side | None = data.draw(st.sampled_from([MINE, THEIRS, None]))
        if side is not None:
            choices = choices.choose(clash.place, side)
    found = rebase(old, mine, new, choices)
    sides: dict[tuple[Key, str], Side] = {
        (clash.key, clash.column): choices.side(clash) or MINE for clash in found.clashes
    }
    table = {key: texts for key, texts in expected(old, mine, new, sides).items() if texts is not None}
    carried = shown(new, found.edits)
    assert carried.keys() == table.keys()
    for key, texts in table.items():
        for column, text in texts.items():
            assert carried[key][column] == text or means_the_same(carried[key][column], text, column)
    assert len(found.undecided) == sum(choices.side(clash) is None for clash in found.clashes)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_only_what_both_changed_differently_clashes(data: st.DataObject) -> None:
    old, new = data.draw(sheets(1)), data.draw(sheets(2))
    mine = data.draw(edits_of(old))
    was, ours, theirs = shown(old, Edits()), shown(old, mine), shown(new, Edits())
    for clash in rebase(old, mine, new).clashes:
        sides = [side.get(clash.key) for side in (was, ours, theirs)]
        if clash.column:
            sides = [(side or dict.fromkeys(CONTRACT.names))[clash.column] for side in sides]
        base, mine_said, they_said = sides
        assert mine_said != base
        assert mine_said != they_said
        assert they_said != base or was.get(clash.key) is None
