"""The story of a cell in a real browser, on a real local stack: edit it twice, and see who set it, when and why."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect

from tests.app.browser import CHROMIUM, WITH_EDITOR, Tab
from tests.app.test_screenshots import PICTURES
from tests.e2e.researcher import NAME, Researcher
from tests.local_stack import running
from tests.needs import need
from towline.local.stack import StackInfo


@pytest.fixture(scope="module")
def info(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackInfo]:
    need(CHROMIUM.exists(), f"there is no {CHROMIUM}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOGNAME", "ana")
        with running(tmp_path_factory.mktemp("story"), WITH_EDITOR) as started:
            Researcher(started, NAME)
            yield started


def window(tab: Tab) -> Locator:
    return tab.page.get_by_role("dialog")


def test_a_cell_that_was_edited_twice_tells_both(tab: Tab) -> None:
    before = tab.grid.text(3, "volume_filtered")
    for text, note in (("412.5", "flow meter <read> again"), ("413.5", "and once more")):
        tab.type(3, "volume_filtered", text)
        tab.submit(note)
    tab.type(3, "volume_filtered", "999")
    tab.settled()
    tab.grid.go(3, "volume_filtered")
    tab.page.keyboard.press("Control+i")
    touches = window(tab).locator(".tl-touch")
    expect(touches).to_have_count(3)
    for place, words in enumerate(
        (("413.5", "and once more", "commit 3"), ("412.5", "flow meter <read> again", "commit 2"), (before, "commit 1"))
    ):
        for each in words:
            expect(touches.nth(place)).to_contain_text(each)
    expect(window(tab)).to_contain_text("not committed")
    expect(window(tab)).to_contain_text("changed 2 times since")
    if os.environ.get("TOWLINE_SCREENSHOTS"):
        tab.page.wait_for_timeout(1000)  # until the window has come down
        tab.page.screenshot(path=PICTURES / "story.png")
    with tab.page.context.expect_page() as opened:
        touches.nth(1).get_by_role("link").click()
    expect(opened.value.get_by_text("Commit 2").first).to_be_visible()
    opened.value.close()
    tab.page.keyboard.press("Escape")
    expect(window(tab)).to_have_count(0)
    tab.lists("999")


def test_a_viewed_commit_and_the_menu_of_a_cell_tell_it_too(tab: Tab) -> None:
    tab.reload("?commit=2")
    tab.grid.go(3, "volume_filtered")
    tab.tool("Story of the selected cell")
    expect(window(tab).locator(".tl-touch").first).to_contain_text("after what you see")
    tab.page.keyboard.press("Escape")
    expect(window(tab)).to_have_count(0)
    tab.grid.cell(5, "vessel").click(button="right")
    tab.page.get_by_role("button", name="Story of this cell").click()
    expect(window(tab).locator(".tl-touch")).to_have_count(1)
    expect(window(tab)).to_contain_text("never changed since")
    expect(window(tab)).to_contain_text("in the first table")
