"""Cells and rows edited in a real browser, and what Python knows of it afterwards."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.grid.driver import Grid, Tabs


def test_a_cell_is_edited_by_keyboard(grid: Grid) -> None:
    grid.type(0, "min_depth", "7.25")
    expect(grid.cell(1, "min_depth")).to_contain_class("active")
    grid.keyboard.press("F2")
    grid.keyboard.type("5")
    grid.keyboard.press("Tab")
    expect(grid.cell(0, "min_depth")).to_contain_class("tl-changed")
    assert grid.cells() == {"1|0": {"min_depth": "7.25"}, "1|1": {"min_depth": "886.35"}}
    grid.keyboard.type("x")
    grid.keyboard.press("Escape")
    assert grid.settled()["version"] == 2


def test_null_is_not_the_empty_text(grid: Grid) -> None:
    grid.type(0, "vessel", '""')
    grid.go(1, "vessel")
    grid.keyboard.press("Delete")
    expect(grid.cell(0, "vessel")).to_have_text('""')
    expect(grid.cell(1, "vessel")).to_have_text("null")
    expect(grid.cell(1, "vessel")).to_contain_class("tl-null")
    expect(grid.cell(0, "vessel")).not_to_contain_class("tl-null")
    assert grid.cells() == {"1|0": {"vessel": '""'}, "1|1": {"vessel": None}}


def test_zero_null_and_the_empty_text_look_like_three_things(grid: Grid) -> None:
    grid.paste(0, "vessel", '0\n""""""\n\n')
    for row, text in enumerate(["0", '""', "null"]):
        expect(grid.cell(row, "vessel")).to_have_text(text)
    expect(grid.cell(0, "vessel")).not_to_contain_class("tl-null")
    expect(grid.cell(1, "vessel")).not_to_contain_class("tl-null")
    expect(grid.cell(2, "vessel")).to_contain_class("tl-null")


def test_space_turns_a_boolean_over_and_undo_turns_it_back(chromium: Tabs, url: str) -> None:
    grid = chromium.open(f"{url}?types=1")
    grid.go(0, "is_day")
    grid.keyboard.press("Space")
    expect(grid.cell(0, "is_day")).to_have_text("False")
    assert grid.cells() == {"0|0": {"is_day": "False"}}
    grid.keyboard.press("Control+z")
    expect(grid.cell(0, "is_day")).to_have_text("True")
    grid.type(1, "is_day", "yes")
    expect(grid.cell(1, "is_day")).to_contain_class("tl-bad")
    assert "write True or False" in (grid.cell(1, "is_day").get_attribute("title") or "")
    grid.page.context.close()


def test_a_text_of_several_lines_is_edited_as_it_is(grid: Grid) -> None:
    grid.go(0, "vessel")
    grid.keyboard.press("F2")
    grid.keyboard.press("End")
    grid.keyboard.press("Alt+Enter")
    grid.keyboard.type("second")
    expect(grid.page.locator(".tl-editor")).to_contain_class("tl-long")
    grid.keyboard.press("Enter")
    expect(grid.cell(0, "vessel")).to_have_text("Meridian ⏎ second")
    assert grid.cells() == {"1|0": {"vessel": "Meridian\nsecond"}}
    grid.go(0, "vessel")
    grid.keyboard.press("F2")
    grid.keyboard.press("ArrowUp")  # in the text, not in the table
    grid.keyboard.press("Escape")
    expect(grid.cell(0, "vessel")).to_contain_class("active")


def test_a_block_that_is_pasted_into_an_open_editor_becomes_no_number(grid: Grid) -> None:
    grid.clip("12\n34")
    grid.go(0, "min_depth")
    grid.keyboard.press("F2")
    grid.keyboard.press("Control+a")
    grid.keyboard.press("Control+v")
    grid.keyboard.press("Enter")
    assert grid.cells() == {"1|0": {"min_depth": "12\n34"}}
    expect(grid.cell(0, "min_depth")).to_contain_class("tl-bad")


def test_rows_are_added_below_the_selected_one_deleted_and_brought_back(grid: Grid) -> None:
    grid.go(2, "net")
    grid.page.get_by_label("How many rows to add").fill("2")
    grid.page.get_by_title("Add rows below the selected one").click()
    expect(grid.cell(3, "tow")).to_have_text("null")
    grid.type(3, "tow", "99")
    expect(grid.cell(3, "tow")).to_contain_class("tl-added")
    store = grid.settled()
    (first, after), (second, below) = store["state"]["added"]
    assert (after, below) == ("1|2", first)
    assert store["state"]["cells"] == {first: {"tow": "99"}}
    grid.select(4, "net", down=1)  # the second added one, and net 3 of the table
    grid.keyboard.press("Control+-")
    expect(grid.cell(4, "net")).to_have_text("3")
    expect(grid.cell(4, "net")).to_contain_class("tl-deleted")
    assert grid.settled()["state"]["deleted"] == [second, "1|3"]
    for _ in range(3):
        grid.keyboard.press("Control+z")
    expect(grid.cell(3, "net")).to_have_text("3")
    expect(grid.cell(3, "net")).not_to_contain_class("tl-deleted")
    state = grid.settled()["state"]
    assert (state["cells"], state["added"], state["deleted"]) == ({}, [], [])


def test_a_deleted_row_cannot_be_typed_into(grid: Grid) -> None:
    grid.go(1, "min_depth")
    grid.keyboard.press("Control+-")
    grid.keyboard.type("5")
    expect(grid.page.locator(".tl-notice")).to_contain_text("deleted")
    assert grid.cells() == {}


def test_fill_down_copies_the_first_row_of_the_selection(grid: Grid) -> None:
    grid.select(0, "min_depth", down=3, right=1)
    grid.keyboard.press("Control+d")
    cells = grid.cells()
    assert sorted(cells) == ["1|1", "1|2", "1|3"]
    assert cells["1|3"] == {"min_depth": "-0.5", "max_depth": "903.9"}
    assert grid.settled()["version"] == 1


def test_dragging_the_corner_of_the_selection_fills(grid: Grid) -> None:
    grid.type(0, "min_depth", "1")
    grid.type(1, "min_depth", "2")
    grid.select(0, "min_depth", down=1)
    corner = grid.page.locator(".slick-drag-replace-handle").bounding_box()
    end = grid.cell(5, "min_depth").bounding_box()
    assert corner is not None
    assert end is not None
    grid.page.mouse.move(corner["x"] + 4, corner["y"] + 4)
    grid.page.mouse.down()
    grid.page.mouse.move(end["x"] + 40, end["y"] - 20, steps=4)
    grid.page.mouse.move(end["x"] + 40, end["y"] + 12, steps=4)
    grid.page.mouse.up()
    expect(grid.cell(5, "min_depth")).to_have_text("2")
    assert [texts["min_depth"] for texts in grid.cells().values()] == ["1", "2"] * 3
    grid.keyboard.press("Control+z")
    assert len(grid.cells()) == 2


def test_several_rows_are_selected_by_their_edge_and_deleted(grid: Grid) -> None:
    grid.page.locator('.slick-row[data-row="2"] .tl-gutter').click()
    grid.page.locator('.slick-row[data-row="4"] .tl-gutter').click(modifiers=["Shift"])
    grid.page.get_by_title("Delete the selected rows").click()
    assert grid.settled()["state"]["deleted"] == ["1|2", "1|3", "1|4"]
    expect(grid.cell(4, "vessel")).to_contain_class("tl-deleted")


def test_a_block_is_selected_with_shift_and_a_click_also_over_the_frozen_edge(grid: Grid) -> None:
    grid.go(1, "net")
    grid.cell(3, "vessel").click(modifiers=["Shift"])
    grid.keyboard.press("Delete")
    assert grid.cells() == {f"1|{net}": {"net": None, "vessel": None} for net in (1, 2, 3)}


def test_the_menu_of_a_cell_takes_changes_back(grid: Grid) -> None:
    grid.paste(0, "min_depth", "1\t2\n3\t4\n")
    grid.go(5, "vessel")
    grid.cell(1, "max_depth").click(button="right")
    grid.page.get_by_role("button", name="Take back the changes here").click()
    expect(grid.cell(1, "max_depth")).to_have_text("903.9")
    assert grid.cells() == {"1|0": {"min_depth": "1", "max_depth": "2"}, "1|1": {"min_depth": "3"}}
    grid.cell(2, "vessel").click(button="right")
    grid.page.get_by_role("button", name="Delete row").click()
    assert grid.settled()["state"]["deleted"] == ["1|2"]
    grid.cell(2, "vessel").click(button="right")
    grid.page.get_by_role("button", name="Bring back row").click()
    assert grid.settled()["state"]["deleted"] == []


def test_odd_texts_are_only_texts(grid: Grid) -> None:
    texts = ["=1+1", "🐟", "<b>x</b>", "NaN", "1e400", "x" * 10_000, "4.5.2024", " "]
    grid.paste(0, "volume_filtered", "\n".join(texts) + "\n")
    expect(grid.cell(2, "volume_filtered")).to_have_text("<b>x</b>")
    cells = grid.cells()
    assert [cells[f"1|{net}"]["volume_filtered"] for net in range(len(texts))] == texts


def test_wrong_input_is_kept_marked_and_explained_wherever_it_is(grid: Grid) -> None:
    texts = ["=1+1", "🐟", "NaN", "1e400", "12,5", "x" * 10_000]
    grid.paste(0, "min_depth", "\n".join(texts) + "\n")
    for row in range(len(texts)):
        expect(grid.cell(row, "min_depth")).to_contain_class("tl-bad")
        assert grid.cell(row, "min_depth").get_attribute("title")
    cells = grid.cells()
    assert [cells[f"1|{net}"]["min_depth"] for net in range(len(texts))] == texts
    assert grid.settled()["errors"] == len(texts)
    expect(grid.page.locator(".stException")).to_have_count(0)


def test_two_forms_of_dates_in_one_paste_are_kept_and_the_wrong_one_is_explained(chromium: Tabs, url: str) -> None:
    grid = chromium.open(f"{url}?types=1")
    grid.paste(0, "day", "2024-05-04\n04.05.2024\n2024-02-30\n")
    expect(grid.cell(0, "day")).not_to_contain_class("tl-bad")
    for row, text in ((1, "04.05.2024"), (2, "2024-02-30")):
        expect(grid.cell(row, "day")).to_have_text(text)
        expect(grid.cell(row, "day")).to_contain_class("tl-bad")
        assert "write it like 2024-05-04" in (grid.cell(row, "day").get_attribute("title") or "")
    assert grid.settled()["errors"] == 2
    grid.page.context.close()
