"""The Conflicts page, driven as a person would, without a browser; and what it knows, without a page."""

from __future__ import annotations

import getpass

import pytest

from app.solving import html
from app.solving.picks import ALL, CELL, Picks, spots
from app.solving.solving import Solving
from tests.app.editor import Editor
from tests.app.sheets import typed
from tests.core.nets import Nets
from towline.answer import InsertAs, Put, Take
from towline.change import RowChange
from towline.errors import OutcomeUnknown, Unavailable
from towline.memory import fail_once
from towline.receipts import Receipt

ME = getpass.getuser()
LIST = "conflict-list"


def clash(nets: Nets, mine: Nets) -> Receipt:
    """Both change volume and vessel of one row, and the volume of another."""
    old, other = mine.row(1, 0), mine.row(1, 1)
    cells = {"volume": 8.0, "vessel": "Mine"}
    draft = mine.dataset.rows(
        [RowChange(old, {**old, **cells}), RowChange(other, {**other, "volume": 9.0})], "my reading", mine.commit
    )
    nets.send(nets.edit(1, 0, "their reading", volume=7.0, vessel="Theirs"))
    nets.send(nets.edit(1, 1, "their other reading", volume=6.0))
    (receipt,) = mine.send(draft)
    assert receipt.status == "conflicted"
    return receipt


def inserted(nets: Nets, mine: Nets) -> Receipt:
    """Both insert one key."""
    draft = mine.insert(3, 0, volume=1.0, vessel="Same")
    nets.send(nets.insert(3, 0, volume=2.0, vessel="Same", is_day=True))
    (receipt,) = mine.send(draft)
    assert receipt.status == "conflicted"
    return receipt


def solve(editor: Editor) -> Editor:
    return editor.open().go("Conflicts").press("Solve")


def type_text(editor: Editor, *texts: str) -> Editor:
    for field, text in zip(editor.tab.text_input[: len(texts)], texts, strict=True):
        field.set_value(text)
    return editor.press("Take it")


def test_nothing_in_conflict_says_so(editor: Editor) -> None:
    assert "Nothing of yours is in conflict" in editor.open().go("Conflicts").text


def test_a_conflict_is_listed_with_all_sides_and_whose_theirs_is(editor: Editor, mine: Nets) -> None:
    clash(editor.nets, mine)
    solve(editor)
    listed = editor.lists[LIST][0]
    assert all(f">{said}<" in listed for said in ("10.5", "7", "8", "Meridian", "Theirs", "Mine"))
    assert "0 of 3 decided" in editor.text
    assert "3 places to decide first" in editor.text
    assert editor.is_disabled("Send")


def test_my_proposals_leads_here(editor: Editor, mine: Nets) -> None:
    clash(editor.nets, mine)
    editor.open().go("My proposals").press("Solve")
    assert "0 of 3 decided" in editor.text


def test_the_submit_panel_leads_here(editor: Editor) -> None:
    editor.open().type(typed(0, volume="12.25"))
    editor.nets.send(editor.nets.edit(1, 0, volume=99.0))
    editor.why("why").press("Submit")
    editor.press("Solve on the Conflicts page")
    assert "0 of 1 decided" in editor.text


def test_side_by_side_one_by_one_then_previewed_and_sent(editor: Editor, mine: Nets) -> None:
    old = clash(editor.nets, mine)
    solve(editor).act(LIST, "pick", "1|0", "volume", "ours").act(LIST, "pick", "1|0", "vessel", "theirs")
    assert "2 of 3 decided" in editor.text
    editor.act(LIST, "type", "1|1", "volume")
    assert "tow 1, net 1 · volume" in editor.text
    type_text(editor, "6.5")
    assert "all 3 decided" in editor.text
    assert "Commit 4 on top of commit 3: 2 rows changed." in editor.text
    assert "6.5" in editor.text
    editor.press("Send")
    assert "Commit 4" in editor.text
    assert (mine.row(1, 0)["volume"], mine.row(1, 0)["vessel"], mine.row(1, 1)["volume"]) == (8.0, "Theirs", 6.5)
    record = mine.dataset.log()[0]
    assert (record["note"], record["user"]) == ("my reading", ME)
    assert mine.dataset.status(str(record["proposal"])).resolves == old.proposal
    editor.press("All conflicts")
    assert "Nothing of yours is in conflict" in editor.text
    editor.go("My proposals")
    assert "✓ solved since" in editor.text
    assert "Solve" not in [button.label for button in editor.tab.button]


@pytest.mark.parametrize(
    ("side", "volumes", "vessel"),
    [("ours", (8.0, 9.0), "Mine"), ("base", (10.5, 0.0), "Meridian")],
)
def test_all_at_once(editor: Editor, mine: Nets, side: str, volumes: tuple[float, float], vessel: str) -> None:
    clash(editor.nets, mine)
    solve(editor).act(LIST, "all", *ALL, side).press("Send")
    assert (mine.row(1, 0)["volume"], mine.row(1, 1)["volume"]) == volumes
    assert mine.row(1, 0)["vessel"] == vessel


def test_a_whole_column_at_once(editor: Editor, mine: Nets) -> None:
    clash(editor.nets, mine)
    solve(editor).act(LIST, "all", CELL, "volume", "ours")
    assert "2 of 3 decided" in editor.text
    editor.act(LIST, "pick", "1|0", "vessel", "theirs").press("Send")
    assert (mine.row(1, 0)["volume"], mine.row(1, 1)["volume"], mine.row(1, 0)["vessel"]) == (8.0, 9.0, "Theirs")


def test_all_of_theirs_leaves_nothing_to_send(editor: Editor, mine: Nets) -> None:
    clash(editor.nets, mine)
    solve(editor).act(LIST, "all", *ALL, "theirs")
    assert "Commit 3 holds all of it already: there is nothing to send." in editor.text
    assert editor.is_disabled("Send")


def test_a_third_value_that_does_not_fit_is_said_and_nothing_is_picked(editor: Editor, mine: Nets) -> None:
    clash(editor.nets, mine)
    solve(editor).act(LIST, "type", "1|0", "volume")
    type_text(editor, "12,5")
    assert "Write a point before decimals (12.5)" in editor.text
    assert "0 of 3 decided" in editor.text
    type_text(editor, "12.5")
    assert "1 of 3 decided" in editor.text


def test_what_breaks_the_contract_is_said_and_not_sent(editor: Editor, mine: Nets) -> None:
    clash(editor.nets, mine)
    solve(editor).act(LIST, "all", *ALL, "ours").act(LIST, "type", "1|0", "volume")
    type_text(editor, "-5")
    assert "cannot be committed" in editor.text
    assert "tow 1, net 0 · volume" in editor.text
    assert editor.is_disabled("Send")


def test_two_rows_of_one_key_stand_side_by_side_and_both_are_kept(editor: Editor, mine: Nets) -> None:
    inserted(editor.nets, mine)
    solve(editor)
    listed = editor.lists[LIST][0]
    assert all(said in listed for said in ("both of you inserted it", ">1<", ">2<", "the same in both: vessel Same"))
    editor.act(LIST, "type", "3|0", "")
    type_text(editor, "3", "0")
    assert "change at least one part of it" in editor.text
    type_text(editor, "3", "9")
    assert "Both: yours as tow 3, net 9" in editor.lists[LIST][0]
    assert "1 row added" in editor.text
    editor.press("Send")
    assert (mine.row(3, 0)["volume"], mine.row(3, 9)["volume"]) == (2.0, 1.0)


def test_a_key_that_is_taken_is_said_before_sending(editor: Editor, mine: Nets) -> None:
    inserted(editor.nets, mine)
    solve(editor).act(LIST, "type", "3|0", "")
    type_text(editor, "2", "0")
    assert "this row is there already" in editor.text
    assert editor.is_disabled("Send")


def test_one_of_two_inserted_rows_or_a_mixture_of_both(editor: Editor, mine: Nets) -> None:
    inserted(editor.nets, mine)
    solve(editor).act(LIST, "all", "row", "3|0", "theirs").act(LIST, "pick", "3|0", "volume", "ours").press("Send")
    assert (mine.row(3, 0)["volume"], mine.row(3, 0)["is_day"]) == (1.0, True)


def test_a_row_that_they_deleted_is_decided_as_a_whole(editor: Editor, mine: Nets) -> None:
    draft = mine.edit(1, 0, volume=8.0)
    editor.nets.send(editor.nets.delete(1, 0))
    mine.send(draft)
    solve(editor)
    assert all(said in editor.lists[LIST][0] for said in ("the row is deleted", "volume 10.5 → 8"))
    editor.act(LIST, "pick", "1|0", "", "ours").press("Send")
    assert mine.row(1, 0)["volume"] == 8.0


def test_a_commit_that_a_proposal_did_not_want_is_named_and_put_below(editor: Editor, mine: Nets) -> None:
    draft = mine.edit(1, 0, mode="table", volume=8.0)
    editor.nets.send(editor.nets.edit(1, 1, "their reading", volume=7.0))
    mine.send(draft)
    solve(editor)
    assert "The whole table" in editor.lists[LIST][0]
    editor.act(LIST, "pick", "", "", "ours").press("Send")
    assert (mine.row(1, 0)["volume"], mine.row(1, 1)["volume"]) == (8.0, 7.0)


def test_a_commit_that_comes_meanwhile_is_looked_at_and_what_still_fits_stays(editor: Editor, mine: Nets) -> None:
    clash(editor.nets, mine)
    solve(editor).act(LIST, "all", *ALL, "ours")
    editor.nets.send(editor.nets.edit(1, 1, "again", volume=5.0))
    editor.open()
    assert "Commit 4 came meanwhile" in editor.text
    assert "1 of your decisions do not fit any more" in editor.text
    assert "2 of 3 decided" in editor.text
    assert ">5<" in editor.lists[LIST][0]


def test_a_commit_that_comes_while_it_is_sent_is_solved_next(editor: Editor, mine: Nets) -> None:
    clash(editor.nets, mine)
    solve(editor).act(LIST, "all", *ALL, "ours")
    editor.is_pumping = False
    late = editor.nets.edit(1, 0, "late", volume=1.0)
    editor.nets.dataset.send(late)
    editor.nets.pipeline.pump()
    solving: Solving = next(v for k, v in editor.tab.session_state["towline"].kept.items() if k.startswith("solving-"))
    editor.is_pumping = True
    solving.send(mine.dataset)
    solving.look(mine.dataset)
    editor.open()
    assert "Somebody committed again in the meantime" in editor.text
    editor.press("Solve what is left")
    assert "0 of 1 decided" in editor.text


def test_somebody_elses_is_opened_by_its_id(editor: Editor, mine: Nets) -> None:
    other = editor.nets.by("bo")
    receipt = clash(editor.nets, other)
    editor.open().go("Conflicts")
    editor.tab.text_input[0].set_value(receipt.proposal)
    editor.open()
    assert "0 of 3 decided" in editor.text
    editor.act(LIST, "all", *ALL, "ours").press("Send")
    assert mine.dataset.log()[0]["user"] == ME


@pytest.mark.parametrize(
    ("proposal", "said"), [("nothing", "has no receipt of a proposal nothing"), ("committed", "not in conflict")]
)
def test_what_is_not_in_conflict_says_so(editor: Editor, mine: Nets, proposal: str, said: str) -> None:
    if proposal == "committed":
        proposal = mine.send(mine.edit(1, 0, volume=3.0))[0].proposal
    editor.open().go("Conflicts")
    editor.tab.text_input[0].set_value(proposal)
    assert said in editor.open().text
    assert "Nothing of yours" in editor.press("All conflicts").text


def test_a_note_is_needed(editor: Editor, mine: Nets) -> None:
    clash(editor.nets, mine)
    solve(editor).act(LIST, "all", *ALL, "ours").why("").press("Send")
    assert "a note is required" in editor.text
    assert len(mine.dataset.log()) == 3
    editor.why("settled by phone").press("Send")
    assert mine.dataset.log()[0]["note"] == "settled by phone"


def test_a_store_that_goes_down_loses_nothing(editor: Editor, mine: Nets) -> None:
    clash(editor.nets, mine)
    solve(editor).act(LIST, "all", *ALL, "ours")
    editor.nets.pipeline.store.faults = fail_once("put", "before", Unavailable("gone"), prefix="inbox/")
    editor.press("Send")
    assert "Not sent: gone" in editor.text
    assert "all 3 decided" in editor.text
    editor.restore()
    editor.press("Send")
    assert mine.row(1, 0)["volume"] == 8.0


def test_a_lost_answer_is_said_and_sent_again(editor: Editor, mine: Nets) -> None:
    clash(editor.nets, mine)
    editor.is_pumping = False
    solve(editor).act(LIST, "all", *ALL, "ours")
    editor.nets.pipeline.store.faults = fail_once("put", "after", OutcomeUnknown("no answer"), prefix="inbox/")
    editor.press("Send")
    assert "It is not known whether the proposal arrived" in editor.text
    editor.restore()
    editor.press("Send again")
    editor.nets.pipeline.pump()
    editor.open()
    assert mine.row(1, 0)["volume"] == 8.0
    assert len(mine.dataset.log()) == 4


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "=1+1", "🐟", "x" * 3000])
def test_any_text_is_shown_as_it_is(editor: Editor, mine: Nets, text: str) -> None:
    draft = mine.edit(1, 0, note=text[:2000], vessel=text)
    editor.nets.send(editor.nets.edit(1, 0, note="<script>", vessel=f"{text}<script>"))
    mine.send(draft)
    solve(editor)
    assert "<script>" not in editor.text
    editor.act(LIST, "all", *ALL, "ours") if "All" in editor.text else editor.act(LIST, "pick", "1|0", "vessel", "ours")
    editor.press("Send")
    assert mine.row(1, 0)["vessel"] == text


def test_acts_that_mean_nothing_do_nothing() -> None:
    for act in ("", "{", "[]", '["pick","1|0","volume","mine"]', '["all",1,2,"ours"]', '["page","1"]', "null"):
        assert html.read_act(act) == []


def test_picks_for_many_are_picks_for_each_and_a_key_excludes_cells(editor: Editor, mine: Nets) -> None:
    receipt = inserted(editor.nets, mine)
    solving = Solving.of(editor.nets.pipeline.bench, receipt)
    every = spots(solving.dispute.conflicts)
    assert [spot.column for spot in every] == ["volume", "is_day"]
    picks = Picks().pick_all(every, "ours")
    assert picks.common(every) == Take("ours")
    assert picks.pick(every[0], Put(4.0)).common(every) is None
    row = solving.spot("3|0", "")
    assert row is not None
    both = picks.pick(row, InsertAs({"net": 9}))
    assert len(both.answers) == 1
    assert all(both.is_decided(spot) for spot in every)
    assert both.pick(every[0], Take("ours")).insert_as(row.conflict) is None
    assert both.carried(solving.dispute.conflicts) == both
