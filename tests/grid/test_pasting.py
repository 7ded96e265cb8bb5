"""Blocks copied and pasted in a real browser, and what Python knows of it afterwards."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.grid.driver import Grid, Tabs


def test_a_block_is_pasted_and_taken_back_in_one_step(grid: Grid) -> None:
    before = [grid.text(row, name) for row in range(5) for name in ("min_depth", "max_depth", "volume_filtered")]
    grid.paste(0, "min_depth", "".join(f"{row}\t{row}.5\t{row}00\n" for row in range(5)))
    expect(grid.cell(4, "volume_filtered")).to_have_text("400")
    store = grid.settled()
    assert store["version"] == 1
    assert store["state"]["cells"]["1|4"] == {"min_depth": "4", "max_depth": "4.5", "volume_filtered": "400"}
    grid.keyboard.press("Control+z")
    expect(grid.cell(4, "volume_filtered")).not_to_have_text("400")
    assert [grid.text(r, name) for r in range(5) for name in ("min_depth", "max_depth", "volume_filtered")] == before
    assert grid.cells() == {}
    grid.keyboard.press("Control+y")
    expect(grid.cell(4, "volume_filtered")).to_have_text("400")
    assert grid.settled()["errors"] == 0


def test_pasted_text_that_does_not_fit_is_kept_marked_and_explained(grid: Grid) -> None:
    grid.paste(0, "min_depth", "12,5\nn/a\n")
    for row, text in enumerate(("12,5", "n/a")):
        expect(grid.cell(row, "min_depth")).to_have_text(text)
        expect(grid.cell(row, "min_depth")).to_contain_class("tl-bad")
    assert "it has a comma" in (grid.cell(0, "min_depth").get_attribute("title") or "")
    assert grid.settled()["errors"] == 2
    grid.go(0, "min_depth")
    expect(grid.page.locator(".tl-why")).to_contain_text("it has a comma")
    grid.type(0, "min_depth", "12.5")
    expect(grid.cell(0, "min_depth")).not_to_contain_class("tl-bad")


def test_null_and_the_empty_text_survive_copying(grid: Grid) -> None:
    grid.type(0, "vessel", '""')
    grid.go(1, "vessel")
    grid.keyboard.press("Delete")
    grid.select(0, "vessel", down=1)
    grid.keyboard.press("Control+c")
    grid.go(4, "vessel")
    grid.keyboard.press("Control+v")
    expect(grid.cell(5, "vessel")).to_have_text("null")
    assert {row: texts["vessel"] for row, texts in grid.cells().items()} == {
        "1|0": '""',
        "1|1": None,
        "1|4": '""',
        "1|5": None,
    }


def test_a_paste_past_the_last_row_adds_rows(grid: Grid) -> None:
    grid.go(0, "tow")
    grid.keyboard.press("Control+End")
    grid.cell(124, "tow").click()
    grid.paste(124, "tow", "13\t1\n77\t0\n77\t1\n")
    expect(grid.cell(126, "tow")).to_have_text("77")
    store = grid.settled()
    assert [after for _, after in store["state"]["added"]] == [None, None]
    assert store["changes"].count("insert") == 2
    grid.keyboard.press("Control+z")
    assert grid.settled()["state"]["added"] == []


def test_a_block_too_wide_is_not_cut(grid: Grid) -> None:
    grid.page.locator(".slick-viewport-right").first.evaluate("node => (node.scrollLeft = 5000)")
    grid.paste(0, "net_size", "1\t2\n")
    expect(grid.page.locator(".tl-notice")).to_contain_text("Nothing was pasted")
    assert grid.cells() == {}


def test_a_table_from_a_spreadsheet_is_pasted_cell_by_cell(grid: Grid) -> None:
    grid.page.evaluate(
        """() => navigator.clipboard.write([new ClipboardItem({
            "text/html": new Blob(['<table><tr><td>a "b"</td><td>c<br>d</td></tr></table>'], {type: "text/html"}),
            "text/plain": new Blob(['a "b"\\t"c\\nd"'], {type: "text/plain"})})])"""
    )
    grid.go(0, "vessel")
    grid.keyboard.press("Control+v")
    assert grid.cells() == {"1|0": {"vessel": 'a "b"', "cruise": "c\nd"}}
    grid.go(0, "cruise")
    grid.keyboard.press("F2")
    grid.keyboard.press("Control+End")
    grid.keyboard.type("e")
    grid.keyboard.press("Enter")
    assert grid.cells()["1|0"]["cruise"] == "c\nde"


def test_text_beats_a_table_beside_it(grid: Grid) -> None:
    grid.page.evaluate(
        """() => navigator.clipboard.write([new ClipboardItem({
            "text/html": new Blob(['<table><tr><td>9</td></tr></table>'], {type: "text/html"}),
            "text/plain": new Blob(['1.25\\t2'], {type: "text/plain"})})])"""
    )
    grid.go(0, "min_depth")
    grid.keyboard.press("Control+v")
    assert grid.cells() == {"1|0": {"min_depth": "1.25", "max_depth": "2"}}


def test_quoted_cells_line_ends_of_windows_and_the_last_line_end_are_read_as_spreadsheets_mean_them(grid: Grid) -> None:
    grid.page.evaluate(
        """text => navigator.clipboard.write([new ClipboardItem({
            "text/plain": new Blob([text], {type: "text/plain"})})])""",
        'a\t"b\tc"\r\n"say ""hi"""\t"d\r\ne"\r\n',
    )
    grid.go(0, "vessel")
    grid.keyboard.press("Control+v")
    cells = grid.cells()
    assert cells["1|0"] == {"vessel": "a", "cruise": "b\tc"}
    assert cells["1|1"]["vessel"] == 'say "hi"'
    assert (cells["1|1"]["cruise"] or "").split() == ["d", "e"]
    assert len(cells) == 2


def test_cut_takes_the_texts_along_and_leaves_null(grid: Grid) -> None:
    grid.select(0, "min_depth", down=1)
    grid.keyboard.press("Control+x")
    expect(grid.cell(1, "min_depth")).to_have_text("null")
    grid.go(4, "min_depth")
    grid.keyboard.press("Control+v")
    expect(grid.cell(5, "min_depth")).to_have_text("886.3")


def test_a_block_repeats_over_a_selection_that_it_fits(grid: Grid) -> None:
    grid.clip("1\n2\n")
    grid.select(0, "min_depth", down=3, right=1)
    grid.keyboard.press("Control+v")
    cells = grid.cells()
    assert [cells[f"1|{net}"] for net in range(4)] == [{"min_depth": n, "max_depth": n} for n in ("1", "2", "1", "2")]


def test_a_large_paste_is_there_at_once_and_marked_to_its_end(chromium: Tabs, url: str) -> None:
    grid = chromium.open(f"{url}?rows=50000")
    grid.paste(10, "min_depth", "\n".join("1\t2\t3,5" for _ in range(5_000)) + "\n")
    store = grid.settled()
    assert (store["rows"], store["errors"]) == (5_000, 5_000)
    expect(grid.cell(10, "volume_filtered")).to_contain_class("tl-bad")
    grid.page.get_by_label("Which rows to show").select_option("problems")
    expect(grid.page.locator(".tl-rows")).to_have_text("5,000 of 50,000 rows")
    grid.page.context.close()
