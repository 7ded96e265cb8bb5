"""A conflict solved in a real browser, on a real local stack: what two people did, and what the bucket holds then."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.app.browser import Tab
from tests.e2e.researcher import NAME, Researcher
from towline.change import RowChange
from towline.dataset import Draft
from towline.local.stack import StackInfo
from towline.receipts import Receipt
from towline.settings import os_user
from towline.values import Row


@pytest.fixture
def mine(info: StackInfo) -> Researcher:
    return Researcher(info, NAME, os_user())


def key_of(row: Row) -> tuple[object, object]:
    return row["tow"], row["net"]


def draft(person: Researcher, note: str, volumes: tuple[float, float], vessel: str, first: int) -> Draft:
    """The volumes of two rows, the `first` and the next, and a new row."""
    one, other = person.row(first), person.row(first + 1)
    new = {**dict.fromkeys(one), "tow": 900 + first, "net": 1, "vessel": vessel, "volume_filtered": volumes[0]}
    changes = [
        RowChange(one, {**one, "volume_filtered": volumes[0]}),
        RowChange(other, {**other, "volume_filtered": volumes[1]}),
        RowChange(None, new),
    ]
    commit = person.head().commit
    assert commit is not None
    return person.dataset.rows(changes, note, commit)


def overtaken(mine: Researcher, bo: Researcher, first: int) -> Receipt:
    """Both say something about the same cells and the same key; the second proposal is in conflict."""
    late = draft(mine, "flow meter read again", (111.0, 222.0), "R/V Mine", first)
    early = draft(bo, "as in the cruise report", (333.0, 444.0), "R/V Bo", first)
    assert bo.send(early).wait().status == "committed"
    receipt = mine.send(late).wait()
    assert receipt.status == "conflicted"
    return receipt


def pick(tab: Tab, *act: str) -> None:
    """Click a button of the list."""
    tab.page.locator(f".st-key-conflicts [data-act='{json.dumps(act)}']").click()


def solve(tab: Tab, note: str) -> None:
    tab.go("My proposals")
    card = tab.page.locator("[data-testid='stHorizontalBlock']", has_text=note).last
    card.get_by_role("button", name="Solve").click()
    tab.sees("0 of 4 decided")


def test_a_conflict_is_solved_side_by_side_and_committed(
    tab: Tab, mine: Researcher, info: StackInfo, tmp_path: Path
) -> None:
    old = overtaken(mine, Researcher(info, NAME, "bo"), 3)
    one, other = mine.row(3), mine.row(4)
    solve(tab, "flow meter read again")
    tab.sees("bo: “as in the cruise report”")
    names = ["|".join(map(str, key_of(row))) for row in (one, other)]
    pick(tab, "pick", names[0], "volume_filtered", "ours")
    tab.sees("1 of 4 decided")
    pick(tab, "type", names[1], "volume_filtered")
    third = tab.page.get_by_role("textbox", name="volume_filtered")
    third.fill("12,5")
    third.press("Enter")
    tab.sees("Write a point before decimals (12.5)")
    third.fill("250.5")
    third.press("Enter")
    tab.sees("2 of 4 decided")
    expect(tab.button("Send")).to_be_disabled()
    pick(tab, "type", "903|1", "")
    tab.page.get_by_role("textbox", name="net").fill("2")
    tab.press("Take it")
    tab.sees("all 4 decided")
    tab.sees("2 rows changed, 1 row added")
    tab.page.screenshot(path=tmp_path / "solved.png")
    number = mine.head().number
    tab.press("Send")
    expect(tab.button(f"Commit {number + 1}")).to_be_visible()
    assert (mine.row(3)["volume_filtered"], mine.row(4)["volume_filtered"]) == (111.0, 250.5)
    vessels = {key_of(row): row["vessel"] for row in mine.head().table.to_pylist()}
    assert (vessels[903, 1], vessels[903, 2]) == ("R/V Bo", "R/V Mine")
    record = mine.dataset.log()[0]
    assert (record["note"], record["user"]) == ("flow meter read again", os_user())
    assert mine.dataset.status(str(record["proposal"])).resolves == old.proposal
    assert mine.dataset.status(old.proposal).status == "conflicted"


def test_all_of_a_column_at_once_and_the_rest_in_one_click(tab: Tab, mine: Researcher, info: StackInfo) -> None:
    bo = Researcher(info, NAME, "bo")
    old = overtaken(mine, bo, 7)
    tab.page.goto(f"{tab.url}/conflicts?dataset={NAME}&proposal={old.proposal}")
    tab.sees("0 of 4 decided")
    pick(tab, "all", "cell", "volume_filtered", "ours")
    tab.sees("3 of 4 decided")
    pick(tab, "all", "row", "907|1", "theirs")
    tab.sees("all 4 decided")
    bo.send(bo.edit(7, volume_filtered=555.0)).wait()
    tab.sees("came meanwhile")
    tab.sees("3 of 4 decided")
    pick(tab, "all", "", "", "ours")
    tab.sees("all 4 decided")
    tab.press("Send")
    tab.sees("✓ committed")
    assert (mine.row(7)["volume_filtered"], mine.row(8)["volume_filtered"]) == (111.0, 222.0)
