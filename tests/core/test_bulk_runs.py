"""Runs of SQL edits, step by step in memory: promoted, refused, merged, and killed at every request."""

from __future__ import annotations

from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.core.nets import NAME, Nets
from tests.core.sql_machine import Failed, Killed, Machine, Query
from towline import receipts, runs
from towline.bulk import refusing, words
from towline.keys import Run
from towline.memory import MemoryStore
from towline.preview import from_json
from towline.receipts import Receipt

RAISE = "UPDATE master SET volume = volume + 1 WHERE tow = 1"


def raised(table: pa.Table) -> pa.Table:
    """What RAISE makes of a table, in another order of its rows, as Athena would."""
    volume = pc.if_else(pc.equal(table["tow"], 1), pc.add(table["volume"], 1.0), table["volume"])
    changed = table.set_column(table.schema.get_field_index("volume"), "volume", volume)
    return changed.take(list(reversed(range(changed.num_rows))))


@pytest.fixture
def machine() -> Machine:
    return Machine(Nets(), raised)


def test_an_edit_is_promoted_and_leaves_its_small_documents(machine: Machine) -> None:
    run = machine.send(RAISE)
    receipt = machine.execute(run)
    assert (receipt.status, receipt.number) == ("committed", 2)
    assert machine.table()["volume"].to_pylist() == [11.5, 1.0, None, 7.25]
    assert machine.left(run) == {"run.json", "preview.json"}
    assert not machine.tables.names
    shown = from_json(machine.nets.pipeline.store.get(run.preview).body)
    assert (shown.rows.updated, shown.cells_changed, shown.effect) == (2, 2, receipt.run["effect"])
    assert (receipt.run["scanned_bytes"], receipt.run["base"]) == (1000, shown.base)


@pytest.mark.parametrize(
    ("query", "rule"),
    [
        (lambda table: table, "change.nothing"),
        (lambda table: table.slice(0, 0), "table.empty"),
        (lambda table: table.slice(0, 1), "table.rows_deleted"),
        (lambda table: pa.concat_tables([table, table.slice(2, 1)]), "key.duplicate"),
        (lambda table: table.set_column(1, "net", pa.array([None, 1, 0, 1], pa.int64())), "key.null"),
        (lambda table: table.set_column(2, "volume", pa.array([-1.0, 0, 1, 2])), "constraint.minimum"),
    ],
)
def test_what_does_not_fit_is_refused_and_kept(query: Query, rule: str) -> None:
    machine = Machine(Nets(), query)
    run = machine.send(RAISE)
    receipt = machine.execute(run)
    assert (receipt.status, receipt.number) == ("rejected", None)
    assert rule in [violation["rule"] for violation in receipt.violations]
    kept = {entry.key.rsplit("/", 1)[1] for entry in machine.nets.pipeline.store.list(f"quarantine/{NAME}/")}
    assert kept >= {"report.json", "query.json", "run.json", f"{run.id}.sql.json"}
    assert machine.left(run) <= {"run.json", "preview.json"}
    assert machine.number == 1
    assert machine.nets.pipeline.told[-1].proposal == run.id


def test_a_query_that_fails_is_refused_in_its_own_words() -> None:
    def fails(table: pa.Table) -> pa.Table:
        raise Failed("COLUMN_NOT_FOUND: line 1:8")

    machine = Machine(Nets(), fails)
    run = machine.send(RAISE)
    receipt = machine.execute(run)
    assert (receipt.status, receipt.violations[0]["rule"]) == ("rejected", "sql.query")
    assert "COLUMN_NOT_FOUND: line 1:8" in receipt.message


def test_an_edit_committed_meanwhile_is_merged_and_the_same_cell_asks(machine: Machine) -> None:
    first, second = machine.send(RAISE, preview=True), machine.send(RAISE, preview=True)
    assert machine.execute(first).status == machine.execute(second).status == "previewed"
    machine.nets.send(machine.nets.edit(1, 0, vessel="Aurora"))
    assert promoted(machine, first).status == "committed"
    row = machine.nets.row(1, 0)
    assert (row["vessel"], row["volume"]) == ("Aurora", 11.5)
    machine.nets.send(machine.nets.edit(1, 1, volume=9.0))
    assert promoted(machine, second).status == "conflicted"
    assert machine.nets.row(1, 1)["volume"] == 9.0


def promoted(machine: Machine, run: Run) -> Receipt:
    """The receipt after its author's word, heard twice, and the execution that goes on."""
    runs.promote(machine.nets.dataset, run.id)
    for arrival in machine.nets.pipeline.arrivals():
        assert words.hear(machine.nets.pipeline.bench, arrival)
        assert words.hear(machine.nets.pipeline.bench, arrival)
    return machine.execute(run)


def kill_at(store: MemoryStore, number: int, phase: Literal["before", "after"]) -> None:
    """Kill whoever makes the request of this number, before or after it has its effect."""
    count = 0

    def fault(operation: str, key: str, when: Literal["before", "after"]) -> None:
        nonlocal count
        count += when == phase
        if count == number and when == phase:
            store.faults = None
            raise Killed(f"{phase} {operation} {key}")

    store.faults = fault


@pytest.mark.parametrize("phase", ["before", "after"])
@pytest.mark.parametrize("preview", [False, True])
def test_a_run_that_is_killed_at_any_request_is_taken_up_again(
    phase: Literal["before", "after"], preview: bool
) -> None:
    """At each request of an execution in turn; then again at each of the ten that follow the restart."""
    number, killed = 1, True
    while killed:
        machine = Machine(Nets(), raised)
        run = machine.send(RAISE, preview=preview)
        store = machine.nets.pipeline.store
        kill_at(store, number, phase)
        killed = is_killed(machine, run)
        store.faults = None
        if killed:
            kill_at(store, 1 + number % 10, phase)
            is_killed(machine, None)
            store.faults = None
        machine.reconcile()
        assert_done(machine, run, preview=preview)
        number += 1
    assert number > 20, "or nothing was killed"


def is_killed(machine: Machine, run: Run | None) -> bool:
    try:
        machine.execute(run) if run else machine.reconcile()
    except Killed:
        return True
    return False


def assert_done(machine: Machine, run: Run, *, preview: bool) -> None:
    if preview:
        assert machine.receipt(run).status == "previewed"
        assert machine.number == 1
        promoted(machine, run)
    machine.reconcile()
    receipt = machine.receipt(run)
    assert (receipt.status, receipt.number, machine.number) == ("committed", 2, 2), receipt
    assert machine.left(run) == {"run.json", "preview.json"}
    assert not machine.tables.names
    assert len(machine.prefixes) == len(set(machine.prefixes))
    assert [record["proposal"] for record in machine.nets.dataset.log()].count(receipt.proposal) == 1


def test_a_run_whose_receipt_is_final_only_clears_up(machine: Machine) -> None:
    run = machine.send(RAISE)
    first = machine.execute(run)
    assert machine.execute(run) == first
    assert machine.number == 2
    assert len(machine.prefixes) == 1


def test_a_run_that_a_commit_has_claimed_is_not_refused_any_more(machine: Machine) -> None:
    run = machine.send(RAISE)
    bench = machine.nets.pipeline.bench
    claimed = receipts.swap(bench.store, machine.receipt(run).moved("committing", bench.clock(), base_number=1))
    assert claimed is not None
    assert refusing.refuse(bench, claimed, refusing.EXPIRED, "too late") == claimed
    assert machine.receipt(run).status == "committing"
