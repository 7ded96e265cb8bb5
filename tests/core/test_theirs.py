"""Whose theirs is: what the receipt of a conflict says about the people on the other side."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.nets import CONTRACT, NAME, Nets
from towline import blocks, dispute, keys, theirs
from towline.change import RowChange
from towline.conflict import Conflict
from towline.dataset import Draft
from towline.errors import NotFound, Unavailable
from towline.memory import fail_once
from towline.receipts import Receipt
from towline.theirs import Since, sign


@pytest.fixture
def nets() -> Nets:
    return Nets()


@pytest.fixture
def mine(nets: Nets) -> Nets:
    return nets.by("ben")


def refused(mine: Nets, draft: Draft) -> Receipt:
    (receipt,) = mine.send(draft)
    assert receipt.status == "conflicted"
    return receipt


def said(author: Any) -> tuple[str, str, int]:
    return author["user"], author["note"], author["number"]


def test_a_cell_names_who_set_it_why_when_and_in_which_commit(nets: Nets, mine: Nets) -> None:
    draft = mine.edit(1, 0, volume=8.0)
    (theirs,) = nets.send(nets.edit(1, 0, "recalibrated", volume=7.0))
    (conflict,) = refused(mine, draft).conflicts
    author = conflict["cells"][0]["theirs_by"]
    assert said(author) == ("ana", "recalibrated", 2)
    assert (author["commit"], author["proposal"]) == (theirs.commit, theirs.proposal)
    assert author["at"].startswith(f"{keys.commit_time(theirs.commit):%Y-%m-%dT%H:%M:%S}")
    assert said(conflict["theirs_by"]) == ("ana", "recalibrated", 2)
    assert conflict["unsigned"] == ""


def test_each_cell_names_the_last_who_set_it_since_the_base(nets: Nets, mine: Nets) -> None:
    draft = mine.edit(1, 0, volume=8.0, vessel="Mine")
    for person, note, cells in (
        ("ana", "first", {"volume": 7.0, "vessel": "Theirs"}),
        ("cy", "second", {"volume": 6.0}),
        ("dee", "another cell", {"is_day": False}),
    ):
        nets.by(person).send(nets.by(person).edit(1, 0, note, **cells))
    (conflict,) = refused(mine, draft).conflicts
    authors = {cell["column"]: said(cell["theirs_by"]) for cell in conflict["cells"]}
    assert authors == {"volume": ("cy", "second", 3), "vessel": ("ana", "first", 2)}
    assert said(conflict["theirs_by"]) == ("dee", "another cell", 4)


def test_a_row_that_they_deleted_or_inserted_names_who_did(nets: Nets, mine: Nets) -> None:
    changed, inserted = mine.edit(1, 0, volume=8.0), mine.insert(3, 0, volume=1.0)
    nets.send(nets.delete(1, 0))
    nets.send(nets.insert(3, 0, vessel="Aurora"))
    (conflict,) = refused(mine, changed).conflicts
    assert said(conflict["theirs_by"]) == ("ana", "a lost net", 2)
    (conflict,) = refused(mine, inserted).conflicts
    authors = {cell["column"]: said(cell["theirs_by"]) for cell in conflict["cells"]}
    assert authors == dict.fromkeys(("volume", "vessel"), ("ana", "a new net", 3)), "also of the cell that is null"


def test_a_proposal_that_nothing_may_follow_names_what_followed(nets: Nets, mine: Nets) -> None:
    draft = mine.edit(1, 0, mode="table", volume=8.0)
    for person in ("ana", "cy"):
        nets.by(person).send(nets.by(person).edit(2, 0, f"by {person}", vessel=person))
    (conflict,) = refused(mine, draft).conflicts
    assert [said(author) for author in conflict["commits"]] == [("cy", "by cy", 3), ("ana", "by ana", 2)]


def test_of_many_commits_that_followed_the_newest_are_named(
    nets: Nets, mine: Nets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(theirs, "NAMED", 2)
    draft = mine.edit(1, 0, mode="table", volume=8.0)
    for number in range(4):
        nets.send(nets.edit(2, 0, vessel=str(number)))
    assert [author["number"] for author in refused(mine, draft).conflicts[0]["commits"]] == [5, 4]


@pytest.mark.parametrize("fault", [NotFound("gone"), Unavailable("no answer")])
def test_what_cannot_be_read_costs_nobody_the_receipt(nets: Nets, mine: Nets, fault: Exception) -> None:
    draft = mine.edit(1, 0, volume=8.0)
    nets.send(nets.edit(1, 0, volume=7.0))
    nets.pipeline.store.faults = fail_once("get", "before", fault, prefix="changes/")
    (conflict,) = refused(mine, draft).conflicts
    assert conflict["cells"][0]["theirs_by"] is None
    assert "it cannot be read who set theirs" in conflict["unsigned"]
    assert conflict["cells"][0]["theirs"] == 7.0


def test_an_altered_changes_file_costs_nobody_the_receipt_either(nets: Nets, mine: Nets) -> None:
    draft = mine.edit(1, 0, volume=8.0)
    (other,) = nets.send(nets.edit(1, 0, volume=7.0))
    nets.pipeline.store.put(str(other.changes_key), b"altered")
    (conflict,) = refused(mine, draft).conflicts
    assert conflict["theirs_by"] is None
    assert str(other.changes_key) in conflict["unsigned"]


def test_the_search_is_bounded_and_says_so(nets: Nets, mine: Nets, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(theirs, "LOOKED_AT", 2)
    draft = mine.edit(1, 0, volume=8.0)
    nets.send(nets.edit(1, 0, volume=7.0))
    for number in range(3):
        nets.send(nets.edit(2, 0, vessel=str(number)))
    (conflict,) = refused(mine, draft).conflicts
    assert conflict["theirs_by"] is None
    assert "not found among the commits after number 3" in conflict["unsigned"]


def test_a_cell_that_was_set_before_those_is_told_from_a_row_that_was_touched_since(
    nets: Nets, mine: Nets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(theirs, "LOOKED_AT", 1)
    draft = mine.edit(1, 0, volume=8.0)
    nets.send(nets.edit(1, 0, volume=7.0))
    nets.send(nets.edit(1, 0, "since", vessel="Aurora"))
    (conflict,) = refused(mine, draft).conflicts
    assert said(conflict["theirs_by"]) == ("ana", "since", 3)
    assert conflict["cells"][0]["theirs_by"] is None
    assert "not found" in conflict["unsigned"]


def test_who_set_theirs_is_found_in_blocks_as_well(nets: Nets, mine: Nets, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "SMALL", 4)
    draft = mine.edit(1, 0, volume=8.0)
    nets.send(nets.edit(1, 0, "long ago", volume=7.0))
    for number in range(8):
        nets.send(nets.edit(2, 0, vessel=str(number)))
    assert blocks.extend(nets.pipeline.bench, NAME)
    (conflict,) = refused(mine, draft).conflicts
    assert said(conflict["cells"][0]["theirs_by"]) == ("ana", "long ago", 2)
    assert conflict["unsigned"] == ""


def test_only_what_a_receipt_spells_out_is_looked_up(nets: Nets, mine: Nets, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(theirs, "SHOWN", 1)
    one, other = mine.row(1, 0), mine.row(1, 1)
    changes = [RowChange(row, {**row, "volume": 8.0}) for row in (one, other)]
    draft = mine.dataset.rows(changes, "both", mine.commit)
    nets.send(nets.edit(1, 0, volume=7.0))
    nets.send(nets.edit(1, 1, volume=7.0))
    first, second = refused(mine, draft).conflicts
    assert first["theirs_by"] is not None
    assert (second["theirs_by"], "first 1 conflicts" in second["unsigned"]) == (None, True)


def test_a_commit_that_came_after_the_head_is_not_taken_for_theirs(nets: Nets, mine: Nets) -> None:
    base = mine.commit
    nets.send(nets.edit(1, 0, "then", volume=7.0))
    head = nets.commit
    conflict = Conflict("update/delete", {"tow": 1, "net": 0}, base=nets.row(1, 0), ours=nets.row(1, 0))
    nets.send(nets.edit(1, 0, "later", volume=6.0))
    (signed,) = sign(nets.pipeline.bench, CONTRACT, [conflict], Since(base, head, 2))
    assert signed.theirs_by is not None
    assert signed.theirs_by.note == "then"


def test_taken_up_again_it_names_who_set_theirs_by_now(nets: Nets, mine: Nets) -> None:
    draft = mine.edit(1, 0, volume=8.0)
    nets.send(nets.edit(1, 0, "then", volume=7.0))
    old = refused(mine, draft)
    nets.send(nets.edit(1, 0, "now", volume=6.0))
    (conflict,) = dispute.of(nets.pipeline.bench, old).conflicts
    assert [cell.theirs_by.note for cell in conflict.cells if cell.theirs_by] == ["now"]
