"""A conflicted proposal taken up again: decided on the head as it is now, sent anew, committed."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.core.nets import CONTRACT, NAME, Nets
from towline import dispute, inbox, keys, resolution_file
from towline.answer import Answer, InsertAs, Put, Take
from towline.change import RowChange
from towline.dispute import Dispute
from towline.errors import BadProposal, NotFound, OpenConflicts, Refused, UsageError
from towline.receipts import Receipt
from towline.resolution import Resolution

ME = "ben"


@pytest.fixture
def nets() -> Nets:
    return Nets()


@pytest.fixture
def mine(nets: Nets) -> Nets:
    return nets.by(ME)


def of(nets: Nets, proposal: str) -> Dispute:
    return dispute.of(nets.pipeline.bench, nets.dataset.status(proposal))


def clash(nets: Nets, mine: Nets, **more: object) -> Receipt:
    """Two people change the volume of one net, and the second the vessel of another as well."""
    old, other = mine.row(1, 0), mine.row(2, 0)
    changes = [RowChange(old, {**old, "volume": 8.0}), RowChange(other, {**other, "vessel": "Aurora"})]
    draft = mine.dataset.rows(changes, "my reading", mine.commit, **more)
    nets.send(nets.edit(1, 0, "their reading", volume=7.0))
    (receipt,) = mine.send(draft)
    assert receipt.status == "conflicted"
    return receipt


def solve(nets: Nets, proposal: str, *resolution: Answer, note: str = "") -> Receipt:
    found = of(nets, proposal)
    (receipt,) = nets.send(found.draft(nets.dataset, found.settle(resolution), note))
    return receipt


def test_a_decided_proposal_is_committed_and_names_the_one_that_it_resolves(nets: Nets, mine: Nets) -> None:
    old = clash(nets, mine)
    receipt = solve(mine, old.proposal, Answer(Take("ours")))
    assert (receipt.status, receipt.resolves, receipt.user) == ("committed", old.proposal, ME)
    assert receipt.note == "my reading"
    assert mine.row(1, 0)["volume"] == 8.0
    assert mine.row(2, 0)["vessel"] == "Aurora", "what is not in conflict goes along"
    assert mine.dataset.status(old.proposal) == old, "final states never change"


def test_a_third_value_and_a_note_of_its_own(nets: Nets, mine: Nets) -> None:
    old = clash(nets, mine)
    receipt = solve(mine, old.proposal, Answer(Put(7.5), {"tow": 1, "net": 0}, "volume"), note="the mean of both")
    assert (receipt.status, receipt.note) == ("committed", "the mean of both")
    assert mine.row(1, 0)["volume"] == 7.5


def test_it_is_decided_on_the_head_as_it_is_now(nets: Nets, mine: Nets) -> None:
    old = clash(nets, mine)
    nets.send(nets.edit(1, 0, "their second reading", volume=7.25))
    found = of(mine, old.proposal)
    assert [cell.theirs for conflict in found.conflicts for cell in conflict.cells] == [7.25]
    assert found.commit == mine.commit


def test_where_the_head_came_round_nothing_is_in_conflict_any_more(nets: Nets, mine: Nets) -> None:
    old = clash(nets, mine)
    nets.send(nets.edit(1, 0, "it was right before", volume=10.5))
    assert of(mine, old.proposal).conflicts == ()
    assert solve(mine, old.proposal, Answer(Take("theirs"))).status == "committed"
    assert mine.row(1, 0)["volume"] == 8.0


def test_what_is_left_open_is_not_sent(nets: Nets, mine: Nets) -> None:
    old = clash(nets, mine)
    with pytest.raises(OpenConflicts, match=r"1 row is still in conflict.*tow=1, net=0: volume was 10.5"):
        of(mine, old.proposal).settle(())


def test_all_theirs_where_nothing_else_changed_leaves_nothing_to_send(nets: Nets, mine: Nets) -> None:
    draft = mine.edit(1, 0, volume=8.0)
    nets.send(nets.edit(1, 0, volume=7.0))
    (old,) = mine.send(draft)
    found = of(mine, old.proposal)
    changes = found.settle([Answer(Take("theirs"))])
    assert changes == ()
    with pytest.raises(BadProposal, match="nothing is left to change"):
        found.draft(mine.dataset, changes)


def test_both_rows_of_one_key_are_kept_under_two(nets: Nets, mine: Nets) -> None:
    draft = mine.insert(3, 0, volume=1.0)
    nets.send(nets.insert(3, 0, volume=2.0))
    (old,) = mine.send(draft)
    (conflict,) = of(mine, old.proposal).conflicts
    assert (conflict.kind, conflict.ours["volume"], conflict.theirs["volume"]) == ("insert/insert", 1.0, 2.0)
    assert solve(mine, old.proposal, Answer(InsertAs({"net": 9}), conflict.key)).status == "committed"
    assert (mine.row(3, 0)["volume"], mine.row(3, 9)["volume"]) == (2.0, 1.0)


def test_a_key_that_is_taken_is_refused_before_anything_is_sent(nets: Nets, mine: Nets) -> None:
    draft = mine.insert(3, 0, volume=1.0)
    nets.send(nets.insert(3, 0, volume=2.0))
    (old,) = mine.send(draft)
    found = of(mine, old.proposal)
    changes = found.settle([Answer(InsertAs({"tow": 2, "net": 1}), found.conflicts[0].key)])
    with pytest.raises(BadProposal, match="this row is there already"):
        found.draft(mine.dataset, changes)


def test_a_value_that_breaks_the_contract_is_refused_before_anything_is_sent(nets: Nets, mine: Nets) -> None:
    old = clash(nets, mine)
    found = of(mine, old.proposal)
    changes = found.settle([Answer(Put(-1.0), column="volume")])
    assert not found.preview(changes).ok
    with pytest.raises(BadProposal, match="volume"):
        found.draft(mine.dataset, changes)


@pytest.mark.parametrize("mode", ["cell", "row", "fill"])
def test_it_keeps_its_merge_mode(nets: Nets, mine: Nets, mode: str) -> None:
    old = clash(nets, mine, mode=mode)
    found = of(mine, old.proposal)
    draft = found.draft(mine.dataset, found.settle([Answer(Take("ours"))]))
    assert json.loads(draft.body)["mode"] == mode


def test_a_proposal_that_nothing_may_follow_is_put_on_top_or_withdrawn(nets: Nets, mine: Nets) -> None:
    draft = mine.edit(1, 1, mode="table", volume=8.0)
    nets.send(nets.edit(1, 0, volume=7.0))
    (old,) = mine.send(draft)
    found = of(mine, old.proposal)
    assert [conflict.kind for conflict in found.conflicts] == ["table"]
    with pytest.raises(OpenConflicts):
        found.settle(())
    with pytest.raises(UsageError, match="take it back"):
        found.settle([Answer(Take("base"))])
    assert found.settle([Answer(Take("theirs"))]) == ()
    assert solve(mine, old.proposal, Answer(Take("ours"))).status == "committed"
    assert (mine.row(1, 0)["volume"], mine.row(1, 1)["volume"]) == (7.0, 8.0)


def test_an_answer_about_the_table_decides_no_cells(nets: Nets, mine: Nets) -> None:
    old = clash(nets, mine, mode="table")
    raw = answered(mine, old.proposal)
    assert [answer["kind"] for answer in raw["answers"]] == ["table", "update/update"]
    raw["answers"][0]["take"] = "ours"
    decided = of(mine, old.proposal).decide(read(raw, old.proposal))
    assert [conflict.kind for conflict in decided.open] == ["update/update"]


def test_a_table_file_is_resolved_as_an_edit(nets: Nets, mine: Nets) -> None:
    from tests.core.nets import CSV

    draft = mine.dataset.file("mine.csv", CSV.replace(b"10.5", b"8"), "my file", mine.commit)
    nets.send(nets.edit(1, 0, volume=7.0))
    (old,) = mine.send(draft)
    receipt = solve(mine, old.proposal, Answer(Take("ours")))
    assert (receipt.status, receipt.kind, mine.row(1, 0)["volume"]) == ("committed", "edit", 8.0)


def test_what_is_too_large_for_rows_is_sent_as_a_table(nets: Nets, mine: Nets, monkeypatch: pytest.MonkeyPatch) -> None:
    old = clash(nets, mine)
    monkeypatch.setattr(dispute, "MAX_JSON", 100)
    receipt = solve(mine, old.proposal, Answer(Take("ours")))
    assert (receipt.status, receipt.kind, receipt.resolves) == ("committed", "file", old.proposal)
    assert mine.row(1, 0)["volume"] == 8.0


@pytest.mark.parametrize(("status", "said"), [("committed", "it is in the table"), ("rejected", "mend what")])
def test_what_is_not_in_conflict_cannot_be_resolved(nets: Nets, status: str, said: str) -> None:
    (receipt,) = nets.send(nets.edit(1, 0, volume=7.0 if status == "committed" else -7.0))
    with pytest.raises(UsageError, match=f"is {status}, not in conflict.*{said}"):
        of(nets, receipt.proposal)


def test_an_unknown_proposal_is_not_found(nets: Nets) -> None:
    for unknown in ("01KJN2V0S0R6R4Y9WWB6E7WJ5D", "../../etc"):
        with pytest.raises(NotFound, match="no receipt of a proposal"):
            of(nets, unknown)


def test_a_proposal_that_left_the_inbox_is_read_from_the_quarantine(nets: Nets, mine: Nets) -> None:
    old = clash(nets, mine)
    gone = replace(old, inbox={**old.inbox, "version": "expired"})
    assert dispute.of(nets.pipeline.bench, gone).conflicts


def test_what_somebody_else_proposed_is_resolved_in_ones_own_name(nets: Nets, mine: Nets) -> None:
    old = clash(nets, mine)
    assert solve(nets, old.proposal, Answer(Take("ours"))).user == "ana"


def test_whoever_may_read_the_quarantine_only_resolves_what_somebody_else_proposed(
    nets: Nets, mine: Nets, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, read = clash(nets, mine), inbox.read

    def refuse(bench, receipt, contract):
        if str(receipt.inbox["key"]).startswith(keys.INBOX):
            raise Refused("not yours")
        return read(bench, receipt, contract)

    monkeypatch.setattr(inbox, "read", refuse)
    assert of(nets, old.proposal).conflicts


def answered(nets: Nets, proposal: str, **changed: object) -> dict:
    """The file of open conflicts, as a person gives it back."""
    raw = json.loads(json.dumps(resolution_file.to_json(proposal, NAME, of(nets, proposal).conflicts)))
    return {**raw, **changed}


def read(raw: object, proposal: str) -> Resolution:
    return resolution_file.from_json(json.dumps(raw).encode(), CONTRACT, proposal)


def test_the_file_of_open_conflicts_says_all_three_sides_and_decides_nothing(nets: Nets, mine: Nets) -> None:
    old = clash(nets, mine)
    raw = answered(mine, old.proposal)
    (answer,) = raw["answers"]
    sides = {name: answer[name] for name in ("key", "column", "base", "theirs", "ours", "take")}
    assert sides == {
        "key": {"tow": 1, "net": 0}, "column": "volume", "base": 10.5, "theirs": 7.0, "ours": 8.0, "take": None
    }  # fmt: skip
    assert read(raw, old.proposal) == []


@pytest.mark.parametrize(
    ("decision", "volume"),
    [({"take": "ours"}, 8.0), ({"take": "theirs"}, 7.0), ({"take": "base"}, 10.5), ({"value": None}, None)],
)
def test_the_file_is_answered_and_given_back(nets: Nets, mine: Nets, decision: dict, volume: float) -> None:
    old = clash(nets, mine)
    raw = answered(mine, old.proposal)
    raw["answers"][0] |= decision
    assert solve(mine, old.proposal, *read(raw, old.proposal)).status == "committed"
    assert mine.row(1, 0)["volume"] == volume


def test_rows_are_answered_with_a_side_a_row_or_another_key(nets: Nets, mine: Nets) -> None:
    draft = mine.insert(3, 0, volume=1.0)
    nets.send(nets.insert(3, 0, volume=2.0))
    (old,) = mine.send(draft)
    raw = answered(mine, old.proposal)
    (about,) = raw["answers"]
    assert (about["base"], about["ours"]["volume"], about["theirs"]["volume"]) == (None, 1.0, 2.0)
    for decision in (
        {"take": "ours"},
        {"insert": {"net": 9}},
        {"row": {**about["ours"], "volume": 3.0}},
        {"row": None},
    ):
        raw["answers"] = [{**about, **decision}]
        assert of(mine, old.proposal).settle(read(raw, old.proposal))


def test_an_answer_to_what_is_different_by_now_is_refused(nets: Nets, mine: Nets) -> None:
    old = clash(nets, mine)
    raw = answered(mine, old.proposal)
    raw["answers"][0]["take"] = "theirs"
    nets.send(nets.edit(1, 0, volume=7.25))
    with pytest.raises(UsageError, match=r"answers\[0\]: theirs in row tow=1, net=0, column volume is not what it was"):
        of(mine, old.proposal).settle(read(raw, old.proposal))


KEYED = {"key": {"tow": 1, "net": 0}}
BAD = [
    ([], "format"),
    ({"format": "towline.resolution/v2"}, "format"),
    ({"format": resolution_file.FORMAT, "proposal": "another"}, "answers proposal 'another', not P"),
    ({"format": resolution_file.FORMAT, "proposal": "P", "dataset": "hauls"}, "is for the dataset 'hauls'"),
    ({"format": resolution_file.FORMAT, "proposal": "P", "rules": []}, "no field 'rules'"),
    ({"format": resolution_file.FORMAT, "proposal": "P"}, "answers must be a list"),
]  # fmt: skip
BAD += [
    ({"format": resolution_file.FORMAT, "proposal": "P", "answers": [answer]}, said)
    for answer, said in [
        (1, "answers[0] must be an object"),
        ({"take": "mine"}, "take is 'mine'; it can be base, ours, theirs"),
        ({"take": "ours", "value": 1}, "says both take and value"),
        ({"pick": "ours"}, "unknown field 'pick'"),
        ({"take": "ours", "column": "depth"}, "no column 'depth'"),
        ({"take": "ours", "column": 1}, "must be the name of a column"),
        ({"value": 1.0}, "a value is for a cell"),
        ({"value": "1", "column": "volume"}, "'1' is not a number"),
        ({"row": None}, "name it by its `key`"),
        ({"row": {}, **KEYED}, "answers[0].row: column tow is missing"),
        ({"insert": {"net": 9}, "where": {"tow": 1}}, "name it by its `key`"),
        ({"insert": 9, **KEYED}, "must be the key under which"),
        ({"take": "ours", "key": {"tow": 1}}, "net"),
        ({"take": "ours", "where": {"tow": "4"}}, "'4' is not a whole number"),
        ({"take": "ours", "kind": "row"}, "kind is 'row'; it can be update/update"),
        ({"take": "ours", "where": 4}, "where must be an object"),
        ({"take": "ours", "where": {"tow": 4}, **KEYED}, "has a key and a where"),
    ]
]


@pytest.mark.parametrize(("raw", "said"), BAD)
def test_a_file_that_cannot_be_meant_says_where_and_why(raw: object, said: str) -> None:
    with pytest.raises(UsageError) as error:
        read(raw, "P")
    assert said in str(error.value)


@pytest.mark.parametrize("body", [b"{", b"\xff", b'{"a": 1, "a": 2}', b"[" * 100_000])
def test_what_is_no_json_is_no_resolution(body: bytes) -> None:
    with pytest.raises(UsageError, match="not valid JSON"):
        resolution_file.from_json(body, CONTRACT, "P")


@pytest.mark.parametrize("resolves", ["", "../x", 4, ["01KJN2V0S0R6R4Y9WWB6E7WJ5D"]])
def test_a_proposal_that_resolves_no_id_is_refused(nets: Nets, resolves: object) -> None:
    draft = nets.edit(1, 0, volume=7.0)
    body = json.dumps({**json.loads(draft.body), "resolves": resolves}).encode()
    (receipt,) = nets.send(replace(draft, body=body))
    assert receipt.status == "rejected"
    assert "resolves is" in receipt.message
