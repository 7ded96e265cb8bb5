"""The editor, driven without a browser and with one."""

from __future__ import annotations

import getpass
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.app.browser import CHROMIUM, WITH_EDITOR, Tab, Tabs, tabs
from tests.app.editor import Editor
from tests.core.nets import Nets
from tests.e2e.researcher import NAME, Researcher
from tests.local_stack import running
from tests.needs import need
from towline.local.stack import StackInfo


@pytest.fixture
def editor(monkeypatch: pytest.MonkeyPatch) -> Editor:
    return Editor(monkeypatch)


@pytest.fixture
def mine(editor: Editor) -> Nets:
    """The dataset as it is to whoever sits at the editor."""
    return editor.nets.by(getpass.getuser())


@pytest.fixture(scope="module")
def info(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackInfo]:
    """A stack and an editor with the sample dataset."""
    need(CHROMIUM.exists(), f"there is no {CHROMIUM}")
    with running(tmp_path_factory.mktemp("editor"), WITH_EDITOR) as started:
        Researcher(started, NAME)
        yield started


@pytest.fixture(scope="module")
def chromium(info: StackInfo) -> Iterator[Tabs]:
    with tabs() as opened:
        yield opened


@pytest.fixture
def tab(chromium: Tabs, info: StackInfo) -> Iterator[Tab]:
    """A tab on the editor, in which nothing may go wrong."""
    assert info.editor is not None
    opened = Tab.open(chromium, info.editor)
    yield opened
    problems = opened.grid.problems
    expect(opened.page.get_by_test_id("stException")).to_have_count(0)
    opened.page.context.close()
    assert problems == []
