"""`towline review`, on a bucket in memory."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.conftest import CONTRACT, Towline
from towline import keys, receipts
from towline.change import RowChange
from towline.contract import Contract

NOTE = ("--note", "looked at it")


@pytest.fixture
def reviewed(bucket: Towline) -> Towline:
    """The dataset tows with proposals of bo to it that wait."""
    raw: dict[str, Any] = {**CONTRACT, "towline": {**CONTRACT["towline"], "review": {"policy": "always"}}}
    ana = bucket.pipeline.dataset("tows", "bo")
    bucket.pipeline.send(ana, ana.create("tows.csv", CSV, Contract.parse(raw), "first load"))
    return bucket


CSV = b"tow,net,vessel,volume,count,is_day,at\n1,0,Meridian,1786.2,12,TRUE,x\n1,1,Meridian,1467.2,,FALSE,y\n"


def proposed(towline: Towline, person: str = "bo", volume: float = 12.5) -> str:
    """The id of a proposal that waits for review."""
    dataset = towline.pipeline.dataset("tows", person)
    commit, table = dataset.table()
    row = table.to_pylist()[1]
    draft = dataset.rows([RowChange(row, {**row, "volume": volume})], "recalibrated", commit)
    (receipt,) = towline.pipeline.send(dataset, draft)
    assert receipt.status == "in_review"
    return receipt.proposal


def status(towline: Towline, proposal: str) -> str:
    receipt = receipts.load(towline.store, "tows", proposal)
    assert receipt is not None
    return receipt.status


def test_what_waits_is_listed(reviewed: Towline) -> None:
    assert "nothing waits for review" in reviewed.good("review").err
    proposal = proposed(reviewed)
    listed = reviewed.good("review", "--dataset", "tows").out
    for said in (proposal, "bo", "every proposal is reviewed", "recalibrated"):
        assert said in listed
    assert [each["proposal"] for each in reviewed.good("review", "--json").json] == [proposal]


def test_one_is_shown_as_it_would_be_now(reviewed: Towline) -> None:
    proposal = proposed(reviewed)
    shown = reviewed.good("review", proposal).out
    for said in ("in review", "bo: recalibrated", "12.5", "on commit 1 rows: 0 inserted, 1 updated", "effect "):
        assert said in shown
    found = reviewed.good("review", proposal, "--json").json
    assert (found["has_changed"], found["effect"]) == (False, found["receipt"]["review"]["effect"])


def test_a_steward_approves_and_waits(reviewed: Towline) -> None:
    proposal = proposed(reviewed)
    done = reviewed.good("review", proposal, "--approve", *NOTE, "--wait")
    assert "committed tows #2" in done.out


def test_a_steward_rejects(reviewed: Towline) -> None:
    proposal = proposed(reviewed)
    assert "rejected" in reviewed.good("review", proposal, "--reject", *NOTE).out
    assert status(reviewed, proposal) == "rejected"
    assert "rejected by " in reviewed("status", proposal).out


def test_status_tells_who_has_to_act(reviewed: Towline) -> None:
    proposal = proposed(reviewed)
    told = reviewed.good("status", proposal, "--wait").out
    assert "in review tows" in told
    assert "a steward has to approve it" in told


def test_a_review_that_does_not_count_is_told_with_the_reason(reviewed: Towline) -> None:
    proposal = proposed(reviewed)
    reviewed.store.put(keys.review("tows", proposal, "eve"), b"{}")
    said = "review of eve, does not count: it cannot be read: format is None"
    assert said in reviewed.good("status", proposal).out
    assert said in reviewed.good("review", proposal).out


def test_ones_own_is_refused(reviewed: Towline) -> None:
    proposal = proposed(reviewed, "ana")
    result = reviewed("review", proposal, "--approve", *NOTE)
    assert result.code == 14
    assert "nobody reviews their own proposal here" in result.err
    assert status(reviewed, proposal) == "in_review"


def test_the_effect_that_was_seen_is_said_and_must_be_the_one_of_now(reviewed: Towline) -> None:
    proposal = proposed(reviewed)
    wrong = reviewed("review", proposal, "--approve", *NOTE, "--effect", "0" * 12)
    assert wrong.code == 11
    assert "no review was written" in wrong.err
    assert status(reviewed, proposal) == "in_review"
    effect = reviewed.good("review", proposal, "--json").json["effect"]
    reviewed.good("review", proposal, "--approve", *NOTE, "--effect", effect[:12])
    assert status(reviewed, proposal) == "committed"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["nobody-knows"], 13, "there is no proposal nobody-knows"),
        (["--approve"], 2, "name the proposal"),
        (["PROPOSAL", "--approve"], 2, "a review says why: --note TEXT"),
        (["PROPOSAL", "--note", "x"], 2, "say --approve or --reject, too"),
        (["PROPOSAL", "--approve", "--note", " "], 10, "a note that says why is required"),
        (["PROPOSAL", "--dataset", "others"], 13, "there is no proposal"),
    ],
)
def test_what_makes_no_sense_changes_nothing(reviewed: Towline, arguments: list[str], code: int, said: str) -> None:
    proposal = proposed(reviewed)
    result = reviewed("review", *(proposal if each == "PROPOSAL" else each for each in arguments))
    assert (result.code, said in result.err) == (code, True), result.err
    assert status(reviewed, proposal) == "in_review"


def test_what_is_not_in_review_says_its_state(reviewed: Towline) -> None:
    proposal = proposed(reviewed)
    reviewed.good("review", proposal, "--reject", *NOTE)
    result = reviewed("review", proposal, "--approve", *NOTE)
    assert result.code == 2
    assert "is not in review: it is rejected" in result.err
