"""The lists beside the grid: what they say, and what a click in them means."""

from __future__ import annotations

import html
import json
import re

from hypothesis import given
from hypothesis import strategies as st

from app import side_markup
from app.editing.desk import Desk
from app.editing.gridlog import Event
from tests.app.sheets import CONTRACT, added, at, gone, sheet, typed
from tests.app.test_markup import said

ACTS = re.compile(r'data-act="([^"]*)"')


def desk(*events: Event) -> Desk:
    found = Desk(sheet())
    for event in events:
        found.do(event)
    return found


def changes(found: Desk) -> str:
    return side_markup.changes(found.pending, found.log.state, CONTRACT)


def acts(text: str) -> list[list[str | None]]:
    return [json.loads(html.unescape(act)) for act in ACTS.findall(text)]


def test_what_changed_is_summed_up_in_words() -> None:
    found = desk(typed(0, volume="3", vessel="x"), added("+1", tow="9"), gone(2, 0))
    assert side_markup.summary(found.pending) == "2 cells in 1 row changed, 1 row added, 1 row deleted"
    assert side_markup.summary(desk().pending) == "No changes yet"


def test_insertions_and_deletions_and_new_keys_say_so_in_words() -> None:
    text = said(changes(desk(at(1, 0, net="7"), added("+1", vessel="x"), gone(2, 0))))
    assert "✎tow 1, net 0 gets another key" in text
    assert "\N{MINUS SIGN}tow 2, net 0 is deleted" in text
    assert "+A new row is added" in text


def test_every_row_and_every_cell_of_several_can_be_gone_to_and_taken_back() -> None:
    found = acts(changes(desk(typed(0, volume="3", vessel="x"), typed(1, volume="4"))))
    assert ["revert", "1|0", None] in found
    assert ["revert", "1|0", "vessel"] in found
    assert ["show", "1|1", "volume"] in found
    assert ["revert", "1|1", "volume"] not in found  # the row has no other


def test_an_added_row_is_called_as_the_grid_calls_it() -> None:
    assert ["revert", "+x.1", None] in acts(changes(desk(added("+x.1", vessel="x"))))


def test_a_click_takes_back_what_it_says() -> None:
    found = desk(typed(0, volume="3", vessel="x"), added("+1", tow="9"), gone(2, 0))
    for act in acts(changes(found)):
        verb, row, column = act
        if verb == side_markup.REVERT and column is None:
            assert row is not None
            found.revert(row)
    assert not found.edits


def test_a_violation_says_where_what_and_which_rule_and_leads_there() -> None:
    found = desk(typed(0, volume="12,5"))
    text = side_markup.violations(found.pending, found.log.state, CONTRACT)
    assert "tow 1, net 0 · volume type.number" in said(text)
    assert "Write a point before decimals (12.5)" in said(text)
    assert acts(text) == [["show", "1|0", "volume"]]


def test_a_long_list_is_cut_and_says_how_much_more_there_is() -> None:
    events = [added(f"+{n}", tow="9", net=str(n), volume="x") for n in range(side_markup.LISTED + 5)]
    found = desk(*events)
    assert "… and 5 more rows" in said(changes(found))


@given(st.text(min_size=1))
def test_nothing_that_is_typed_becomes_markup(text: str) -> None:
    found = desk(typed(0, vessel=text, volume=text), at("<b>", 0, vessel=text))
    for part in (changes(found), side_markup.violations(found.pending, found.log.state, CONTRACT)):
        assert "<" not in said(part)
    assert "<" not in said(side_markup.strays(found.strays))


@given(st.text())
def test_what_is_no_act_is_none(text: str) -> None:
    assert side_markup.read_act(text) is None or json.loads(text)[0] in ("show", "revert")
