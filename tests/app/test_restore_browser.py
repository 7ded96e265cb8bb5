"""Restoring in a real browser, on a real local stack."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from playwright.sync_api import expect

from tests.app.browser import CHROMIUM, WITH_EDITOR, Tab, tabs
from tests.app.test_browser import rows
from tests.e2e.researcher import NAME, Researcher
from tests.local_stack import running
from tests.needs import need


def test_an_edit_is_restored_undone_and_restored_in_part_from_the_history(tmp_path: Path) -> None:
    need(CHROMIUM.exists(), f"there is no {CHROMIUM}")
    with running(tmp_path, WITH_EDITOR) as info, tabs() as chromium:
        master = Researcher(info, NAME, "bo")
        tab = Tab.open(chromium, info.editor or "")
        before = rows(master)
        tab.type(3, "volume_filtered", "1234.5")
        tab.type(5, "vessel", "R/V Wrong")
        tab.submit("a mistake")
        mistaken = rows(master)
        assert mistaken != before
        tab.go("History")
        look(tab, 1)
        tab.sees("2 rows changed, 2 cells")
        restore(tab, "back to the first load", makes=3)
        assert rows(master) == before
        (record, *_) = master.dataset.log()
        assert (record["kind"], record["note"], record["number"]) == ("restore", "back to the first load", 3)
        look(tab, 3)
        tab.sees("Takes back what commit 3 changed")
        restore(tab, "it was no mistake", makes=4)
        assert rows(master) == mistaken
        look(tab, 1)
        look_for(tab, "tow 1, net 5")
        look(tab, 1)
        choose(tab, "Only tow 1, net 5")
        tab.sees("1 row changed, 1 cell")
        restore(tab, "the vessel was right", makes=5)
        assert rows(master) == [*mistaken[:5], before[5], *mistaken[6:]]
        expect(tab.page.get_by_test_id("stException")).to_have_count(0)
        assert tab.grid.problems == []


def look(tab: Tab, number: int) -> None:
    """Open the view Restore of a commit."""
    tab.page.locator(f".tl-commit:has(.tl-number:text-is('{number}'))").click()
    tab.sees(f"Commit {number}")
    tab.page.get_by_role("radio", name="Restore", exact=True).click()
    tab.sees("Why?")


def look_for(tab: Tab, row: str) -> None:
    """Click a row until it is what is looked for: the first click may meet the view of the commit before."""
    wanted = tab.page.get_by_role("textbox", name="Row", exact=True)
    for _ in range(5):
        tab.page.get_by_role("button", name=row).last.click()
        with suppress(AssertionError):
            expect(wanted).not_to_have_value("", timeout=3_000)
            return
    expect(wanted).not_to_have_value("")


def choose(tab: Tab, rows: str) -> None:
    """Open the list of rows until it has this choice: a view that is drawn anew meanwhile closes it."""
    choice = tab.page.get_by_role("option", name=rows)
    for _ in range(5):
        tab.page.get_by_role("combobox", name="Rows").click()
        with suppress(AssertionError):
            expect(choice).to_be_visible(timeout=3_000)
            break
        tab.page.keyboard.press("Escape")
    choice.click()


def restore(tab: Tab, note: str, makes: int) -> None:
    """Say why, press the button, and go to the commit that it made."""
    tab.why(note)
    tab.page.locator(".st-key-do-restore button").click()
    tab.press(f"Show commit {makes}")
    tab.sees("restored")
