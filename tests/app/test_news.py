"""Somebody else committed meanwhile: it is said, nothing is overwritten unseen, and only what clashes is asked for."""

from __future__ import annotations

import pytest

from app.editing.choices import CELL, MINE, THEIRS
from app.editing.remote import authors, news, open_sheet, recent_notes
from app.editing.sheet import row_id
from tests.app.editor import Editor
from tests.app.sheets import at, gone, typed
from tests.core.nets import NAME, Nets
from towline.errors import Unavailable
from towline.memory import fail_once

LOAD = "Load commit 2 with these choices"


@pytest.fixture
def editor(monkeypatch: pytest.MonkeyPatch) -> Editor:
    return Editor(monkeypatch).open()


def commit(editor: Editor, *, by: str = "bo", note: str = "recalibrated", **cells: object) -> Editor:
    """Somebody else changes the row of tow 1, net 0; and the page looks again."""
    nets = editor.nets.by(by)
    nets.send(nets.edit(1, 0, note=note, **cells))  # type: ignore[arg-type]
    return editor.open()


def one(column: str, side: str, *key: int) -> tuple[str, ...]:
    return "one", CELL, column, row_id(key or (1, 0)), side


def test_it_is_said_who_committed_why_and_how_much(editor: Editor) -> None:
    commit(editor, vessel="Other", volume=3.0)
    for said in ("Commit 2 is there; you see commit 1", "bo", "recalibrated", "2 cells in 1 row changed"):
        assert said in editor.text
    editor.press("Load commit 2")
    assert "you see commit" not in editor.text
    assert editor.desk.sheet.number == 2


def test_what_was_typed_stays_where_nothing_clashes(editor: Editor) -> None:
    commit(editor.type(typed(0, volume="12.25")), vessel="Other")
    assert "1 row that you edited was changed by others, too, in other cells: both stay" in editor.text
    editor.press("Load commit 2 and keep my changes")
    assert editor.desk.sheet.rows[1, 0]["vessel"] == "Other"
    assert editor.desk.edits.cells == {(1, 0): {"volume": "12.25"}}


def test_of_many_commits_the_newest_are_named_and_all_are_counted(editor: Editor) -> None:
    for number in range(6):
        commit(editor, by=f"p{number}", volume=float(number))
    assert "Commit 7 is there; you see commit 1" in editor.text
    assert all(f"<b>p{number}</b>" in editor.text for number in (5, 4, 3))
    assert "… and 3 more commits" in editor.text


def test_of_a_very_long_absence_only_the_newest_commits_are_read(
    editor: Editor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.editing.remote.READ", 2)
    for number in range(6):
        commit(editor, volume=float(number))
    assert len(editor.desk.newer.records) == 2  # type: ignore[union-attr]
    assert "… and 4 more commits" in editor.text


@pytest.mark.parametrize(("side", "kept"), [(MINE, {(1, 0): {"volume": "12.25"}}), (THEIRS, {})])
def test_one_cell_that_both_changed_is_asked_for(editor: Editor, side: str, kept: object) -> None:
    commit(editor.type(typed(0, volume="12.25")), volume=99.0)
    assert "1 cell clashes: both of you changed it" in editor.text
    listed = editor.lists["clash-list"][0]
    assert all(said in listed for said in (">10.5<", "99", "12.25", "bo: “recalibrated”"))
    assert "0 of 1 decided" in editor.text
    assert editor.is_disabled(LOAD)
    editor.act("clash-list", *one("volume", side))
    assert "0 of 1 decided" not in editor.text
    editor.press(LOAD)
    assert editor.desk.sheet.number == 2
    assert editor.desk.edits.cells == kept


def test_one_click_chooses_for_all_cells_of_a_column(editor: Editor) -> None:
    editor.type(typed(0, volume="12", vessel="a"), typed(1, volume="13", vessel="b"))
    nets = editor.nets.by("bo")
    nets.send(nets.edit(1, 0, volume=1.0, vessel="x"))
    nets.send(nets.edit(1, 1, volume=2.0))
    editor.open().act("clash-list", "group", CELL, "volume", THEIRS)
    assert "2 of 3 decided" in editor.text
    editor.act("clash-list", *one("vessel", MINE)).press("Load commit 3 with these choices")
    assert editor.desk.edits.cells == {(1, 0): {"vessel": "a"}, (1, 1): {"vessel": "b"}}


def test_a_choice_for_a_column_is_proposed_for_the_next_commit_and_never_applied_unseen(editor: Editor) -> None:
    editor.type(typed(0, volume="12"))
    commit(editor, volume=99.0).act("clash-list", "group", CELL, "volume", MINE).press(LOAD)
    commit(editor, volume=98.0)
    assert editor.desk.sheet.number == 2
    assert "as you chose before" in editor.text
    assert not editor.is_disabled("Load commit 3 with these choices")
    editor.act("clash-list", *one("volume", THEIRS))
    assert "as you chose before" not in editor.text
    editor.press("Load commit 3 with these choices")
    assert not editor.desk.edits


def test_a_choice_for_one_cell_is_asked_for_again_in_the_next_commit(editor: Editor) -> None:
    commit(editor.type(typed(0, volume="12")), volume=99.0).act("clash-list", *one("volume", MINE)).press(LOAD)
    commit(editor, volume=98.0)
    assert editor.is_disabled("Load commit 3 with these choices")


def test_what_was_chosen_stays_chosen_while_a_yet_newer_commit_comes(editor: Editor) -> None:
    commit(editor.type(typed(0, volume="12", vessel="a")), volume=99.0, vessel="x")
    editor.act("clash-list", *one("volume", THEIRS))
    commit(editor, by="cy", note="renamed", vessel="y")
    assert "1 of 2 decided" in editor.text
    assert "cy: “renamed”" in editor.lists["clash-list"][0]
    editor.act("clash-list", *one("vessel", THEIRS)).press("Load commit 3 with these choices")
    assert not editor.desk.edits


def test_what_is_typed_after_the_button_was_drawn_is_asked_for_first(editor: Editor) -> None:
    commit(editor, volume=99.0)
    button = next(button for button in editor.tab.button if button.label == "Load commit 2")
    editor.desk.do(typed(0, volume="12"))
    button.click()
    editor.open()
    assert editor.desk.sheet.number == 1
    assert "1 cell clashes" in editor.text


def test_a_row_that_they_changed_and_i_deleted_is_asked_for(editor: Editor) -> None:
    commit(editor.type(gone(1, 0)), volume=99.0)
    assert "1 row clashes" in editor.text
    assert "the row is deleted" in editor.lists["clash-list"][0]
    editor.act("clash-list", "one", "delete/update", "", row_id((1, 0)), THEIRS).press(LOAD)
    assert not editor.desk.edits


def test_a_row_that_they_deleted_and_i_changed_is_asked_for(editor: Editor) -> None:
    editor.type(at(2, 1, volume="3"))
    editor.nets.send(editor.nets.delete(2, 1))
    editor.open().act("clash-list", "one", "update/delete", "", row_id((2, 1)), MINE).press(LOAD)
    (serial,) = editor.desk.edits.added
    assert editor.desk.edits.cells[serial]["volume"] == "3"


def test_markup_in_names_notes_and_values_is_text(editor: Editor) -> None:
    commit(editor.type(typed(0, vessel="<b>x")), note="<script>alert(1)</script>", vessel="<i>y")
    assert "<script>" not in editor.text
    assert "<i>y" not in editor.text
    assert "&lt;i&gt;y" in editor.text


def test_the_author_of_each_cell_is_the_one_who_changed_it_last() -> None:
    nets = Nets()
    sheet = open_sheet(nets.pipeline.bench, NAME)
    for person, cells in (("bo", {"volume": 3.0, "vessel": "x"}), ("cy", {"vessel": "y"})):
        nets.by(person).send(nets.by(person).edit(1, 0, **cells))  # type: ignore[arg-type]
    nets.by("di").send(nets.by("di").delete(2, 0))
    found = news(nets.pipeline.bench, sheet)
    whose = {place: record["user"] for place, record in authors(nets.pipeline.bench, found, [(1, 0), (2, 0)]).items()}
    assert whose == {
        ((1, 0), "volume"): "bo",
        ((1, 0), "vessel"): "cy",
        ((1, 0), ""): "cy",
        **{((2, 0), column): "di" for column in ("", "tow", "net", "vessel")},
    }


def test_authors_that_cannot_be_read_are_left_out(editor: Editor) -> None:
    editor.type(typed(0, volume="12"))
    nets = editor.nets.by("bo")
    nets.send(nets.edit(1, 0, volume=3.0))
    nets.send(nets.edit(1, 0, volume=4.0))
    editor.nets.pipeline.store.faults = fail_once("get", "before", Unavailable("gone"), prefix="changes/")
    assert "1 cell clashes" in editor.open().text


def test_the_notes_that_somebody_wrote_lately_are_offered_once_each() -> None:
    nets = Nets()
    for number, note in enumerate(("meter", "typo", "meter", "recount")):
        nets.send(nets.edit(1, 0, note=note, volume=float(number)))
    nets.by("bo").send(nets.by("bo").edit(1, 0, note="not ana's", volume=77.0))
    assert recent_notes(nets.pipeline.bench, NAME, "ana") == ("recount", "meter", "typo", "first load")
    assert recent_notes(nets.pipeline.bench, NAME, "bo") == ("not ana's",)
