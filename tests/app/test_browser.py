"""The main job in a real browser, on a real local stack: what a researcher does, and what the bucket holds then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.app.browser import CHROMIUM, Tab, browser
from tests.e2e.researcher import NAME, Researcher
from tests.local_stack import kill, running
from tests.needs import need
from towline.local import stack
from towline.local.stack import StackInfo, Start
from towline.values import Row

WITH_EDITOR = Start(port=0, app=True)
VESSEL, VOLUME = 2, 8  # places of columns in the grid, key columns first


@pytest.fixture(scope="module")
def info(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackInfo]:
    need(CHROMIUM.exists(), f"there is no {CHROMIUM}")
    with running(tmp_path_factory.mktemp("editor"), WITH_EDITOR) as started:
        Researcher(started, NAME)
        yield started


@pytest.fixture
def master(info: StackInfo) -> Researcher:
    """Somebody who looks at the bucket itself, and commits by other means."""
    return Researcher(info, NAME, "bo")


@pytest.fixture
def tab(info: StackInfo) -> Iterator[Tab]:
    assert info.editor is not None
    with browser(info.editor) as opened:
        yield opened


def rows(master: Researcher) -> list[Row]:
    return list(master.head().table.to_pylist())


def test_a_cell_edited_by_keyboard_becomes_a_commit(tab: Tab, master: Researcher) -> None:
    before, number = rows(master), master.head().number
    tab.cell(3, VOLUME)("1234.5")
    tab.sees("1 cell in 1 row changed")
    tab.why("the flow meter was read wrong")
    tab.submit()
    tab.sees(f"Commit {number + 1}: ")
    assert rows(master) == [*before[:3], {**before[3], "volume_filtered": 1234.5}, *before[4:]]
    (record, *_) = master.dataset.log()
    assert (record["note"], record["cells_changed"]) == ("the flow meter was read wrong", 1)
    tab.go("History")
    tab.sees("1234.5")
    tab.go("My proposals")
    tab.sees(f"commit {number + 1}: 1 cell changed")


def test_a_comma_is_kept_and_explained_and_everything_can_be_undone(tab: Tab, master: Researcher) -> None:
    before = rows(master)
    tab.cell(4, VOLUME)("12,5")
    tab.sees("Write a point before decimals (12.5)")
    tab.lists("✕ 12,5")
    tab.cell(4, VOLUME)("12.5")
    tab.cell(5, VESSEL)("=1+1 🐟")
    tab.sees("2 cells in 2 rows changed")
    tab.press("Undo")
    tab.sees("1 cell in 1 row changed")
    tab.lists("12.5")
    tab.press("Redo")
    tab.sees("2 cells in 2 rows changed")
    tab.go("History")
    tab.sees("newest first")
    tab.go("Edit")
    tab.sees("2 cells in 2 rows changed")
    tab.cell(6, VESSEL)("late")
    tab.why("why")
    tab.submit()
    changed = [row["vessel"] for row, old in zip(rows(master), before, strict=True) if row != old]
    assert changed == [before[4]["vessel"], "=1+1 🐟", "late"]


def test_what_somebody_else_commits_meanwhile_is_told_and_merged(tab: Tab, master: Researcher) -> None:
    tab.cell(7, VOLUME)("321")
    tab.sees("1 cell in 1 row changed")
    assert master.send(master.edit(7, vessel="Other")).wait().status == "committed"
    tab.sees("you see commit")
    tab.lists("321")
    tab.press("and keep my changes")
    tab.sees_no("you see commit")
    tab.lists("321")
    tab.why("why")
    tab.submit()
    assert (master.row(7)["vessel"], master.row(7)["volume_filtered"]) == ("Other", 321.0)


def test_a_stack_that_dies_blocks_saving_and_loses_nothing(tab: Tab, info: StackInfo, master: Researcher) -> None:
    tab.cell(8, VOLUME)("77.25")
    tab.sees("1 cell in 1 row changed")
    kill(info)
    tab.sees("saving is blocked")
    tab.cell(9, VOLUME)("78.25")
    tab.sees("2 cells in 2 rows changed")
    assert tab.page.get_by_role("button", name="Submit").is_disabled()
    assert b"78.25" in tab.download("Download my changes")
    back = stack.start(Path(info.data_dir), replace(WITH_EDITOR, port=info.port))
    assert back.editor == info.editor
    tab.sees_no("saving is blocked")
    tab.why("why")
    tab.submit()
    assert [master.row(place)["volume_filtered"] for place in (8, 9)] == [77.25, 78.25]
