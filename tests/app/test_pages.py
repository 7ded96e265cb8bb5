"""The pages, driven as a person would, without a browser."""

from __future__ import annotations

import pytest
from streamlit.util import calc_hash

from app.editing.gridlog import REDO, UNDO
from tests.app.editor import Editor
from tests.app.sheets import added, gone, typed
from towline.connect import Connection
from towline.errors import Unavailable
from towline.memory import fail_once


@pytest.fixture
def editor(monkeypatch: pytest.MonkeyPatch) -> Editor:
    return Editor(monkeypatch).open()


def test_a_bucket_without_a_table_says_how_to_make_one(editor: Editor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "datasets", lambda _: [])
    text = editor.reload().text
    assert "No table yet" in text
    assert "<code>towline create NAME FILE --key COLUMN,… --note WHY</code>" in text


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
    editor.type(added("+1", tow="3", net="0", volume="4"), gone(1, 0))
    assert "1 row added, 1 row deleted" in editor.text
    editor.why("recount").press("Submit")
    assert editor.keys == [(1, 1), (2, 0), (2, 1), (3, 0)]


def test_undo_redo_and_revert(editor: Editor) -> None:
    editor.type(typed(0, volume="3")).type(typed(0, vessel="X"))
    editor.press("Revert all")
    assert "No changes yet" in editor.text
    editor.type(UNDO)
    assert "2 cells in 1 row changed" in editor.text
    editor.type(UNDO)
    assert "1 cell in 1 row changed" in editor.text
    editor.type(REDO)
    assert "2 cells in 1 row changed" in editor.text


def test_one_cell_and_one_row_are_taken_back(editor: Editor) -> None:
    editor.type(typed(0, volume="3", vessel="X"))
    editor.act("pending-list", "revert", "1|0", "volume")
    assert "1 cell in 1 row changed" in editor.text
    editor.act("pending-list", "revert", "1|0", None)
    assert "No changes yet" in editor.text


def test_a_click_in_a_list_goes_to_the_cell(editor: Editor) -> None:
    editor.type(typed(0, volume="12,5"))
    editor.act("violation-list", "show", "1|0", "volume")
    assert editor.desk.jump is not None
    assert (editor.desk.jump.row, editor.desk.jump.column) == ("1|0", "volume")


def test_what_was_typed_is_offered_in_the_next_session(editor: Editor) -> None:
    editor.type(typed(0, volume="12,5"), typed(1, vessel="X")).why("the meter").open()
    editor.reload()
    assert "You have a draft that was not submitted: 2 cells on commit 1" in editor.text
    assert "No changes yet" in editor.text
    editor.press("Continue")
    assert "2 cells in 2 rows changed" in editor.text
    assert "a draft" not in editor.text
    assert editor.tab.text_area[0].value == "the meter"
    editor.type(UNDO)
    assert "1 cell in 1 row changed" in editor.text


def test_a_draft_of_an_older_commit_goes_on_there_and_then_to_the_head(editor: Editor) -> None:
    editor.type(typed(0, volume="12.25"))
    editor.nets.send(editor.nets.edit(1, 1, vessel="Other", note="renamed"))
    editor.reload().press("Continue")
    assert "Commit 2" in editor.text
    assert "renamed" in editor.text
    editor.press("Load commit 2 and keep my changes")
    editor.why("why").press("Submit")
    assert (editor.nets.row(1, 0)["volume"], editor.nets.row(1, 1)["vessel"]) == (12.25, "Other")


def test_a_draft_can_be_given_up_and_is_gone_once_committed(editor: Editor) -> None:
    editor.type(typed(0, volume="12.25")).reload().press("Discard for good")
    assert "a draft" not in editor.reload().text
    editor.type(typed(0, volume="12.25")).why("why").press("Submit")
    assert "a draft" not in editor.reload().text


def test_going_on_with_a_draft_keeps_what_was_typed_since_as_one(editor: Editor) -> None:
    editor.type(typed(0, volume="12.25")).reload()
    editor.type(typed(1, vessel="X")).press("Continue")
    assert "12.25" in editor.text
    assert "You have a draft that was not submitted: 1 cell" in editor.text


def test_a_link_names_a_row_and_a_row_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    editor = Editor(monkeypatch)
    editor.tab.query_params["key"] = "2,1"
    editor.open()
    assert editor.desk.jump is not None
    assert editor.desk.jump.row == "2|1"
    other = Editor(monkeypatch, editor.nets)
    other.tab.query_params["key"] = "77,x"
    assert "a row that commit 1 does not have: key=77,x" in other.open().text


def test_a_link_to_a_commit_shows_it_as_it_was(editor: Editor) -> None:
    editor.type(typed(0, volume="12.25")).why("why").press("Submit")
    editor.tab.query_params["commit"] = "1"
    assert "This is commit 1 as it was" in editor.open().text
    editor.press("Edit the newest commit")
    assert "No changes yet" in editor.text
    editor.tab.query_params["commit"] = "77"
    assert "has no commit 77" in editor.open().text


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


@pytest.mark.parametrize(("side", "volume"), [("mine", 12.25), ("theirs", 99.0)])
def test_a_conflict_shows_all_sides_and_goes_on_as_chosen(editor: Editor, side: str, volume: float) -> None:
    editor.type(typed(0, volume="12.25", vessel="mine"))
    editor.nets.send(editor.nets.edit(1, 0, volume=99.0))
    editor.why("why").press("Submit")
    assert "onflict" in editor.text
    chooser, _ = editor.lists["clash-list"]
    assert all(f">{value}<" in chooser for value in ("10.5", "99", "12.25"))
    assert editor.is_disabled("Load commit 2 with these choices")
    editor.act("clash-list", "one", "cell", "volume", "1|0", side)
    editor.press("Load commit 2 with these choices").press("Submit")
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
    assert "1 proposal committed" in editor.open().text
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
        broken.setattr("app.panels.pending_changes", lambda *_: 1 / 0)
        editor.open()
        assert "a defect in Towline" in editor.text
        assert "ZeroDivisionError" not in editor.text
    editor.open()
    assert "1 cell in 1 row changed" in editor.text


def test_a_proposal_that_nobody_takes_is_waited_for_and_safe(editor: Editor, monkeypatch: pytest.MonkeyPatch) -> None:
    editor.is_pumping = False
    monkeypatch.setattr("app.submit_panel.PATIENCE", -1.0)
    editor.type(typed(0, volume="12.25")).why("why").press("Submit")
    assert "Your proposal is safe in the inbox" in editor.text
    assert editor.is_disabled("Submit")
    editor.type(typed(0, vessel="later"), UNDO, REDO)
    assert "2 cells in 1 row changed" in editor.text
    editor.nets.pipeline.pump()
    editor.open()
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
    assert "2 proposals committed" in editor.text
    assert "10.5" in editor.text
    assert "12.25" in editor.text
