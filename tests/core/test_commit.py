"""The commit protocol in memory: what is committed, what is not, and what is written about it."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.core.nets import NAME, Nets
from tests.core.promises import check_promises, records
from towline import commit, receipts
from towline.audit import FIELDS
from towline.change import RowChange

FIRST_EIGHT = ["timestamp", "user", "note", "prev_version", "new_version", "snapshot_key", "row_count", "column_count"]


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

    return [RowChange(change["old"], change["new"]) for change in json.loads(draft.body)["changes"]]


def test_final_receipts_never_change() -> None:
    nets = Nets()
    (receipt,) = nets.send(nets.edit(1, 1, volume=-1.0))
    again = commit.commit(nets.pipeline.bench, NAME, [receipts.load(nets.pipeline.store, NAME, receipt.proposal)])
    assert again[0].etag == receipts.load(nets.pipeline.store, NAME, receipt.proposal).etag


def test_everybody_is_told_of_final_outcomes() -> None:
    nets = Nets()
    nets.send(nets.edit(1, 1, volume=12.5), nets.edit(1, 1, volume=-1.0))
    assert [receipt.status for receipt in nets.pipeline.told] == ["committed", "rejected", "committed"]
