"""The page History, driven as a person would, without a browser."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from html import escape

import pytest

from app import history_views
from app.pages import history
from tests.app.editor import Editor
from tests.core.nets import NAME
from towline.store import ALWAYS

LIST, ROWS = f"history-list-{NAME}", "history-rows"


@pytest.fixture
def editor(monkeypatch: pytest.MonkeyPatch) -> Editor:
    """Commits: 1 load, 2 volume of 1,0 by ana, 3 vessel of 1,0 by bo, 4 a net inserted by ana."""
    editor = Editor(monkeypatch)
    nets = editor.nets
    nets.send(nets.edit(1, 0, volume=3.0, note="recalibrated"))
    nets.by("bo").send(nets.by("bo").edit(1, 0, vessel="Other", note="<b>renamed</b>"))
    nets.send(nets.insert(3, 0, volume=1.0))
    monkeypatch.setattr(history, "_arrive", _acting(history._arrive))
    return editor.open().go("History")


ACTS: list[str] = []


def _acting(arrive: Callable[[str], None]) -> Callable[[str], None]:
    """The page with a click before it is drawn, where Streamlit would call back."""

    def arrived(dataset: str) -> None:
        while ACTS:
            history_views.do(dataset, ACTS.pop())
        arrive(dataset)

    return arrived


def click(editor: Editor, *act: str) -> Editor:
    """Click a button of a list, which must be there."""
    text = json.dumps(act)
    assert any(escape(text) in drawn for drawn, _ in editor.lists.values())
    ACTS.append(text)
    return editor.open()


def test_commits_are_listed_newest_first_and_the_newest_is_open(editor: Editor) -> None:
    listed, _ = editor.lists[LIST]
    places = [listed.index(note) for note in ("a new net", "renamed", "recalibrated", "first load")]
    assert places == sorted(places)
    assert "<b>renamed" not in editor.text
    assert "Commit 4" in editor.text
    assert "+ 1 row added, 3 cells" in editor.text
    assert "4 commits, newest first" in editor.text


def test_a_click_opens_a_commit_and_writes_it_into_the_address(editor: Editor) -> None:
    click(editor, "commit", "2")
    assert asked(editor, "commit") == "2"
    assert "Commit 2" in editor.text
    assert '<span class="tl-old">10.5</span> → <span class="tl-new">3</span>' in editor.lists[ROWS][0]


def test_the_story_of_a_row_is_told(editor: Editor) -> None:
    click(click(editor, "commit", "2"), "row", "1,0")
    assert asked(editor, "key") == "1,0"
    assert "3 commits touched it" in editor.text
    assert "looked at" not in editor.text
    assert '<span class="tl-new">3</span>' in editor.lists[LIST][0]
    assert "a new net" not in editor.lists[LIST][0]


def test_an_address_opens_its_commit_and_row(editor: Editor) -> None:
    editor.reload()
    editor.tab.query_params["commit"] = "3"
    editor.tab.query_params["key"] = "1,0"
    editor.go("History")
    assert "Commit 3" in editor.text
    assert editor.tab.text_input[0].value == "1,0"
    assert "a new net" not in editor.lists[LIST][0]


def test_an_address_that_names_no_commit_says_so(editor: Editor) -> None:
    editor.tab.query_params["commit"] = "99"
    editor.open()
    assert "nets has no commit &#x27;99&#x27;" in editor.text
    assert "Commit 4" in editor.text


@pytest.mark.parametrize("key", ["1", "x,1", "🐟", "1," * 50])
def test_a_row_that_is_none_is_explained(editor: Editor, key: str) -> None:
    editor.tab.text_input[0].set_value(key)
    editor.open()
    assert "No row is looked for" in editor.text
    assert "4 commits, newest first" in editor.text


def test_commits_are_found_by_person_day_and_column(editor: Editor) -> None:
    editor.tab.multiselect[0].set_value(["bo"])
    editor.open()
    assert "1 commit, newest first" in editor.text
    editor.tab.multiselect[0].set_value([])
    editor.tab.selectbox(key=f"history-column-{NAME}").set_value("vessel")
    editor.open()
    assert "2 commits touched it" in editor.text
    editor.tab.selectbox(key=f"history-column-{NAME}").set_value(None)
    editor.tab.date_input[0].set_value(date(2027, 1, 1))
    editor.open()
    assert "Nothing was committed by these people in these days." in editor.text


def test_the_first_commit_is_the_whole_table(editor: Editor) -> None:
    click(editor, "commit", "1")
    assert "The first table of this dataset: 4 rows" in editor.text


def test_two_commits_are_compared_from_the_older_to_the_newer(editor: Editor) -> None:
    view(editor, "Compare")
    other = next(box for box in editor.tab.selectbox if str(box.key).startswith("history-other"))
    other.set_value("1")
    editor.open()
    assert "What turns commit 1 into commit 4" in editor.text
    assert "✎ 1 row changed, + 1 row added" in editor.text


def test_the_audit_record_is_shown_with_its_chain(editor: Editor) -> None:
    view(editor, "Audit record")
    for said in ("parent", "chain before", "✓ the record is as it was written", "snapshots/nets/master_"):
        assert said in editor.text


def test_a_commits_table_can_be_looked_at_and_taken_away(editor: Editor) -> None:
    click(editor, "commit", "2")
    view(editor, "Table")
    assert "4 rows as of commit 2" in editor.text
    assert [each.label for each in editor.tab.get("download_button")] == ["CSV", "Excel", "Parquet"]


def test_older_commits_are_read_when_they_are_asked_for(editor: Editor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "STEP", 2)
    editor.open()
    assert "the newest 2 commits; 2 proposals are older" in editor.text
    assert "first load" not in editor.lists[LIST][0]
    editor.press("Show 2 older")
    assert "4 commits, newest first" in editor.text


def test_a_store_that_is_down_is_said(editor: Editor) -> None:
    editor.cut_off()
    editor.tab.session_state["towline"].seen = None
    editor.open()
    assert "S3 does not answer" in editor.text


def test_a_changes_file_that_was_tampered_with_is_said(editor: Editor) -> None:
    bench = editor.nets.pipeline.bench
    record = editor.nets.dataset.log()[2]
    bench.store.put(str(record["changes_key"]), b"x", when=ALWAYS)
    click(editor, "commit", "2")
    assert "towline verify" in editor.text


def view(editor: Editor, name: str) -> None:
    """Turn to one of the views of a commit."""
    editor.tab.segmented_control[0].set_value(name)
    editor.open()


def asked(editor: Editor, name: str) -> str:
    """What the address says of this name."""
    value = editor.tab.query_params[name]
    return value if isinstance(value, str) else value[-1]
