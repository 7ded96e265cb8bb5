"""Filter, search, sort, go to a row, columns, and tables that are only to be read, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.grid.driver import Grid, Tabs


def test_key_columns_come_first_and_units_stand_below_the_names(grid: Grid) -> None:
    assert grid.columns[:2] == ["tow", "net"]
    expect(grid.page.locator(".slick-header-column", has_text="volume_filtered")).to_contain_text("m³")


def test_an_edit_of_a_filtered_row_is_of_that_row(grid: Grid) -> None:
    grid.page.get_by_label("Filter tow").fill("=3")
    expect(grid.cell(0, "tow")).to_have_text("3")
    grid.page.get_by_label("Filter min_depth").fill(">500")
    expect(grid.cell(0, "min_depth")).to_have_text("604.6")
    key = f"{grid.text(1, 'tow')}|{grid.text(1, 'net')}"
    grid.type(1, "min_depth", "1")
    expect(grid.cell(1, "min_depth")).to_have_text("1")  # it stays, though the filter would not let it through
    assert grid.cells() == {key: {"min_depth": "1"}}


def test_an_edit_of_a_sorted_row_is_of_that_row(grid: Grid) -> None:
    grid.page.locator(".slick-header-column", has_text="volume_filtered").click()
    grid.page.locator(".slick-header-column", has_text="volume_filtered").click()
    key = f"{grid.text(0, 'tow')}|{grid.text(0, 'net')}"
    grid.type(0, "min_depth", "1")
    assert grid.cells() == {key: {"min_depth": "1"}}


def test_a_search_goes_through_all_columns(grid: Grid) -> None:
    grid.page.get_by_label("Search all columns").fill("1340.7")
    expect(grid.page.locator(".tl-rows")).to_have_text("1 of 125 rows")
    expect(grid.cell(0, "volume_filtered")).to_have_text("1340.7")


def test_a_row_is_found_by_its_key_and_columns_can_be_hidden(grid: Grid) -> None:
    grid.page.get_by_label("Go to a row by its key").fill("11, 2")
    grid.keyboard.press("Enter")
    active = grid.page.locator(".slick-cell.active")
    expect(active).to_have_text("11")
    grid.page.get_by_title("Which columns to show").click()
    grid.page.get_by_label("vessel", exact=True).uncheck()
    expect(grid.page.locator(".tl-name", has_text="vessel")).to_have_count(0)


def test_the_page_sends_people_to_a_cell_even_if_it_is_hidden(grid: Grid) -> None:
    grid.type(0, "min_depth", "1")
    grid.settled()
    grid.page.get_by_label("Filter tow").fill("=9")
    expect(grid.cell(0, "tow")).to_have_text("9")
    grid.page.get_by_role("button", name="Go to the last change").click()
    expect(grid.cell(0, "min_depth")).to_contain_class("active")
    expect(grid.cell(0, "tow")).to_have_text("1")


def test_fifty_thousand_rows_open_and_are_edited(chromium: Tabs, url: str) -> None:
    grid = chromium.open(f"{url}?rows=50000")
    expect(grid.page.locator(".tl-rows")).to_have_text("50,000 rows")
    grid.go(0, "tow")
    grid.keyboard.press("Control+End")
    expect(grid.cell(49_999, "tow")).to_be_visible()
    key = f"{grid.text(49_999, 'tow')}|{grid.text(49_999, 'net')}"
    grid.type(49_999, "net", "77")
    assert grid.cells() == {key: {"net": "77"}}
    grid.page.context.close()


def test_all_rows_are_shown_again_by_one_click(grid: Grid) -> None:
    grid.page.get_by_label("Filter tow").fill("=3")
    grid.page.get_by_label("Search all columns").fill("604")
    expect(grid.page.locator(".tl-rows")).to_have_text("2 of 125 rows")
    grid.page.get_by_role("button", name="Show all rows").click()
    expect(grid.page.locator(".tl-rows")).to_have_text("125 rows")
    expect(grid.page.get_by_label("Filter tow")).to_have_value("")
    expect(grid.page.get_by_role("button", name="Show all rows")).to_be_hidden()


def test_changed_rows_and_rows_with_problems_can_be_seen_alone(grid: Grid) -> None:
    grid.type(3, "min_depth", "1")
    grid.type(5, "min_depth", "12,5")
    expect(grid.cell(5, "min_depth")).to_contain_class("tl-bad")
    grid.page.get_by_label("Which rows to show").select_option("changed")
    expect(grid.page.locator(".tl-rows")).to_have_text("2 of 125 rows")
    grid.page.get_by_label("Which rows to show").select_option("problems")
    expect(grid.page.locator(".tl-rows")).to_have_text("1 of 125 rows")
    grid.type(0, "min_depth", "7")
    assert grid.cells() == {"1|3": {"min_depth": "1"}, "1|5": {"min_depth": "7"}}


def test_keys_lead_to_the_search_and_to_a_row_and_are_listed(grid: Grid) -> None:
    grid.go(0, "tow")
    grid.keyboard.press("Control+g")
    grid.keyboard.type("3, 1")
    grid.keyboard.press("Enter")
    expect(grid.page.locator(".slick-cell.active")).to_have_text("3")
    grid.keyboard.press("Control+f")
    grid.keyboard.type("1340.7")
    expect(grid.page.locator(".tl-rows")).to_have_text("1 of 125 rows")
    grid.page.get_by_role("button", name="Keys").click()
    expect(grid.page.locator(".tl-keys")).to_contain_text("Ctrl+D")
    grid.keyboard.press("Escape")
    expect(grid.page.locator(".tl-keys")).to_be_hidden()


def test_a_key_that_is_not_there_is_said(grid: Grid) -> None:
    grid.page.get_by_label("Go to a row by its key").fill("999 1")
    grid.keyboard.press("Enter")
    expect(grid.page.locator(".tl-notice")).to_have_text("No row has tow 999, net 1.")


def test_a_table_that_is_only_to_be_read_can_be_searched_and_copied_and_nothing_else(chromium: Tabs, url: str) -> None:
    grid = chromium.open(f"{url}?readonly=1")
    grid.clip("7")
    grid.go(0, "min_depth")
    for keys in ("Control+v", "Delete", "5", "Control+-", "Control+d", "Control+x"):
        grid.keyboard.press(keys)
    expect(grid.page.locator(".tl-editor")).to_have_count(0)
    expect(grid.page.get_by_title("Add rows below the selected one")).to_be_hidden()
    grid.keyboard.press("Enter")
    expect(grid.page.locator(".tl-editor")).to_have_js_property("readOnly", True)
    grid.keyboard.type("5")
    grid.keyboard.press("Escape")
    grid.cell(0, "min_depth").click(button="right")
    expect(grid.page.locator(".tl-item")).to_have_count(1)
    grid.page.get_by_role("button", name="Copy").click()
    assert grid.page.evaluate("navigator.clipboard.readText()") == "-0.5"
    grid.page.get_by_label("Filter tow").fill("=3")
    expect(grid.cell(0, "tow")).to_have_text("3")
    assert grid.settled()["version"] == 0
    grid.page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_toolbar_stands_in_one_line_where_there_is_little_room(chromium: Tabs, url: str, scheme: str) -> None:
    grid = chromium.open(url, width=690, scheme=scheme)
    assert (grid.page.locator(".tl-bar").bounding_box() or {"height": 99})["height"] < 32
    tops = grid.page.locator(".tl-bar > *:not([hidden])").evaluate_all("nodes => nodes.map(node => node.offsetTop)")
    assert max(tops) < 12
    grid.page.context.close()


def test_a_long_text_is_cut_in_its_cell_and_whole_in_its_tooltip_and_editor(grid: Grid) -> None:
    text = "".join(f"word{number} " for number in range(60)).strip()
    grid.paste(0, "vessel", text + "\n")
    expect(grid.cell(0, "vessel")).to_have_css("white-space", "pre")
    assert text in (grid.cell(0, "vessel").get_attribute("title") or "")
    grid.keyboard.press("Enter")
    expect(grid.page.locator(".tl-editor.tl-long")).to_have_value(text)
