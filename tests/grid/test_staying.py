"""What a person typed stays, whatever the connection, the script or the page does meanwhile, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.grid.driver import Grid, Tabs


def test_sixty_edits_while_the_script_is_slow_are_all_there(chromium: Tabs, url: str) -> None:
    grid = chromium.open(f"{url}?slow=0.4")
    grid.go(0, "min_depth")
    for number in range(60):
        grid.keyboard.type(str(number), delay=2)
        grid.keyboard.press("Enter", delay=0)
    assert [texts["min_depth"] for texts in grid.cells().values()] == [str(number) for number in range(60)]
    grid.page.context.close()


@pytest.mark.parametrize("pause", [0, 1500], ids=["typing on", "waiting"])
@pytest.mark.parametrize("typed", ["", "12"], ids=["selected", "typing"])
def test_a_lost_connection_loses_no_edit_no_open_editor_and_no_place(
    chromium: Tabs, url: str, typed: str, pause: int
) -> None:
    grid, lines = chromium.open_by_line(f"{url}?slow=0.4")
    grid.go(0, "min_depth")
    for row in range(30):
        grid.keyboard.type(str(row))
        grid.keyboard.press("Enter")
    grid.keyboard.type(typed)
    lines[-1].close(code=1011)
    grid.page.wait_for_timeout(pause)
    grid.keyboard.type("34")
    grid.keyboard.press("Enter")
    row = 31
    while len(lines) == 1 or row < 60:  # until the connection is there again, and a while longer
        grid.keyboard.type(str(row), delay=5)
        grid.keyboard.press("Enter", delay=5)
        row += 1
        assert row < 125
    found = [texts["min_depth"] for texts in grid.cells().values()]
    assert found == [*map(str, range(30)), f"{typed}34", *map(str, range(31, row))]
    grid.page.context.close()


def test_an_open_editor_keeps_its_text_while_answers_come(chromium: Tabs, url: str) -> None:
    grid = chromium.open(f"{url}?slow=0.3")
    grid.type(0, "min_depth", "12,5")
    grid.keyboard.type("77")
    expect(grid.cell(0, "min_depth")).to_contain_class("tl-bad")
    expect(grid.page.locator(".tl-editor")).to_have_value("77")
    grid.keyboard.type("8")
    grid.keyboard.press("Enter")
    assert grid.cells() == {"1|0": {"min_depth": "12,5"}, "1|1": {"min_depth": "778"}}
    grid.page.context.close()


def test_an_open_editor_outlives_a_window_that_changes_its_size(grid: Grid) -> None:
    grid.go(1, "min_depth")
    grid.keyboard.type("12")
    grid.page.set_viewport_size({"width": 1100, "height": 700})
    grid.page.wait_for_timeout(400)
    expect(grid.page.locator(".tl-editor")).to_have_value("12")
    grid.keyboard.type("34")
    grid.keyboard.press("Enter")
    grid.page.set_viewport_size({"width": 1280, "height": 800})
    grid.page.wait_for_timeout(400)
    grid.keyboard.type("56")
    grid.keyboard.press("Enter")
    assert grid.cells() == {"1|1": {"min_depth": "1234"}, "1|2": {"min_depth": "56"}}


def test_who_presses_a_button_has_finished_typing(grid: Grid) -> None:
    grid.type(0, "min_depth", "1")
    grid.settled()
    grid.keyboard.type("2")
    grid.page.get_by_role("button", name="Redo here").click()
    expect(grid.cell(1, "min_depth")).to_have_text("2")
    assert grid.cells() == {"1|0": {"min_depth": "1"}, "1|1": {"min_depth": "2"}}


def test_what_the_page_undoes_is_undone_in_the_grid(grid: Grid) -> None:
    grid.type(0, "min_depth", "1")
    grid.type(1, "min_depth", "2")
    grid.settled()
    grid.page.get_by_role("button", name="Undo here").click()
    expect(grid.cell(1, "min_depth")).to_have_text("886.3")
    grid.type(2, "min_depth", "3")
    assert grid.cells() == {"1|0": {"min_depth": "1"}, "1|2": {"min_depth": "3"}}


def test_what_the_page_takes_back_is_as_it_was_in_the_grid(grid: Grid) -> None:
    grid.type(0, "min_depth", "1")
    grid.go(3, "net")
    grid.page.get_by_title("Add rows below the selected one").click()
    grid.type(4, "tow", "99")
    grid.settled()
    grid.page.get_by_role("button", name="Revert the last change").click()
    expect(grid.page.locator(".tl-rows")).to_have_text("125 rows")
    grid.page.get_by_role("button", name="Revert the last change").click()
    expect(grid.cell(0, "min_depth")).to_have_text("-0.5")
    assert grid.settled()["changes"] == []
    grid.go(0, "min_depth")
    grid.keyboard.press("Control+z")
    expect(grid.cell(0, "min_depth")).to_have_text("1")


def test_everything_is_taken_back_in_one_step_and_that_can_be_undone(grid: Grid) -> None:
    grid.paste(0, "min_depth", "1\t2\n3\t4\n")
    grid.go(5, "net")
    grid.keyboard.press("Control+-")
    grid.settled()
    grid.page.get_by_role("button", name="Revert all").click()
    expect(grid.cell(1, "max_depth")).to_have_text("903.9")
    assert grid.settled()["changes"] == []
    grid.go(7, "net")
    grid.keyboard.press("Control+z")
    expect(grid.cell(1, "max_depth")).to_have_text("4")
    assert grid.settled()["changes"] == ["update", "update", "delete"]


def test_another_page_and_back_keeps_edits_marks_and_the_way_back(grid: Grid) -> None:
    grid.type(0, "min_depth", "12,5")
    grid.type(1, "min_depth", "2")
    grid.page.get_by_role("link", name="Other").click()
    expect(grid.page.get_by_text("Another page.")).to_be_visible()
    grid.page.get_by_role("link", name="Grid").click()
    expect(grid.cell(1, "min_depth")).to_have_text("2")
    expect(grid.cell(0, "min_depth")).to_contain_class("tl-bad")
    grid.go(5, "min_depth")
    grid.keyboard.press("Control+z")
    expect(grid.cell(1, "min_depth")).to_have_text("886.3")
    assert grid.cells() == {"1|0": {"min_depth": "12,5"}}


def test_a_new_epoch_keeps_the_grid_and_what_is_typed(grid: Grid) -> None:
    grid.type(0, "min_depth", "1")
    grid.settled()
    grid.page.get_by_role("button", name="Begin anew").click()
    grid.type(1, "min_depth", "2")
    assert grid.cells() == {"1|0": {"min_depth": "1"}, "1|1": {"min_depth": "2"}}


@pytest.mark.parametrize("button", ["Begin anew", "Undo here"])
def test_an_open_editor_outlives_what_the_page_does(chromium: Tabs, url: str, button: str) -> None:
    grid = chromium.open(f"{url}?slow=0.5")
    grid.type(0, "min_depth", "1")
    grid.settled()
    grid.type(3, "vessel", "x")
    grid.go(2, "min_depth")
    before = grid.root.get_attribute("data-version")
    # By a script: a click would take the focus, and a person would have ended the edit.
    grid.page.get_by_role("button", name=button).evaluate("button => setTimeout(() => button.click(), 300)")
    grid.keyboard.type("12")
    expect(grid.root).not_to_have_attribute("data-version", before or "")
    grid.keyboard.type("34")
    grid.keyboard.press("Enter")
    assert grid.cells()["1|2"] == {"min_depth": "1234"}
    assert grid.text(2, "min_depth") == "1234"
    grid.page.context.close()
