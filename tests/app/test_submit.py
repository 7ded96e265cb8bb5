"""The way of a proposal from the desk to its commit, over the whole pipeline in memory."""

from __future__ import annotations

import pytest

from app.editing.choices import MINE, Choices
from app.editing.desk import Desk
from app.editing.gridlog import Event
from app.editing.remote import glance, news, open_sheet
from app.editing.since import Sent
from app.editing.submit import OVERTAKEN, landed, look, preview, send, submit, ticket
from tests.app.sheets import added, gone, typed
from tests.core.nets import NAME, Nets
from towline.errors import NotFound, OutcomeUnknown, Unavailable
from towline.memory import fail_once
from towline.receipts import Receipt


@pytest.fixture
def nets() -> Nets:
    return Nets()


def desk_of(nets: Nets, *events: Event) -> Desk:
    """The head, with something typed into it."""
    desk = Desk(open_sheet(nets.pipeline.bench, NAME))
    for event in events:
        desk.do(event)
    return desk


def outcome(nets: Nets, desk: Desk, note: str = "why") -> Receipt:
    """Submit, deliver, wait and take in."""
    assert submit(desk, nets.dataset, note), desk.problem
    nets.pipeline.pump()
    return look(desk, nets.dataset)


def test_what_was_typed_is_committed_and_the_grid_goes_on_from_there(nets: Nets) -> None:
    desk = desk_of(nets, typed(0, volume="12.25"), added("n", tow="3", net="0"), gone(2, 1))
    receipt = outcome(nets, desk)
    assert (receipt.status, receipt.number) == ("committed", 2)
    assert desk.sheet.commit == receipt.commit == nets.commit
    assert desk.sheet.rows[1, 0]["volume"] == 12.25
    assert list(desk.sheet.rows) == [(1, 0), (1, 1), (2, 0), (3, 0)]
    assert not desk.edits
    assert desk.receipt is receipt


def test_what_was_typed_after_submitting_is_still_pending(nets: Nets) -> None:
    desk = desk_of(nets)
    desk.do(typed(0, volume="12.25"))
    assert submit(desk, nets.dataset, "why")
    desk.do(typed(0, volume="13", vessel="late"))
    nets.pipeline.pump()
    landed(desk, nets.pipeline.bench, ticket(desk, nets.dataset).receipt())
    assert desk.sheet.rows[1, 0]["volume"] == 12.25
    assert desk.edits.cells == {(1, 0): {"volume": "13", "vessel": "late"}}


def test_a_rejection_changes_nothing_here(nets: Nets) -> None:
    desk = desk_of(nets)
    desk.do(typed(0, volume="12.25"))
    assert submit(desk, nets.dataset, "why")
    refused = Receipt(ticket(desk, nets.dataset).proposal, NAME, "rejected", errors=1)
    edits = desk.edits
    landed(desk, nets.pipeline.bench, refused)
    assert (desk.edits, desk.sent, desk.receipt) == (edits, None, refused)


def test_a_conflict_leaves_the_edits_and_they_can_go_on_from_the_new_head(nets: Nets) -> None:
    desk = desk_of(nets, typed(0, volume="12.25"))
    nets.send(nets.by("bo").edit(1, 0, volume=99.0))
    assert outcome(nets, desk).status == "conflicted"
    assert desk.edits.cells == {(1, 0): {"volume": "12.25"}}
    found = news(nets.pipeline.bench, desk.sheet)
    assert [record["user"] for record in found.records] == ["ana"]
    assert len(desk.clashes(found.sheet)) == 1
    desk.carry(found.sheet, Choices.of_all(MINE))
    assert outcome(nets, desk).status == "committed"
    assert nets.row(1, 0)["volume"] == 12.25


def test_edits_of_other_cells_merge_without_asking(nets: Nets) -> None:
    desk = desk_of(nets)
    desk.do(typed(0, volume="12.25"))
    nets.send(nets.edit(1, 0, vessel="Other"))
    assert outcome(nets, desk).status == "committed"
    assert (nets.row(1, 0)["vessel"], nets.row(1, 0)["volume"]) == ("Other", 12.25)
    assert desk.sheet.rows[1, 0]["vessel"] == "Other"


@pytest.mark.parametrize("note", ["", "   ", "x\0y"])
def test_a_note_is_required_and_must_be_text(nets: Nets, note: str) -> None:
    desk = desk_of(nets)
    desk.do(typed(0, volume="12.25"))
    assert not submit(desk, nets.dataset, note)
    assert "note" in desk.problem
    assert desk.edits


def test_errors_block_submitting(nets: Nets) -> None:
    desk = desk_of(nets)
    assert not submit(desk, nets.dataset, "why")
    desk.do(typed(0, volume="12,5"))
    assert not submit(desk, nets.dataset, "why")
    assert "errors" in desk.problem


def test_pressing_twice_sends_once(nets: Nets) -> None:
    desk = desk_of(nets)
    desk.do(typed(0, volume="12.25"))
    assert submit(desk, nets.dataset, "why")
    assert not submit(desk, nets.dataset, "why")
    assert len(nets.pipeline.arrivals()) == 1


def test_a_store_that_is_down_takes_nothing_and_nothing_is_lost(nets: Nets) -> None:
    desk = desk_of(nets)
    desk.do(typed(0, volume="12.25"))
    nets.pipeline.store.faults = fail_once("put", "before", Unavailable("no connection"), prefix="inbox/")
    assert not submit(desk, nets.dataset, "why")
    assert "no connection" in desk.problem
    assert desk.sent is None
    assert outcome(nets, desk).status == "committed"


def test_a_lost_answer_is_looked_after_and_sending_again_makes_one_commit(nets: Nets) -> None:
    desk = desk_of(nets)
    desk.do(typed(0, volume="12.25"))
    nets.pipeline.store.faults = fail_once("put", "after", OutcomeUnknown("no answer"), prefix="inbox/")
    assert submit(desk, nets.dataset, "why")
    assert "no answer" in desk.doubt
    assert desk.sent is not None
    assert isinstance(desk.sent, Sent)
    assert send(desk, nets.dataset, desk.sent)
    assert not desk.doubt
    nets.pipeline.pump()
    landed(desk, nets.pipeline.bench, ticket(desk, nets.dataset).receipt())
    assert [record["number"] for record in nets.dataset.log()] == [2, 1]


def test_the_new_head_may_be_out_of_reach_when_the_receipt_comes(nets: Nets) -> None:
    desk = desk_of(nets)
    desk.do(typed(0, volume="12.25"))
    assert submit(desk, nets.dataset, "why")
    nets.pipeline.pump()
    receipt, before = ticket(desk, nets.dataset).receipt(), desk.edits
    nets.pipeline.store.faults = fail_once("get", "before", Unavailable("gone"), prefix="data/")
    with pytest.raises(Unavailable):
        landed(desk, nets.pipeline.bench, receipt)
    assert desk.edits == before
    assert desk.sent is not None
    landed(desk, nets.pipeline.bench, receipt)
    assert not desk.edits


def test_what_was_taken_back_after_submitting_is_an_edit_of_what_was_committed(nets: Nets) -> None:
    desk = desk_of(nets, typed(0, volume="12.25"), added("n", tow="3", net="0"))
    assert submit(desk, nets.dataset, "why")
    desk.revert_all()
    nets.pipeline.pump()
    look(desk, nets.dataset)
    assert desk.sheet.rows[1, 0]["volume"] == 12.25
    assert desk.edits.cells == {(1, 0): {"volume": "10.5"}}
    assert desk.edits.deleted == {(3, 0)}


def test_what_somebody_else_changed_just_before_the_commit_is_said_where_i_went_on_to_change_it(nets: Nets) -> None:
    desk = desk_of(nets, typed(0, volume="12.25"))
    assert submit(desk, nets.dataset, "why")
    desk.do(typed(0, vessel="late"))
    bo = nets.by("bo")
    bo.dataset.send(bo.edit(1, 0, vessel="Other"))
    nets.pipeline.pump()
    assert look(desk, nets.dataset).status == "committed"
    assert desk.sheet.rows[1, 0]["vessel"] == "Other"
    assert desk.edits.cells == {(1, 0): {"vessel": "late"}}
    assert desk.problem == OVERTAKEN


def test_the_note_is_emptied_with_its_commit_unless_another_one_was_begun(nets: Nets) -> None:
    desk = desk_of(nets, typed(0, volume="12.25"))
    desk.write_note("why ")
    outcome(nets, desk, desk.note)
    assert desk.note == ""
    desk.do(typed(0, volume="13"))
    assert submit(desk, nets.dataset, "again")
    desk.write_note("the next one")
    nets.pipeline.pump()
    look(desk, nets.dataset)
    assert desk.note == "the next one"


def test_how_far_a_proposal_is_can_be_looked_at_without_waiting(nets: Nets) -> None:
    desk = desk_of(nets, typed(0, volume="12.25"))
    assert submit(desk, nets.dataset, "why")
    assert look(desk, nets.dataset).status == "received"
    assert desk.sent is not None
    nets.pipeline.pump()
    assert look(desk, nets.dataset).status == "committed"
    assert desk.sent is None


def test_a_preview_merges_as_the_functions_will(nets: Nets) -> None:
    desk = desk_of(nets, typed(0, volume="12.25"))
    base = desk.sheet
    nets.send(nets.edit(1, 0, vessel="Other"))
    plan = preview(desk.pending, base, open_sheet(nets.pipeline.bench, NAME))
    assert plan.ok
    assert [(cell.column, cell.new) for change in plan.diff.changes for cell in change.cells()] == [("volume", 12.25)]
    nets.send(nets.edit(1, 0, volume=99.0))
    assert preview(desk.pending, base, open_sheet(nets.pipeline.bench, NAME)).conflicts


def test_a_glance_tells_the_head_and_its_author(nets: Nets) -> None:
    bench = nets.pipeline.bench
    seen = glance(bench, NAME)
    assert (seen.number, seen.author, seen.note, seen.problem) == (1, "ana", "first load", "")
    before = bench.store.requests.copy()  # type: ignore[attr-defined]
    assert glance(bench, NAME, seen).author == "ana"
    assert (bench.store.requests - before) == {"head": 1}  # type: ignore[attr-defined]
    nets.by("bo").send(nets.by("bo").edit(1, 0, volume=3.0))
    assert (glance(bench, NAME, seen).author, glance(bench, NAME, seen).number) == ("bo", 2)


def test_a_glance_at_a_store_that_is_down_says_so(nets: Nets) -> None:
    nets.pipeline.store.faults = fail_once("head", "before", Unavailable("no connection"))
    seen = glance(nets.pipeline.bench, NAME)
    assert seen.down
    assert "no connection" in seen.problem


def test_a_dataset_that_is_not_there_says_so() -> None:
    with pytest.raises(NotFound, match="towline create"):
        open_sheet(Nets().pipeline.bench, "nothing")
