"""Restoring in a real browser, on a real local stack."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.app.browser import CHROMIUM, Tab, tabs
from tests.app.test_browser import WITH_EDITOR, rows
from tests.e2e.researcher import NAME, Researcher
from tests.local_stack import running
from tests.needs import need
from towline.local.stack import StackInfo


@pytest.fixture(scope="module")
def info(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackInfo]:
    need(CHROMIUM.exists(), f"there is no {CHROMIUM}")
    with running(tmp_path_factory.mktemp("editor"), WITH_EDITOR) as started:
        Researcher(started, NAME)
        yield started


@pytest.fixture
def tab(info: StackInfo) -> Iterator[Tab]:
    with tabs() as chromium:
        opened = Tab.open(chromium, info.editor or "")
        yield opened
        expect(opened.page.get_by_test_id("stException")).to_have_count(0)
        assert opened.grid.problems == []


def test_an_edit_is_restored_from_the_history(tab: Tab, info: StackInfo) -> None:
    master = Researcher(info, NAME, "bo")
    before = rows(master)
    tab.type(3, "volume_filtered", "1234.5")
    tab.type(5, "vessel", "R/V Wrong")
    tab.submit("a mistake")
    assert rows(master) != before
    tab.go("History")
    tab.page.locator(".tl-commit").last.click()
    tab.sees("Commit 1")
    tab.page.get_by_role("radio", name="Restore", exact=True).click()
    tab.sees("2 rows changed, 2 cells")
    tab.why("back to the first load")
    tab.page.locator(".st-key-do-restore button").click()
    tab.sees("back to the first load")
    tab.sees("Commit 3")
    assert rows(master) == before
    (record, *_) = master.dataset.log()
    assert (record["kind"], record["note"], record["number"]) == ("restore", "back to the first load", 3)
    tab.press("Show commit 3")
    tab.sees("restored")
