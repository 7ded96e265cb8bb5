"""The Explore page, driven as a person would, without a browser: which commit it shows, compared with which."""

from __future__ import annotations

import json
from typing import Any

import pytest
from streamlit.testing.v1.element_tree import Selectbox

from tests.app.editor import Editor

NEWEST, COMPARE = "Commit (choose one, or write any number or id)", "Highlight what differs from"


@pytest.fixture
def editor(monkeypatch: pytest.MonkeyPatch) -> Editor:
    """Commit 1 is the first table; 2 changes a volume, 3 adds a row and 4 deletes one."""
    found = Editor(monkeypatch)
    found.nets.send(found.nets.edit(1, 0, volume=12.25, note="the meter was read wrong"))
    found.nets.send(found.nets.insert(3, 0, volume=None, vessel="Other"))
    found.nets.send(found.nets.delete(2, 1))
    return found


def box(editor: Editor, label: str) -> Selectbox[Any]:
    return next(each for each in editor.tab.selectbox if each.label == label)


def specs(editor: Editor) -> list[dict[str, Any]]:
    """The pictures on the page, as Vega-Lite."""
    assert not editor.tab.exception, editor.tab.exception
    return [json.loads(each.proto.spec) for each in editor.tab.get("vega_lite_chart")]


def explore(editor: Editor, **link: str) -> Editor:
    editor.open()
    for name, value in link.items():
        editor.tab.query_params[name] = value
    return editor.go("Explore")


def test_it_shows_the_newest_commit_and_what_that_changed(editor: Editor) -> None:
    text = explore(editor).text
    assert "commit 4 by ana" in text
    assert "4 rows" in text
    assert "Rows that differ from commit 3:" in text
    assert "✖ 1 deleted" in text
    assert specs(editor)


def test_a_dataset_gets_the_pictures_that_its_columns_allow(editor: Editor) -> None:
    text = explore(editor).text
    heads = ("Map", "Depth profile", "When", "Distribution", "Rows by", "Missing values")
    drawn = [head for head in heads if f'<span class="tl-head">{head}</span>' in text]
    assert drawn == ["Distribution", "Rows by", "Missing values"]
    assert "2 of 4 rows are not drawn: 2 null." in text
    assert len(specs(editor)) == 3


@pytest.mark.parametrize("name", ["2", "#2", ""])
def test_a_link_shows_any_commit_by_its_number_or_id(editor: Editor, name: str) -> None:
    asked = name or next(str(record["commit"]) for record in editor.nets.dataset.log() if record["number"] == 2)
    text = explore(editor, commit=asked).text
    assert "commit 2 by ana" in text
    assert "◆ 1 updated" in text
    assert box(editor, NEWEST).value == "2"


def test_a_link_to_no_commit_says_so_and_shows_the_newest(editor: Editor) -> None:
    text = explore(editor, commit="<77>").text
    assert "has no commit" in text
    assert "<77>" not in text
    assert "commit 4 by ana" in text


def test_the_address_follows_the_choice(editor: Editor) -> None:
    explore(editor)
    box(editor, NEWEST).set_value("1")
    text = editor.open().text
    assert "commit 1 by ana" in text
    assert "it is the first commit" in text
    assert editor.tab.query_params["commit"] == "1"
    box(editor, NEWEST).set_value("the newest")
    assert "commit 4 by ana" in editor.open().text
    assert "commit" not in editor.tab.query_params


def test_any_other_commit_can_be_compared_with_or_none(editor: Editor) -> None:
    explore(editor)
    box(editor, COMPARE).set_value("1")
    text = editor.open().text
    assert "Rows that differ from commit 1:" in text
    assert all(said in text for said in ("✚ 1 inserted", "◆ 1 updated", "✖ 1 deleted"))
    box(editor, COMPARE).set_value("no other commit")
    assert "No rows are highlighted" in editor.open().text


def test_what_somebody_else_commits_is_shown_as_the_newest(editor: Editor) -> None:
    explore(editor)
    editor.nets.send(editor.nets.edit(1, 0, volume=13.0))
    assert "commit 5 by ana" in editor.open().text


def test_a_store_that_is_down_says_what_to_do(editor: Editor) -> None:
    editor.open()
    editor.cut_off()
    assert "no connection" in editor.go("Explore").text
    editor.restore()
    assert "commit 4 by ana" in editor.open().text
