"""A refused proposal stands in the grid again as it was meant, and what has no place there is said."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from app.editing.edits import Edits, settled
from app.editing.pending import download, review
from app.editing.reopen import of_changes, of_table
from tests.app.sheets import CONTRACT, row, sheet
from towline import proposals
from towline.change import row_json
from towline.files import read_table, write_table
from towline.values import Row

SHEET = sheet()


def changes(*pairs: tuple[Row | None, Row | None]) -> dict[str, Any]:
    return {"changes": [{"old": row_json(old), "new": row_json(new)} for old, new in pairs]}


def test_an_update_an_insert_and_a_delete_come_back() -> None:
    old, gone = SHEET.rows[1, 0], SHEET.rows[2, 1]
    found = of_changes(SHEET, changes((old, {**old, "volume": -3.0}), (gone, None), (None, row(9, 0))))
    assert found.unplaced == ()
    assert found.edits.cells[1, 0] == {"volume": "-3"}
    assert found.edits.deleted == {(2, 1)}
    assert found.edits.cells[1] == {"tow": "9", "net": "0", "volume": "10.5", "vessel": "Meridian", "is_day": "True"}
    assert found.edits.added == (1,)


def test_a_null_and_an_empty_text_come_back_as_what_they_are() -> None:
    old = SHEET.rows[1, 0]
    found = of_changes(SHEET, changes((old, {**old, "volume": None, "vessel": ""})))
    assert found.edits.cells[1, 0] == {"volume": None, "vessel": '""'}


def test_a_value_that_does_not_fit_stands_as_the_text_that_it_was() -> None:
    old = row_json(SHEET.rows[1, 0])
    assert old is not None
    raw = {"changes": [{"old": old, "new": {**old, "volume": "12,5", "is_day": "maybe", "day": {"a": 1}}}]}
    found = of_changes(SHEET, raw)
    assert found.edits.cells[1, 0] == {"volume": "12,5", "is_day": "maybe", "day": '{"a": 1}'}
    assert review(SHEET, found.edits).report.errors == 3


def test_only_what_was_changed_is_an_edit_where_the_old_row_is_not_the_sheets() -> None:
    stale = {**SHEET.rows[1, 0], "vessel": "another"}
    found = of_changes(SHEET, changes((stale, {**stale, "volume": 4.0})))
    assert found.edits.cells == {(1, 0): {"volume": "4"}}


def test_a_change_of_a_row_that_is_not_there_becomes_a_row_and_says_so() -> None:
    old = row(7, 7)
    found = of_changes(SHEET, changes((old, {**old, "volume": 4.0}), (row(8, 8), None)))
    assert found.edits.cells[1]["volume"] == "4"
    assert found.unplaced == (
        "row tow 7, net 7 was changed, and commit 1 has no such row: it stands as a new row",
        "row tow 8, net 8 is to be deleted, and commit 1 has no such row",
    )


def test_columns_and_changes_that_are_none_are_said() -> None:
    old = row_json(SHEET.rows[1, 0])
    assert old is not None
    found = of_changes(
        SHEET, {"changes": [{"old": old, "new": {**old, "colour": "red"}}, 7, {"old": None, "new": None}]}
    )
    assert not found.edits
    assert found.unplaced == (
        "changes[1] is not a change of a row",
        "changes[2] is not a change of a row",
        "nets has no column colour",
    )


def test_a_changed_key_comes_back_as_one() -> None:
    old = SHEET.rows[1, 0]
    found = of_changes(SHEET, changes((old, {**old, "tow": 5})))
    assert found.edits.cells == {(1, 0): {"tow": "5"}}


def test_texts_that_the_client_kept_find_their_rows() -> None:
    edits = Edits(
        {(1, 0): {"volume": "12,5", "vessel": "X"}, 1: {"tow": "9", "net": "0", "volume": "wide"}}, added=(1,)
    )
    raw = json.loads(download(SHEET, review(SHEET, edits), "why"))
    assert of_changes(SHEET, raw).edits == edits


@given(st.data())
def test_any_edits_that_can_be_downloaded_come_back(data: st.DataObject) -> None:
    """Of rows of the sheet and of added ones with a key: that is what a proposal can say."""
    texts = {
        "volume": st.sampled_from([None, "3", "12,5", "-1"]),
        "vessel": st.sampled_from([None, '""', "Other", "=1+1"]),
        "is_day": st.sampled_from([None, "True", "perhaps"]),
        "day": st.sampled_from([None, "2024-05-04", "4.5.24"]),
    }
    cells = st.fixed_dictionaries({}, optional=texts)
    chosen = data.draw(st.dictionaries(st.sampled_from(list(SHEET.rows)), cells, max_size=3))
    fresh = data.draw(st.lists(cells, max_size=2))
    added = {n: {"tow": "9", "net": str(n), **each} for n, each in enumerate(fresh, 1)}
    gone = frozenset(data.draw(st.sets(st.sampled_from(list(SHEET.rows)), max_size=2))) - chosen.keys()
    edits = settled(SHEET, Edits({**chosen, **added}, gone, tuple(added)))
    if edits:
        raw = json.loads(download(SHEET, review(SHEET, edits), "why"))
        found = of_changes(SHEET, raw)
        assert found.unplaced == ()
        assert review(SHEET, found.edits) == review(SHEET, edits)


def file_of(*rows: Row) -> bytes:
    return write_table(
        pa.Table.from_pylist([dict(each) for each in rows], schema=CONTRACT.schema), "csv", contract=CONTRACT
    )


def test_a_file_comes_back_as_what_differs_from_its_base() -> None:
    held = list(SHEET.rows.values())
    table, _ = read_table(file_of({**held[0], "volume": 4.0}, *held[1:3], row(9, 9)), "a.csv", CONTRACT)
    found = of_table(SHEET, table, is_whole=True)
    assert found.edits.cells[1, 0] == {"volume": "4"}
    assert found.edits.deleted == {(2, 1)}
    assert found.edits.cells[1]["tow"] == "9"
    assert found.unplaced == ()


def test_rows_that_a_part_of_a_table_lacks_stay() -> None:
    held = list(SHEET.rows.values())
    table, _ = read_table(file_of({**held[0], "volume": 4.0}), "a.csv", CONTRACT)
    found = of_table(SHEET, table, is_whole=False)
    assert found.edits == Edits({(1, 0): {"volume": "4"}})
    assert found.unplaced == ("3 rows that the file lacks stay as they are",)


def test_a_file_with_words_for_numbers_keeps_the_words() -> None:
    held = list(SHEET.rows.values())
    body = file_of(*held).replace(b"1,0,10.5", b"1,0,wide").replace(b"2,1,", b"2,one,")
    found = of_table(SHEET, read_table(body, "a.csv")[0], is_whole=False)
    assert found.edits.cells[1, 0] == {"volume": "wide"}
    assert found.edits.cells[1] == {"tow": "2", "net": "one", "volume": "10.5", "vessel": "Meridian"}
    assert review(SHEET, found.edits).report.errors >= 2


def test_columns_that_a_file_has_too_many_or_too_few_are_said() -> None:
    table, _ = read_table(b"tow,net,volume,colour\n1,0,3,red\n", "a.csv")
    found = of_table(SHEET, table, is_whole=False)
    assert found.edits.cells == {(1, 0): {"volume": "3"}}
    assert found.unplaced[0] == "of vessel, is_day, day, start the file says nothing: it stays as it is"
    assert found.unplaced[-1] == "nets has no column colour"


def test_a_key_that_stands_twice_in_a_file_is_a_second_row() -> None:
    held = SHEET.rows[1, 0]
    table, _ = read_table(file_of(held, {**held, "volume": 3.0}), "a.csv", CONTRACT)
    found = of_table(SHEET, table, is_whole=False)
    assert found.edits.cells[1]["volume"] == "3"
    assert [v.rule for v in review(SHEET, found.edits).report.violations] == ["row.exists"]


def test_what_a_proposal_says_is_what_comes_back() -> None:
    """The JSON that goes out, read back, makes the same changes."""
    old = SHEET.rows[2, 0]
    edits = Edits({(2, 0): {"vessel": "Other"}}, frozenset({(1, 1)}))
    pending = review(SHEET, edits)
    body = proposals.to_json(dataset="nets", note="why", base=SHEET.commit, changes=pending.changes)
    assert review(SHEET, of_changes(SHEET, json.loads(body)).edits).changes == pending.changes
    assert old["vessel"] is None
