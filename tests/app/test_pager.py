"""The bar above the grid of a large table: pages, filter, sort, keys, and edits on two pages in one proposal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import TextInput

from app import pager_markup
from app.editing import paged, remote
from app.editing.paged import Leaf, PagedSheet, read_condition
from app.editing.remote import open_sheet
from tests.app.editor import Editor
from tests.app.sheets import CONTRACT, at
from towline.browse import Book, Condition, Page, Place, View
from towline.errors import Unavailable, UsageError
from towline.values import Key


@pytest.fixture
def editor(monkeypatch: pytest.MonkeyPatch) -> Iterator[Editor]:
    """The four nets are a large table of two pages."""
    monkeypatch.setattr(paged, "LARGE", 3)
    monkeypatch.setattr(paged, "PAGE", 2)
    opened = Editor(monkeypatch).open()
    yield opened
    opened.drafts.cleanup()


def sheet(editor: Editor) -> PagedSheet:
    found = editor.desk.sheet
    assert isinstance(found, PagedSheet)
    return found


def shown(editor: Editor) -> list[Key]:
    return list(sheet(editor).rows)


def click(editor: Editor, name: str) -> None:
    next(button for button in editor.tab.button if button.key == f"pager-{name}-edit").click()
    editor.open()


def go(editor: Editor, text: str) -> None:
    field(editor.tab, "key").set_value(text)
    editor.open()


def field(tab: AppTest, name: str) -> TextInput:
    return next(each for each in tab.text_input if each.key == f"pager-{name}-edit")


def narrow(editor: Editor, column: str, operator: str, value: str) -> None:
    tab = editor.tab
    next(each for each in tab.selectbox if each.key == "pager-column-edit").set_value(column)
    next(each for each in tab.selectbox if each.key == "pager-operator-edit").set_value(operator)
    field(tab, "value").set_value(value)
    next(button for button in tab.button if button.label == "Add this filter").click()
    editor.open()


def sort(editor: Editor, order: str) -> None:
    next(each for each in editor.tab.selectbox if each.key == "pager-sort-edit").set_value(order)
    editor.open()


def test_a_page_of_a_large_table_is_shown_and_the_next_one(editor: Editor) -> None:
    assert "Rows 1-2 of 4" in editor.text
    assert shown(editor) == [(1, 0), (1, 1)]
    click(editor, "next")
    assert "Rows 3-4 of 4" in editor.text
    assert shown(editor) == [(2, 0), (2, 1)]
    click(editor, "previous")
    assert shown(editor) == [(1, 0), (1, 1)]


def test_edits_on_two_pages_are_one_proposal(editor: Editor) -> None:
    editor.type(at(1, 0, volume="3.5"))
    click(editor, "next")
    editor.type(at(2, 1, vessel="Petrel"))
    assert "2 cells in 2 rows changed" in editor.text
    assert "1 row on other pages" in editor.text
    editor.why("both were read wrong").press("Submit")
    assert "Commit 2" in editor.text
    assert editor.nets.row(1, 0)["volume"] == 3.5
    assert editor.nets.row(2, 1)["vessel"] == "Petrel"
    assert not editor.desk.edits
    assert shown(editor) == [(2, 0), (2, 1)]  # where it was
    (_, record) = reversed(editor.nets.dataset.log())
    assert (record["cells_changed"], record["note"]) == (2, "both were read wrong")


def test_a_row_is_gone_to_by_its_key_and_what_is_none_is_said(editor: Editor) -> None:
    go(editor, "2, 1")
    assert shown(editor) == [(2, 0), (2, 1)]
    assert editor.desk.jump is not None
    assert editor.desk.jump.row == "2|1"
    go(editor, "7, 1")
    assert "No row has tow 7, net 1." in editor.text
    go(editor, "x")
    assert "a row of nets is named by tow, net" in editor.text.replace("A row", "a row")


def test_a_filter_is_set_and_taken_away(editor: Editor) -> None:
    narrow(editor, "vessel", "is null", "")
    assert shown(editor) == [(2, 1)]
    assert "Rows 1-1 of 1 that match" in editor.text
    narrow(editor, "volume", ">", "100")
    assert "No row matches" in editor.text
    click(editor, "without-1")
    click(editor, "without-0")
    assert "Rows 1-2 of 4" in editor.text


def test_a_filter_that_does_not_fit_its_column_is_said_and_changes_nothing(editor: Editor) -> None:
    narrow(editor, "volume", ">", "12,5")
    assert "has a comma" in editor.text
    assert shown(editor) == [(1, 0), (1, 1)]


def test_all_rows_are_sorted_by_a_column(editor: Editor) -> None:
    sort(editor, "volume ↓")
    assert shown(editor) == [(1, 0), (2, 1)]
    click(editor, "next")
    assert shown(editor) == [(1, 1), (2, 0)]  # null comes last
    sort(editor, pager_markup.KEPT_ORDER)
    assert shown(editor) == [(1, 0), (1, 1)]


def test_a_page_that_cannot_be_read_leaves_this_one(editor: Editor, monkeypatch: pytest.MonkeyPatch) -> None:
    editor.type(at(1, 0, volume="3.5"))

    def cut(*_: object) -> Page:
        raise Unavailable("no connection to http://127.0.0.1:4566")

    with monkeypatch.context() as patch:
        patch.setattr(Book, "page", cut)
        click(editor, "next")
        assert "No connection to http://127.0.0.1:4566." in editor.text
    assert shown(editor) == [(1, 0), (1, 1)]
    assert "1 cell in 1 row changed" in editor.text


def test_a_link_leads_to_the_page_of_its_row(editor: Editor) -> None:
    editor.tab.query_params["key"] = "2,1"
    editor.open()
    assert shown(editor) == [(2, 0), (2, 1)]


def test_a_newer_commit_is_loaded_on_the_same_page_with_the_edits_of_all_pages(editor: Editor) -> None:
    editor.type(at(1, 0, volume="3.5"))
    click(editor, "next")
    other = editor.nets.by("bo")
    other.send(other.edit(2, 1, vessel="Petrel"))
    editor.open()
    assert "Nothing of it is in the rows that you edited." in editor.text
    editor.press("Load commit 2 and keep my changes")
    assert shown(editor) == [(2, 0), (2, 1)]
    assert editor.desk.sheet.rows[2, 1]["vessel"] == "Petrel"
    assert "1 row on other pages" in editor.text


def test_a_button_that_was_drawn_before_a_commit_turns_the_pages_of_that_commit(editor: Editor) -> None:
    other = editor.nets.by("bo")
    other.send(other.edit(2, 1, vessel="Petrel"))
    editor.desk.carry(open_sheet(editor.nets.pipeline.bench, "nets"))
    click(editor, "next")
    assert (editor.desk.sheet.number, shown(editor)) == (2, [(2, 0), (2, 1)])
    assert editor.desk.sheet.rows[2, 1]["vessel"] == "Petrel"


def test_a_clash_on_another_page_is_asked_about(editor: Editor) -> None:
    editor.type(at(1, 0, volume="3.5"))
    click(editor, "next")
    other = editor.nets.by("bo")
    other.send(other.edit(1, 0, volume=4.5))
    editor.open()
    assert editor.is_disabled("Load commit 2 with these choices")


def test_what_others_changed_is_not_listed_where_it_is_too_much(
    editor: Editor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "COMPARED", 0)
    editor.type(at(1, 0, volume="3.5"))
    other = editor.nets.by("bo")
    other.send(other.edit(2, 1, vessel="Petrel"))
    editor.open()
    assert "It changed too many rows to say which" in editor.text
    assert "which changed many other rows" in editor.text


def test_a_draft_of_edits_on_two_pages_is_gone_on_with(editor: Editor) -> None:
    editor.type(at(1, 0, volume="3.5"))
    click(editor, "next")
    editor.type(at(2, 1, vessel="Petrel"))
    editor.reload().press("Continue")
    assert "2 cells in 2 rows changed" in editor.text
    assert "1 row on other pages" in editor.text


def test_a_commit_that_is_only_looked_at_has_pages_too(editor: Editor) -> None:
    editor.tab.query_params["commit"] = "1"
    editor.open()
    assert "Rows 1-2 of 4" in editor.text
    assert "It can be read, not changed" in editor.text


def test_what_bulk_edits_see_is_said(editor: Editor) -> None:
    editor.press("Find & replace")
    assert "This table is large" in editor.text


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (("volume", ">", "1.5"), Condition("volume", ">", 1.5)),
        (("vessel", "contains", "me"), Condition("vessel", "contains", "me")),
        (("vessel", "=", ""), Condition("vessel", "=", None)),
        (("day", "is not null", "what?"), Condition("day", "is not null")),
    ],
)
def test_a_filter_is_read_by_the_type_of_its_column(said: tuple[str, str, str], meant: Condition) -> None:
    assert read_condition(CONTRACT, *said) == meant


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (("volume", "contains", "1"), "holds no text"),
        (("volume", "<", ""), "needs a value"),
        (("tow", "=", "four"), "not a whole number"),
    ],
)
def test_a_filter_that_means_nothing_is_refused(said: tuple[str, str, str], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        read_condition(CONTRACT, *said)


def test_a_search_that_stopped_says_how_far_it_is(editor: Editor) -> None:
    found = sheet(editor).turned(Leaf(View((Condition("vessel", "=", "x"),)), Place(0), 12))
    found.__dict__["page"] = replace(found.page, stopped=True, next=Place(3), searched=3)
    assert pager_markup.where(found) == "12 rows match among the first 3 of 4"


def test_the_other_pages_look_at_a_part_of_it_and_say_so(editor: Editor) -> None:
    editor.go("Explore")
    assert "This table is large: the pictures are of 4 of its 4 rows" in editor.text
    editor.tab.query_params["commit"] = "1"
    editor.go("History")
    next(each for each in editor.tab.segmented_control if each.key == "history-view-nets").set_value("Table")
    editor.open()
    assert "towline export nets FILE --at 1 writes all of it" in editor.text
    assert "Rows 1-2 of 4" in editor.text
