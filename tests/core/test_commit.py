"""The commit protocol in memory: what is committed, what is not, and what is written about it."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from hashlib import sha256

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.core.nets import CONTRACT, CSV, NAME, Nets
from tests.pipeline import Pipeline
from towline import audit, commit, history, inbox, keys, receipts
from towline import table as tables
from towline.audit import FIELDS, GENESIS
from towline.change import RowChange
from towline.dataset import Draft
from towline.errors import Contended, Corrupt, LostRace, OutcomeUnknown, Unavailable
from towline.memory import fail_once
from towline.receipts import Receipt
from towline.reconcile import reconcile
from towline.workbench import Workbench

FIRST_EIGHT = ["timestamp", "user", "note", "prev_version", "new_version", "snapshot_key", "row_count", "column_count"]


def records(nets: Nets) -> list[dict]:
    return [dict(record) for record in reversed(history.log(nets.pipeline.bench, NAME))]


def check_promises(nets: Nets) -> None:
    """Every version of the master has its audit records, in one chain; every snapshot is its version; the changes
    files lead from one to the next."""
    store, layout = nets.pipeline.store, nets.pipeline.bench.layout
    chain, versions, table = GENESIS, [], None
    for record in records(nets):
        assert audit.link(record) == record["chain"]
        assert record["prev_chain"] == chain
        chain = record["chain"]
        if record["new_version"] not in versions:
            versions.append(record["new_version"])
        body = store.get(keys.master(NAME), version=record["new_version"]).body
        assert store.get(layout.snapshot(NAME, record["commit"])).body == body
        changes = store.get(record["changes_key"]).body
        assert sha256(changes).hexdigest() == record["changes_sha256"]
        if record["kind"] == "create":
            table = tables.from_parquet(body, "create")
            continue
        table = replay(table, changes)
        if record is last_of(nets, record["commit"]):
            assert table.equals(tables.from_parquet(body, "snapshot"))
    foreign = {record["prev_version"] for record in records(nets) if record["kind"] == "external"}
    written = [v.version for v in store.versions(keys.master(NAME)) if not v.is_delete_marker]
    assert versions == [version for version in reversed(written) if version not in foreign]
    assert foreign <= set(written)
    numbers = [record["number"] for record in records(nets)]
    assert sorted(set(numbers)) == list(range(1, max(numbers) + 1))


def last_of(nets: Nets, commit_id: str) -> dict:
    return [record for record in records(nets) if record["commit"] == commit_id][-1]


def replay(table: pa.Table, changes: bytes) -> pa.Table:
    from towline import changefile

    types = {f.name: f.type for f in CONTRACT.fields}
    rows = {CONTRACT.key_of(row): row for row in table.to_pylist()}
    return tables.apply(table, CONTRACT.key, changefile.from_parquet(changes, CONTRACT.key, types, rows).changes)


def test_an_edit_changes_its_cell_and_nothing_else() -> None:
    nets = Nets()
    before = nets.head().table
    (receipt,) = nets.send(nets.edit(1, 1, volume=12.5))
    assert (receipt.status, receipt.number) == ("committed", 2)
    after = nets.head().table
    assert after.schema == before.schema
    expected = before.to_pylist()
    expected[1]["volume"] = 12.5
    assert after.to_pylist() == expected


def test_the_audit_record_begins_with_the_eight_fields_and_tells_the_truth() -> None:
    nets = Nets()
    before = nets.head()
    (receipt,) = nets.send(nets.edit(1, 1, "recalibrated", volume=12.5))
    line = nets.pipeline.store.get(receipt.audit_key).body
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    record = json.loads(line)
    assert list(record)[:8] == FIRST_EIGHT
    assert tuple(record) == FIELDS
    head = nets.head()
    truth = {
        "user": "ana",
        "note": "recalibrated",
        "prev_version": before.version,
        "new_version": head.version,
        "snapshot_key": nets.pipeline.bench.layout.snapshot(NAME, head.commit),
        "row_count": 4,
        "column_count": 5,
        "commit": head.commit,
        "parent": before.commit,
        "number": 2,
        "proposal": receipt.proposal,
        "kind": "edit",
        "rows_inserted": 0,
        "rows_updated": 1,
        "rows_deleted": 0,
        "cells_changed": 1,
    }
    assert {field: record[field] for field in truth} == truth


def test_the_changes_file_holds_exactly_the_cell() -> None:
    nets = Nets()
    (receipt,) = nets.send(nets.edit(1, 1, volume=12.5))
    rows = pq.read_table(pa.BufferReader(nets.pipeline.store.get(receipt.changes_key).body)).to_pylist()
    (cell,) = rows
    shown = {name: cell[name] for name in ("change", "key", "column", "old", "new", "user", "number")}
    assert shown == {
        "change": "update",
        "key": '{"tow": 1, "net": 1}',
        "column": "volume",
        "old": "0.0",
        "new": "12.5",
        "user": "ana",
        "number": 2,
    }


def test_the_snapshot_equals_the_master() -> None:
    nets = Nets()
    (receipt,) = nets.send(nets.delete(2, 0))
    assert nets.pipeline.store.get(receipt.snapshot_key).body == nets.head().blob.body
    check_promises(nets)


def test_two_proposals_from_one_base_on_different_cells_both_commit() -> None:
    nets = Nets()
    one, other = nets.edit(1, 1, volume=12.5), nets.by("ben").edit(1, 1, vessel="Aurora")
    first = nets.send(one)[0]
    second = nets.by("ben").send(other)[0]
    assert (first.status, second.status) == ("committed", "committed")
    assert nets.row(1, 1) == {"tow": 1, "net": 1, "volume": 12.5, "vessel": "Aurora", "is_day": False}
    check_promises(nets)


def test_on_the_same_cell_the_second_gets_a_conflict_that_names_the_cell_and_both_values() -> None:
    nets = Nets()
    one, other = nets.edit(1, 1, volume=12.5), nets.edit(1, 1, volume=13.5)
    assert nets.send(one)[0].status == "committed"
    receipt = nets.send(other)[0]
    assert receipt.status == "conflicted"
    (conflict,) = receipt.conflicts
    assert conflict["key"] == {"tow": 1, "net": 1}
    (cell,) = conflict["cells"]
    assert {side: cell[side] for side in ("column", "base", "ours", "theirs")} == {
        "column": "volume", "base": 0.0, "ours": 13.5, "theirs": 12.5
    }  # fmt: skip
    assert "volume was 0.0, is now 12.5, proposed 13.5" in receipt.message
    assert nets.row(1, 1)["volume"] == 12.5
    assert nets.pipeline.store.get(receipt.quarantine).body == nets.pipeline.store.get(receipt.inbox["key"]).body
    check_promises(nets)


def test_proposals_that_wait_together_are_one_commit_with_a_record_and_a_receipt_each() -> None:
    nets = Nets()
    drafts = [nets.edit(1, 0, volume=1.0), nets.edit(1, 1, volume=2.0), nets.delete(2, 0), nets.insert(3, 0)]
    final = nets.send(*drafts)
    assert [receipt.status for receipt in final] == ["committed"] * 4
    assert len({receipt.commit for receipt in final}) == 1
    assert nets.head().number == 2
    assert [r["proposal"] for r in records(nets)][1:] == [receipt.proposal for receipt in final]
    check_promises(nets)


def test_one_that_disagrees_with_its_companions_only_is_decided_on_the_commit_that_they_made() -> None:
    nets = Nets()
    drafts = [nets.edit(1, 0, volume=1.0), nets.edit(1, 0, volume=2.0), nets.edit(1, 1, vessel="Aurora")]
    final = nets.send(*drafts)
    assert [receipt.status for receipt in final] == ["committed", "conflicted", "committed"]
    assert final[1].conflicts[0]["cells"][0]["theirs"] == 1.0
    check_promises(nets)


def test_a_violation_is_a_final_receipt_and_leaves_the_master_alone() -> None:
    nets = Nets()
    before = nets.head()
    (receipt,) = nets.send(nets.edit(1, 1, volume=-3.0))
    assert receipt.status == "rejected"
    (violation,) = receipt.violations
    assert (violation["rule"], violation["column"], violation["value"]) == ("constraint.minimum", "volume", -3.0)
    assert violation["key"] == {"tow": 1, "net": 1}
    assert nets.head() == before
    assert nets.pipeline.store.get(receipt.quarantine)


@pytest.mark.parametrize("mode", ["row", "table"])
def test_stricter_modes_refuse_what_cells_would_merge(mode: str) -> None:
    nets = Nets()
    other = nets.edit(1, 1, mode=mode, vessel="Aurora")
    nets.send(nets.edit(1, 1, volume=12.5))
    assert nets.send(other)[0].status == "conflicted"


def test_mode_fill_joins_two_partial_inserts() -> None:
    nets = Nets()
    one, other = nets.insert(3, 0, volume=5.0), nets.insert(3, 0, vessel="Aurora")
    filling = nets.dataset.rows(list(_changes(other)), "fill in", nets.commit, "fill")
    nets.send(one)
    assert nets.send(filling)[0].status == "committed"
    assert nets.row(3, 0) == {"tow": 3, "net": 0, "volume": 5.0, "vessel": "Aurora", "is_day": None}


def _changes(draft):
    from towline.change import RowChange

    return [RowChange(change["old"], change["new"]) for change in json.loads(draft.body)["changes"]]


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


class Crash(BaseException):
    """The process dies: nothing catches this."""


def requests_of_a_commit() -> int:
    nets = Nets()
    before = sum(nets.pipeline.store.requests.values())
    nets.send(nets.edit(1, 1, volume=12.5), nets.edit(1, 0, volume=1.5))
    return sum(nets.pipeline.store.requests.values()) - before


def cut_at(nets: Nets, at: int, phase: str) -> bool:
    """Deliver what waits, and die at request `at`. Whether it came to that."""
    count = Counter()

    def faults(operation: str, key: str, now: str) -> None:
        if now == phase:
            count["requests"] += 1
            if count["requests"] == at + 1:
                raise Crash

    nets.pipeline.store.faults = faults
    with contextlib.suppress(Crash):
        nets.pipeline.pump()
    nets.pipeline.store.faults = None
    return count["requests"] > at


def deliver_again(nets: Nets) -> None:
    """To a fresh process, what Reconcile finds; twice, as events may come."""
    fresh = Workbench(nets.pipeline.store, clock=nets.pipeline.bench.clock, pause=lambda seconds: None)
    for _ in range(2):
        found = reconcile(fresh)
        assert found.problems == ()
        seen = [inbox.receive(fresh, arrival) for arrival in found.unseen]
        commit.commit(fresh, NAME, [*found.undecided, *(r for r in seen if r and not r.final)])


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


def test_a_master_written_past_towline_becomes_a_commit_of_author_external() -> None:
    nets = Nets()
    draft = nets.edit(1, 0, vessel="Aurora")
    foreign = nets.pipeline.store.put(keys.master(NAME), foreign_table(nets, volume=99.0))
    assert nets.send(draft)[0].status == "committed"
    external = records(nets)[1]
    assert (external["kind"], external["user"], external["number"]) == ("external", "external", 2)
    assert external["prev_version"] == foreign.version
    assert external["cells_changed"] == 1
    assert nets.row(1, 0) == {"tow": 1, "net": 0, "volume": 99.0, "vessel": "Aurora", "is_day": True}


def test_a_master_that_is_no_table_is_recorded_kept_and_replaced_by_the_last_one_that_was() -> None:
    nets = Nets()
    draft = nets.edit(1, 0, vessel="Aurora")
    foreign = nets.pipeline.store.put(keys.master(NAME), b"\x89PNG")
    assert reconcile(nets.pipeline.bench).problems == ()
    external = records(nets)[1]
    assert (external["kind"], external["prev_version"], external["cells_changed"]) == ("external", foreign.version, 0)
    assert "it is no table of nets" in external["note"]
    (kept, report) = nets.pipeline.store.list(keys.QUARANTINE)
    assert nets.pipeline.store.get(kept.key).body == b"\x89PNG"
    assert json.loads(nets.pipeline.store.get(report.key).body)["note"] == external["note"]
    assert nets.send(draft)[0].status == "committed"
    check_promises(nets)


def foreign_table(nets: Nets, **cells: object) -> bytes:
    """The head's table with other values in its first row, as some other program writes it."""
    rows = nets.head().table.to_pylist()
    rows[0] |= cells
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    return bytes(sink.getvalue())


def test_work_goes_on_from_the_last_commit_before_anybody_recorded_what_was_put_past_towline() -> None:
    nets = Nets()
    nets.pipeline.store.put(keys.master(NAME), foreign_table(nets, volume=99.0))
    commit_id, table = nets.dataset.table()
    row = table.to_pylist()[0]
    assert row["volume"] == 10.5
    draft = nets.dataset.rows([RowChange(row, {**row, "vessel": "Aurora"})], "why", commit_id)
    assert nets.send(draft)[0].number == 3
    assert (nets.row(1, 0)["volume"], nets.row(1, 0)["vessel"]) == (99.0, "Aurora")
    check_promises(nets)


def test_each_of_several_masters_written_past_towline_has_its_own_record() -> None:
    nets = Nets()
    store, master_key = nets.pipeline.store, keys.master(NAME)
    bodies = [foreign_table(nets, volume=99.0), b"no table", foreign_table(nets, vessel="Aurora")]
    versions = [store.put(master_key, body).version for body in bodies]
    reconcile(nets.pipeline.bench)
    found = records(nets)[1:]
    assert [record["prev_version"] for record in found] == versions
    assert [record["cells_changed"] for record in found] == [1, 0, 2]
    assert {record["number"] for record in found} == {2}
    assert nets.row(1, 0)["vessel"] == "Aurora"
    check_promises(nets)


def test_a_second_master_written_past_towline_while_the_first_is_recorded_is_recorded_with_it() -> None:
    nets = Nets()
    store = nets.pipeline.store
    store.put(keys.master(NAME), foreign_table(nets, volume=99.0))
    again = [foreign_table(nets, volume=98.0)]

    def overtake(operation: str, key: str, phase: str) -> None:
        if again and (operation, key, phase) == ("put", keys.master(NAME), "before"):
            store.put(keys.master(NAME), again.pop())

    store.faults = overtake
    assert reconcile(nets.pipeline.bench).problems == ()
    assert [record["cells_changed"] for record in records(nets)][1:] == [1, 1]
    found = [receipts.load(store, NAME, record["proposal"]).status for record in records(nets)]
    assert found == ["committed"] * 3
    check_promises(nets)


def test_a_copy_of_an_old_snapshot_over_the_master_does_not_pass_for_its_commit() -> None:
    nets = Nets()
    first = nets.send(nets.edit(1, 1, volume=12.5))[0]
    nets.send(nets.edit(1, 1, volume=13.5))
    nets.pipeline.store.copy(str(first.snapshot_key), keys.master(NAME))
    draft = nets.edit(1, 0, vessel="Aurora")
    assert nets.send(draft)[0].number == 5
    assert (records(nets)[3]["kind"], records(nets)[3]["cells_changed"]) == ("external", 1)
    assert f"with the metadata of commit {first.commit}" in records(nets)[3]["note"]
    assert nets.row(1, 1)["volume"] == 12.5
    check_promises(nets)


def test_a_put_that_lands_late_because_old_bytes_came_back_forks_nothing() -> None:
    """The bytes that a commit was to replace are put once more, on top of two later commits: its ETag matches."""
    nets = Nets()
    store, ben = nets.pipeline.store, nets.by("ben")
    first = nets.head()
    late = [(ben.edit(1, 0, vessel="Aurora"), ben.edit(2, 1, volume=1.5))]

    def rival(operation: str, key: str, phase: str) -> None:
        if late and (operation, key, phase) == ("put", keys.master(NAME), "before"):
            for draft in late.pop():
                commit.commit(other, NAME, [ben_accepts(nets, draft)])
            store.put(keys.master(NAME), first.blob.body, metadata=first.blob.stat.metadata)

    other = Workbench(store, clock=nets.pipeline.bench.clock, pause=lambda seconds: None)
    store.faults = rival
    assert nets.send(nets.edit(1, 1, volume=12.5))[0].status == "committed"
    numbers = [record["number"] for record in records(nets)]
    assert sorted(set(numbers)) == list(range(1, max(numbers) + 1))
    assert nets.row(1, 1)["volume"] == 12.5
    check_promises(nets)


def ben_accepts(nets: Nets, draft: Draft) -> Receipt:
    nets.by("ben").dataset.send(draft)
    return inbox.receive(nets.pipeline.bench, nets.pipeline.arrivals()[0])


def test_a_first_commit_that_lands_between_two_looks_is_no_deletion() -> None:
    pipeline = Pipeline()
    dataset = pipeline.dataset(NAME)
    dataset.send(dataset.create("nets.csv", CSV, CONTRACT, "first load"))
    accepted = inbox.receive(pipeline.bench, pipeline.arrivals()[-1])
    other = Workbench(pipeline.store, clock=pipeline.bench.clock, pause=lambda seconds: None)
    once = [accepted]

    def lands(operation: str, key: str, phase: str) -> None:
        if once and (operation, key, phase) == ("get", keys.contract(NAME), "before"):
            commit.commit(pipeline.bench, NAME, [once.pop()])

    pipeline.store.faults = lands
    assert commit.settled_head(other, NAME)[1].number == 1


def test_creating_a_dataset_takes_over_a_master_that_was_there_before() -> None:
    pipeline = Pipeline()
    old = pipeline.store.put(keys.master(NAME), b"the team's old file")
    nets = Nets(pipeline)
    (record,) = records(nets)
    assert (record["kind"], record["prev_version"], record["number"]) == ("create", old.version, 1)
    assert pipeline.store.get(keys.master(NAME), version=old.version).body == b"the team's old file"


def test_a_create_that_is_delivered_again_is_no_refusal() -> None:
    nets = Nets()
    (key,) = [entry.key for entry in nets.pipeline.store.list(keys.INBOX) if entry.key.endswith(".json")]
    stat = nets.pipeline.store.head(key)
    receipt = inbox.receive(nets.pipeline.bench, inbox.Arrival(key, stat.version, stat.etag, stat.size))
    assert receipt.status == "committed"
    assert list(nets.pipeline.store.list(keys.QUARANTINE)) == []


def test_a_deleted_master_stops_the_dataset_and_says_how_to_bring_it_back() -> None:
    nets = Nets()
    draft = nets.edit(1, 0, vessel="Aurora")
    nets.pipeline.store.delete(keys.master(NAME))
    with pytest.raises(Corrupt, match=r"remove the delete marker of data/nets/master\.parquet"):
        nets.send(draft)


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


def test_final_receipts_never_change() -> None:
    nets = Nets()
    (receipt,) = nets.send(nets.edit(1, 1, volume=-1.0))
    again = commit.commit(nets.pipeline.bench, NAME, [receipts.load(nets.pipeline.store, NAME, receipt.proposal)])
    assert again[0].etag == receipts.load(nets.pipeline.store, NAME, receipt.proposal).etag


def test_everybody_is_told_of_final_outcomes() -> None:
    nets = Nets()
    nets.send(nets.edit(1, 1, volume=12.5), nets.edit(1, 1, volume=-1.0))
    assert [receipt.status for receipt in nets.pipeline.told] == ["committed", "rejected", "committed"]
