"""The page Review, driven as a steward would, without a browser."""

from __future__ import annotations

import getpass

import pytest

from tests.app.editor import Editor
from tests.core.nets import NAME
from tests.core.reviewed import Reviewed

ME = getpass.getuser()


@pytest.fixture
def nets() -> Reviewed:
    return Reviewed()


@pytest.fixture
def editor(monkeypatch: pytest.MonkeyPatch, nets: Reviewed) -> Editor:
    return Editor(monkeypatch, nets)


def test_what_waits_is_there_with_what_it_would_do(editor: Editor, nets: Reviewed) -> None:
    receipt = nets.proposed(nets.edit(1, 1, "<b>recalibrated</b>", volume=12.5))
    editor.open().go("Review")
    for said in ("1 proposal waiting", "ana", "&lt;b&gt;recalibrated", "every proposal is reviewed", receipt.proposal):
        assert said in editor.text
    for said in ("✎ 1 row changed, 1 cell", "on commit 1", "tow 1, net 1", "12.5"):
        assert said in editor.text


def test_nothing_waiting_says_so(editor: Editor) -> None:
    assert "Nothing waits for review." in editor.open().go("Review").text


def test_a_steward_approves(editor: Editor, nets: Reviewed) -> None:
    receipt = nets.proposed()
    editor.open().go("Review").why("looked at the log").press("Approve")
    assert "ana&#x27;s proposal is committed: commit 2: 1 cell changed." in editor.text
    assert nets.now(receipt).review["reviews"][0]["note"] == "looked at the log"
    assert nets.row(1, 1)["volume"] == 12.5


def test_a_steward_rejects(editor: Editor, nets: Reviewed) -> None:
    receipt = nets.proposed()
    editor.open().go("Review").why("the meter was fine").press("Reject")
    assert nets.now(receipt).message == f"rejected by {ME}: the meter was fine"
    assert f"rejected by {ME}: the meter was fine" in editor.text


def test_a_review_says_why(editor: Editor, nets: Reviewed) -> None:
    receipt = nets.proposed()
    editor.open().go("Review").press("Approve")
    assert "A note that says why is required." in editor.text
    assert nets.now(receipt) == receipt


def test_nobody_reviews_their_own(editor: Editor, nets: Reviewed) -> None:
    mine = nets.by(ME)
    mine.proposed(mine.edit(1, 1, volume=12.5))
    editor.open().go("Review")
    assert f"You cannot review this: {ME} proposed it, and nobody reviews their own proposal here." in editor.text
    assert [button.label for button in editor.tab.button if button.label in ("Approve", "Reject")] == []


def test_where_the_table_moved_on_between_look_and_click_nothing_is_approved(editor: Editor, nets: Reviewed) -> None:
    receipt = nets.proposed()
    editor.open().go("Review").why("looked at it")
    other = nets.by("eve")
    moved = other.proposed(other.edit(1, 1, volume=13.5))
    nets.approve(moved)
    editor.press("Approve")
    assert "no longer fits the table" in editor.text
    assert nets.now(receipt) == receipt


def test_what_was_submitted_waits_and_has_left_the_grid(editor: Editor, nets: Reviewed) -> None:
    mine = nets.by(ME)
    receipt = mine.proposed(mine.edit(1, 1, volume=12.5))
    editor.open().go("My proposals")
    assert "In review: a steward has to approve it" in editor.text
    assert receipt.dataset == NAME
    assert "This takes long" not in editor.text
