"""The view Restore on the History page, driven as a person would, without a browser."""

from __future__ import annotations

import pytest

from app.past import restoring
from app.past.sent import open_letter
from tests.app.editor import Editor
from tests.core.nets import NAME
from towline import mine

VIEW = f"history-view-{NAME}"


@pytest.fixture
def editor(monkeypatch: pytest.MonkeyPatch) -> Editor:
    """Commits: 1 load, 2 volume of 1,0, 3 vessel of 2,1, 4 a net inserted."""
    editor = Editor(monkeypatch)
    nets = editor.nets
    nets.send(nets.edit(1, 0, volume=3.0))
    nets.send(nets.edit(2, 1, vessel="Aurora"))
    nets.send(nets.insert(3, 0, volume=1.0))
    return editor.open().go("History")


def open_commit(editor: Editor, number: int, row: str = "") -> Editor:
    editor.tab.query_params["commit"] = str(number)
    if row:
        editor.tab.text_input(key=f"history-row-{NAME}").set_value(row).run()
        editor.tab.query_params["commit"] = str(number)
    editor.tab.segmented_control(key=VIEW).set_value("Restore")
    return editor.open()


def choose(editor: Editor, what: str, value: object) -> Editor:
    """Set one of the panel's choices."""
    kinds = (editor.tab.segmented_control, editor.tab.selectbox, editor.tab.multiselect)
    (found,) = (each for kind in kinds for each in kind if each.label == what)
    found.set_value(value)
    return editor.open()


def restore(editor: Editor, note: str = "as it was") -> Editor:
    editor.why(note)
    editor.press("Restore")
    return editor.open()


def test_the_table_goes_back_to_a_commit(editor: Editor) -> None:
    first = editor.nets.dataset.table("1")[1]
    open_commit(editor, 1)
    assert "✎ 2 rows changed, \N{MINUS SIGN} 1 row deleted" in editor.text
    restore(editor)
    assert "Commit 5" in editor.text
    assert editor.nets.dataset.table()[1].equals(first)
    assert [editor.nets.dataset.log()[0][name] for name in ("kind", "note")] == ["restore", "as it was"]
    assert "restored" in editor.text


def test_one_row_and_one_column_go_back(editor: Editor) -> None:
    nets = editor.nets
    nets.send(nets.edit(2, 1, volume=9.0))
    open_commit(editor, 1, "2,1")
    choose(editor, "Rows", "Only tow 2, net 1")
    choose(editor, "Columns", ["vessel"])
    restore(editor)
    assert (nets.row(2, 1)["vessel"], nets.row(2, 1)["volume"], nets.row(1, 0)["volume"]) == (None, 9.0, 3.0)


def test_one_commit_is_undone_and_later_ones_stay(editor: Editor) -> None:
    open_commit(editor, 2)
    choose(editor, "How", restoring.UNDO)
    assert "✎ 1 row changed" in editor.text
    restore(editor)
    assert editor.nets.row(1, 0)["volume"] == 10.5
    assert editor.nets.row(3, 0)["volume"] == 1.0


def test_the_head_can_be_undone_only(editor: Editor) -> None:
    open_commit(editor, 4)
    (way,) = (each for each in editor.tab.segmented_control if each.label == "How")
    assert way.options == [restoring.UNDO]
    restore(editor)
    assert (3, 0) not in editor.keys


def test_undoing_what_was_changed_again_is_blocked_and_both_are_shown(editor: Editor) -> None:
    editor.nets.send(editor.nets.edit(1, 0, volume=4.0))
    open_commit(editor, 2)
    choose(editor, "How", restoring.UNDO)
    assert "Later commits changed the same cells again" in editor.text
    assert editor.is_disabled("Restore")


def test_a_note_is_required(editor: Editor) -> None:
    open_commit(editor, 1)
    restore(editor, "")
    assert "a note that says why is required" in editor.text
    assert len(editor.nets.dataset.log()) == 4


def test_nothing_to_restore_is_said(editor: Editor) -> None:
    open_commit(editor, 3)
    choose(editor, "Columns", ["volume"])
    assert "Nothing to restore" in editor.text
    assert editor.is_disabled("Restore")


def test_what_somebody_changes_before_it_is_through_is_a_conflict_that_is_shown(editor: Editor) -> None:
    nets = editor.nets
    open_commit(editor, 1)
    editor.is_pumping = False
    draft = nets.by("bo").edit(1, 0, volume=77.0)
    nets.by("bo").dataset.send(draft)
    editor.why("as it was").press("Restore")
    nets.pipeline.pump()
    editor.open()
    assert "Not restored: somebody changed the same meanwhile" in editor.text
    assert nets.row(1, 0)["volume"] == 77.0


def test_a_store_that_does_not_answer_is_said(editor: Editor) -> None:
    open_commit(editor, 1)
    editor.why("as it was")
    editor.cut_off()
    editor.press("Restore")
    assert "does not answer" in editor.text
    editor.restore()
    assert editor.open().nets.head().number == 4
    assert len(editor.nets.dataset.log()) == 4


def test_a_refused_restore_is_reopened_as_an_edit(editor: Editor) -> None:
    nets = editor.nets
    draft = nets.dataset.restore(*nets.dataset.wish("2", undo=True), "not that one")
    nets.send(nets.edit(1, 0, volume=4.0))
    (receipt,) = nets.send(draft)
    assert receipt.status == "conflicted"
    (letter,) = (each for each in mine.letters(nets.pipeline.bench, "ana", [NAME]) if each.proposal == draft.proposal)
    opened = open_letter(nets.pipeline.bench, letter, receipt)
    assert (opened.sheet.number, opened.note, opened.found.unplaced) == (2, "not that one", ())
    assert opened.found.edits.cells == {(1, 0): {"volume": "10.5"}}
