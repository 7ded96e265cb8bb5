"""Whatever is delivered twice, lost or cut on its way to a commit: nothing is lost, and nothing is done twice."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from tests.core.crashing import Crash, cut_at, deliver_again
from tests.core.nets import NAME, Nets
from tests.core.promises import check_promises, records
from towline import commit, inbox, keys
from towline.errors import Contended, LostRace, OutcomeUnknown, Unavailable
from towline.memory import fail_once
from towline.reconcile import reconcile
from towline.workbench import Workbench


def test_the_same_event_delivered_five_times_makes_one_commit() -> None:
    nets = Nets()
    ticket = nets.dataset.send(nets.edit(1, 1, volume=12.5))
    (arrival,) = nets.pipeline.arrivals()
    for _ in range(5):
        receipt = inbox.receive(nets.pipeline.bench, arrival)
        commit.commit(nets.pipeline.bench, NAME, [receipt])
    assert ticket.receipt().status == "committed"
    assert nets.head().number == 2
    assert len(records(nets)) == 2


def test_two_deliveries_at_once_make_one_commit() -> None:
    nets = Nets()
    for volume in range(10, 30):
        nets.dataset.send(nets.edit(1, 1, volume=float(volume)))
        (arrival,) = nets.pipeline.arrivals()
        benches = [Workbench(nets.pipeline.store, pause=lambda seconds: None) for _ in range(4)]

        def deliver(bench: Workbench, arrival: inbox.Arrival = arrival) -> str:
            receipt = inbox.receive(bench, arrival)
            return commit.commit(bench, NAME, [receipt])[0].status

        with ThreadPoolExecutor(4) as pool:
            assert set(pool.map(deliver, benches)) == {"committed"}
    assert nets.head().number == 21
    assert len(records(nets)) == 21
    check_promises(nets)


def test_concurrent_authors_lose_nothing() -> None:
    nets = Nets()
    nets.send(*(nets.insert(9, net) for net in range(12)))
    drafts = [nets.edit(9, net, volume=float(net + 1)) for net in range(12)]
    accepted = []
    for draft in drafts:
        nets.dataset.send(draft)
        accepted.append(inbox.receive(nets.pipeline.bench, nets.pipeline.arrivals()[0]))

    def work(receipt):
        bench = Workbench(nets.pipeline.store)
        while True:
            try:
                return commit.commit(bench, NAME, [receipt])[0].status
            except LostRace:
                continue

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(work, accepted)) == {"committed"}
    assert [nets.row(9, net)["volume"] for net in range(12)] == [float(net + 1) for net in range(12)]
    check_promises(nets)


def test_a_lost_answer_of_the_commit_is_a_success() -> None:
    """S3 wrote the master and the answer was lost: our own commit id in the head tells."""
    nets = Nets()
    nets.pipeline.store.faults = fail_once("put", "after", OutcomeUnknown("reset"), prefix=keys.DATA)
    (receipt,) = nets.send(nets.edit(1, 1, volume=12.5))
    assert receipt.status == "committed"
    assert nets.head().number == 2
    check_promises(nets)


def test_a_commit_that_did_not_arrive_is_put_again() -> None:
    nets = Nets()
    nets.pipeline.store.faults = fail_once("put", "before", OutcomeUnknown("reset"), prefix=keys.DATA)
    assert nets.send(nets.edit(1, 1, volume=12.5))[0].status == "committed"
    check_promises(nets)


def test_an_unreadable_head_after_the_put_is_said_to_be_unknown_and_settled_by_the_next_delivery() -> None:
    nets = Nets()
    ticket = nets.dataset.send(nets.edit(1, 1, volume=12.5))
    receipt = inbox.receive(nets.pipeline.bench, nets.pipeline.arrivals()[0])

    def faults(operation: str, key: str, phase: str) -> None:
        if key == keys.master(NAME) and operation in ("put", "head"):
            if (operation, phase) == ("put", "after"):
                raise OutcomeUnknown("reset")
            if operation == "head":
                raise Unavailable("gone")

    nets.pipeline.store.faults = faults
    with pytest.raises(OutcomeUnknown, match="is not known"):
        commit.commit(nets.pipeline.bench, NAME, [receipt])
    assert ticket.receipt().status == "committing"
    nets.pipeline.store.faults = None
    (final,) = commit.commit(nets.pipeline.bench, NAME, [receipt])
    assert (final.status, final.number) == ("committed", 2)
    check_promises(nets)


# Of two proposals from the inbox to their receipts, counted by the test after the next.
REQUESTS = 32


def requests_of_a_commit() -> int:
    nets = Nets()
    before = sum(nets.pipeline.store.requests.values())
    nets.send(nets.edit(1, 1, volume=12.5), nets.edit(1, 0, volume=1.5))
    return sum(nets.pipeline.store.requests.values()) - before


@pytest.mark.parametrize("phase", ["before", "after"])
@pytest.mark.parametrize("at", range(REQUESTS))
def test_a_crash_at_any_request_loses_nothing_and_doubles_nothing(at: int, phase: str) -> None:
    """The whole way from the inbox to the receipts is cut at each of its requests; then everything is delivered
    again to fresh processes."""
    nets = Nets()
    tickets = [nets.dataset.send(nets.edit(1, 1, volume=12.5)), nets.dataset.send(nets.edit(1, 0, volume=1.5))]
    cut_at(nets, at, phase)
    deliver_again(nets)
    assert [ticket.receipt().status for ticket in tickets] == ["committed", "committed"]
    assert (nets.row(1, 1)["volume"], nets.row(1, 0)["volume"]) == (12.5, 1.5)
    assert Counter(r["proposal"] for r in records(nets)).most_common(1)[0][1] == 1
    check_promises(nets)


def test_the_crash_test_above_reaches_every_request() -> None:
    assert requests_of_a_commit() == REQUESTS


def test_a_commit_makes_at_most_twelve_requests() -> None:
    """From the receipt's acceptance to the final receipt, by a process that knows nothing yet."""
    nets = Nets()
    nets.dataset.send(nets.edit(1, 1, volume=12.5))
    receipt = inbox.receive(nets.pipeline.bench, nets.pipeline.arrivals()[0])
    fresh = Workbench(nets.pipeline.store)
    before = sum(nets.pipeline.store.requests.values())
    commit.commit(fresh, NAME, [receipt])
    assert sum(nets.pipeline.store.requests.values()) - before <= 12


def test_with_everything_remembered_inbox_to_receipt_takes_eleven_requests() -> None:
    nets = Nets()
    nets.send(nets.edit(1, 1, volume=12.5))
    nets.dataset.send(nets.edit(1, 1, volume=13.5))
    (arrival,) = nets.pipeline.arrivals()
    before = sum(nets.pipeline.store.requests.values())
    receipt = inbox.receive(nets.pipeline.bench, arrival)
    commit.commit(nets.pipeline.bench, NAME, [receipt])
    assert sum(nets.pipeline.store.requests.values()) - before <= 11


@pytest.mark.parametrize("prefix", [keys.INTENTS, "snapshots/", keys.CHANGES, "audit/"])
def test_an_interfered_write_is_not_taken_for_one_that_is_there(prefix: str) -> None:
    """S3 answers 409 when somebody interferes: nothing was written, and the next delivery writes it."""
    nets = Nets()
    nets.dataset.send(nets.edit(1, 1, volume=12.5))
    receipt = inbox.receive(nets.pipeline.bench, nets.pipeline.arrivals()[0])
    operation = "copy" if prefix == "snapshots/" else "put"
    nets.pipeline.store.faults = fail_once(operation, "before", Contended("409"), prefix=prefix)
    with pytest.raises(Contended):
        commit.commit(nets.pipeline.bench, NAME, [receipt])
    assert commit.commit(nets.pipeline.bench, NAME, [receipt])[0].status == "committed"
    check_promises(nets)


def test_going_back_to_an_earlier_table_makes_another_object() -> None:
    nets = Nets()
    first = nets.head()
    nets.send(nets.edit(1, 1, volume=12.5))
    nets.send(nets.edit(1, 1, volume=0.0))
    assert nets.head().table.equals(first.table)
    assert nets.head().etag != first.etag


def test_reconcile_finds_what_nobody_decided() -> None:
    nets = Nets()
    unseen = nets.dataset.send(nets.edit(1, 1, volume=12.5))
    seen = nets.dataset.send(nets.edit(1, 0, volume=1.5))
    inbox.receive(nets.pipeline.bench, nets.pipeline.arrivals()[1])
    found = reconcile(nets.pipeline.bench)
    assert [arrival.key for arrival in found.unseen] == [f"inbox/{NAME}/ana/{unseen.proposal}.json"]
    assert [receipt.proposal for receipt in found.undecided] == [seen.proposal]
    assert found.datasets == (NAME,)


def test_reconcile_reaps_old_intents_of_commits_that_never_came() -> None:
    nets = Nets()
    nets.dataset.send(nets.edit(1, 1, volume=12.5))
    receipt = inbox.receive(nets.pipeline.bench, nets.pipeline.arrivals()[0])
    nets.pipeline.store.faults = fail_once("put", "before", Crash(), prefix=keys.DATA)  # type: ignore[arg-type]
    with pytest.raises(Crash):
        commit.commit(nets.pipeline.bench, NAME, [receipt])
    commit.commit(nets.pipeline.bench, NAME, [receipt])
    assert reconcile(nets.pipeline.bench).reaped == ()  # a put that was thought lost may still land
    clock = nets.pipeline.bench.clock
    nets.pipeline.bench.clock = lambda: clock() + timedelta(days=2)
    reaped = set(reconcile(nets.pipeline.bench).reaped)
    left = {entry.key for entry in nets.pipeline.store.list(keys.INTENTS)}
    assert reaped
    assert left == {keys.intent(NAME, str(record["commit"])) for record in records(nets)}


def test_the_intent_of_a_writer_whose_clock_is_days_slow_is_not_reaped_before_its_put_has_landed() -> None:
    nets = Nets()
    slow = Workbench(nets.pipeline.store, clock=lambda: nets.pipeline.bench.clock() - timedelta(days=2))
    nets.dataset.send(nets.edit(1, 1, volume=12.5))
    receipt = inbox.receive(slow, nets.pipeline.arrivals()[0])
    nets.pipeline.store.faults = fail_once("put", "before", Crash(), prefix=keys.DATA)  # type: ignore[arg-type]
    with pytest.raises(Crash):
        commit.commit(slow, NAME, [receipt])
    assert reconcile(nets.pipeline.bench).reaped == ()
