"""The pages, driven as a person would, without a browser."""

from __future__ import annotations

import pytest
from streamlit.util import calc_hash

from app.editing.edits import Events
from tests.app.editor import Editor
from tests.app.sheets import typed
from towline.errors import Unavailable
from towline.memory import fail_once


@pytest.fixture
def editor(monkeypatch: pytest.MonkeyPatch) -> Editor:
    return Editor(monkeypatch).open()


def test_the_page_tells_where_you_are(editor: Editor) -> None:
    for said in ("Commit 1", "ana", "first load", "towline", "http://127.0.0.1:4566", "connected", "No changes yet"):
        assert said in editor.text
    assert editor.is_disabled("Submit")


def test_a_change_goes_all_the_way_to_its_commit(editor: Editor) -> None:
    editor.type(typed(0, volume="12.25"))
    assert "1 cell in 1 row changed" in editor.text
    assert "10.5" in editor.text
    editor.why("the meter was read wrong").press("Submit")
    assert editor.nets.row(1, 0)["volume"] == 12.25
    assert "Commit 2" in editor.text
    assert "No changes yet" in editor.text
    assert editor.tab.text_area[0].value == ""


def test_a_note_is_asked_for(editor: Editor) -> None:
    editor.type(typed(0, volume="12.25")).press("Submit")
    assert "a note that says why is required" in editor.text
    assert "1 cell in 1 row changed" in editor.text
    assert editor.nets.row(1, 0)["volume"] == 10.5


def test_a_comma_is_kept_listed_and_blocks(editor: Editor) -> None:
    editor.type(typed(0, volume="12,5"))
    assert "1 error" in editor.text
    assert "Write a point before decimals (12.5)" in editor.text
    assert editor.is_disabled("Submit")


def test_rows_are_added_and_deleted(editor: Editor) -> None:
    editor.type(Events({}, [{"tow": "3", "net": "0", "volume": "4"}], [0]))
    assert "1 row added, 1 row deleted" in editor.text
    editor.why("recount").press("Submit")
    assert editor.keys == [(1, 1), (2, 0), (2, 1), (3, 0)]


def test_undo_redo_and_revert(editor: Editor) -> None:
    editor.type(typed(0, volume="3")).type(typed(0, volume="3", vessel="X"))
    editor.press("Undo")
    assert "1 cell in 1 row changed" in editor.text
    editor.press("Redo")
    assert "2 cells in 1 row changed" in editor.text
    editor.press("Revert all")
    assert "No changes yet" in editor.text
    editor.press("Undo")
    assert "2 cells in 1 row changed" in editor.text


def test_one_cell_and_one_row_are_taken_back(editor: Editor) -> None:
    editor.type(typed(0, volume="3", vessel="X"))
    editor.tab.button(key="undo-0-volume").click()
    editor.open()
    assert "1 cell in 1 row changed" in editor.text
    editor.tab.button(key="undo-0").click()
    editor.open()
    assert "No changes yet" in editor.text


def test_another_page_and_back_loses_nothing(editor: Editor) -> None:
    editor.type(typed(0, volume="12.25")).go("History").go("Edit")
    assert "1 cell in 1 row changed" in editor.text
    editor.type(typed(1, volume="9"))
    assert "2 cells in 2 rows changed" in editor.text


def test_somebody_elses_commit_is_announced_and_taken_in(editor: Editor) -> None:
    editor.type(typed(0, volume="12.25"))
    editor.nets.by("bo").send(editor.nets.by("bo").edit(1, 0, vessel="Other", note="renamed"))
    editor.open()
    assert "Commit 2 is there; you see commit 1" in editor.text
    assert "renamed" in editor.text
    editor.press("Load commit 2 and keep my changes")
    assert "you see commit" not in editor.text
    assert "1 cell in 1 row changed" in editor.text
    editor.why("why").press("Submit")
    assert (editor.nets.row(1, 0)["volume"], editor.nets.row(1, 0)["vessel"]) == (12.25, "Other")


@pytest.mark.parametrize(
    ("choice", "volume"), [("Load it and keep mine", 12.25), ("Load it and take theirs where we clash", 99.0)]
)
def test_a_conflict_shows_all_sides_and_goes_on_as_chosen(editor: Editor, choice: str, volume: float) -> None:
    editor.type(typed(0, volume="12.25", vessel="mine"))
    editor.nets.send(editor.nets.edit(1, 0, volume=99.0))
    editor.why("why").press("Submit")
    assert "Conflict: somebody else changed what you changed" in editor.text
    assert all(side in editor.text for side in ("<td>10.5</td>", "<td>99</td>", "<td>12.25</td>"))
    editor.press(choice).press("Submit")
    assert (editor.nets.row(1, 0)["volume"], editor.nets.row(1, 0)["vessel"]) == (volume, "mine")


def test_a_store_that_is_down_blocks_saving_and_the_edits_stay(editor: Editor) -> None:
    editor.type(typed(0, volume="12.25")).why("why")
    editor.cut_off()
    editor.open()
    assert "saving is blocked" in editor.text
    assert "1 cell in 1 row changed" in editor.text
    assert editor.is_disabled("Submit")
    assert [button.label for button in editor.tab.get("download_button")] == ["Download my changes"]
    editor.restore()
    editor.open().press("Submit")
    assert editor.nets.row(1, 0)["volume"] == 12.25


def test_a_store_that_goes_down_between_two_looks_loses_nothing_either(editor: Editor) -> None:
    editor.type(typed(0, volume="12.25")).why("why")
    editor.tab.button(key="do-submit").click()
    real = editor.nets.pipeline.store.put

    def refuse(key: str, *args: object, **more: object) -> object:
        editor.cut_off()
        return real(key, *args, **more)  # type: ignore[arg-type]

    editor.patch.setattr(editor.nets.pipeline.store, "put", refuse)
    editor.open()
    assert "Not sent" in editor.text
    assert "1 cell in 1 row changed" in editor.text


def test_news_that_cannot_be_read_do_not_cost_the_grid(editor: Editor) -> None:
    editor.type(typed(0, volume="12.25"))
    editor.nets.send(editor.nets.edit(1, 1, volume=99.0))
    editor.nets.pipeline.store.faults = fail_once("get", "before", Unavailable("gone"), prefix="data/")
    editor.type(typed(0, volume="12.25", vessel="X"))
    assert "cannot be shown now: gone" in editor.text
    assert "2 cells in 1 row changed" in editor.text
    assert "Commit 2 is there" in editor.open().text


def test_a_link_to_a_page_works_also_as_the_first_of_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    editor = Editor(monkeypatch)
    editor.tab._page_hash = calc_hash("history")
    assert "1 record, newest first" in editor.open().text
    assert "No changes yet" in editor.go("Edit").text


def test_a_store_that_is_down_from_the_start_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    editor = Editor(monkeypatch)
    editor.cut_off()
    editor.open()
    assert "no connection" in editor.text
    editor.restore()
    editor.press("Try again")
    assert "No changes yet" in editor.text


def test_without_any_settings_the_page_says_how_to_start(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    editor = Editor(monkeypatch)
    monkeypatch.delenv("S3_BUCKET")
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv("TOWLINE_DATA_DIR", str(tmp_path))
    editor.open()
    assert "towline up" in editor.text


def test_a_defect_is_no_traceback(editor: Editor, monkeypatch: pytest.MonkeyPatch) -> None:
    editor.type(typed(0, volume="12.25"))
    with monkeypatch.context() as broken:
        broken.setattr("app.editing.desk.review", lambda *_: 1 / 0)
        editor.open()
        assert "a defect in Towline" in editor.text
        assert "ZeroDivisionError" not in editor.text
    editor.open()
    assert "1 cell in 1 row changed" in editor.text


def test_a_proposal_that_nobody_takes_is_waited_for_and_safe(editor: Editor, monkeypatch: pytest.MonkeyPatch) -> None:
    editor.is_pumping = False
    monkeypatch.setattr("app.editing.remote.LOOK", 0.05)
    monkeypatch.setattr("app.editing.remote.PATIENCE", 0.1)
    editor.type(typed(0, volume="12.25")).why("why").press("Submit")
    assert "Your proposal is safe in the inbox" in editor.text
    assert editor.is_disabled("Submit")
    editor.type(typed(0, volume="12.25", vessel="later")).press("Undo").press("Redo")
    assert "2 cells in 1 row changed" in editor.text
    editor.nets.pipeline.pump()
    editor.press("Look again")
    assert "Commit 2" in editor.text
    assert "1 cell in 1 row changed" in editor.text
    assert (editor.nets.row(1, 0)["volume"], editor.nets.row(1, 0)["vessel"]) == (12.25, "Meridian")


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "=1+1", "🐟", ":red[x] $y$ `z`", "x" * 3000])
def test_any_text_is_shown_as_it_is(editor: Editor, text: str) -> None:
    editor.type(typed(0, vessel=text))
    assert "<script>" not in editor.text
    editor.why(text[:2000]).press("Submit")
    assert editor.nets.row(1, 0)["vessel"] == text
    for page in ("My proposals", "History", "Edit"):
        assert "<script>" not in editor.go(page).text


def test_my_proposals_tell_what_became_of_them(editor: Editor) -> None:
    assert "Nothing was sent yet" in editor.go("My proposals").text
    editor.go("Edit").type(typed(0, volume="12.25")).why("the meter").press("Submit").go("My proposals")
    assert "the meter" in editor.text
    assert "commit 2: 1 cell changed" in editor.text


def test_history_shows_each_commit_with_its_changes(editor: Editor) -> None:
    editor.type(typed(0, volume="12.25")).why("the meter").press("Submit").go("History")
    assert "2 records" in editor.text
    assert "10.5" in editor.text
    assert "12.25" in editor.text
