"""A large table on the desk: pages of its rows, and edits on many of them that are one list of edits."""

from __future__ import annotations

from itertools import count

import pytest

from app.editing import paged, submit
from app.editing.desk import Desk
from app.editing.edits import Edits
from app.editing.gridlog import Message
from app.editing.gridsheet import edits_of, table_json
from app.editing.paged import Leaf, PagedSheet, read_id
from app.editing.rebase import rebase
from app.editing.sheet import Sheet, row_id
from app.editing.since import since
from tests.app import sheets
from tests.app.sheets import CONTRACT, added, at, gone
from towline import table as tables
from towline.browse import Book, Condition, View
from towline.parquet.tablefile import TableFile
from towline.rows import Filed
from towline.values import Key, Row

ROWS = [sheets.row(tow, net, volume=float(10 * tow + net)) for tow in range(1, 11) for net in range(4)]


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paged, "PAGE", 10)


_numbers = count(1)


def large(*rows: Row) -> PagedSheet:
    """A commit of a table in a file; without rows, of forty nets."""
    held = sheets.sheet(*(rows or ROWS)).table
    body = tables.to_parquet(held, CONTRACT.key, commit="", number=1)
    file = TableFile.of_bytes(body)
    number = next(_numbers)
    return PagedSheet(CONTRACT, f"{number:026d}", number, Book(file, CONTRACT.key), Filed(file, CONTRACT.key))


@pytest.fixture
def desk() -> Desk:
    return Desk(large())


def page_of(desk: Desk) -> PagedSheet:
    assert isinstance(desk.sheet, PagedSheet)
    return desk.sheet


def shown(desk: Desk) -> list[Key]:
    return list(desk.sheet.rows)


def test_the_grid_is_given_one_page(desk: Desk) -> None:
    table = table_json(desk.sheet)
    assert table["ids"] == [row_id((tow, net)) for tow in (1, 2, 3) for net in range(4)][:10]
    assert (len(table["texts"]), len(table["texts"][0])) == (7, 10)
    assert desk.sheet.num_rows == 40


def test_pages_follow_each_other_and_lead_back(desk: Desk) -> None:
    first = page_of(desk)
    assert first.previous() is None
    second = first.next()
    assert next(iter(second.rows)) == (3, 2)
    back = second.previous()
    assert back is not None
    assert list(back.rows) == list(first.rows)
    last = second.next().next()
    assert (last.page.next, list(last.rows)[-1]) == (None, (10, 3))


def test_edits_on_two_pages_are_one_list_in_the_order_of_the_table(desk: Desk) -> None:
    desk.turn(page_of(desk).next())
    desk.do(at(3, 3, volume="1"))
    desk.turn(page_of(desk).at(0))
    desk.do(at(1, 1, vessel="Petrel"))
    desk.turn(page_of(desk).at(39))
    desk.do(gone(10, 3))
    assert [(line.row, line.kind) for line in desk.pending.lines] == [
        ((1, 1), "update"),
        ((3, 3), "update"),
        ((10, 3), "delete"),
    ]
    assert [change.key(CONTRACT.key) for change in desk.pending.changes] == [(1, 1), (3, 3), (10, 3)]
    assert desk.pending.ready
    assert desk.strays == {}


def test_undo_goes_back_over_pages(desk: Desk) -> None:
    desk.do(at(1, 1, vessel="Petrel"))
    desk.turn(page_of(desk).next())
    desk.do(at(3, 3, volume="1"))
    desk.undo()
    desk.undo()
    assert not desk.edits
    desk.redo()
    assert [line.row for line in desk.pending.lines] == [(1, 1)]


def test_what_the_grid_says_late_of_the_page_before_is_taken_by_key(desk: Desk) -> None:
    before = desk.log.epoch
    desk.turn(page_of(desk).next())
    desk.hear(Message("grid", before, events=((1, at(1, 1, volume="5")),)))
    assert not desk.edits  # it was said of another epoch, and is said again
    desk.hear(Message("grid", desk.log.epoch, events=((1, at(1, 1, volume="5")),)))
    assert [line.row for line in desk.pending.lines] == [(1, 1)]


def test_a_click_on_a_row_of_another_page_goes_to_its_page(desk: Desk) -> None:
    desk.do(at(1, 1, vessel="Petrel"))
    desk.turn(page_of(desk).at(39))
    desk.go(row_id((1, 1)), "vessel")
    assert (1, 1) in shown(desk)
    assert desk.jump is not None
    assert (desk.jump.row, desk.jump.column) == ("1|1", "vessel")
    epoch = desk.log.epoch
    desk.go(row_id((1, 2)))
    assert desk.log.epoch == epoch  # it is on the page that is shown


def test_an_added_row_is_there_on_every_page(desk: Desk) -> None:
    desk.do(added("+a.1", tow="99", net="0"))
    desk.turn(page_of(desk).next())
    assert [line.kind for line in desk.pending.lines] == ["insert"]
    desk.go("+a.1")
    assert (3, 2) in shown(desk)


def test_a_key_that_is_anywhere_in_the_table_cannot_be_added(desk: Desk) -> None:
    desk.do(added("+a.1", tow="9", net="3"))
    assert [violation.rule for violation in desk.pending.report.violations] == ["row.exists"]


def test_a_filter_and_a_sort_look_at_the_whole_table(desk: Desk) -> None:
    view = View((Condition("net", "=", 3),), "volume", descending=True)
    desk.turn(page_of(desk).turned(Leaf(view)))
    assert shown(desk) == [(tow, 3) for tow in range(10, 0, -1)]
    assert page_of(desk).page.next is None


def test_only_rows_that_are_asked_for_are_read_beside_the_page(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Key] = []
    read = Filed.rows

    def rows(self: Filed, keys: list[Key]) -> dict[Key, Row]:
        asked.extend(keys)
        return read(self, keys)

    monkeypatch.setattr(Filed, "rows", rows)
    assert shown(desk)[0] == (1, 0)
    desk.do(at(1, 1, volume="5"))
    desk.do(at(1, 2, volume="6"))
    assert desk.pending.ready
    desk.turn(page_of(desk).at(39))
    assert shown(desk)[-1] == (10, 3)
    desk.do(at(10, 3, volume="7"))
    assert desk.pending.ready
    assert asked == []


def test_a_draft_of_edits_on_many_pages_is_read_back(desk: Desk) -> None:
    desk.do(at(1, 1, volume="5"))
    desk.do(at(10, 3, volume="7"))
    fresh = large()
    assert edits_of(desk.log.state, fresh) == Edits({(1, 1): {"volume": "5"}, (10, 3): {"volume": "7"}})


def test_a_row_that_the_table_has_not_is_a_stray(desk: Desk) -> None:
    desk.do(at(77, 0, volume="5"))
    assert desk.strays == {"77|0": {"volume": "5"}}


def without(*keys: Key) -> list[Row]:
    return [row for row in ROWS if CONTRACT.key_of(row) not in keys]


def changed(key: Key, **cells: object) -> list[Row]:
    return [{**row, **cells} if CONTRACT.key_of(row) == key else row for row in ROWS]  # type: ignore[dict-item]


@pytest.mark.parametrize(
    "theirs",
    [
        changed((1, 1), volume=7.0),
        changed((10, 3), volume=7.0),
        changed((9, 0), vessel="Petrel"),
        without((1, 1)),
        without((10, 3)),
        [*ROWS, sheets.row(99, 0)],
    ],
)
def test_edits_meet_a_newer_commit_as_those_of_a_table_at_hand(desk: Desk, theirs: list[Row]) -> None:
    desk.do(at(1, 1, volume="5"))
    desk.do(gone(10, 3))
    desk.do(at(9, 0, vessel="Plover"))
    desk.do(added("+a.1", tow="99", net="0", volume="1"))
    small = sheets.sheet(*ROWS)
    wanted = rebase(small, edits_of(desk.log.state, small), sheets.sheet(*theirs, number=2))
    found = rebase(desk.sheet, desk.edits, large(*theirs))
    assert found.edits == wanted.edits
    assert [(each.kind, each.key, each.column) for each in found.clashes] == [
        (each.kind, each.key, each.column) for each in wanted.clashes
    ]


def test_what_was_typed_since_submitting_stands_on_the_table_with_what_was_sent(desk: Desk) -> None:
    desk.do(at(1, 1, volume="5"))
    desk.do(gone(10, 3))
    sent = desk.edits
    desk.do(at(1, 1, volume="6"))
    desk.do(at(5, 2, vessel="Plover"))
    base, late = since(desk.sheet, sent, desk.edits)
    assert late == Edits({(1, 1): {"volume": "6"}, (5, 2): {"vessel": "Plover"}})
    assert base.rows[1, 1]["volume"] == 5.0
    assert (10, 3) not in base.rows


def test_a_proposal_is_tried_on_a_newer_commit_by_its_rows(desk: Desk) -> None:
    desk.do(at(1, 1, volume="5"))
    plan = submit.preview(desk.pending, desk.sheet, large(*changed((1, 1), vessel="Petrel")))
    assert plan.ok
    conflict = submit.preview(desk.pending, desk.sheet, large(*changed((1, 1), volume=7.0)))
    assert [each.kind for each in conflict.conflicts] == ["update/update"]


def test_a_newer_commit_is_shown_from_the_same_place(desk: Desk) -> None:
    desk.do(at(1, 1, volume="5"))
    desk.turn(page_of(desk).next())
    newer = large(*changed((1, 1), vessel="Petrel"))
    desk.carry(newer)
    assert (3, 2) in shown(desk)
    assert (desk.sheet.commit, desk.edits) == (newer.commit, Edits({(1, 1): {"volume": "5"}}))


def test_a_newer_commit_may_be_small_again(desk: Desk) -> None:
    desk.do(at(1, 1, volume="5"))
    newer: Sheet = sheets.sheet(*ROWS[:8], number=99)
    desk.carry(newer)
    assert (desk.sheet, desk.edits) == (newer, Edits({(1, 1): {"volume": "5"}}))


@pytest.mark.parametrize("key", [(4, 1), (-4, 0)])
def test_an_id_says_its_key(key: Key) -> None:
    assert read_id(row_id(key), CONTRACT) == key


def test_what_is_no_id_of_a_row_says_no_key() -> None:
    for text in ("", "4", "4|1|2", "+a.1", "a|b", "4|\\0"):
        assert read_id(text, CONTRACT) in (None, (4, None))
