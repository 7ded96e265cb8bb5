"""Submitting on the page: what will happen is said before, and what happened after."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from app import submit_markup
from tests.app.editor import Editor
from tests.app.sheets import added, at, typed
from towline.errors import OutcomeUnknown, Unavailable
from towline.memory import fail_once
from towline.receipts import Receipt


@pytest.fixture
def editor(monkeypatch: pytest.MonkeyPatch) -> Editor:
    monkeypatch.setenv("LOGNAME", "ana")
    return Editor(monkeypatch).open()


def by_bo(editor: Editor, **cells: object) -> Editor:
    nets = editor.nets.by("bo")
    nets.send(nets.edit(1, 0, note="recalibrated", **cells))  # type: ignore[arg-type]
    return editor.open()


def test_what_will_happen_is_said_in_a_sentence(editor: Editor) -> None:
    assert "Nothing to submit yet." in editor.text
    editor.type(typed(0, volume="12.25"))
    assert "Commit 2 on top of commit 1 by ana: 1 cell in 1 row changed." in editor.text


def test_a_missing_note_is_said_at_once_and_not_only_after_pressing(editor: Editor) -> None:
    editor.type(typed(0, volume="12.25"))
    assert submit_markup.NO_NOTE in editor.text
    assert not editor.is_disabled("Submit")
    editor.why("the meter").open()
    assert submit_markup.NO_NOTE not in editor.text


def test_errors_are_a_reason_not_to_submit_and_are_said(editor: Editor) -> None:
    editor.type(typed(0, volume="12,5"))
    assert "1 error to mend first" in editor.text
    assert editor.is_disabled("Submit")


def test_a_newer_commit_is_merged_with_and_that_is_said_before(editor: Editor) -> None:
    by_bo(editor.type(typed(0, volume="12.25")), vessel="Other")
    assert "Commit 3, merged onto commit 2 (bo, just now), which changed 1 other cell: 1 cell in 1 row changed." in (
        editor.text
    )
    editor.why("the meter").press("Submit")
    assert (editor.nets.row(1, 0)["volume"], editor.nets.row(1, 0)["vessel"]) == (12.25, "Other")
    assert editor.desk.sheet.number == 3


def test_what_clashes_is_not_sent_to_fail(editor: Editor) -> None:
    by_bo(editor.type(typed(0, volume="12.25")).why("the meter"), volume=99.0)
    assert "Commit 2 (bo) changed what you changed" in editor.text
    assert editor.is_disabled("Submit")


def test_what_others_did_too_is_not_sent_again(editor: Editor) -> None:
    by_bo(editor.type(typed(0, volume="12.25")), volume=12.25)
    assert "Commit 2 (bo) holds all of it already" in editor.text
    assert editor.is_disabled("Submit")


def test_the_merge_is_worked_out_once_and_not_at_every_run(editor: Editor, monkeypatch: pytest.MonkeyPatch) -> None:
    by_bo(editor.type(typed(0, volume="12.25")), vessel="Other")
    monkeypatch.setattr("app.editing.submit.preview", lambda *_: 1 / 0)
    assert "merged onto commit 2" in editor.open().text


def test_the_way_and_the_outcome_stay_until_the_next_submit(editor: Editor) -> None:
    editor.type(typed(0, volume="12.25")).why("the meter").press("Submit")
    for step in ("received", "accepted", "committing", "committed"):
        assert f"✓ {step}" in editor.text
    assert " ms" in editor.text
    assert "<b>Commit 2</b>" in editor.text
    assert editor.tab.text_area[0].value == ""
    editor.type(typed(0, volume="13"))
    assert "<b>Commit 2</b>" in editor.text


def test_a_rejection_says_why_and_what_to_do(editor: Editor) -> None:
    editor.is_pumping = False
    editor.type(typed(0, volume="12.25")).why("the meter").press("Submit")
    sent = editor.desk.sent
    assert sent is not None
    violation = {"rule": "r", "severity": "error", "key": {"tow": 1}, "column": "volume", "message": "too much <b>"}
    editor.desk.sent, editor.desk.receipt = (
        None,
        Receipt(sent.proposal, "nets", "rejected", violations=(violation,), errors=1),
    )
    text = editor.open().text
    assert "Rejected: 1 error. The table is as it was, and your edits are still here." in text
    assert "too much &lt;b&gt;" in text
    assert not editor.is_disabled("Submit")


def test_a_conflict_that_nobody_saw_coming_leads_to_the_choice(editor: Editor) -> None:
    editor.patch.setattr("app.session.LOOKING", 1e9)  # the tab has not looked at the head since
    editor.type(typed(0, volume="12.25")).why("the meter")
    nets = editor.nets.by("bo")
    nets.send(nets.edit(1, 0, volume=99.0))
    editor.press("Submit")
    assert "Conflict: somebody else changed what you changed" in editor.text
    assert "1 cell clashes" in editor.text
    assert editor.desk.edits


def test_while_a_proposal_is_under_way_the_person_goes_on(editor: Editor) -> None:
    editor.is_pumping = False
    editor.type(typed(0, volume="12.25")).why("the meter").press("Submit")
    assert "✓ received" in editor.text
    assert editor.is_disabled("Submit")
    editor.type(at(1, 0, vessel="later"))
    editor.nets.pipeline.pump()
    editor.open()
    assert "<b>Commit 2</b>" in editor.text
    assert editor.desk.edits.cells == {(1, 0): {"vessel": "later"}}


def test_what_takes_long_is_safe_and_says_so(editor: Editor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.submit_panel.PATIENCE", 0.0)
    editor.is_pumping = False
    editor.type(typed(0, volume="12.25")).why("the meter").press("Submit")
    assert "Your proposal is safe in the inbox" in editor.text


def test_an_outcome_that_cannot_be_read_now_is_read_later(editor: Editor) -> None:
    editor.is_pumping = False
    editor.type(typed(0, volume="12.25")).why("the meter").press("Submit")
    editor.nets.pipeline.pump()
    editor.nets.pipeline.store.faults = fail_once("get", "before", Unavailable("gone"), prefix="receipts/")
    editor.patch.setattr("app.session.Session.look", lambda session: session.page)
    assert "its outcome cannot be read now: gone" in editor.open().text
    assert "<b>Commit 2</b>" in editor.open().text


def test_an_answer_that_got_lost_can_be_asked_for_again(editor: Editor) -> None:
    editor.is_pumping = False
    editor.type(typed(0, volume="12.25")).why("the meter")
    editor.nets.pipeline.store.faults = fail_once("put", "after", OutcomeUnknown("no answer"), prefix="inbox/")
    editor.press("Submit")
    assert "It is not known whether the proposal arrived" in editor.text
    editor.press("Send again")
    assert "It is not known" not in editor.text
    editor.nets.pipeline.pump()
    editor.open()
    assert [record["number"] for record in editor.nets.dataset.log()] == [2, 1]


def recent(editor: Editor) -> Any:
    return next(box for box in editor.tab.selectbox if box.label == "A recent note")


def test_recent_notes_are_offered_and_taken_below_what_is_written(editor: Editor) -> None:
    assert recent(editor).options == ["first load"]
    editor.type(typed(0, volume="12.25")).why("the meter").open()
    recent(editor).set_value("first load")
    editor.open()
    assert editor.desk.note == editor.tab.text_area[0].value == "the meter\nfirst load"
    assert recent(editor).value is None
    editor.why("another").press("Submit")
    assert recent(editor).options == ["another", "first load"]


def test_a_note_is_kept_with_the_draft_as_soon_as_it_is_written(editor: Editor) -> None:
    editor.type(typed(0, volume="12.25")).why("half a rea").open()
    assert editor.desk.note == "half a rea"


def test_times_are_counted_from_the_moment_of_sending_and_clocks_that_disagree_say_nothing() -> None:
    name = "01HX5T0000" + "0" * 16
    sent = submit_markup.keys.commit_time(name)
    steps = [("accepted", sent.timestamp() + 0.014), ("committed", sent.timestamp() - 1)]
    history = tuple({"status": s, "at": datetime.fromtimestamp(at, UTC).isoformat()} for s, at in steps)
    html = submit_markup.steps(Receipt(name, "nets", "committed", history=history), 6.4)
    assert 'received <span class="tl-quiet">6 ms' in html
    assert 'accepted <span class="tl-quiet">14 ms' in html
    assert "✓ committed</span>" in html


def sent(editor: Editor) -> Any:
    """What ana put into the inbox last."""
    store = editor.nets.pipeline.store
    newest = max(entry.key for entry in store.list("inbox/nets/ana/") if entry.key.endswith(".json"))
    return json.loads(store.get(newest).body)


@pytest.mark.parametrize(
    ("mode", "stop"),
    [
        ("cell", ""),
        ("row", "changed what you changed"),
        ("table", "came in between, and you chose not to merge"),
        ("fill", ""),
    ],
)
def test_a_proposal_is_merged_as_it_is_chosen_beside_the_note(editor: Editor, mode: str, stop: str) -> None:
    """Somebody else changes another cell of the same row."""
    editor.type(typed(0, volume="12.25"))
    editor.tab.radio(key="mode-nets").set_value(mode)
    editor.open()
    editor.nets.by("bo").send(editor.nets.by("bo").edit(1, 0, vessel="Other"))
    editor.open()
    assert editor.is_disabled("Submit") == bool(stop)
    assert stop in editor.text
    if stop:
        editor.press("Load commit 2 and keep my changes")
    editor.why("why").press("Submit")
    assert (editor.nets.row(1, 0)["volume"], editor.nets.row(1, 0)["vessel"]) == (12.25, "Other")
    assert sent(editor).get("mode", "cell") == mode


def test_two_partial_inserts_of_one_key_are_filled_where_that_is_chosen(editor: Editor) -> None:
    editor.type(added("+1", tow="9", net="0", vessel="Aurora"))
    editor.tab.radio(key="mode-nets").set_value("fill")
    editor.open()
    editor.nets.by("bo").send(editor.nets.by("bo").insert(9, 0, volume=1.0))
    editor.open().why("the vessel").press("Submit")
    assert (editor.nets.row(9, 0)["volume"], editor.nets.row(9, 0)["vessel"]) == (1.0, "Aurora")


def test_without_a_choice_the_contract_says_how_to_merge(editor: Editor) -> None:
    editor.type(typed(0, volume="12.25")).why("why").press("Submit")
    assert "mode" not in sent(editor)
