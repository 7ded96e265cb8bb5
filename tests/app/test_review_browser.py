"""Reviews in a real browser, on a real local stack: one proposes, another approves, and nobody their own."""

from __future__ import annotations

import getpass
import os
from pathlib import Path

from playwright.sync_api import expect

from tests.app.browser import CHROMIUM, WITH_EDITOR, Tab, tabs
from tests.e2e.researcher import NAME, Researcher
from tests.local_stack import running
from tests.needs import need
from towline import steward
from towline.reviews import APPROVE


def test_one_person_proposes_and_another_approves(tmp_path: Path) -> None:
    need(CHROMIUM.exists(), f"there is no {CHROMIUM}")
    with running(tmp_path, WITH_EDITOR) as info, tabs() as chromium:
        bo, me = Researcher(info, NAME, "bo", {"policy": "always"}), getpass.getuser()
        waits = bo.send(bo.edit(3, volume_filtered=1234.5))
        assert waits.wait().status == "in_review"
        tab = Tab.open(chromium, info.editor or "")
        tab.go("Review")
        for said in ("1 proposal waiting", "every proposal is reviewed", "1 row changed, 1 cell", "1234.5"):
            tab.sees(said)
        picture(tab, "review")
        tab.why("compared with the log book")
        tab.press("Approve")
        tab.sees("bo's proposal is committed: commit 2: 1 cell changed.")
        assert bo.row(3)["volume_filtered"] == 1234.5
        assert waits.receipt().review["reviews"][0]["principal"] == me

        tab.go("Edit")
        tab.type(5, "vessel", "R/V Mine")
        tab.why("a new name")
        tab.press("Submit")
        tab.sees("In review: a steward has to approve it")
        tab.sees("No changes yet")
        tab.go("My proposals")
        tab.sees("In review: a steward has to approve it")
        tab.go("Review")
        tab.sees(f"You cannot review this: {me} proposed it, and nobody reviews their own proposal here.")
        expect(tab.page.get_by_role("button", name="Approve")).to_have_count(0)
        picture(tab, "review-own")
        (receipt,) = steward.waiting(bo.bench, NAME)
        case = steward.look(bo.dataset, receipt.proposal)
        word = steward.say(bo.dataset, case, APPROVE, "fine", case.effect)
        assert steward.outcome(bo.dataset, receipt.proposal, word).number == 3
        tab.go("My proposals")
        tab.sees("commit 3: 1 cell changed")
        expect(tab.page.get_by_test_id("stException")).to_have_count(0)
        assert tab.grid.problems == []


def picture(tab: Tab, name: str) -> None:
    """For who looks at the pages: TOWLINE_PICTURES says where to."""
    if where := os.environ.get("TOWLINE_PICTURES"):
        tab.page.screenshot(path=Path(where) / f"{name}.png")
