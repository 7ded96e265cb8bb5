"""The page My proposals, driven as a person would, without a browser."""

from __future__ import annotations

import getpass
import json

import pytest

from tests.app.editor import Editor
from tests.core.nets import CSV, Nets
from towline.dataset import Draft

ME = getpass.getuser()


def test_what_was_sent_is_there_whoever_opens_the_page(editor: Editor, mine: Nets) -> None:
    mine.send(mine.edit(1, 0, volume=3.0, note="from the command line"))
    editor.nets.by("somebody").send(editor.nets.by("somebody").edit(1, 1, volume=3.0, note="not mine"))
    editor.open().go("My proposals")
    assert "from the command line" in editor.text
    assert "✓ committed" in editor.text
    assert "not mine" not in page(editor)


def test_nothing_sent_says_what_to_do(editor: Editor) -> None:
    editor.open().go("My proposals")
    assert "Nothing was sent yet" in editor.text


def test_a_commit_leads_to_its_history(editor: Editor, mine: Nets) -> None:
    mine.send(mine.edit(1, 0, volume=3.0))
    editor.open().go("My proposals").press("Commit 2")
    assert editor.tab.query_params["commit"] in ("2", ["2"])


def test_a_rejected_proposal_says_why_and_what_to_do(editor: Editor, mine: Nets) -> None:
    mine.send(mine.edit(1, 0, volume=-3.0, note="below zero"))
    editor.open().go("My proposals")
    for said in ("✕ rejected", "tow 1, net 0 · volume", "Reopen it in the grid", "kept whole in quarantine/nets/"):
        assert said in editor.text


def test_a_rejected_proposal_stands_in_the_grid_again(editor: Editor, mine: Nets) -> None:
    mine.send(mine.edit(1, 0, volume=-3.0, note="below zero"))
    editor.open().go("My proposals").press("Reopen")
    assert editor.desk.edits.cells == {(1, 0): {"volume": "-3"}}
    assert editor.desk.note == "below zero"


def test_a_conflicted_proposal_shows_its_sides_and_is_reopened_on_its_base(editor: Editor, mine: Nets) -> None:
    draft = mine.edit(1, 0, volume=8.0, vessel="Mine")
    base = mine.commit
    editor.nets.send(editor.nets.edit(1, 0, volume=7.0))
    mine.send(draft)
    editor.open().go("My proposals")
    assert all(side in editor.text for side in ("<td>10.5</td>", "<td>7 <", "ana: “because”", "<td>8</td>"))
    editor.press("Reopen")
    assert editor.desk.sheet.commit == base
    assert editor.desk.edits.cells == {(1, 0): {"volume": "8", "vessel": "Mine"}}


def test_a_file_that_could_not_be_read_is_reopened_with_its_words(editor: Editor, mine: Nets) -> None:
    body = CSV.replace(b"7.25", b"wide")
    mine.send(mine.dataset.file("mine.csv", body, "sizes", mine.commit))
    editor.open().go("My proposals").press("Reopen")
    assert editor.desk.edits.cells == {(2, 1): {"volume": "wide"}}
    assert editor.desk.note == "sizes"


def test_what_has_no_place_is_said_before_it_is_opened(editor: Editor, mine: Nets) -> None:
    raw = json.loads(mine.edit(1, 0, volume=-3.0).body)
    raw["changes"][0]["new"]["colour"] = "<b>red</b>"
    mine.send(Draft("with-colour", json.dumps(raw).encode()))
    editor.open().go("My proposals").press("Reopen")
    assert "nets has no column colour" in editor.text
    editor.press("Open what can be put back")
    assert editor.desk.edits.cells == {(1, 0): {"volume": "-3"}}


def test_a_base_that_is_no_commit_is_said_and_the_head_taken(editor: Editor, mine: Nets) -> None:
    raw = json.loads(mine.edit(1, 0, volume=3.0).body)
    mine.send(Draft("lost", json.dumps({**raw, "base": "0" * 26}).encode()))
    editor.open().go("My proposals").press("Reopen")
    assert "it is opened on commit 1" in editor.text


@pytest.mark.parametrize("body", [b"{not json", b"[]", b"\xff\xfe", b"{}"])
def test_what_is_no_proposal_is_listed_and_cannot_break_the_page(editor: Editor, mine: Nets, body: bytes) -> None:
    mine.send(Draft("broken", body))
    editor.open().go("My proposals")
    assert "✕ rejected" in editor.text
    for label in [button.label for button in editor.tab.button if button.label == "Reopen"]:
        editor.press(label)
    assert editor.text


def test_an_id_that_was_used_before_is_told_from_its_first_use(editor: Editor, mine: Nets) -> None:
    (first,) = editor.nets.send(editor.nets.edit(1, 0, volume=3.0))
    mine.send(Draft(first.proposal, mine.edit(1, 1, volume=4.0).body))
    editor.open().go("My proposals")
    assert "it took an id that was used before" in editor.text
    editor.press("Reopen")
    assert editor.desk.edits.cells == {(1, 1): {"volume": "4"}}


def test_what_is_on_its_way_is_watched_until_it_is_decided(editor: Editor, mine: Nets) -> None:
    editor.is_pumping = False
    mine.dataset.send(mine.edit(1, 0, volume=3.0, note="patience"))
    editor.open().go("My proposals")
    assert "On their way" in editor.text
    assert "patience" in editor.text
    editor.nets.pipeline.pump()
    editor.open()
    assert "On their way" not in editor.text
    assert "✓ committed" in editor.text


def test_notes_are_escaped(editor: Editor, mine: Nets) -> None:
    mine.send(mine.edit(1, 0, volume=3.0, note="<script>alert(1)</script>"))
    editor.open().go("My proposals")
    assert "<script>alert" not in editor.text


def test_all_datasets_are_listed_on_demand(editor: Editor, mine: Nets) -> None:
    from tests.core.nets import CONTRACT
    from towline.contract import Contract

    raw = json.loads(CONTRACT.to_json())
    raw["towline"]["dataset"] = "other"
    other = mine.pipeline.dataset("other", ME)
    other.send(other.create("a.csv", CSV, Contract.parse(raw), "another one"))
    mine.pipeline.pump()
    editor.open().go("My proposals")
    assert "another one" not in page(editor)
    editor.tab.toggle[0].set_value(True)
    editor.open()
    assert "another one" in editor.text


def page(editor: Editor) -> str:
    """What the page says, without the sidebar, which names the head's note."""
    return "\n".join(str(each.proto.body) for each in editor.tab.main.get("html"))
