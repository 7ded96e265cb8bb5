"""The way of a proposal from the desk to its commit, over the whole pipeline in memory."""

from __future__ import annotations

import pytest

from app.editing import remote
from app.editing.desk import Desk
from app.editing.edits import Events
from app.editing.remote import follow, glance, news, open_sheet
from app.editing.submit import landed, send, submit, ticket
from tests.app.sheets import typed
from tests.core.nets import NAME, Nets
from towline.errors import NotFound, OutcomeUnknown, Unavailable
from towline.memory import fail_once
from towline.receipts import Receipt


@pytest.fixture
def nets() -> Nets:
    return Nets()


def desk_of(nets: Nets) -> Desk:
    return Desk(open_sheet(nets.pipeline.bench, NAME))


def outcome(nets: Nets, desk: Desk, note: str = "why") -> Receipt:
    """Submit, deliver, wait and take in."""
    assert submit(desk, nets.dataset, note), desk.problem
    nets.pipeline.pump()
    receipt = follow(ticket(desk, nets.dataset), lambda seen: None)
    assert receipt is not None
    landed(desk, nets.pipeline.bench, receipt)
    return receipt


def test_what_was_typed_is_committed_and_the_grid_goes_on_from_there(nets: Nets) -> None:
    desk = desk_of(nets)
    desk.absorb(Events({0: {"volume": "12.25"}}, [{"tow": "3", "net": "0"}], [3]))
    receipt = outcome(nets, desk)
    assert (receipt.status, receipt.number) == ("committed", 2)
    assert desk.sheet.commit == receipt.commit == nets.commit
    assert desk.sheet.rows[1, 0]["volume"] == 12.25
    assert list(desk.sheet.rows) == [(1, 0), (1, 1), (2, 0), (3, 0)]
    assert not desk.edits
    assert desk.receipt is receipt


def test_what_was_typed_after_submitting_is_still_pending(nets: Nets) -> None:
    desk = desk_of(nets)
    desk.absorb(typed(0, volume="12.25"))
    assert submit(desk, nets.dataset, "why")
    desk.absorb(typed(0, volume="13", vessel="late"))
    nets.pipeline.pump()
    landed(desk, nets.pipeline.bench, ticket(desk, nets.dataset).receipt())
    assert desk.sheet.rows[1, 0]["volume"] == 12.25
    assert desk.edits.cells == {(1, 0): {"volume": "13", "vessel": "late"}}


def test_a_rejection_changes_nothing_here(nets: Nets) -> None:
    desk = desk_of(nets)
    desk.absorb(typed(0, volume="12.25"))
    assert submit(desk, nets.dataset, "why")
    refused = Receipt(ticket(desk, nets.dataset).proposal, NAME, "rejected", errors=1)
    edits = desk.edits
    landed(desk, nets.pipeline.bench, refused)
    assert (desk.edits, desk.sent, desk.receipt) == (edits, None, refused)


def test_a_conflict_is_shown_and_the_edits_can_go_on_from_the_new_head(nets: Nets) -> None:
    desk = desk_of(nets)
    desk.absorb(typed(0, volume="12.25"))
    nets.send(nets.by("bo").edit(1, 0, volume=99.0))
    receipt = outcome(nets, desk)
    assert receipt.status == "conflicted"
    assert desk.edits.cells == {(1, 0): {"volume": "12.25"}}
    found = news(nets.pipeline.bench, desk.sheet)
    assert [record["user"] for record in found.records] == ["ana"]
    assert len(desk.clashes(found.sheet)) == 1
    desk.carry(found.sheet)
    assert outcome(nets, desk).status == "committed"
    assert nets.row(1, 0)["volume"] == 12.25


def test_edits_of_other_cells_merge_without_asking(nets: Nets) -> None:
    desk = desk_of(nets)
    desk.absorb(typed(0, volume="12.25"))
    nets.send(nets.edit(1, 0, vessel="Other"))
    assert outcome(nets, desk).status == "committed"
    assert (nets.row(1, 0)["vessel"], nets.row(1, 0)["volume"]) == ("Other", 12.25)
    assert desk.sheet.rows[1, 0]["vessel"] == "Other"


@pytest.mark.parametrize("note", ["", "   ", "x\0y"])
def test_a_note_is_required_and_must_be_text(nets: Nets, note: str) -> None:
    desk = desk_of(nets)
    desk.absorb(typed(0, volume="12.25"))
    assert not submit(desk, nets.dataset, note)
    assert "note" in desk.problem
    assert desk.edits


def test_errors_block_submitting(nets: Nets) -> None:
    desk = desk_of(nets)
    assert not submit(desk, nets.dataset, "why")
    desk.absorb(typed(0, volume="12,5"))
    assert not submit(desk, nets.dataset, "why")
    assert "errors" in desk.problem


def test_pressing_twice_sends_once(nets: Nets) -> None:
    desk = desk_of(nets)
    desk.absorb(typed(0, volume="12.25"))
    assert submit(desk, nets.dataset, "why")
    assert not submit(desk, nets.dataset, "why")
    assert len(nets.pipeline.arrivals()) == 1


def test_a_store_that_is_down_takes_nothing_and_nothing_is_lost(nets: Nets) -> None:
    desk = desk_of(nets)
    desk.absorb(typed(0, volume="12.25"))
    nets.pipeline.store.faults = fail_once("put", "before", Unavailable("no connection"), prefix="inbox/")
    assert not submit(desk, nets.dataset, "why")
    assert "no connection" in desk.problem
    assert desk.sent is None
    assert outcome(nets, desk).status == "committed"


def test_a_lost_answer_is_looked_after_and_sending_again_makes_one_commit(nets: Nets) -> None:
    desk = desk_of(nets)
    desk.absorb(typed(0, volume="12.25"))
    nets.pipeline.store.faults = fail_once("put", "after", OutcomeUnknown("no answer"), prefix="inbox/")
    assert submit(desk, nets.dataset, "why")
    assert "no answer" in desk.doubt
    assert desk.sent is not None
    assert send(desk, nets.dataset, desk.sent)
    assert not desk.doubt
    nets.pipeline.pump()
    landed(desk, nets.pipeline.bench, ticket(desk, nets.dataset).receipt())
    assert [record["number"] for record in nets.dataset.log()] == [2, 1]


def test_the_new_head_may_be_out_of_reach_when_the_receipt_comes(nets: Nets) -> None:
    desk = desk_of(nets)
    desk.absorb(typed(0, volume="12.25"))
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


def test_waiting_says_every_status_and_gives_up_in_time(nets: Nets, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = desk_of(nets)
    desk.absorb(typed(0, volume="12.25"))
    assert submit(desk, nets.dataset, "why")
    heard: list[str] = []
    monkeypatch.setattr(remote, "LOOK", 0.02)
    monkeypatch.setattr(remote, "PATIENCE", 0.1)
    assert follow(ticket(desk, nets.dataset), lambda seen: heard.append(seen.status)) is None
    assert set(heard) == {"received"}


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
