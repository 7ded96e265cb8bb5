"""Reviews in memory: what waits, what lets it go on, what turns it down, and what counts for nothing."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest

import towline
from tests.core.crashing import Crash, cut_at, deliver_again
from tests.core.nets import NAME
from tests.core.promises import check_promises, records
from tests.core.reviewed import Reviewed
from tests.pipeline import Pipeline
from towline import commit, inbox, keys, reviewing, steward
from towline.connect import Connection
from towline.dataset import Ticket
from towline.errors import BadProposal, NotFound, Refused, UsageError
from towline.inbox import Arrival
from towline.receipts import Receipt
from towline.reconcile import reconcile
from towline.reviews import APPROVE, REJECT
from towline.settings import Settings


def quarantined(nets: Reviewed) -> list[dict[str, Any]]:
    """The reports of reviews that count for nothing."""
    found = [entry.key for entry in nets.pipeline.store.list(keys.QUARANTINE)]
    reports = [key for key in found if "-review-" in key and key.endswith("report.json")]
    return [json.loads(nets.pipeline.store.get(key).body) for key in reports]


def test_a_proposal_waits_and_nothing_changes_until_a_steward_approves_it() -> None:
    nets = Reviewed()
    receipt = nets.proposed()
    assert nets.head().number == 1
    assert receipt.message == "a steward has to approve it (every proposal is reviewed): `towline review` shows it"
    assert receipt.review["counts"]["cells_changed"] == 1
    assert nets.pipeline.told[-1] == receipt
    final = nets.approve(receipt)
    assert (final.status, final.number) == ("committed", 2)
    assert [step["status"] for step in final.history] == ["accepted", "in_review", "committing", "committed"]
    assert final.review["approvals"] == 1
    assert nets.row(1, 1)["volume"] == 12.5
    assert records(nets)[-1]["user"] == "ana"
    check_promises(nets)


def test_a_rejection_is_final_and_says_who_and_why() -> None:
    nets = Reviewed()
    final = nets.reject(nets.proposed(), note="the meter was fine")
    assert (final.status, final.message) == ("rejected", "rejected by ben: the meter was fine")
    assert final.violations[0]["rule"] == "review.rejected"
    assert nets.pipeline.store.get(final.quarantine).body == nets.pipeline.store.get(final.inbox["key"]).body
    assert nets.head().number == 1


def test_one_that_waits_does_not_hold_up_its_companions() -> None:
    nets = Reviewed(policy={"when": {"rows_deleted": 0}})
    final = nets.send(nets.edit(1, 0, volume=1.0), nets.delete(2, 0), nets.edit(1, 1, volume=2.0))
    assert [receipt.status for receipt in final] == ["committed", "in_review", "committed"]
    assert final[0].commit == final[2].commit
    assert nets.approve(final[1]).number == 3
    check_promises(nets)


def test_the_effect_is_not_changed_by_commits_elsewhere_and_the_approval_holds() -> None:
    nets = Reviewed(policy={"when": {"columns": ["volume"]}})
    receipt = nets.proposed()
    nets.send(nets.edit(1, 0, vessel="Aurora"), nets.edit(1, 1, vessel="Aurora"))
    assert nets.head().number == 2
    assert not nets.case(receipt).has_changed
    final = nets.approve(receipt)
    assert (final.status, nets.row(1, 1)["vessel"], nets.row(1, 1)["volume"]) == ("committed", "Aurora", 12.5)


def changed_meanwhile() -> tuple[Reviewed, Receipt]:
    """A delete that waits, and the row that it deletes as somebody changed it since: merge mode cell deletes a row
    that was touched only where the contract lets it, so the row is filled in before it is inserted twice."""
    nets = Reviewed(policy={"when": {"authors": ["eve"]}})
    filling = nets.dataset.rows([*_changes(nets.insert(3, 0, volume=5.0))], "a new net, filled in", nets.commit, "fill")
    receipt = nets.proposed(filling)
    eve = nets.by("eve")
    assert eve.send(eve.insert(3, 0, vessel="Aurora"))[0].status == "committed"
    return nets, receipt


def _changes(draft: Any) -> list[Any]:
    from towline.change import RowChange

    return [RowChange(change["old"], change["new"]) for change in json.loads(draft.body)["changes"]]


def test_where_the_table_changed_so_that_the_effect_did_it_asks_again() -> None:
    nets, receipt = changed_meanwhile()
    old = receipt.review["effect"]
    waits = nets.forge(receipt, effect=old)  # somebody approved what they saw before the table changed
    assert waits.status == "in_review"
    assert waits.message.startswith("the table changed, and with it what this proposal does, so it is asked again: ")
    assert waits.review["effect"] != old
    assert waits.review["approvals"] == 0
    (word,) = waits.review["reviews"]
    assert word["ignored"].startswith(f"it is of the effect {old[:12]}, and the proposal has the effect ")
    assert nets.head().number == 2
    final = nets.approve(receipt)
    assert (final.status, final.number) == ("committed", 3)
    assert nets.row(3, 0) == {"tow": 3, "net": 0, "volume": 5.0, "vessel": "Aurora", "is_day": None}
    check_promises(nets)


def test_a_steward_who_saw_what_it_was_is_told_before_anything_is_written() -> None:
    nets, receipt = changed_meanwhile()
    case = nets.case(receipt)
    assert case.has_changed
    with pytest.raises(UsageError, match="look at it again"):
        steward.say(nets.by("ben").dataset, case, APPROVE, "fine", str(receipt.review["effect"]))
    assert list(nets.pipeline.store.list(keys.REVIEWS)) == []


def test_companions_that_change_the_effect_of_an_approved_one_make_it_ask_again() -> None:
    """Both are decided in one call: the approval is for the head as it was, not for the head with the companion."""
    nets = Reviewed(policy={"when": {"authors": ["eve"]}})
    receipt = nets.proposed(
        nets.dataset.rows([*_changes(nets.insert(3, 0, volume=5.0))], "filled in", nets.commit, "fill")
    )
    nets.say(receipt, APPROVE)
    eve = nets.by("eve")
    eve.dataset.send(eve.insert(3, 0, vessel="Aurora"))
    companion = inbox.receive(nets.pipeline.bench, nets.pipeline.arrivals()[0])
    final = commit.commit(nets.pipeline.bench, NAME, [companion, receipt])
    assert [each.status for each in final] == ["committed", "in_review"]
    assert "asked again" in final[1].message
    assert nets.approve(receipt).status == "committed"


def test_a_conflict_meanwhile_is_a_conflict_whoever_approved() -> None:
    nets = Reviewed(policy={"when": {"authors": ["eve"]}})
    receipt = nets.proposed()
    nets.say(receipt, APPROVE)
    eve = nets.by("eve")
    eve.send(eve.edit(1, 1, volume=13.5))
    assert nets.hear(receipt).status == "conflicted"
    other = nets.proposed(nets.edit(1, 0, volume=1.0))
    eve.send(eve.edit(1, 0, volume=2.0))
    case = nets.case(other)
    with pytest.raises(UsageError, match=r"no longer fits the table: row tow=1, net=0: volume was 10\.5"):
        steward.say(nets.by("ben").dataset, case, APPROVE, "fine", case.effect)
    steward.say(nets.by("ben").dataset, case, REJECT, "too late", case.effect)
    assert nets.hear(other).status == "conflicted"


def test_two_approvals_are_of_two_people() -> None:
    nets = Reviewed(policy={"policy": "always", "approvals": 2})
    receipt = nets.proposed()
    assert receipt.message.startswith("2 stewards have to approve it")
    one = nets.approve(receipt, "AROAONE:ben")
    assert (one.status, one.review["approvals"]) == ("in_review", 1)
    assert one.message.startswith("a steward has to approve it")
    again = nets.approve(receipt, "AROAOTHER:ben")
    assert (again.status, again.review["approvals"]) == ("in_review", 1)
    assert nets.approve(receipt, "AROAONE:eve").status == "committed"


def test_one_against_it_is_enough_whoever_is_for_it() -> None:
    nets = Reviewed(policy={"policy": "always", "approvals": 2})
    receipt = nets.proposed()
    nets.approve(receipt, "ben")
    assert nets.reject(receipt, "eve").message == "rejected by eve: looked at it"


def test_a_steward_may_think_again() -> None:
    nets = Reviewed(policy={"policy": "always", "approvals": 2})
    receipt = nets.proposed()
    nets.approve(receipt, "ben")
    assert nets.reject(receipt, "ben").status == "rejected"


def test_nobody_approves_their_own_in_whatever_role() -> None:
    nets = Reviewed()
    receipt = nets.proposed()
    for person in ("ana", "AROASTEWARD:ana"):
        with pytest.raises(Refused, match="ana proposed it, and nobody reviews their own proposal here"):
            nets.say(receipt, APPROVE, person)
        waits = nets.forge(receipt, person)
        assert waits.status == "in_review"
    assert {word["ignored"] for word in waits.review["reviews"]} == {
        "ana proposed it, and nobody reviews their own proposal here"
    }


def test_where_the_contract_lets_them_people_approve_their_own() -> None:
    nets = Reviewed(policy={"policy": "always", "own": True})
    assert nets.approve(nets.proposed(), "ana").status == "committed"


def test_only_the_stewards_of_the_contract_are_heard() -> None:
    nets = Reviewed(policy={"policy": "always", "stewards": ["ben", "AROAONE:eve"]})
    receipt = nets.proposed()
    with pytest.raises(Refused, match="fay is not among the stewards whom the contract names"):
        nets.say(receipt, APPROVE, "fay")
    assert nets.forge(receipt, "fay").status == "in_review"
    assert nets.forge(receipt, "AROATWO:eve").status == "in_review"
    assert nets.forge(receipt, "AROAONE:eve").status == "committed"


FORGED: dict[str, tuple[dict[str, Any], str]] = {
    "another effect": ({"effect": "0" * 64}, "it is of the effect 000000000000, and"),
    "no effect": ({"effect": "fine"}, "effect is 'fine'; it is the digest of what was reviewed"),
    "another proposal": ({"proposal": "p9"}, "it is of proposal 'p9', and lies where reviews of "),
    "another principal": ({"principal": "eve"}, "it says that it is by 'eve', and was written by ben"),
    "no decision": ({"decision": "maybe"}, "decision is 'maybe'; it can be approve or reject"),
    "no note": ({"note": " "}, "a note that says why is required"),
    "another format": ({"format": "towline.proposal/v1"}, "this version of Towline reads 'towline.review/v1'"),
    "an unknown field": ({"steward": "ben"}, "unknown field 'steward'"),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_review_counts_for_nothing_and_leaves_a_word(name: str) -> None:
    nets = Reviewed()
    receipt = nets.proposed()
    fields, why = FORGED[name]
    waits = nets.forge(receipt, **fields)
    assert (waits.status, nets.head().number, waits.review["approvals"]) == ("in_review", 1, 0)
    (word,) = waits.review["reviews"]
    assert (word["principal"], why in word["ignored"]) == ("ben", True), word
    (report,) = quarantined(nets)
    assert (report["key"], report["ignored"]) == (keys.review(NAME, receipt.proposal, "ben"), word["ignored"])
    assert nets.approve(receipt).status == "committed"


@pytest.mark.parametrize(
    "body", [b"", b"\x00\xff", b"[]", b'{"format": "a", "format": "b"}', b"[" * 60_000, b" " * 70_000]
)
def test_what_is_no_review_at_all_counts_for_nothing(body: bytes) -> None:
    nets = Reviewed()
    receipt = nets.proposed()
    waits = nets.put(receipt, "ben", body)
    assert waits.status == "in_review"
    assert waits.review["reviews"][0]["ignored"].startswith("it cannot be read: ")
    assert len(quarantined(nets)) == 1


@pytest.mark.parametrize(
    ("key", "why"),
    [
        (f"reviews/{NAME}/nobody-knows/ben.json", f"nobody knows a proposal nobody-knows of {NAME}"),
        (f"reviews/{NAME}/p1/eve/ben.json", "is not reviews/<dataset>/<proposal>/<you>.json"),
        ("reviews/ben.json", "is not reviews/<dataset>/<proposal>/<you>.json"),
    ],
)
def test_a_review_of_nothing_is_kept_with_the_reason(key: str, why: str) -> None:
    nets = Reviewed()
    stat = nets.pipeline.store.put(key, b"{}")
    assert reviewing.receive(nets.pipeline.bench, Arrival(key, None, stat.etag, 2)) is None
    (report,) = quarantined(nets)
    assert why in report["ignored"]


def test_a_review_in_the_place_of_another_is_kept_with_the_reason() -> None:
    nets = Reviewed()
    receipt = nets.proposed()
    nets.say(receipt, APPROVE)
    (entry,) = nets.pipeline.store.list(keys.REVIEWS)
    arrival = Arrival(entry.key, None, entry.etag, entry.size, principal="AROATHIEF:eve")
    assert reviewing.receive(nets.pipeline.bench, arrival) is None
    assert quarantined(nets)[0]["ignored"] == "it was written by AROATHIEF:eve, in the place of ben"


def test_a_review_that_comes_too_late_changes_nothing_and_is_kept() -> None:
    nets = Reviewed()
    receipt = nets.proposed()
    final = nets.approve(receipt)
    effect = str(receipt.review["effect"])
    assert nets.forge(receipt, "eve", decision=REJECT, effect=effect) == final
    assert quarantined(nets)[0]["ignored"] == f"{receipt.proposal} does not wait for a review: it is committed"


def test_a_review_of_what_does_not_wait_is_refused() -> None:
    nets = Reviewed()
    receipt = nets.approve(nets.proposed())
    with pytest.raises(UsageError, match="is not in review: it is committed"):
        nets.case(receipt)
    with pytest.raises(NotFound):
        steward.look(nets.dataset, "nobody-knows")
    waits = nets.proposed(nets.edit(1, 0, volume=1.0))
    with pytest.raises(BadProposal, match="a note that says why is required"):
        nets.say(waits, APPROVE, note="")


def test_a_message_that_comes_again_changes_nothing() -> None:
    nets = Reviewed()
    receipt = nets.proposed()
    told = len(nets.pipeline.told)
    for _ in range(3):
        assert commit.commit(nets.pipeline.bench, NAME, [receipt]) == [receipt]
    (arrival,) = [
        Arrival(e.key, None, e.etag, e.size)
        for e in nets.pipeline.store.list(f"{keys.INBOX}{NAME}/")
        if receipt.proposal in e.key
    ]
    assert inbox.receive(nets.pipeline.bench, arrival) == receipt
    assert nets.now(receipt) == receipt
    assert len(nets.pipeline.told) == told
    assert reconcile(nets.pipeline.bench).undecided == ()


def test_a_lost_event_of_a_review_is_healed_by_reconcile_and_that_once() -> None:
    nets = Reviewed(policy={"policy": "always", "approvals": 2})
    receipt = nets.proposed()
    nets.say(receipt, APPROVE)
    (found,) = reconcile(nets.pipeline.bench).undecided
    commit.commit(nets.pipeline.bench, NAME, [found])
    assert nets.now(receipt).review["approvals"] == 1
    assert reconcile(nets.pipeline.bench).undecided == ()
    nets.say(receipt, APPROVE, "eve")
    commit.commit(nets.pipeline.bench, NAME, reconcile(nets.pipeline.bench).undecided)
    assert nets.now(receipt).status == "committed"


def test_a_claim_that_can_still_land_is_neither_rejected_nor_put_back_into_review() -> None:
    """The commit that claimed it died before it put the master, and a steward who had approved it thinks again."""
    nets = Reviewed()
    receipt = nets.proposed()
    nets.say(receipt, APPROVE)

    def faults(operation: str, key: str, phase: str) -> None:
        if (operation, key, phase) == ("put", keys.master(NAME), "before"):
            raise Crash

    nets.pipeline.store.faults = faults
    with contextlib.suppress(Crash):
        commit.commit(nets.pipeline.bench, NAME, [receipt])
    nets.pipeline.store.faults = None
    assert nets.now(receipt).status == "committing"
    effect = str(receipt.review["effect"])
    nets.forge(receipt, decision=REJECT, effect=effect)
    assert nets.now(receipt).status == "committed"
    check_promises(nets)


def test_waiting_lists_what_waits_the_longest_waiting_first() -> None:
    nets = Reviewed()
    first, second = nets.proposed(), nets.by("ben").proposed(nets.by("ben").edit(1, 0, volume=1.0))
    nets.reject(nets.proposed(nets.edit(2, 1, volume=2.0)))
    assert [r.proposal for r in steward.waiting(nets.pipeline.bench, NAME)] == [first.proposal, second.proposal]
    with pytest.raises(NotFound):
        steward.waiting(nets.pipeline.bench, "others")


def test_a_ticket_waits_no_longer_than_until_a_person_has_to_act() -> None:
    nets = Reviewed()
    receipt = nets.proposed()
    assert Ticket(nets.pipeline.bench, NAME, receipt.proposal).wait(1) == receipt


def test_in_python_a_review_is_said_and_waited_for() -> None:
    nets = Reviewed()
    ds = towline.Dataset(Connection(Settings("towline", endpoint_url="http://127.0.0.1:9"), nets.pipeline.bench), NAME)
    first, second = nets.proposed(), nets.proposed(nets.edit(1, 0, volume=1.0))
    assert ds.reviews() == [first, second]
    case = ds.case(first.proposal)
    assert (case.plan.counts()["cells_changed"], case.has_changed) == (1, False)

    def deliver(operation: str, key: str, phase: str) -> None:
        if (operation, phase) == ("put", "after") and key.startswith(keys.REVIEWS):
            nets.pipeline.pump()

    nets.pipeline.store.faults = deliver
    with pytest.raises(UsageError, match="look at it again"):
        ds.review(first.proposal, approve=True, note="fine", effect="0" * 64)
    assert ds.review(first.proposal, approve=True, note="fine", effect=case.effect, timeout=1).status == "committed"
    assert ds.review(second.proposal, approve=False, note="it was not", timeout=1).message.endswith(": it was not")


# Of a proposal that is put up for review, approved, and committed; counted by the test after the next.
REQUESTS = 38


def course(nets: Reviewed) -> None:
    """A proposal is sent and validated, waits, is approved by ben, and committed."""
    nets.pipeline.pump()
    (receipt,) = steward.waiting(nets.pipeline.bench, NAME)
    nets.say(receipt, APPROVE)
    nets.hear(receipt)


def sent() -> tuple[Reviewed, Ticket]:
    nets = Reviewed(Pipeline())
    return nets, nets.dataset.send(nets.edit(1, 1, volume=12.5))


@pytest.mark.parametrize("phase", ["before", "after"])
@pytest.mark.parametrize("at", range(REQUESTS))
def test_a_crash_at_any_request_of_a_review_loses_nothing_and_commits_nothing_unseen(at: int, phase: str) -> None:
    nets, ticket = sent()
    cut_at(nets, at, phase, lambda: course(nets))
    nets.pipeline.bench = deliver_again(nets)
    receipt = ticket.receipt()
    is_said = bool(list(nets.pipeline.store.list(keys.REVIEWS)))
    assert receipt.status == ("committed" if is_said else "in_review")
    if not is_said:
        assert nets.head().number == 1
        assert nets.approve(receipt).status == "committed"
    assert [record["proposal"] for record in records(nets)].count(ticket.proposal) == 1
    assert nets.head().number == 2
    check_promises(nets)


def test_the_crash_test_above_reaches_every_request() -> None:
    nets, _ = sent()
    before = sum(nets.pipeline.store.requests.values())
    course(nets)
    assert sum(nets.pipeline.store.requests.values()) - before == REQUESTS
