"""Masters that were written past Towline, were there before it, or are gone."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.core.nets import CONTRACT, CSV, NAME, Nets
from tests.core.promises import check_promises, records
from tests.pipeline import Pipeline
from towline import commit, inbox, keys, receipts
from towline.change import RowChange
from towline.dataset import Draft
from towline.errors import Corrupt
from towline.receipts import Receipt
from towline.reconcile import reconcile
from towline.workbench import Workbench


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
