"""What was typed is on disk as it is typed, and comes back as it was, whatever happens to the process."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.editing.desk import Desk, new_log
from app.editing.drafts import Shelf
from app.editing.gridlog import REDO, UNDO, Event
from app.editing.sheet import Sheet
from tests.app.sheets import added, at, gone, row, sheet, typed

EVENTS = st.lists(
    st.one_of(
        st.builds(
            lambda place, text: typed(place, vessel=text), st.integers(0, 3), st.sampled_from(["x", "é🐟", None])
        ),
        st.builds(lambda n: added(f"+{n}", tow="9", net=str(n)), st.integers(1, 3)),
        st.sampled_from([gone(1, 0), {"rest": ["1|0"]}, UNDO, REDO, {"del": ["+1"]}]),
    ),
    max_size=12,
)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "drafts")


def desk(shelf: Shelf, at_sheet: Sheet | None = None) -> Desk:
    return Desk(at_sheet or sheet(), new_journal=lambda s: shelf.journal(s.dataset, s.commit, s.number))


def test_a_desk_that_is_only_looked_at_leaves_nothing_on_disk(shelf: Shelf) -> None:
    desk(shelf)
    assert shelf.drafts("nets") == ()
    assert not shelf.root.exists()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=EVENTS)
def test_a_draft_read_back_is_the_state_with_all_its_steps_of_undo(
    tmp_path_factory: object, events: list[Event]
) -> None:
    shelf = Shelf(tmp_path_factory.mktemp("shelf"))  # type: ignore[attr-defined]
    one = desk(shelf)
    for event in events:
        one.do(event)
    if one.edits:
        (draft,) = shelf.drafts("nets")
        assert json.loads(json.dumps(one.log.state.to_json())) == json.loads(json.dumps(draft.state.to_json()))
        assert Desk(sheet(), new_log(draft.state)).edits == one.edits


def test_half_a_line_that_a_killed_process_left_costs_that_line_only(shelf: Shelf) -> None:
    one = desk(shelf)
    one.do(typed(0, volume="3"))
    one.do(typed(1, volume="4"))
    assert one.journal is not None
    body = one.journal.path.read_bytes()
    one.journal.path.write_bytes(body[:-3])
    (draft,) = shelf.drafts("nets")
    assert draft.state.cells == {"1|0": {"volume": "3"}}


def test_what_cannot_be_read_is_told_and_left_where_it_is(shelf: Shelf) -> None:
    one = desk(shelf)
    one.do(typed(0, volume="3"))
    assert one.journal is not None
    one.journal.path.write_text('{"format":"something/v9"}\n')
    (draft,) = shelf.drafts("nets")
    assert "something/v9" in draft.problem
    assert draft.path.exists()


def test_the_note_is_kept_with_the_edits(shelf: Shelf) -> None:
    one = desk(shelf)
    one.write_note("too early to be kept alone")
    one.do(typed(0, volume="3"))
    assert shelf.drafts("nets")[0].note == "too early to be kept alone"
    one.write_note("the meter")
    assert shelf.drafts("nets")[0].note == "the meter"


def test_a_draft_counts_what_it_holds(shelf: Shelf) -> None:
    one = desk(shelf)
    for event in (typed(0, volume="3", vessel="x"), added("+1", tow="9"), gone(2, 0), added("+2", tow="8")):
        one.do(event)
    one.do({"del": ["+2"]})
    (draft,) = shelf.drafts("nets")
    assert (draft.cells, draft.added, draft.deleted) == (3, 1, 1)
    one.revert_all()
    assert shelf.drafts("nets") == ()


def test_going_on_with_a_newer_commit_moves_the_draft_there(shelf: Shelf) -> None:
    one = desk(shelf)
    one.do(typed(0, volume="3"))
    newer = sheet(row(1, 0, vessel="Other"), number=2)
    one.carry(newer)
    (draft,) = shelf.drafts("nets")
    assert (draft.commit, draft.number, draft.state.cells) == (newer.commit, 2, {"1|0": {"volume": "3"}})


def test_what_was_committed_is_no_draft_any_more(shelf: Shelf) -> None:
    one = desk(shelf)
    one.do(typed(0, volume="3"))
    one.carry(sheet(row(1, 0, volume=3.0), number=2))
    assert shelf.drafts("nets") == ()


def test_two_desks_on_one_commit_keep_a_draft_each(shelf: Shelf) -> None:
    desk(shelf).do(typed(0, volume="3"))
    desk(shelf).do(typed(0, volume="4"))
    assert {draft.state.cells["1|0"]["volume"] for draft in shelf.drafts("nets")} == {"3", "4"}


def test_only_the_person_may_read_a_draft(shelf: Shelf) -> None:
    one = desk(shelf)
    one.do(typed(0, volume="3"))
    assert one.journal is not None
    assert stat.S_IMODE(os.stat(one.journal.path).st_mode) == 0o600


def test_a_disk_that_takes_nothing_is_told_and_everything_is_written_once_it_does(shelf: Shelf) -> None:
    one = desk(shelf)
    shelf.root.mkdir()
    (shelf.root / "nets").write_text("in the way")
    one.do(typed(0, volume="3"))
    assert "nets" in one.unkept
    assert one.edits.cells == {(1, 0): {"volume": "3"}}
    (shelf.root / "nets").unlink()
    one.do(at(1, 1, volume="4"))
    assert not one.unkept
    (draft,) = shelf.drafts("nets")
    assert draft.state.cells == {"1|0": {"volume": "3"}, "1|1": {"volume": "4"}}
