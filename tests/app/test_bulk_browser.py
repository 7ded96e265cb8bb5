"""The dialogs that change many cells, in a real browser, on the real editor."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from playwright.sync_api import Locator, expect

from tests.app.browser import Tab, tabs
from tests.e2e.researcher import NAME, Researcher
from towline.local.stack import StackInfo


@pytest.fixture
def tab(info: StackInfo) -> Iterator[Tab]:
    assert info.editor is not None
    with tabs() as chromium:
        opened = Tab.open(chromium, info.editor)
        yield opened
        if opened.button("Revert all").count():
            opened.press("Revert all")
            opened.sees("No changes yet")
        assert opened.grid.problems == []


LINE = "The same in one line"


def dialog(tab: Tab, button: str) -> Locator:
    tab.press(button)
    opened = tab.page.get_by_role("dialog")
    expect(opened).to_be_visible()
    return opened


def test_cells_are_replaced_in_one_step_and_undone_in_one(tab: Tab) -> None:
    vessel = tab.grid.text(0, "vessel")
    opened = dialog(tab, "Find & replace")
    opened.get_by_label("Find", exact=True).press_sequentially(vessel, delay=30)
    opened.get_by_label("Replace with").fill("R/V Test")
    expect(opened.locator(".tl-bulk .tl-new").first).to_have_text("R/V Test")
    apply = opened.get_by_role("button", name="Replace")
    label = apply.inner_text()
    opened.locator(".tl-bulk input").first.uncheck()
    expect(apply).not_to_have_text(label)
    apply.click()
    expect(tab.page.get_by_role("dialog")).to_have_count(0)
    expect(tab.grid.cell(1, "vessel")).to_have_text("R/V Test")
    expect(tab.grid.cell(0, "vessel")).to_have_text(vessel)
    tab.grid.go(0, "vessel")
    tab.grid.keyboard.press("Control+z")
    tab.sees("No changes yet")


def test_a_rule_is_typed_as_a_line_and_submitted(tab: Tab, info: StackInfo) -> None:
    before = Researcher(info, NAME).row(2)
    opened = dialog(tab, "Set by rule")
    where = f"tow = {before['tow']} and net = {before['net']}"
    opened.get_by_label(LINE).fill(f"where {where} set volume_filtered = round(volume_filtered * 1.1, 1)")
    opened.get_by_role("button", name="Set 1 cell in 1 row").click()
    tab.sees("1 cell in 1 row changed")
    tab.submit("a wrong flow meter")
    expected = float(Decimal(repr(before["volume_filtered"])) * Decimal("1.1"))
    assert Researcher(info, NAME).row(2)["volume_filtered"] == pytest.approx(expected, abs=0.051)


def test_a_rule_is_put_together_in_the_form_while_the_line_follows(tab: Tab) -> None:
    opened = dialog(tab, "Set by rule")
    for label, nth, option in (("Column", 0, "net"), ("Comparison", 0, ">="), ("Column", 1, "volume_filtered")):
        opened.get_by_label(label, exact=True).nth(nth).click()
        tab.page.get_by_role("option", name=option, exact=True).click()
    opened.get_by_label("Value", exact=True).nth(0).press_sequentially("12", delay=300)
    opened.get_by_label("Value", exact=True).nth(1).fill("12,5")
    expect(opened.get_by_text("it has a comma")).to_be_visible()
    opened.get_by_label("Value", exact=True).nth(1).fill("12.5")
    expect(opened.get_by_label(LINE)).to_have_value("where net >= 12 set volume_filtered = 12.5")
    tab.page.keyboard.press("Escape")


def test_escape_closes_a_dialog_and_does_nothing(tab: Tab) -> None:
    opened = dialog(tab, "Set by rule")
    opened.get_by_label(LINE).fill("set vessel = null")
    expect(opened.get_by_role("button", name="Set ")).to_be_enabled()
    tab.page.keyboard.press("Escape")
    expect(opened).to_have_count(0)
    tab.sees("No changes yet")
    expect(dialog(tab, "Set by rule").get_by_label(LINE)).to_have_value("")
    tab.page.keyboard.press("Escape")


def test_a_dialog_knows_the_text_that_was_still_being_typed_when_it_was_opened(tab: Tab) -> None:
    tab.grid.go(1, "vessel")
    tab.grid.keyboard.type("R/V Unfinished")  # and no Enter
    opened = dialog(tab, "Find & replace")
    opened.get_by_text("Find only").click()
    opened.get_by_label("Find", exact=True).press_sequentially("unfinished", delay=100)
    expect(opened.get_by_text("1 cell in 1 row")).to_be_visible()
    tab.page.keyboard.press("Escape")
    tab.lists("R/V Unfinished")


def test_a_hit_is_gone_to_in_the_grid(tab: Tab, info: StackInfo) -> None:
    row = Researcher(info, NAME).head().table.num_rows - 1
    wanted = Researcher(info, NAME).row(row)
    opened = dialog(tab, "Find & replace")
    opened.get_by_text("Find only").click()
    opened.get_by_label("Find", exact=True).fill(str(wanted["time_start_gmt"]))
    opened.get_by_role("button", name=f"tow {wanted['tow']}, net {wanted['net']}", exact=True).first.click()
    expect(tab.page.get_by_role("dialog")).to_have_count(0)
    expect(tab.grid.cell(row, "tow")).to_have_text(str(wanted["tow"]))
