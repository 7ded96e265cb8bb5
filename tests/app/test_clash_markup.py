"""The table of clashes: all of them can be decided from a bounded page, and nothing that differs is cut away."""

from __future__ import annotations

import json
import re
from functools import cache
from html import unescape

import pytest

from app.clash_markup import PAGE, Chooser, after, clashing, progress, table
from app.editing.choices import ALL, CELL, MINE, THEIRS, Choices, Clash
from app.editing.edits import Edits
from app.editing.rebase import rebase
from app.editing.sheet import Sheet
from tests.app.sheets import CONTRACT, edits, row, sheet

MANY = 5_000


def chooser(old: Sheet, mine: Edits, new: Sheet, choices: Choices | None = None, page: int = 0) -> Chooser:
    return Chooser(rebase(old, mine, new).clashes, choices or Choices(), CONTRACT, {}, page=page)


@cache
def thousands() -> tuple[Clash, ...]:
    """Clashes in thousands of cells of one column, and one of another."""
    rows = [row(tow, 0, volume=1.0) for tow in range(MANY)]
    cells = {(tow, 0): {"volume": "2"} for tow in range(MANY)}
    mine = Edits({**cells, (7, 0): {"volume": "2", "vessel": "mine"}})
    new = sheet(*({**held, "volume": 3.0, "vessel": "theirs"} for held in rows), number=2)
    return rebase(sheet(*rows), mine, new).clashes


def many(choices: Choices | None = None, page: int = 0) -> Chooser:
    return Chooser(thousands(), choices or Choices(), CONTRACT, {}, page=page)


def acts(html: str) -> list[list[object]]:
    return [json.loads(unescape(act)) for act in re.findall(r'data-act="([^"]*)"', html)]


def said(html: str) -> str:
    """The text of some HTML."""
    return unescape(re.sub(r"<[^>]*>", " ", html))


def test_of_thousands_one_page_is_listed_with_the_true_totals_and_all_can_be_decided_at_once() -> None:
    found = many()
    html = table(found)
    assert len([act for act in acts(html) if act[0] == "one"]) == 2 * PAGE
    assert "All 5,001" in html
    assert "5,000 cells, 5,000 to go" in said(html)
    assert f"1 to {PAGE} of 5,001" in html
    assert "5,001 cells clash" in clashing(found.clashes)
    assert progress(found) == "0 of 5,001 decided"
    (everything,) = [act for act in acts(html) if act[0] == "group" and act[1:] == [*ALL, MINE]]
    chosen, _ = after(json.dumps(everything), found.choices, found.clashes)
    assert progress(many(chosen)) == "all 5,001 decided"


def test_every_clash_is_on_some_page_and_a_page_that_is_not_there_is_the_last_one() -> None:
    found = many()
    listed = [clash for page in range(found.pages) for clash in many(page=page).listed]
    assert len(listed) == len(found.clashes)
    assert {clash.place for clash in listed} == {clash.place for clash in found.clashes}
    assert many(page=10**6).at == found.pages - 1
    assert many(page=-1).at == 0
    assert ["page", 1] in acts(table(found))
    assert after('["page", 3]', found.choices, found.clashes) == (found.choices, 3)


def test_what_is_chosen_is_told_by_a_sign() -> None:
    old, new = sheet(row(1, 0)), sheet(row(1, 0, volume=7.0), number=2)
    open_, decided = (
        table(chooser(old, edits(r10={"volume": "3"}), new, choices)) for choices in (None, Choices.of_all(THEIRS))
    )
    assert (open_.count("◉"), open_.count("○")) == (0, 2)
    assert (decided.count("◉"), decided.count("○")) == (1, 1)
    assert decided.index("◉") < decided.index("○")


def test_of_two_long_texts_the_part_is_shown_where_they_part() -> None:
    long = "the same beginning " * 20
    old, new = sheet(row(1, 0)), sheet(row(1, 0, vessel=f"{long}theirs"), number=2)
    html = table(chooser(old, edits(r10={"vessel": f"{long}mine"}), new))
    assert "theirs" in html
    assert "mine" in html


def test_a_text_that_does_not_fit_is_shown_as_it_was_typed() -> None:
    old, new = sheet(row(1, 0)), sheet(row(1, 0, volume=7.0), number=2)
    assert ">12,5<" in table(chooser(old, edits(r10={"volume": "12,5"}), new))


def test_a_whole_row_shows_what_was_changed_in_it() -> None:
    old, new = sheet(row(1, 0), row(2, 0)), sheet(row(2, 0), number=2)
    html = table(chooser(old, edits(r10={"volume": "3"}), new))
    assert "volume 10.5 → 3" in html
    assert "the row is deleted" in html
    changed = sheet(row(1, 0, volume=7.0, vessel=None, is_day=None), row(2, 0), number=2)
    html = said(table(chooser(old, Edits(deleted=frozenset({(1, 0)})), changed)))
    assert "volume 10.5 → 7" in html
    assert "vessel Meridian →  null" in html


@pytest.mark.parametrize(
    "act", ["", "[]", "null", '["one"]', '["one", "cell", "volume", "9|9", "mine"]', '["group", 1, 2, 3]']
)
def test_a_button_that_is_not_there_any_more_changes_nothing(act: str) -> None:
    old, new = sheet(row(1, 0)), sheet(row(1, 0, volume=7.0), number=2)
    clashes = rebase(old, edits(r10={"volume": "3"}), new).clashes
    assert after(act, Choices(), clashes) == (Choices(), None)


def test_values_are_text() -> None:
    old, new = sheet(row(1, 0)), sheet(row(1, 0, vessel="<b>x"), number=2)
    html = table(chooser(old, edits(r10={"vessel": "<i>y"}), new))
    assert "<b>x" not in html
    assert "<i>y" not in html


def test_what_only_an_earlier_choice_decides_says_so() -> None:
    old, new = sheet(row(1, 0)), sheet(row(1, 0, volume=7.0), number=2)
    earlier = Choices().choose_group((CELL, "volume"), MINE).remembered()
    found = chooser(old, edits(r10={"volume": "3"}), new, earlier)
    assert "as you chose before" in table(found)
    assert progress(found) == "decided, 1 of them as you chose before: look first"
