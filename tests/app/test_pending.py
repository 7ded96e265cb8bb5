"""Edits become RowChanges, and what is wrong with them is said at its place."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.editing.edits import Edits
from app.editing.pending import Pending, download, review
from app.editing.sheet import Sheet
from tests.app.sheets import CONTRACT, edits, row, sheet
from towline import plan, proposals
from towline.change import RowChange
from towline.rows import InMemory


def rules(pending: Pending) -> list[tuple[str, str | None]]:
    return [(violation.rule, violation.column) for violation in pending.report.violations]


def added(*rows: dict[str, str | None]) -> Edits:
    return Edits(dict(enumerate(rows, 1)), added=tuple(range(1, len(rows) + 1)))


def test_an_edited_cell_is_an_update_of_that_cell_alone() -> None:
    pending = review(sheet(), edits(r10={"volume": "12.5"}))
    assert pending.changes == (RowChange(row(1, 0), row(1, 0, volume=12.5)),)
    assert pending.ready
    assert (pending.cells, pending.count("update")) == (1, 1)


def test_a_deleted_row_is_a_delete_and_an_added_one_an_insert() -> None:
    pending = review(sheet(), Edits({1: {"tow": "3", "net": "0"}}, frozenset({(1, 0)}), (1,)))
    blank = row(3, 0, volume=None, vessel=None, is_day=None)
    assert set(map(str, pending.changes)) == {str(RowChange(None, blank)), str(RowChange(row(1, 0), None))}


def test_a_change_of_key_is_a_delete_and_an_insert() -> None:
    pending = review(sheet(), edits(r10={"tow": "7"}))
    assert [line.kind for line in pending.lines] == ["rekey"]
    assert sorted(change.kind for change in pending.changes) == ["delete", "insert"]
    assert pending.ready


def test_two_rows_can_swap_their_keys() -> None:
    here = sheet(row(1, 0, volume=1.0), row(1, 1, volume=2.0))
    pending = review(here, edits(r10={"net": "1"}, r11={"net": "0"}))
    assert sorted(change.kind for change in pending.changes) == ["update", "update"]
    assert {(c.new or {})["net"]: (c.new or {})["volume"] for c in pending.changes} == {1: 1.0, 0: 2.0}


def test_a_deleted_row_that_is_added_again_is_an_update_or_nothing() -> None:
    texts = {name: text for name, text in sheet().texts((1, 0)).items() if text is not None}
    same = Edits({1: texts}, frozenset({(1, 0)}), (1,))
    assert review(sheet(), same).changes == ()
    other = Edits({1: {**texts, "volume": "3"}}, frozenset({(1, 0)}), (1,))
    assert review(sheet(), other).changes == (RowChange(row(1, 0), row(1, 0, volume=3.0)),)


def test_a_text_that_does_not_fit_is_kept_and_blocks() -> None:
    pending = review(sheet(), edits(r10={"volume": "12,5", "vessel": "X"}))
    assert rules(pending) == [("type.number", "volume")]
    assert pending.report.violations[0].value == "12,5"
    assert pending.report.violations[0].key == {"tow": 1, "net": 0}
    assert [cell.text for cell in pending.lines[0].cells] == ["12,5", "X"]
    assert not pending.ready


@pytest.mark.parametrize(
    ("cells", "rule"),
    [
        ({"volume": "-1"}, "constraint.minimum"),
        ({"volume": "nan"}, "number.finite"),
        ({"vessel": "x" * 10_001}, "text.length"),
        ({"vessel": "a\0b"}, "text.control"),
        ({"vessel": "a\r\nb"}, "text.linebreak"),
        ({"vessel": "\ud800"}, "text.unicode"),
        ({"tow": None}, "key.null"),
    ],
)
def test_the_contract_is_checked_as_you_type(cells: dict[str, str | None], rule: str) -> None:
    pending = review(sheet(), edits(r10=cells))
    assert rule in dict(rules(pending))
    assert not pending.ready


@pytest.mark.parametrize("text", ["=1+1", "🐟", "<b>x</b>", "a,b", "null", "12,5", "$x$ :smile: *a*"])
def test_any_line_of_text_is_fine_in_a_text_column(text: str) -> None:
    pending = review(sheet(), edits(r10={"vessel": text}))
    assert pending.ready
    assert (pending.changes[0].new or {})["vessel"] == text


def test_an_added_row_needs_its_key_and_says_so_once_a_cell() -> None:
    pending = review(sheet(), added({"vessel": "X"}))
    assert rules(pending) == [("key.null", "tow"), ("key.null", "net")]
    misspelled = review(sheet(), added({"tow": "x", "net": "1"}))
    assert rules(misspelled) == [("type.integer", "tow")]


def test_two_rows_with_one_key_are_found() -> None:
    twice = review(sheet(), added({"tow": "9", "net": "1"}, {"tow": "9", "net": "1", "vessel": "x"}))
    assert dict(rules(twice)) == {"key.duplicate": None}
    there = review(sheet(), added({"tow": "1", "net": "1"}))
    assert rules(there) == [("row.exists", None)]
    moved = review(sheet(), edits(r10={"net": "1"}))
    assert rules(moved) == [("row.exists", None)]


def test_what_was_wrong_before_is_not_held_against_an_edit_of_another_cell() -> None:
    here = sheet(row(1, 0, volume=-5.0))
    assert review(here, edits(r10={"vessel": "X"})).ready


def test_totals_count_every_violation_once() -> None:
    here = sheet(*(row(tow, 0) for tow in range(150)))
    pending = review(here, Edits({(tow, 0): {"volume": "-1", "is_day": "maybe"} for tow in range(150)}))
    assert pending.report.errors == 300


texts = st.sampled_from(["1", "2", "-5", "12,5", "x", None, '""', "True", "nan", "99999", "x" * 10_001])
cells = st.dictionaries(st.sampled_from(CONTRACT.names), texts, min_size=1, max_size=4)
any_edits = st.builds(
    lambda rows, fresh, deleted: Edits(
        {**rows, **dict(enumerate(fresh, 1))}, frozenset(deleted), tuple(range(1, len(fresh) + 1))
    ),
    st.dictionaries(st.sampled_from([*sheet().rows]), cells, max_size=4),
    st.lists(cells, max_size=3),
    st.sets(st.sampled_from([*sheet().rows]), max_size=2),
)


@given(st.lists(any_edits, min_size=2, max_size=5))
def test_what_was_found_before_changes_nothing_in_what_is_found(steps: list[Edits]) -> None:
    here, known = sheet(), Pending()
    for edits_then in steps:
        known = review(here, edits_then, known)
        anew = review(here, edits_then)
        assert repr((known.lines, known.changes, known.report)) == repr((anew.lines, anew.changes, anew.report))


def test_what_was_found_in_another_sheet_is_not_taken_for_this_one() -> None:
    before = review(sheet(), edits(r10={"tow": "9"}))
    there = sheet(row(1, 0), row(9, 0), number=2)
    assert rules(review(there, edits(r10={"tow": "9"}), before)) == [("row.exists", None)]


def test_rows_that_are_edited_as_before_are_not_looked_at_again() -> None:
    here = sheet()
    before = review(here, edits(r10={"volume": "3"}))
    after = review(here, edits(r10={"volume": "3"}, r11={"volume": "4"}), before)
    assert after.lines[0] is before.lines[0]
    assert after.changes[0] is before.changes[0]


def test_the_list_has_everything_and_begins_with_one_of_each() -> None:
    here = sheet(*(row(tow, 0) for tow in range(150)))
    cells = {(tow, 0): {"volume": "-1"} for tow in range(150)}
    report = review(here, Edits({**cells, (7, 0): {"volume": "-1", "is_day": "maybe"}})).report
    assert (len(report.violations), report.errors) == (151, 151)
    assert {violation.rule for violation in report.violations[:2]} == {"constraint.minimum", "type.boolean"}


def submitted(here: Sheet, pending: Pending) -> plan.Plan:
    """What the functions make of these changes."""
    body = proposals.to_json(dataset="nets", note="why", base=here.commit, changes=pending.changes)
    proposal, report = proposals.from_json(body, CONTRACT, lambda name: b"")
    assert report.ok, report
    rows = InMemory(here.table, CONTRACT.key)
    return plan.plan(proposal, CONTRACT, rows, rows)


def test_what_is_ready_is_what_the_functions_accept() -> None:
    here = sheet()
    all_kinds = Edits(
        {(1, 0): {"net": "5", "start": "2024-05-04 18:03:09"}, (1, 1): {"volume": None}, 1: {"tow": "1", "net": "0"}},
        frozenset({(2, 1)}),
        (1,),
    )
    pending = review(here, all_kinds)
    assert pending.ready, pending.report
    assert submitted(here, pending).ok


def test_a_download_holds_everything_also_what_does_not_fit() -> None:
    here = sheet()
    pending = review(here, edits(r10={"volume": "12,5", "vessel": "X"}))
    body = json.loads(download(here, pending, " "))
    assert body["base"] == here.commit
    assert body["changes"][0]["new"]["vessel"] == "X"
    assert body["client"]["unfit"] == [{"key": {"tow": 1, "net": 0}, "column": "volume", "text": "12,5"}]
    proposals.from_json(json.dumps(body).encode(), CONTRACT, lambda name: b"")
