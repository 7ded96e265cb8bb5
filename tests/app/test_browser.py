"""The main job in a real browser, on a real local stack: what a researcher does, and what the bucket holds then."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.app.browser import WITH_EDITOR, Tab, Tabs
from tests.e2e.researcher import NAME, Researcher
from tests.local_stack import kill
from towline.local import lock, stack
from towline.local.datadir import DataDir
from towline.local.stack import StackInfo
from towline.values import Row


@pytest.fixture
def master(info: StackInfo) -> Researcher:
    """Somebody who looks at the bucket itself, and commits by other means."""
    return Researcher(info, NAME, "bo")


def rows(master: Researcher) -> list[Row]:
    return list(master.head().table.to_pylist())


def test_a_cell_edited_by_keyboard_becomes_a_commit(tab: Tab, master: Researcher) -> None:
    before, number = rows(master), master.head().number
    tab.type(3, "volume_filtered", "1234.5")
    tab.sees("1 cell in 1 row changed")
    tab.submit("the flow meter was read wrong")
    tab.sees(f"Commit {number + 1}")
    assert rows(master) == [*before[:3], {**before[3], "volume_filtered": 1234.5}, *before[4:]]
    (record, *_) = master.dataset.log()
    assert (record["note"], record["cells_changed"]) == ("the flow meter was read wrong", 1)
    tab.go("History")
    tab.sees("the flow meter was read wrong")
    tab.go("My proposals")
    tab.sees("the flow meter was read wrong")


def test_a_block_is_pasted_and_all_of_it_undone(tab: Tab) -> None:
    tab.grid.paste(0, "min_depth", "".join(f"{n}\t{n}.5\t{n}00\n" for n in range(1, 6)))
    tab.sees("15 cells in 5 rows changed")
    tab.grid.keyboard.press("Control+z")
    tab.sees("No changes yet")
    tab.grid.keyboard.press("Control+y")
    tab.sees("15 cells in 5 rows changed")
    tab.press("Revert all")
    tab.sees("No changes yet")


def test_what_does_not_fit_is_kept_marked_and_explained(tab: Tab) -> None:
    bad = ["12,5", "1e400", "NaN", "=1+1", "🐟"]
    tab.grid.paste(0, "volume_filtered", "\n".join(bad))
    tab.sees("5 errors")
    tab.lists("✕ 12,5", "✕ 1e400", "nan", "✕ =1+1", "✕ 🐟")
    for row, text in enumerate(bad):
        expect(tab.grid.cell(row, "volume_filtered")).to_contain_class("tl-bad")
        assert text in tab.grid.text(row, "volume_filtered")
    tab.sees("Write a point before decimals (12.5)")
    tab.why("why")
    expect(tab.button("Submit")).to_be_disabled()


def test_a_row_that_a_filter_shows_is_the_row_that_is_edited(tab: Tab, master: Researcher) -> None:
    wanted = next(n for n, row in enumerate(rows(master)) if row["tow"] == 4)
    before = rows(master)[wanted]
    tab.page.get_by_label("Filter tow").fill("=4")
    expect(tab.grid.cell(0, "tow")).to_have_text("4")
    tab.type(0, "vessel", "R/V Filter")
    tab.submit("the vessel of tow 4")
    assert rows(master)[wanted] == {**before, "vessel": "R/V Filter"}
    assert [row["vessel"] for row in rows(master)].count("R/V Filter") == 1


def test_rows_are_added_and_deleted(tab: Tab, master: Researcher) -> None:
    before = rows(master)
    tab.grid.go(1, "vessel")
    tab.tool("Delete the selected rows")
    tab.sees("1 row deleted")
    tab.grid.go(5, "vessel")
    tab.tool("Add rows below")
    expect(tab.grid.cell(6, "tow")).to_contain_class("tl-added")
    for column, text in {"tow": "900", "net": "1", "vessel": "R/V New"}.items():
        tab.type(6, column, text)
    tab.sees("1 row added, 1 row deleted")
    tab.submit("one in, one out")
    after = rows(master)
    assert len(after) == len(before)
    assert (after[-1]["tow"], after[-1]["vessel"]) == (900, "R/V New")
    gone = (before[1]["tow"], before[1]["net"])
    assert gone not in {(row["tow"], row["net"]) for row in after}


def test_another_page_and_back_loses_nothing(tab: Tab) -> None:
    tab.type(6, "vessel", "R/V Stays")
    tab.go("History")
    tab.sees("newest first")
    tab.go("Edit")
    tab.sees("1 cell in 1 row changed")
    expect(tab.grid.cell(6, "vessel")).to_have_text("R/V Stays")


def test_two_people_edit_different_cells_and_both_are_kept(
    tab: Tab, chromium: Tabs, info: StackInfo, master: Researcher
) -> None:
    other = Tab.open(chromium, info.editor or "")
    tab.type(7, "volume_filtered", "321")
    other.type(7, "vessel", "R/V Other")
    other.submit("their change")
    tab.sees("their change")
    tab.lists("321")
    tab.press("keep my changes")
    expect(tab.grid.cell(7, "vessel")).to_have_text("R/V Other")
    tab.lists("321")
    tab.submit("my change")
    assert (master.row(7)["vessel"], master.row(7)["volume_filtered"]) == ("R/V Other", 321.0)
    other.page.context.close()


def test_two_people_edit_the_same_cell_and_the_second_is_asked(
    tab: Tab, chromium: Tabs, info: StackInfo, master: Researcher
) -> None:
    other = Tab.open(chromium, info.editor or "")
    tab.type(8, "volume_filtered", "111")
    other.type(8, "volume_filtered", "222")
    other.submit("theirs")
    tab.sees("theirs")
    load = tab.page.get_by_role("button", name="with these choices")
    expect(load).to_be_disabled()
    tab.page.locator(".st-key-clashes [data-act*='mine']").first.click()
    expect(load).to_be_enabled()
    load.click()
    tab.lists("111")
    tab.submit("mine, after a look at theirs")
    assert master.row(8)["volume_filtered"] == 111.0
    other.page.context.close()


def test_what_was_typed_comes_back_after_the_editor_was_killed(tab: Tab, info: StackInfo, master: Researcher) -> None:
    tab.type(9, "vessel", "R/V Draft")
    tab.type(10, "volume_filtered", "12,5")
    tab.sees("2 cells in 2 rows changed")
    pid = stack.status(Path(info.data_dir)).editor_pid  # type: ignore[union-attr]
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert lock.wait_until_free(DataDir(Path(info.data_dir)).editor_lock, 10)
    port = int((info.editor or "").rsplit(":", 1)[1])
    back = stack.start(Path(info.data_dir), replace(WITH_EDITOR, editor_port=port), detach=True)
    assert back.editor == info.editor
    tab.reload()
    tab.sees("You have a draft that was not submitted: 2 cells")
    assert b"R/V Draft" in tab.download("Download")
    tab.press("Continue")
    tab.lists("R/V Draft", "✕ 12,5")
    tab.type(10, "volume_filtered", "12.5")
    tab.submit("continued")
    assert (master.row(9)["vessel"], master.row(10)["volume_filtered"]) == ("R/V Draft", 12.5)


def test_a_link_leads_to_a_row_and_to_a_commit(tab: Tab, master: Researcher) -> None:
    row = rows(master)[60]
    tab.reload(f"/?dataset={NAME}&key={row['tow']},{row['net']}")
    expect(tab.page.locator(".slick-cell.active")).to_be_visible()
    expect(tab.page.locator(".slick-row:has(.slick-cell.active)").first).to_have_attribute("data-row", "60")
    tab.reload(f"/?dataset={NAME}&commit=1")
    tab.sees("This is commit 1 as it was")
    tab.grid.go(0, "vessel")
    tab.grid.keyboard.type("x")
    tab.press("Edit the newest commit")
    tab.sees("No changes yet")


def test_a_stack_that_dies_blocks_saving_and_loses_nothing(tab: Tab, info: StackInfo, master: Researcher) -> None:
    tab.type(8, "volume_filtered", "77.25")
    tab.sees("1 cell in 1 row changed")
    kill(info)
    tab.sees("saving is blocked")
    tab.type(9, "volume_filtered", "78.25")
    tab.sees("2 cells in 2 rows changed")
    tab.why("why")
    expect(tab.button("Submit")).to_be_disabled()
    assert b"78.25" in tab.download("Download my changes")
    tab.go("Health")
    tab.sees("does not answer")
    tab.go("Edit")
    back = stack.start(Path(info.data_dir), replace(WITH_EDITOR, port=info.port))
    assert back.editor == info.editor
    tab.sees_no("saving is blocked")
    tab.submit("why")
    assert [master.row(place)["volume_filtered"] for place in (8, 9)] == [77.25, 78.25]
